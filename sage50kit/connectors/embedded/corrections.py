"""What happens to a document after it was posted: voided, deleted, renumbered, or its bill comes.

Voiding is Sage's: a second document `<reference>V` with the opposite sign, and both applied to each
other, so nothing is left open and nothing is erased. Deleting erases.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from sage50kit.connectors.embedded import limits, posting
from sage50kit.connectors.embedded.checks import Findings, check_date, check_reference
from sage50kit.connectors.embedded.inventory import Stock
from sage50kit.connectors.embedded.lookup import Lookup
from sage50kit.connectors.embedded.openitems import open_cents
from sage50kit.connectors.embedded.posting import Row
from sage50kit.connectors.embedded.schema import MONEY_PLACES, UNIT_PLACES
from sage50kit.errors import DocumentRefused
from sage50kit.model import fold
from sage50kit.money import ZERO, from_scaled

if TYPE_CHECKING:
    import sqlite3

_HEADER = (
    "type, number, party_id, party_key, party_name, reference, note, token, posting_date, due_date, "
    "control_account_id, control_amount, total, tax_code, terms, purchase_order, ship_to, "
    "waiting_on_bill, voided_by, void_of, beginning"
)
_COPIED = (
    "type",
    "number",
    "party_id",
    "party_key",
    "party_name",
    "control_account_id",
    "tax_code",
    "terms",
    "purchase_order",
    "ship_to",
)


def void(db: sqlite3.Connection, document_id: int, on: date) -> tuple[int, list[str]]:
    """Reverse a document on a day; returns the row of the reversal, and warnings.

    Raises:
        DocumentRefused: voided already, paid, before its own date or in a closed year.
    """
    header = header_of(db, document_id)
    lists = Lookup(db)
    findings = Findings()
    check_date(on, lists, findings)
    _check_voidable(db, document_id, header, on, findings)
    refuse(header, findings)
    stock = Stock(db, on, header["party_key"])
    stock.undo(document_id)
    reversal = posting.write(
        db, _reversed_header(header, document_id, on), reversed_rows(db, document_id)
    )
    stock.save(reversal)
    db.execute("UPDATE document SET voided_by = ? WHERE id = ?", (reversal, document_id))
    if header["control_account_id"]:
        amount = header["control_amount"]
        apply(db, document_id, reversal, on, amount)
        apply(db, reversal, document_id, on, -amount)
        posting.add_to_balance(db, header["type"], header["party_id"], -amount)
    return reversal, [*findings.warnings, *stock.warnings]


def delete(db: sqlite3.Connection, document_id: int) -> None:
    """Erase a document, as a bookkeeper can; one that moved stock is voided instead.

    Raises:
        DocumentRefused: voided already, paid, in a closed year, or it moved stock.
    """
    header = header_of(db, document_id)
    on, findings = date.fromisoformat(header["posting_date"]), Findings()
    check_date(on, Lookup(db), findings)
    _check_voidable(db, document_id, header, on, findings)
    moved = "SELECT 1 FROM stock_move WHERE document_id = ?"
    if db.execute(moved, (document_id,)).fetchone():
        findings.refuse("It moved stock; void it.")
    refuse(header, findings)
    db.execute("DELETE FROM entry WHERE document_id = ?", (document_id,))
    db.execute("DELETE FROM document WHERE id = ?", (document_id,))
    posting.add_to_balance(db, header["type"], header["party_id"], -header["control_amount"])


def renumber(db: sqlite3.Connection, document_id: int, reference: str) -> None:
    """Give a document another number.

    Raises:
        DocumentRefused: voided, in a closed year, or the number is not one Sage takes.
    """
    header = header_of(db, document_id)
    lists, findings = Lookup(db), Findings()
    check_date(date.fromisoformat(header["posting_date"]), lists, findings)
    if header["voided_by"] or header["void_of"]:
        findings.refuse("It is voided.")
    findings.refuse(limits.id_problem("number", reference, limits.REFERENCE))
    party_id = header["party_id"]
    check_reference(header["type"], party_id, reference, lists, findings, but=document_id)
    refuse(header, findings)
    db.execute(
        "UPDATE document SET reference = ?, reference_key = ? WHERE id = ?",
        (reference, fold(reference), document_id),
    )


def fill_bill(db: sqlite3.Connection, document_id: int, reference: str, on: date) -> None:
    """The bill has come: its number and date go into the purchase, which waits no longer.

    Raises:
        DocumentRefused: it does not wait for a bill, or the number or date is not one Sage takes.
    """
    header = header_of(db, document_id)
    lists = Lookup(db)
    findings = Findings()
    if not header["waiting_on_bill"] or header["voided_by"]:
        findings.refuse("It is not waiting on a bill.")
    findings.refuse(
        limits.id_problem("Invoice No.", reference, limits.REFERENCE).replace("*, ?, + or ", "")
    )
    check_date(date.fromisoformat(header["posting_date"]), lists, findings)
    check_date(on, lists, findings)
    check_reference("purchase", header["party_id"], reference, lists, findings)
    refuse(header, findings)
    due = date.fromisoformat(header["due_date"]) - date.fromisoformat(header["posting_date"])
    db.execute(
        "UPDATE document SET reference = ?, reference_key = ?, posting_date = ?, document_date = ?, "
        "due_date = ?, waiting_on_bill = 0 WHERE id = ?",
        (
            reference,
            fold(reference),
            on.isoformat(),
            on.isoformat(),
            (on + due).isoformat(),
            document_id,
        ),
    )


def header_of(db: sqlite3.Connection, document_id: int) -> dict[str, Any]:
    """The header of a document by column."""
    row = db.execute(f"SELECT {_HEADER} FROM document WHERE id = ?", (document_id,)).fetchone()  # noqa: S608  # our own names
    return dict(zip(_HEADER.split(", "), row, strict=True))


def reversed_rows(db: sqlite3.Connection, document_id: int) -> list[Row]:
    """The entries of a document with the opposite sign."""
    rows = db.execute(
        "SELECT journal, account_id, amount, description, role, made_by, item_id, quantity, unit_price, "
        "tax_agency_id, taxable FROM entry WHERE document_id = ? ORDER BY row",
        (document_id,),
    )
    return [
        Row(
            journal=row[0],
            account_id=row[1],
            amount=-from_scaled(row[2], MONEY_PLACES) + ZERO,
            description=row[3],
            role=row[4],
            made_by=row[5],
            item_id=row[6],
            quantity=-from_scaled(row[7], UNIT_PLACES) + ZERO,
            unit_price=from_scaled(row[8], UNIT_PLACES),
            tax_agency_id=row[9],
            taxable=bool(row[10]),
        )
        for row in rows
    ]


def apply(
    db: sqlite3.Connection, document_id: int, by: int, on: date, cents: int, discount: int = 0
) -> None:
    """Note that a document was paid, credited or voided by another one, in cents of its control amount."""
    db.execute(
        "INSERT INTO application (document_id, by_document_id, date, amount, discount) VALUES (?, ?, ?, ?, ?)",
        (document_id, by, on.isoformat(), cents, discount),
    )


def refuse(header: dict[str, Any], findings: Findings) -> None:
    """Raise DocumentRefused if there is anything to refuse."""
    if findings.refusals:
        who = header["reference"] or header["number"]
        raise DocumentRefused(
            f"{who} of {header['party_id'] or 'the company'}: " + " ".join(findings.refusals)
        )


def _check_voidable(
    db: sqlite3.Connection, document_id: int, header: dict[str, Any], on: date, findings: Findings
) -> None:
    if header["voided_by"]:
        findings.refuse("It is voided already.")
    elif header["void_of"]:
        findings.refuse("It is the reversal of a voided document and cannot be voided.")
    elif header["type"] == "receipt":
        findings.refuse("It is a receipt: use void_receipt.")
    elif header["control_account_id"] and open_cents(db, document_id) != header["control_amount"]:
        findings.refuse("It has payments or credits applied; void those first.")
    if header["beginning"]:
        findings.refuse("Beginning balances cannot be voided.")
    if isinstance(on, date) and on.isoformat() < header["posting_date"]:
        findings.refuse(f"The void date {on} is before its date {header['posting_date']}.")


def _reversed_header(header: dict[str, Any], document_id: int, on: date) -> dict[str, Any]:
    reference = (header["reference"] or header["token"])[: limits.REFERENCE - 1] + "V"
    return {name: header[name] for name in _COPIED} | {
        "label": "",
        "reference": reference,
        "reference_key": fold(reference),
        "note": f"Void of {header['reference'] or header['token']}",
        "token": "",
        "posting_date": on.isoformat(),
        "document_date": on.isoformat(),
        "due_date": on.isoformat() if header["due_date"] else None,
        "control_amount": -header["control_amount"],
        "total": -header["total"],
        "waiting_on_bill": 0,
        "void_of": document_id,
    }
