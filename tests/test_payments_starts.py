"""Where a payment sync begins to read, and how far the next one goes back."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from sage50kit.errors import UsageError
from sage50kit.payments.receipts import start_of
from tests.payment_stage import dollars, staged

STARTS = {
    "week": date(2026, 3, 24),
    "fortnight": date(2026, 3, 17),
    "month": date(2026, 2, 28),
    "2026-01-15": date(2026, 1, 15),
    "last": None,
}


@pytest.mark.parametrize("choice", STARTS)
def test_start_choices(choice):
    """As in the product we replace; the same day of last month is clamped: 31 March -> 28 February."""
    assert start_of(choice, date(2026, 3, 31)) == STARTS[choice]


@pytest.mark.parametrize(
    ("today", "start"),
    [
        (date(2026, 4, 10), date(2026, 3, 10)),
        (date(2026, 1, 31), date(2025, 12, 31)),
        (date(2028, 3, 30), date(2028, 2, 29)),
        (date(2026, 7, 31), date(2026, 6, 30)),
    ],
)
def test_same_day_last_month(today, start):
    """Over the year's end and in leap years too."""
    assert start_of("month", today) == start


@pytest.fixture
def stage(tmp_path):
    """Two invoices."""
    with staged(tmp_path, {"1001": "300.00", "1002": "200.00"}) as stage:
        yield stage


class Reader:
    """The company, with another way of reading; `asked` are the cursors and starts it was given."""

    def __init__(self, company: Any, *, follows: bool = True, complete: bool = True) -> None:
        self._company = company
        self.complete = complete
        self.asked: list[tuple[str, date | None]] = []
        self.capabilities = replace(company.capabilities, follows_receipts=follows)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._company, name)

    def receipts(self, cursor: str, *, since: date | None = None) -> Any:
        self.asked.append((cursor, since))
        rows, after, _ = self._company.receipts(cursor, since=since)
        return rows, after, self.complete


def test_the_next_run_begins_with_an_overlap(stage):
    """Each run reads again what the one before it read; what is unchanged costs no request."""
    stage.company = reader = Reader(stage.company)
    for day in (5, 6, 7):
        stage.pay(f"CK {day}", day, applied={"1001": "10.00"})
        stage.sync()
    first = stage.record.known().progress
    assert [cursor.partition("-")[0] for cursor, _ in reader.asked] == ["", "", "1"]
    assert first.overlap.startswith("2-")
    stage.sent()
    stage.sync()
    assert stage.sent() == (0, 0)


def test_a_reading_that_was_cut_holds_the_cursor(stage):
    """What was read is applied; the next run reads from the same place, and nothing counts as deleted."""
    stage.pay("CK 1", 5, applied={"1001": "10.00"})
    stage.sync()
    stage.company = reader = Reader(stage.company, complete=False)
    stage.pay("CK 2", 6, applied={"1002": "20.00"})
    before = stage.record.known().progress.cursor
    report = stage.sync()
    assert (report.cursor_moved, stage.record.known().progress.cursor) == (False, before)
    assert [row.code for row in report.issues] == ["receipts_cut"]
    assert report.exit_code == 3
    assert "stays where it was" in report.sentence
    assert stage.shown() == {"1001": (dollars(10),), "1002": (dollars(20),)}
    reader.complete = True
    assert stage.sync().cursor_moved
    assert stage.record.known().progress.cursor != before


def test_a_dated_run_does_not_move_the_cursor(stage):
    """It reads since its day only; what the last run has not read is still to come."""
    stage.pay("CK 1", 5, applied={"1001": "10.00"})
    report = stage.sync("2026-10-06")
    assert (report.cursor_moved, stage.record.known().progress.cursor) == (False, "")
    assert "a date was chosen" in report.sentence
    assert stage.sync().cursor_moved
    assert stage.shown() == {"1001": (dollars(10),)}


def test_a_dated_run_sees_all_that_stands_against_its_invoices(stage):
    """An older part payment outside the window counts: the sum is of what stands, not of what was read."""
    stage.pay("CK 1", 2, applied={"1001": "100.00"})
    stage.pay("CK 2", 30, applied={"1001": "50.00"})
    stage.sync("week")
    assert stage.shown() == {"1001": (dollars(150),)}


def test_without_incremental_reader_the_export_is_compared(stage):
    """The connector cannot tell changes: all is read and compared, deletions too; the report says so."""
    stage.company = Reader(stage.company, follows=False)
    paid = stage.pay("CK 1", 5, applied={"1001": "10.00", "1002": "20.00"})
    assert "compared with the last reading" in stage.sync().sentence
    stage.company.delete_receipt(paid.place)
    stage.sync()
    assert stage.shown() == {}
    stage.sent()
    stage.sync()
    assert stage.sent() == (0, 0)


def test_a_cut_export_deletes_nothing(stage):
    """What is missing in a reading that was not whole is not taken for deleted."""
    stage.company = reader = Reader(stage.company, follows=False)
    paid = stage.pay("CK 1", 5, applied={"1001": "10.00"})
    stage.sync()
    stage.company.delete_receipt(paid.place)
    reader.complete = False
    stage.sync()
    assert stage.shown() == {"1001": (dollars(10),)}
    reader.complete = True
    stage.sync()
    assert stage.shown() == {}


@pytest.mark.parametrize("entered", [0, 1, 2, 3])
def test_a_restored_company_is_read_whole(stage, tmp_path, entered):
    """The company comes back from its backup: what was lost is unpaid, what is entered since is paid.

    However many receipts are entered before the next run: none hides behind the old cursor.
    """
    stage.pay("CK 1", 5, applied={"1001": "40.00"})
    stage.sync()
    with (
        closing(sqlite3.connect(stage.company.path)) as books,
        closing(sqlite3.connect(tmp_path / "backup")) as backup,
    ):
        books.backup(backup)
        for number in (2, 3):
            stage.pay(f"CK {number}", 6, applied={"1001": "10.00"})
            stage.sync()
        backup.backup(books)
    for number in range(entered):
        stage.pay(f"CK {number + 7}", 8, applied={"1002": "33.00"})

    report = stage.sync()

    wanted = {"1001": (dollars(40),)} | ({"1002": (dollars(33 * entered),)} if entered else {})
    assert stage.shown() == wanted
    assert [row.code for row in report.issues] == ["receipts_restored"]
    assert "knows no more where the last run ended" in report.sentence
    assert stage.sync().issues == ()
    assert stage.sync().plan.reading.way == "changes"


def test_what_only_a_dated_run_saw_is_missed_when_the_company_was_restored(stage, tmp_path):
    """The cursor stayed where it was, so the books know it: that the receipt is gone shows all the same."""
    stage.sync()
    with (
        closing(sqlite3.connect(stage.company.path)) as books,
        closing(sqlite3.connect(tmp_path / "backup")) as backup,
    ):
        books.backup(backup)
        stage.pay("CK 1", 6, applied={"1001": "10.00"})
        stage.sync(since="2026-10-01")
        assert stage.shown() == {"1001": (dollars(10),)}
        backup.backup(books)

    report = stage.sync()

    assert stage.shown() == {}
    assert [row.code for row in report.issues] == ["receipts_restored"]


class Late(Reader):
    """A company where a receipt is entered between the two readings of a sync."""

    def applications(self, **words: Any) -> Any:
        self.meanwhile()
        return self._company.applications(**words)


def test_a_receipt_entered_between_the_readings_is_known_when_it_goes(stage):
    """It was written, but not read as a receipt; deleted before the next run, its payment goes too."""
    stage.pay("CK 1", 5, applied={"1001": "10.00"})
    plain, late = stage.company, []
    stage.company = Late(plain)
    stage.company.meanwhile = lambda: (
        late
        or late.append(
            plain.enter_receipt(
                "HILLSCHOOL",
                reference="CK 2",
                date=date(2026, 10, 6),
                applied={"1001": dollars(7)},
            )
        )
    )
    stage.sync()
    assert stage.shown() == {"1001": (dollars(17),)}
    stage.company = plain
    plain.delete_receipt(late[0].place)
    stage.sync()
    assert stage.shown() == {"1001": (dollars(10),)}


class Forgetful(Reader):
    """A company whose incremental read does not tell deletions, as Sage's saving times do not."""

    def receipts(self, cursor: str, *, since: date | None = None) -> Any:
        rows, after, complete = super().receipts(cursor, since=since)
        return [row for row in rows if row.state == "standing"], after, complete


def test_the_full_pass_heals_what_an_incremental_read_cannot_see(stage):
    """A deleted receipt is not seen by the incremental read; --full takes the payment away."""
    stage.company = Forgetful(stage.company)
    first = stage.pay("CK 1", 5, applied={"1001": "10.00"})
    stage.pay("CK 2", 6, applied={"1001": "5.00", "1002": "20.00"})
    stage.sync()
    stage.sync()
    stage.company.delete_receipt(first.place)
    stage.sync()
    assert stage.shown() == {"1001": (dollars(15),), "1002": (dollars(20),)}
    stage.sync(full=True)
    assert stage.shown() == {"1001": (dollars(5),), "1002": (dollars(20),)}


def test_a_start_to_come_is_refused():
    """It would read nothing and look clean."""
    with pytest.raises(UsageError, match="still to come"):
        start_of("2026-11-01", date(2026, 10, 31))


def test_a_receipt_dated_in_the_future_is_told(stage):
    """Sage applies it today, so ConnectWise shows it; a typing error is seen by the warning."""
    stage.company.enter_receipt(
        "HILLSCHOOL", reference="CK 9", date=date(2026, 11, 30), applied={"1001": dollars(10)}
    )
    report = stage.sync()
    assert [(row.code, row.number, row.value) for row in report.issues] == [
        ("receipt_future", "CK 9", "2026-11-30")
    ]
    assert stage.shown() == {"1001": (dollars(10),)}
