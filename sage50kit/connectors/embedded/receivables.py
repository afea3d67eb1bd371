"""Every receivable with its history: what took something off it, when, and whether that was money."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from sage50kit.connectors.embedded.reading import place_of
from sage50kit.connectors.embedded.schema import MONEY_PLACES
from sage50kit.model import Receivable, Settled
from sage50kit.money import allocate, from_scaled

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

Kind: TypeAlias = Literal["receipt", "credit", "void"]
_SALES = "('sales_invoice', 'credit_memo')"
# Money that pays nothing yet stands where its receipt put it, whatever the default account is today.
_ROWS = (
    "SELECT id, type, party_id, reference, posting_date, due_date, CASE type WHEN 'receipt' THEN "
    "COALESCE((SELECT account_id FROM entry WHERE document_id = id AND role = 'unapplied'), "
    "(SELECT receivable_account_id FROM defaults)) ELSE control_account_id END, control_amount, token, "
    "voided_by IS NOT NULL OR void_of IS NOT NULL FROM document "
    "WHERE type IN ('sales_invoice', 'credit_memo', 'receipt') ORDER BY posting_date, id"
)


def receivables(db: sqlite3.Connection) -> list[Receivable]:
    """Invoices, credit memos and receipts by date; beginning balances, voided ones and reversals too."""
    settled = _settled(db)
    return [
        Receivable(
            place=place_of(kind, row),
            type=kind,
            party_id=party,
            reference=reference,
            posting_date=date.fromisoformat(posted),
            due_date=date.fromisoformat(due) if due else None,
            account_id=account,
            amount=from_scaled(cents, MONEY_PLACES),
            token=token,
            voided=bool(voided),
            settled=tuple(settled[row]),
        )
        for row, kind, party, reference, posted, due, account, cents, token, voided in db.execute(
            _ROWS
        )
    ]


def _settled(db: sqlite3.Connection) -> dict[int, list[Settled]]:
    """What was settled of each document; the applications of one receipt are read together."""
    rows = db.execute(
        "SELECT d.type, a.document_id, a.date, a.amount, a.by_document_id, by.type, "  # noqa: S608  # our own names
        "by.void_of IS NOT NULL OR d.void_of IS NOT NULL FROM application a "
        "JOIN document by ON by.id = a.by_document_id JOIN document d ON d.id = a.document_id "
        f"WHERE d.type IN {_SALES} OR d.type = 'receipt' ORDER BY a.id"
    )
    settled: dict[int, list[Settled]] = defaultdict(list)
    receipts: dict[int, list[Any]] = defaultdict(list)
    for kind, document, on, cents, by, by_kind, voids in rows:
        if by_kind == "receipt" and kind != "receipt":
            receipts[by].append((kind == "credit_memo", document, on, cents))
            paid = _part(on, -cents, "receipt", place_of(kind, document))
            settled[by].append(paid)
        else:
            what: Kind = "void" if voids or kind == "receipt" else "credit"
            settled[document].append(_part(on, cents, what, place_of(by_kind, by)))
    for by, applications in receipts.items():
        for document, part in _of_receipt(applications, place_of("receipt", by)):
            settled[document].append(part)
    return settled


def _of_receipt(rows: list[Any], place: str) -> Iterator[tuple[int, Settled]]:
    """What one receipt settled. Credit memos that it uses up pay its invoices in proportion."""
    used = [row for row in rows if row[0]]
    paid = [row for row in rows if not row[0]]
    shares = _shares(-sum(row[3] for row in used), [row[3] for row in paid])
    for (_, document, on, cents), share in zip(paid, shares, strict=True):
        if cents != share:
            yield document, _part(on, cents - share, "receipt", place)
        if share:
            yield document, _part(on, share, "credit", place)
    for _, document, on, cents in used:
        yield document, _part(on, cents, "credit", place)


def _shares(credit: int, weights: list[int]) -> list[int]:
    """`credit` cents over the amounts paid, in cents."""
    if not credit or not weights:
        return [0] * len(weights)
    whole = [from_scaled(each, 0) for each in weights]
    return [int(part.scaleb(2)) for part in allocate(from_scaled(credit, 2), whole)]


def _part(on: str, cents: int, kind: Kind, place: str) -> Settled:
    amount = from_scaled(cents, MONEY_PLACES)
    return Settled(on=date.fromisoformat(on), amount=amount, kind=kind, place=place)
