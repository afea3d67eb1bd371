"""A ConnectWise site as accounting sees it: setup tables, closed records, batches, payments.

`Site` is what the HTTP layer serves: collections of plain rows with the published names, and commands. It
knows nothing of HTTP but the status of its answers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sage50kit.sandbox import dataset
from sage50kit.sandbox.batches import Batches
from sage50kit.sandbox.closing import Closing
from sage50kit.sandbox.export import Export
from sage50kit.sandbox.ledger import Ledger
from sage50kit.sandbox.refusal import Refused, Switches, not_found
from sage50kit.sandbox.setup import Setup
from sage50kit.sandbox.tables import TABLES
from sage50kit.sandbox.unposted import UnpostedRows

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sage50kit.sandbox.closing import Closed
    from sage50kit.sandbox.records import Records
    from sage50kit.sandbox.tables import Row

__all__ = ["Refused", "Site", "Switches"]

A = "/finance/accounting"
Answer = tuple[int, object]


def _plain(collection: str) -> str:
    return collection.rstrip("/").casefold()


class Site:
    """One local ConnectWise site."""

    def __init__(
        self, records: Records, *, switches: Switches | None = None, base_url: str = ""
    ) -> None:
        self.records = records
        self.switches = switches or Switches()
        self.revision = 1
        self.setup = Setup(records.tables, base_url=base_url)
        self.closing = Closing(self.setup, first_id=records.first_entry_id)
        self.ledger = Ledger()
        self.unposted = UnpostedRows(
            self.setup, self.closing, delimiter=self.switches.account_delimiter
        )
        self.unposted.reports = {report.id: report for report in records.expense_reports}
        self.export = Export(self.setup, self.closing, self.unposted, self.switches)
        self.batches = Batches(self.setup, self.ledger, self.export, self.unposted, self.switches)
        self._cache: dict[tuple[str, tuple[str, ...]], Sequence[Row]] = {}
        self._collections = self._make_collections()
        self._commands = self._make_commands()
        self._close_all()

    @classmethod
    def load(cls, content: dict[str, Any], *, switches: Switches | None = None) -> Site:
        """The site of a data set; ConfigError says what is wrong with it."""
        return cls(dataset.parse(content), switches=switches)

    @classmethod
    def fixtures(cls, *, switches: Switches | None = None) -> Site:
        """The site of the fixtures: a small provider's October."""
        return cls.load(
            dataset.read(dataset.fixtures_folder() / "connectwise.json"), switches=switches
        )

    # --- reading

    def rows(self, collection: str, parents: tuple[str, ...] = ()) -> Sequence[Row]:
        """All rows of a collection, named by its published path template.

        Raises:
            KeyError: the collection is not modelled.
            Refused: there is no such parent.
        """
        make = self._collections[_plain(collection)]
        key = (_plain(collection), parents)
        if key not in self._cache:
            self._cache[key] = make(*parents)
        return self._cache[key]

    def modelled(self) -> frozenset[tuple[str, str]]:
        """The pairs of method and path template that are modelled."""
        return frozenset(self._commands) | frozenset(("GET", path) for path in self._collections)

    # --- writing

    def call(self, method: str, template: str, path_values: dict[str, str], body: object) -> Answer:
        """Carry out a command: status and answer.

        Raises:
            KeyError: the command is not modelled.
            Refused: the site read it and said no.
        """
        command = self._commands[method, template]
        status, answer = command(path_values, body)
        if template not in {f"{A}/export", f"{A}/batches/{{id}}/export"}:
            self.changed()
        return status, answer

    def changed(self) -> None:
        """Count a write and drop what was built before it."""
        self.revision += 1
        self._cache.clear()

    # --- making

    def _close_all(self) -> None:
        records = self.records
        for invoice in records.invoices:
            if self._is_closed_status(invoice.status):
                self._add(self.closing.invoice(invoice), invoice.batch)
        approved = {
            row.id
            for row in records.expense_reports
            if row.status in {"ApprovedByTierOne", "ApprovedByTierTwo", "ReadyToBill", "Billed"}
        }
        for expense in records.expenses:
            if expense.charge_closed and expense.report in approved:
                self._add(self.closing.expense(expense), expense.batch)
        for order in records.purchase_orders:
            for receipt in self.closing.receipts(order):
                self._add(receipt, order.batch)
        for adjustment in records.adjustments:
            if adjustment.closed:
                self._add(self.closing.adjustment(adjustment), adjustment.batch)
        for transfer in records.transfers:
            self._add(self.closing.transfer(transfer), transfer.batch)

    def _is_closed_status(self, status: int) -> bool:
        return not status or bool(self.setup.row("billingStatuses", status).get("closedFlag"))

    def _add(self, closed: Closed, batch: str) -> None:
        self.ledger.add(closed)
        if batch:
            found = self.ledger.named(batch) or self.ledger.batch(identifier=batch, closed=False)
            found.invoices |= closed.kind == "invoice"
            found.expenses |= closed.kind == "expense"
            found.products |= closed.kind in {"purchase", "adjustment", "transfer"}
            self.ledger.fill(found, closed.entries)

    def _make_collections(self) -> dict[str, Callable[..., Sequence[Row]]]:
        made: dict[str, Callable[..., Sequence[Row]]] = {
            f"{A}/unpostedinvoices": lambda: [
                self.unposted.invoice(row) for row in self.ledger.unposted("invoice")
            ],
            f"{A}/unpostedexpenses": lambda: [
                self.unposted.expense(row) for row in self.ledger.unposted("expense")
            ],
            f"{A}/unpostedprocurement": lambda: [
                row
                for closed in self.ledger.unposted("procurement")
                for row in self.unposted.procurement(closed)
            ],
            f"{A}/batches": self.batches.listed,
            f"{A}/batches/{{parentId}}/entries": lambda parent: self.batches.entries(int(parent)),
        }
        for name, table in TABLES.items():
            if "{" not in table.path:
                made[table.path] = lambda name=name: self.setup.rows(name)
        return {_plain(path): rows for path, rows in made.items()}

    def _make_commands(self) -> dict[tuple[str, str], Callable[[dict[str, str], object], Answer]]:
        return {
            ("POST", f"{A}/export"): lambda _, body: (200, self.batches.preview(body)),
            ("POST", f"{A}/batches"): lambda _, body: (201, self.batches.create(body)),
            ("POST", f"{A}/batches/{{id}}/export"): lambda at, body: (
                200,
                self.batches.rerun(number(at["id"]), body),
            ),
            ("DELETE", f"{A}/batches/{{id}}"): lambda at, _: (
                204,
                self.batches.delete(number(at["id"])),
            ),
        }

    def _delete_batch(self, at: dict[str, str], body: object) -> Answer:
        del body
        self.batches.delete(number(at["id"]))
        return 204, None


def number(value: str) -> int:
    """A record id of a path; anything else is no record."""
    if not value.isdigit():
        raise not_found("record", value)
    return int(value)
