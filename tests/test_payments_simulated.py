"""A thousand simulated worlds end as the oracle says; bugs that are planted are caught."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from sage50kit.errors import ConnectWiseUnavailable
from sage50kit.payments.record import PaymentRecord
from sage50kit.pushlog import PushLog
from tests.payment_simulation import Bug, Line, World, Wrong, made_client

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sage50kit.payments.model import Known, PaymentPlan

CHUNK = 50
MEMORY = Path("/dev/shm")  # where there is one; a log on a disk would spend its time waiting


@pytest.fixture
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder in memory, or the usual one."""
    import tempfile

    if not MEMORY.is_dir():
        yield tmp_path_factory.mktemp("logs")
        return
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        yield Path(folder)


def play(seeds: range, place: Path, bug: Bug | None = None) -> None:
    """Play the worlds of some seeds; raises with the seed that is not as it should be."""
    line = Line()
    with made_client(line) as client:
        for seed in seeds:
            log = PushLog(place / f"{seed}.pushlog", site=client.name, actor="simulator")
            try:
                World(seed, line, client, log, bug or Bug()).play()
            except Wrong as error:
                raise Wrong(f"seed {seed}: {error}") from error
            finally:
                log.close()


QUICK = 200
SEEDS = [
    pytest.param(first, marks=[pytest.mark.slow] if first >= QUICK else [])
    for first in range(0, 1000, CHUNK)
]


@pytest.mark.parametrize("first", SEEDS)
def test_worlds_end_as_the_oracle_says(place, first):
    """Nothing lost, nothing doubled, no foreign row touched, the cursor never past unread data."""
    play(range(first, first + CHUNK), place)


class CursorBeforeApply(PaymentRecord):
    """The start moves before anything is written, and nothing waits."""

    def begin(self, plan: PaymentPlan) -> None:
        super().begin(plan)
        self.end(plan)

    def known(self) -> Known:
        return replace(super().known(), waiting=())


class CursorOverTheCut(PaymentRecord):
    """A reading that was cut counts as whole."""

    def end(self, plan: PaymentPlan) -> bool:
        known = replace(plan.reading.known, cursor=plan.reading.cursor)  # and without the overlap
        return super().end(replace(plan, reading=replace(plan.reading, complete=True, known=known)))


class ForgetsWhatWasPaid(PaymentRecord):
    """What a receipt paid before it was moved or deleted is forgotten."""

    def known(self) -> Known:
        known = super().known()
        return replace(
            known, sources={key: replace(row, pays=()) for key, row in known.sources.items()}
        )


class Wrapped:
    """Something that behaves as what it wraps, but for what a bug changes."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class Aggregate(Wrapped):
    """The sum of what was read, instead of all that stands."""

    def receipts(self, cursor: str, **words: Any) -> Any:
        rows, after, whole = self._inner.receipts(cursor, **words)
        self.read = {row.place for row in rows}
        return rows, after, whole

    def applications(self, **words: Any) -> Any:
        return [row for row in self._inner.applications(**words) if row.place in self.read]


class ForeignOverwritten(Wrapped):
    """Nobody looks whether there is a payment already."""

    def by_id(self, ids: Any) -> Any:
        return [row.model_copy(update={"payments": None}) for row in self._inner.by_id(ids)]

    def by_number(self, numbers: Any) -> Any:
        return [row.model_copy(update={"payments": None}) for row in self._inner.by_number(numbers)]


class SentAgain(Wrapped):
    """A payment that was not answered is sent once more, without a look."""

    def create(self, *words: Any) -> Any:
        try:
            return self._inner.create(*words)
        except ConnectWiseUnavailable:
            return self._inner.create(*words)


class SilenceIsSuccess(Wrapped):
    """A payment that was not answered counts as written."""

    def create(self, *words: Any) -> Any:
        try:
            return self._inner.create(*words)
        except ConnectWiseUnavailable:
            return 0

    def change(self, *words: Any) -> None:
        try:
            self._inner.change(*words)
        except ConnectWiseUnavailable:
            return


class CreditCountedTwice(Wrapped):
    """A credit memo counts as money, also where ConnectWise applied it too."""

    def receipts(self, cursor: str, **words: Any) -> Any:
        rows, after, whole = self._inner.receipts(cursor, **words)
        return [replace(row, applications=as_money(row.applications)) for row in rows], after, whole

    def applications(self, **words: Any) -> Any:
        return as_money(self._inner.applications(**words))


def as_money(rows: Any) -> Any:
    return tuple(replace(row, kind="receipt") for row in rows)


class RestoredUnnoticed(Wrapped):
    """Nobody asks whether the books are those that the cursor was made for."""

    def knows_cursor(self, cursor: str) -> bool:
        return bool(cursor)


BUGS = {
    "credit counted twice": Bug(company=CreditCountedTwice),
    "restored books unnoticed": Bug(company=RestoredUnnoticed),
    "cursor before apply": Bug(record=CursorBeforeApply),
    "cursor over a cut reading": Bug(record=CursorOverTheCut),
    "aggregate instead of applications": Bug(company=Aggregate),
    "what was paid before is forgotten": Bug(record=ForgetsWhatWasPaid),
    "foreign row overwritten": Bug(connectwise=ForeignOverwritten),
    "sent again without a look": Bug(connectwise=SentAgain),
    "silence taken for success": Bug(connectwise=SilenceIsSuccess),
}


@pytest.mark.parametrize("name", BUGS)
def test_planted_bugs_are_caught(place, name):
    """Each within 200 seeds."""
    with pytest.raises(Wrong, match=r"seed \d+"):
        play(range(200), place, BUGS[name])
