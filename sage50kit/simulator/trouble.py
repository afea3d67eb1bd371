"""What goes wrong during one step: the power, the answers, the line, a second push."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from sage50kit.sandbox import faults
from sage50kit.simulator.points import Strike, go_silent, power_cut

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from sage50kit.sandbox.faults import Rule
    from sage50kit.simulator.world import World

Kind: TypeAlias = Literal["power cut", "silence", "second push", "typed in"]
PLANNING = 40  # points that the way to the plan passes, about
PUSHING = 70  # points that a small push passes, about
# What can be wrong with the line: name, and the rule for one path, method and occurrence.
LINES: dict[str, Callable[[int], Rule]] = {
    "batch created, answer lost": lambda n: faults.Rule(
        faults.dropped(after_effect=True), path="/accounting/batches", method="POST", on=(n,)
    ),
    "batch not created, line cut": lambda n: faults.Rule(
        faults.dropped(), path="/accounting/batches", method="POST", on=(n,)
    ),
    "batch refused by a proxy page": lambda n: faults.Rule(
        faults.page(502), path="/accounting/batches", method="POST", on=(n,)
    ),
    "batch asked for twice": lambda n: faults.Rule(
        faults.twice(), path="/accounting/batches", method="POST", on=(n,)
    ),
    "lists in another order": lambda n: faults.Rule(
        faults.reordered(), path="/accounting/unposted", method="GET", on=(n, n + 1)
    ),
    "lists unreadable": lambda n: faults.Rule(
        faults.garbage(), path="/accounting/", method="GET", on=(n,)
    ),
    "too many requests": lambda n: faults.Rule(
        faults.too_many(retry_after=1), method="GET", on=(n, n + 1)
    ),
    "line cut": lambda n: faults.Rule(faults.dropped(), method="GET", on=(n,)),
}


@dataclass(frozen=True)
class Trouble:
    """What goes wrong, and when.

    Args:
        kind: at a fault point; None for nothing.
        at: at which point, from the beginning of the push itself.
        early: count from the beginning of planning instead.
        line: a name in `LINES`; "" for a good line.
        request: which matching request suffers.
    """

    kind: Kind | None = None
    at: int = 0
    early: bool = False
    line: str = ""
    request: int = 1

    def __str__(self) -> str:
        of = "planning" if self.early else "the work"
        parts = [f"{self.kind} at point {self.at} of {of}"] if self.kind else []
        return ", ".join([*parts, *([self.line] if self.line else [])])

    def strikes(self, world: World) -> tuple[Strike, ...]:
        """What waits at the fault points."""
        acts: dict[str, Any] = {"power cut": power_cut, "silence": go_silent}
        acts["second push"] = world.push_beside
        if self.kind == "typed in":
            return (Strike("before:company.post", 1 + self.at % 3, world.type_in),)
        return (Strike("", self.at, acts[self.kind]),) if self.kind else ()

    def rules(self) -> list[Rule]:
        """What waits on the line."""
        return [LINES[self.line](self.request)] if self.line else []


def some_trouble(dice: Random) -> Trouble:
    """Often the power, sometimes silence or a second push, sometimes a bad line besides."""
    kinds: tuple[Kind | None, ...] = ("power cut", "silence", "second push", "typed in", None)
    line = dice.choice(list(LINES)) if dice.random() < 0.25 else ""
    (kind,) = dice.choices(kinds, (5, 3, 1, 1, 3))
    early = dice.random() < 0.1
    at = dice.randrange(1, PLANNING if early else PUSHING)
    return Trouble(kind, at, early, line, dice.randrange(1, 4))
