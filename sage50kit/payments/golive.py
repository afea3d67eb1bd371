"""Go-live on a company with a past: old invoices are matched with what stands in Sage 50, not posted again.

A match is number, customer and amount. Anything less is listed as doubtful with its candidates, and a
person decides. Links are events of the push log; nothing is posted and nothing changes in either system.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING

from sage50kit.batch.proof import money_frame
from sage50kit.connectwise import invoices
from sage50kit.errors import UsageError
from sage50kit.model import fold
from sage50kit.payments.receivables import Billed, Booked, billed, booked

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from decimal import Decimal

    import pandas as pd

    from sage50kit.kit.ends import Ends
    from sage50kit.pushlog import PushLog
    from sage50kit.pushlog.log import Note

LINKED, UNLINKED = "linked", "unlinked"  # kinds of events
_ID = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """An old invoice of ConnectWise, and what in Sage 50 it is or might be; `total` in dollars."""

    key: str
    number: str
    customer_id: str
    customer: str
    date: date | None
    total: Decimal
    places: tuple[str, ...] = ()
    why: str = ""  # what is doubtful


@dataclass(frozen=True, kw_only=True)
class HistoryMatch:
    """What was matched. `unmatched` will be posted by a push, unless the cut-over keeps it out."""

    links: tuple[Match, ...] = ()
    doubts: tuple[Match, ...] = ()
    unmatched: tuple[Match, ...] = ()
    recorded: int = 0

    @cached_property
    def linked(self) -> pd.DataFrame:
        """One row a match, with its place in Sage 50."""
        return _frame(self.links)

    @cached_property
    def doubtful(self) -> pd.DataFrame:
        """One row an invoice that a person must look at, with why and the candidates' places."""
        return _frame(self.doubts)

    def __repr__(self) -> str:
        """How many of each."""
        counts = f"{len(self.links)} matched, {len(self.doubts)} doubtful"
        return f"<HistoryMatch {counts}, {len(self.unmatched)} not in Sage 50>"


def match_history(
    kit: Ends,
    *,
    chosen: Mapping[str, str],
    unlink: Collection[str] = (),
    dry_run: bool = True,
) -> HistoryMatch:
    """Match and, unless it is a dry run, record the links that the log does not hold yet.

    Args:
        kit: the pair.
        chosen: a person's word on doubtful ones: key -> place.
        unlink: keys whose links were a mistake; they are matched anew.
        dry_run: record nothing.

    Raises:
        UsageError: a chosen pair is none that the matching offers, or there is no such link.
        PushInProgress: a push holds the company.
    """
    if dry_run:
        return _decided(kit, chosen, unlink)
    with kit.log.claim():  # no push posts meanwhile what is linked here
        found = _decided(kit, chosen, unlink)
        return replace(found, recorded=_record(kit.log, found.links, unlink))


def linked(log: PushLog) -> dict[str, str]:
    """Where invoices stand that were in Sage 50 before the kit, by key."""
    links: dict[str, str] = {}
    for row in log.events(kinds=(LINKED, UNLINKED)):
        if row["kind"] == LINKED:
            links[row["key"]] = row["payload"]["place"]
        else:
            links.pop(row["key"], None)
    return links


def _decided(kit: Ends, chosen: Mapping[str, str], unlink: Collection[str]) -> HistoryMatch:
    known = linked(kit.log)
    if unknown := sorted(set(unlink) - set(known)):
        raise UsageError(f"{', '.join(unknown)} is not linked, so there is nothing to take back.")
    found = match(
        billed(invoices.invoices(kit.connectwise.client), {}, as_of=date.max),
        booked(kit.company.receivables(), as_of=date.max),
        known={key: place for key, place in known.items() if key not in unlink},
        posted=frozenset(_posted(kit.log)),
    )
    return decide(found, chosen)


def match(
    found: Iterable[Billed],
    there: Iterable[Booked],
    *,
    known: Mapping[str, str],
    posted: frozenset[str],
) -> HistoryMatch:
    """Sort invoices into matched, doubtful and not in Sage 50; purely.

    Args:
        found: ConnectWise's invoices.
        there: what stands in Sage 50.
        known: links that are recorded already.
        posted: keys of what the kit posted itself, which needs no matching.
    """
    taken = set(known.values())
    free = [
        row
        for row in there
        if row.type != "receipt" and not row.voided and not row.is_ours and row.place not in taken
    ]
    asked = [row for row in found if row.is_closed and row.key not in posted]
    matches = list(_matches([row for row in asked if row.key not in known], free))
    return HistoryMatch(
        links=(
            *(_match(row, (known[row.key],)) for row in asked if row.key in known),
            *(row for row in matches if row.places and not row.why),
        ),
        doubts=tuple(row for row in matches if row.why),
        unmatched=tuple(row for row in matches if not row.places),
    )


def decide(found: HistoryMatch, chosen: Mapping[str, str]) -> HistoryMatch:
    """The same after a person's word on doubtful ones.

    Raises:
        UsageError: a key that is not doubtful, or a place that is no candidate of it.
    """
    doubts = {row.key: row for row in found.doubts}
    decided = []
    for key, place in chosen.items():
        doubt = doubts.pop(key, None)
        if doubt is None or place not in doubt.places:
            offered = ", ".join(doubt.places) if doubt else "nothing: it is not doubtful"
            raise UsageError(f"{key} cannot be linked to {place}. The matching offers {offered}.")
        decided.append(
            Match(
                key=key,
                number=doubt.number,
                customer_id=doubt.customer_id,
                customer=doubt.customer,
                date=doubt.date,
                total=doubt.total,
                places=(place,),
            )
        )
    return HistoryMatch(
        links=(*found.links, *decided), doubts=tuple(doubts.values()), unmatched=found.unmatched
    )


def _matches(found: Sequence[Billed], free: Sequence[Booked]) -> Iterator[Match]:
    """One match for each invoice; exact ones first take what is theirs."""
    rows = defaultdict[_ID, list[Booked]](list)
    for each in free:
        for identity in _identities(each):
            rows[identity].append(each)
    twice = Counter(_exact(row) for row in found)
    exact: dict[str, str] = {}
    for row in found:
        same = rows.get(_exact(row), [])
        if len(same) == 1 and twice[_exact(row)] == 1:
            exact[row.key] = same[0].place
    taken = set(exact.values())
    for row in found:
        if row.key in exact:
            yield _match(row, (exact[row.key],))
        else:
            yield _doubt(row, rows, taken)


def _doubt(row: Billed, rows: Mapping[_ID, list[Booked]], taken: set[str]) -> Match:
    """An invoice without a single exact match: what comes near it, the nearest kind first."""
    for identity, why in zip(_identities(row), _WHY, strict=True):
        near = [each.place for each in rows.get(identity, ()) if each.place not in taken]
        if near:
            return _match(row, tuple(near), why)
    return _match(row, ())


_WHY = (
    "number, customer and amount fit more than one",
    "number and customer fit, the amount differs",
    "the number fits, the customer differs",
    "customer, amount and date fit, the number differs",
)


def _exact(row: Billed | Booked) -> _ID:
    return ("exact", fold(row.number), fold(row.customer_id), str(row.total.normalize()))


def _identities(row: Billed | Booked) -> tuple[_ID, ...]:
    """What a receivable can be known by, in the order of `_WHY`."""
    number, customer, amount = fold(row.number), fold(row.customer_id), str(row.total.normalize())
    return (
        _exact(row),
        ("number and customer", number, customer),
        ("number", number),
        ("customer, amount and date", customer, amount, str(row.date)),
    )


def _match(row: Billed, places: tuple[str, ...], why: str = "") -> Match:
    return Match(
        key=row.key,
        number=row.number,
        customer_id=row.customer_id,
        customer=row.customer,
        date=row.date,
        total=row.total,
        places=places,
        why=why,
    )


def _posted(log: PushLog) -> Iterator[str]:
    """Keys of the transactions that the kit posted itself."""
    for batch in log.history():
        for row in log.documents(batch["batch"]):
            if row.place:
                yield from row.document.transactions


def _record(log: PushLog, links: Iterable[Match], unlink: Collection[str]) -> int:
    """Note what is new, all at once; returns how many links."""
    known = linked(log)
    notes: list[Note] = [(UNLINKED, key, {"place": known[key]}) for key in unlink]
    for row in links:
        if known.get(row.key) != row.places[0] or row.key in unlink:
            words = {"place": row.places[0], "number": row.number, "total": row.total}
            notes.append((LINKED, row.key, words))
    if notes:
        with log.together() as (_, append):
            append(notes)
    return len(notes) - len(unlink)


def _frame(rows: Iterable[Match]) -> pd.DataFrame:
    columns = ["key", "number", "customer_id", "customer", "date", "total", "place", "why"]
    listed = [
        {name: getattr(row, name) for name in columns if name != "place"}
        | {"place": ", ".join(row.places)}
        for row in rows
    ]
    return money_frame(listed, columns, ["total"])
