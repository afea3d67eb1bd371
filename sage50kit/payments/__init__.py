"""Receivables: what Sage 50 says was paid, what both systems and the general ledger say is owed."""
