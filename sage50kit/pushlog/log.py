"""The durable record of every push: what was intended, what was done, what was answered.

Events are only ever appended; each carries the hash of the one before it, so that a changed, dropped or
moved event shows. The current state of documents and batches is a projection, written in the same
transaction as its event. Intent is recorded before its effect, and the effect before its outcome.

    documents   planned -> sending -> posted | exported | refused | in_doubt ; in_doubt -> posted | planned ;
                posted -> unbatched (its transaction left the batch alone) ; either -> voided (cancelled in Sage)
    masters     creating -> created | refused
    batches     planned -> creating -> created -> unposted (deleted in ConnectWise) ;
                created -> rerunning -> created
"""

from __future__ import annotations

import json
import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import msgspec
import sqlalchemy as sa

from sage50kit.errors import BatchTaken, ContentChanged, InDoubt, LogCorrupt
from sage50kit.issues import Issue
from sage50kit.model import (
    ONCE_POSTED,
    Customer,
    Document,
    DocumentState,
    Item,
    LeftOut,
    Master,
    Plan,
    Transaction,
    Vendor,
    canonical,
    digest,
)
from sage50kit.pushlog.claims import claim

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

SCHEMA_VERSION = 1
BatchState: TypeAlias = Literal["planned", "creating", "created", "rerunning", "unposted"]
ENDED: tuple[BatchState, ...] = ("created", "unposted")
UNSENT: frozenset[DocumentState] = frozenset(
    {"planned", "refused"}
)  # nothing of it stands anywhere
ASKED_AT_ONCE = 500  # keys in one query; SQLite takes some thousands

_MASTERS: dict[str, type[Master]] = {"Customer": Customer, "Vendor": Vendor, "Item": Item}

_metadata = sa.MetaData()
_meta = sa.Table(
    "meta",
    _metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)
_events = sa.Table(
    "events",
    _metadata,
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("at", sa.Text, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("run", sa.Text, nullable=False),
    sa.Column("site", sa.Text, nullable=False),
    sa.Column("batch", sa.Text, nullable=False),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("generation", sa.Integer, nullable=False),
    sa.Column("part", sa.Integer, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("payload", sa.Text, nullable=False),
    sa.Column("prev_hash", sa.Text, nullable=False),
    sa.Column("hash", sa.Text, nullable=False),
)
_documents = sa.Table(
    "documents",
    _metadata,
    sa.Column("site", sa.Text, primary_key=True),
    # A refused document stays in its batch's report when a later batch takes it up again.
    sa.Column("batch", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("generation", sa.Integer, primary_key=True),
    sa.Column("part", sa.Integer, primary_key=True),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("fingerprint", sa.Text, nullable=False),
    sa.Column("place", sa.Text, nullable=False, default=""),
    sa.Column("reason", sa.Text, nullable=False, default=""),
    sa.Column("content", sa.Text, nullable=False),
)
# One row per (transaction, generation, part): a transaction is in at most one document of a generation,
# and that document is alive in at most one batch.
_transactions = sa.Table(
    "transactions",
    _metadata,
    sa.Column("site", sa.Text, primary_key=True),
    sa.Column("transaction", sa.Text, primary_key=True),
    sa.Column("generation", sa.Integer, primary_key=True),
    sa.Column("part", sa.Integer, primary_key=True),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("batch", sa.Text, nullable=False),
)
_batches = sa.Table(
    "batches",
    _metadata,
    sa.Column("site", sa.Text, primary_key=True),
    sa.Column("batch", sa.Text, primary_key=True),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("batch_id", sa.Integer),
    sa.Column("fingerprint", sa.Text, nullable=False),
    sa.Column("content", sa.Text, nullable=False),
    sa.Column("at", sa.Text, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
)


_LAST = sa.select(_events.c.seq, _events.c.hash).order_by(_events.c.seq.desc()).limit(1)
_COUNT = _meta.update().where(_meta.c.name == "events").values(value=sa.bindparam("count"))


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedDocument:
    """The current state of one document."""

    key: str
    generation: int
    part: int
    batch: str
    state: DocumentState
    fingerprint: str
    place: str
    reason: str
    document: Document


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedBatch:
    """The current state of one batch, and what its plan held besides documents."""

    batch: str
    state: BatchState
    batch_id: int | None
    fingerprint: str
    started: str
    actor: str
    transactions: tuple[Transaction, ...]
    left_out: tuple[LeftOut, ...]
    masters: tuple[Master, ...]
    issues: tuple[Issue, ...]


class PushLog:
    """The push log of one Sage 50 company, as seen by one site and one run.

    Args:
        path: the SQLite file; made when it does not exist.
        site: the name of the ConnectWise site, as part of every key.
        actor: the person, or the scheduler's name.

    Raises:
        LogCorrupt: the file is not a push log, is damaged, or was written by a newer version.
    """

    def __init__(self, path: Path, *, site: str, actor: str) -> None:
        self.path = path
        self.site = site
        self.actor = actor
        self.run = uuid.uuid4().hex[:12]
        path.parent.mkdir(parents=True, exist_ok=True)
        self._engine = _open(path)
        self._prepare()

    @property
    def log_id(self) -> str:
        """The identity of this log, which its company remembers."""
        return self._meta("log_id")

    def close(self) -> None:
        """Let go of the file."""
        self._engine.dispose()

    def claim(self) -> AbstractContextManager[None]:
        """Hold the company: one push at a time; raises `PushInProgress`."""
        return claim(self.path, self.actor)

    # --- writing ---

    def record(self, plan: Plan) -> None:
        """Record the intent to push `plan`; what is recorded already stays as it is.

        A batch of which nothing was ever sent gives its number free: the new plan takes its place.

        Raises:
            BatchTaken: the number belongs to another plan, of which something was sent.
            InDoubt: a document is still in doubt in another batch.
        """
        with self._write() as connection:
            old = self._batch_row(connection, plan.batch)
            # The same plan resumes; a batch of which nothing was sent is simply tried again.
            if old is not None and not (
                self._was_sent(connection, old) and self._holds(connection, old, plan)
            ):
                self._release(connection, old)
                old = None
            if old is None:
                self._record_batch(connection, plan)
            self._record_documents(connection, plan)

    def record_again(self, plan: Plan) -> None:
        """Record the intent to post documents of an existing batch again, as later generations.

        Args:
            plan: the batch number, the documents, and the masters that the books lack now.
        """
        with self._write() as connection:
            old = self._batch_row(connection, plan.batch)
            if old is None:
                raise KeyError(plan.batch)
            masters = [*old.masters, *(row for row in plan.masters if row not in old.masters)]
            content = _content(old.transactions, old.left_out, masters, plan.issues)
            payload = {"documents": [row.label for row in plan.documents], **content}
            self._append(connection, "batch_rerunning", batch=plan.batch, payload=payload)
            where = (_batches.c.site == self.site, _batches.c.batch == plan.batch)
            connection.execute(
                _batches.update().where(*where).values(state="rerunning", content=_text(content))
            )
            where = (_documents.c.site == self.site, _documents.c.batch == plan.batch)
            held = connection.execute(sa.select(sa.func.count()).where(*where)).scalar_one()
            self._record_documents(connection, plan, start=held)

    def holds(self, plan: Plan) -> bool:
        """Whether a plan is what the log has under its number: pushing it resumes or repeats."""
        with self._engine.connect() as connection:
            known = self._batch_row(connection, plan.batch)
            return known is not None and self._holds(connection, known, plan)

    def plan_of(self, batch: str, *, company: str) -> Plan | None:
        """The plan that was recorded under a batch number, to resume or repeat it."""
        known = self.batch(batch)
        if known is None:
            return None
        return Plan(
            batch=batch,
            site=self.site,
            company=company,
            documents=tuple(row.document for row in self.documents(batch)),
            masters=known.masters,
            transactions=known.transactions,
            left_out=known.left_out,
            issues=known.issues,
        )

    def mark(self, document: Document, state: DocumentState, *, batch: str, **why: Any) -> None:
        """Append the new state of a document; `why` may hold `place`, `reason` and `warnings`."""
        with self._write() as connection:
            self._append(connection, state, batch=batch, document=document, payload=why)
            update = {"state": state, **{k: v for k, v in why.items() if k in ("place", "reason")}}
            where = _same(_documents, {**self._identity(document), "batch": batch})
            connection.execute(_documents.update().where(*where).values(**update))

    def mark_batch(self, batch: str, state: BatchState, **payload: Any) -> None:
        """Append the new state of a batch; `batch_id` when ConnectWise has it."""
        with self._write() as connection:
            self._append(connection, f"batch_{state}", batch=batch, payload=payload)
            update = {
                "state": state,
                **({"batch_id": payload["batch_id"]} if "batch_id" in payload else {}),
            }
            where = (_batches.c.site == self.site, _batches.c.batch == batch)
            connection.execute(_batches.update().where(*where).values(**update))

    def note(self, kind: str, *, batch: str = "", key: str = "", **payload: Any) -> None:
        """Append an event that changes no state: a master created, a verification, a finding."""
        with self._write() as connection:
            self._append(connection, kind, batch=batch, key=key, payload=payload)

    # --- reading ---

    def documents(self, batch: str) -> list[LoggedDocument]:
        """The documents of a batch, in posting order."""
        where = (_documents.c.site == self.site, _documents.c.batch == batch)
        query = sa.select(_documents).where(*where).order_by(_documents.c.position)
        return [_logged(row) for row in self._read(query)]

    def batch(self, batch: str) -> LoggedBatch | None:
        """What the log knows of a batch number."""
        with self._engine.connect() as connection:
            return self._batch_row(connection, batch)

    def state_of(self, document: Document, *, batch: str) -> DocumentState | None:
        """The current state of one document in a batch; None if the log does not know it."""
        where = _same(_documents, {**self._identity(document), "batch": batch})
        rows = self._read(sa.select(_documents.c.state).where(*where))
        return rows[0].state if rows else None

    def was_sent(self, batch: str) -> bool:
        """Whether anything of a batch has left this machine; a log that cannot tell says yes."""
        try:
            with self._engine.connect() as connection:
                known = self._batch_row(connection, batch)
                return known is not None and self._was_sent(connection, known)
        except sa.exc.SQLAlchemyError:
            return True

    def of_transactions(self, keys: Sequence[str]) -> dict[str, list[LoggedDocument]]:
        """Every document of every generation that holds or held one of the transactions."""
        joined = _documents.join(
            _transactions,
            sa.and_(
                *(
                    getattr(_transactions.c, name) == getattr(_documents.c, name)
                    for name in ("site", "key", "generation", "part", "batch")
                )
            ),
        )
        query = sa.select(_documents, _transactions.c.transaction).select_from(joined)
        found: dict[str, list[LoggedDocument]] = {}
        for start in range(0, len(keys), ASKED_AT_ONCE):
            part = keys[start : start + ASKED_AT_ONCE]
            where = (_documents.c.site == self.site, _transactions.c.transaction.in_(part))
            for row in self._read(query.where(*where)):
                found.setdefault(row.transaction, []).append(_logged(row))
        return found

    def unfinished(self, *, but: str) -> dict[str, str]:
        """The transactions of batches that were begun and not ended: key -> batch number.

        Args:
            but: a batch that does not count, because it is the one that is planned.
        """
        with self._engine.connect() as connection:
            begun = [row for row in self._begun(connection) if row.batch != but]
        return {one.key: row.batch for row in begun for one in row.transactions}

    def unfinished_batches(self) -> list[str]:
        """The batches of which something was sent and that are not ended, oldest first."""
        with self._engine.connect() as connection:
            return [row.batch for row in self._begun(connection)]

    def _begun(self, connection: sa.Connection) -> list[LoggedBatch]:
        where = (_batches.c.site == self.site, _batches.c.state.not_in(ENDED))
        query = sa.select(_batches.c.batch).where(*where).order_by(_batches.c.at)
        rows = [self._batch_row(connection, row.batch) for row in connection.execute(query)]
        return [row for row in rows if row is not None and self._was_sent(connection, row)]

    def history(self) -> list[dict[str, Any]]:
        """One row per batch, newest first."""
        counts = (
            sa.select(_documents.c.batch, _documents.c.state, sa.func.count().label("n"))
            .where(_documents.c.site == self.site)
            .group_by(_documents.c.batch, _documents.c.state)
        )
        states: dict[str, dict[str, int]] = {}
        for row in self._read(counts):
            states.setdefault(row.batch, {})[row.state] = row.n
        query = (
            sa.select(_batches).where(_batches.c.site == self.site).order_by(_batches.c.at.desc())
        )
        return [
            {
                "batch": row.batch,
                "state": row.state,
                "batch_id": row.batch_id,
                "started": row.at,
                "actor": row.actor,
            }
            | states.get(row.batch, {})
            for row in self._read(query)
        ]

    def events(
        self, batch: str | None = None, *, kinds: Collection[str] = ()
    ) -> Iterator[dict[str, Any]]:
        """The events, oldest first, with their payload as data; of one batch or of some kinds only."""
        query = sa.select(_events).order_by(_events.c.seq)
        if batch is not None:
            query = query.where(_events.c.site == self.site, _events.c.batch == batch)
        if kinds:
            query = query.where(_events.c.site == self.site, _events.c.kind.in_(kinds))
        for row in self._read(query):
            yield {**row._mapping, "payload": json.loads(row.payload)}  # noqa: SLF001  # SQLAlchemy's public name

    def count(self) -> int:
        """How many events there are."""
        return int(self._meta("events"))

    def verify(self) -> list[str]:
        """Recompute the chain; one sentence per changed, missing or moved event, none when whole."""
        problems = []
        previous, expected = "", 1
        for row in self._read(sa.select(_events).order_by(_events.c.seq)):
            event = dict(row._mapping)  # noqa: SLF001
            stored = event.pop("hash")
            if event["seq"] != expected:
                problems.append(f"event {expected} is missing")
            if event["prev_hash"] != previous or digest(event) != stored:
                problems.append(f"event {event['seq']} was changed or moved")
            previous, expected = stored, event["seq"] + 1
        count = int(self._meta("events"))
        if expected - 1 < count:
            problems.append(f"events after {expected - 1} are missing; there were {count}")
        return problems

    # --- inside ---

    def _record_batch(self, connection: sa.Connection, plan: Plan) -> None:
        content = _content(plan.transactions, plan.left_out, plan.masters, plan.issues)
        row = {"state": "planned", "fingerprint": plan.fingerprint}
        at = self._append(connection, "plan", batch=plan.batch, payload={**row, **content})
        connection.execute(
            _batches.insert().values(
                site=self.site,
                batch=plan.batch,
                content=_text(content),
                at=at,
                actor=self.actor,
                **row,
            )
        )

    def _holds(self, connection: sa.Connection, old: LoggedBatch, plan: Plan) -> bool:
        """Whether every document and transaction of a plan is recorded under its number, unchanged."""
        columns = _documents.c
        query = sa.select(columns.key, columns.part, columns.generation, columns.fingerprint).where(
            columns.site == self.site, columns.batch == plan.batch
        )
        recorded = {tuple(row)[:3]: row.fingerprint for row in connection.execute(query)}
        return old.transactions == plan.transactions and all(
            recorded.get((row.key, row.part, row.generation)) == row.fingerprint
            for row in plan.documents
        )

    def _was_sent(self, connection: sa.Connection, old: LoggedBatch) -> bool:
        """Whether anything of a batch has left this machine."""
        where = (_documents.c.site == self.site, _documents.c.batch == old.batch)
        states = connection.execute(sa.select(_documents.c.state).where(*where).distinct())
        return old.state != "planned" or any(row.state not in UNSENT for row in states)

    def _release(self, connection: sa.Connection, old: LoggedBatch) -> None:
        """Take the projection of a batch away of which nothing was sent; its events stay."""
        if self._was_sent(connection, old):
            raise BatchTaken(
                f"batch number {old.batch} was used on {old.started[:10]} by {old.actor} for other "
                "documents. Take another number, such as the one that is proposed."
            )
        self._append(connection, "released", batch=old.batch, payload={})
        for table in (_documents, _transactions, _batches):
            connection.execute(
                table.delete().where(table.c.site == self.site, table.c.batch == old.batch)
            )

    def _record_documents(self, connection: sa.Connection, plan: Plan, *, start: int = 0) -> None:
        """The intent to post every document that this batch does not hold yet, all at once."""
        columns = _documents.c
        query = sa.select(
            columns.key, columns.generation, columns.part, columns.batch, columns.state
        )
        known: dict[tuple[str, int, int], list[Any]] = {}
        for row in connection.execute(query.where(columns.site == self.site)):
            known.setdefault((row.key, row.generation, row.part), []).append(row)
        new = []
        for position, document in enumerate(plan.documents, start):
            olds = known.get((document.key, document.generation, document.part), [])
            if plan.batch in {old.batch for old in olds}:
                continue
            for old in olds:
                _refuse_sent(document, old)
            new.append((position, document, canonical(document)))
        if not new:
            return
        self._append_all(
            connection,
            plan.batch,
            [
                (
                    "planned",
                    document,
                    "",
                    {"fingerprint": document.fingerprint, "document": content},
                )
                for _, document, content in new
            ],
        )
        connection.execute(
            _documents.insert(),
            [
                {
                    **self._identity(document),
                    "batch": plan.batch,
                    "position": position,
                    "state": "planned",
                    "fingerprint": document.fingerprint,
                    "place": "",
                    "reason": "",
                    "content": _text(content),
                }
                for position, document, content in new
            ],
        )
        for _, document, _ in new:
            if (document.key, document.generation, document.part) in known:
                connection.execute(
                    _transactions.delete().where(*_same(_transactions, self._identity(document)))
                )
        connection.execute(
            _transactions.insert(),
            [
                {**self._identity(document), "transaction": transaction, "batch": plan.batch}
                for _, document, _ in new
                for transaction in document.transactions
            ],
        )

    def _identity(self, document: Document) -> dict[str, Any]:
        """What the log knows a document by."""
        return {
            "site": self.site,
            "key": document.key,
            "generation": document.generation,
            "part": document.part,
        }

    def _append(
        self,
        connection: sa.Connection,
        kind: str,
        *,
        batch: str,
        payload: dict[str, Any],
        document: Document | None = None,
        key: str = "",
    ) -> str:
        """Append one event to the chain; returns its time."""
        return self._append_all(connection, batch, [(kind, document, key, payload)])

    def _append_all(
        self,
        connection: sa.Connection,
        batch: str,
        drafts: Sequence[tuple[str, Document | None, str, dict[str, Any]]],
    ) -> str:
        """Append events (kind, document, key, payload) to the chain; returns their time."""
        last = connection.execute(_LAST).first()
        seq, previous = (last.seq, last.hash) if last else (0, "")
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        events = []
        for kind, document, key, payload in drafts:
            seq += 1
            event = {
                "seq": seq,
                "at": at,
                "actor": self.actor,
                "run": self.run,
                "site": self.site,
                "batch": batch,
                "key": document.key if document else key,
                "generation": document.generation if document else 0,
                "part": document.part if document else 0,
                "kind": kind,
                "payload": _text(canonical(payload)),
                "prev_hash": previous,
            }
            previous = digest(event)
            events.append({**event, "hash": previous})
        connection.execute(_events.insert(), events)
        # The count stands outside the chain so that a cut-off tail shows.
        connection.execute(_COUNT, {"count": str(seq)})
        return at

    def _batch_row(self, connection: sa.Connection, batch: str) -> LoggedBatch | None:
        where = (_batches.c.site == self.site, _batches.c.batch == batch)
        row = connection.execute(sa.select(_batches).where(*where)).first()
        if row is None:
            return None
        content = json.loads(row.content)
        return LoggedBatch(
            batch=row.batch,
            state=row.state,
            batch_id=row.batch_id,
            fingerprint=row.fingerprint,
            started=row.at,
            actor=row.actor,
            transactions=msgspec.convert(
                content["transactions"], tuple[Transaction, ...], strict=False
            ),
            left_out=msgspec.convert(content["left_out"], tuple[LeftOut, ...], strict=False),
            masters=tuple(
                msgspec.convert(row, _MASTERS[name], strict=False)
                for name, row in content["masters"]
            ),
            issues=msgspec.convert(content["issues"], tuple[Issue, ...], strict=False),
        )

    def _meta(self, name: str) -> str:
        row = self._read(sa.select(_meta.c.value).where(_meta.c.name == name))
        return str(row[0].value)

    def _read(self, query: sa.Select[Any]) -> Sequence[sa.Row[Any]]:
        with self._engine.connect() as connection:
            return connection.execute(query).all()

    @contextmanager
    def _write(self) -> Iterator[sa.Connection]:
        with self._engine.begin() as connection:
            yield connection

    def _prepare(self) -> None:
        """Make the tables of a new log; check those of an old one."""
        try:
            with self._write() as connection:
                _metadata.create_all(connection)
                known = {row.name: row.value for row in connection.execute(sa.select(_meta))}
                if not known:
                    fresh = {
                        "log_id": uuid.uuid4().hex,
                        "schema": str(SCHEMA_VERSION),
                        "events": "0",
                    }
                    rows = [{"name": name, "value": value} for name, value in fresh.items()]
                    connection.execute(_meta.insert(), rows)
        except sa.exc.DatabaseError as error:
            raise LogCorrupt(
                f"the push log {self.path} cannot be read ({error.orig}). Restore it from a backup; "
                "nothing was pushed."
            ) from error
        if known and int(known["schema"]) > SCHEMA_VERSION:
            raise LogCorrupt(
                f"the push log {self.path} was written by a newer version of sage50kit "
                f"(schema {known['schema']}, this version knows {SCHEMA_VERSION}). Update sage50kit."
            )


def _open(path: Path) -> sa.Engine:
    """An SQLite engine that locks at BEGIN and waits: a plain BEGIN loses updates between writers."""
    engine = sa.create_engine(f"sqlite:///{path}", connect_args={"timeout": 30})

    @sa.event.listens_for(engine, "connect")
    def _settings(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _same(table: sa.Table, identity: dict[str, Any]) -> list[sa.ColumnElement[bool]]:
    return [table.c[name] == value for name, value in identity.items()]


def _refuse_sent(document: Document, old: Any) -> None:
    """A document that another batch has sent never joins this one.

    Raises:
        InDoubt: it was sent and not answered.
        ContentChanged: it was posted.
    """
    if old.state in ("sending", "in_doubt"):
        raise InDoubt(
            f"{document.number} ({document.label}) is in doubt since batch {old.batch}. "
            "Run first: sage50kit resume"
        )
    if old.state in ONCE_POSTED:
        raise ContentChanged(
            f"{document.number} ({document.label}) was posted in batch {old.batch} already. "
            "Plan again; what is in the books is not posted twice."
        )


def _logged(row: sa.Row[Any]) -> LoggedDocument:
    return LoggedDocument(
        key=row.key,
        generation=row.generation,
        part=row.part,
        batch=row.batch,
        state=row.state,
        fingerprint=row.fingerprint,
        place=row.place or "",
        reason=row.reason or "",
        document=msgspec.convert(json.loads(row.content), Document, strict=False),
    )


def _content(
    transactions: Sequence[Transaction],
    left_out: Sequence[LeftOut],
    masters: Sequence[Master],
    issues: Sequence[Issue],
) -> dict[str, Any]:
    """What a batch holds besides documents, as plain data."""
    return {
        "transactions": canonical(transactions),
        "left_out": canonical(left_out),
        "masters": [[type(row).__name__, canonical(row)] for row in masters],
        "issues": canonical(issues),
    }


def _text(content: Any) -> str:
    return json.dumps(content, ensure_ascii=True, sort_keys=True, separators=(",", ":"))
