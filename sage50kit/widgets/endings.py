"""How a push ended, in plain words, with what to do next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sage50kit.reports.listings import TYPES, push_page
from sage50kit.reports.page import cell_text
from sage50kit.widgets import twin
from sage50kit.widgets.document import facts
from sage50kit.widgets.grid import GridColumn
from sage50kit.widgets.panel import message, text

if TYPE_CHECKING:
    from sage50kit.batch.report import PushReport

DOCUMENTS = (
    GridColumn(name="becomes", title="Became"),
    GridColumn(name="number", title="Number"),
    GridColumn(name="date", title="Date"),
    GridColumn(name="party", title="Customer or vendor"),
    GridColumn(name="state", title="State"),
    GridColumn(name="place", title="In Sage 50"),
    GridColumn(name="reason", title="Reason"),
    GridColumn(name="total", title="Total", kind="money", sum=True),
)
LEFT_OUT = (
    GridColumn(name="key", title="Key"),
    GridColumn(name="number", title="Number"),
    GridColumn(name="reason", title="Reason"),
    GridColumn(name="total", title="Total", kind="money", sum=True),
)
NEXT = {
    "completed": "Nothing more to do. Verify compares both systems.",
    "completed_with_warnings": "Read the warnings below; nothing has to be done at once.",
    "completed_with_errors": "Put right what is listed below, then push the rest under the proposed number.",
    "failed": "Nothing stands in the books and the batch number is free. Put right what is listed below, then push again.",
    "in_doubt": "Something was sent and not answered. Press “Finish what is in doubt”: it looks first, and posts nothing twice.",
}


def ending_html(report: PushReport) -> str:
    """The ending, what to do next, and every document."""
    tone = push_page(report).tone
    what = "" if report.dry_run else NEXT.get(report.status, "See the findings.")
    following = f"<p>{text(what)}</p>" if what else ""
    counted = facts([
        *((f"Documents {name.replace('_', ' ')}", f"{count:,}") for name, count in report.counts.items() if count),
        *((f"Amount {name.replace('_', ' ')}", cell_text(value)) for name, value in report.totals.items()),
    ])  # fmt: skip
    return message(report.headline, tone) + following + counted + _tables(report)


def report_static(report: PushReport) -> str:
    """The same for a page without a script, with the findings."""
    from sage50kit.widgets.picker import finding_list

    return ending_html(report) + finding_list(report.issues)


def _tables(report: PushReport) -> str:
    documents = report.documents.assign(
        becomes=[TYPES.get(kind, kind) for kind in report.documents["type"]]
    )
    shown = twin.table(documents, DOCUMENTS, caption="Documents") if len(documents) else ""
    left = twin.table(report.left_out, LEFT_OUT, caption="Left out") if len(report.left_out) else ""
    return shown + left
