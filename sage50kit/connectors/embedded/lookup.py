"""The list records that one document needs, each read once; those that no document changes are kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from sage50kit.connectors.embedded.records import all_of, one_of
from sage50kit.model import Account, Customer, Item, Period, TaxAgency, TaxCode, Vendor

if TYPE_CHECKING:
    import sqlite3

Record = TypeVar("Record")
Seen: TypeAlias = dict[tuple[type, Any], Any]


@dataclass(slots=True)
class Kept:
    """What was read of lists that a document hardly ever changes, while nothing but documents is written."""

    _records: Seen = field(default_factory=dict)
    _of: sqlite3.Connection | None = None
    _version: int = -1  # changes when another connection writes
    _changes: int = -1  # counts what this one writes

    def records(self, db: sqlite3.Connection) -> Seen:
        """What still holds inside the open transaction of `db`."""
        version = db.execute("PRAGMA data_version").fetchone()[0]
        if (db, version, db.total_changes) != (self._of, self._version, self._changes):
            self._records.clear()
            self._of, self._version = db, version
        return self._records

    def posted(self, db: sqlite3.Connection) -> None:
        """All that was written since is a document, and what it changes was forgotten."""
        self._changes = db.total_changes


@dataclass(slots=True)
class Lookup:
    """Lists of a company by id, compared as Sage compares ids; None where there is no such record."""

    db: sqlite3.Connection
    _kept: Seen = field(default_factory=dict)
    _seen: Seen = field(default_factory=dict)  # a document changes what its customer owes

    def account(self, identity: str) -> Account | None:
        """The GL account."""
        return self._one(self._kept, Account, identity)

    def customer(self, identity: str) -> Customer | None:
        """The customer, with the balance of today."""
        return self._one(self._seen, Customer, identity)

    def vendor(self, identity: str) -> Vendor | None:
        """The vendor."""
        return self._one(self._seen, Vendor, identity)

    def item(self, identity: str) -> Item | None:
        """The inventory item, of any class."""
        return self._one(self._kept, Item, identity)

    def tax_code(self, identity: str) -> TaxCode | None:
        """The sales tax code."""
        return self._one(self._kept, TaxCode, identity)

    def agency(self, identity: str) -> TaxAgency | None:
        """The sales tax agency."""
        return self._one(self._kept, TaxAgency, identity)

    def stock_item(self, identity: str) -> Item | None:
        """The item, if it is a stock item."""
        item = self.item(identity) if identity else None
        return item if item is not None and item.item_class == "stock" else None

    def period_of(self, day: date) -> Period | None:
        """The accounting period of a day."""
        key = (Period, day)
        if key not in self._kept:
            self._kept[key] = self._period_of(day)
        found: Period | None = self._kept[key]
        return found

    def last_day(self) -> date | None:
        """The end of the last open fiscal year; None while the company has no periods."""
        periods = all_of(self.db, Period)
        return max((period.end for period in periods), default=None)

    def forget_items(self) -> None:
        """Their costs were changed."""
        for key in [key for key in self._kept if key[0] is Item]:
            del self._kept[key]

    def _period_of(self, day: date) -> Period | None:
        row = self.db.execute(
            "SELECT number, start, end, closed FROM period WHERE start <= ? AND end >= ?",
            (day.isoformat(), day.isoformat()),
        ).fetchone()
        if row is None:
            return None
        start, end = date.fromisoformat(row[1]), date.fromisoformat(row[2])
        return Period(number=row[0], start=start, end=end, closed=bool(row[3]))

    def _one(self, seen: Seen, record: type[Record], identity: str) -> Record | None:
        key = (record, identity)
        if key not in seen:
            seen[key] = one_of(self.db, record, identity)
        found: Record | None = seen[key]
        return found
