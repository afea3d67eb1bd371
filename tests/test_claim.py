"""The claim: one push at a time per company, between processes and between machines."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from sage50kit.errors import LogUnavailable, PushInProgress
from tests.pushlogs import Place, invoice, place_of, plan
from tests.stage import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sage50kit.pushlog import PushLog

HOLDER = """
import sys
from pathlib import Path
import sqlalchemy as sa
from sage50kit.errors import PushInProgress
from sage50kit.pushlog import PushLog
at = sa.make_url(sys.argv[1]) if "://" in sys.argv[1] else Path(sys.argv[1])
log = PushLog(at, site="site", actor="somebody", company="Acme")
print("open", flush=True)
sys.stdin.readline()
try:
    with log.claim():
        print("held", flush=True)
        sys.stdin.readline()
except PushInProgress:
    print("busy", flush=True)
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """A log's place of either kind."""
    return place_of(request, tmp_path)


@pytest.fixture
def log(place: Place) -> Iterator[PushLog]:
    """A new log."""
    log = place.open()
    yield log
    log.close()


@contextmanager
def process(place: Place) -> Iterator[subprocess.Popen[str]]:
    """A process that has the log open and claims the company when it is told to."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, place.address],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "open\n"
        try:
            yield other
        finally:
            other.kill()


def tell(other: subprocess.Popen[str]) -> None:
    """Let a process take its next step."""
    assert other.stdin is not None
    other.stdin.write("\n")
    other.stdin.flush()


def said(other: subprocess.Popen[str]) -> str:
    """The next word of a process."""
    assert other.stdout is not None
    return other.stdout.readline().strip()


def claimed_at_last(log: PushLog) -> bool:
    """Whether the company becomes free: a server notices the end of a process in its own time."""
    for _ in range(10_000):
        try:
            with log.claim():
                return True
        except PushInProgress:
            continue
    return False


def test_a_company_that_is_held_says_by_whom(place, log):
    """Person, machine, process and since when; the code of the terminal is 6."""
    with process(place) as other:
        tell(other)
        assert said(other) == "held"
        words = rf"somebody on .+ \(process {other.pid}\) since 20\d\d-"
        with pytest.raises(PushInProgress, match=words) as caught, log.claim():
            pass
    assert caught.value.exit_code == 6


def test_a_claim_dies_with_its_holder(place, log):
    """A killed process leaves the company free."""
    with process(place) as other:
        tell(other)
        assert said(other) == "held"
        other.kill()
        other.wait()

        assert claimed_at_last(log)


def test_of_two_started_at_once_one_gets_the_company(place, log):
    """Both are told in the same moment; one holds, the other is told to wait."""
    with process(place) as first, process(place) as second:
        tell(first)
        tell(second)

        assert {said(first), said(second)} == {"held", "busy"}


def test_a_claim_that_ended_can_be_taken_at_once(place, log):
    """By another connection, without waiting for a server to notice."""
    other = place.open()
    for _ in range(3):
        with log.claim() as held:
            assert held.still_held()
            with pytest.raises(PushInProgress), other.claim():
                pass
        assert not held.still_held()
        with other.claim():
            pass
    other.close()


def test_companies_do_not_wait_for_each_other(postgres):
    """Two companies in one database are pushed at the same time."""
    place = Place(postgres.database(), postgres)
    first, second = place.open(), place.open(company="Other")
    with first.claim(), second.claim() as held:
        assert held.still_held()
    first.close()
    second.close()


def test_who_has_just_begun_is_not_mixed_up_with_who_went_before(postgres):
    """A signature counts only while its session holds the lock."""
    place = Place(postgres.database(), postgres)
    log, other = place.open(), place.open()
    with log.claim():
        place.run("update claims set session = 0")
        with pytest.raises(PushInProgress, match="has just begun"), other.claim():
            pass
    log.close()
    other.close()


def test_a_file_that_was_claimed_and_not_yet_signed(tmp_path):
    """There is a moment between the lock and the signature."""
    place = Place(tmp_path / "company.pushlog")
    log = place.open()
    with log.claim():
        (tmp_path / "company.pushlog.holder").unlink()
        with pytest.raises(PushInProgress, match="has just begun"), log.claim():
            pass
    log.close()


def lose(place: Place, log: PushLog) -> None:
    """Take the claim away from under its holder."""
    if place.server is None:
        lock = place.at.with_name(place.at.name + ".lock")
        lock.replace(lock.with_suffix(".away"))
        return
    place.run("select pg_terminate_backend(session, 10000) from claims")


# Windows lets nobody take a locked file away, which is what an impatient person does elsewhere.
LOSABLE = ["postgresql"] if os.name == "nt" else ["sqlite", "postgresql"]


@pytest.mark.parametrize("place", LOSABLE, indirect=True)
def test_a_lost_claim_stops_the_push_before_its_next_write(place, log):
    """Somebody else holds the company by now: nothing more is recorded, so nothing more is sent."""
    log.record(plan("A", invoice(1)))
    other = place.open()
    with log.claim() as held:
        lose(place, log)
        with other.claim():
            with pytest.raises(LogUnavailable):
                log.mark(invoice(1), "sending", batch="A")
            with pytest.raises(LogUnavailable, match="somebody else may push now"):
                log.mark(invoice(1), "sending", batch="A")
            assert not held.still_held()
            assert log.state_of(invoice(1), batch="A") == "planned"
    log.mark(invoice(1), "refused", batch="A")

    assert log.verify() == []
    other.close()


@pytest.mark.parametrize("place", LOSABLE, indirect=True)
def test_a_lost_claim_is_noticed_by_asking(place, log):
    """Before anything is written."""
    with log.claim() as held:
        before = held.still_held()
        lose(place, log)
        after = held.still_held()

    assert (before, after) == (True, False)


def test_a_claim_that_cannot_be_written_is_a_sentence(tmp_path):
    """The folder does not let us; here a folder stands where the lock should be."""
    log = Place(tmp_path / "company.pushlog").open()
    (tmp_path / "company.pushlog.lock").mkdir()

    with pytest.raises(LogUnavailable, match="cannot be written"), log.claim():
        pass
    log.close()
