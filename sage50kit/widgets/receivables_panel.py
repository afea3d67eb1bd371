"""Receivables: what is owed in both systems and in the ledger at the end of a day, each difference, and the ageing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipywidgets

from sage50kit.reports.page import cell_text
from sage50kit.reports.receivables import (
    BUCKETS,
    BY,
    SUMMARY,
    ageing_page,
    reconciliation_page,
)
from sage50kit.widgets import twin
from sage50kit.widgets.confirm import button
from sage50kit.widgets.document import facts
from sage50kit.widgets.files import Files, listed
from sage50kit.widgets.grid import Grid, GridColumn
from sage50kit.widgets.panel import (
    Panel,
    heading,
    html,
    labelled,
    live_page,
    message,
    replace_children,
    row,
    style,
    styled,
    text,
    told,
)
from sage50kit.widgets.picture import bars

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from sage50kit.kit import Kit
    from sage50kit.payments.ageing import Ageing
    from sage50kit.payments.reconcile import Reconciliation

CLASSES = (
    GridColumn(name="class", title=SUMMARY["class"], width=26, grow=True),
    GridColumn(name="count", title=SUMMARY["count"], kind="count", width=12),
    GridColumn(name="amount", title=SUMMARY["amount"], kind="money", width=26, sum=True),
)
ROLL_FORWARD = (
    GridColumn(name="movement", title="Movement", width=32, grow=True),
    GridColumn(name="sage", title="Sage 50 documents", kind="money", width=20),
    GridColumn(name="ledger", title="General ledger", kind="money", width=20),
)
DIFFERENCES = (
    GridColumn(name="class", title="Class", kind="choice", width=21),
    GridColumn(name="number", title="Invoice", width=12),
    GridColumn(name="customer_id", title="Customer", width=13),
    GridColumn(name="date", title="Date", kind="date", width=12),
    GridColumn(name="amount", title="Difference", kind="money", width=13, sum=True),
    GridColumn(name="words", title="Why, and what to do", width=28, grow=True),
    GridColumn(name="place", title="In Sage 50", width=12),
)
ITEMS = (
    GridColumn(name="number", title="Invoice", width=12),
    GridColumn(name="customer_id", title="ID", width=13),
    GridColumn(name="customer", title="Customer", width=20, grow=True),
    GridColumn(name="date", title="Date", kind="date", width=12),
    GridColumn(name="due_date", title="Due", kind="date", width=12),
    GridColumn(name="connectwise", title="ConnectWise", kind="money", width=14, sum=True),
    GridColumn(name="sage", title="Sage 50", kind="money", width=14, sum=True),
    GridColumn(name="ledger", title="Receivable account", kind="money", width=20, sum=True),
    GridColumn(name="class", title="Class", kind="choice", width=18),
)
CUSTOMERS = (
    GridColumn(name="customer_id", title="ID", width=13),
    GridColumn(name="customer", title="Customer", width=20, grow=True),
    *(GridColumn(name=name, title=title, kind="money", width=len(title) + 5, sum=True) for name, title in BUCKETS.items()),
    GridColumn(name="total", title="Total", kind="money", width=13, sum=True),
)  # fmt: skip
OPEN = (
    GridColumn(name="number", title="Invoice", width=12),
    GridColumn(name="customer", title="Customer", width=20, grow=True),
    GridColumn(name="date", title="Date", kind="date", width=12),
    GridColumn(name="due_date", title="Due", kind="date", width=12),
    GridColumn(name="days", title="Days", kind="count", width=9),
    GridColumn(name="bucket", title="Age", kind="choice", width=18),
    GridColumn(name="amount", title="Open", kind="money", width=13, sum=True),
)
PARTS = {
    "Differences": DIFFERENCES,
    "Open receivables": ITEMS,
    "Classes": CLASSES,
    "Roll-forward": ROLL_FORWARD,
    "Ageing by customer": CUSTOMERS,
    "Open items": OPEN,
}


class ReceivablesPanel(Panel):
    """Compare what is owed three ways, and age it.

    Args:
        kit: the pair.
        as_of: the end of this day; empty for today.
        by: what ages count from: `due_date` or `invoice_date`.
        dry_run: only of an unattended run: False saves the reports.

    Raises:
        UsageError: `as_of` is no date; in a live page it is told there.
    """

    def __init__(
        self, kit: Kit, *, as_of: str = "", by: Any = "due_date", dry_run: bool = True
    ) -> None:
        super().__init__(kit.workdir)
        self.kit = kit
        self.found: Reconciliation | None = None
        self.ageing: Ageing | None = None
        self.files: list[Path] = []
        if live_page():
            self._build(as_of, by)
            return
        found, ageing = self._compare(as_of, by)
        self.files = kit.save_receivables(found, ageing, dry_run=dry_run)

    def static(self) -> str:
        """Both sentences, their figures and every table."""
        if self.found is None or self.ageing is None:
            return styled(self.message.value)
        frames = frames_of(self.found, self.ageing)
        tables = "".join(
            twin.table(frames[name], columns, caption=name)
            for name, columns in PARTS.items()
            if len(frames[name])
        )
        head = _head(self.found, self.ageing)
        return styled(head + tables + _picture(self.ageing) + listed(self.files))

    def _compare(self, as_of: str, by: Any) -> tuple[Reconciliation, Ageing]:
        found = self.kit.reconcile(as_of=as_of)
        self.found, self.ageing = found, self.kit.ageing(as_of=as_of, by=by)
        return self.found, self.ageing

    # --- the page ---

    def _build(self, as_of: str, by: Any) -> None:
        self._day = labelled(
            "At the end of", ipywidgets.Text(value=as_of, placeholder="today, or 2026-10-31")
        )
        options = [(words, name) for name, words in BY.items()]
        self._by = labelled("Age by", ipywidgets.Dropdown(options=options, value=by))
        self._look = button("Compare", self._compare_again)
        self._save = button("Save the reports", self._save_reports)
        self._head, self._drawn, self._files = html(), html(), Files()
        self._section = ipywidgets.ToggleButtons(options=tuple(PARTS))
        self._section.style.button_width = "auto"
        self._section.observe(self._show_section, "value")
        self._body = ipywidgets.VBox()
        controls = row(self._day, self._by, self._look, self._save)
        self.children = (
            style(), controls, self.message, self._head, self._files, self._section, self._body, self._drawn,
        )  # fmt: skip
        self._compare_again()

    @told
    def _compare_again(self, _button: Any = None) -> None:
        """Read everything anew; what was shown goes, so that nothing stands under another day."""
        self.found = None
        self._show()
        self.say("Comparing …")
        found, ageing = self._compare(self._day.value.strip(), self._by.value)
        self.say("")
        self._show(_head(found, ageing), _picture(ageing))

    def _show(self, head: str = "", drawn: str = "") -> None:
        self._head.value, self._drawn.value = head, drawn
        self._save.disabled = not head
        self._files.offer([])
        self._show_section()

    @told
    def _show_section(self, _change: Any = None) -> None:
        if self.found is None or self.ageing is None:
            replace_children(self._body, ())
            return
        name = self._section.value
        frame = frames_of(self.found, self.ageing)[name]
        grid = Grid(frame, PARTS[name], label=name, empty="Nothing to show here.")
        opened = html()
        grid.observe(lambda change: self._open(opened, frame, change["new"]), "current")
        replace_children(self._body, (heading(name), grid, opened))

    @told
    def _open(self, place: ipywidgets.HTML, frame: pd.DataFrame, number: int) -> None:
        """The whole sentence of a difference that is opened."""
        if "words" in frame.columns and 0 <= number < len(frame):
            found = frame.iloc[number]
            place.value = message(f"{found['number']}: {found['words']}")

    @told
    def _save_reports(self, _button: Any) -> None:
        if self.found is not None and self.ageing is not None:
            self.files = self.kit.save_receivables(self.found, self.ageing, dry_run=False)
            self._files.offer(self.files)


def frames_of(found: Reconciliation, ageing: Ageing) -> dict[str, pd.DataFrame]:
    """The tables of the page by name; a difference has its cause and its cure in one column."""
    differences, items = found.differences, ageing.open_items
    return {
        "Differences": differences.assign(
            words=(differences["why"] + " " + differences["fix"]).astype("object")
        ),
        "Open receivables": found.items,
        "Classes": found.summary,
        "Roll-forward": found.roll_forward,
        "Ageing by customer": ageing.by_customer,
        "Open items": items.assign(bucket=items["bucket"].map(BUCKETS).astype("object")),
    }


def _head(found: Reconciliation, ageing: Ageing) -> str:
    pages = (reconciliation_page(found, brief=True), ageing_page(ageing, brief=True))
    return "".join(
        f'<h3 class="s50-heading">{text(page.title)}</h3>'
        + message(page.headline, page.tone)
        + facts((name, cell_text(value)) for name, value in page.facts)
        for page in pages
    )


def _picture(ageing: Ageing) -> str:
    amounts = [(BUCKETS[name], amount) for name, amount in ageing.totals.items()]
    return bars(f"Open receivables by {BY[ageing.by]}", amounts)
