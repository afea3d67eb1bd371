"""What stands in the company: documents, GL entries, balances. Reading only, never row by row."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sage50kit.connectors.embedded.posting import JOURNALS
from sage50kit.connectors.embedded.schema import MONEY_PLACES
from sage50kit.errors import CompanyError
from sage50kit.model import GLEntry, StoredDocument, fold, token
from sage50kit.money import ZERO, from_scaled

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence
    from decimal import Decimal

    from sage50kit.model import Document

_HEADER = (
    "SELECT d.id, d.type, d.party_id, d.reference, d.posting_date, d.due_date, d.total, d.token, "
    "d.waiting_on_bill, d.voided_by IS NOT NULL OR d.void_of IS NOT NULL FROM document d "
)
_ENTRY = (
    "SELECT e.document_id, d.label, d.type, d.number, d.posting_date, e.account_id, e.amount, "
    "e.description, d.party_id, e.item_id, e.made_by FROM entry e JOIN document d ON d.id = e.document_id "
)
_CHOSEN = "(SELECT value FROM json_each(?))"


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalTransaction:
    """One balanced transaction of the journals, receipts and beginning balances among them."""

    place: str
    key: str  # the document's label; "" for what nobody pushed
    date: date
    description: str
    entries: tuple[GLEntry, ...]


def place_of(kind: str, document_id: int) -> str:
    """Where a document is: its journal and its row there, `SJ-12`."""
    return f"{JOURNALS[kind]}-{document_id}"


def row_of(db: sqlite3.Connection, place: str) -> int:
    """The row of a place.

    Raises:
        CompanyError: there is no document at this place.
    """
    number = place.rpartition("-")[2]
    if number.isdigit():
        found = db.execute("SELECT type FROM document WHERE id = ?", (int(number),)).fetchone()
        if found is not None and place_of(found[0], int(number)) == place:
            return int(number)
    raise CompanyError(f"the company has no document at {place!r}")


def stored(db: sqlite3.Connection, document_ids: Iterable[int]) -> dict[int, StoredDocument]:
    """Documents by row, each with every GL entry it made."""
    chosen = json.dumps(list(document_ids))
    headers = db.execute(f"{_HEADER} WHERE d.id IN {_CHOSEN}", (chosen,)).fetchall()
    return _documents(headers, entries_of(db, chosen))


def stored_one(db: sqlite3.Connection, document_id: int) -> StoredDocument:
    """The document of a row that exists, with every GL entry it made."""
    header = db.execute(f"{_HEADER} WHERE d.id = ?", (document_id,)).fetchone()
    rows = db.execute(
        f"{_ENTRY} WHERE e.document_id = ? AND e.amount <> 0 ORDER BY e.row", (document_id,)
    )
    return _document(header, [_entry(row) for row in rows])


def documents(db: sqlite3.Connection, since: date | None) -> list[StoredDocument]:
    """Documents dated on or after a day, oldest first; beginning balances and receipts are none."""
    first = (since or date.min).isoformat()
    headers = db.execute(
        f"{_HEADER} WHERE d.posting_date >= ? AND NOT d.beginning AND d.type <> 'receipt' "
        "ORDER BY d.posting_date, d.id",
        (first,),
    ).fetchall()
    entries = _grouped(
        db.execute(f"{_ENTRY} WHERE d.posting_date >= ? ORDER BY e.document_id, e.row", (first,))
    )
    return list(_documents(headers, entries).values())


_OF_FIRST_KEY = (
    "SELECT token, id FROM document WHERE token IN (SELECT value FROM json_each(?)) "
    "AND void_of IS NULL"
)
# A later generation has a point and its number behind the token; "/" is the character after the point.
_OF_LATER_KEYS = (
    "SELECT w.value, d.id FROM json_each(?) w CROSS JOIN document d "
    "ON d.token >= w.value || '.' AND d.token < w.value || '/' WHERE d.void_of IS NULL"
)


def _first_token(document: Document) -> str:
    """The token of its first generation."""
    return token(document.key, part=document.part)


def find_many(
    db: sqlite3.Connection, wanted: Sequence[Document]
) -> list[tuple[StoredDocument, ...]]:
    """For each document, what the company holds under its key or its type, party and reference."""
    tokens = json.dumps([_first_token(document) for document in wanted])
    identities = json.dumps(
        [[document.type, fold(document.party_id), fold(document.reference)] for document in wanted]
    )
    by_token, by_identity = defaultdict(list), defaultdict(list)
    for query in (_OF_FIRST_KEY, _OF_LATER_KEYS):
        for first, row in db.execute(query, (tokens,)):
            by_token[first].append(row)
    for kind, party, reference, row in db.execute(
        "SELECT d.type, d.party_key, d.reference_key, d.id FROM json_each(?) w JOIN document d "
        "ON d.party_key = json_extract(w.value, '$[1]') AND d.reference_key = json_extract(w.value, '$[2]') "
        "AND d.type = json_extract(w.value, '$[0]') WHERE d.reference_key <> '' AND d.void_of IS NULL",
        (identities,),
    ):
        by_identity[kind, party, reference].append(row)
    found = stored(
        db, {row for rows in (*by_token.values(), *by_identity.values()) for row in rows}
    )
    return [
        tuple(
            found[row]
            for row in sorted(
                {*by_token[_first_token(document)], *by_identity[_identity(document)]}
            )
        )
        for document in wanted
    ]


def gl_entries(
    db: sqlite3.Connection, places: Sequence[str] | None, since: date | None, until: date | None
) -> list[GLEntry]:
    """GL entries of some documents, or of a span of posting dates; entries of 0.00 are none."""
    if places is None:
        found = _grouped(
            db.execute(
                f"{_ENTRY} WHERE d.posting_date BETWEEN ? AND ? AND e.amount <> 0 "
                "ORDER BY d.posting_date, e.document_id, e.row",
                ((since or date.min).isoformat(), (until or date.max).isoformat()),
            )
        )
    else:
        found = entries_of(db, json.dumps([row_of(db, place) for place in places]))
    first, last = since or date.min, until or date.max
    return [row for rows in found.values() for row in rows if first <= row.date <= last]


def entries_of(db: sqlite3.Connection, chosen: str) -> dict[int, list[GLEntry]]:
    """The GL entries of documents (a JSON list of rows), by document."""
    return _grouped(
        db.execute(
            f"{_ENTRY} WHERE e.document_id IN {_CHOSEN} AND e.amount <> 0 ORDER BY e.document_id, e.row",
            (chosen,),
        )
    )


def trial_balance(db: sqlite3.Connection, as_of: date | None) -> dict[str, Decimal]:
    """The balance of every account of the chart at the end of a day: debit positive."""
    rows = db.execute(
        "SELECT a.account_id, COALESCE(b.amount, 0) FROM account a LEFT JOIN ("
        "SELECT e.account_id AS account_id, SUM(e.amount) AS amount FROM entry e "
        "JOIN document d ON d.id = e.document_id WHERE d.posting_date <= ? GROUP BY e.account_id"
        ") b ON b.account_id = a.account_id ORDER BY a.key",
        ((as_of or date.max).isoformat(),),
    )
    return {account: from_scaled(amount, MONEY_PLACES) for account, amount in rows}


def journal_transactions(db: sqlite3.Connection) -> list[JournalTransaction]:
    """Everything that was ever posted, in the order of dates; a zero document keeps its rows of 0.00."""
    rows = db.execute(f"{_ENTRY} ORDER BY d.posting_date, e.document_id, e.row").fetchall()
    by_document: dict[int, list[tuple[Any, ...]]] = defaultdict(list)
    for row in rows:
        by_document[row[0]].append(row)
    names = {
        row[0]: row
        for row in db.execute(
            "SELECT id, type, label, reference, number, party_name, party_id FROM document"
        )
    }
    return [
        _transaction(names[document_id], [row for row in group if row[6]] or group)
        for document_id, group in by_document.items()
    ]


def _transaction(header: tuple[Any, ...], rows: list[tuple[Any, ...]]) -> JournalTransaction:
    document_id, kind, label, reference, number, party_name, party_id = header
    words = [kind.replace("_", " ").capitalize(), reference or number, party_name or party_id]
    return JournalTransaction(
        place=place_of(kind, document_id),
        key=label,
        date=date.fromisoformat(rows[0][4]),
        description=" ".join(word for word in words if word),
        entries=tuple(_entry(row) for row in rows),
    )


def _documents(
    headers: Iterable[tuple[Any, ...]], entries: dict[int, list[GLEntry]]
) -> dict[int, StoredDocument]:
    return {row[0]: _document(row, entries.get(row[0], [])) for row in headers}


def _document(row: tuple[Any, ...], entries: Sequence[GLEntry]) -> StoredDocument:
    number, kind, party_id, reference, posted, due, amount, token, waiting, voided = row
    return StoredDocument(
        place=place_of(kind, number),
        type=kind,
        party_id=party_id,
        reference=reference,
        posting_date=date.fromisoformat(posted),
        due_date=date.fromisoformat(due) if due else None,
        total=from_scaled(amount, MONEY_PLACES),
        token=token,
        waiting_on_bill=bool(waiting),
        voided=bool(voided),
        entries=tuple(entries),
    )


def _grouped(rows: Iterable[tuple[Any, ...]]) -> dict[int, list[GLEntry]]:
    grouped: dict[int, list[GLEntry]] = {}
    for row in rows:
        if row[6]:
            grouped.setdefault(row[0], []).append(_entry(row))
    return grouped


def _entry(row: tuple[Any, ...]) -> GLEntry:
    document_id, label, kind, number, posted, account, cents, description, party, item, made_by = (
        row
    )
    amount = from_scaled(cents, MONEY_PLACES)
    return GLEntry(
        document=label or place_of(kind, document_id),
        type=kind,
        number=number,
        date=_day(posted),
        account_id=account,
        debit=amount if cents > 0 else ZERO,
        credit=-amount if cents < 0 else ZERO,
        description=description,
        party_id=party,
        item_id=item,
        made_by=made_by,
    )


@lru_cache(maxsize=1_000)  # the entries of a document have one day, and a batch has few
def _day(text: str) -> date:
    return date.fromisoformat(text)


def _identity(document: Document) -> tuple[str, str, str]:
    return document.type, fold(document.party_id), fold(document.reference)
