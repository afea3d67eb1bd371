"""Resume, re-run and un-post from the terminal: what is told, what is asked, what is left undone."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from sage50kit.cli import main
from sage50kit.errors import BatchTaken, ConnectWiseUnavailable, InDoubt, UsageError
from tests.pushing import (
    HELD,
    INVOICE,
    TRANSFER,
    WAITING,
    PowerCut,
    Wrapped,
    choose,
    interrupted,
    kit_in,
    living,
    pushed,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sage50kit.kit import Kit

EXPENSES = ["expense:5011", "expense:5012"]


class Keyboard(io.StringIO):
    """A terminal at which somebody types."""

    def isatty(self) -> bool:
        return True


class CtrlC(Keyboard):
    """A terminal at which somebody answers once, and presses Ctrl-C at the next question."""

    def readline(self, *size: int) -> str:
        answer = super().readline(*size)
        if not answer:
            raise KeyboardInterrupt
        return answer


@pytest.fixture
def kit(tmp_path) -> Iterator[Kit]:
    with kit_in(tmp_path) as kit:
        yield kit


def run(kit: Kit, capsys: Any, *words: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of a verb."""
    profile = str(kit.profile.sage.company_file.with_name("stage.toml"))
    code = main([words[0], "--profile", profile, *words[1:]])
    shown = capsys.readouterr()
    return code, shown.out, shown.err


def line(kit: Kit, capsys: Any, *words: str) -> tuple[int, Any]:
    """Exit code and the line of JSON of a verb."""
    code, out, _ = run(kit, capsys, *words, "--json")
    return code, json.loads(out.splitlines()[-1])


def cut_before_the_first_document(kit: Kit, keys: list[str], batch: str) -> None:
    """The machine stops when the plan is on the disk and nothing was sent."""
    plan = kit.plan(choose(kit, keys), batch=batch)
    log = kit.log

    def stop(*_: object, **__: object) -> None:
        raise PowerCut

    kit.log = Wrapped(log, mark=stop)
    with pytest.raises(PowerCut):
        kit.push(plan, dry_run=False)
    kit.log = log


def cut_while_voiding(kit: Kit, act: Any) -> None:
    """The machine stops when the first document is to be voided."""
    company = kit.company

    def stop(*_: object, **__: object) -> None:
        raise PowerCut

    kit.company = Wrapped(company, void=stop)
    with pytest.raises(PowerCut):
        act()
    kit.company = company


# --- an un-posting that was cut off ---


def test_resume_finishes_an_unposting_that_was_cut_off(kit, capsys):
    """The batch was deleted, its documents not yet voided: resume voids them and names the batch."""
    pushed(kit, [*INVOICE, *TRANSFER], "A")
    cut_while_voiding(kit, lambda: kit.unpost("A", void=True))
    assert len(living(kit)) == 2
    code, told = line(kit, capsys, "resume")

    assert (code, told["batch"], living(kit)) == (0, "A", [])
    assert "un-posted in ConnectWise" in told["headlines"][0]
    assert line(kit, capsys, "resume")[1]["headlines"] == []


def test_an_order_that_was_half_unposted_is_finished_too(kit):
    """Un-batched and not voided when the machine stopped."""
    pushed(kit, WAITING, "A")
    cut_while_voiding(kit, lambda: kit.unpost(document=WAITING[0], void=True, on="2026-10-31"))
    (report,) = kit.resume()

    assert (report.batch, living(kit)) == ("A", [])


def test_nothing_is_pushed_while_an_unposting_is_half_done(kit):
    """What is to be voided must not join the next batch: push and re-run say what to do first."""
    pushed(kit, INVOICE, "A")
    pushed(kit, TRANSFER, "B")
    kit.company.delete(next(row.place for row in kit.log.documents("B")))
    cut_while_voiding(kit, lambda: kit.unpost("A", void=True))

    with pytest.raises(InDoubt, match="un-posting batch A and voiding it in Sage 50"):
        pushed(kit, INVOICE, "C")
    with pytest.raises(InDoubt, match="sage50kit resume"):
        kit.rerun("B", dry_run=False)
    assert kit.log.batch("C") is None


def test_the_next_push_names_the_unposting_and_finishes_it_first(kit, capsys, monkeypatch):
    """It is in the first question; a yes finishes it."""
    pushed(kit, INVOICE, "A")
    cut_while_voiding(kit, lambda: kit.unpost("A", void=True))
    monkeypatch.setattr("sys.stdin", Keyboard("y\ny\n"))
    code, out, asked = run(kit, capsys, "push", "--batch", "B", "--kinds", "transfer")

    assert "Not finished yet: un-posting batch A and voiding it in Sage 50" in asked
    assert "Finished first: Batch A: un-posted in ConnectWise." in out
    assert (code, len(living(kit))) == (0, 1)


def test_an_unposting_that_still_cannot_be_told_stays_open(kit):
    """ConnectWise does not answer again: in doubt, said in its headline, and tried with the next resume."""
    pushed(kit, INVOICE, "A")
    connectwise = kit.connectwise

    def stop(_: int) -> None:
        raise PowerCut

    def away(_: int) -> None:
        raise ConnectWiseUnavailable("no answer")

    kit.connectwise = Wrapped(connectwise, delete_batch=stop)
    with pytest.raises(PowerCut):
        kit.unpost("A", void=True)
    kit.connectwise = Wrapped(connectwise, delete_batch=away)
    (report,) = kit.resume()
    assert (report.status, report.exit_code) == ("in_doubt", 5)
    kit.connectwise = connectwise
    (report,) = kit.resume()

    assert (report.exit_code, living(kit)) == (0, [])


# --- a push that was cut off before its first document ---


def test_resume_names_a_push_that_sent_nothing(kit, capsys):
    """Nothing is in doubt, and yet a person wanted it pushed: named, with what to do, exit code 3."""
    cut_before_the_first_document(kit, INVOICE, "A")
    code, told = line(kit, capsys, "resume")
    _, out, _ = run(kit, capsys, "resume")

    assert code == 3
    assert [(row["code"], row["value"]) for row in told["issues"]] == [("unsent_batch", "A")]
    assert "sage50kit push --batch A" in out
    pushed(kit, INVOICE, "A")
    assert line(kit, capsys, "resume")[0] == 0


def test_what_another_batch_took_up_is_not_named_again(kit, capsys):
    """The transactions were pushed under another number: the old plan is history."""
    cut_before_the_first_document(kit, INVOICE, "A")
    pushed(kit, INVOICE, "B")

    assert kit.unsent() == []


def test_verifying_what_was_never_sent_says_so(kit):
    """Neither system has it: that is said, and how to go on."""
    cut_before_the_first_document(kit, INVOICE, "A")
    with pytest.raises(UsageError, match=r"nothing of it was sent.*push it again"):
        kit.verify("A")
    pushed(kit, [HELD], "B")
    with pytest.raises(UsageError, match="batch B failed: nothing of it was posted"):
        kit.verify("B")


def test_what_was_sent_is_in_doubt_and_not_unsent(kit, capsys):
    """One document was sent when the machine stopped: resume finishes it, and names nothing besides."""
    with interrupted(kit):
        pushed(kit, INVOICE, "A")

    assert kit.unsent() == []
    assert line(kit, capsys, "resume")[0] == 0


def test_a_failed_batch_is_not_unfinished(kit):
    """Every document was refused: the number is free, and nobody waits for anything."""
    pushed(kit, [HELD], "A")

    assert kit.unsent() == []
    assert kit.clear(INVOICE, batch="A", reason="by hand", dry_run=False).exit_code == 0


def test_clearing_does_not_take_the_number_of_a_push_that_waits(kit):
    """The push can still be finished under its number."""
    cut_before_the_first_document(kit, INVOICE, "A")
    with pytest.raises(BatchTaken, match="sage50kit push --batch A"):
        kit.clear(TRANSFER, batch="A", reason="by hand", dry_run=False)

    assert pushed(kit, INVOICE, "A").exit_code == 0


def test_a_clearing_that_was_cut_off_is_named_and_repeated(kit):
    """The same clearing again, with its reason corrected, finishes it."""
    log = kit.log

    def stop(*_: object, **__: object) -> None:
        raise PowerCut

    kit.log = Wrapped(log, mark_batch=stop)
    with pytest.raises(PowerCut):
        kit.clear(INVOICE, batch="C", reason="by hnad", dry_run=False)
    kit.log = log
    assert [issue.value for issue in kit.unsent()] == ["C"]

    assert kit.clear(INVOICE, batch="C", reason="by hand", dry_run=False).exit_code == 0
    assert kit.unsent() == []


def test_a_clearing_with_nothing_left_is_not_unfinished(kit):
    """Somebody else batched the transaction meanwhile: tried, given up, and not named for ever."""
    connectwise = kit.connectwise

    def taken(number: str, **words: Any) -> None:
        connectwise.create_batch("THEIRS", **words)
        connectwise.create_batch(number, **words)

    kit.connectwise = Wrapped(connectwise, create_batch=taken)
    report = kit.clear(INVOICE, batch="C", reason="by hand", dry_run=False)

    assert (report.status, kit.unsent()) == ("failed", [])


# --- what is shown where nobody can be asked ---


def test_a_rerun_without_consent_shows_the_comparison(kit, capsys):
    """Present, missing, changed; nothing written; exit code 2 and how to go on."""
    pushed(kit, [*INVOICE, *TRANSFER], "A")
    kit.company.delete(next(row.place for row in kit.log.documents("A")))
    code, told = line(kit, capsys, "rerun", "--batch", "A")
    _, out, said = run(kit, capsys, "rerun", "--batch", "A")

    assert (code, told["counts"]) == (
        2,
        {"present": 1, "missing": 1, "changed": 0, "posted": 0},
    )
    assert {row["state"] for row in told["documents"]} == {"present", "missing"}
    assert "Document by document" in out
    assert "nothing was written" in said
    assert "--yes" in said
    assert len(living(kit)) == 1


def test_a_rerun_with_nothing_to_post_needs_no_consent(kit, capsys):
    """It only compares."""
    pushed(kit, INVOICE, "A")

    assert run(kit, capsys, "rerun", "--batch", "A")[0] == 0


def test_a_rerun_counts_what_it_posted(kit, capsys):
    """One was missing, and one was posted."""
    pushed(kit, INVOICE, "A")
    kit.company.delete(living(kit)[0])
    code, told = line(kit, capsys, "rerun", "--batch", "A", "--yes")

    assert (code, told["counts"]["posted"]) == (0, 1)


def test_unposting_without_consent_lists_what_stands_in_sage(kit, capsys):
    """Every document with its screen; the batch is still there."""
    pushed(kit, [*INVOICE, *EXPENSES], "A")
    code, told = line(kit, capsys, "unpost", "--batch", "A")
    _, out, said = run(kit, capsys, "unpost", "--batch", "A")

    assert (code, kit.connectwise.find_batch("A") is None) == (2, False)
    screens = {row["label"]: row["screen"] for row in told["documents"]}
    assert screens["expense:5011"] == "Vendors & Purchases > Enter Bills > View and Edit Bills"
    assert "Sales Invoices" in screens[INVOICE[0]]
    assert "would be deleted" in out
    assert "nothing was written" in said


@pytest.mark.parametrize(
    ("key", "words"), [(WAITING[0], "whole purchase order"), (INVOICE[0], "More > Un-batch")]
)
def test_unposting_a_document_without_consent_says_what_would_be_done(kit, capsys, key, words):
    """A receipt takes its order along; an invoice is un-batched by hand."""
    pushed(kit, [key], "A")
    code, out, _ = run(kit, capsys, "unpost", "--document", key)

    assert (code, words in out, len(living(kit))) == (2, True, 1)


def test_a_person_sees_the_list_before_the_question(kit, capsys, monkeypatch):
    """Beside the question; a no leaves everything."""
    pushed(kit, INVOICE, "A")
    monkeypatch.setattr("sys.stdin", Keyboard("n\n"))
    code, _, asked = run(kit, capsys, "unpost", "--batch", "A")

    assert asked.index("Documents in Sage 50") < asked.index("Delete batch A in ConnectWise?")
    assert (code, kit.connectwise.find_batch("A") is None) == (2, False)


# --- what is told ---


def test_ctrl_c_at_the_second_question_tells_what_was_finished(kit, capsys, monkeypatch):
    """The first yes has finished batch A: "Nothing was written" would be a lie."""
    with interrupted(kit):
        pushed(kit, INVOICE, "A")
    monkeypatch.setattr("sys.stdin", CtrlC("y\n"))
    code, _, said = run(kit, capsys, "push", "--batch", "B", "--kinds", "transfer")

    assert code == 2
    assert "Only batch A was finished." in said
    assert "Nothing was written" not in said


def test_an_invoice_is_not_voided_while_it_is_batched_and_that_is_said(kit):
    """--void has to wait for the click in ConnectWise."""
    pushed(kit, INVOICE, "A")
    undone = kit.unpost(document=INVOICE[0], void=True)

    assert list(undone.issues["code"]) == ["unbatch_by_hand", "void_waits"]
    assert f"sage50kit void --document {INVOICE[0]}" in undone.issues.loc[1, "fix"]
    assert len(living(kit)) == 1


def test_resume_shows_the_findings_of_what_it_finished(kit, capsys):
    """A refusal is not only counted."""
    with interrupted(kit):
        pushed(kit, [HELD, *INVOICE], "A")
    code, out, _ = run(kit, capsys, "resume")

    assert (code, HELD in out, "on hold" in out or "Hold" in out) == (3, True, True)


def test_a_refusal_nobody_foresaw_keeps_its_own_cure(kit):
    """The number is used already by a customer who is only notified of his credit."""
    plan = kit.plan(choose(kit, INVOICE), batch="A")
    (document,) = plan.documents
    customer = kit.company.books().customer[document.party_id.casefold()]
    kit.company.change(replace(customer, credit_status="always_notify"))
    plan = kit.plan(choose(kit, INVOICE), batch="A")
    assert "credit_notify" in {issue.code for issue in plan.issues}
    taken = replace(document, key="invoice:1", transactions=("invoice:1",))
    kit.company.post(taken)
    report = kit.push(plan, dry_run=False)
    (refusal,) = report.issues[report.issues["code"] == "company_refused"].to_dict("records")

    assert "has already been used" in refusal["value"]
    assert refusal["fix"] == "correct it and push it in the next batch"


def test_an_error_for_machines_is_structured(kit, capsys):
    """Code, sentence, what to do and the record, in the one line."""
    code, told = line(kit, capsys, "verify", "--batch", "NOPE")

    assert code == 2
    assert told["error"]["code"] == "usage_error"
    assert "no batch NOPE" in told["error"]["sentence"]
    assert told["error"]["record"] == "NOPE"
    assert told["error"]["fix"]


def test_who_holds_the_company_is_structured(kit, capsys):
    """Exit code 6, and the holder as fields."""
    pushed(kit, INVOICE, "A")
    with kit.log.claim():
        code, told = line(kit, capsys, "resume")

    assert (code, told["status"], told["error"]["code"]) == (6, "busy", "push_in_progress")
    assert set(told["error"]["holder"]) == {"actor", "machine", "process", "since"}


def test_a_blocked_plan_names_its_record_and_cure(kit, capsys):
    """As data, beside the findings."""
    kit.company.post(_by_hand(kit))
    code, told = line(kit, capsys, "plan", "--batch", "A", "--kinds", "invoice")

    assert (code, told["error"]["code"]) == (4, "plan_blocked")
    assert told["error"]["record"] == INVOICE[0]
    assert told["error"]["fix"] in {row["fix"] for row in told["issues"]}


def _by_hand(kit: Kit) -> Any:
    """The document of the invoice as somebody entered it, under another key."""
    (document,) = kit.plan(choose(kit, INVOICE)).documents
    return replace(document, key="invoice:1", transactions=("invoice:1",))


def test_a_batch_and_a_document_are_not_both_named(kit):
    """The sentence says which way it is wrong."""
    with pytest.raises(UsageError, match="not both"):
        kit.unpost("A", document=INVOICE[0])
    with pytest.raises(UsageError, match="sage50kit why invoice:1"):
        kit.clear(["invoice:1"], batch="C", reason="x")
