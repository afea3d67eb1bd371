"""Push, re-run and clear from the terminal: what is asked first, what is told, what is left on disk."""

from __future__ import annotations

import io
import json
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from sage50kit.cli import main
from tests.pushing import HELD, INVOICE, TRANSFER, WAITING, interrupted, kit_in, living, pushed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sage50kit.kit import Kit


class Keyboard(io.StringIO):
    """A terminal at which somebody types."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def kit(tmp_path) -> Iterator[Kit]:
    with kit_in(tmp_path) as kit:
        yield kit


def profile(kit: Kit) -> str:
    return str(kit.profile.sage.company_file.with_name("stage.toml"))


def told(kit: Kit, capsys: Any, *words: str) -> tuple[int, Any, str]:
    """Exit code, the line of JSON and stderr of a verb."""
    code = main([words[0], "--profile", profile(kit), *words[1:], "--json"])
    shown = capsys.readouterr()
    return code, json.loads(shown.out.splitlines()[-1]), shown.err


def exports(kit: Kit) -> int:
    """How often ConnectWise was asked for an export."""
    return (kit.workdir / "requests.jsonl").read_text(encoding="utf-8").count("/export")


PUSH_B = ("push", "--batch", "B", "--kinds", "transfer", "--yes")


def test_what_was_finished_first_is_told(kit, capsys):
    """Its headline, findings and files are in the answer, and the graver exit code wins."""
    with interrupted(kit):
        pushed(kit, [HELD, *INVOICE], "A")
    code, line, _ = told(kit, capsys, *PUSH_B)

    assert (code, line["status"], line["batch"]) == (3, "completed_with_errors", "B")
    assert [words.startswith("Batch A") for words in line["finished_first"]] == [True]
    assert HELD in {row["key"] for row in line["issues"]}
    folders = {path.replace("\\", "/").split("/")[-2] for path in line["files"]}
    assert folders == {"A", "B"}


def test_what_was_finished_first_is_shown_to_people_too(kit, capsys):
    """In the table's wake: the headline of the earlier batch."""
    with interrupted(kit):
        pushed(kit, INVOICE, "A")
    code = main(["push", "--profile", profile(kit), *PUSH_B[1:]])

    assert "Finished first: Batch A" in capsys.readouterr().out
    assert (code, len(living(kit))) == (0, 2)


def test_the_same_batch_is_not_told_twice(kit, capsys):
    """Pushing the unfinished batch itself again finishes it; there is no other one."""
    with interrupted(kit):
        pushed(kit, TRANSFER, "B")
    code, line, _ = told(kit, capsys, *PUSH_B)

    assert (code, line["batch"], "finished_first" in line) == (0, "B", False)


def test_what_was_finished_first_is_told_although_the_push_is_refused(kit, capsys):
    """The number of the new batch is taken: exit code 4, and the earlier batch is not hidden."""
    pushed(kit, WAITING, "B")
    with interrupted(kit):
        pushed(kit, INVOICE, "A")
    code, line, said = told(kit, capsys, *PUSH_B)

    assert (code, "was used on" in said) == (4, True)
    assert [words.startswith("Batch A") for words in line["finished_first"]] == [True]


def test_nothing_is_finished_before_the_question(kit, capsys, monkeypatch):
    """An unfinished batch is named in the first question; no means that nothing is written."""
    with interrupted(kit):
        pushed(kit, [*INVOICE, *TRANSFER], "A")
    monkeypatch.setattr("sys.stdin", Keyboard("n\n"))
    code = main(["push", "--profile", profile(kit), "--batch", "B"])
    shown = capsys.readouterr().err

    assert (code, kit.log.unfinished_batches(), len(living(kit))) == (2, ["A"], 1)
    assert "Not finished yet: batch A" in shown
    assert "Nothing was written" in shown


def test_a_no_after_something_was_finished_says_so(kit, capsys, monkeypatch):
    """Yes to the unfinished batch, no to the new one."""
    with interrupted(kit):
        pushed(kit, INVOICE, "A")
    monkeypatch.setattr("sys.stdin", Keyboard("y\nn\n"))
    code = main(["push", "--profile", profile(kit), "--batch", "B", "--kinds", "transfer"])

    assert (code, kit.log.unfinished_batches(), len(living(kit))) == (2, [], 1)
    assert "Only batch A was finished." in capsys.readouterr().err


def test_a_report_that_cannot_be_written_undoes_no_push(kit, capsys):
    """A folder stands where the page belongs: the exit code of the push, the other files, one sentence."""
    (kit.workdir / "batches" / "B" / "push.html").mkdir(parents=True)
    code, line, said = told(kit, capsys, *PUSH_B)

    assert (code, line["status"]) == (0, "completed")
    assert "push.html" in said
    assert "What was pushed stays pushed" in said
    names = {path.replace("\\", "/").rpartition("/")[2] for path in line["files"]}
    assert {"push.txt", "push.xlsx", "errors.csv", "log.jsonl"} <= names
    assert "push.html" not in names


@pytest.mark.parametrize("verb", ["resume", "rerun", "clear"])
def test_a_report_of_another_verb_that_cannot_be_written(kit, capsys, verb):
    """The same for what finishes, repeats or clears a batch."""
    words = {"resume": (), "rerun": ("--batch", "A", "--yes")}.get(
        verb, ("--batch", "A", "--keys", *TRANSFER, "--reason", "x", "--yes")
    )
    if verb == "resume":
        with interrupted(kit):
            pushed(kit, INVOICE, "A")
    if verb == "rerun":
        pushed(kit, INVOICE, "A")
        kit.company.delete(living(kit)[0])
    (kit.workdir / "batches" / "A" / "push.txt").mkdir(parents=True)
    code, _, said = told(kit, capsys, verb, *words)

    assert code == 0
    assert "push.txt" in said


def test_a_rerun_compares_once_and_posts_what_it_showed(kit, capsys):
    """With --yes it asks ConnectWise for no more exports than the comparison alone."""
    pushed(kit, INVOICE, "A")
    kit.company.delete(living(kit)[0])
    start = exports(kit)
    kit.rerun("A")
    compared = exports(kit) - start
    code, line, _ = told(kit, capsys, "rerun", "--batch", "A", "--yes")

    assert (code, len(living(kit))) == (0, 1)
    assert line["headline"].endswith("1 of 1 were posted.")
    assert 0 < compared == exports(kit) - start - compared


def test_what_stands_is_cleared_on_purpose_only(kit, capsys):
    """Refused with where it stands; --anyway clears it."""
    pushed(kit, INVOICE, "A")
    kit.unpost("A")
    words = ("clear", "--batch", "C", "--keys", *INVOICE, "--reason", "x", "--yes")
    refused, _, said = told(kit, capsys, *words)
    done, line, _ = told(kit, capsys, *words, "--anyway")

    assert (refused, f"{INVOICE[0]} at {living(kit)[0]}" in said) == (2, True)
    assert (done, line["counts"]["cleared"]) == (0, 1)


@pytest.mark.parametrize("key", ["hello", "invoices:48112", "invoice:", ""])
def test_why_wants_a_key(kit, capsys, key):
    """What is no key is wrong use, and the sentence shows a key."""
    code = main(["why", key, "--profile", profile(kit)])

    assert code == 2
    assert "Keys are written as invoice:48112" in capsys.readouterr().err


def test_what_stays_in_doubt_stops_the_push_and_what_was_finished_is_told(kit, capsys):
    """Two batches were begun: one is finished, of the other only a person can tell."""
    with interrupted(kit):
        pushed(kit, INVOICE, "A")
    (place,) = living(kit)
    kit.company.void(place, on=date(2026, 10, 31))
    code, line, said = told(kit, capsys, *PUSH_B)

    assert (code, line["status"], line["batch"]) == (5, "in_doubt", "A")
    assert "were voided" in said
    assert kit.log.batch("B") is None
