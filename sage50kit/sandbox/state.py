"""A ConnectWise site as accounting sees it: setup tables, closed records, batches, payments.

`Site` is what the HTTP layer serves: collections of plain rows with the published names, and commands. It
knows nothing of HTTP but the status of its answers.
"""

from __future__ import annotations

import gc
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from sage50kit.sandbox import dataset
from sage50kit.sandbox.batches import Batches
from sage50kit.sandbox.closing import Closing
from sage50kit.sandbox.costviews import CostViews
from sage50kit.sandbox.export import Export
from sage50kit.sandbox.ledger import Ledger
from sage50kit.sandbox.refusal import Refused, Switches
from sage50kit.sandbox.setup import Setup
from sage50kit.sandbox.setupviews import SetupViews
from sage50kit.sandbox.tables import TABLES
from sage50kit.sandbox.unposted import UnpostedRows
from sage50kit.sandbox.views import Views
from sage50kit.sandbox.writes import Writes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sage50kit.sandbox.closing import Closed
    from sage50kit.sandbox.records import Records
    from sage50kit.sandbox.tables import Row

    Command = Callable[[dict[str, str], object], tuple[int, object]]

__all__ = ["Refused", "Site", "Switches"]

A = "/finance/accounting"
Answer = tuple[int, object]
PATCHED = (
    ("PATCH", "companies"),
    ("PATCH", "companyFinance"),
    ("PATCH", "catalog"),
    ("PATCH", "members"),
    ("PATCH", "accountingPackageSetup"),
    ("PUT", "accountingPackageSetup"),
    ("PATCH", "glPaths"),
    ("PUT", "glPaths"),
)


def _plain(collection: str) -> str:
    return collection.rstrip("/").casefold()


@contextmanager
def _building() -> Iterator[None]:
    """Hold the garbage collector while many objects are made: they all stay, and looking costs more than making."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


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
        self.views = Views(records, self.setup, self.closing, self.ledger, self.unposted)
        self.costs = CostViews(self.views)
        self.writes = Writes(
            self.setup, self.closing, self.ledger, self.views, self.costs, self.switches
        )
        self._lists = self._make_collections()
        self._collections = {_plain(path): rows for path, rows in self._lists.items()}
        self._commands = self._make_commands()
        self._close_all()

    @classmethod
    def load(cls, content: dict[str, Any], *, switches: Switches | None = None) -> Site:
        """The site of a data set; ConfigError says what is wrong with it."""
        with _building():
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
            with _building():
                self._cache[key] = make(*parents)
        return self._cache[key]

    def modelled(self) -> frozenset[tuple[str, str]]:
        """The pairs of method and path template that are modelled."""
        return frozenset(self._commands) | frozenset(("GET", path) for path in self._lists)

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
        views, costs, below = self.views, self.costs, SetupViews(self.views)
        made: dict[str, Callable[..., Sequence[Row]]] = {
            **self._unposted_lists(),
            f"{A}/unpostedpayments": views.unposted_payments,
            f"{A}/batches": self.batches.listed,
            f"{A}/batches/{{parentId}}/entries": self.batches.entries,
            "/company/companies/{parentId}/sites": lambda at: below.below(
                "sites", "company", "companies", at
            ),
            "/company/companies/{parentId}/typeAssociations": below.type_associations,
            "/expense/entries": costs.expenses,
            "/expense/reports": costs.reports,
            "/finance/agreements/{parentId}/additions": lambda at: below.below(
                "additions", "agreementId", "agreements", at
            ),
            "/finance/invoices": views.invoices,
            "/finance/invoices/{parentId}/glEntries/": views.gl_entries,
            "/finance/invoices/{parentId}/payments": views.invoice_payments,
            "/finance/taxCodes/{parentId}/taxCodeLevels": below.levels,
            "/finance/taxCodes/{parentId}/taxCodeXRefs": lambda at: below.below(
                "taxCodeXRefs", "taxCode", "taxCodes", at
            ),
            "/finance/taxCodes/{grandparentId}/taxCodeXRefs/{parentId}/taxableXRefLevels": below.xref_levels,
            "/procurement/adjustments": costs.adjustments,
            "/procurement/adjustments/{parentId}/details": costs.adjustment_details,
            "/procurement/catalog/{catalogItemIdentifier}/quantityOnHand": costs.quantity_on_hand,
            "/procurement/products": views.products,
            "/procurement/purchaseorders": costs.orders,
            "/procurement/purchaseorders/{parentId}/lineitems": costs.order_lines,
            "/system/info": below.server,
            "/system/info/locations": below.location_infos,
            "/system/info/members": below.member_infos,
            "/system/securityRoles/{parentId}/settings": lambda at: below.below(
                "securityRoleSettings", "role", "securityRoles", at
            ),
        }
        for name, kind in (
            ("invoices", "invoice"),
            ("expenses", "expense"),
            ("procurement", "procurement"),
        ):
            path = f"{A}/unposted{name}/{{parentId}}/taxableLevels"
            made[path] = lambda at, kind=kind: below.taxable_levels(kind, at)
        for name, table in TABLES.items():
            if "{" not in table.path:
                made[table.path] = lambda name=name: self.setup.rows(name)
        return made

    def _unposted_lists(self) -> dict[str, Callable[..., Sequence[Row]]]:
        return {
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
        }

    def _make_commands(self) -> dict[tuple[str, str], Command]:
        batches, writes = self.batches, self.writes
        invoice, payment = "/finance/invoices/{id}", "/finance/invoices/{parentId}/payments"
        entry, order = (
            "/finance/invoices/{parentId}/glEntries/{id}",
            "/procurement/purchaseorders/{id}",
        )
        made: dict[tuple[str, str], Command] = {
            ("POST", f"{A}/export"): lambda _, body: (200, batches.preview(body)),
            ("POST", f"{A}/batches"): lambda _, body: (201, batches.create(body)),
            ("POST", f"{A}/batches/{{id}}/export"): lambda at, body: (
                200,
                batches.rerun(at["id"], body),
            ),
            ("DELETE", f"{A}/batches/{{id}}"): lambda at, _: _gone(batches.delete, at["id"]),
            ("PATCH", invoice): lambda at, body: (
                200,
                self.views.invoice(writes.patch_invoice(at["id"], body)),
            ),
            ("POST", payment): lambda at, body: (201, writes.pay(at["parentId"], body)),
            ("DELETE", f"{payment}/{{id}}"): lambda at, _: _gone(
                writes.delete_payment, at["parentId"], at["id"]
            ),
            ("PATCH", order): lambda at, body: (200, writes.patch_order(at["id"], body)),
            ("PATCH", "/procurement/purchaseorders/{parentId}/lineitems/{id}"): lambda at, body: (
                200,
                writes.patch_order_line(at["parentId"], at["id"], body),
            ),
            ("POST", f"{order}/unbatch"): lambda at, _: (201, writes.unbatch(at["id"])),
            ("POST", f"{order}/rebatch"): lambda at, _: (201, writes.rebatch(at["id"])),
        }
        for method in ("PATCH", "PUT"):
            made[method, f"{payment}/{{id}}"] = self._payment(method)
            made[method, entry] = self._gl_entry(method)
            made[method, "/finance/closedInvoices/{id}"] = self._closed_invoice(method)
        for method, table in PATCHED:
            path = f"{TABLES[table].path.rstrip('/')}/{{id}}"
            made[method, path] = self._row(method, table)
        return made

    def _payment(self, method: str) -> Command:
        change = partial(self.writes.patch_payment, whole=method == "PUT")
        return lambda at, body: (200, change(at["parentId"], at["id"], body))

    def _gl_entry(self, method: str) -> Command:
        change = partial(self.writes.patch_gl_entry, whole=method == "PUT")
        return lambda at, body: (200, change(at["parentId"], at["id"], body))

    def _closed_invoice(self, method: str) -> Command:
        change = partial(self.writes.patch_closed_invoice, whole=method == "PUT")
        return lambda at, body: (200, change(at["id"], body))

    def _row(self, method: str, table: str) -> Command:
        change = partial(self.writes.patch_row, table, whole=method == "PUT")
        return lambda at, body: (200, change(at["id"], body))


def _gone(remove: Callable[..., None], *at: str) -> Answer:
    remove(*at)
    return 204, None
