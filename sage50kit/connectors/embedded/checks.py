"""What Sage 50 itself would refuse or warn of, found before anything is written.

All complaints about a document come back at once. Limits and rules: reference sage50.md 2.2 and 5; the
five credit statuses: the seed, "Credit Limits".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING

from sage50kit.connectors.embedded import limits
from sage50kit.model import ACCOUNT_TYPES, fold
from sage50kit.money import CENT, text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from decimal import Decimal

    from sage50kit.connectors.embedded.lookup import Lookup
    from sage50kit.model import Customer, Distribution, Document, DocumentType, Vendor

SALES: frozenset[DocumentType] = frozenset({"sales_invoice", "credit_memo"})

_NUMBER_FIELD: Mapping[DocumentType, str] = {
    "sales_invoice": "Invoice No.",
    "credit_memo": "Credit No.",
    "purchase": "Invoice No.",
    "journal_entry": "Reference",
    "inventory_adjustment": "Reference",
}
# The account type that the control account of a document should have.
_CONTROL: Mapping[DocumentType, tuple[str, int]] = {
    "sales_invoice": ("A/R account", 1),
    "credit_memo": ("A/R account", 1),
    "purchase": ("A/P account", 10),
    "inventory_adjustment": ("Inventory account", 2),
}


@dataclass(slots=True)
class Findings:
    """What the company says about a document: refusals keep it out, warnings go with it."""

    refusals: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def refuse(self, sentence: str) -> None:
        """Note a reason to refuse; the same one is kept once, "" not at all."""
        if sentence and sentence not in self.refusals:
            self.refusals.append(sentence)

    def warn(self, sentence: str) -> None:
        """Note a warning, once."""
        if sentence not in self.warnings:
            self.warnings.append(sentence)


def check_document(document: Document, lists: Lookup) -> Findings:
    """Everything the company has to say about a document before it is posted."""
    findings = Findings()
    _check_header(document, findings)
    check_date(document.posting_date, lists, findings)
    _check_control(document, lists, findings)
    _check_amounts(document, findings)
    for number, line in enumerate(document.distributions, 1):
        _check_line(f"Line {number}", line, lists, findings)
    _BY_TYPE[document.type](document, lists, findings)
    return findings


def check_date(day: date, lists: Lookup, findings: Findings) -> None:
    """A day must lie in an open fiscal year."""
    if not isinstance(day, date) or isinstance(day, datetime):
        findings.refuse(f"The date {day!r} is not a calendar date.")
        return
    period = lists.period_of(day)
    if period is None:
        last = lists.last_day()
        if last is not None and day > last:
            findings.refuse(
                f"The date {day} is beyond the second open fiscal year, which ends on {last}."
            )
        else:
            findings.refuse(f"The date {day} is in no accounting period of the company.")
    elif period.closed:
        findings.refuse(
            f"The date {day} is in a closed fiscal year (period {period.number}, {period.start} to {period.end})."
        )


def check_account(what: str, account_id: str, lists: Lookup, findings: Findings) -> None:
    """An account must be in the chart and active."""
    if not account_id:
        findings.refuse(f"{what}: a G/L account is required.")
        return
    account = lists.account(account_id)
    if account is None:
        findings.refuse(f"{what}: G/L account {account_id} is not in the chart of accounts.")
    elif account.inactive:
        findings.refuse(f"{what}: G/L account {account_id} is inactive.")


def check_reference(
    kind: DocumentType,
    party_id: str,
    reference: str,
    lists: Lookup,
    findings: Findings,
    *,
    but: int = 0,
) -> None:
    """A number may be used once for a customer or vendor, without regard to case, `but` by its own row."""
    taken = lists.db.execute(
        "SELECT posting_date FROM document WHERE party_key = ? AND reference_key = ? AND type = ? "
        "AND voided_by IS NULL AND void_of IS NULL AND id <> ?",
        (fold(party_id), fold(reference), kind, but),
    ).fetchone()
    if taken is not None:
        party = "customer" if kind in SALES else "vendor"
        findings.refuse(
            f"{_NUMBER_FIELD[kind]} {reference} has already been used for {party} {party_id} on {taken[0]}."
        )


def _check_header(document: Document, findings: Findings) -> None:
    number = _NUMBER_FIELD[document.type]
    _check_length(number, document.reference, limits.REFERENCE, findings)
    _check_length("Purchase order", document.purchase_order, limits.PURCHASE_ORDER, findings)
    _check_length("Internal note", note_of(document), limits.NOTE, findings)
    if not document.reference.isprintable():
        findings.refuse(f"{number} {document.reference!r} cannot contain control characters.")
    if not document.distributions:
        findings.refuse("The document has no lines.")


def note_of(document: Document) -> str:
    """The internal note: our token, then the memo (design 9.2)."""
    return f"{document.token} {document.memo}".strip()


def _check_length(what: str, value: str, length: int, findings: Findings) -> None:
    if len(value) > length:
        findings.refuse(f"{what} {value[:40]} has {len(value)} characters; the limit is {length}.")


def _check_control(document: Document, lists: Lookup, findings: Findings) -> None:
    if document.type not in _CONTROL:
        if document.control_account_id or document.control_amount:
            findings.refuse("A general journal entry has no control account.")
        return
    what, kind = _CONTROL[document.type]
    check_account(what, document.control_account_id, lists, findings)
    account = lists.account(document.control_account_id)
    if account is not None and account.type != kind:
        found = ACCOUNT_TYPES.get(account.type, str(account.type))
        findings.warn(
            f"{what} {account.account_id} is of type {found}, not {ACCOUNT_TYPES[kind]}. Saved as it is."
        )


def _check_amounts(document: Document, findings: Findings) -> None:
    for amount in (document.control_amount, *(line.amount for line in document.distributions)):
        if amount % CENT:
            findings.refuse(f"The amount {amount} has more than two decimals.")


def _check_line(what: str, line: Distribution, lists: Lookup, findings: Findings) -> None:
    check_account(what, line.account_id, lists, findings)
    if len(line.description) > limits.DESCRIPTION:
        _check_length(f"{what}: description", line.description, limits.DESCRIPTION, findings)
    if not line.item_id:
        return
    item = lists.item(line.item_id)
    if item is None:
        findings.refuse(f"{what}: item {line.item_id} does not exist.")
    elif item.inactive:
        findings.refuse(f"{what}: item {line.item_id} is inactive.")


def _check_sale(document: Document, lists: Lookup, findings: Findings) -> None:
    customer = lists.customer(document.party_id)
    _check_party("Customer", document.party_id, customer, findings)
    _check_number(document, lists, findings)
    _check_tax(document, lists, findings)
    invoice = document.type == "sales_invoice"
    if (document.control_amount if invoice else -document.control_amount) < 0:
        other = "a credit memo" if invoice else "a sales invoice"
        findings.refuse(f"The total is negative: enter it as {other}.")
    if invoice and customer is not None:
        _check_credit(customer, document.control_amount, findings)


def _check_purchase(document: Document, lists: Lookup, findings: Findings) -> None:
    _check_party("Vendor", document.party_id, lists.vendor(document.party_id), findings)
    if document.waiting_on_bill and document.reference:
        findings.refuse("Waiting on Bill is ticked: leave Invoice No. blank until the bill comes.")
    if not document.waiting_on_bill:
        _check_number(document, lists, findings)
    if document.control_amount > 0:
        findings.refuse("The total is negative: enter it as a vendor credit memo in Sage 50.")
    for number, line in enumerate(document.distributions, 1):
        item = lists.stock_item(line.item_id)
        if item is not None and line.role == "line":
            _check_stock_purchase(f"Line {number}", line, lists, findings)


def _check_stock_purchase(what: str, line: Distribution, lists: Lookup, findings: Findings) -> None:
    if line.amount and (not line.quantity or (line.amount < 0) != (line.quantity < 0)):
        findings.refuse(
            f"{what}: Quantity {line.quantity} of stock item {line.item_id} does not fit its amount "
            f"{line.amount}; both must have the same sign."
        )
    account = lists.account(line.account_id)
    if account is not None and account.type != 2:  # ACCOUNT_TYPES: Inventory
        findings.warn(
            f"{what}: G/L account {account.account_id} of stock item {line.item_id} is not an "
            "inventory account; item costing and general ledger will differ."
        )


def _check_journal(document: Document, _lists: Lookup, findings: Findings) -> None:
    least, most = limits.JOURNAL_DISTRIBUTIONS
    if not least <= len(document.distributions) <= most:
        findings.refuse(
            f"A general journal entry has {least} to {most} lines, not {len(document.distributions)}."
        )


def _check_adjustment(document: Document, lists: Lookup, findings: Findings) -> None:
    _check_length("Reason to adjust", document.memo, limits.REASON_TO_ADJUST, findings)
    if len(document.distributions) != 1 or not document.distributions[0].item_id:
        findings.refuse(
            "An inventory adjustment adjusts exactly one item against one G/L source account."
        )
        return
    line = document.distributions[0]
    item = lists.item(line.item_id)
    if item is not None and item.item_class != "stock":
        findings.refuse(f"Item {line.item_id} is not a stock item and cannot be adjusted.")
    if not line.quantity:
        findings.refuse(f"Item {line.item_id}: the quantity to adjust by is required.")
    elif document.control_amount and (document.control_amount < 0) != (line.quantity < 0):
        findings.refuse(f"Item {line.item_id}: quantity and amount must have the same sign.")


def _check_party(
    what: str, party_id: str, party: Customer | Vendor | None, findings: Findings
) -> None:
    if not party_id:
        findings.refuse(f"{what} ID is required.")
    elif party is None:
        findings.refuse(f"{what} ID {party_id} does not exist.")
    elif party.inactive:
        findings.refuse(f"{what} {party_id} is inactive.")


def _check_number(document: Document, lists: Lookup, findings: Findings) -> None:
    if document.reference:
        check_reference(document.type, document.party_id, document.reference, lists, findings)
    else:
        findings.refuse(f"{_NUMBER_FIELD[document.type]} is required.")


def _check_tax(document: Document, lists: Lookup, findings: Findings) -> None:
    code = lists.tax_code(document.tax_code) if document.tax_code else None
    if document.tax_code and code is None:
        findings.refuse(f"Sales tax code {document.tax_code} does not exist.")
    for line in document.distributions:
        if line.role != "tax":
            continue
        if not document.tax_code:
            findings.refuse("The document has sales tax but no sales tax code.")
        agency = lists.agency(line.tax_agency_id) if line.tax_agency_id else None
        if agency is None:
            findings.refuse(f"Sales tax agency {line.tax_agency_id or '(blank)'} does not exist.")
        elif code is not None and fold(line.tax_agency_id) not in map(fold, code.agency_ids):
            findings.refuse(
                f"Sales tax agency {line.tax_agency_id} is not an agency of sales tax code {code.tax_code}."
            )
        elif fold(line.account_id) != fold(agency.account_id):
            findings.refuse(
                f"Sales tax agency {line.tax_agency_id} has liability account {agency.account_id}, "
                f"not {line.account_id}."
            )


def _check_credit(customer: Customer, amount: Decimal, findings: Findings) -> None:
    """The five statuses of the seed: two warn, two refuse, one says nothing."""
    after = customer.balance + amount
    over = after > customer.credit_limit
    who = f"Customer {customer.customer_id}"
    sums = f"a balance of {text(after)}; the credit limit is {text(customer.credit_limit)}"
    match customer.credit_status:
        case "notify_over_limit" if over:
            findings.warn(f"{who} (Notify Over Limit): this invoice leads to {sums}.")
        case "always_notify":
            findings.warn(f"{who} (Always Notify): this invoice leads to {sums}.")
        case "hold_over_limit" if over:
            findings.refuse(f"{who} (Hold Over Limit): this invoice would lead to {sums}.")
        case "always_hold":
            findings.refuse(f"{who} (Always Hold): invoices of this customer are not saved.")
        case _:
            pass


_BY_TYPE: Mapping[DocumentType, Callable[[Document, Lookup, Findings], None]] = {
    "sales_invoice": _check_sale,
    "credit_memo": _check_sale,
    "purchase": _check_purchase,
    "journal_entry": _check_journal,
    "inventory_adjustment": _check_adjustment,
}
