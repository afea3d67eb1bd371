"""The `conditions` of a ConnectWise list, written so that a value can never become syntax.

The published grammar: text in double or single quotes, `[2026-10-31T00:00:00Z]` for dates, bare
numbers, `True`, `False`, `null`; a literal `[` in a text is written `[[]`. `*` in a text is a wildcard
and has no published way out: the answer can then hold more rows than asked for, never fewer.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import quote as url_quote

from sage50kit.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Value: TypeAlias = str | int | bool | Decimal | date | datetime | None

OPERATORS = frozenset(
    {"=", "!=", "<", "<=", ">", ">=", "contains", "like", "in"}
    | {"not contains", "not like", "not in"}
)
SAFE = ",()/"  # what may stand in an address as it is
_FIELD = re.compile(r"[A-Za-z_]\w*(/[A-Za-z_]\w*)*", re.ASCII)


def quote(value: Value) -> str:
    """The literal of `value` in conditions.

    Raises:
        UsageError: ConnectWise has no way to write it (a float, an infinite number, a time without a
            zone, a text with both kinds of quotes or with control characters).
    """
    if value is None:
        return "null"
    if isinstance(value, str):
        return _quote_text(value)
    if isinstance(value, bool | int):
        return str(value)
    if isinstance(value, Decimal) and value.is_finite():
        return f"{value:f}"
    if isinstance(value, date):
        return f"[{_moment(value)}]"
    raise UsageError(f"{value!r} cannot be written in the conditions of ConnectWise.")


def condition(field: str, op: str, value: Value | Sequence[Value]) -> str:
    """One comparison, such as `invoiceNumber = "CW-34251"` or `id in (1,2,3)`.

    Args:
        field: published name; a reference is reached with a slash, `company/identifier`.
        op: one of `OPERATORS`.
        value: one value, or a sequence of them for `in` and `not in`.

    Raises:
        UsageError: no such operator, not a field name, or a value that does not fit.
    """
    if op not in OPERATORS or not _FIELD.fullmatch(field):
        raise UsageError(f"{field!r} {op!r} is not a comparison ConnectWise knows.")
    is_list = isinstance(value, list | tuple | set | frozenset | range)
    if is_list != (op in {"in", "not in"}) or (is_list and not value):
        raise UsageError(f"{field} {op} needs {'one value' if is_list else 'a list of values'}.")
    if value is None and op not in {"=", "!="}:
        raise UsageError(f"{field} {op} null is not a comparison; use = or !=.")
    literal = f"({','.join(map(quote, value))})" if is_list else quote(value)  # type: ignore[arg-type]
    return f"{field} {op} {literal}"


def all_of(*conditions: str) -> str:
    """Every one of `conditions`; empty ones are no restriction."""
    kept = [each for each in conditions if each.strip()]
    return kept[0] if len(kept) == 1 else " and ".join(f"({each})" for each in kept)


def chunks(literals: Sequence[str], *, characters: int, at_most: int) -> Iterator[Sequence[str]]:
    """Cut `literals` into lists that each fit into an address.

    Args:
        literals: as `quote` writes them.
        characters: room for a list joined by commas, counted as encoded in an address.
        at_most: literals in one list.

    Raises:
        UsageError: one literal alone is too long.
    """
    start = length = 0
    for place, literal in enumerate(literals):
        size = len(url_quote(literal, safe=SAFE)) + 1  # and its comma
        if size > characters:
            raise UsageError(f"{literal} is too long to be asked for in one address.")
        if length + size > characters or place - start == at_most:
            yield literals[start:place]
            start, length = place, 0
        length += size
    if start < len(literals):
        yield literals[start:]


def _quote_text(text: str) -> str:
    if any(ord(character) < 32 for character in text):
        raise UsageError(f"{text!r} holds control characters, which ConnectWise does not keep.")
    if '"' in text and "'" in text:
        raise UsageError(
            f"{text} holds both kinds of quotes; ConnectWise has no way to ask for it. Ask for a "
            "part of it with contains."
        )
    mark = "'" if '"' in text else '"'
    return f"{mark}{text.replace('[', '[[]')}{mark}"


def _moment(value: date) -> str:
    if not isinstance(value, datetime):
        return f"{value.isoformat()}T00:00:00Z"
    if value.tzinfo is None:
        raise UsageError(f"{value.isoformat()} has no time zone, so no moment in ConnectWise.")
    return f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
