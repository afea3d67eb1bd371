"""The `conditions` language of ConnectWise's lists: literals quoted so that a value stays a value.

Source: connectwise reference, 2.1.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING
from urllib.parse import quote as url_quote

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

LONGEST_CONDITION = 1500  # leaves room for the rest in a URL of 2,000 characters
MOST_VALUES = 100


def quote(value: object) -> str:
    """A literal: text in quotes, moments in square brackets, numbers and booleans bare.

    Raises:
        ValueError: text that holds both kinds of quotes, which the language cannot write.
        TypeError: anything that is not text, a number, a date, a boolean or None.
    """
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, (int, Decimal)):
        return str(value)
    if isinstance(value, datetime):
        return f"[{value.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}]"
    if isinstance(value, date):
        return f"[{value.isoformat()}T00:00:00Z]"
    if isinstance(value, str):
        return _quoted(value)
    raise TypeError(f"no condition can hold {value!r}")


def _quoted(value: str) -> str:
    # `[x]` is written `[[]x]`: a bracket opens a character class in the server's matching.
    text = value.replace("[", "[[]")
    mark = "'" if '"' in text else '"'
    if mark in text:
        raise ValueError(f"{value!r} holds both kinds of quotes, which no condition can hold")
    return f"{mark}{text}{mark}"


def condition(field: str, operator: str, value: object) -> str:
    """One comparison: `batchIdentifier = "20261031JD-I"`; `in` takes a list."""
    if operator in ("in", "not in") and isinstance(value, (list, tuple)):
        return f"{field} {operator} ({','.join(quote(one) for one in value)})"
    return f"{field} {operator} {quote(value)}"


def all_of(*conditions: str) -> str:
    """All of these; empty ones do not count."""
    given = [one for one in conditions if one]
    return given[0] if len(given) == 1 else " and ".join(f"({one})" for one in given)


def chunks(field: str, values: Sequence[int | str]) -> Iterator[str]:
    """`field in (...)` conditions that together name every value once, each short enough for a URL."""
    part: list[int | str] = []
    for value in dict.fromkeys(values):
        longer = condition(field, "in", [*part, value])
        if part and (len(part) == MOST_VALUES or len(url_quote(longer)) > LONGEST_CONDITION):
            yield condition(field, "in", part)
            part = []
        part.append(value)
    if part:
        yield condition(field, "in", part)
