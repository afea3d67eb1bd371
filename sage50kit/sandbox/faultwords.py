"""Trouble in words, for `sandbox serve --fault`: `500 POST /finance/accounting/batches on 1`.

FAULT[:ARGUMENT] [METHOD] [/PATH[?QUERY]] [on N,N or every]; path and query are parts of the address, and without
`on` it is the first such request. `-after` behind a fault lets the site do its work first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sage50kit.errors import UsageError
from sage50kit.sandbox import faults

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sage50kit.sandbox.auth import Gate
    from sage50kit.sandbox.faults import Fault, Rule

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_FORM = (
    "It is FAULT[:ARGUMENT] [METHOD] [/PATH] [on N,N or every], such as "
    '"500 POST /finance/accounting/batches on 1". FAULT is a status from 400 to 599, html[:STATUS], garbage, '
    "empty, drop or stall, each also with -after for after the work; or 429[:SECONDS], cut[:SHARE], slow:SECONDS, "
    "twice[:first], reorder, expire or limit:REQUESTS (in a minute; with on every)."
)


def read_faults(texts: Iterable[str], gate: Gate) -> faults.Faults | None:
    """The trouble that was asked for; None for none.

    Args:
        texts: one rule each.
        gate: the door whose tokens `expire` ends.

    Raises:
        UsageError: one of them is not understood; it says how they are written.
    """
    rules = [_rule(text, gate) for text in texts]
    return faults.Faults(rules) if rules else None


def _rule(text: str, gate: Gate) -> Rule:
    first, *rest = text.split() or [""]
    try:
        fault = _fault(first, gate)
        method = rest.pop(0).upper() if rest and rest[0].upper() in _METHODS else ""
        path, _, query = (rest.pop(0) if rest and rest[0].startswith("/") else "").partition("?")
        return faults.Rule(fault, path=path, method=method, query=query, on=_on(rest))
    except ValueError:
        raise UsageError(f"the fault {text!r} is not understood. {_FORM}") from None


def _on(words: list[str]) -> tuple[int, ...]:
    """Which of the requests that fit; ValueError for anything but `on 1,2` and `on every`."""
    if not words:
        return (1,)
    word, numbers = words
    counted = () if numbers == "every" else tuple(int(number) for number in numbers.split(","))
    if word != "on" or min(counted, default=1) < 1:
        raise ValueError(numbers)
    return counted


def _fault(word: str, gate: Gate) -> Fault:
    """One fault by its name; ValueError for one that does not exist."""
    name, _, argument = word.partition(":")
    bare = name.removesuffix("-after")
    after = bare != name
    match bare, argument:
        case "429", _ if not after:
            return faults.too_many(int(argument or 30))
        case "html", _:
            return faults.page(int(argument or 502), after_effect=after)
        case "garbage", "":
            return faults.garbage(after_effect=after)
        case "empty", "":
            return faults.empty(after_effect=after)
        case "drop", "":
            return faults.dropped(after_effect=after)
        case "stall", "":
            return faults.Stall(after_effect=after)
        case _, "" if bare.isdigit() and 400 <= int(bare) <= 599:
            return faults.failing(int(bare), after_effect=after)
    return _of_the_answer(name, argument, gate)


def _of_the_answer(name: str, argument: str, gate: Gate) -> Fault:
    """A fault that the site's own answer is part of."""
    match name, argument:
        case "cut", _:
            return faults.cut(float(argument or 0.5))
        case "slow", _:
            return faults.slow(float(argument))
        case "twice", "" | "first":
            return faults.twice(told="first" if argument else "second")
        case "reorder", "":
            return faults.reordered()
        case "expire", "":
            return faults.expired(gate)
        case "limit", _ if int(argument) > 0:
            return faults.limited(int(argument))
    raise ValueError(name)
