"""What pays sales invoices, and which receipts and credit memos changed: reading only.

A receipt may use up credit memos. What it pays is then counted as credit first, in the order of its
lines, and as money for the rest.
"""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import date
from typing import TYPE_CHECKING, Any, NamedTuple

from sage50kit.connectors.embedded.reading import place_of
from sage50kit.connectors.embedded.schema import MONEY_PLACES
from sage50kit.model import Application, Receipt, fold
from sage50kit.money import from_scaled

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Iterable, Iterator

    from sage50kit.model import PaidBy

_ROWS = (
    "SELECT p.id, p.type, p.reference, d.type, d.party_id, d.reference, a.date, a.amount, a.discount, "
    "CASE WHEN p.void_of IS NOT NULL THEN 'CRJ-' || p.void_of WHEN p.note LIKE 'NSF of %' THEN "
    "substr(p.note, 8) ELSE '' END "
    "FROM application a JOIN document p ON p.id = a.by_document_id JOIN document d ON d.id = a.document_id "
    "WHERE p.type IN ('receipt', 'credit_memo') AND d.type IN ('sales_invoice', 'credit_memo') "
    "AND (p.type = 'receipt' OR d.type = 'sales_invoice') "
)
_IN_ORDER = "ORDER BY a.date, p.id, a.id"


class _Row(NamedTuple):
    """An application as it is stored: cents, the discount within."""

    payer: int
    payer_type: PaidBy
    payer_reference: str
    type: str
    customer_id: str
    reference: str
    date: str
    cents: int
    discount: int
    reverses: str


def applications(
    db: sqlite3.Connection,
    as_of: date | None,
    invoices: Collection[tuple[str, str]] | None,
) -> list[Application]:
    """What pays invoices at the end of a day, voided receipts and their reversals among them."""
    last = (as_of or date.max).isoformat()
    if invoices is None:
        return _applications(db.execute(f"{_ROWS} AND a.date <= ? {_IN_ORDER}", (last,)))
    wanted = {(fold(customer), fold(number)) for customer, number in invoices}
    # Every line of the receipts is needed to tell money from credit.
    rows = db.execute(
        f"{_ROWS} AND a.date <= ? AND p.id IN (SELECT a.by_document_id FROM json_each(?) w "  # noqa: S608  # our own names
        "JOIN document d ON d.party_key = json_extract(w.value, '$[0]') "
        "AND d.reference_key = json_extract(w.value, '$[1]') AND d.type = 'sales_invoice' "
        f"JOIN application a ON a.document_id = d.id) {_IN_ORDER}",
        (last, json.dumps(sorted(wanted))),
    )
    return [
        row for row in _applications(rows) if (fold(row.customer_id), fold(row.invoice)) in wanted
    ]


def standing(db: sqlite3.Connection) -> list[Receipt]:
    """All receipts that were not voided, and the credit memos that are applied by themselves."""
    return _receipts(
        db,
        "SELECT id FROM document WHERE void_of IS NULL AND voided_by IS NULL AND (type = 'receipt' OR "
        "type = 'credit_memo' AND id IN (SELECT a.by_document_id FROM application a JOIN document t "
        "ON t.id = a.document_id WHERE t.type = 'sales_invoice'))",
        (),
    )


def changed(db: sqlite3.Connection, cursor: str) -> list[Receipt]:
    """Those entered, changed, voided or deleted after a cursor."""
    after = (int(cursor.partition("-")[0]),)
    chosen = "SELECT document_id FROM receipt_change WHERE revision > ?"
    return [*_receipts(db, chosen, after), *_deleted(db, "revision > ?", after)]


def saved_since(db: sqlite3.Connection, day: date) -> list[Receipt]:
    """Those dated or saved on or after a day."""
    first = (day.isoformat(),) * 2
    chosen = "SELECT document_id FROM receipt_change WHERE saved >= ? OR posting_date >= ?"
    return [
        *_receipts(db, chosen, first),
        *_deleted(db, "(saved >= ? OR posting_date >= ?)", first),
    ]


def cursor_of(db: sqlite3.Connection) -> str:
    """The cursor of now: the latest change and its mark."""
    query = "SELECT revision || '-' || mark FROM receipt_change ORDER BY revision DESC LIMIT 1"
    row = db.execute(query).fetchone()
    return str(row[0]) if row else "0"


def knows(db: sqlite3.Connection, cursor: str) -> bool:
    """Whether the change of a cursor is in the file; not where the file was restored from a backup.

    Changes after a restoration get the numbers of those that were lost, but never their marks.
    """
    revision, _, mark = cursor.partition("-")
    query = "SELECT 1 FROM receipt_change WHERE revision = ? AND mark = ?"
    return revision == "0" or db.execute(query, (int(revision), mark)).fetchone() is not None


def one(db: sqlite3.Connection, document_id: int) -> Receipt:
    """The receipt or credit memo in a row."""
    return _receipts(db, "SELECT ?", (document_id,))[0]


def of_references(db: sqlite3.Connection, references: Collection[str]) -> list[Receipt]:
    """The receipts of these references, voided ones too."""
    return _receipts(
        db,
        "SELECT id FROM document WHERE type = 'receipt' AND void_of IS NULL AND reference_key IN "
        "(SELECT value FROM json_each(?))",
        (json.dumps([fold(reference) for reference in references]),),
    )


def note_change(db: sqlite3.Connection, document_id: int, *, deleted: bool = False) -> None:
    """Write down that a receipt, or what a credit memo pays, was entered, changed or deleted today."""
    db.execute(
        "INSERT INTO receipt_change (document_id, type, party_id, reference, posting_date, total, saved, "
        "deleted, mark) SELECT id, type, party_id, reference, posting_date, total, ?, ?, "
        "hex(randomblob(8)) FROM document WHERE id = ?",
        (date.today().isoformat(), int(deleted), document_id),  # noqa: DTZ011  # the bookkeeper's day
    )


def _receipts(db: sqlite3.Connection, chosen: str, words: tuple[Any, ...]) -> list[Receipt]:
    headers = db.execute(
        "SELECT id, type, party_id, reference, posting_date, total, voided_by IS NOT NULL "  # noqa: S608
        f"FROM document WHERE id IN ({chosen}) ORDER BY id",
        words,
    ).fetchall()
    paying: dict[str, list[Application]] = defaultdict(list)
    for row in _applications(db.execute(f"{_ROWS} AND p.id IN ({chosen}) {_IN_ORDER}", words)):
        paying[row.place].append(row)
    return [_receipt(header, paying) for header in headers]


def _receipt(header: tuple[Any, ...], paying: dict[str, list[Application]]) -> Receipt:
    number, kind, customer_id, reference, posted, cents, voided = header
    place = place_of(kind, number)
    return Receipt(
        place=place,
        kind=kind,
        customer_id=customer_id,
        reference=reference,
        date=date.fromisoformat(posted),
        amount=from_scaled(cents, MONEY_PLACES),
        applications=() if voided else tuple(paying[place]),
        state="voided" if voided else "standing",
    )


def _deleted(db: sqlite3.Connection, where: str, words: tuple[Any, ...]) -> list[Receipt]:
    return [
        Receipt(
            place=place_of(kind, number),
            kind=kind,
            customer_id=customer_id,
            reference=reference,
            date=date.fromisoformat(posted),
            amount=from_scaled(cents, MONEY_PLACES),
            state="deleted",
        )
        for number, kind, customer_id, reference, posted, cents in db.execute(
            "SELECT document_id, type, party_id, reference, posting_date, total FROM receipt_change "  # noqa: S608
            f"WHERE deleted AND {where} ORDER BY revision",
            words,
        )
    ]


def _applications(rows: Iterable[tuple[Any, ...]]) -> list[Application]:
    by_payer: dict[int, list[_Row]] = defaultdict(list)
    for row in rows:
        by_payer[row[0]].append(_Row(*row))
    return [one for group in by_payer.values() for one in _split(group)]


def _split(rows: list[_Row]) -> Iterator[Application]:
    """The lines of one payer: credit first, then money; a reversal the other way round."""
    credit = {row.reference: -row.cents for row in rows if row.type == "credit_memo"}
    used = sum(credit.values())
    for row in rows:
        if row.type == "credit_memo":
            continue
        whole = money = row.cents - row.discount
        for memo, left in credit.items():
            taken = min(left, money) if money > 0 else max(left, money)
            if taken and (taken > 0) == (money > 0):
                credit[memo] -= taken
                money -= taken
                yield _application(row, "credit_memo", memo, taken, 0)
        if money or row.discount:
            most = min(whole, used) if whole > 0 else max(whole, used)
            other = most - (whole - money) if used and (used > 0) == (whole > 0) else 0
            yield _application(row, row.payer_type, row.payer_reference, money, row.discount, other)


def _application(
    row: _Row, kind: PaidBy, reference: str, cents: int, discount: int, may_be_credit: int = 0
) -> Application:
    return Application(
        kind=kind,
        place=place_of(row.payer_type, row.payer),
        reference=reference,
        customer_id=row.customer_id,
        invoice=row.reference,
        date=date.fromisoformat(row.date),
        amount=from_scaled(cents, MONEY_PLACES),
        discount=from_scaled(discount, MONEY_PLACES),
        may_be_credit=from_scaled(may_be_credit, MONEY_PLACES),
        reverses=row.reverses,
    )
