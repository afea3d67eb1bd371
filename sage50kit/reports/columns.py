"""The columns of the listings with their headings, in order, and the sentences that stand beside tables."""

from __future__ import annotations

ISSUES = {
    "severity": "Severity",
    "number": "Document",
    "message": "Finding",
    "fix": "What to do",
    "field": "Field",
    "value": "Value",
    "code": "Code",
    "key": "Key",
}
DOCUMENTS = {
    "order": "No.",
    "document": "Document",
    "label": "Document",
    "type": "Becomes",
    "number": "Number",
    "state": "State",
    "party_id": "ID",
    "party": "Customer or vendor",
    "date": "Date",
    "due_date": "Due",
    "reference": "Reference",
    "lines": "Lines",
    "total": "Total",
    "place": "In Sage 50",
    "reason": "Reason",
    "note": "Note",
}
GL_ENTRIES = {
    "document": "Document",
    "number": "Number",
    "date": "Date",
    "account_id": "Account",
    "account": "Account name",
    "debit": "Debit",
    "credit": "Credit",
    "sage_debit": "Sage's own debit",
    "sage_credit": "Sage's own credit",
    "description": "Description",
}
BY_ACCOUNT = {
    "account_id": "Account",
    "account": "Account name",
    "debit": "Debit",
    "credit": "Credit",
    "net": "Net by the kit",
    "sage_debit": "Sage's own debit",
    "sage_credit": "Sage's own credit",
}
TRANSACTIONS = {
    "key": "Key",
    "kind": "Kind",
    "type": "Type",
    "number": "Number",
    "date": "Date",
    "party": "Customer or vendor",
    "location": "Location",
    "vendor_invoice": "Vendor invoice",
    "total": "Total",
    "reason": "Reason",
    "left_out": "Reason",
}
LEFT_OUT = {
    "key": "Key",
    "kind": "Kind",
    "number": "Number",
    "total": "Total",
    "reason": "Reason",
}
NOT_IN_BATCH = {
    "kind": "Kind",
    "transactions": "Transactions",
    "total": "Total",
    "reason": "Reason",
    "keys": "Keys",
}
CREDITS_COUNT = (
    "Credit memos count with the invoices here, and against them in the change of receivables."
)
SAGES_OWN = (
    "Sage's own entries are made by Sage 50 itself, at its own cost; the amounts shown are what "
    "ConnectWise expects."
)
SAGES_VALUE = (
    "Sage 50 values what is taken out of stock itself, so its amount of a decrease may be another "
    "than ConnectWise's."
)
SIDES = ("debit", "credit", "sage_debit", "sage_credit")
TYPES = {
    "sales_invoice": "sales invoice",
    "credit_memo": "credit memo",
    "purchase": "purchase",
    "journal_entry": "general journal entry",
    "inventory_adjustment": "inventory adjustment",
}
