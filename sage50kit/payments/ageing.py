"""How long customers have owed what they owe, as of any day, and that it adds up to the receivable account.

Pure: open items, the balance of the account and the names come in. Invoices are put into buckets by their
age in days; credit memos and receipts that pay no invoice yet stand apart, because no invoice gets older or
younger by them.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from typing import TYPE_CHECKING, Literal, TypeAlias

from sage50kit.batch.proof import money_frame
from sage50kit.model import fold
from sage50kit.money import ZERO, total

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date
    from decimal import Decimal

    import pandas as pd

    from sage50kit.model import OpenItem

By: TypeAlias = Literal["due_date", "invoice_date"]
Bucket: TypeAlias = Literal["current", "1_30", "31_60", "61_90", "over_90", "unapplied_credits"]
BUCKETS: tuple[Bucket, ...] = (
    "current",
    "1_30",
    "31_60",
    "61_90",
    "over_90",
    "unapplied_credits",
)
_LAST_DAYS: tuple[tuple[int, Bucket], ...] = (
    (0, "current"),
    (30, "1_30"),
    (60, "31_60"),
    (90, "61_90"),
)
RECEIVABLES = frozenset({"sales_invoice", "credit_memo", "receipt"})


@dataclass(frozen=True, slots=True, kw_only=True)
class AgedItem:
    """An open invoice, credit memo or receipt in its bucket; `amount` is what is left of it, in dollars."""

    customer_id: str
    customer: str
    number: str
    place: str
    due_date: date
    date: date
    days: int  # past due, or since the invoice date; negative before it
    bucket: Bucket
    amount: Decimal


@dataclass(frozen=True, kw_only=True)
class Ageing:
    """Open items by age at the end of a day, beside the balance of the receivable accounts.

    `other_entries` is what stands on those accounts without an open item: entries of other journals.
    """

    as_of: date
    by: By
    items: tuple[AgedItem, ...]
    ledger: Decimal  # balance of the receivable accounts, dollars, debit positive
    other_entries: Decimal = ZERO
    currency: str = "USD"
    accounts: tuple[str, ...] = ()

    @cached_property
    def totals(self) -> Mapping[Bucket, Decimal]:
        """Dollars in each bucket."""
        return _buckets(self.items)

    @property
    def total(self) -> Decimal:
        """What all customers owe, unapplied credits taken off."""
        return total(row.amount for row in self.items)

    @property
    def difference(self) -> Decimal:
        """What the accounts hold beyond open items and entries of other journals; 0.00 is the rule."""
        return self.ledger - self.total - self.other_entries

    @cached_property
    def by_customer(self) -> pd.DataFrame:
        """One row a customer: buckets and total, in dollars."""
        groups: dict[str, list[AgedItem]] = defaultdict(list)
        for row in self.items:
            groups[fold(row.customer_id)].append(row)
        rows = [
            {"customer_id": group[0].customer_id, "customer": group[0].customer}
            | (buckets := _buckets(group))
            | {"total": total(buckets.values())}
            for _, group in sorted(groups.items())
        ]
        names = (*BUCKETS, "total")
        return money_frame(rows, ["customer_id", "customer", *names], names)

    @cached_property
    def open_items(self) -> pd.DataFrame:
        """One row an open item, oldest first within its customer."""
        rows = [asdict(row) for row in self.items]
        return money_frame(rows, [each.name for each in fields(AgedItem)], ["amount"])

    def _repr_html_(self) -> str:
        from sage50kit.reports.receivables import ageing_page, html

        return html(ageing_page(self, brief=True), fragment=True)


def age(
    open_items: Iterable[OpenItem],
    *,
    as_of: date,
    ledger: Decimal,
    by: By = "due_date",
    names: Mapping[str, str] | None = None,
    other_entries: Decimal = ZERO,
    currency: str = "USD",
    accounts: Iterable[str] = (),
) -> Ageing:
    """Put open items into their buckets.

    Args:
        open_items: as of the day; payables among them are passed over.
        as_of: the day that ages are counted to.
        ledger: balance of the receivable accounts at the end of that day, dollars.
        by: the date that ages are counted from. An item without a due date is due on its invoice date.
        names: of the customers, by folded id.
        other_entries: dollars on those accounts from journals that make no open item.
        currency: of the company.
        accounts: the receivable accounts.
    """
    chosen = (row for row in open_items if row.type in RECEIVABLES)
    aged = [_aged(row, as_of, by, names or {}) for row in chosen]
    aged.sort(key=lambda row: (fold(row.customer_id), row.date, row.number))
    return Ageing(
        as_of=as_of,
        by=by,
        items=tuple(aged),
        ledger=ledger,
        other_entries=other_entries,
        currency=currency,
        accounts=tuple(accounts),
    )


def bucket_of(days: int) -> Bucket:
    """The bucket of an age in days; 0 and less is current."""
    return next((bucket for last, bucket in _LAST_DAYS if days <= last), "over_90")


def _aged(row: OpenItem, as_of: date, by: By, names: Mapping[str, str]) -> AgedItem:
    due = row.due_date or row.posting_date
    days = (as_of - (due if by == "due_date" else row.posting_date)).days
    return AgedItem(
        customer_id=row.party_id,
        customer=names.get(fold(row.party_id), ""),
        number=row.reference,
        place=row.place,
        date=row.posting_date,
        due_date=due,
        days=days,
        bucket="unapplied_credits" if row.open_amount < 0 else bucket_of(days),
        amount=row.open_amount,
    )


def _buckets(items: Iterable[AgedItem]) -> dict[Bucket, Decimal]:
    sums = dict.fromkeys(BUCKETS, ZERO)
    for row in items:
        sums[row.bucket] += row.amount
    return sums
