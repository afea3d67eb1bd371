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
from sage50kit.money import text
from sage50kit.payments.model import Written
from sage50kit.payments.receivables import Billed, Booked, billed, booked
from sage50kit.payments.record import PaymentRecord
from sage50kit.pushlog.links import LINKED, UNLINKED, linked

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from decimal import Decimal

    import pandas as pd

    from sage50kit.kit.ends import Ends
    from sage50kit.pushlog import PushLog
    from sage50kit.pushlog.log import Note

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
    candidates: tuple[Booked, ...] = ()
    why: str = ""  # what is doubtful

    @property
    def places(self) -> tuple[str, ...]:
        """Where the candidates stand."""
        return tuple(row.place for row in self.candidates)


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

    @cached_property
    def missing(self) -> pd.DataFrame:
        """One row an invoice that Sage 50 does not have."""
        return _frame(self.unmatched)

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
        recorded = _record(kit.log, found.links, unlink)
        _follow(PaymentRecord(kit.log, kit.company.name), found, unlink)
        return replace(found, recorded=recorded)


def _decided(kit: Ends, chosen: Mapping[str, str], unlink: Collection[str]) -> HistoryMatch:
    known = linked(kit.log)
    if unknown := sorted(set(unlink) - set(known)):
        raise UsageError(f"{', '.join(unknown)} is not linked, so there is nothing to take back.")
    found = match(
        billed(invoices.invoices(kit.connectwise.client), {}, as_of=date.max),
        booked(kit.company.receivables(), as_of=date.max),
        known={key: place for key, place in known.items() if key not in unlink},
        posted=frozenset(_posted(kit.log)),
        unfinished=kit.log.unfinished(but=""),
    )
    return decide(found, chosen)


def match(
    found: Iterable[Billed],
    there: Iterable[Booked],
    *,
    known: Mapping[str, str],
    posted: frozenset[str],
    unfinished: Mapping[str, str] | None = None,
) -> HistoryMatch:
    """Sort invoices into matched, doubtful and not in Sage 50; purely.

    Args:
        found: ConnectWise's invoices.
        there: what stands in Sage 50.
        known: links that are recorded already.
        posted: keys of what the kit posted itself, which needs no matching.
        unfinished: the batch that will post a transaction yet, by key; nobody links it meanwhile.
    """
    standing = {row.place: row for row in there if not row.voided}
    taken, begun = set(known.values()), unfinished or {}
    free = [
        row
        for row in standing.values()
        if row.type != "receipt" and not row.is_ours and row.place not in taken
    ]
    asked = [row for row in found if row.is_closed and row.total and row.key not in posted]
    links = {row.key: standing[known[row.key]] for row in asked if known.get(row.key) in standing}
    new = [row for row in asked if row.key not in links and row.key not in begun]
    matches = [_still(row, known) for row in _matches(new, free)]
    return HistoryMatch(
        links=(
            *(_match(row, (links[row.key],)) for row in asked if row.key in links),
            *(row for row in matches if row.candidates and not row.why),
        ),
        doubts=(
            *(row for row in matches if row.why),
            *(_match(row, (), _BEGUN.format(begun[row.key])) for row in asked if row.key in begun),
        ),
        unmatched=tuple(row for row in matches if not row.candidates and not row.why),
    )


_BEGUN = "batch {} is not finished and may post it; run resume first"


def _still(row: Match, known: Mapping[str, str]) -> Match:
    """A link whose document stands no more is a doubt: nobody guesses where it went."""
    if row.key not in known:
        return row
    return replace(row, why=f"it is linked to {known[row.key]}, which stands in Sage 50 no more")


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
        said = tuple(row for row in doubt.candidates if row.place == place)
        decided.append(replace(doubt, candidates=said, why=""))
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
    exact: dict[str, Booked] = {}
    for row in found:
        same = rows.get(_exact(row), [])
        if len(same) == 1 and twice[_exact(row)] == 1:
            exact[row.key] = same[0]
    taken = {row.place for row in exact.values()}
    for row in found:
        if row.key in exact:
            yield _match(row, (exact[row.key],))
        else:
            yield _doubt(row, rows, taken)


def _doubt(row: Billed, rows: Mapping[_ID, list[Booked]], taken: set[str]) -> Match:
    """An invoice without a single exact match: what comes near it, the nearest kind first."""
    for identity, why in zip(_identities(row), _WHY, strict=True):
        near = [each for each in rows.get(identity, ()) if each.place not in taken]
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


def _match(row: Billed, candidates: tuple[Booked, ...], why: str = "") -> Match:
    return Match(
        key=row.key,
        number=row.number,
        customer_id=row.customer_id,
        customer=row.customer,
        date=row.date,
        total=row.total,
        candidates=candidates,
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


def _follow(record: PaymentRecord, found: HistoryMatch, unlink: Collection[str]) -> None:
    """Payments of a linked invoice are read under the number and customer that Sage 50 has for it."""
    known = record.known().by_id
    rows = [_named(row, row.candidates[0], known) for row in found.links]
    rows += [
        _named(row, row, known) for row in (*found.doubts, *found.unmatched) if row.key in unlink
    ]
    if changed := [row for row in rows if row is not None]:
        record.adopt(*changed)


def _named(row: Match, names: Match | Booked, known: Mapping[int, Written]) -> Written | None:
    """What the record is to hold of an invoice under these names; None where it is so anyway."""
    invoice_id = int(row.key.partition(":")[2])
    before = known.get(invoice_id) or Written(
        invoice_id=invoice_id, customer_id=row.customer_id, number=row.number
    )
    after = replace(before, customer_id=names.customer_id, number=names.number)
    return None if after.key == before.key else after


def _frame(rows: Iterable[Match]) -> pd.DataFrame:
    columns = ["key", "number", "customer_id", "customer", "date", "total", "place", "why", "there"]
    listed = [
        {name: getattr(row, name) for name in columns if name not in ("place", "there")}
        | {"place": ", ".join(row.places)}
        | {"there": "; ".join(_told(each) for each in row.candidates)}
        for row in rows
    ]
    return money_frame(listed, columns, ["total"])


def _told(row: Booked) -> str:
    """What a person needs to decide: number, customer, date and amount of a document of Sage 50."""
    return f"{row.place}: {row.number} of {row.customer_id}, {row.date}, {text(row.total)}"
