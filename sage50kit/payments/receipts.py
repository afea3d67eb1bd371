"""Read what the company says was paid: by an incremental read where it has one, else by comparing.

The sum of an invoice is always taken from all applications that stand now, never from the change that
was read: what changed only says which invoices to look at.
"""

from __future__ import annotations

import calendar
from datetime import date, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING

import msgspec

from sage50kit.collector import collector_paused
from sage50kit.errors import UsageError
from sage50kit.issues import finding
from sage50kit.payments.model import Key, Paid, Progress, Reading, Source, Way, key_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from sage50kit.connectors.base import Connector
    from sage50kit.issues import Issue
    from sage50kit.model import Application, Receipt
    from sage50kit.payments.model import Known

STARTS = ("last", "week", "fortnight", "month")
_MANY = 2000  # invoices; asking for all is faster then


def start_of(since: str, today: date) -> date | None:
    """The first day of a start choice; None for the last successful run.

    Args:
        since: `last`, `week`, `fortnight`, `month` (same day last month, clamped) or a date as ISO text.
        today: the person's day.

    Raises:
        UsageError: none of these, or a day to come.
    """
    if since == "last":
        return None
    if since in ("week", "fortnight"):
        return today - timedelta(days=7 if since == "week" else 14)
    if since == "month":
        year, month = (today.year, today.month - 1) if today.month > 1 else (today.year - 1, 12)
        return today.replace(
            year=year, month=month, day=min(today.day, calendar.monthrange(year, month)[1])
        )
    try:
        day = date.fromisoformat(since)
    except ValueError:
        raise UsageError(
            f"{since!r} is no start. Give {', '.join(STARTS)} or a date such as 2026-10-31."
        ) from None
    if day > today:
        raise UsageError(
            f"{since} is still to come, so nothing would be read. Give an earlier day."
        )
    return day


@collector_paused()
def read(
    company: Connector, known: Known, *, since: str = "last", full: bool = False, today: date
) -> Reading:
    """What was paid of the invoices whose receipts changed since a start, and of those that wait.

    Args:
        company: the Sage 50 company.
        known: what the log knows.
        since: a start choice, see `start_of`; a dated run does not move the cursor.
        full: look at every invoice that anything pays or that we ever wrote to.
        today: the person's day.

    Raises:
        UsageError: the company cannot tell receipts, or `since` is no start.
    """
    if not company.capabilities.reads_receipts:
        raise UsageError(f"{company.name}: this connector does not read receipts.")
    start = start_of(since, today)
    way = _way(company, known.progress, full=full)
    everything = way in ("full", "restored")
    dated = start if way == "changes" else None
    rows, cursor, complete = company.receipts(
        known.progress.overlap if way == "changes" else "", since=dated
    )
    sources = [_source(row) for row in rows if row.state == "standing"]
    standing = {row.place for row in sources}
    # Where part of the receipts is missing, nobody can say that one was deleted.
    whole = complete and not dated and (way != "changes" or not known.progress.overlap)
    gone = {row.place for row in rows} - standing
    gone |= set(known.sources) - standing if whole else set()
    again = {row.place for row in rows if everything or dated or (start and row.date >= start)}
    touched = _touched(sources, gone, known, again)
    if everything:
        touched |= {row.key: (row.customer_id, row.number) for row in known.written}
    touched |= {row.key: (row.customer_id, row.number) for row in known.waiting}
    # A whole reading says it all already.
    told = (
        [one for row in rows for one in row.applications] if way != "changes" and complete else None
    )
    paid = paid_against(company, touched, told)
    changed = {row.place: row for row in sources if known.sources.get(row.place) != row}
    return Reading(
        known=Progress(runs=known.progress.runs) if way == "restored" else known.progress,
        way=way,
        start=f"{start:%Y-%m-%d}" if start else "last successful run",
        complete=complete,
        cursor="" if dated else cursor,
        seen=cursor,
        paid=paid,
        sources=tuple((changed | _unread(paid, changed, known)).values()),
        gone=tuple(sorted(gone)),
        receipts=len(rows),
        issues=tuple(_findings(rows, way, today, complete=complete)),
    )


def _way(company: Connector, progress: Progress, *, full: bool) -> Way:
    if full:
        return "full"
    if not company.capabilities.follows_receipts:
        return "compared"
    cursors = [each for each in (progress.cursor, progress.overlap, progress.seen) if each]
    return "changes" if all(map(company.knows_cursor, cursors)) else "restored"


def _source(receipt: Receipt) -> Source:
    pays = dict.fromkeys((row.customer_id, row.invoice) for row in receipt.applications)
    told = sha256(msgspec.json.encode(receipt)).hexdigest()
    return Source(place=receipt.place, digest=told, pays=tuple(pays))


def _touched(
    sources: Sequence[Source], gone: Iterable[str], known: Known, again: Collection[str]
) -> dict[Key, tuple[str, str]]:
    """The invoices that changed receipts, and those at the places `again`, pay now or paid before."""
    pairs: list[tuple[str, str]] = []
    for source in sources:
        before = known.sources.get(source.place)
        if source.place in again or before is None or before.digest != source.digest:
            pairs += [*source.pays, *(before.pays if before else ())]
    for place in gone:
        if place in known.sources:
            pairs += known.sources[place].pays
    return {key_of(*pair): pair for pair in pairs}


def paid_against(
    company: Connector,
    touched: dict[Key, tuple[str, str]],
    told: list[Application] | None = None,
) -> tuple[Paid, ...]:
    """All that stands against some invoices now, oldest first.

    Args:
        company: whose invoices they are.
        touched: customer ID and number of each, by key.
        told: every application of the company, where it was read already.
    """
    if not touched:
        return ()
    if told is None:
        told = company.applications(
            invoices=None if len(touched) > _MANY else list(touched.values())
        )
    by_key: dict[Key, list[Application]] = {}
    for row in sorted(told, key=lambda row: row.date):
        by_key.setdefault(key_of(row.customer_id, row.invoice), []).append(row)
    return tuple(
        Paid(customer_id=customer, number=number, applications=tuple(by_key.get(key, ())))
        for key, (customer, number) in touched.items()
    )


def _unread(paid: Iterable[Paid], changed: dict[str, Source], known: Known) -> dict[str, Source]:
    """Sources that pay a touched invoice and were not read as paying it: entered since, or cut off.

    What they pay is written all the same, so it has to be known when they are moved or deleted. Without
    a digest they count as changed once they are read.
    """
    read: dict[str, set[tuple[str, str]]] = {}
    unread: dict[str, Source] = {}
    for row in (row for one in paid for row in one.applications if row.applied > 0):
        if row.place not in read:
            source = changed.get(row.place) or known.sources.get(row.place)
            read[row.place] = set(source.pays) if source else set()
        pair = (row.customer_id, row.invoice)
        if pair not in read[row.place]:
            read[row.place].add(pair)
            pays = tuple(sorted(read[row.place]))
            unread[row.place] = Source(place=row.place, digest="", pays=pays)
    return unread


def _findings(rows: Sequence[Receipt], way: Way, today: date, *, complete: bool) -> Iterable[Issue]:
    if way == "restored":
        yield finding("receipts_restored", key="receipts", number="receipts")
    if not complete:
        yield finding("receipts_cut", key="receipts", number="receipts", value=len(rows))
    for row in rows:
        if row.state == "standing" and row.date > today:
            yield finding("receipt_future", key=row.place, number=row.reference, value=row.date)
        if row.kind == "receipt" and row.unapplied > 0:
            yield finding(
                "receipt_unapplied",
                key=row.place,
                number=row.reference,
                value=f"{row.unapplied:.2f}",
                customer=row.customer_id,
            )
