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

import uuid
from contextlib import contextmanager
from functools import cache
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sage50kit.errors import LogCorrupt, LogUnavailable, UsageError
from sage50kit.model import Joined, Plan, canonical
from sage50kit.model.content import text
from sage50kit.pushlog import claims, recording, replay
from sage50kit.pushlog.chain import STAND, Chain, Draft, last_is_whole, read_events, with_data
from sage50kit.pushlog.migrations import prepare
from sage50kit.pushlog.often import Often
from sage50kit.pushlog.recording import batch_row, in_batch, of_site
from sage50kit.pushlog.rows import (
    BATCH_EVENTS,
    ENDED,
    LoggedBatch,
    LoggedDocument,
    logged_document,
)
from sage50kit.pushlog.store import Store
from sage50kit.pushlog.tables import batches, documents, events, logs, transactions

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence
    from pathlib import Path

    from sage50kit.model import Document, DocumentState
    from sage50kit.pushlog.claims import Claim
    from sage50kit.pushlog.rows import BatchState

    Note = tuple[str, str, dict[str, Any]]  # kind, key, payload

_NO_NOTES = frozenset({"plan", "released", *BATCH_EVENTS})  # events that change what a batch is


class PushLog:
    """The push log of one Sage 50 company, as seen by one site and one run.

    Args:
        place: the SQLite file, made when it does not exist, or the URL of a PostgreSQL database.
        site: the name of the ConnectWise site, as part of every key.
        actor: the person, or the scheduler's name.
        company: the name of the Sage 50 company.
        remembered: the id of the log that the company belongs to; "" while it belongs to none.

    Raises:
        LogCorrupt: it is no push log, is damaged, lost, or was written by a newer version.
        LogUnavailable: it cannot be used now.
    """

    def __init__(
        self,
        place: Path | sa.URL,
        *,
        site: str,
        actor: str,
        company: str = "",
        remembered: str = "",
    ) -> None:
        self.site = site
        self.actor = actor
        self.run = uuid.uuid4().hex[:12]
        self._store = Store(place)
        try:
            company = prepare(self._store, company, remembered=remembered)
            self._chain = Chain(company=company, site=site, actor=actor, run=self.run)
            self._check_last()
        except BaseException:
            self.close()
            raise

    @property
    def log_id(self) -> str:
        """The identity of this log, which its company remembers."""
        (row,) = self._read(sa.select(logs.c.log_id).where(logs.c.company == self._chain.company))
        return str(row.log_id)

    def close(self) -> None:
        """Let go of the file or the server."""
        self._store.close()

    @contextmanager
    def claim(self) -> Iterator[Claim]:
        """Hold the company: one push at a time, across processes, profiles and machines.

        Raises:
            PushInProgress: another push holds it.
            LogCorrupt: the log is damaged; nothing may be pushed on its word.
        """
        with claims.claim(self._store, self._chain.company, self.actor) as held:
            if problems := self.verify():
                raise LogCorrupt(
                    f"the push log {self._store.name} is damaged: {problems[0]}"
                    f"{f', and {len(problems) - 1} more' if problems[1:] else ''}. Restore it from a "
                    "backup; nothing was sent. To see all of it: sage50kit log verify"
                )
            yield held

    def refuse_held(self) -> None:
        """Say who holds the company, where somebody else does.

        Raises:
            PushInProgress: another push holds it.
        """
        if self._store.claimed is None:
            with claims.claim(self._store, self._chain.company, self.actor):
                pass

    # --- writing ---

    def record(self, plan: Plan) -> None:
        """Record the intent to push `plan`; what is recorded already stays as it is.

        A batch of which nothing was ever sent gives its number free: the new plan takes its place.

        Raises:
            BatchTaken: the number belongs to another plan, of which something was sent.
            InDoubt: a document is still in doubt in another batch.
            ContentChanged: a document was posted in another batch.
        """
        with self._store.writing() as connection:
            recording.record(connection, self._chain, plan)

    def adopt(self, plan: Plan, *, batch_id: int) -> None:
        """Record a batch that exists in ConnectWise and that this log does not know.

        Args:
            plan: its transactions, and what stands in the books of it as `joined`.
            batch_id: of the batch in ConnectWise.

        Raises:
            BatchTaken: the log knows the number by now.
        """
        with self._store.writing() as connection:
            recording.adopt(connection, self._chain, plan, batch_id)

    def record_again(self, plan: Plan) -> None:
        """Record the intent to post documents of an existing batch again, as later generations.

        Args:
            plan: the batch number, the documents, and the masters that the books lack now.
        """
        with self._store.writing() as connection:
            recording.record_again(connection, self._chain, plan)

    def mark(self, document: Document, state: DocumentState, *, batch: str, **why: Any) -> None:
        """Append the new state of a document; `why` may hold `place`, `reason` and `warnings`."""
        values: dict[str, Any] = {name: why[name] for name in ("place", "reason") if name in why}
        words = {**self._named(document, batch), **values, "state": state}
        event = recording.draft(state, document, text(canonical(why)))
        with self._store.writing() as connection:
            self._chain.append(connection, batch, [event])
            if not _mark(tuple(values)).run(connection, words).rowcount:
                raise UsageError(f"the push log holds no {document.label} in batch {batch}.")

    def mark_batch(self, batch: str, state: BatchState, **payload: Any) -> None:
        """Append the new state of a batch; `batch_id` when ConnectWise has it."""
        values = {name: payload[name] for name in ("batch_id",) if name in payload}
        where = in_batch(batches, self._chain, batch)
        with self._store.writing() as connection:
            event = Draft(kind=f"batch_{state}", payload=text(canonical(payload)))
            self._chain.append(connection, batch, [event])
            update = batches.update().where(*where).values(state=state, **values)
            if not connection.execute(update).rowcount:
                raise UsageError(f"the push log holds no batch {batch}.")

    def note(self, kind: str, *, batch: str = "", key: str = "", **payload: Any) -> None:
        """Append an event that changes no state: a master created, a verification, a finding."""
        if kind in _NO_NOTES:
            raise UsageError(f"an event {kind} changes a state; it is not a note.")
        event = Draft(kind=kind, key=key, payload=text(canonical(payload)))
        with self._store.writing() as connection:
            self._chain.append(connection, batch, [event])

    # --- reading ---

    def holds(self, plan: Plan) -> bool:
        """Whether a plan is what the log has under its number: pushing it resumes or repeats."""
        with self._store.reading() as connection:
            known = batch_row(connection, self._chain, plan.batch)
            return known is not None and recording.holds(connection, self._chain, known, plan)

    def plan_of(self, batch: str, *, company: str) -> Plan | None:
        """The plan that was recorded under a batch number, to resume or repeat it."""
        known = self.batch(batch)
        if known is None:
            return None
        rows = self.documents(batch)
        joined = [row for row in rows if row.state in ("joining", "joined")]
        aside = ("joining", "joined", "unbatched")
        return Plan(
            batch=batch,
            site=self.site,
            company=company,
            documents=tuple(row.document for row in rows if row.state not in aside),
            joined=tuple(Joined(document=row.document, place=row.place) for row in joined),
            masters=known.masters,
            transactions=known.transactions,
            left_out=known.left_out,
            issues=known.issues,
        )

    @contextmanager
    def together(self) -> Iterator[tuple[sa.Connection, Callable[[Sequence[Note]], None]]]:
        """One transaction for tables that another part keeps beside the log, and for its events.

        Yields the connection and what appends notes (kind, key, payload) to the chain.
        """
        with self._store.writing() as connection:

            def append(notes: Sequence[Note]) -> None:
                drafts = [
                    Draft(kind=kind, key=key, payload=text(canonical(words)))
                    for kind, key, words in notes
                ]
                if drafts:
                    self._chain.append(connection, "", drafts)

            yield connection, append

    def documents(
        self,
        batch: str,
        *,
        states: Collection[DocumentState] | None = None,
        held: Sequence[Document] = (),
    ) -> list[LoggedDocument]:
        """The documents of a batch, in posting order; those in some states only, if any are named.

        Args:
            batch: its number.
            states: only the documents that are in one of these.
            held: documents that the caller has; what was recorded of the same content is not read again.
        """
        where = in_batch(documents, self._chain, batch)
        if states is not None:
            where.append(documents.c.state.in_(states))
        query = sa.select(documents).where(*where)
        # Sorted here: a database would sort the contents of thousands in a file on the disk.
        rows = sorted(self._read(query), key=attrgetter("position"))
        same = {(row.key, row.generation, row.part): row for row in held}
        return [logged_document(row, same.get((row.key, row.generation, row.part))) for row in rows]

    def batch(self, batch: str) -> LoggedBatch | None:
        """What the log knows of a batch number."""
        with self._store.reading() as connection:
            return batch_row(connection, self._chain, batch)

    def state_of(self, document: Document, *, batch: str) -> DocumentState | None:
        """The current state of one document in a batch; None if the log does not know it."""
        with self._store.reading() as connection:
            state: DocumentState | None = connection.scalar(_STATE, self._named(document, batch))
        return state

    def was_sent(self, batch: str) -> bool:
        """Whether anything of a batch has left this machine; a log that cannot tell says yes."""
        try:
            with self._store.reading() as connection:
                known = batch_row(connection, self._chain, batch)
                return known is not None and recording.was_sent(connection, self._chain, known)
        except (LogUnavailable, LogCorrupt):
            return True

    def of_transactions(self, keys: Sequence[str]) -> dict[str, list[LoggedDocument]]:
        """Every document of every generation that holds or held one of the transactions."""
        names = ("company", "site", "key", "generation", "part", "batch")
        same = sa.and_(*(transactions.c[name] == documents.c[name] for name in names))
        query = (
            sa.select(documents, transactions.c.transaction)
            .select_from(documents.join(transactions, same))
            .order_by(transactions.c.transaction, documents.c.generation, documents.c.part)
        )
        found: dict[str, list[LoggedDocument]] = {}
        for part in recording.in_parts(keys):
            some = transactions.c.transaction.in_(part)
            for row in self._read(query.where(*of_site(documents, self._chain), some)):
                found.setdefault(row.transaction, []).append(logged_document(row))
        return found

    def unfinished(self, *, but: str) -> dict[str, str]:
        """The transactions of batches that were begun and not ended: key -> batch number.

        Args:
            but: a batch that does not count, because it is the one that is planned.
        """
        begun = [row for row in self._begun() if row.batch != but]
        return {one.key: row.batch for row in begun for one in row.transactions}

    def unfinished_batches(self) -> list[str]:
        """The batches of which something was sent and that are not ended, oldest first."""
        return [row.batch for row in self._begun()]

    def history(self) -> list[dict[str, Any]]:
        """One row per batch, newest first."""
        counts = (
            sa.select(documents.c.batch, documents.c.state, sa.func.count().label("n"))
            .where(*of_site(documents, self._chain))
            .group_by(documents.c.batch, documents.c.state)
        )
        states: dict[str, dict[str, int]] = {}
        for row in self._read(counts):
            states.setdefault(row.batch, {})[row.state] = row.n
        query = sa.select(batches).where(*of_site(batches, self._chain))
        return [
            {
                "batch": row.batch,
                "state": row.state,
                "batch_id": row.batch_id,
                "started": row.at,
                "actor": row.actor,
            }
            | states.get(row.batch, {})
            for row in self._read(query.order_by(batches.c.seq.desc()))
        ]

    def events(
        self, batch: str | None = None, *, kinds: Collection[str] = ()
    ) -> Iterator[dict[str, Any]]:
        """The events, oldest first, with their payload as data; of one batch, of some kinds, or both."""
        words: dict[str, Any] = {"site": self.site, "batch": batch or "", "kinds": kinds}
        with self._store.reading() as connection:
            rows = list(read_events(connection, self._chain.company, **words))
        yield from map(with_data, rows)

    def count(self) -> int:
        """How many events there are."""
        (row,) = self._read(sa.select(logs.c.events).where(logs.c.company == self._chain.company))
        return int(row.events)

    def stand(self) -> tuple[int, str]:
        """How many events there are, and the hash of the last one."""
        with self._store.reading() as connection:
            events, head = connection.execute(STAND, {"company": self._chain.company}).one()
            return int(events), str(head)

    def follows(self, mark: tuple[int, str]) -> bool:
        """Whether this log holds the event of a mark that was taken of it earlier."""
        number, head = mark
        wanted = (events.c.company == self._chain.company, events.c.seq == number)
        rows = self._read(sa.select(events.c.hash).where(*wanted)) if number else []
        return not number or [row.hash for row in rows] == [head]

    def refuse_older(self, mark: tuple[int, str]) -> None:
        """A log that lacks what the company has seen of it was put back from an older backup.

        Raises:
            LogCorrupt: it lacks that.
        """
        if not self.follows(mark):
            raise LogCorrupt(
                f"the push log {self._store.name} is not the one that the company saw last: it has "
                f"{self.count()} events, and the company saw event {mark[0]} of another. It was put back "
                "from an older backup. Restore the newest copy; where there is none: sage50kit log accept. "
                "Nothing was sent."
            )

    def verify(self) -> list[str]:
        """One sentence for all that was changed, dropped, moved or edited; none when it is whole."""
        with self._store.reading() as connection:
            # A damaged page may hold nothing that is read below, such as an index.
            if damage := self._store.damage(connection):
                return [damage]
            return replay.problems(connection, self._chain.company)

    # --- inside ---

    def _named(self, document: Document, batch: str) -> dict[str, Any]:
        """The parameters that name one document of a batch."""
        words = {f"of_{k}": v for k, v in recording.identity(self._chain, document).items()}
        return {**words, "of_batch": batch}

    def _begun(self) -> list[LoggedBatch]:
        where = (*of_site(batches, self._chain), batches.c.state.not_in(ENDED))
        query = sa.select(batches.c.batch).where(*where).order_by(batches.c.seq)
        with self._store.reading() as connection:
            numbers = connection.scalars(query).all()
            rows = [batch_row(connection, self._chain, number) for number in numbers]
            return [
                row
                for row in rows
                if row is not None and recording.was_sent(connection, self._chain, row)
            ]

    def _check_last(self) -> None:
        with self._store.reading() as connection:
            if not last_is_whole(connection, self._chain.company):
                raise LogCorrupt(
                    f"the push log {self._store.name} was cut off or its last event was changed. "
                    "Restore it from a backup; nothing was sent."
                )

    def _read(self, query: sa.Select[Any]) -> Sequence[sa.Row[Any]]:
        with self._store.reading() as connection:
            return connection.execute(query).all()


_THIS_DOCUMENT = [
    documents.c[name] == sa.bindparam(f"of_{name}")
    for name in ("company", "site", "batch", "key", "generation", "part")
]
_STATE = sa.select(documents.c.state).where(*_THIS_DOCUMENT)


@cache
def _mark(names: tuple[str, ...]) -> Often:
    """The change of a document's state and of some columns besides."""
    values: dict[str, Any] = {name: sa.bindparam(name) for name in ("state", *names)}
    return Often(documents.update().where(*_THIS_DOCUMENT).values(**values))
