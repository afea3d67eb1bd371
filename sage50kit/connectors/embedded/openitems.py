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


def open_items(db: sqlite3.Connection, as_of: date) -> list[OpenItem]:
    """Documents that are not fully applied at the end of a day; credit memos have negative open amounts.

    A purchase that we owe is positive, as an invoice that is owed to us.
    """
    rows = db.execute(
        "SELECT d.id, d.type, d.party_id, d.reference, d.posting_date, d.due_date, d.total, "
        "d.control_amount - COALESCE(a.amount, 0) FROM document d LEFT JOIN ("
        "SELECT document_id, SUM(amount) AS amount FROM application WHERE date <= ? GROUP BY document_id"
        ") a ON a.document_id = d.id WHERE d.posting_date <= ? "
        "AND d.type IN ('sales_invoice', 'credit_memo', 'purchase') "
        "AND d.control_amount <> COALESCE(a.amount, 0) ORDER BY d.party_key, d.posting_date, d.id",
        (as_of.isoformat(), as_of.isoformat()),
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
        "SELECT control_amount - (SELECT COALESCE(SUM(amount), 0) FROM application "
        "WHERE document_id = document.id) FROM document WHERE id = ?",
        (document_id,),
    ).fetchone()
    return int(row[0])
