"""Which invoice of ConnectWise is which receivable of Sage 50: by the log, by our token, by customer and number."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sage50kit.model import fold, token
from sage50kit.payments.receivables import Billed, Booked

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """The same receivable in both systems; `instead` is a voided or a namesake's, to explain a gap."""

    billed: Billed | None = None
    booked: Booked | None = None
    instead: Booked | None = None


def match(
    billed: Iterable[Billed], booked: Iterable[Booked], logged: Mapping[str, str]
) -> list[Pair]:
    """Pair what is the same: by the log's place, by our token, then by customer and number."""
    everything = list(booked)
    standing = {row.place: row for row in everything if row.open or not row.voided}
    by_token: dict[str, list[Booked]] = defaultdict(list)
    for row in standing.values():
        if row.is_ours:
            by_token[row.token.partition(".")[0]].append(row)
    pairs, rest = list[Pair](), list[Billed]()
    for one in billed:
        place = logged.get(one.key, "")
        ours = [standing[place]] if place in standing else []
        # Posted again later, it stood at an earlier place on the day.
        found = max([*ours, *by_token[token(one.key)]], key=_stood, default=None)
        if found is not None and found.place in standing:
            del standing[found.place]
            pairs.append(Pair(billed=one, booked=found))
        else:
            rest.append(one)
    by_number = {_named(row): row for row in standing.values() if row.type != "receipt"}
    others = {_number(row): row for row in everything if row.type != "receipt"}
    for one in rest:
        found = by_number.pop(_named(one), None)
        if found is not None:
            del standing[found.place]
        pairs.append(Pair(billed=one, booked=found, instead=others.get(_number(one))))
    return pairs + [Pair(booked=row) for row in standing.values()]


def _stood(row: Booked) -> tuple[bool, bool]:
    """What is open on the day before what is not, what stood before what came later."""
    return bool(row.open), not row.is_later


def _number(row: Billed | Booked) -> tuple[str, bool]:
    return fold(row.number), row.total < 0


def _named(row: Billed | Booked) -> tuple[str, str, bool]:
    return (fold(row.customer_id), *_number(row))
