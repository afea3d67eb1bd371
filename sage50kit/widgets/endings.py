"""How a push ended, in plain words, with what to do next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sage50kit.reports.columns import TYPES
from sage50kit.reports.listings import push_page
from sage50kit.reports.page import cell_text
from sage50kit.widgets import twin
from sage50kit.widgets.document import facts
from sage50kit.widgets.findings import finding_list
from sage50kit.widgets.grid import GridColumn
from sage50kit.widgets.panel import message, text

if TYPE_CHECKING:
    import pandas as pd

    from sage50kit.batch.report import PushReport

DOCUMENTS = (
    GridColumn(name="becomes", title="Became", kind="choice", width=20),
    GridColumn(name="number", title="Number", width=14),
    GridColumn(name="date", title="Date", kind="date", width=13),
    GridColumn(name="party", title="Customer or vendor", width=20, grow=True),
    GridColumn(name="state", title="State", kind="choice", width=11),
    GridColumn(name="place", title="In Sage 50", width=12),
    GridColumn(name="total", title="Total", kind="money", width=13, sum=True, zero=True),
    GridColumn(name="reason", title="Reason", width=22, grow=True),
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
    """The ending, what to do next, and how much it was."""
    tone = push_page(report).tone
    what = "" if report.dry_run else NEXT.get(report.status, "See the findings.")
    following = f"<p>{text(what)}</p>" if what else ""
    counts = [(f"Documents {_words(name)}", f"{n:,}") for name, n in report.counts.items() if n]
    totals = [(f"Amount {_words(name)}", cell_text(n)) for name, n in report.totals.items()]
    return message(report.headline, tone) + following + facts([*counts, *totals])


def report_static(report: PushReport) -> str:
    """The same for a page without a script, with the findings and every document."""
    documents, left = documents_of(report), report.left_out
    shown = twin.table(documents, DOCUMENTS, caption="Documents") if len(documents) else ""
    rest = twin.table(left, LEFT_OUT, caption="Left out") if len(left) else ""
    return ending_html(report) + finding_list(report.issues) + shown + rest


def documents_of(report: PushReport) -> pd.DataFrame:
    """The documents, with their type in words."""
    return report.documents.assign(
        becomes=[TYPES.get(kind, kind) for kind in report.documents["type"]]
    )


def _words(name: str) -> str:
    return name.replace("_", " ")
