"""A push log that was put back from an older backup, or lost, is noticed, and a person can go on without it."""

from __future__ import annotations

import json
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from sage50kit.cli import main
from sage50kit.errors import LogCorrupt
from sage50kit.kit import Kit
from tests.pushing import INVOICE, TRANSFER, kit_in, living, pushed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


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
