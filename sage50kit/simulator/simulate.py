"""Seeds, many at a time: each makes a world, lets things happen in it, and asks the judge.

A failure comes with its seed and the shortest history that still shows it.
"""

from __future__ import annotations

import gc
import multiprocessing
import traceback
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from random import Random
from typing import TYPE_CHECKING

from sage50kit.simulator.ground import random_records
from sage50kit.simulator.oracle import Log, judge
from sage50kit.simulator.steps import Step, recover, some_steps, verify
from sage50kit.simulator.trouble import Trouble
from sage50kit.simulator.world import Stand, World

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

AT_ONCE = 20  # seeds that one process takes at a time
LAST = 3  # how often somebody resumes at the end, undisturbed


@dataclass(frozen=True)
class Failure:
    """What went wrong in one world."""

    seed: int
    steps: tuple[Step, ...]
    problems: tuple[str, ...]
    history: tuple[str, ...]

    def __str__(self) -> str:
        lines = [f"seed {self.seed}, {len(self.steps)} steps:", *self.history]
        return "\n".join([*lines, *(f"=> {problem}" for problem in self.problems)])


def play(stand: Stand, seed: int, steps: Sequence[Step]) -> Failure | None:
    """Let a history happen in the world of a seed; what the judge says of it."""
    world = World(stand, random_records(Random(seed)), keyless=seed % 3 == 0)
    problems: list[str] = []
    try:
        for number, step in enumerate(steps, start=1):
            world.say(f"{number}. {step}")
            step.run(world)
        for _ in range(LAST):
            world.say("at last: resume")
            Step("resume", 0).run(world)
            if not Log(world.log_file).open_batches():
                break
        if world.deeds.lost:
            world.say("at last: re-run the batches")
            recover(world)
        elif world.deeds.none and seed % 4 == 0:
            verify(world)
        problems = [*world.problems, *judge(world)]
    except Exception as error:  # noqa: BLE001  # whatever is raised here, nobody foresaw
        place = traceback.extract_tb(error.__traceback__)[-1]
        problems = [f"{type(error).__name__} in {place.filename}:{place.lineno}: {error}"]
    if not problems:
        return None
    return Failure(seed, tuple(steps), tuple(problems), tuple(world.history))


def history_of(seed: int) -> list[Step]:
    """What happens in the world of a seed."""
    return some_steps(Random(f"steps {seed}"))


def shortest(stand: Stand, failure: Failure) -> Failure:
    """Leave out whatever is not needed for the failure."""
    smaller = True
    while smaller:
        smaller = False
        for steps in _shorter(failure.steps):
            found = play(stand, failure.seed, steps)
            if found is not None:
                failure, smaller = found, True
                break
    return failure


def _shorter(steps: Sequence[Step]) -> list[list[Step]]:
    """The history without one step, or without the trouble of one step."""
    without = [[*steps[:n], *steps[n + 1 :]] for n in range(len(steps))]
    quiet = [
        [*steps[:n], replace(step, trouble=Trouble()), *steps[n + 1 :]]
        for n, step in enumerate(steps)
        if step.trouble != Trouble()
    ]
    return [*without, *quiet]


def run_seeds(seeds: Sequence[int]) -> list[Failure]:
    """Many seeds in this process; the first failure is made as short as it can be, for it takes time."""
    failures: list[Failure] = []
    with Stand() as stand:
        for seed in seeds:
            failure = play(stand, seed, history_of(seed))
            if failure is not None:
                failures.append(failure if failures else shortest(stand, failure))
    return failures


def _settle_in() -> None:
    """What this process has loaded stays; the collector of garbage need not look at it for every world."""
    gc.freeze()


def simulate(
    seeds: int, *, first: int = 1, progress: Callable[[int, int], None] | None = None
) -> list[Failure]:
    """Run seeds in all processors of this machine.

    Args:
        seeds: how many.
        first: the first one.
        progress: called with (seeds done, of how many).
    """
    parts = [
        range(start, min(start + AT_ONCE, first + seeds))
        for start in range(first, first + seeds, AT_ONCE)
    ]
    failures: list[Failure] = []
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(mp_context=context, initializer=_settle_in) as pool:
        for number, found in enumerate(pool.map(run_seeds, parts), start=1):
            failures += found
            if progress is not None:
                progress(min(number * AT_ONCE, seeds), seeds)
    return failures
