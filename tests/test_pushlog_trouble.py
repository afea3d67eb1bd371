"""A push log in trouble: one sentence, nothing lost, and the next use works."""

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from sage50kit.errors import LogCorrupt, LogUnavailable, MissingDependency, Transient
from sage50kit.pushlog import PushLog
from tests.postgres import running_postgres
from tests.pushlogs import Place, invoice, plan

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A log in a file."""
    return Place(tmp_path / "company.pushlog")


@pytest.fixture
def log(place: Place) -> Iterator[PushLog]:
    """A log with a document in it."""
    log = place.open()
    log.record(plan("A", invoice(1)))
    yield log
    log.close()


def set_for_connection(log: PushLog, setting: str) -> int | None:
    """A setting of the connection that the log keeps open; returns what it is now."""
    with log._store._engine.connect() as connection:
        done = connection.exec_driver_sql(f"PRAGMA {setting}")
        return done.scalar() if done.returns_rows else None


def test_a_full_disk(log):
    """Nothing of the plan that did not fit is there; with room again it is recorded."""
    pages = set_for_connection(log, "page_count")
    set_for_connection(log, f"max_page_count = {pages}")
    many = plan("B", *map(invoice, range(100, 200)))
    with pytest.raises(LogUnavailable, match="the disk is full") as caught:
        log.record(many)
    nothing = log.batch("B")
    set_for_connection(log, "max_page_count = 100000")
    log.record(many)

    assert isinstance(caught.value, Transient)
    assert nothing is None
    assert len(log.documents("B")) == 100
    assert log.verify() == []


def test_a_log_that_is_read_only(log):
    """What is there can be read; the sentence says whose rights to look at."""
    set_for_connection(log, "query_only = ON")
    with pytest.raises(LogUnavailable, match="read-only"):
        log.mark(invoice(1), "sending", batch="A")
    state = log.state_of(invoice(1), batch="A")
    set_for_connection(log, "query_only = OFF")
    log.mark(invoice(1), "sending", batch="A")

    assert state == "planned"
    assert log.verify() == []


def test_a_log_that_another_program_keeps_locked(place, log):
    """Reading goes on; a write waits, then says what to close."""
    set_for_connection(log, "busy_timeout = 1")
    with closing(sqlite3.connect(place.at, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(LogUnavailable, match="keeps it locked"):
            log.mark(invoice(1), "sending", batch="A")
        assert log.state_of(invoice(1), batch="A") == "planned"
        with closing(place.open()) as beside:
            assert beside.history()[0]["batch"] == "A"
        other.execute("ROLLBACK")
    log.mark(invoice(1), "sending", batch="A")

    assert log.verify() == []


def test_a_folder_that_cannot_be_made(tmp_path):
    """A file stands where the folder should be."""
    (tmp_path / "file").write_text("", encoding="utf-8")

    with pytest.raises(LogUnavailable, match="cannot be made"):
        Place(tmp_path / "file" / "company.pushlog").open()


def test_a_log_that_cannot_be_opened(tmp_path):
    """A folder stands where the file should be."""
    with pytest.raises(LogUnavailable, match="cannot be opened"):
        Place(tmp_path).open()


def test_a_file_that_is_no_log(place):
    """Garbage is named as such before anything is pushed."""
    place.at.write_bytes(b"this is not a database at all, and long enough to look like one" * 20)

    with pytest.raises(LogCorrupt, match="cannot be read"):
        place.open()


def test_a_file_of_something_else(place):
    """A company file named as the log by mistake is not written into."""
    place.run("create table company (id integer)")

    with pytest.raises(LogCorrupt, match="holds other tables"):
        place.open()


@pytest.mark.parametrize("kept", [0.3, 0.6, 0.9])
def test_a_file_that_was_cut_off(place, log, kept):
    """Half a copy is found before anything is pushed, wherever it ends."""
    log.record(plan("B", *map(invoice, range(100, 150))))
    log.close()
    whole = place.at.read_bytes()
    place.at.write_bytes(whole[: int(len(whole) * kept)])

    with pytest.raises(LogCorrupt):
        claim_of(place)


@pytest.mark.parametrize("page", range(1, 12, 3))
def test_a_page_that_the_disk_lost(place, log, page):
    """Zeros in the middle of the file are found before anything is pushed."""
    log.record(plan("B", *map(invoice, range(100, 150))))
    log.close()
    whole = bytearray(place.at.read_bytes())
    whole[page * 4096 : (page + 1) * 4096] = bytes(4096)
    place.at.write_bytes(whole)

    with pytest.raises(LogCorrupt):
        claim_of(place)


def claim_of(place: Place) -> None:
    """Begin a push."""
    log = place.open()
    try:
        with log.claim():
            pass
    finally:
        log.close()


def test_what_cannot_be_read_may_have_been_sent(place, log):
    """Asked whether anything left this machine, a damaged log says yes."""
    with closing(sqlite3.connect(place.at, isolation_level=None)) as other:
        other.execute("ALTER TABLE batches RENAME TO gone")

    assert log.was_sent("A")


def test_a_server_that_is_killed():
    """The push stops with a sentence; the server back, the log is whole and goes on."""
    with running_postgres() as server:
        place = Place(server.database(), server)
        log = place.open()
        log.record(plan("A", invoice(1)))
        server.kill()
        with pytest.raises(LogUnavailable, match="did not answer") as caught:
            log.mark(invoice(1), "sending", batch="A")
        maybe = log.was_sent("A")
        with pytest.raises(LogUnavailable):
            place.open()
        server.start()
        log.mark(invoice(1), "sending", batch="A")

        assert isinstance(caught.value, Transient)
        assert maybe
        assert log.state_of(invoice(1), batch="A") == "sending"
        assert log.verify() == []
        log.close()


def test_a_server_that_is_killed_in_mid_push():
    """The claim died with it: that push writes nothing more, although the server is back."""
    with running_postgres() as server:
        place = Place(server.database(), server)
        log = place.open()
        log.record(plan("A", invoice(1)))
        with log.claim() as held:
            log.mark(invoice(1), "sending", batch="A")
            server.kill()
            server.start()
            with pytest.raises(LogUnavailable):
                log.mark(invoice(1), "posted", batch="A", place="S-1")
            with pytest.raises(LogUnavailable, match="was lost"):
                log.mark(invoice(1), "posted", batch="A", place="S-1")
            assert not held.still_held()
        with log.claim():
            log.mark(invoice(1), "posted", batch="A", place="S-1")

        assert log.verify() == []
        log.close()


def test_a_server_that_is_killed_after_the_last_write():
    """Nothing was lost with it, so nothing is complained of."""
    with running_postgres() as server:
        place = Place(server.database(), server)
        log = place.open()
        with log.claim() as held:
            log.record(plan("A", invoice(1)))
            server.kill()
        gone = held.still_held()
        server.start()

        assert not gone
        assert log.batch("A") is not None
        log.close()


def test_the_driver_of_postgresql_is_an_extra(monkeypatch):
    """Without it the sentence names what to install."""
    monkeypatch.setitem(sys.modules, "psycopg", None)

    with pytest.raises(MissingDependency, match=r"pip install 'sage50kit\[postgresql\]'"):
        PushLog(sa.make_url("postgresql://host/log"), site="site", actor="tester")
