"""Fault points: what happens before and after every call to the log, the company and ConnectWise.

A proxy stands in front of each of the three, so that no boundary has to be listed and none is forgotten:

    points = Points(Strike("after:company.post", 2, power_cut))
    points.around(kit)

Every public method is a boundary with two points, `before:company.post` and `after:company.post`. What
a method hands over as a `with` block has two more, `before:company.session.end` and
`after:company.session.end`. The push knows nothing of all this.
"""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from types import GeneratorType
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from sage50kit.errors import CompanyUnavailable, ConnectWiseUnavailable, LogUnavailable

if TYPE_CHECKING:
    from sage50kit.kit import Kit

Act: TypeAlias = Callable[["Point"], None]
PARTS = ("log", "company", "connectwise")  # the attributes of a Kit that are proxied


class PowerCut(BaseException):
    """The machine stops here, inside one process; no part of it does anything afterwards."""


class Point(NamedTuple):
    """A boundary as it is passed: `after:company.post`, for the second time."""

    name: str
    number: int

    def __str__(self) -> str:
        return f"{self.name} #{self.number}"

    @property
    def part(self) -> str:
        """Which of the three is called: `company`."""
        return self.name.partition(":")[2].partition(".")[0]

    @property
    def is_after(self) -> bool:
        """Whether the effect has happened."""
        return self.name.startswith("after:")


@dataclass(frozen=True)
class Strike:
    """What shall happen at which point.

    Args:
        point: its name; "" counts all points alike, from where `Points.arm` was called last.
        number: at the how-manieth passing, from 1.
        act: `kill`, `power_cut`, `go_silent` or any callable that takes the point.
    """

    point: str
    number: int
    act: Act


class Points:
    """The points that are passed, and the strikes that wait at some of them.

    Args:
        strikes: what shall happen where.
    """

    def __init__(self, *strikes: Strike) -> None:
        self.strikes = strikes
        self._waiting = list(strikes)
        self.passed: list[Point] = []
        self.struck: list[Point] = []
        self._counts: Counter[str] = Counter()
        self._is_off = False
        self._armed = 0

    def arm(self) -> None:
        """Count the points of nameless strikes from here."""
        self._armed = len(self.passed)

    def around(self, kit: Kit) -> Kit:
        """The same kit, with a proxy before its log, its company and its ConnectWise."""
        for part in PARTS:
            setattr(kit, part, Proxy(part, getattr(kit, part), self))
        return kit

    def call(self, name: str, method: Callable[..., Any], /, *args: Any, **words: Any) -> Any:
        """One call between its two points."""
        self.reach(f"before:{name}")
        answer = method(*args, **words)
        if isinstance(answer, GeneratorType):
            answer = iter(list(answer))  # read here, or it would be read behind the point
        if isinstance(answer, AbstractContextManager):
            return self._block(name, answer)
        self.reach(f"after:{name}")
        return answer

    def reach(self, name: str) -> None:
        """Pass a point, unless something strikes there."""
        if self._is_off:
            raise PowerCut(name)
        self._counts[name] += 1
        point = Point(name, self._counts[name])
        self.passed.append(point)
        for strike in tuple(self._waiting):
            wanted = point.number if strike.point else len(self.passed) - self._armed
            if strike.point in ("", name) and strike.number == wanted:
                self._waiting.remove(strike)
                self.struck.append(point)
                self._strike(strike.act, point)

    def _strike(self, act: Act, point: Point) -> None:
        try:
            act(point)
        except PowerCut:
            self._is_off = True
            raise

    @contextmanager
    def _block(self, name: str, block: AbstractContextManager[Any]) -> Iterator[Any]:
        """A `with` block; the operating system ends it even where the power is cut."""
        with block as inside:
            self.reach(f"after:{name}")
            yield inside
            self.reach(f"before:{name}.end")
        self.reach(f"after:{name}.end")


class Proxy:
    """One of the three, each public method of which is a boundary; all else is passed through."""

    def __init__(self, name: str, target: Any, points: Points) -> None:
        self.__dict__.update(_name=name, _target=target, _points=points)

    def __getattr__(self, attribute: str) -> Any:
        target, name = self._target, f"{self._name}.{attribute}"
        if attribute.startswith("_"):
            return getattr(target, attribute)
        if isinstance(getattr(type(target), attribute, None), property):
            return self._points.call(name, getattr, target, attribute)
        value = getattr(target, attribute)
        return partial(self._points.call, name, value) if callable(value) else value

    def __setattr__(self, attribute: str, value: object) -> None:
        setattr(self._target, attribute, value)


# --- what can happen --------------------------------------------------------------------------


def kill(point: Point) -> None:
    """End this process at once, as the operating system does it: no `finally`, nothing flushed."""
    del point
    os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))  # Windows: TerminateProcess


def power_cut(point: Point) -> None:
    """Stop everything here, inside the process."""
    raise PowerCut(str(point))


def go_silent(point: Point) -> None:
    """Fail before the effect, or lose the answer after it."""
    if point.part == "company":
        raise CompanyUnavailable(f"the company did not answer ({point})")
    if point.part == "log":
        raise LogUnavailable(f"the push log did not answer ({point})")
    silence = ConnectWiseUnavailable(f"ConnectWise did not answer ({point})")
    silence.sent = point.is_after
    raise silence
