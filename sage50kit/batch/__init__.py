"""From unposted transactions to documents in the books and a batch in ConnectWise."""
