"""The export (`GLExport`): full detail of the unposted or batched records asked for. It changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sage50kit.sandbox.expenseexport import ExpenseExport
from sage50kit.sandbox.procurementexport import ProcurementExport
from sage50kit.sandbox.refusal import invalid
from sage50kit.sandbox.salesexport import SUMMARY, SalesExport

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from sage50kit.sandbox.closing import Closed, Closing
    from sage50kit.sandbox.refusal import Switches
    from sage50kit.sandbox.setup import Setup
    from sage50kit.sandbox.tables import Row
    from sage50kit.sandbox.unposted import UnpostedRows

RESOURCE = "ExportAccountingBatchRequest"
FLAGS = {
    "invoice": "exportInvoicesFlag",
    "expense": "exportExpensesFlag",
    "procurement": "exportProductsFlag",
}


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What an export request asks for of one kind; `included` empty means all."""

    kind: str
    included: frozenset[str]
    excluded: frozenset[str]
    location: int
    thru: date | None


class Export:
    """Builds exports of a site."""

    def __init__(
        self, setup: Setup, closing: Closing, rows: UnpostedRows, switches: Switches
    ) -> None:
        self.setup = setup
        self.closing = closing
        self.rows = rows
        self.switches = switches

    def build(self, chosen: Iterable[Closed], request: Row, *, level: str = "Default") -> Row:
        """The export of these records; those without GL entries cannot be exported.

        Args:
            chosen: the records.
            request: what was asked for; the settings of the export repeat it.
            level: how invoices are summarised.
        """
        records = [closed for closed in chosen if closed.entries]
        by_kind: dict[str, list[Closed]] = {}
        for closed in records:
            by_kind.setdefault(closed.kind, []).append(closed)
        sales = SalesExport(self.setup, self.closing, self.rows, level=level)
        expenses = ExpenseExport(self.setup, self.closing, self.rows)
        procurement = ProcurementExport(
            self.setup, self.closing, self.rows, sales=sales, iso_dates=self.switches.iso_dates
        )
        invoices = [closed for closed in by_kind.get("invoice", []) if self._has_account(closed)]
        purchases = by_kind.get("purchase", [])
        members, customers = expenses.parties(by_kind.get("expense", []))
        customers = [c.record.bill_to or c.record.company for c in invoices] + customers
        as_bill = self.closing.package.get("transferExpensesAsBillFlag")
        spent = by_kind.get("expense", [])
        made = {
            "exportSettings": self._settings(request),
            "vendors": expenses.vendors(members) + procurement.vendors(purchases),
            "customers": sales.customers(customers),
            "transactions": [sales.transaction(closed) for closed in invoices],
            "expenses": [] if as_bill else [expenses.expense(closed) for closed in spent],
            "expenseBills": expenses.bills(spent) if as_bill else [],
            "purchaseTransactions": [procurement.purchase(closed) for closed in purchases],
            "adjustmentTransactions": [
                procurement.adjustment(closed) for closed in by_kind.get("adjustment", [])
            ],
            "inventoryTransfers": [
                row
                for closed in by_kind.get("transfer", [])
                for row in procurement.transfers(closed)
            ],
        }
        return self._old_names(made) if self.switches.old_field_names else made

    def _settings(self, request: Row) -> Row:
        """What was asked for, and how the accounting package is set up; names as seen in live answers."""
        package = self.closing.package
        flags = {
            "cogsFlag": "includeCogsEntriesFlag",
            "salesTaxFlag": "includeSalesTaxFlag",
            "salesTaxGroupsFlag": "enableTaxGroupsFlag",
            "inventoryPostFlag": "inventorySOHFlag",
            "expenseAsBillFlag": "transferExpensesAsBillFlag",
        }
        return {
            "glBatchID": str(request.get("batchIdentifier") or ""),
            **{name: bool(package.get(source)) for name, source in flags.items()},
            "expenseSummaryFlag": bool(request.get("summarizeExpenses")),
            "exportInvoices": bool(request.get("exportInvoicesFlag")),
            "exportExpenses": bool(request.get("exportExpensesFlag")),
            "exportInventory": bool(request.get("exportProductsFlag")),
            "syncPayments": bool(package.get("syncPaymentInfoFlag")),
            "lastPaymentSync": "",
            "dropShipCogsFlag": bool(package.get("includeCogsDropShipFlag")),
            "UomProductFlag": bool(package.get("sendUomFlag")),
        }

    def _has_account(self, closed: Closed) -> bool:
        """A company without account number: the real site exports nothing for it (8.1)."""
        company = closed.record.bill_to or closed.record.company
        return bool(self.setup.row("companies", company).get("accountNumber")) or (
            self.switches.missing_account == "export"
        )

    def _old_names(self, made: Row) -> Row:
        """Field names before 2022.1 (quirk 8)."""
        old = {
            "shipToCompanyAccountNumber": "shipCompanyAccountNumber",
            "shipToCompanyType": "shipCompanyType",
            "shipToTaxId": "shipTaxId",
        }
        renamed = [
            {old.get(name, name): value for name, value in row.items()}
            for row in made["transactions"]
        ]
        return {**made, "transactions": renamed}


def level_of(body: Row) -> str:
    """The level of detail a request asks for."""
    level = body.get("summarizeInvoices") or "Default"
    if level not in SUMMARY:
        raise invalid(
            RESOURCE, "summarizeInvoices", f"summarizeInvoices must be one of {', '.join(SUMMARY)}."
        )
    return str(level)


def kinds_of(body: Row, resource: str) -> list[str]:
    """The kinds a request includes; at least one flag must be true."""
    kinds = [kind for kind, flag in FLAGS.items() if body.get(flag)]
    if not kinds and not body.get("exportPaymentsFlag"):
        raise invalid(
            resource,
            "exportInvoicesFlag",
            "Batch export must include invoices, expenses, or products (procurement).",
            code="InvalidField",
        )
    return kinds


def ids_of(body: Row, name: str) -> frozenset[str]:
    """A list of ids as text; empty where the request leaves it out."""
    value: Any = body.get(name) or []
    if not isinstance(value, list):
        raise invalid(RESOURCE, name, f"{name} must be a list.", code="InvalidField")
    return frozenset(str(item) for item in value if item is not None)
