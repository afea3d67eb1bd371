"""Which part of a list is sent, and the `Link` header that tells the way to the rest."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, urlencode

from sage50kit.sandbox.contract import INT32
from sage50kit.sandbox.fields import BadQuery

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    from sage50kit.sandbox.answers import Row

DEFAULT_SIZE = 25
LARGEST_SIZE = 1000
_NAMES = (
    "conditions",
    "childConditions",
    "customFieldConditions",
    "orderBy",
    "fields",
    "page",
    "pageSize",
    "pageId",
)
_PUBLISHED = {name.lower(): name for name in _NAMES}


@dataclass(frozen=True)
class Query:
    """The query parameters of one request; names are read without case, unknown ones are ignored."""

    pairs: tuple[tuple[str, str], ...]  # as sent, decoded

    @classmethod
    def parse(cls, raw: bytes) -> Query:
        """Read the part of an address after the question mark."""
        pairs = parse_qsl(raw.decode("latin-1"), keep_blank_values=True)
        return cls(tuple((_PUBLISHED.get(name.lower(), name), value) for name, value in pairs))

    def text(self, name: str) -> str:
        """A parameter, "" if it was not sent."""
        return next((value for key, value in self.pairs if key == name), "")

    def number(self, name: str, default: int, least: int) -> int:
        """A whole number.

        Raises:
            BadQuery: something else was sent, or less than `least`.
        """
        text = self.text(name).strip()
        if not text:
            return default
        digits = text.removeprefix("-")
        if not (digits.isascii() and digits.isdigit()) or not least <= int(text) <= INT32:
            raise BadQuery(name, f"The value '{text}' is not valid for {name}.")
        return int(text)

    @property
    def page(self) -> int:
        """Number of the page, from 1; there are clients that begin with 0 and get the first."""
        return max(1, self.number("page", 1, 0))

    @property
    def size(self) -> int:
        """Rows of a page; more than the largest size means the largest."""
        return min(self.number("pageSize", DEFAULT_SIZE, 1), LARGEST_SIZE)

    @property
    def filters(self) -> tuple[str, str, str, str]:
        """What decides which rows there are, and in which order."""
        return tuple(self.text(name) for name in _NAMES[:4])  # type: ignore[return-value]

    def link(self, url: str, name: str, value: int) -> str:
        """The address of another part of the same list; the part stands last, as clients read it there."""
        kept = [pair for pair in self.pairs if pair[0] not in ("page", "pageId", "pageSize")]
        if self.text("pageSize"):
            kept.append(("pageSize", str(self.size)))
        return f"{url}?{urlencode([*kept, (name, value)], quote_via=quote)}"


@dataclass(frozen=True)
class Part:
    """The rows to send and the `Link` header; None means no header."""

    rows: Sequence[Row]
    link: str | None


def navigable(rows: Sequence[Row], query: Query, url: str) -> Part:
    """A page by its number; past the end it is empty."""
    page, size = query.page, query.size
    last = max(1, -(-len(rows) // size))
    links = []
    if page < last:
        links = [("next", page + 1), ("last", last)]
    if page > 1:
        links += [("first", 1), ("prev", min(page - 1, last))]
    header = ", ".join(f'<{query.link(url, "page", number)}>; rel="{rel}"' for rel, number in links)
    return Part(rows[(page - 1) * size : page * size], header or None)


def forward_only(rows: Sequence[Row], query: Query, url: str) -> Part:
    """The rows after `pageId`, in the order of their ids; the header is empty when there are no more.

    Raises:
        BadQuery: an order was asked for.
    """
    if query.text("orderBy"):
        raise BadQuery("orderBy", "orderBy is not supported with forward-only pagination.")
    after, size = query.number("pageId", 0, 0), query.size
    ordered = sorted(rows, key=_id)
    start = _first_after(ordered, after)
    chosen = ordered[start : start + size]
    if start + size >= len(ordered):
        return Part(chosen, "")
    return Part(chosen, f'<{query.link(url, "pageId", _id(chosen[-1]))}>; rel="next"')


def _id(row: Row) -> int:
    number: int = row["id"]
    return number


def _first_after(ordered: Sequence[Row], after: int) -> int:
    from bisect import bisect_right

    return bisect_right(ordered, after, key=_id)


class Kept:
    """Answers kept until the site changes; the ones not asked for longest go first.

    Args:
        limit: how much is kept, in the unit of `weigh`.
        weigh: the weight of an answer.
    """

    def __init__(self, limit: int, weigh: Callable[[Any], int]) -> None:
        self._limit = limit
        self._weigh = weigh
        self._weight = 0
        self._revision = -1
        self._answers: OrderedDict[Hashable, Any] = OrderedDict()

    def get(self, revision: int, key: Hashable, make: Callable[[], Any]) -> Any:
        """The answer under `key`, made now if the site changed since or it was never made."""
        if revision != self._revision:
            self._answers.clear()
            self._revision, self._weight = revision, 0
        if key in self._answers:
            self._answers.move_to_end(key)
            return self._answers[key]
        answer = self._answers[key] = make()
        self._weight += self._weigh(answer)
        while self._weight > self._limit and len(self._answers) > 1:
            _, dropped = self._answers.popitem(last=False)
            self._weight -= self._weigh(dropped)
        return answer
