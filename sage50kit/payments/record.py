"""The durable record of payments, in the push log of the company.

What we last wrote to each invoice, which invoices wait for their next try, what the receipts paid when
they were last read, and how far was read. Tables are changed in one transaction with their events of the
log's chain. Intent is recorded before its effect.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sage50kit.model import canonical
from sage50kit.payments.model import Foreign, Intent, Known, Source, Waiting, Written

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sage50kit.payments.model import Change, Outcome, PaymentPlan
    from sage50kit.pushlog import PushLog

_metadata = sa.MetaData()


def _table(name: str, *columns: sa.Column[Any]) -> sa.Table:
    """Each company and site has its own rows."""
    owner = [sa.Column(part, sa.Text, primary_key=True) for part in ("company", "site")]
    return sa.Table(f"payment_{name}", _metadata, *owner, *columns)


def _text(name: str, *, key: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Text, primary_key=key, nullable=False)


_written = _table(
    "written",
    sa.Column("invoice_id", sa.Integer, primary_key=True, autoincrement=False),
    _text("content"),
)
_waiting = _table(
    "waiting", _text("customer_key", key=True), _text("number_key", key=True), _text("content")
)
_sources = _table("sources", _text("place", key=True), _text("digest"), _text("pays"))
_cursors = _table("cursors", _text("cursor"), _text("overlap"))
_portal = _table(
    "portal",
    sa.Column("payment_id", sa.Integer, primary_key=True, autoincrement=False),
    _text("state"),
    _text("content"),
)


class PaymentRecord:
    """The payments of one company and site in its push log.

    Args:
        log: the push log.
        company: name of the company.
    """

    def __init__(self, log: PushLog, company: str) -> None:
        self._log = log
        self._owner = {"company": company, "site": log.site}

    def known(self) -> Known:
        """Everything the record says; nothing before the first sync."""
        with self._log.together() as (connection, _):
            if not sa.inspect(connection).has_table(_cursors.name):
                return Known()
            cursor = connection.execute(self._select(_cursors)).first()
            return Known(
                written=tuple(
                    _written_of(row.invoice_id, row.content)
                    for row in connection.execute(self._select(_written))
                ),
                waiting=tuple(
                    Waiting(**json.loads(row.content))
                    for row in connection.execute(self._select(_waiting))
                ),
                sources={
                    row.place: Source(
                        place=row.place,
                        digest=row.digest,
                        pays=tuple((one, other) for one, other in json.loads(row.pays)),
                    )
                    for row in connection.execute(self._select(_sources))
                },
                cursor=cursor.cursor if cursor else "",
                overlap=cursor.overlap if cursor else "",
                carried=frozenset(
                    row.payment_id
                    for row in connection.execute(self._select(_portal))
                    if row.state == "posted"
                ),
            )

    def begin(self, plan: PaymentPlan) -> None:
        """Record what a plan found out and intends, before anything is sent.

        Every invoice it will write to waits from now on, so that a crash loses none.
        """
        waiting = {row.key: row for row in plan.waiting}
        waiting |= {
            row.base.key: Waiting(customer_id=row.base.customer_id, number=row.number)
            for row in plan.changes
        }
        with self._log.together() as (connection, append):
            _metadata.create_all(connection)
            append([("payment_intended", _key(row), _told(row)) for row in plan.changes])
            self._keep_written(connection, [*plan.seen, *(row.begun for row in plan.changes)])
            self._clear(connection, _waiting)
            self._keep_waiting(connection, waiting.values())
            self._keep_sources(connection, plan)

    def settle(self, outcomes: Sequence[Outcome]) -> None:
        """Record how writes ended: what stands in ConnectWise now, or what they wait for."""
        with self._log.together() as (connection, append):
            append([_event(row) for row in outcomes])
            known = [row.written for row in outcomes if row.written is not None]
            self._keep_written(connection, known)
            for row in outcomes:
                self._forget_waiting(connection, row.change.base.key)
            self._keep_waiting(connection, [row.waits for row in outcomes if row.waits])

    def end(self, plan: PaymentPlan, *, before: str) -> bool:
        """Move the cursor over what was read whole; returns whether it moved.

        Args:
            plan: all of it applied or waiting by now.
            before: the cursor of the run before, where the next run begins again: the overlap.
        """
        reading = plan.reading
        moves = reading.complete and bool(reading.cursor)
        with self._log.together() as (connection, append):
            if moves:
                self._clear(connection, _cursors)
                row = {**self._owner, "cursor": reading.cursor, "overlap": before}
                connection.execute(_cursors.insert(), [row])
            told = {"way": reading.way, "start": reading.start, "cursor": reading.cursor}
            append(
                [("payments_synced", "", {**told, "moved": moves, "receipts": reading.receipts})]
            )
        return moves

    def adopt(self, row: Written) -> None:
        """Take a payment row of other origin, or a link without one, as ours: a person said so."""
        with self._log.together() as (connection, append):
            _metadata.create_all(connection)
            append([("payment_adopted", f"payment:{row.number}", asdict(row))])
            self._keep_written(connection, [row])

    # --- inside ---

    def _select(self, table: sa.Table) -> sa.Select[Any]:
        return sa.select(table).where(*self._mine(table))

    def _mine(self, table: sa.Table) -> list[sa.ColumnElement[bool]]:
        return [table.c[name] == value for name, value in self._owner.items()]

    def _clear(self, connection: sa.Connection, table: sa.Table) -> None:
        connection.execute(table.delete().where(*self._mine(table)))

    def _replace(
        self, connection: sa.Connection, table: sa.Table, rows: Sequence[dict[str, Any]]
    ) -> None:
        """Write rows over those of the same key."""
        if not rows:
            return
        own = [column.name for column in table.primary_key if column.name not in self._owner]
        where = [table.c[name] == sa.bindparam(f"of_{name}") for name in own]
        old = [{f"of_{name}": row[name] for name in own} for row in rows]
        connection.execute(table.delete().where(*self._mine(table), *where), old)
        connection.execute(table.insert(), [{**self._owner, **row} for row in rows])

    def _keep_written(self, connection: sa.Connection, rows: Sequence[Written]) -> None:
        content = [
            {"invoice_id": row.invoice_id, "content": _dump(asdict(row))}
            for row in {row.invoice_id: row for row in rows}.values()
        ]
        self._replace(connection, _written, content)

    def _keep_waiting(self, connection: sa.Connection, rows: Iterable[Waiting]) -> None:
        content = [
            {"customer_key": row.key[0], "number_key": row.key[1], "content": _dump(asdict(row))}
            for row in rows
        ]
        self._replace(connection, _waiting, content)

    def _forget_waiting(self, connection: sa.Connection, key: tuple[str, str]) -> None:
        where = (_waiting.c.customer_key == key[0], _waiting.c.number_key == key[1])
        connection.execute(_waiting.delete().where(*self._mine(_waiting), *where))

    def _keep_sources(self, connection: sa.Connection, plan: PaymentPlan) -> None:
        rows = [
            {"place": row.place, "digest": row.digest, "pays": json.dumps(row.pays)}
            for row in plan.reading.sources
        ]
        self._replace(connection, _sources, rows)
        gone = [{"of_place": place} for place in plan.reading.gone]
        if gone:
            where = _sources.c.place == sa.bindparam("of_place")
            connection.execute(_sources.delete().where(*self._mine(_sources), where), gone)


def _told(change: Change) -> dict[str, Any]:
    base = change.base
    return {
        "do": change.do,
        "invoice_id": base.invoice_id,
        "payment_id": base.payment_id,
        "before": base.amount,
        "amount": change.amount,
        "on": change.on,
    }


def _event(outcome: Outcome) -> tuple[str, str, dict[str, Any]]:
    if outcome.waits is not None:
        words = {"code": outcome.waits.code, "reason": outcome.waits.reason}
        return "payment_waits", _key(outcome.change), words
    written = outcome.written
    payment_id = written.payment_id if written else None
    return "payment_written", _key(outcome.change), {"payment_id": payment_id}


def _key(change: Change) -> str:
    return f"payment:{change.number}"


def _dump(content: Any) -> str:
    return json.dumps(canonical(content), sort_keys=True)


def _written_of(invoice_id: int, content: str) -> Written:
    data = json.loads(content)
    intent = data["intent"]
    return Written(
        invoice_id=invoice_id,
        customer_id=data["customer_id"],
        number=data["number"],
        payment_id=data["payment_id"],
        amount=Decimal(data["amount"]),
        on=_day(data["on"]),
        foreign=tuple(
            Foreign(payment_id=row["payment_id"], amount=Decimal(row["amount"]), kind=row["kind"])
            for row in data["foreign"]
        ),
        intent=Intent(amount=Decimal(intent["amount"]), on=_day(intent["on"])) if intent else None,
    )


def _day(value: str | None) -> date | None:
    return date.fromisoformat(value) if value else None
