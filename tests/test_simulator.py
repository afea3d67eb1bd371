"""The simulator: its worlds come to a good end, its proxies forget nothing, and planted bugs are caught."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from sage50kit.connectors.base import Connector
from sage50kit.connectors.embedded import EmbeddedCompany
from sage50kit.connectwise.site import ConnectWise
from sage50kit.errors import CompanyUnavailable, ConnectWiseUnavailable
from sage50kit.pushlog import PushLog
from sage50kit.simulator.points import Points, PowerCut, Proxy, Strike, go_silent, power_cut
from sage50kit.simulator.simulate import play, shortest
from sage50kit.simulator.steps import Step
from sage50kit.simulator.world import Stand
from tests.planted import BUGS, MOST_SEEDS
from tests.stage import ROOT, finished

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sage50kit.simulator.world import World


@pytest.fixture(scope="module")
def stand() -> Iterator[Stand]:
    with Stand() as stand:
        yield stand


# --- proxies ---


class Twin:
    """Has the public methods of a class, and does nothing in them."""

    def __init__(self, original: type) -> None:
        self.names = [name for name in vars(original) if not name.startswith("_")]
        for name in self.names:
            setattr(self, name, lambda: None)


@pytest.mark.parametrize("original", [PushLog, Connector, EmbeddedCompany, ConnectWise])
def test_every_public_method_is_a_boundary(original):
    """Nothing is listed by hand, so nothing that is added later is forgotten."""
    points = Points()
    twin = Twin(original)
    proxy = Proxy("part", twin, points)
    for name in twin.names:
        if callable(getattr(twin, name)):
            getattr(proxy, name)()

    passed = [point.name for point in points.passed]
    assert passed == [f"{when}:part.{name}" for name in twin.names for when in ("before", "after")]


class Counter:
    """A log, company or site that counts what was done."""

    def __init__(self) -> None:
        self.done = 0

    @property
    def state(self) -> int:
        return self.done

    def act(self) -> int:
        self.done += 1
        return self.done

    def pieces(self) -> Iterator[int]:
        self.done += 1
        yield self.done


@pytest.mark.parametrize(("when", "done"), [("before", 0), ("after", 1)])
def test_silence_comes_before_or_after_the_effect(when, done):
    """Before it, nothing was done; after it, it was done and only the answer is lost."""
    target = Counter()
    points = Points(Strike(f"{when}:connectwise.act", 1, go_silent))

    with pytest.raises(ConnectWiseUnavailable) as caught:
        Proxy("connectwise", target, points).act()
    assert (target.done, caught.value.sent) == (done, bool(done))


def test_silence_of_the_company_is_the_company_error():
    """As a company that is open elsewhere says it."""
    points = Points(Strike("before:company.act", 1, go_silent))

    with pytest.raises(CompanyUnavailable, match=r"before:company\.act #1"):
        Proxy("company", Counter(), points).act()


def test_nothing_happens_after_a_power_cut():
    """Whatever code still runs while the exception rises, it does nothing to anybody."""
    target = Counter()
    points = Points(Strike("after:log.act", 2, power_cut))
    proxy = Proxy("log", target, points)
    proxy.act()
    for _ in range(2):
        with pytest.raises(PowerCut):
            proxy.act()

    assert target.done == 2
    assert [str(point) for point in points.struck] == ["after:log.act #2"]


def test_what_is_read_piece_by_piece_is_read_at_its_boundary():
    """A generator has done its work when the point after it is passed; a property is a boundary too."""
    points = Points()
    proxy = Proxy("log", Counter(), points)
    pieces = proxy.pieces()
    assert proxy.state == 1

    assert list(pieces) == [1]
    names = ["before:log.pieces", "after:log.pieces", "before:log.state", "after:log.state"]
    assert [point.name for point in points.passed] == names


# --- worlds ---


@dataclass(frozen=True)
class Theft(Step):
    """Somebody takes a document out of the books, and no deed explains it."""

    def run(self, world: World) -> None:
        with closing(sqlite3.connect(world.file)) as db, db:
            db.execute("UPDATE document SET label = '' WHERE label <> ''")


def test_a_failure_is_told_by_its_shortest_history(stand):
    """Steps that do not matter are left out; the seed and what happened are printed."""
    steps = [Step("back up", 1), Step("push", 2), Step("resume", 3), Theft("theft", 4)]
    failure = play(stand, 7, steps)
    assert failure is not None
    told = str(shortest(stand, failure))

    assert told.splitlines()[0] == "seed 7, 2 steps:"
    assert "1. push" in told
    assert "2. theft" in told
    assert "not in the books" in told


def test_the_same_seed_tells_the_same_story(stand):
    """Nothing depends on the clock or on what was simulated before."""
    steps = [Step("push", 2), Theft("theft", 4)]
    stories = [play(stand, 11, steps) for _ in range(2)]

    assert stories[0] == stories[1]


@pytest.mark.slow
def test_the_verb_says_how_many_failed():
    """`simulate` prints one line of JSON and exits 0."""
    done = finished("simulate", "--seeds", "3", "--seed", "5", "--json")

    assert done.code == 0, done.err
    assert done.json["counts"] == {"seeds": 3, "failures": 0}


@pytest.mark.slow
@pytest.mark.parametrize("bug", BUGS)
def test_a_planted_bug_is_caught(bug, record_property):
    """The simulator sees it within so many seeds."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.planted", bug],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: Any = json.loads(done.stdout)
    record_property("figure", f"planted bug caught at seed {found['seed']}: {bug}")

    assert 1 <= found["seed"] <= MOST_SEEDS
