"""The events of one company: appended, each with the hash of the one before it, and never changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec
import sqlalchemy as sa

from sage50kit.model import digest
from sage50kit.pushlog.often import Often
from sage50kit.pushlog.tables import events, logs

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

_MINE = logs.c.company == sa.bindparam("company")
STAND = sa.select(logs.c.events, logs.c.head).where(_MINE)
HEAD = Often(STAND.with_for_update())  # whoever writes waits here for the one before
_MOVE_HEAD = Often(
    logs.update()
    .where(logs.c.company == sa.bindparam("of_company"))
    .values(events=sa.bindparam("events"), head=sa.bindparam("head"))
)
_APPEND = Often(events.insert())


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """An event that has no place in the chain yet."""

    kind: str
    key: str = ""
    generation: int = 0
    part: int = 0
    payload: str = "{}"  # canonical JSON


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """The chain of a company, as one actor in one run appends to it."""

    company: str
    site: str
    actor: str
    run: str

    def append(
        self, connection: sa.Connection, batch: str, drafts: Sequence[Draft]
    ) -> tuple[int, str]:
        """Append events; returns the number and the time of the last one."""
        seq, previous = HEAD.run(connection, {"company": self.company}).fetchone()
        # The time is told, never compared: clocks are set back.
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        rows = []
        for draft in drafts:
            seq += 1
            row = {
                "seq": seq,
                "at": at,
                "actor": self.actor,
                "run": self.run,
                "site": self.site,
                "batch": batch,
                "key": draft.key,
                "generation": draft.generation,
                "part": draft.part,
                "kind": draft.kind,
                "payload": draft.payload,
                "prev_hash": previous,
            }
            previous = digest(row)
            rows.append({**row, "hash": previous, "company": self.company})
        _APPEND.run_all(connection, rows)
        _MOVE_HEAD.run(connection, {"of_company": self.company, "events": seq, "head": previous})
        return seq, at


def read_events(
    connection: sa.Connection,
    company: str,
    *,
    site: str = "",
    batch: str = "",
    kinds: Collection[str] = (),
) -> Iterator[dict[str, Any]]:
    """The events of a company, of one batch or of some kinds, oldest first; the payload as text."""
    query = sa.select(*(column for column in events.c if column.name != "company"))
    query = query.where(events.c.company == company).order_by(events.c.seq)
    if batch:
        query = query.where(events.c.site == site, events.c.batch == batch)
    if kinds:
        query = query.where(events.c.site == site, events.c.kind.in_(kinds))
    for row in connection.execute(query.execution_options(yield_per=1_000)):
        yield dict(row._mapping)  # noqa: SLF001  # SQLAlchemy's public name


def last_is_whole(connection: sa.Connection, company: str) -> bool:
    """Whether the last event is the one that was written last; a moment's look."""
    count, head = connection.execute(STAND, {"company": company}).one()
    query = sa.select(events).where(events.c.company == company).order_by(events.c.seq.desc())
    row = connection.execute(query.limit(1)).first()
    if row is None:
        return (count, head) == (0, "")
    event = dict(row._mapping)  # noqa: SLF001
    del event["company"]
    return (event["seq"], event["hash"]) == (count, head) and event.pop("hash") == digest(event)


def with_data(event: dict[str, Any]) -> dict[str, Any]:
    """The event with its payload as data."""
    return {**event, "payload": msgspec.json.decode(event["payload"])}
