"""The durable record of payments, in the push log of the company.

What we last wrote to each invoice, which invoices wait for their next try, what the receipts paid when
they were last read, and how far was read. It is changed in one transaction with the events of the log's
chain. Intent is recorded before its effect.
"""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import msgspec
import sqlalchemy as sa

from sage50kit.errors import UsageError
from sage50kit.payments.model import Carried, Known, Progress, Source, Waiting, Written

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sage50kit.payments.model import Change, Outcome, PaymentPlan, Posting
    from sage50kit.pushlog import PushLog

_metadata = sa.MetaData()
_table = sa.Table(
    "payments",
    _metadata,
    *(
        sa.Column(name, sa.Text, primary_key=True)
        for name in ("company", "site", "kind", "key")  # kind: one of `_TYPES`
    ),
    sa.Column("content", sa.Text, nullable=False),
)
_MINE = [_table.c[name] == sa.bindparam(f"of_{name}") for name in ("company", "site")]
_ALL = sa.select(_table.c.kind, _table.c.content).where(*_MINE)
_ONE = _table.delete().where(
    *_MINE, *(_table.c[name] == sa.bindparam(f"of_{name}") for name in ("kind", "key"))
)
_KIND = _table.delete().where(*_MINE, _table.c.kind == sa.bindparam("of_kind"))
Row = tuple[str, str, Any]  # kind, key, content


class PaymentRecord:
    """The payments of one company and site in its push log.

    Args:
        log: the push log.
        company: name of the company.
    """

    def __init__(self, log: PushLog, company: str) -> None:
        self._log = log
        self._owner = {"company": company, "site": log.site}
        self._of = {f"of_{name}": value for name, value in self._owner.items()}

    def known(self) -> Known:
        """Everything the record says; nothing before the first sync."""
        with self._log.together() as (connection, _):
            if not sa.inspect(connection).has_table(_table.name):
                return Known()
            found = connection.execute(_ALL, self._of).all()
        kinds: dict[str, list[Any]] = {kind: [] for kind in _TYPES}
        for kind, content in found:
            kinds[kind].append(_DECODERS[kind].decode(content))
        return Known(
            written=tuple(kinds["written"]),
            waiting=tuple(kinds["waiting"]),
            sources={row.place: row for row in kinds["source"]},
            progress=next(iter(kinds["progress"]), Progress()),
            carried=tuple(kinds["carried"]),
        )

    def begin(self, plan: PaymentPlan) -> None:
        """Record what a plan found out and intends, before anything is sent.

        Every invoice it will write to waits from now on, so that a crash loses none.

        Raises:
            UsageError: somebody has synced since the plan was made.
        """
        waiting = {row.key: row for row in plan.waiting}
        waiting |= {
            row.base.key: Waiting(customer_id=row.base.customer_id, number=row.number)
            for row in plan.changes
        }
        written = [*plan.seen, *(row.begun for row in plan.changes)]
        runs = plan.reading.known.runs
        after = replace(plan.reading.known, runs=runs + 1, seen=plan.reading.seen)
        with self._log.together() as (connection, append):
            _metadata.create_all(connection)
            if self._progress(connection).runs != runs:
                raise UsageError(
                    "payments were synced or taken over since this plan was made. Plan again; nothing was written."
                )
            if plan.changes:
                # One event for all: a log is verified event by event before every push.
                append(
                    [("payments_intended", "", {"payments": [_told(row) for row in plan.changes]})]
                )
            append([_portal_event(row) for row in (*plan.portal, *plan.arrived)])
            self._forget(connection, [("source", place) for place in plan.reading.gone])
            connection.execute(_KIND, {**self._of, "of_kind": "waiting"})
            self._keep(
                connection,
                [
                    *(_row("written", row) for row in written),
                    *(_row("waiting", row) for row in waiting.values()),
                    *(_row("source", row) for row in plan.reading.sources),
                    *(_row("carried", row) for row in (*plan.portal, *plan.arrived)),
                    _row("progress", after),
                ],
            )

    def settle(self, outcomes: Sequence[Outcome]) -> None:
        """Record how writes ended: what stands in ConnectWise now, or what they wait for."""
        with self._log.together() as (connection, append):
            append([("payments_answered", "", {"payments": [_answered(row) for row in outcomes]})])
            waited = [("waiting", json.dumps(row.change.base.key)) for row in outcomes]
            self._forget(connection, waited)
            rows = [_row("written", row.written) for row in outcomes if row.written is not None]
            rows += [_row("waiting", row.waits) for row in outcomes if row.waits is not None]
            self._keep(connection, rows)

    def settle_portal(self, posting: Posting) -> None:
        """Record what the company answered about the receipt of a portal payment."""
        with self._log.together() as (connection, append):
            if posting.receipt is not None:
                append([_portal_event(posting.receipt)])
                self._keep(connection, [_row("carried", posting.receipt)])
            else:
                why = posting.issue.message if posting.issue else ""
                append([("portal_refused", f"payment:{posting.wanted.number}", {"reason": why})])
                self._forget(connection, [("carried", str(posting.wanted.payment_id))])

    def end(self, plan: PaymentPlan) -> bool:
        """Move the cursor over what was read whole; returns whether it moved.

        The cursor of the run before is where the next one begins again: the overlap.
        """
        reading = plan.reading
        moves = reading.complete and bool(reading.cursor)
        with self._log.together() as (connection, append):
            if moves:
                after = replace(
                    self._progress(connection),
                    cursor=reading.cursor,
                    overlap=reading.known.cursor,
                )
                self._keep(connection, [_row("progress", after)])
            told = {"way": reading.way, "start": reading.start, "cursor": reading.cursor}
            append(
                [("payments_synced", "", {**told, "moved": moves, "receipts": reading.receipts})]
            )
        return moves

    def adopt(self, *rows: Written) -> None:
        """Take payment rows of other origin, or links without one, as ours: a person said so.

        A plan that was made before knows nothing of it and is refused.
        """
        with self._log.together() as (connection, append):
            _metadata.create_all(connection)
            append([("payment_adopted", f"payment:{row.number}", asdict(row)) for row in rows])
            before = self._progress(connection)
            after = replace(before, runs=before.runs + 1)
            kept = [_row("written", row) for row in rows]
            self._keep(connection, [*kept, _row("progress", after)])

    # --- inside ---

    def _progress(self, connection: sa.Connection) -> Progress:
        query = sa.select(_table.c.content).where(*_MINE, _table.c.kind == "progress")
        row = connection.execute(query, self._of).first()
        return _DECODERS["progress"].decode(row.content) if row else Progress()

    def _keep(self, connection: sa.Connection, rows: Iterable[Row]) -> None:
        """Write rows over those of the same kind and key."""
        last = {(kind, key): content for kind, key, content in rows}
        if not last:
            return
        self._forget(connection, last)
        connection.execute(
            _table.insert(),
            [
                {**self._owner, "kind": kind, "key": key, "content": content}
                for (kind, key), content in last.items()
            ],
        )

    def _forget(self, connection: sa.Connection, keys: Iterable[tuple[str, str]]) -> None:
        gone = [{**self._of, "of_kind": kind, "of_key": key} for kind, key in keys]
        if gone:
            connection.execute(_ONE, gone)


_TYPES: dict[str, Any] = {
    "written": Written,
    "waiting": Waiting,
    "source": Source,
    "progress": Progress,
    "carried": Carried,
}
_DECODERS = {kind: msgspec.json.Decoder(made) for kind, made in _TYPES.items()}
Content = Written | Waiting | Source | Progress | Carried


def _row(kind: str, content: Content) -> Row:
    return kind, _name(content), msgspec.json.encode(content).decode()


def _name(content: Content) -> str:
    """What a row is known by within its kind."""
    if isinstance(content, Source):
        return content.place
    if isinstance(content, Written):
        return str(content.invoice_id)
    if isinstance(content, Carried):
        return str(content.payment_id)
    return json.dumps(content.key) if isinstance(content, Waiting) else ""


def _told(change: Change) -> dict[str, Any]:
    base = change.base
    return {
        "do": change.do,
        "number": change.number,
        "invoice_id": base.invoice_id,
        "payment_id": base.payment_id,
        "before": base.amount,
        "amount": change.amount,
        "on": change.on,
    }


def _answered(outcome: Outcome) -> dict[str, Any]:
    told = {"number": outcome.change.number}
    if outcome.waits is not None:
        return told | {"waits": outcome.waits.code, "reason": outcome.waits.reason}
    return told | {"payment_id": outcome.written.payment_id if outcome.written else None}


def _portal_event(row: Carried) -> tuple[str, str, dict[str, Any]]:
    return f"portal_{row.state}", f"payment:{row.number}", asdict(row)
