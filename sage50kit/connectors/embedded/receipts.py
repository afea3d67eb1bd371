"""Money from customers: entered by a bookkeeper in Sage, applied to invoices, read by payment sync.

A receipt debits cash (and discounts) and credits receivables. It must be applied in full; a credit
memo is used up by a negative application. Prepayments are not modelled and refused.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from typing import TYPE_CHECKING, Any

from sage50kit.connectors.embedded import limits, posting
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
from sage50kit.connectors.embedded.schema import MONEY_PLACES
from sage50kit.model import Customer, Receipt, fold
from sage50kit.money import CENT, ZERO, from_scaled, text, to_scaled, total

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping
    from decimal import Decimal

_CASH = 0  # ACCOUNT_TYPES


def enter(
    db: sqlite3.Connection,
    receipt: Receipt,
    discounts: Mapping[str, Decimal],
    cash_account_id: str,
    discount_account_id: str,
) -> int:
    """Write a receipt; `applied` is money by invoice number, `discounts` what was taken off besides.

    Raises:
        DocumentRefused: with every reason; nothing was written.
    """
    lists = Lookup(db)
    findings = Findings()
    cash = cash_account_id or _cash_account(db)
    customer = _check_receipt(receipt, lists, findings)
    check_account("Cash account", cash, lists, findings)
    if discounts:
        check_account("Discount account", discount_account_id, lists, findings)
    paid = _paid(db, receipt, discounts, findings)
    refuse(
        {"reference": receipt.reference, "number": "Receipt", "party_id": receipt.customer_id},
        findings,
    )
    header = _header(receipt, customer, cash, total(discounts.values()))
    rows = _rows(header, paid, cash, discount_account_id, receipt)
    document_id = posting.write(db, header | {"revision": _next_revision(db)}, rows)
    for target, money, discount in paid:
        amount, taken = to_scaled(money, MONEY_PLACES), to_scaled(discount, MONEY_PLACES)
        apply(db, target["id"], document_id, receipt.date, amount + taken, taken)
    posting.add_to_balance(db, "receipt", receipt.customer_id, header["control_amount"])
    return document_id


def void(db: sqlite3.Connection, document_id: int, on: date) -> None:
    """Take a receipt back on a day: the invoices are open again.

    Raises:
        DocumentRefused: it is no receipt, voided already, or the day is not one Sage takes.
    """
    header = header_of(db, document_id)
    findings = Findings()
    check_date(on, Lookup(db), findings)
    if header["type"] != "receipt" or header["void_of"]:
        findings.refuse("It is not a receipt.")
    elif header["voided_by"]:
        findings.refuse("It is voided already.")
    elif on.isoformat() < header["posting_date"]:
        findings.refuse(f"The void date {on} is before its date {header['posting_date']}.")
    refuse(header, findings)
    reference = header["reference"][: limits.REFERENCE - 1] + "V"
    reversal = posting.write(
        db,
        {name: header[name] for name in ("type", "number", "party_id", "party_key", "party_name")}
        | _columns(reference, on)
        | {
            "control_account_id": header["control_account_id"],
            "control_amount": -header["control_amount"],
            "total": -header["total"],
            "void_of": document_id,
        },
        reversed_rows(db, document_id),
    )
    db.execute(
        "INSERT INTO application (document_id, by_document_id, date, amount, discount) "
        "SELECT document_id, ?, ?, -amount, -discount FROM application WHERE by_document_id = ?",
        (reversal, on.isoformat(), document_id),
    )
    db.execute(
        "UPDATE document SET voided_by = ?, revision = ? WHERE id = ?",
        (reversal, _next_revision(db), document_id),
    )
    posting.add_to_balance(db, "receipt", header["party_id"], -header["control_amount"])


def since(db: sqlite3.Connection, cursor: str) -> tuple[list[Receipt], str, bool]:
    """Receipts entered, changed or voided after a cursor, the next cursor, and that all were read."""
    after = int(cursor or 0)
    chosen = "SELECT id FROM document WHERE type = 'receipt' AND revision > ? AND void_of IS NULL"
    applied: dict[int, list[tuple[str, Decimal]]] = defaultdict(list)
    for receipt, reference, amount in db.execute(
        "SELECT a.by_document_id, d.reference, a.amount FROM application a "  # noqa: S608
        "JOIN document d ON d.id = a.document_id "
        f"WHERE a.by_document_id IN ({chosen}) ORDER BY a.id",
        (after,),
    ):
        applied[receipt].append((reference, from_scaled(amount, MONEY_PLACES)))
    rows = db.execute(
        "SELECT id, party_id, reference, posting_date, total, voided_by IS NOT NULL FROM document "  # noqa: S608
        f"WHERE id IN ({chosen}) ORDER BY revision",
        (after,),
    ).fetchall()
    latest = db.execute("SELECT receipt_revision FROM company").fetchone()[0]
    return [_receipt(row, applied[row[0]]) for row in rows], str(latest), True


def one(db: sqlite3.Connection, document_id: int) -> Receipt:
    """The receipt in a row."""
    revision = db.execute("SELECT revision FROM document WHERE id = ?", (document_id,)).fetchone()[
        0
    ]
    place = place_of("receipt", document_id)
    return next(row for row in since(db, str(revision - 1))[0] if row.place == place)


def _check_receipt(receipt: Receipt, lists: Lookup, findings: Findings) -> Customer | None:
    customer = lists.customer(receipt.customer_id)
    if customer is None:
        findings.refuse(f"Customer ID {receipt.customer_id or '(blank)'} does not exist.")
    if not receipt.reference or len(receipt.reference) > limits.REFERENCE:
        findings.refuse(f"A reference of 1 to {limits.REFERENCE} characters is required.")
    taken = lists.db.execute(
        "SELECT 1 FROM document WHERE type = 'receipt' AND party_key = ? AND reference_key = ? "
        "AND voided_by IS NULL AND void_of IS NULL",
        (fold(receipt.customer_id), fold(receipt.reference)),
    ).fetchone()
    if taken:
        findings.refuse(f"Reference {receipt.reference} has already been used for this customer.")
    check_date(receipt.date, lists, findings)
    if receipt.amount < 0 or receipt.amount % CENT:
        findings.refuse(f"{receipt.amount} is not an amount of money received.")
    if receipt.amount != total(amount for _, amount in receipt.applied):
        findings.refuse(
            f"{text(receipt.amount)} was received but {text(total(part for _, part in receipt.applied))} is "
            "applied; prepayments are not modelled, apply all of it to invoices."
        )
    return customer


def _paid(
    db: sqlite3.Connection, receipt: Receipt, discounts: Mapping[str, Decimal], findings: Findings
) -> list[tuple[dict[str, Any], Decimal, Decimal]]:
    """The invoices and credit memos that are applied: document, money, discount."""
    paid = []
    for reference in discounts:
        if reference not in dict(receipt.applied):
            findings.refuse(f"The discount on {reference} has no payment.")
    for reference, money in receipt.applied:
        discount = discounts.get(reference, ZERO)
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
    if len({fold(reference) for reference, _ in receipt.applied}) < len(receipt.applied):
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
    cash: str,
    discount_account_id: str,
    receipt: Receipt,
) -> list[Row]:
    name = header["party_name"]
    rows = [
        Row(journal="CRJ", account_id=cash, amount=receipt.amount, description=name, role="control")
    ]
    discount = total(taken for _, _, taken in paid)
    if discount:
        rows.append(
            Row(
                journal="CRJ",
                account_id=discount_account_id,
                amount=discount,
                description=name,
                role="discount",
            )
        )
    rows += [
        Row(
            journal="CRJ",
            account_id=target["control_account_id"],
            amount=-(money + taken),
            description=name,
        )
        for target, money, taken in paid
    ]
    return rows


def _header(
    receipt: Receipt, customer: Customer | None, cash: str, discount: Decimal
) -> dict[str, Any]:
    """`control_amount` is what the customer owes less: money and discounts."""
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


def _next_revision(db: sqlite3.Connection) -> int:
    db.execute("UPDATE company SET receipt_revision = receipt_revision + 1")
    return int(db.execute("SELECT receipt_revision FROM company").fetchone()[0])


def _receipt(row: tuple[Any, ...], applied: list[tuple[str, Decimal]]) -> Receipt:
    number, customer_id, reference, posted, cents, voided = row
    return Receipt(
        place=place_of("receipt", number),
        customer_id=customer_id,
        reference=reference,
        date=date.fromisoformat(posted),
        amount=from_scaled(cents, MONEY_PLACES),
        applied=tuple(applied),
        voided=bool(voided),
    )
