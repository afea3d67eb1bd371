"""What customers paid in Sage 50, carried to the invoices of ConnectWise; and what they paid in its portal."""
