"""The list records that one document needs, each read once."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any, TypeVar

from sage50kit.connectors.embedded.records import all_of, one_of
from sage50kit.model import Account, Customer, Item, Period, TaxAgency, TaxCode, Vendor, fold

if TYPE_CHECKING:
    import sqlite3

Record = TypeVar("Record")


@dataclass(slots=True)
class Lookup:
    """Lists of a company by id, compared as Sage compares ids; None where there is no such record."""

    db: sqlite3.Connection
    _seen: dict[tuple[type, str], Any] = field(default_factory=dict)

    def account(self, identity: str) -> Account | None:
        """The GL account."""
        return self._one(Account, identity)

    def customer(self, identity: str) -> Customer | None:
        """The customer, with the balance of today."""
        return self._one(Customer, identity)

    def vendor(self, identity: str) -> Vendor | None:
        """The vendor."""
        return self._one(Vendor, identity)

    def item(self, identity: str) -> Item | None:
        """The inventory item, of any class."""
        return self._one(Item, identity)

    def tax_code(self, identity: str) -> TaxCode | None:
        """The sales tax code."""
        return self._one(TaxCode, identity)

    def agency(self, identity: str) -> TaxAgency | None:
        """The sales tax agency."""
        return self._one(TaxAgency, identity)

    def stock_item(self, identity: str) -> Item | None:
        """The item, if it is a stock item."""
        item = self.item(identity) if identity else None
        return item if item is not None and item.item_class == "stock" else None

    def period_of(self, day: date) -> Period | None:
        """The accounting period of a day."""
        row = self.db.execute(
            "SELECT number, start, end, closed FROM period WHERE start <= ? AND end >= ?",
            (day.isoformat(), day.isoformat()),
        ).fetchone()
        if row is None:
            return None
        start, end = date.fromisoformat(row[1]), date.fromisoformat(row[2])
        return Period(number=row[0], start=start, end=end, closed=bool(row[3]))

    def last_day(self) -> date | None:
        """The end of the last open fiscal year; None while the company has no periods."""
        periods = all_of(self.db, Period)
        return max((period.end for period in periods), default=None)

    def _one(self, record: type[Record], identity: str) -> Record | None:
        key = (record, fold(identity))
        if key not in self._seen:
            self._seen[key] = one_of(self.db, record, identity)
        found: Record | None = self._seen[key]
        return found
