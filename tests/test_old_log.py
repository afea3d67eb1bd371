"""A push log that was put back from an older backup, or lost, is noticed, and a person can go on without it."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from sage50kit.cli import main
from sage50kit.errors import LogCorrupt
from sage50kit.kit import Kit
from tests.pushing import INVOICE, TRANSFER, PowerCut, Wrapped, kit_in, living, pushed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TWO = ["invoice:48101", "invoice:48102"]


@pytest.fixture
def kit(tmp_path) -> Iterator[Kit]:
    with kit_in(tmp_path) as kit:
        yield kit


def log_file(kit: Kit) -> Path:
    path: Path = kit.profile.sage.company_file
    return path.with_name(path.name + ".pushlog")


def copied(kit: Kit) -> Path:
    """A backup of the log as it is now."""
    kit.log.close()
    return shutil.copy(log_file(kit), log_file(kit).with_name("backup.pushlog"))


@contextmanager
def without_log(kit: Kit, backup: Path | None = None) -> Iterator[None]:
    """The log is lost, or an older copy of it is put back."""
    kit.log.close()
    for side in log_file(kit).parent.glob(f"{log_file(kit).name}*"):
        side.unlink()
    if backup is not None:
        shutil.copy(backup, log_file(kit))
    yield


def line(kit: Kit, capsys: Any, *words: str) -> tuple[int, Any]:
    """Exit code and the line of JSON of a verb."""
    profile = str(kit.profile.sage.company_file.with_name("stage.toml"))
    code = main([*words, "--profile", profile, "--json"])
    return code, json.loads(capsys.readouterr().out.splitlines()[-1])


def test_an_older_log_is_refused_before_anything_is_written(kit, capsys):
    """Whole in itself, and yet not the one that the company saw last: every verb says so, exit code 2."""
    pushed(kit, INVOICE, "A")
    backup = copied(kit)
    pushed(kit, TRANSFER, "B")
    with without_log(kit, backup):
        for words in (["fetch"], ["resume"], ["push", "--batch", "C", "--yes"]):
            code, told = line(kit, capsys, *words)
            assert (code, told["error"]["code"]) == (2, "log_corrupt")
            assert "from an older backup" in told["error"]["sentence"]
            assert "sage50kit log accept" in told["error"]["sentence"]
        code, told = line(kit, capsys, "log", "verify")
        assert (code, len(told["problems"])) == (3, 1)
    assert len(living(kit)) == 2


def test_a_log_that_went_on_elsewhere_is_refused(kit):
    """As long as the right one, with other events: a copy that somebody pushed with."""
    pushed(kit, INVOICE, "A")
    backup = copied(kit)
    pushed(kit, TRANSFER, "B")
    with without_log(kit, backup):
        with pytest.raises(LogCorrupt, match="older backup"):
            Kit(kit.profile)
        kit.log.note("verified", batch="A")  # the kit is open still, and writes into the older copy
        with pytest.raises(LogCorrupt, match="older backup"), kit.log.claim():
            kit.log.refuse_older(kit.company.log_mark())
        with pytest.raises(LogCorrupt, match="older backup"):
            kit.resume()


def test_an_older_company_is_no_older_log(kit):
    """Restored books know an earlier event, which the log holds."""
    pushed(kit, INVOICE, "A")
    mark = kit.company.log_mark()
    pushed(kit, TRANSFER, "B")
    kit.company.adopt_log(kit.log.log_id, mark=mark)

    assert kit.resume() == []
    assert kit.company.log_mark() == kit.log.stand()


def test_a_person_accepts_the_older_log(kit, capsys):
    """Written down in the log; the batches that it does not know are named; the next push goes on."""
    pushed(kit, INVOICE, "A")
    backup = copied(kit)
    pushed(kit, TRANSFER, "B")
    with without_log(kit, backup):
        assert line(kit, capsys, "log", "accept")[0] == 2
        code, told = line(kit, capsys, "log", "accept", "--yes")
        assert (code, "B" in told["unknown_batches"], "A" in told["unknown_batches"]) == (
            3,
            True,
            False,
        )
        with Kit(kit.profile) as again:
            assert "log_accepted" in {event["kind"] for event in again.log.events()}
            assert pushed(again, ["invoice:48101"], "C").exit_code == 0
            assert again.log.verify() == []
        assert line(kit, capsys, "log", "accept")[0] == 0


def test_a_lost_log_is_begun_anew_on_a_persons_word_only(kit, capsys):
    """Without the word nothing is begun; with it the company belongs to the new one."""
    pushed(kit, INVOICE, "A")
    lost = kit.log.log_id
    with without_log(kit):
        assert line(kit, capsys, "log", "accept")[0] == 2
        assert not log_file(kit).exists()
        code, told = line(kit, capsys, "log", "accept", "--yes")
        assert (code, "A" in told["unknown_batches"]) == (3, True)
        with Kit(kit.profile) as again:
            assert again.log.log_id == again.company.log_id() != lost
            assert pushed(again, TRANSFER, "B").exit_code == 0


def test_another_log_is_named_before_it_is_accepted(kit, capsys):
    """A file with another id stands in its place."""
    pushed(kit, INVOICE, "A")
    kit.company.adopt_log("somebody-else", instead_of=kit.log.log_id)
    code, told = line(kit, capsys, "log", "accept", "--yes")

    assert (code, "A" in told["unknown_batches"]) == (3, False)
    assert kit.company.log_id() == kit.log.log_id


def backup_after_the_first(kit: Kit) -> Path:
    """Where a push leaves a backup of the log, taken once its first document is posted."""
    copy = log_file(kit).with_name("backup.pushlog")

    def keep(step: str, done: int, of: int | None) -> None:
        if (step, done) == ("post", 1):
            with (
                closing(sqlite3.connect(log_file(kit))) as now,
                closing(sqlite3.connect(copy)) as to,
            ):
                now.backup(to)

    kit._progress = keep
    return copy


def resumed(kit: Kit, capsys: Any) -> None:
    """Both documents are posted, in the batch, and stand once; nothing is refused or missing."""
    code, told = line(kit, capsys, "resume")
    assert (code, told["counts"]) == (0, {"left_out": 0, "posted": 2})
    code, told = line(kit, capsys, "rerun", "--batch", "A")
    assert (code, told["counts"]["present"], told["counts"]["missing"]) == (0, 2, 0)
    code, told = line(kit, capsys, "verify", "--batch", "A")
    assert (code, told["counts"]["documents"]) == (0, 2)
    assert len(living(kit)) == 2


def test_what_an_accepted_older_log_calls_planned_is_looked_up(kit, capsys):
    """Its batch was made and its second document posted since: neither is taken for somebody else's."""
    backup = backup_after_the_first(kit)
    pushed(kit, TWO, "A")
    with without_log(kit, backup):
        line(kit, capsys, "log", "accept", "--yes")
        resumed(kit, capsys)


def test_an_older_log_of_a_push_that_was_cut_off_sends_nothing_again(kit, capsys):
    """The company does not know yet how far that log went, so that nobody is asked; what stands is not sent."""
    backup, company, taken = backup_after_the_first(kit), kit.company, []

    def post(document: Any) -> Any:
        taken.append(company.post(document))
        if len(taken) == 2:
            raise PowerCut
        return taken[0]

    kit.company = Wrapped(company, post=post)
    with pytest.raises(PowerCut):
        pushed(kit, TWO, "A")
    kit.company = company
    with without_log(kit, backup):
        resumed(kit, capsys)
