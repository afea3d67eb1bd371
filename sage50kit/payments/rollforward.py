"""From the opening balance of receivables to the closing one: by Sage 50's documents and by its general ledger."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sage50kit.money import ZERO, total

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import date
    from decimal import Decimal

    from sage50kit.model import GLEntry, OpenItem, Receivable
    from sage50kit.payments.reconcile import Books, Settings

SUBLEDGER = frozenset({"sales_invoice", "credit_memo", "receipt"})  # what makes open items
UNEXPLAINED = "Unexplained"


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """One line of the roll-forward, in dollars."""

    what: str
    sage: Decimal
    ledger: Decimal


def signed(row: GLEntry) -> Decimal:
    """The amount of an entry, debit positive."""
    return row.debit - row.credit


def roll_forward(books: Books, settings: Settings) -> Iterator[Movement]:
    """Opening + invoices - credits - receipts +/- adjustments = closing, by open items and by entries.

    Both columns are of the receivable accounts. Voids count where what they reverse counts.
    """
    days = (settings.since, settings.as_of)
    chosen = [row for row in books.receivables if row.account_id in settings.accounts]
    entries = [row for row in books.entries if row.date >= settings.since]
    sums: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for row in entries:
        sums[row.type if row.type in SUBLEDGER else "other"] += signed(row)
    settled = (each for row in chosen for each in row.settled)
    whole = total(signed(row) for row in books.entries)
    steps = [
        Movement(
            what="Opening balance",
            sage=_open(books.opening, chosen),
            ledger=whole - total(sums.values()),
        ),
        Movement(
            what="Invoices",
            sage=_amounts(chosen, "sales_invoice", days),
            ledger=sums["sales_invoice"],
        ),
        Movement(
            what="Credit memos",
            sage=_amounts(chosen, "credit_memo", days),
            ledger=sums["credit_memo"],
        ),
        Movement(
            what="Receipts and discounts",
            sage=_amounts(chosen, "receipt", days)
            - total(each.amount for each in settled if days[0] <= each.on <= days[1]),
            ledger=sums["receipt"],
        ),
        Movement(what="Adjustments from other journals", sage=ZERO, ledger=sums["other"]),
    ]
    closing = Movement(what="Closing balance", sage=_open(books.closing, chosen), ledger=whole)
    yield from (*steps, closing)
    yield Movement(
        what=UNEXPLAINED,
        sage=closing.sage - total(row.sage for row in steps),
        ledger=closing.ledger - total(row.ledger for row in steps),
    )


def _open(items: Iterable[OpenItem], chosen: Iterable[Receivable]) -> Decimal:
    places = {row.place for row in chosen}
    return total(row.open_amount for row in items if row.place in places)


def _amounts(rows: Iterable[Receivable], kind: str, days: tuple[date, date]) -> Decimal:
    return total(
        row.amount for row in rows if row.type == kind and days[0] <= row.posting_date <= days[1]
    )
