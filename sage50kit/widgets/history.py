"""Batches and pushes: look at one again, verify it, take it back, clear what is never to be posted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipywidgets

from sage50kit.errors import UsageError
from sage50kit.reports.corrections import drift_page, undone_page
from sage50kit.reports.files import batch_folder, save_push, save_verification
from sage50kit.reports.listings import push_page, verification_page
from sage50kit.widgets import twin
from sage50kit.widgets.confirm import Confirm, button
from sage50kit.widgets.files import Files
from sage50kit.widgets.grid import Grid
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
from sage50kit.widgets.rerun_panel import BATCHES, batches_of
from sage50kit.widgets.watch import WritingPanel

if TYPE_CHECKING:
    import pandas as pd

    from sage50kit.kit import Kit
    from sage50kit.reports.page import Page
    from sage50kit.widgets.picker import Picker


class History(WritingPanel):
    """Every batch that was planned or pushed, and what can be done about it."""

    def __init__(self, kit: Kit) -> None:
        super().__init__(kit.workdir)
        self.kit = kit
        self.batches = batches_of(kit)
        if live_page():
            self._build()

    def static(self) -> str:
        """The batches as a table."""
        return styled(twin.table(self.batches, BATCHES, caption="Batches"))

    @property
    def batch(self) -> str:
        """The batch that is opened.

        Raises:
            UsageError: none is.
        """
        if not 0 <= self.grid.current < len(self.batches):
            raise UsageError("open a batch of the list first: a click on its row, or Enter.")
        return str(self.batches["batch"].iloc[self.grid.current])

    def _build(self) -> None:
        self.grid = Grid(
            self.batches, BATCHES, label="Batches", name_column="batch", height=10,
            empty="Nothing was pushed yet.",
        )  # fmt: skip
        self.grid.observe(self._open, "current")
        self._verify = button("Verify this batch", self._verify_one)
        self._drift = button("Look for changes in all batches", self._look_for_changes)
        self._void = ipywidgets.Checkbox(
            description="Void its documents in Sage 50, too", indent=False, layout={"width": "auto"}
        )
        self.confirm = Confirm("Un-post this batch …", "Yes, un-post it", ask=self._ask, act=self._unpost)  # fmt: skip
        self.confirm.depends_on(self.grid, "current", "turn")
        self.confirm.depends_on(self._void, "value")
        self._files, self._result = Files(), html()
        self.children = (
            style(), self._watch, self.grid, row(self._verify, self._drift), row(self._void, self.confirm),
            self.message, self._files, self._result,
        )  # fmt: skip

    @told
    def _open(self, _change: Any) -> None:
        """Offer the evidence that the push left: its proof, its report, its log."""
        self.confirm.close_question()
        if self.grid.current < 0:
            return
        folder = batch_folder(self.kit.workdir, self.batch)
        files = sorted(folder.glob("*.*")) if folder.is_dir() else []
        self._files.offer(files)
        self.say(f"Batch {self.batch}: {len(files)} files of evidence.")
        self._result.value = ""

    def _tell(self, page: Page) -> None:
        self.say("")
        self._result.value = page_html(page)

    @told
    def _verify_one(self, _button: Any) -> None:
        self.say(f"Comparing batch {self.batch} …")
        verification = self.kit.verify(self.batch)
        self._files.offer(save_verification(verification, self.kit.workdir))
        self._tell(verification_page(verification))

    @told
    def _look_for_changes(self, _button: Any) -> None:
        self.say("Comparing all batches …")
        self._tell(drift_page(self.kit.verify_all()))

    @told
    def _ask(self, _button: Any) -> None:
        self._ready = (self.batch, bool(self._void.value))
        void = " and void its documents in Sage 50" if self._void.value else ""
        self.confirm.question(
            f"Delete batch {self.batch} in {self.kit.connectwise.name}{void}? Its transactions become "
            "unposted again; what stands in Sage 50 is listed afterwards."
        )

    @told
    def _unpost(self) -> None:
        batch, void = self._ready
        self._watch.begin(self._take_back, batch, void)

    @told
    def _take_back(self, batch: str, void: bool) -> None:  # noqa: FBT001  # Watch passes by position
        self.say(f"Un-posting batch {batch} …")
        undone = self.kit.unpost(batch, void=void)
        self.batches = batches_of(self.kit)
        self.grid.show(self.batches)
        self._tell(undone_page(undone))


class ClearPanel(WritingPanel):
    """Batch what a picker chose without posting it.

    Args:
        kit: the pair.
        picker: where the choice is.
        batch: the batch number; empty for the proposed one.
        reason: why nothing is posted; without one nothing is cleared.
        dry_run: only of an unattended run: True writes nothing.
    """

    def __init__(
        self, kit: Kit, picker: Picker, *, batch: str = "", reason: str = "", dry_run: bool = True
    ) -> None:
        super().__init__(kit.workdir)
        self.kit, self.picker = kit, picker
        self._words = "Nothing is cleared: no reason was given."
        if live_page():
            self._build(batch, reason)
        elif reason:
            number = batch or kit.propose_batch(picker.selected)
            report = kit.clear(picker.selected, batch=number, reason=reason, dry_run=dry_run)
            self._words = report.headline

    def static(self) -> str:
        """What was cleared, in one sentence."""
        return styled(message(self._words))

    def _build(self, batch: str, reason: str) -> None:
        self._reason = labelled("Reason", ipywidgets.Text(value=reason))
        self._number = labelled(
            "Batch number", ipywidgets.Text(value=batch, placeholder="proposed")
        )
        self.confirm = Confirm("Clear …", "Yes, clear them", ask=self._ask, act=self._clear)
        self.confirm.depends_on(self.picker.grid, "mask")
        self.confirm.depends_on(self._reason, "value")
        self.confirm.depends_on(self._number, "value")
        self._result = html()
        self.children = (
            style(), self._watch, row(self._reason, self._number), self.message, self.confirm, self._result,
        )  # fmt: skip

    @told
    def _ask(self, _button: Any) -> None:
        """A rehearsal raises what would be wrong; then the question."""
        self.picker.check_is_shown()
        chosen = self.picker.selected
        if not len(chosen):
            raise UsageError("nothing is included: tick what is to be cleared.")
        self._number.value = self._number.value.strip() or self.kit.propose_batch(chosen)
        words = {"batch": self._number.value, "reason": self._reason.value}
        self.kit.clear(chosen, **words)
        self._ready = (chosen, words)
        self.say("")
        self.confirm.question(
            f"Put {len(chosen)} transactions into batch {self._number.value} in ConnectWise without posting "
            f"them to Sage 50, because: {self._reason.value}?"
        )

    @told
    def _clear(self) -> None:
        self._watch.begin(self._batch_them, *self._ready)

    @told
    def _batch_them(self, chosen: pd.DataFrame, words: dict[str, Any]) -> None:
        self.say("Clearing …")
        report = self.kit.clear(chosen, **words, dry_run=False)
        save_push(report, self.kit.log.events(report.batch), self.kit.workdir)
        self.say("")
        self._result.value = page_html(push_page(report))
