"""What customers owe and vendors are owed: documents less what was applied to them, as of any day."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from sage50kit.connectors.embedded.reading import place_of
from sage50kit.connectors.embedded.schema import MONEY_PLACES
from sage50kit.model import OpenItem
from sage50kit.money import from_scaled

if TYPE_CHECKING:
    import sqlite3


_LAST_DAY = date.max.isoformat()
# What was applied to each document by the end of a day, in cents of its control amount: by others, and
# of a receipt also what it pays itself.
APPLIED = (
    "SELECT document_id, SUM(amount) AS amount FROM ("
    "SELECT document_id, amount FROM application WHERE date <= ? UNION ALL "
    "SELECT a.by_document_id, -a.amount FROM application a JOIN document r ON r.id = a.by_document_id "
    "JOIN document t ON t.id = a.document_id "
    "WHERE r.type = 'receipt' AND t.type <> 'receipt' AND a.date <= ?) GROUP BY document_id"
)


def open_items(db: sqlite3.Connection, as_of: date) -> list[OpenItem]:
    """Documents that are not fully applied at the end of a day; credits have negative open amounts.

    A purchase that we owe is positive, as an invoice that is owed to us. What is open of a receipt is
    money that pays nothing yet.
    """
    day = as_of.isoformat()
    rows = db.execute(
        "SELECT d.id, d.type, d.party_id, d.reference, d.posting_date, d.due_date, d.total, "  # noqa: S608
        f"d.control_amount - COALESCE(a.amount, 0) AS open FROM document d LEFT JOIN ({APPLIED}) a "
        "ON a.document_id = d.id WHERE d.posting_date <= ? "
        "AND d.type IN ('sales_invoice', 'credit_memo', 'purchase', 'receipt') AND open <> 0 "
        "ORDER BY d.party_key, d.posting_date, d.id",
        (day, day, day),
    )
    return [
        OpenItem(
            place=place_of(kind, row),
            type=kind,
            party_id=party,
            reference=reference,
            posting_date=date.fromisoformat(posted),
            due_date=date.fromisoformat(due) if due else None,
            total=from_scaled(cents, MONEY_PLACES),
            open_amount=from_scaled(-left if kind == "purchase" else left, MONEY_PLACES),
        )
        for row, kind, party, reference, posted, due, cents, left in rows
    ]


def open_cents(db: sqlite3.Connection, document_id: int) -> int:
    """What is left of a document's control amount now, in cents and with its sign."""
    row = db.execute(
        f"SELECT control_amount - COALESCE((SELECT amount FROM ({APPLIED}) WHERE document_id = d.id), 0) "  # noqa: S608
        "FROM document d WHERE id = ?",
        (_LAST_DAY, _LAST_DAY, document_id),
    ).fetchone()
    return int(row[0])
