"""The closed records of a site by list and by GL entry, and the batches over them."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sage50kit.sandbox.closing import Closed, Entry

LISTS = {
    "invoice": "invoice",
    "expense": "expense",
    "purchase": "procurement",
    "adjustment": "procurement",
    "transfer": "procurement",
}


@dataclass(slots=True, kw_only=True)
class Batch:
    """An accounting batch; which entries are in it stands on the entries."""

    id: int
    identifier: str
    interface: str = ""
    invoices: bool = False
    expenses: bool = False
    products: bool = False
    closed: bool = False
    made_at: datetime = datetime(2026, 11, 2, 14, 5, 0, tzinfo=UTC)


class Ledger:
    """Closed records by key; their entries form runs of ids, so an id is found by bisection."""

    def __init__(self) -> None:
        self.closed: dict[str, Closed] = {}
        self.batches: dict[int, Batch] = {}
        self._last_batch = 0  # ids of deleted batches are not given again
        self._starts: list[int] = []
        self._runs: list[Closed] = []

    def add(self, closed: Closed) -> None:
        """Take in a freshly closed record; its ids are higher than any before."""
        self.closed[closed.key] = closed
        if closed.entries:
            self._starts.append(closed.entries[0].id)
            self._runs.append(closed)

    def remove(self, key: str) -> None:
        """Forget a record and its entries, because it was reopened."""
        del self.closed[key]

    def owner(self, entry_id: int) -> tuple[Closed, Entry] | None:
        """The record and entry of a GL entry id; None if it never was or is deleted."""
        found = bisect_right(self._starts, entry_id) - 1
        if found < 0:
            return None
        closed = self._runs[found]
        place = entry_id - self._starts[found]
        if place >= len(closed.entries) or self.closed.get(closed.key) is not closed:
            return None
        return closed, closed.entries[place]

    def unposted(self, listed: str) -> list[Closed]:
        """What is not wholly batched, in the order of the list's ids."""
        rows = [
            row for row in self.closed.values() if LISTS[row.kind] == listed and not row.is_batched
        ]
        return sorted(rows, key=lambda row: row.row_id)

    def batched(self, batch_id: int) -> Iterator[tuple[Closed, Entry]]:
        """The entries of a batch with their records."""
        for closed in self.closed.values():
            for entry in closed.entries:
                if entry.batch == batch_id:
                    yield closed, entry

    def batch(self, **more: object) -> Batch:
        """A new batch with the next id."""
        self._last_batch += 1
        made = Batch(id=self._last_batch, **more)  # type: ignore[arg-type]  # its own fields
        self.batches[made.id] = made
        return made

    def named(self, identifier: str) -> Batch | None:
        """The batch of an identifier, which compares without case."""
        wanted = identifier.casefold()
        return next(
            (row for row in self.batches.values() if row.identifier.casefold() == wanted), None
        )

    def release(self, batch_id: int) -> None:
        """Delete a batch; its entries return to the unposted lists."""
        for _, entry in list(self.batched(batch_id)):
            entry.batch = 0
        del self.batches[batch_id]

    def fill(self, batch: Batch, entries: Iterable[Entry]) -> None:
        """Put entries into a batch."""
        for entry in entries:
            entry.batch = batch.id
