"""A process that is killed at any fault point leaves every document in the books once, or known not to be."""

from __future__ import annotations

import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

import pytest

from sage50kit.simulator.points import Points
from tests.crash_stage import BATCH, HELD, clear, crash_stage, living, push, rerun, resume, unpost

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sage50kit.kit import Kit
    from sage50kit.simulator.points import Point
    from tests.crash_stage import CrashStage, Way

pytestmark = pytest.mark.slow
LANES = 2  # cases under way at a time, each with a site of its own
PAIRS = 24


@dataclass(frozen=True)
class Story:
    """What is done, killed, taken up again, and what must stand afterwards."""

    act: Callable[[Kit], Any]
    before: Callable[[CrashStage, Way], None] = lambda stage, way: None
    imports: bool = False
    books: bool = True  # whether the documents stand in the books at the end
    batched: bool = True
    states: frozenset[str] = frozenset({"posted", "refused"})


@pytest.fixture(scope="module")
def lanes(tmp_path_factory) -> Iterator[SimpleQueue[CrashStage]]:
    free: SimpleQueue[CrashStage] = SimpleQueue()
    with ExitStack() as stages:
        for _ in range(LANES):
            free.put(stages.enter_context(crash_stage(tmp_path_factory.mktemp("crash"))))
        yield free


def pushed(stage: CrashStage, way: Way) -> None:
    """The batch was pushed before, and nothing happened."""
    del stage
    with way.open() as kit:
        push(kit)


def pushed_and_lost(stage: CrashStage, way: Way) -> None:
    """The batch was pushed before, and then the company was restored from an older copy."""
    pushed(stage, way)
    stage.restored(way)


def points_of(lanes: SimpleQueue[CrashStage], story: Story) -> list[Point]:
    """Every point that the undisturbed story passes."""
    stage, points = lanes.get(), Points()
    way = stage.fresh(imports=story.imports)
    story.before(stage, way)
    with way.open(points) as kit:
        story.act(kit)
    lanes.put(stage)
    return points.passed


def played(lanes: SimpleQueue[CrashStage], story: Story, kills: Sequence[Point]) -> list[str]:
    """Let the story be killed at these points one after the other, take it up again, and look."""
    stage = lanes.get()
    try:
        way = stage.fresh(imports=story.imports)
        story.before(stage, way)
        died = [stage.killed(way, story.act, point) for point in kills]
        with way.open() as kit:
            resume(kit)
            story.act(kit)
            if story.imports:
                kit.company.look()
            problems = wrong(stage, way, kit, story)
    finally:
        lanes.put(stage)
    problems += [] if died[0] else ["it did not die"]
    return [f"{' then '.join(map(str, kills))}: {problem}" for problem in problems]


def wrong(stage: CrashStage, way: Way, kit: Kit, story: Story) -> list[str]:
    """What does not stand as it should: books, batch, log and verification."""
    plan = kit.log.plan_of(BATCH, company=kit.company.name)
    refused = {HELD} if story.act is not clear else set()
    posted = {row.label.partition("#")[0] for row in plan.documents if row.key not in refused}
    rows = [row for row in plan.transactions if row.key not in refused]
    entries = {entry for row in rows for entry in row.entry_ids}
    found = {
        "books": living(way) != (Counter(posted) if story.books else Counter()),
        "batch": stage.batched(BATCH) != (entries if story.batched else set()),
        "log": kit.log.verify(),
        "states": {row.state for row in kit.log.documents(BATCH)} - story.states,
        "verification": story.batched and not kit.verify(BATCH).ok,
        "unfinished": kit.log.unfinished_batches(),
    }
    return [f"{name}: {what}" for name, what in found.items() if what]


STORIES = {
    "push": Story(push),
    "push by import files": Story(push, imports=True, states=frozenset({"exported", "refused"})),
    "re-run after a restored backup": Story(rerun, before=pushed_and_lost),
    "un-post and cancel": Story(
        unpost,
        before=pushed,
        books=False,
        batched=False,
        states=frozenset({"voided", "unbatched", "refused"}),
    ),
    "clear": Story(clear, books=False),
}


@pytest.mark.parametrize("name", STORIES)
def test_killed_at_every_point(lanes, name, record_property):
    """At each of the points once; what is taken up again has nothing twice and nothing lost."""
    story = STORIES[name]
    points = points_of(lanes, story)
    with ThreadPoolExecutor(LANES) as pool:
        problems = list(pool.map(lambda point: played(lanes, story, [point]), points))
    parts = Counter(point.part for point in points)
    told = ", ".join(f"{part} {count}" for part, count in sorted(parts.items()))
    record_property("figure", f"killed at {len(points)} fault points of: {name} ({told})")

    assert [problem for found in problems for problem in found] == []


@pytest.mark.parametrize("name", ["push", "push by import files"])
def test_killed_twice(lanes, name, record_property):
    """Killed, and killed again while it is taken up, at pairs of points taken by seed."""
    story, dice = STORIES[name], random.Random(3)
    points = points_of(lanes, story)
    pairs = [dice.choices(points, k=2) for _ in range(PAIRS)]
    with ThreadPoolExecutor(LANES) as pool:
        problems = list(pool.map(lambda pair: played(lanes, story, pair), pairs))
    record_property("figure", f"killed at {PAIRS} pairs of fault points of: {name}")

    assert [problem for found in problems for problem in found] == []


def test_every_method_that_a_push_calls_is_killed_for_first_middle_and_last(lanes):
    """What is done for each document has as many points as there are documents."""
    points = points_of(lanes, STORIES["push"])
    counts = Counter(point.name for point in points)

    assert counts["before:company.post"] == 8
    assert counts["before:log.mark"] == 16
    assert {point.part for point in points} == {"log", "company", "connectwise"}
