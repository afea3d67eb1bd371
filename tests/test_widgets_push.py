"""Preview and push panel on real parts, driven as a page drives them, without a browser."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from sage50kit import Kit
from sage50kit.errors import PlanBlocked, UsageError
from sage50kit.reports.files import batch_folder
from sage50kit.sandbox.dataset import fixtures_folder
from sage50kit.sandbox.faults import Faults, Rule, failing
from sage50kit.sandbox.state import Site
from sage50kit.widgets import Picker, Preview, PushPanel
from sage50kit.widgets.push_panel import changes
from sage50kit.widgets.twin import amount
from tests.stage import staged

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tests.stage import Stage

BATCH = "20261031JD-E"
TAKEN = "20260930JD-I"  # a batch of the fixtures
HOSTILE = '<img src=x onerror=alert(1)>=HYPERLINK("x")\u202e'
DENTAL = "Bayshore Dental Group"


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """A pair of a test's own, whose keys are in the environment."""
    with staged(tmp_path) as made:
        for name, value in made.environment.items():
            monkeypatch.setenv(name, value)
        yield made


@pytest.fixture
def kit(stage: Stage) -> Iterator[Kit]:
    """The pair, opened."""
    with Kit(stage.profile) as opened:
        yield opened


@pytest.fixture
def live(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if somebody had the page open."""
    monkeypatch.setenv("JPY_SESSION_NAME", "page.ipynb")


class Heard:
    """What a widget sent to its page."""

    def __init__(self) -> None:
        self.content: list[dict[str, str]] = []
        self.buffers: list[bytes] = []

    def send(self, content: dict[str, str], buffers: Sequence[bytes] = ()) -> None:
        """As a comm takes it."""
        self.content.append(content)
        self.buffers += buffers


def parts(kit: Kit, *kinds: str, **more: object) -> tuple[Picker, Preview]:
    """A picker and its preview."""
    picker = Picker(kit, kinds=kinds or ("expense",))
    picker.wait()
    return picker, Preview(kit, picker, batch=BATCH, **more)


def written(stage: Stage) -> tuple[list[str], int, str]:
    """What both ends hold of ours: batches, documents, and the log the company belongs to."""
    with stage.company as company:
        return stage.batches(), len(company.documents()), company.log_id()


# --- the preview ---


def test_the_static_preview_has_the_figures_of_the_proof(kit: Kit):
    """Debits, credits and every account, to the cent; Sage's own entries are marked."""
    _, preview = parts(kit, "invoice", leave_out_blocked=True)
    shown, proof = preview.static(), kit.proof(preview.plan)

    assert amount(proof.gl_entries["debit"].sum()) in shown
    assert all(amount(value) in shown for value in proof.by_account["net"])
    assert "◆ Sage 50 itself" in shown
    assert "New records" in shown


def test_what_is_blocked_stops_an_unattended_run(kit: Kit):
    """Nobody is there to read it in the page: the plan raises."""
    with pytest.raises(PlanBlocked):
        parts(kit, "invoice", leave_out_blocked=False)


@pytest.mark.usefixtures("live")
def test_a_broken_mapping_is_explained_and_mended(kit: Kit, stage: Stage):
    """Blocked, with the cure; the bookkeeper adds the account; the same button plans it."""
    _, preview = parts(kit, "invoice", leave_out_blocked=False)
    assert "block the batch" in preview.message.value
    assert "add 4950 under Maintain" in preview._findings.value
    with pytest.raises(UsageError, match="nothing to push yet"):
        _ = preview.plan

    stage.correct()
    preview._again.click()

    assert "Nothing is written yet" in preview.message.value
    assert len(preview.plan.documents) > 20


@pytest.mark.usefixtures("live")
def test_entries_follow_what_is_opened_and_what_is_ticked(kit: Kit):
    """All at first; of the one that was opened; of those that are ticked."""
    _, preview = parts(kit, "invoice", leave_out_blocked=True)
    everything = len(preview._entries.frame)
    documents = preview.plan.documents

    preview._documents.current = 1
    assert set(preview._entries.frame["document"]) == {documents[1].label}
    assert documents[1].token in preview._card.value
    preview._documents.included = [place in (0, 2) for place in range(len(documents))]
    assert set(preview._entries.frame["document"]) == {documents[0].label, documents[2].label}
    assert len(preview._entries.frame) < everything


@pytest.mark.usefixtures("live")
def test_a_changed_choice_makes_the_preview_old(kit: Kit):
    """It says so, and the push compares once more."""
    picker, preview = parts(kit)
    panel = PushPanel(kit, preview)
    picker.grid.included = [False] + [True] * (len(picker.grid.frame) - 1)
    assert "has changed since this preview" in preview.message.value

    panel.confirm.first.click()

    assert "changed since the preview" in panel.message.value
    assert not panel.confirm.is_open


@pytest.mark.usefixtures("live")
@pytest.mark.parametrize("what", ["untick", "leave", "again", "number"])
def test_a_question_ends_when_what_it_was_about_changes(kit: Kit, stage: Stage, what: str):
    """Somebody unticks one at the last moment: "Yes" must not write what is no longer shown."""
    before = written(stage)
    picker, preview = parts(kit)
    panel = PushPanel(kit, preview)
    panel.confirm.first.click()
    assert panel.confirm.is_open
    if what == "untick":
        picker.grid.included = [False] + [True] * (len(picker.grid.frame) - 1)
    elif what == "leave":
        preview._leave_out.value = not preview._leave_out.value
    elif what == "again":
        preview._again.click()
    else:
        panel._number.value = f"{BATCH}2"

    panel.confirm.yes.click()
    panel.wait()

    assert written(stage) == before
    assert "has changed. Nothing was written" in panel.confirm.sentence.value
    assert panel.confirm.sentence in panel.confirm.children


@pytest.mark.usefixtures("live")
def test_what_makes_no_document_counts_as_a_change_too(kit: Kit):
    """A transaction that is batched without a document, and a record to be created."""
    plan = kit.plan(kit.fetch(kinds=["transfer", "invoice"]), leave_out_blocked=True)
    bare = next(row for row in plan.transactions if row.disposition != "post")
    fewer = replace(plan, transactions=tuple(row for row in plan.transactions if row != bare))

    assert changes(plan, plan) == []
    assert changes(fewer, plan) == changes(plan, fewer) == [bare.number]
    assert plan.masters
    created = changes(replace(plan, masters=()), plan)
    assert len(created) == len(plan.masters)
    assert all(words.startswith("new ") for words in created)


@pytest.mark.usefixtures("live")
def test_the_proof_listing_opens_from_the_preview(kit: Kit, stage: Stage):
    """Text, HTML and Excel, and no other file of the machine."""
    _, preview = parts(kit)
    preview._save.click()

    files = Heard()
    preview._files.send = files.send  # the page's end of the line
    assert preview._files.names == ["proof.txt", "proof.html", "proof.xlsx"]
    preview._files._handle_custom_msg({"open": 0}, [])
    assert files.content[-1]["name"] == "proof.txt"

    secret = stage.folder / "secret.txt"
    secret.write_text("a key", encoding="utf-8")
    preview._files.set_state({"paths": [str(secret)], "names": ["secret.txt"]})
    for wish in ({"open": 0}, {"open": 3}, {"open": -1}, {"open": "x"}, {}):
        preview._files._handle_custom_msg(wish, [])
    assert [one.get("name") for one in files.content[1:]] == ["proof.txt"] + [None] * 4
    assert b"a key" not in b"".join(files.buffers)


@pytest.mark.usefixtures("live")
def test_a_file_that_is_gone_is_said(kit: Kit):
    """Somebody moved it: the page says so, and no error is lost in the kernel."""
    _, preview = parts(kit)
    preview._save.click()
    files = Heard()
    preview._files.send = files.send
    for path in preview._files._offered:
        path.unlink()
    preview._files._handle_custom_msg({"open": 0}, [])

    assert "proof.txt cannot be read" in files.content[0]["error"]


# --- the push ---


def test_an_unattended_run_writes_only_when_told(kit: Kit, stage: Stage):
    """The default is a rehearsal; with dry_run False the batch is there, and the evidence on disk."""
    before = written(stage)
    _, preview = parts(kit)
    assert "Dry run" in PushPanel(kit, preview).static()
    assert written(stage) == before

    panel = PushPanel(kit, preview, dry_run=False)

    assert BATCH in stage.batches()
    assert {"push.html", "errors.csv", "log.jsonl", "proof.xlsx"} <= {
        path.name for path in panel.files
    }
    assert "completed successfully" in panel.static()


@pytest.mark.usefixtures("live")
def test_making_the_panel_and_one_click_write_nothing(kit: Kit, stage: Stage):
    """Not by a cell, whatever dry_run says; not by the first step; not by changing one's mind."""
    before = written(stage)
    _, preview = parts(kit)
    for _ in range(2):
        panel = PushPanel(kit, preview, dry_run=False)
    panel.confirm.first.click()
    panel.confirm.first.click()
    assert (
        f"documents, {amount(preview.proof.totals['control_total'])} in all"
        in panel.confirm.sentence.value
    )
    panel.confirm.no.click()
    panel.confirm.yes.click()
    panel.wait()

    assert written(stage) == before


@pytest.mark.usefixtures("live")
def test_nothing_is_asked_when_nothing_is_included(kit: Kit, stage: Stage):
    """No empty batch is offered; the sentence says what to do."""
    before = written(stage)
    picker, preview = parts(kit)
    panel = PushPanel(kit, preview)
    picker.grid.included = [False] * len(picker.grid.frame)
    preview._again.click()
    panel.confirm.first.click()

    assert not panel.confirm.is_open
    assert "Nothing is included that can be pushed" in panel.message.value
    assert written(stage) == before


@pytest.mark.usefixtures("live")
def test_what_was_pushed_is_no_longer_called_unwritten(kit: Kit, stage: Stage):
    """Preview and picker say what became of it; notes do not push the documents out of sight."""
    stage.correct()
    picker, preview = parts(kit, "expense")
    panel = PushPanel(kit, preview)
    assert "Nothing is written yet" in preview.message.value
    panel.confirm.first.click()
    panel.confirm.yes.click()
    panel.wait()

    assert f"pushed as batch {BATCH}" in preview.message.value
    assert "Fetch to see what is left" in picker.message.value
    assert "<details><summary>1 notes, for nobody to act on" in panel._found.value


@pytest.mark.usefixtures("live")
def test_two_steps_write_once(kit: Kit, stage: Stage):
    """The second step pushes in the background; clicked twice, it pushes once."""
    _, preview = parts(kit)
    panel = PushPanel(kit, preview)
    panel.confirm.first.click()
    panel.confirm.yes.click()
    panel.confirm.yes.click()
    panel.wait()

    assert stage.batches().count(BATCH) == 1
    assert "completed successfully" in panel._ending.value
    assert kit.verify(BATCH).ok
    with stage.company as company:
        tokens = [row.token for row in company.documents() if row.token]
    assert len(tokens) == len(set(tokens))


@pytest.mark.usefixtures("live")
def test_the_batch_number_is_checked_as_one_types(kit: Kit):
    """Free, taken in ConnectWise, too long."""
    _, preview = parts(kit)
    panel = PushPanel(kit, preview)
    assert f"{BATCH} is free" in panel._checked.value
    panel._number.value = TAKEN
    assert "is taken in ConnectWise" in panel._checked.value
    panel._number.value = "x" * 51
    assert "51 characters" in panel._checked.value


@pytest.mark.usefixtures("live")
def test_a_push_can_pause_and_go_on(kit: Kit, stage: Stage):
    """After the document that was under way; then the rest follows."""
    _, preview = parts(kit)
    panel = PushPanel(kit, preview)
    paused = threading.Event()
    panel._step.observe(lambda change: "Paused" in change.new and paused.set(), "value")
    panel.confirm.first.click()
    panel._pause.click()  # before the first document is done
    panel.confirm.yes.click()

    assert paused.wait(60)
    assert BATCH not in stage.batches()
    assert panel._pause.description == "Go on"
    panel._pause.click()
    panel.wait()
    assert BATCH in stage.batches()


@pytest.mark.usefixtures("live")
def test_what_somebody_else_batches_after_the_review_is_not_posted(kit: Kit, stage: Stage):
    """Between the two steps: it is said, the rest is posted, the other batch is left alone."""
    picker, preview = parts(kit, "receipt")
    panel = PushPanel(kit, preview)
    panel.confirm.first.click()
    gone = preview.plan.transactions[0]
    kit.connectwise.create_batch("SOMEBODY", kinds={gone.kind}, entry_ids=gone.entry_ids)
    panel.confirm.yes.click()
    panel.wait()

    assert "no longer lists it" in panel._found.value
    with stage.company as company:
        assert gone.number not in {row.reference for row in company.documents()}
    assert panel.report is not None
    assert panel.report.counts["refused"] == 1
    assert len(picker.selected) > 2


@pytest.mark.usefixtures("live")
def test_what_somebody_else_batches_before_the_first_step_is_said(kit: Kit, stage: Stage):
    """Nothing is asked and nothing written: the page says what to do."""
    _, preview = parts(kit, "receipt")
    panel = PushPanel(kit, preview)
    gone = preview.plan.transactions[0]
    kit.connectwise.create_batch("SOMEBODY", kinds={gone.kind}, entry_ids=gone.entry_ids)
    before = written(stage)
    panel.confirm.first.click()

    assert f"{gone.number}: no longer unposted" in panel.message.value
    assert not panel.confirm.is_open
    assert written(stage) == before


@pytest.mark.usefixtures("live")
def test_a_picker_that_was_made_anew_is_not_the_one_below(kit: Kit, stage: Stage):
    """Somebody runs the picker's cell alone: what is ticked there now is not what the parts below read."""
    _, preview = parts(kit)
    panel = PushPanel(kit, preview)
    Picker(kit, kinds=["expense"]).wait()
    panel.confirm.first.click()
    preview._again.click()

    assert "was made anew" in panel.message.value
    assert "was made anew" in preview.message.value
    assert not panel.confirm.is_open


@pytest.mark.usefixtures("live")
def test_an_ending_is_told_although_its_evidence_cannot_be_kept(kit: Kit, stage: Stage):
    """The books have it: the page says so, and what went wrong afterwards."""
    _, preview = parts(kit)
    panel = PushPanel(kit, preview)
    folder = batch_folder(kit.workdir, BATCH)
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.write_text("in the way", encoding="utf-8")
    panel.confirm.first.click()
    panel.confirm.yes.click()
    panel.wait()

    assert BATCH in stage.batches()
    assert panel._ending in panel.children
    assert "completed successfully" in panel._ending.value
    assert "Error" in panel.message.value


@pytest.mark.usefixtures("live")
def test_errors_and_log_are_saved_where_the_reports_are(kit: Kit):
    """Both buttons offer files that exist."""
    _, preview = parts(kit)
    panel = PushPanel(kit, preview)
    panel.confirm.first.click()
    panel.confirm.yes.click()
    panel.wait()
    panel._errors.click()
    assert panel._files.names == ["errors.csv", "errors.html"]
    panel._log.click()
    (path,) = panel._files.paths
    with open(path, encoding="utf-8") as file:  # noqa: PTH123
        kinds = [json.loads(line)["kind"] for line in file]
    assert "posted" in kinds
    assert kinds.count("batch_created") == 1


def test_hostile_names_are_text_everywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """From ConnectWise through picker, preview, document and report: nothing of it is markup."""
    content = (fixtures_folder() / "connectwise.json").read_text(encoding="utf-8")
    monkeypatch.setenv("JPY_SESSION_NAME", "page.ipynb")
    site = Site.load(
        json.loads(content.replace(DENTAL, json.dumps(HOSTILE)[1:-1]), parse_float=Decimal)
    )
    with staged(tmp_path, site=site) as stage:
        for name, value in stage.environment.items():
            monkeypatch.setenv(name, value)
        with Kit(stage.profile) as kit:
            picker, preview = parts(kit, "invoice", leave_out_blocked=True)
            numbers = [row.party_name for row in preview.plan.documents]
            preview._documents.current = numbers.index(HOSTILE)
            shown = [picker.static(), picker._row.value, preview.static(), preview._card.value]
            rehearsal = kit.push(preview.plan)
            from sage50kit.widgets.endings import report_static

            shown.append(report_static(rehearsal))

    assert sum("&lt;img src=x" in part for part in shown) >= 4
    assert not [part for part in shown if "<img" in part or "\u202e" in part]


def test_connectwise_lost_in_the_middle_is_said_and_finished_in_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """The documents stand, the batch does not: the page says so, offers to finish, and finishes once."""
    monkeypatch.setenv("JPY_SESSION_NAME", "page.ipynb")
    line = Faults([Rule(failing(503), path="/accounting/batches", method="POST", on=())])
    with staged(tmp_path, faults=line) as stage:
        for name, value in stage.environment.items():
            monkeypatch.setenv(name, value)
        with Kit(stage.profile) as kit:
            _, preview = parts(kit)
            panel = PushPanel(kit, preview)
            panel.confirm.first.click()
            panel.confirm.yes.click()
            panel.wait()
            assert 'role="alert"' in panel.message.value
            assert f"ConnectWise has no batch {BATCH}" in panel.message.value
            assert "press “Finish what is in doubt”" in panel.message.value
            assert panel._resume in panel.children
            assert BATCH not in stage.batches()
            documents = len(stage.company.documents())

            line.rules.clear()
            panel._resume.click()
            panel.wait()
            assert "completed" in panel._ending.value
            assert "alert" not in panel.message.value
            assert kit.verify(BATCH).ok
        assert len(stage.company.documents()) == documents
        assert stage.batches().count(BATCH) == 1
