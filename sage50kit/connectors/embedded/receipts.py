"""Money from customers: entered by a bookkeeper in Sage, applied to invoices, read by payment sync.

A receipt debits cash (and discounts) and credits receivables. A credit memo is used up by a negative
line of a receipt, or applied by itself. Money that pays no invoice stays with the customer.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from sage50kit.connectors.embedded import limits, posting
from sage50kit.connectors.embedded.applications import note_change
from sage50kit.connectors.embedded.checks import (
    Findings,
    check_account,
    check_date,
)
from sage50kit.connectors.embedded.corrections import apply, header_of, refuse, reversed_rows
from sage50kit.connectors.embedded.lookup import Lookup
from sage50kit.connectors.embedded.openitems import open_cents
from sage50kit.connectors.embedded.posting import Row
from sage50kit.connectors.embedded.reading import place_of
from sage50kit.connectors.embedded.records import all_of
from sage50kit.connectors.embedded.schema import MONEY_PLACES
from sage50kit.model import Customer, Defaults, fold
from sage50kit.money import CENT, ZERO, from_scaled, text, to_scaled, total

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping
    from decimal import Decimal

_CASH = 0  # ACCOUNT_TYPES


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What a bookkeeper types into Receive Money.

    Args:
        customer_id: who paid.
        reference: check number or other reference, once for a customer.
        date: of the receipt.
        applied: dollars by invoice number; negative ones use up a credit memo.
        discounts: dollars taken off besides, by invoice number.
        unapplied: dollars that pay no invoice yet.
        cash_account_id: debited; without it the first cash account.
        discount_account_id: debited with the discounts.
    """

    customer_id: str
    reference: str
    date: date
    applied: Mapping[str, Decimal] = field(default_factory=dict)
    discounts: Mapping[str, Decimal] = field(default_factory=dict)
    unapplied: Decimal = ZERO
    cash_account_id: str = ""
    discount_account_id: str = ""

    @property
    def amount(self) -> Decimal:
        """The money received."""
        return total(self.applied.values()) + self.unapplied


def enter(db: sqlite3.Connection, given: Entry, *, instead_of: int | None = None) -> int:
    """Write a receipt, or in the place of one what stands in it from now on.

    Raises:
        DocumentRefused: with every reason; nothing was written.
    """
    if instead_of is not None:
        _take_out(db, instead_of, "changed")
    lists = Lookup(db)
    findings = Findings()
    cash = given.cash_account_id or _cash_account(db)
    receivable = all_of(db, Defaults)[0].receivable_account_id
    customer = _check(given, lists, findings, but=instead_of)
    check_account("Cash account", cash, lists, findings)
    if given.unapplied:
        check_account("Default receivable account", receivable, lists, findings)
    if given.discounts:
        check_account("Discount account", given.discount_account_id, lists, findings)
    paid = _paid(db, given, findings)
    refuse(
        {"reference": given.reference, "number": "Receipt", "party_id": given.customer_id}, findings
    )
    header = _header(given, customer, cash)
    row = _write(db, instead_of, header, _rows(header, paid, given, receivable))
    for target, money, discount in paid:
        amount, taken = to_scaled(money, MONEY_PLACES), to_scaled(discount, MONEY_PLACES)
        apply(db, target["id"], row, given.date, amount + taken, taken)
    posting.add_to_balance(db, "receipt", given.customer_id, header["control_amount"])
    note_change(db, row)
    return row


def delete(db: sqlite3.Connection, document_id: int) -> None:
    """Erase a receipt; its invoices are open again.

    Raises:
        DocumentRefused: it is no receipt, was voided or has bounced, or its year is closed.
    """
    note_change(db, document_id, deleted=True)
    _take_out(db, document_id, "deleted")
    db.execute("DELETE FROM document WHERE id = ?", (document_id,))


def void(db: sqlite3.Connection, document_id: int, on: date) -> None:
    """Take a receipt back on a day: the invoices are open again.

    Raises:
        DocumentRefused: it is no receipt, taken back already, or the day is not one Sage takes.
    """
    header = header_of(db, document_id)
    _check_reversal(db, document_id, header, on)
    reference = header["reference"][: limits.REFERENCE - 1] + "V"
    reversal = _reverse(db, document_id, header, reference, on, void_of=document_id)
    db.execute("UPDATE document SET voided_by = ? WHERE id = ?", (reversal, document_id))
    note_change(db, document_id)


def bounce(db: sqlite3.Connection, document_id: int, reference: str, on: date) -> int:
    """Enter that the check of a receipt came back (NSF): a negative receipt for the same invoices.

    Raises:
        DocumentRefused: it is no receipt, taken back already, or the day is not one Sage takes.
    """
    header = header_of(db, document_id)
    _check_reversal(db, document_id, header, on)
    row = _reverse(db, document_id, header, reference, on, note=_bounced(document_id))
    note_change(db, row)
    return row


def apply_credit(
    db: sqlite3.Connection, document_id: int, applied: Mapping[str, Decimal], on: date
) -> None:
    """Apply a credit memo by itself: from now on to these invoices, dollars by invoice number.

    Raises:
        DocumentRefused: it is no credit memo, or there is not so much left of it or of an invoice.
    """
    header = header_of(db, document_id)
    _unapply(db, document_id)
    findings = Findings()
    check_date(on, Lookup(db), findings)
    if header["type"] != "credit_memo" or header["voided_by"] or header["void_of"]:
        findings.refuse("It is not a credit memo that stands.")
    elif on.isoformat() < header["posting_date"]:
        findings.refuse(f"It is dated {header['posting_date']}, after the application.")
    given = Entry(
        customer_id=header["party_id"], reference=header["reference"], date=on, applied=applied
    )
    paid = _paid(db, given, findings)
    left = from_scaled(-open_cents(db, document_id), MONEY_PLACES)
    if given.amount > left or any(money < 0 for money in applied.values()):
        findings.refuse(f"{text(given.amount)} is applied, {text(left)} is left of it.")
    if any(target["control_account_id"] != header["control_account_id"] for target, _, _ in paid):
        findings.refuse("It is on another receivable account than the invoice.")
    refuse(header, findings)
    for target, money, _ in paid:
        cents = to_scaled(money, MONEY_PLACES)
        apply(db, target["id"], document_id, on, cents)
        apply(db, document_id, target["id"], on, -cents)
    note_change(db, document_id)


def _unapply(db: sqlite3.Connection, memo: int) -> None:
    db.execute(
        "DELETE FROM application WHERE (by_document_id = :memo AND document_id IN (SELECT id FROM document "
        "WHERE type = 'sales_invoice')) OR (document_id = :memo AND by_document_id IN (SELECT id FROM "
        "document WHERE type = 'sales_invoice'))",
        {"memo": memo},
    )


def _take_out(db: sqlite3.Connection, document_id: int, how: str) -> None:
    """Take the content of a receipt out of the books; its header stays."""
    header = header_of(db, document_id)
    findings = Findings()
    check_date(date.fromisoformat(header["posting_date"]), Lookup(db), findings)
    if header["type"] != "receipt" or header["void_of"]:
        findings.refuse("It is not a receipt.")
    elif header["voided_by"] or header["note"] or _has_bounced(db, document_id):
        findings.refuse(f"It was taken back and cannot be {how}.")
    refuse(header, findings)
    db.execute("DELETE FROM application WHERE by_document_id = ?", (document_id,))
    db.execute("DELETE FROM entry WHERE document_id = ?", (document_id,))
    posting.add_to_balance(db, "receipt", header["party_id"], -header["control_amount"])


def _write(
    db: sqlite3.Connection, document_id: int | None, header: dict[str, Any], rows: list[Row]
) -> int:
    if document_id is None:
        return posting.write(db, header, rows)
    names = ", ".join(f"{name} = :{name}" for name in header)
    db.execute(f"UPDATE document SET {names} WHERE id = :id", header | {"id": document_id})  # noqa: S608  # our own names
    posting.write_entries(db, document_id, header, rows)
    return document_id


def _check_reversal(
    db: sqlite3.Connection, document_id: int, header: dict[str, Any], on: date
) -> None:
    findings = Findings()
    check_date(on, Lookup(db), findings)
    if header["type"] != "receipt" or header["void_of"] or header["note"]:
        findings.refuse("It is not a receipt.")
    elif header["voided_by"]:
        findings.refuse("It is voided already.")
    elif _has_bounced(db, document_id):
        findings.refuse("Its check has bounced already.")
    elif on.isoformat() < header["posting_date"]:
        findings.refuse(f"The void date {on} is before its date {header['posting_date']}.")
    refuse(header, findings)


def _reverse(
    db: sqlite3.Connection,
    document_id: int,
    header: dict[str, Any],
    reference: str,
    on: date,
    **more: Any,
) -> int:
    """A receipt of the opposite sign, applied to the same invoices; returns its row."""
    unapplied = open_cents(db, document_id)
    reversal = posting.write(
        db,
        {name: header[name] for name in ("type", "number", "party_id", "party_key", "party_name")}
        | _columns(reference, on)
        | {
            "control_account_id": header["control_account_id"],
            "control_amount": -header["control_amount"],
            "total": -header["total"],
        }
        | more,
        reversed_rows(db, document_id),
    )
    db.execute(
        "INSERT INTO application (document_id, by_document_id, date, amount, discount) "
        "SELECT document_id, ?, ?, -amount, -discount FROM application WHERE by_document_id = ? ORDER BY id",
        (reversal, on.isoformat(), document_id),
    )
    if unapplied:
        apply(db, document_id, reversal, on, unapplied)
        apply(db, reversal, document_id, on, -unapplied)
    posting.add_to_balance(db, "receipt", header["party_id"], -header["control_amount"])
    return reversal


def _bounced(document_id: int) -> str:
    return f"NSF of {place_of('receipt', document_id)}"


def _has_bounced(db: sqlite3.Connection, document_id: int) -> bool:
    note = _bounced(document_id)
    query = "SELECT 1 FROM document WHERE type = 'receipt' AND note = ?"
    return db.execute(query, (note,)).fetchone() is not None


def _check(
    receipt: Entry, lists: Lookup, findings: Findings, *, but: int | None
) -> Customer | None:
    customer = lists.customer(receipt.customer_id)
    if customer is None:
        findings.refuse(f"Customer ID {receipt.customer_id or '(blank)'} does not exist.")
    if not receipt.reference or len(receipt.reference) > limits.REFERENCE:
        findings.refuse(f"A reference of 1 to {limits.REFERENCE} characters is required.")
    taken = lists.db.execute(
        "SELECT 1 FROM document WHERE type = 'receipt' AND party_key = ? AND reference_key = ? "
        "AND voided_by IS NULL AND void_of IS NULL AND id IS NOT ?",
        (fold(receipt.customer_id), fold(receipt.reference), but),
    ).fetchone()
    if taken:
        findings.refuse(f"Reference {receipt.reference} has already been used for this customer.")
    check_date(receipt.date, lists, findings)
    if receipt.amount < 0 or receipt.amount % CENT:
        findings.refuse(f"{receipt.amount} is not an amount of money received.")
    if receipt.unapplied < 0 or receipt.unapplied % CENT:
        findings.refuse(f"{receipt.unapplied} is not an amount of money left over.")
    return customer


def _paid(
    db: sqlite3.Connection, receipt: Entry, findings: Findings
) -> list[tuple[dict[str, Any], Decimal, Decimal]]:
    """The invoices and credit memos that are applied: document, money, discount."""
    paid = []
    for reference in receipt.discounts:
        if reference not in receipt.applied:
            findings.refuse(f"The discount on {reference} has no payment.")
    for reference, money in receipt.applied.items():
        discount = receipt.discounts.get(reference, ZERO)
        target = _target(
            db, receipt.customer_id, reference, "sales_invoice" if money >= 0 else "credit_memo"
        )
        if target is None:
            findings.refuse(f"{reference} is not an open invoice or credit memo of this customer.")
        elif money % CENT or discount % CENT or discount < 0:
            findings.refuse(
                f"{reference}: {money} and discount {discount} are not amounts of money."
            )
        elif receipt.date.isoformat() < target["posting_date"]:
            findings.refuse(f"{reference} is dated {target['posting_date']}, after the receipt.")
        elif abs(to_scaled(money + discount, MONEY_PLACES)) > abs(open_cents(db, target["id"])):
            left = from_scaled(open_cents(db, target["id"]), MONEY_PLACES)
            findings.refuse(
                f"{reference}: {text(money + discount)} is more than the {text(left)} open."
            )
        else:
            paid.append((target, money, discount))
    if len({fold(reference) for reference in receipt.applied}) < len(receipt.applied):
        findings.refuse("An invoice is applied twice.")
    return paid


def _target(
    db: sqlite3.Connection, customer_id: str, reference: str, kind: str
) -> dict[str, Any] | None:
    row = db.execute(
        "SELECT id, posting_date, control_account_id FROM document WHERE type = ? AND party_key = ? "
        "AND reference_key = ? AND voided_by IS NULL AND void_of IS NULL",
        (kind, fold(customer_id), fold(reference)),
    ).fetchone()
    return (
        None
        if row is None
        else {"id": row[0], "posting_date": row[1], "control_account_id": row[2]}
    )


def _rows(
    header: dict[str, Any],
    paid: list[tuple[dict[str, Any], Decimal, Decimal]],
    given: Entry,
    receivable: str,
) -> list[Row]:
    discount = total(taken for _, _, taken in paid)
    lines = [(header["control_account_id"], given.amount, "control")]
    if discount:
        lines.append((given.discount_account_id, discount, "discount"))
    lines += [
        (target["control_account_id"], -(money + taken), "line") for target, money, taken in paid
    ]
    if given.unapplied:
        lines.append((receivable, -given.unapplied, "unapplied"))
    name = header["party_name"]
    return [
        Row(journal="CRJ", account_id=account, amount=amount, description=name, role=role)
        for account, amount, role in lines
    ]


def _header(receipt: Entry, customer: Customer | None, cash: str) -> dict[str, Any]:
    """`control_amount` is what the customer owes less: money and discounts."""
    discount = total(receipt.discounts.values())
    return {
        "type": "receipt",
        "number": receipt.reference,
        "party_id": receipt.customer_id,
        "party_key": fold(receipt.customer_id),
        "party_name": customer.name if customer else "",
        "control_account_id": cash,
        "control_amount": to_scaled(-(receipt.amount + discount), MONEY_PLACES),
        "total": to_scaled(receipt.amount, MONEY_PLACES),
    } | _columns(receipt.reference, receipt.date)


def _columns(reference: str, on: date) -> dict[str, Any]:
    return {
        "label": "",
        "reference": reference,
        "reference_key": fold(reference),
        "note": "",
        "token": "",
        "posting_date": on.isoformat(),
        "document_date": on.isoformat(),
        "due_date": None,
        "tax_code": "",
        "terms": "",
        "purchase_order": "",
        "ship_to": "",
        "waiting_on_bill": 0,
    }


def _cash_account(db: sqlite3.Connection) -> str:
    row = db.execute(
        "SELECT account_id FROM account WHERE type = ? AND NOT inactive ORDER BY key LIMIT 1",
        (_CASH,),
    ).fetchone()
    return str(row[0]) if row else ""
