"""A log of an earlier version is brought forward, whole or not at all."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from sage50kit.errors import LogUnavailable
from tests.pushlogs import Place, invoice

VERSION_1 = Path(__file__).parent / "data" / "pushlog_version_1.sql"
LOG_ID = "8ad158ea470d4bce9370adb05abee9e4"


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A file that version 1 wrote: batch A done, one refusal, batch B taken up anew and half sent."""
    place = Place(tmp_path / "company.pushlog")
    with closing(sqlite3.connect(place.at)) as db:
        db.executescript(VERSION_1.read_text(encoding="utf-8"))
    return place


def content(place: Place) -> list[str]:
    """Everything in the file, as SQL."""
    with closing(sqlite3.connect(place.at)) as db:
        return list(db.iterdump())


def test_version_1_is_brought_forward_whole(place):
    """Every event, state and batch is there under the same log id, and the chain goes on."""
    events = place.run("select seq, hash, payload from events order by seq")
    log = place.open(remembered=LOG_ID)
    log.mark(invoice(2), "posted", batch="B", place="S-2")

    assert log.log_id == LOG_ID
    assert place.run("select seq, hash, payload from events order by seq")[:-1] == events
    assert [(row.key, row.state, row.place) for row in log.documents("A")] == [
        ("invoice:1", "posted", "S-1"),
        ("invoice:2", "refused", ""),
    ]
    assert [(row.key, row.state) for row in log.documents("B")] == [
        ("invoice:2", "posted"),
        ("invoice:3", "planned"),
    ]
    assert [(row["batch"], row["batch_id"]) for row in log.history()] == [("B", None), ("A", 7)]
    assert log.unfinished_batches() == ["B"]
    assert log.of_transactions(["invoice:2"])["invoice:2"][0].batch == "B"
    assert log.verify() == []
    log.close()


def test_an_empty_log_of_version_1_is_brought_forward(place):
    """Nothing was ever recorded in it."""
    for table in ("events", "documents", "transactions", "batches"):
        place.run(f"delete from {table}")
    place.run("update meta set value = '0' where name = 'events'")
    log = place.open(remembered=LOG_ID)

    assert (log.log_id, log.count(), log.verify()) == (LOG_ID, 0, [])
    log.close()


def test_it_is_brought_forward_once(place):
    """Opened again, it is as it was left."""
    place.open().close()
    first = content(place)
    place.open().close()

    assert content(place) == first


def test_a_step_that_dies_half_way_leaves_the_old_version_whole(place):
    """What stands in the way is taken away, and the same file is brought forward."""
    place.run("create table logs (other integer)")
    before = content(place)
    with pytest.raises(LogUnavailable):
        place.open()
    after = content(place)
    place.run("drop table logs")
    log = place.open()

    assert after == before
    assert log.verify() == []
    log.close()
