"""A process that is killed at any fault point leaves every document in the books once, or known not to be."""

from __future__ import annotations

import random
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from sage50kit.simulator.points import Points
from tests.crash_stage import BATCH, HELD, crash_stage, living, push

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sage50kit.kit import Kit
    from sage50kit.simulator.points import Point
    from tests.crash_stage import CrashStage, Way

pytestmark = pytest.mark.slow
PAIRS = 24


@pytest.fixture(scope="module")
def stage(tmp_path_factory) -> Iterator[CrashStage]:
    with crash_stage(tmp_path_factory.mktemp("crash")) as stage:
        yield stage


def points_of(stage: CrashStage, *, imports: bool = False) -> list[Point]:
    """Every point that an undisturbed push passes."""
    points = Points()
    with stage.fresh(imports=imports).open(points) as kit:
        push(kit)
    return points.passed


def wrong(stage: CrashStage, way: Way, kit: Kit) -> list[str]:
    """What does not stand as it should: books, batch, log and verification."""
    plan = kit.log.plan_of(BATCH, company=kit.company.name)
    posted = [row for row in plan.documents if row.key != HELD]
    entries = {entry for row in plan.transactions if row.key != HELD for entry in row.entry_ids}
    found = {
        "books": living(way) != Counter(row.label for row in posted),
        "batch": stage.batched(BATCH) != entries,
        "log": kit.log.verify(),
        "states": {row.state for row in kit.log.documents(BATCH)} - {"posted", "refused"},
        "verification": not kit.verify(BATCH).ok,
    }
    return [f"{name}: {what}" for name, what in found.items() if what]


def test_killed_at_every_point_of_a_push(stage, record_property):
    """At each of the points once; the next push finishes, with nothing twice and nothing lost."""
    points = points_of(stage)
    failures: list[Any] = []
    for point in points:
        way = stage.fresh()
        died = stage.killed(way, push, point)
        with way.open() as kit:
            push(kit)
            problems = wrong(stage, way, kit)
        if problems or not died:
            failures.append((str(point), died, problems))
    record_property("figure", f"killed at {len(points)} fault points of an embedded push")

    assert failures == []


def test_killed_twice(stage, record_property):
    """Killed, and killed again while it resumes, at pairs of points taken by seed."""
    dice = random.Random(3)
    points = points_of(stage)
    failures: list[Any] = []
    for first, second in [(dice.choice(points), dice.choice(points)) for _ in range(PAIRS)]:
        way = stage.fresh()
        for point in (first, second):
            stage.killed(way, push, point)
        with way.open() as kit:
            push(kit)
            problems = wrong(stage, way, kit)
        if problems:
            failures.append((str(first), str(second), problems))
    record_property("figure", f"killed at {PAIRS} pairs of fault points")

    assert failures == []
