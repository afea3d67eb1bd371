"""Expenses as the export shows them: bills of a member, or single expenses with their offset."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sage50kit.money import total
from sage50kit.sandbox.accounttext import joined
from sage50kit.sandbox.exportdates import header_date

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sage50kit.sandbox.closing import Closed, Closing
    from sage50kit.sandbox.records import Expense, Report
    from sage50kit.sandbox.setup import Setup
    from sage50kit.sandbox.tables import Row
    from sage50kit.sandbox.unposted import UnpostedRows

DOCUMENT_TYPE = "GENERAL JOURNAL"


class ExpenseExport:
    """Projects closed expenses; nothing is changed."""

    def __init__(self, setup: Setup, closing: Closing, rows: UnpostedRows) -> None:
        self.setup = setup
        self.closing = closing
        self.rows = rows

    def text(self, segments: tuple[str, ...]) -> str:
        """An account as text."""
        return joined(segments, self.rows.delimiter)

    def report(self, closed: Closed) -> Report:
        """The expense report an expense is on."""
        return self.rows.reports[closed.record.report]

    def parties(self, chosen: list[Closed]) -> tuple[list[int], list[int]]:
        """The members and the customers of the expenses, each once."""
        members = dict.fromkeys(self.report(closed).member for closed in chosen)
        companies = dict.fromkeys(
            closed.record.company for closed in chosen if closed.record.company
        )
        return list(members), list(companies)

    def vendors(self, members: Iterable[int]) -> list[Row]:
        """Members as vendors."""
        return [
            {
                "member": self.setup.short("members", member),
                "vendorNumber": self.setup.row("members", member).get("vendorNumber") or "",
                "accountNumber": "",
                "dueDays": 0,
            }
            for member in members
        ]

    def bills(self, chosen: list[Closed]) -> list[Row]:
        """One bill for each member, report and currency."""
        groups: dict[Any, list[Closed]] = {}
        for closed in chosen:
            key = closed.record.report, self.rows.currency(closed.record.company)
            groups.setdefault(key, []).append(closed)
        return [self._bill(group, currency) for (_, currency), group in groups.items()]

    def _bill(self, group: list[Closed], currency: int) -> Row:
        """A bill: header and details are both positive, the header is their sum (8.2)."""
        report, first = self.report(group[0]), group[0].entries[0].id
        member = self.setup.row("members", report.member)
        payable = next((closed.entries[1] for closed in group if len(closed.entries) > 1), None)
        condensed = self.closing.package.get("expenseFormat") == "Condensed"
        lines: dict[Any, list[Closed]] = {}
        for closed in group:
            lines.setdefault(self._same_line(closed) if condensed else closed.key, []).append(
                closed
            )
        return {
            "id": first,
            "documentDate": header_date(report.date_end),
            "documentType": DOCUMENT_TYPE,
            "documentNumber": f"{first}{member['identifier']}",
            "memo": f"Expenses for {report.date_start:%Y-%m-%d} - {report.date_end:%Y-%m-%d}",
            "glClass": "",
            "apAccountNumber": self.text(payable.account.segments) if payable else "",
            "member": self.setup.short("members", report.member),
            "vendorNumber": member.get("vendorNumber") or "",
            "currency": self.setup.reference("currencies", currency),
            "total": total(closed.record.amount for closed in group),
            "detail": [self._bill_line(merged, currency) for merged in lines.values()],
        }

    def _same_line(self, closed: Closed) -> Any:
        """What the Condensed format puts on one line."""
        expense: Expense = closed.record
        accounts = tuple(entry.account.segments for entry in closed.entries)
        return expense.type, expense.company, expense.billable, expense.classification, accounts

    def _bill_line(self, merged: list[Closed], currency: int) -> Row:
        expense, entry = merged[0].record, merged[0].entries[0]
        row: Row = {
            "id": [entry.id for closed in merged for entry in closed.entries],
            "documentDate": header_date(expense.date),
            "glTypeId": entry.gl_type,
            "memo": self.setup.row("expenseTypes", expense.type)["name"],
            "accountNumber": self.text(entry.account.segments),
            "currency": self.setup.reference("currencies", currency),
            "total": total(closed.record.amount for closed in merged),
            "billable": expense.billable,
            "reimbursable": expense.classification == "Reimbursable",
            "companyAdvance": bool(
                self.setup.row("paymentTypes", expense.payment_method).get("companyFlag")
            ),
        }
        if expense.company:
            row["company"] = self.setup.short("companies", expense.company)
        return row

    def expense(self, closed: Closed) -> Row:
        """One expense with its offset, where the package does not transfer expenses as bills."""
        expense: Expense = closed.record
        report, entry = self.report(closed), closed.entries[0]
        company = self.setup.row("companies", expense.company) if expense.company else {}
        common = {
            "documentDate": header_date(expense.date),
            "documentType": DOCUMENT_TYPE,
            "glClass": "",
            "memo": expense.notes,
            "description": self.setup.row("expenseTypes", expense.type)["name"],
            "member": self.setup.short("members", report.member),
        }
        offset = closed.entries[1] if len(closed.entries) > 1 else None
        row: Row = {
            "id": entry.id,
            **common,
            "apAccountNumber": self.text(offset.account.segments) if offset else "",
            "apClass": "",
            "accountNumber": self.text(entry.account.segments),
            "glTypeId": entry.gl_type,
            "periodStartDate": header_date(report.date_start),
            "periodEndDate": header_date(report.date_end),
            "vendorNumber": self.setup.row("members", report.member).get("vendorNumber") or "",
            "companyAccountNumber": company.get("accountNumber") or "",
            "currency": self.setup.reference("currencies", self.rows.currency(expense.company)),
            "total": entry.amount,
        }
        if expense.company:
            row["company"] = self.setup.short("companies", expense.company)
        if offset:
            row["offset"] = {
                "id": offset.id,
                **common,
                "accountNumber": self.text(offset.account.segments),
                "glTypeId": "EO",
                "total": offset.amount,
            }
        return row
