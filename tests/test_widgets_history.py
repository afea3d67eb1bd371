"""The pages of what was pushed: run again, look back, clear; driven as a page drives them, without a browser."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from sage50kit import Kit
from sage50kit.batch.push import push
from sage50kit.errors import UsageError
from sage50kit.widgets import ClearPanel, History, Picker, Preview, PushPanel, RerunPanel
from tests.pushing import Interrupted, PowerCut
from tests.stage import staged

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.stage import Stage

BATCH = "20261031JD-E"


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """A pair of a test's own, whose keys are in the environment, seen in a live page."""
    monkeypatch.setenv("JPY_SESSION_NAME", "page.ipynb")
    with staged(tmp_path) as made:
        for name, value in made.environment.items():
            monkeypatch.setenv(name, value)
        yield made


@pytest.fixture
def kit(stage: Stage) -> Iterator[Kit]:
    """The pair, opened."""
    with Kit(stage.profile) as opened:
        yield opened


def pushed(kit: Kit) -> None:
    """The expenses, posted and batched."""
    kit.push(kit.plan(kit.fetch(kinds=["expense"]), batch=BATCH), dry_run=False)


def test_nothing_was_pushed_yet(kit: Kit):
    """Empty lists are pages, too."""
    assert len(History(kit).grid.frame) == 0
    assert "nothing was compared" in RerunPanel(kit).static()


def test_a_batch_is_compared_and_the_missing_posted(stage: Stage):
    """Sage 50 was restored from a backup: all is missing, and posted after two steps, not before."""
    file = stage.folder / "lakeside.company"
    backup = file.read_bytes()
    with Kit(stage.profile) as kit:
        pushed(kit)
    file.write_bytes(backup)
    with Kit(stage.profile) as kit:
        panel = RerunPanel(kit, batch=BATCH)
        assert "3 missing" in panel.message.value
        panel.confirm.first.click()
        assert "Post 3 documents" in panel.confirm.sentence.value
        assert kit.rerun(BATCH).counts["missing"] == 3
        panel.confirm.yes.click()
        panel.wait()

        assert kit.rerun(BATCH).counts == {"present": 3, "missing": 0, "changed": 0}
        assert "3 of 3 were posted" in panel.static()


def test_a_changed_document_is_posted_again_only_when_ticked(kit: Kit, stage: Stage):
    """One was voided in Sage 50: it is shown as changed, and left alone until a person says so."""
    pushed(kit)
    (first, *_) = kit.log.documents(BATCH)
    with stage.company as company:
        company.void(first.place, on=first.document.posting_date)
    panel = RerunPanel(kit, batch=BATCH)
    assert "1 changed" in panel.message.value
    panel.confirm.first.click()
    assert "nothing to post" in panel.message.value

    panel._grid.included = list(panel._grid.frame["state"] == "changed")
    panel.confirm.first.click()
    assert "Post 1 documents" in panel.confirm.sentence.value
    panel.confirm.yes.click()
    panel.wait()

    assert kit.rerun(BATCH).counts["changed"] == 0


def test_a_batch_shows_its_evidence_and_is_verified(kit: Kit):
    """The files of the push are offered; the comparison is shown and saved."""
    picker = Picker(kit, kinds=["expense"])
    picker.wait()
    panel = PushPanel(kit, Preview(kit, picker, batch=BATCH))
    panel.confirm.first.click()
    panel.confirm.yes.click()
    panel.wait()
    history = History(kit)
    history.grid.current = 0
    assert {"proof.html", "push.xlsx", "log.jsonl"} <= set(history._files.names)

    history._verify.click()
    assert "agree" in history._result.value
    history._drift.click()
    assert "all as they were posted" in history._result.value


def test_a_batch_is_taken_back_after_two_steps(kit: Kit, stage: Stage):
    """The question names the batch; only the second button deletes it."""
    pushed(kit)
    history = History(kit)
    history.confirm.first.click()
    assert "open a batch of the list first" in history.message.value.casefold()
    history.grid.current = 0
    history.confirm.first.click()
    assert BATCH in stage.batches()

    history.confirm.yes.click()
    history.wait()

    assert BATCH not in stage.batches()
    assert "un-posted" in history._result.value


def test_what_is_never_posted_is_cleared_with_its_reason(kit: Kit, stage: Stage):
    """Nothing is ticked at first; without a reason nothing is asked; then the batch is made."""
    picker = Picker(kit, kinds=["transfer"], nothing=True)
    picker.wait()
    panel = ClearPanel(kit, picker, batch="CLEARED")
    panel.confirm.first.click()
    assert "nothing is included" in panel.message.value.casefold()
    picker.grid.included = [True] + [False] * (len(picker.grid.frame) - 1)
    panel.confirm.first.click()
    assert "give the reason" in panel.message.value.casefold()
    panel._reason.value = "counted twice"
    panel.confirm.first.click()
    assert "CLEARED" not in stage.batches()

    panel.confirm.yes.click()
    panel.wait()

    assert "CLEARED" in stage.batches()
    assert picker.selected["key"][0] not in set(kit.fetch()["key"])


def test_the_box_to_void_counts_as_it_was_asked(kit: Kit, stage: Stage):
    """Ticked after the question, it ends the question: nothing is voided of which it said nothing."""
    pushed(kit)
    history = History(kit)
    history.grid.current = 0
    history.confirm.first.click()
    history._void.value = True
    history.confirm.yes.click()
    history.wait()

    assert BATCH in stage.batches()
    history.confirm.first.click()
    assert "void its documents" in history.confirm.sentence.value


def test_a_clearing_that_was_asked_about_is_not_changed_unasked(kit: Kit, stage: Stage):
    """Other boxes, or another reason, end the question."""
    picker = Picker(kit, kinds=["transfer"])
    picker.wait()
    rows = range(len(picker.grid.frame))
    picker.grid.included = [row == 0 for row in rows]
    panel = ClearPanel(kit, picker, batch="CLEARED", reason="counted twice")
    panel.confirm.first.click()
    assert panel.confirm.is_open
    picker.grid.included = [row == 1 for row in rows]
    panel.confirm.yes.click()
    panel.wait()
    assert "CLEARED" not in stage.batches()

    panel.confirm.first.click()
    panel._reason.value = "something else"
    panel.confirm.yes.click()
    panel.wait()
    assert "CLEARED" not in stage.batches()


def test_a_re_run_that_was_asked_about_is_not_changed_unasked(stage: Stage):
    """Another tick ends the question; nothing is posted on the old one."""
    file = stage.folder / "lakeside.company"
    backup = file.read_bytes()
    with Kit(stage.profile) as kit:
        pushed(kit)
    file.write_bytes(backup)
    with Kit(stage.profile) as kit:
        panel = RerunPanel(kit, batch=BATCH)
        panel.confirm.first.click()
        panel._grid.included = [True] + [False] * (len(panel._grid.frame) - 1)
        panel.confirm.yes.click()
        panel.wait()

        assert kit.rerun(BATCH).counts["missing"] == 3


def test_one_part_of_a_page_writes_one_thing_at_a_time(kit: Kit):
    """A second step that comes while the first is written is refused, and the watch goes on."""
    history = History(kit)
    go, begun = threading.Event(), threading.Event()

    def slow() -> None:
        begun.set()
        go.wait(60)

    history._watch.begin(slow)
    assert begun.wait(60)
    with pytest.raises(UsageError, match="still being written"):
        history._watch.begin(slow)
    assert history._watch.running
    go.set()
    history.wait()
    assert not history._watch.running
    history._watch.begin(slow)
    history.wait()


def test_what_a_power_cut_left_is_offered_and_finished(kit: Kit, stage: Stage):
    """The next page says what is in doubt; its button posts nothing twice."""
    plan = kit.plan(kit.fetch(kinds=["expense"]), batch=BATCH)
    with pytest.raises(PowerCut):
        push(plan, company=Interrupted(kit.company), connectwise=kit.connectwise, log=kit.log)
    picker = Picker(kit, kinds=["receipt"])
    picker.wait()
    panel = PushPanel(kit, Preview(kit, picker))
    assert panel._resume in panel.children

    panel._resume.click()
    panel.wait()

    assert "completed successfully" in panel._ending.value
    assert panel._resume not in panel.children
    assert kit.verify(BATCH).ok
