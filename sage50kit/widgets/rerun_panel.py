"""Run a batch again: what of it stands in the books, and, in two steps, what is missing posted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipywidgets

from sage50kit.reports.corrections import rerun_page
from sage50kit.widgets import twin
from sage50kit.widgets.confirm import Confirm, button
from sage50kit.widgets.findings import finding_list
from sage50kit.widgets.grid import Grid, GridColumn
from sage50kit.widgets.panel import (
    html,
    labelled,
    live_page,
    message,
    row,
    style,
    styled,
    told,
)
from sage50kit.widgets.report import page_html
from sage50kit.widgets.watch import WritingPanel

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from sage50kit.batch.rerun import Rerun
    from sage50kit.kit import Kit

DOCUMENTS = (
    GridColumn(name="document", title="Document", width=22),
    GridColumn(name="number", title="Number", width=14),
    GridColumn(name="party_id", title="ID", width=13),
    GridColumn(name="date", title="Date", kind="date", width=13),
    GridColumn(name="state", title="In the books", kind="choice", width=14),
    GridColumn(name="connectwise", title="ConnectWise", kind="money", width=14, sum=True),
    GridColumn(name="books", title="Books", kind="money", width=14, sum=True),
    GridColumn(name="difference", title="Difference", width=24, grow=True),
)
BATCHES = (
    GridColumn(name="batch", title="Batch", width=20),
    GridColumn(name="state", title="State", kind="choice", width=20),
    GridColumn(name="started", title="Started", width=22, grow=True),
    GridColumn(name="actor", title="By", width=14),
    GridColumn(name="posted", title="Posted", kind="count", width=10),
    GridColumn(name="refused", title="Refused", kind="count", width=10),
    GridColumn(name="in_doubt", title="In doubt", kind="count", width=10),
)
STATES = {
    "planned": "planned",
    "creating": "begun, not ended",
    "created": "pushed",
    "rerunning": "run again, not ended",
    "unposted": "un-posted",
    "failed": "failed",
}


class RerunPanel(WritingPanel):
    """Compare a batch with the books, and post what is missing.

    Args:
        kit: the pair.
        batch: its number; empty: nothing is compared until one is chosen.
        again: keys to post again although they stand in the books.
        dry_run: only of an unattended run: True only compares.
    """

    def __init__(
        self, kit: Kit, *, batch: str = "", again: Sequence[str] = (), dry_run: bool = True
    ) -> None:
        super().__init__(kit.workdir)
        self.kit = kit
        self.rerun: Rerun | None = None
        self._again = list(again)
        if live_page():
            self._build(batch)
        elif batch:
            self.rerun = kit.rerun(batch, repost=self._again, dry_run=dry_run)

    def static(self) -> str:
        """The comparison, document by document, or the batches there are."""
        if self.rerun is not None:
            return styled(page_html(rerun_page(self.rerun)))
        batches = twin.table(batches_of(self.kit), BATCHES, caption="Batches")
        return styled(message("No batch was named: nothing was compared.") + batches)

    # --- the page ---

    def _build(self, batch: str) -> None:
        known = [str(name) for name in self.kit.history()["batch"]]
        options = [*known, *([batch] if batch and batch not in known else [])]
        self._batch = labelled("Batch", ipywidgets.Dropdown(options=options))
        self._batch.value = batch or (options[0] if options else None)
        self._look = button("Compare with the books", self._compare)
        self._grid = Grid(
            _none(), DOCUMENTS, label="Documents of the batch", include_title="Post again",
            exclude_title="Do not post again",
            included_word="to be posted again", empty="Nothing was compared yet.",
        )  # fmt: skip
        self._found = html()
        self.confirm = Confirm(
            "Post what is missing …", "Yes, post it now", ask=self._ask, act=self._post
        )
        self.confirm.depends_on(self._batch, "value")
        self.confirm.depends_on(self._grid, "mask")
        self.children = (style(), self._watch, row(self._batch, self._look), self.message, self._grid, self._found, self.confirm)  # fmt: skip
        if batch:
            self._compare()

    @told
    def _compare(self, _button: Any = None) -> None:
        self.confirm.close_question()
        self.say("Comparing …")
        self._show(self.kit.rerun(self._batch.value, repost=self._again))

    def _show(self, rerun: Rerun) -> None:
        self.rerun = rerun
        page = rerun_page(rerun)
        self.say(page.headline, page.tone)
        chosen = [str(key).partition("#")[0] in self._again for key in rerun.documents["document"]]
        self._grid.show(rerun.documents, chosen)
        self._found.value = finding_list(rerun.issues) if len(rerun.issues) else ""

    @told
    def _ask(self, _button: Any) -> None:
        """Compare once more, with what is ticked, and ask about exactly that."""
        rows = self._grid.selected
        self._again = [str(key).partition("#")[0] for key in rows["document"]] if len(rows) else []
        self._show(self.kit.rerun(self._batch.value, repost=self._again))
        assert self.rerun is not None  # noqa: S101  # just shown
        count = len(self.rerun.plan.documents)
        if not count:
            self.say(f"Batch {self.rerun.batch}: nothing is missing, nothing to post.", "good")
            return
        ticked = f", {len(self._again)} of them although they stand there" if self._again else ""
        self.confirm.question(
            f"Post {count} documents of batch {self.rerun.batch} to {self.kit.company.name} again{ticked}?"
        )

    @told
    def _post(self) -> None:
        assert self.rerun is not None  # noqa: S101  # it was asked about
        self._watch.begin(self._run, self.rerun)

    @told
    def _run(self, rerun: Rerun) -> None:
        self.say(f"Posting what is missing of batch {rerun.batch} …")
        self._again = []
        self._show(self.kit.post_missing(rerun))


def batches_of(kit: Kit) -> pd.DataFrame:
    """Every batch that was planned or pushed, its state and time as people read them."""
    rows = kit.history()
    return rows.assign(
        state=[STATES.get(state, state) for state in rows["state"]],
        started=[f"{str(at)[:16].replace('T', ' ')} UTC" for at in rows["started"]],
    )


def _none() -> Any:
    import pandas as pd

    return pd.DataFrame({column.name: [] for column in DOCUMENTS})
