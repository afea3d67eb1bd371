"""The push panel: a batch number, a sentence, two deliberate steps, and what became of it.

Nothing is written by making the panel, by running its cell again, or by a double click: the second step is
another button, in another place. The push runs in a thread of the kernel, so that the page stays alive; pausing
is a progress callback that waits.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import ipywidgets

from sage50kit.batch.numbers import check_number
from sage50kit.errors import BatchTaken, PushInProgress, UsageError
from sage50kit.model import ARRIVED
from sage50kit.money import text as amount
from sage50kit.money import total as total_of
from sage50kit.reports.files import (
    batch_folder,
    save_errors,
    save_full_log,
    save_proof,
    save_push,
)
from sage50kit.reports.listings import push_page
from sage50kit.widgets.confirm import Confirm, button
from sage50kit.widgets.endings import DOCUMENTS, documents_of, ending_html, report_static
from sage50kit.widgets.files import Files, listed
from sage50kit.widgets.findings import finding_list
from sage50kit.widgets.grid import Grid
from sage50kit.widgets.panel import (
    html,
    labelled,
    live_page,
    message,
    replace_children,
    row,
    style,
    styled,
    told,
)
from sage50kit.widgets.watch import WritingPanel, closing

if TYPE_CHECKING:
    from pathlib import Path

    from sage50kit.batch.report import PushReport
    from sage50kit.kit import Kit
    from sage50kit.model import Document, Plan
    from sage50kit.model.lists import Master
    from sage50kit.widgets.preview import Preview


MOST_REFUSALS = 20  # shown while a push runs


class PushPanel(WritingPanel):
    """Push what a preview shows.

    Args:
        kit: the pair that is written to.
        preview: where the plan is.
        dry_run: only of an unattended run: True stops before anything is written.

    In a live page only its buttons push, whatever `dry_run` says.
    """

    def __init__(self, kit: Kit, preview: Preview, *, dry_run: bool = True) -> None:
        super().__init__(kit.workdir)
        self.kit, self.preview = kit, preview
        self.report: PushReport | None = None
        self.files: list[Path] = []
        self._ready: Plan | None = None  # what the second step would push
        self._go = threading.Event()
        self._go.set()
        if live_page():
            self._build()
            return
        self.report = kit.push(preview.plan, dry_run=dry_run)
        if not dry_run:
            self._keep(self.report, preview.plan)

    def static(self) -> str:
        """How the push ended, document by document."""
        if self.report is None:
            return styled(message("Nothing was pushed."))
        return styled(report_static(self.report) + listed(self.files))

    # --- the page ---

    def _build(self) -> None:
        self._number = labelled("Batch number", ipywidgets.Text(continuous_update=True))
        self._number.observe(self._check_number, "value")
        self._checked = html()
        self.confirm = Confirm("Push …", "Yes, write it now", ask=self._prepare, act=self._push)
        self.confirm.depends_on(self.preview, "turn")
        self.confirm.depends_on(self._number, "value")
        self._bar = ipywidgets.IntProgress(layout={"width": "100%", "max_width": "40rem"})
        self._step = html()
        self._pause = button("Pause after this document", self._pause_or_go)
        self._running = ipywidgets.VBox([self._bar, self._step, self._pause])
        self._live, self._ending, self._found = html(), html(), html()
        self._errors = button("Save list of errors", self._save_errors)
        self._log = button("Save full log", self._save_log)
        self._files = Files()
        self._posted = ipywidgets.VBox()
        saving = row(self._errors, self._log)
        self._after = ipywidgets.VBox([saving, self._files, self._found, self._posted])
        self._resume = button("Finish what is in doubt", self._resume_now)
        self._start()

    @told
    def _start(self) -> None:
        if self.preview.proof is not None:
            self._number.value = self.preview.plan.batch
        self._show("ask")

    def _show(self, what: str) -> None:
        """The parts of one moment: ask, confirm, run or end."""
        doubt = self._doubt() if self._in_doubt() and what != "run" else ()
        ask = (row(self._number), self._checked, self.confirm)
        parts: dict[str, tuple[Any, ...]] = {
            "ask": ask,
            "run": (self._running, self._live),
            "end": (self._ending, self._after, *ask),
        }
        self.children = (style(), self._watch, *doubt, self.message, *parts[what])

    def _in_doubt(self) -> list[str]:
        return self.kit.log.unfinished_batches()

    def _doubt(self) -> tuple[Any, ...]:
        """What was begun: by somebody who is still at it, or by a push that was cut off."""
        names = ", ".join(self._in_doubt())
        try:
            with self.kit.log.claim():
                pass
        except PushInProgress as error:
            words = f"Batch {names} is being pushed now: {error} Then open this page again."
            return (html(message(words, "warn")),)
        words = f"Batch {names} was begun and not ended. Finishing it looks first, and posts nothing twice."
        return (html(message(words, "warn")), self._resume)

    @told
    def _check_number(self, _change: Any = None) -> None:
        number = self._number.value.strip()
        try:
            self._is_free(number)
        except BatchTaken as error:
            self._checked.value = message(str(error), "bad")
        else:
            self._checked.value = message(f"Batch number {number} is free.", "good")

    def _is_free(self, number: str) -> None:
        check_number(number)
        known = self.kit.log.batch(number)
        if known is not None and (known.state != "planned" or self.kit.log.was_sent(number)):
            raise BatchTaken(f"batch number {number} is in the push log already. Take another one.")
        if self.kit.connectwise.find_batch(number) is not None:
            raise BatchTaken(f"batch number {number} is taken in ConnectWise. Take another one.")

    # --- first step ---

    @told
    def _prepare(self, _button: Any) -> None:
        """Read everything again; ask only if it is still what was reviewed."""
        self.preview.picker.check_is_shown()
        self.say("Checking once more …")
        reviewed = self.preview.plan
        if gone := self.preview.picker.gone():
            raise UsageError(
                f"{', '.join(gone[:5])}: no longer unposted in ConnectWise ({len(gone)} in all); somebody "
                "may have batched it. Fetch and preview again. Nothing was written."
            )
        plan = self.kit.plan(
            self.preview.picker.selected,
            batch=self._number.value.strip(),
            leave_out_blocked=self.preview.leave_out_blocked,
        )
        if not plan.transactions:
            raise UsageError("nothing is included that can be pushed. Choose, preview, then push.")
        changed = changes(reviewed, plan)
        if changed:
            raise UsageError(
                f"{'; '.join(changed[:5])}: changed since the preview. Check and preview again, then push."
            )
        self._ready = plan
        self.say("")
        self.confirm.question(summary(plan))

    # --- second step ---

    @told
    def _push(self) -> None:
        plan = self._ready
        assert plan is not None  # noqa: S101  # it was asked about
        self._ready = None
        self._begin(len(plan.documents))
        self._watch.begin(self._run, plan)

    def _begin(self, count: int) -> None:
        self._refusals: list[str] = []
        self._live.value = self._ending.value = ""
        self._bar.max, self._bar.value = max(count, 1), 0
        self._step.value = message("Beginning … Leave this page open until it has ended.")
        self._show("run")

    @told
    def _run(self, plan: Plan) -> None:
        pace = _Pace(plan)
        try:
            self.report = self.kit.push(
                plan, dry_run=False, progress=lambda done, of: self._done(pace, done, of)
            )
        except Exception:
            self._show("ask")
            raise
        if self.report.status != "failed":
            self.preview.pushed(self.report.batch)
        self._end()  # first: it ended so, although the evidence may not fit on the disk
        self._keep(self.report, plan)

    def _done(self, pace: _Pace, done: int, of: int) -> None:
        """After each document: show where we are; wait here while paused."""
        self._tell(pace, done, of)
        while not self._go.wait(timeout=1):
            if closing():
                raise UsageError("the page was closed while the push was paused.")

    @told
    def _tell(self, pace: _Pace, done: int, of: int) -> None:
        document = pace.last_of(self.kit, done)
        self._bar.max, self._bar.value = of, done
        words = f"{done:,} of {of:,} documents; last {document.number}; {pace.left(done, of)}"
        self._step.value = message(words)
        reason = pace.refusal(self.kit, document)
        if reason:
            self._refusals.append(f"{document.number} was refused: {reason}")
            self._show_refusals()
        if not self._go.is_set():
            self._step.value = message(
                f"Paused after {document.number}: {done:,} of {of:,} documents are done. The company stays claimed.",
                "warn",
            )

    def _show_refusals(self) -> None:
        earlier = len(self._refusals) - MOST_REFUSALS
        more = [f"{earlier:,} earlier refusals; all of them are listed at the end."]
        words = [*(more if earlier > 0 else []), *self._refusals[-MOST_REFUSALS:]]
        self._live.value = "".join(message(one, "warn") for one in words)

    @told
    def _pause_or_go(self, _button: Any) -> None:
        """Pausing is a callback that waits: nothing of the protocol knows of it."""
        if self._go.is_set():
            self._go.clear()
            self._pause.description = "Go on"
        else:
            self._go.set()
            self._pause.description = "Pause after this document"

    # --- the end ---

    def _keep(self, report: PushReport, plan: Plan) -> None:
        """Leave the evidence in the workdir, as the terminal does."""
        self.files = save_proof(self.kit.proof(plan), self.kit.workdir)
        self.files += save_push(report, self.kit.log.events(report.batch), self.kit.workdir)

    def _end(self) -> None:
        assert self.report is not None  # noqa: S101  # a push has just made it
        self._ending.value = ending_html(self.report)
        self._found.value = finding_list(self.report.issues, fold_notes=True)
        documents = documents_of(self.report)
        listed = Grid(documents, DOCUMENTS, label="Documents of the push", height=10)
        replace_children(self._posted, [listed])
        self._files.offer([])
        self._number.value = self.report.next_batch or self._number.value
        self._show("end")

    @told
    def _save_errors(self, _button: Any) -> None:
        if self.report is not None:
            folder = batch_folder(self.kit.workdir, self.report.batch)
            page = push_page(self.report)
            self._files.offer(save_errors(self.report.issues, page, folder))

    @told
    def _save_log(self, _button: Any) -> None:
        if self.report is not None:
            folder = batch_folder(self.kit.workdir, self.report.batch)
            events = self.kit.log.events(self.report.batch)
            self._files.offer([save_full_log(events, folder)])

    @told
    def _resume_now(self, _button: Any) -> None:
        self.say("")
        self._begin(1)
        self._watch.begin(self._run_resume)

    @told
    def _run_resume(self) -> None:
        try:
            reports = self.kit.resume()
        except Exception:
            self._show("ask")
            raise
        if reports:
            self.report = reports[-1]
            self._end()
        else:
            self._show("ask")
        for report in reports:
            save_push(report, self.kit.log.events(report.batch), self.kit.workdir)


class _Pace:
    """Which document was the last, and how long the rest will take.

    Args:
        plan: the documents in posting order; some may be done before, or refused at once.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._at = -1
        self._started = time.monotonic()

    def last_of(self, kit: Kit, done: int) -> Document:
        """The document that was done last: its successor is still planned."""
        documents = self._plan.documents
        self._at = max(self._at + 1, done - 1)
        while self._at + 1 < len(documents) and self._is_done(kit, documents[self._at + 1]):
            self._at += 1
        return documents[min(self._at, len(documents) - 1)]

    def _is_done(self, kit: Kit, document: Document) -> bool:
        state = kit.log.state_of(document, batch=self._plan.batch)
        return state in ARRIVED or state == "refused"

    def refusal(self, kit: Kit, document: Document) -> str:
        """Why the company refused it; empty if it took it."""
        if kit.log.state_of(document, batch=self._plan.batch) != "refused":
            return ""
        rows = kit.log.of_transactions([document.key]).get(document.key, [])
        return next((one.reason for one in rows if one.batch == self._plan.batch), "")

    def left(self, done: int, of: int) -> str:
        """The time that is left at this pace, in words."""
        seconds = (time.monotonic() - self._started) / max(done, 1) * (of - done)
        if seconds < 1:
            return "done in a moment"
        return (
            f"about {seconds:.0f} s left" if seconds < 90 else f"about {seconds / 60:.0f} min left"
        )


def summary(plan: Plan) -> str:
    """What will be written where, in one sentence."""
    whole = amount(total_of(row.total for row in plan.documents))
    masters = f"{len(plan.masters)} new records and " if plan.masters else ""
    left = f" Left out: {len(plan.left_out)}." if plan.left_out else ""
    return (
        f"Write {masters}{len(plan.documents)} documents, {whole} in all, to {plan.company}, then create batch "
        f"{plan.batch} of {len(plan.transactions)} transactions in {plan.site}?{left}"
    )


def changes(reviewed: Plan, plan: Plan) -> list[str]:
    """What is not as it was reviewed: documents and transactions by number, new records by id."""
    before = {row.label: row for row in reviewed.documents}
    now = {row.label: row for row in plan.documents}
    labels = [*before, *(label for label in now if label not in before)]
    documents = [
        (before.get(label) or now[label]).number
        for label in labels
        if label not in before
        or label not in now
        or before[label].fingerprint != now[label].fingerprint
    ]
    transactions = {row.key: row.number for row in (*reviewed.transactions, *plan.transactions)}
    moved = {row.key for row in reviewed.transactions} ^ {row.key for row in plan.transactions}
    known = set(reviewed.masters)
    masters = [_named(row) for row in plan.masters if row not in known]
    others = [number for key, number in transactions.items() if key in moved]
    return list(dict.fromkeys([*documents, *others, *masters]))


def _named(master: Master) -> str:
    kind = type(master).__name__.lower()
    return f"new {kind} {getattr(master, f'{kind}_id')}"
