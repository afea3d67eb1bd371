"""Payments: what Sage 50 says was paid, what that changes in ConnectWise, and, in two steps, the writing of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipywidgets

from sage50kit.errors import UsageError
from sage50kit.issues import issues_frame
from sage50kit.reports.files import save_page
from sage50kit.reports.page import cell_text
from sage50kit.reports.page import heading as title_of
from sage50kit.reports.payments import payments_page
from sage50kit.widgets.confirm import Confirm, button
from sage50kit.widgets.document import facts
from sage50kit.widgets.files import Files, listed
from sage50kit.widgets.findings import finding_list
from sage50kit.widgets.grid import Grid, GridColumn
from sage50kit.widgets.panel import html, labelled, live_page, row, style, styled, told
from sage50kit.widgets.report import page_html
from sage50kit.widgets.watch import WritingPanel

if TYPE_CHECKING:
    from pathlib import Path

    from sage50kit.kit import Kit
    from sage50kit.payments.model import PaymentPlan
    from sage50kit.payments.report import PaymentReport

CHANGES = (
    GridColumn(name="number", title="Invoice", width=13),
    GridColumn(name="customer_id", title="Customer", width=14, grow=True),
    GridColumn(name="do", title="Payment is to be", kind="choice", width=17),
    GridColumn(name="before", title="Paid before", kind="money", width=14, sum=True, zero=True),
    GridColumn(name="amount", title="Paid now", kind="money", width=14, sum=True, zero=True),
    GridColumn(name="total", title="Invoice total", kind="money", width=15),
    GridColumn(name="sent_date", title="Date sent", kind="date", width=12),
    GridColumn(name="paid_date", title="Paid in full on", kind="date", width=15),
    GridColumn(name="outcome", title="Outcome", width=16, grow=True),
    GridColumn(name="finding", title="Finding", kind="finding", width=20, grow=True),
)
STARTS = {
    "the last run that ended well": "last",
    "a week ago": "week",
    "two weeks ago": "fortnight",
    "a month ago": "month",
}


class PaymentsPanel(WritingPanel):
    """Read what Sage 50 says was paid, show what that changes, and write it.

    Args:
        kit: the pair.
        since: `last` (successful run), `week`, `fortnight`, `month` or a date such as 2026-10-31.
        full: look at every invoice that was ever paid.
        dry_run: only of an unattended run: True stops before anything is written.

    In a live page only its buttons write, whatever `dry_run` says.

    Raises:
        UsageError: `since` is nothing of that; in a live page it is told there.
    """

    def __init__(
        self, kit: Kit, *, since: str = "last", full: bool = False, dry_run: bool = True
    ) -> None:
        super().__init__(kit.workdir)
        self.kit = kit
        self.report: PaymentReport | None = None
        self.files: list[Path] = []
        self._ready: PaymentPlan | None = None  # what the second step would write
        if live_page():
            self._build(since, full=full)
            return
        plan = kit.plan_payments(kit.fetch_receipts(since=since, full=full))
        self.report = kit.apply_payments(plan, dry_run=dry_run)
        if not dry_run:
            self._keep()

    def static(self) -> str:
        """What was or would be written, invoice by invoice, and every finding."""
        if self.report is None:
            return styled(self.message.value)
        return styled(page_html(payments_page(self.report)) + listed(self.files))

    # --- the page ---

    def _build(self, since: str, *, full: bool) -> None:
        known = {**STARTS, **({since: since} if since not in STARTS.values() else {})}
        self._since = labelled(
            "Receipts since", ipywidgets.Dropdown(options=known.items(), value=since)
        )
        self._full = ipywidgets.Checkbox(
            value=full,
            description="Look at every invoice ever paid",
            indent=False,
            layout={"width": "auto"},
        )
        self._read = button("Read Sage 50", self._read_again)
        self._grid = Grid(
            _none(),
            CHANGES,
            label="Payments in ConnectWise",
            name_column="number",
            empty="No payment has to be written.",
        )
        self.confirm = Confirm(
            "Write the payments …", "Yes, write them now", ask=self._ask, act=self._write
        )
        self._counts, self._found, self._files = html(), html(), Files()
        self.children = (
            style(),
            self._watch,
            row(self._since, self._full, self._read),
            self.message,
            self._counts,
            self._grid,
            self._found,
            self.confirm,
            self._files,
        )
        self._read_again()

    @told
    def _read_again(self, _button: Any = None) -> None:
        self.confirm.close_question()
        self._ready = None
        self.say("Reading Sage 50 and ConnectWise …")
        reading = self.kit.fetch_receipts(since=self._since.value, full=self._full.value)
        plan = self.kit.plan_payments(reading)
        self._show(self.kit.apply_payments(plan))
        self._ready = plan

    def _show(self, report: PaymentReport) -> None:
        self.report = report
        page = payments_page(report)
        self.say(page.headline, page.tone)
        counts = {} if report.is_preview else report.counts
        self._counts.value = facts((title_of(name), cell_text(n)) for name, n in counts.items())
        self._grid.show(report.frame(), notes=b"")
        self._grid.mark(_marks(report))
        issues = report.findings()
        self._found.value = finding_list(issues) if len(issues) else ""

    @told
    def _ask(self, _button: Any) -> None:
        plan = self._ready
        if plan is None:
            raise UsageError(
                "read Sage 50 first; what was shown is written already, or was not read."
            )
        receipts = len(plan.portal)
        back = (
            f", and post {receipts} portal payments to {self.kit.company.name}" if receipts else ""
        )
        self.confirm.question(
            f"Write {len(plan.changes)} payments to {self.kit.connectwise.name}{back}?"
        )

    @told
    def _write(self) -> None:
        plan, self._ready = self._ready, None
        self._watch.begin(self._apply, plan)

    @told
    def _apply(self, plan: PaymentPlan) -> None:
        self.say("Writing the payments …")
        report = self.kit.apply_payments(plan, dry_run=False)
        self._show(report)
        self._files.offer(self._keep())

    def _keep(self) -> list[Path]:
        """Leave the evidence in the workdir, as the terminal does."""
        assert self.report is not None  # noqa: S101  # it has just been made
        folder = self.kit.workdir / "payments"
        self.files = save_page(payments_page(self.report), folder, self.kit.log.run)
        return self.files


def _marks(report: PaymentReport) -> dict[int, tuple[str, str]]:
    """The worst finding of each change, by row number."""
    place = {change.number: number for number, change in enumerate(report.plan.changes)}
    issues = issues_frame(report.issues)
    marks: dict[int, tuple[str, str]] = {}
    columns = ("number", "severity", "message", "fix")
    for number, severity, sentence, fix in zip(*(issues[name] for name in columns), strict=True):
        if number in place:
            marks.setdefault(place[number], (severity, f"{sentence} → {fix}"))
    return marks


def _none() -> Any:
    import pandas as pd

    return pd.DataFrame({column.name: [] for column in CHANGES if column.kind != "finding"})
