"""A new log is made, an old one is brought forward, one of a newer version is refused.

Each step of `STEPS` leads from its version to the next, in one transaction: it is done whole or not at all.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import sqlalchemy as sa

from sage50kit.errors import LogCorrupt
from sage50kit.pushlog.tables import SCHEMA_VERSION, batches, events, logs, meta, metadata

if TYPE_CHECKING:
    from sage50kit.pushlog.store import Store

_ONE_AT_A_TIME = 50_330_453  # any number of our own: two machines must not make the tables at once


def prepare(store: Store, company: str, *, remembered: str) -> str:
    """Make or update the tables, and the company's place in them.

    Args:
        store: the database.
        company: name of the company, for a log that is new.
        remembered: the id of the log that the company belongs to; "" while it belongs to none.

    Returns:
        The name that the log has the company under: the one it was begun with.

    Raises:
        LogCorrupt: it is no push log, is damaged, lost, or was written by a newer version.
    """
    if remembered and store.file is not None and not store.file.exists():
        raise _lost(store, company, remembered)  # before a look makes a new file
    with store.reading() as connection:
        if _version(connection, store) == SCHEMA_VERSION:
            known = _known(connection, store, company, remembered)
            if known is not None:
                return known
    with store.writing() as connection:
        if store.file is None:
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_ONE_AT_A_TIME)))
        _migrate(connection, _version(connection, store), company)  # or another process was faster
        known = _known(connection, store, company, remembered)
        if known is None and remembered:
            raise _lost(store, company, remembered)
        return _begin(connection, company) if known is None else known


def _migrate(connection: sa.Connection, version: int, company: str) -> None:
    """Make the tables, or bring them forward step by step."""
    if version == 0:
        metadata.create_all(connection)
        connection.execute(meta.insert().values(name="schema", value=str(SCHEMA_VERSION)))
        return
    for step in range(version, SCHEMA_VERSION):
        STEPS[step](connection, company)
    connection.execute(_SCHEMA.values(value=str(SCHEMA_VERSION)))


_SCHEMA = meta.update().where(meta.c.name == "schema")


def _version(connection: sa.Connection, store: Store) -> int:
    """The version of the tables; 0 where there are none."""
    tables = set(sa.inspect(connection).get_table_names())
    if not tables & set(metadata.tables) and (store.file is None or not tables):
        return 0
    query = sa.select(meta.c.value).where(meta.c.name == "schema")
    found = connection.scalar(query) if "meta" in tables else None
    if found is None:
        raise LogCorrupt(
            f"{store.name} cannot be read as a push log: it holds other tables. Correct the place of the "
            "log; nothing was written."
        )
    if int(found) > SCHEMA_VERSION:
        raise LogCorrupt(
            f"the push log {store.name} was written by a newer version of sage50kit (schema {found}, "
            f"this version knows {SCHEMA_VERSION}). Update sage50kit; nothing was written."
        )
    return int(found)


def _known(connection: sa.Connection, store: Store, company: str, remembered: str) -> str | None:
    """The name a company has in this log: a file has but one, a database is asked by id, then by name."""
    query = sa.select(logs.c.company)
    if store.file is None:
        query = query.where(
            logs.c.log_id == remembered if remembered else logs.c.company == company
        )
    found: str | None = connection.scalar(query)
    return found


def _begin(connection: sa.Connection, company: str) -> str:
    row = {"company": company, "log_id": uuid.uuid4().hex, "events": 0, "head": ""}
    connection.execute(logs.insert(), row)
    return company


def _lost(store: Store, company: str, remembered: str) -> LogCorrupt:
    return LogCorrupt(
        f"the company {company} belongs to the push log {remembered}, which is not in {store.name}. "
        "Restore it from a backup; without it documents could be posted twice. Nothing was sent."
    )


def _companies(connection: sa.Connection, company: str) -> None:
    """Version 1 held one company per file, unnamed; its keys stay as unique as they were."""
    for table in ("events", "documents", "transactions", "batches"):
        add = f"ALTER TABLE {table} ADD COLUMN company TEXT NOT NULL DEFAULT ''"
        connection.exec_driver_sql(add)
        connection.execute(metadata.tables[table].update().values(company=company))
    connection.exec_driver_sql("ALTER TABLE batches ADD COLUMN seq INTEGER NOT NULL DEFAULT 0")
    plans = sa.select(sa.func.max(events.c.seq)).where(
        events.c.kind == "plan", events.c.site == batches.c.site, events.c.batch == batches.c.batch
    )
    connection.execute(batches.update().values(seq=plans.scalar_subquery()))
    old = {row.name: row.value for row in connection.execute(sa.select(meta))}
    head = sa.select(events.c.hash).order_by(events.c.seq.desc()).limit(1)
    metadata.create_all(connection)
    row = {"log_id": old["log_id"], "events": int(old["events"])}
    connection.execute(
        logs.insert().values(company=company, head=connection.scalar(head) or "", **row)
    )
    connection.execute(meta.delete().where(meta.c.name.in_(("log_id", "events"))))


STEPS = {1: _companies}
