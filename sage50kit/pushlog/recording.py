"""Intent on the disk before its effect: a plan, all its documents and transactions, in one transaction."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sage50kit.errors import BatchTaken, ContentChanged, InDoubt, UsageError
from sage50kit.model import ARRIVED, ONCE_POSTED, canonical
from sage50kit.model.content import text
from sage50kit.pushlog.chain import HEAD, Draft
from sage50kit.pushlog.often import Often
from sage50kit.pushlog.rows import UNSENT, LoggedBatch, content_of, logged_batch
from sage50kit.pushlog.tables import OF_A_BATCH, batches, documents, transactions

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sage50kit.model import Document, Plan
    from sage50kit.pushlog.chain import Chain

ASKED_AT_ONCE = 500
_ADD_DOCUMENT = Often(documents.insert())
_ADD_TRANSACTION = Often(transactions.insert())


def record(connection: sa.Connection, chain: Chain, plan: Plan) -> None:
    """Record the intent to push `plan`; what is recorded already stays as it is."""
    # Nobody else records between our look and our writing.
    HEAD.run(connection, {"company": chain.company})
    old = batch_row(connection, chain, plan.batch)
    # The same plan resumes; a batch of which nothing was sent is simply tried again.
    if old is not None and not (
        was_sent(connection, chain, old) and holds(connection, chain, old, plan)
    ):
        _release(connection, chain, old)
        old = None
    if old is None:
        _record_batch(connection, chain, plan)
    _record_documents(connection, chain, plan)
    _record_joined(connection, chain, plan)


def adopt(connection: sa.Connection, chain: Chain, plan: Plan, batch_id: int) -> None:
    """Record a batch that exists in ConnectWise, with the documents of it that stand in the books."""
    HEAD.run(connection, {"company": chain.company})
    if batch_row(connection, chain, plan.batch) is not None:
        raise BatchTaken(
            f"the push log knows batch {plan.batch} by now. Compare it again; nothing was written."
        )
    record(connection, chain, plan)
    events = [draft("joined", one.document, "{}") for one in plan.joined]
    events.append(Draft(kind="batch_created", payload=text({"batch_id": batch_id})))
    chain.append(connection, plan.batch, events)
    held = documents.update().where(*in_batch(documents, chain, plan.batch))
    connection.execute(held.values(state="joined"))
    made = batches.update().where(*in_batch(batches, chain, plan.batch))
    connection.execute(made.values(state="created", batch_id=batch_id))


def record_again(connection: sa.Connection, chain: Chain, plan: Plan) -> None:
    """Record the intent to post documents of an existing batch again, as later generations."""
    HEAD.run(connection, {"company": chain.company})
    old = batch_row(connection, chain, plan.batch)
    if old is None:
        raise UsageError(f"the push log holds no batch {plan.batch}.")
    if old.state != "created":
        raise UsageError(
            f"batch {plan.batch} is {old.state} by now. Look at it again; nothing was sent."
        )
    masters = [*old.masters, *(row for row in plan.masters if row not in old.masters)]
    content = content_of(old.transactions, old.left_out, masters, plan.issues)
    payload = text({"documents": [row.label for row in plan.documents], "content": content})
    chain.append(connection, plan.batch, [Draft(kind="batch_rerunning", payload=payload)])
    change = batches.update().where(*in_batch(batches, chain, plan.batch))
    connection.execute(change.values(state="rerunning", content=text(content)))
    _record_documents(connection, chain, plan)


def holds(connection: sa.Connection, chain: Chain, old: LoggedBatch, plan: Plan) -> bool:
    """Whether every document and transaction of a plan is recorded under its number, unchanged."""
    columns = documents.c
    query = sa.select(columns.key, columns.part, columns.generation, columns.fingerprint)
    rows = connection.execute(query.where(*in_batch(documents, chain, plan.batch)))
    recorded = {(row.key, row.part, row.generation): row.fingerprint for row in rows}
    return old.transactions == plan.transactions and all(
        recorded.get((row.key, row.part, row.generation)) == row.fingerprint
        for row in plan.documents
    )


def batch_row(connection: sa.Connection, chain: Chain, batch: str) -> LoggedBatch | None:
    """What the log knows of a batch number."""
    row = connection.execute(sa.select(batches).where(*in_batch(batches, chain, batch))).first()
    return None if row is None else logged_batch(row)


def was_sent(connection: sa.Connection, chain: Chain, old: LoggedBatch) -> bool:
    """Whether anything of a batch has left this machine."""
    where = in_batch(documents, chain, old.batch)
    states = connection.scalars(sa.select(documents.c.state).where(*where).distinct())
    return old.state != "planned" or any(state not in UNSENT for state in states)


def in_batch(table: sa.Table, chain: Chain, batch: str) -> list[sa.ColumnElement[bool]]:
    """The rows of one batch."""
    return [*of_site(table, chain), table.c.batch == batch]


def of_site(table: sa.Table, chain: Chain) -> list[sa.ColumnElement[bool]]:
    """The rows of this company and site."""
    return [table.c.company == chain.company, table.c.site == chain.site]


def identity(chain: Chain, document: Document) -> dict[str, Any]:
    """What the log knows a document by."""
    return {
        "company": chain.company,
        "site": chain.site,
        "key": document.key,
        "generation": document.generation,
        "part": document.part,
    }


def draft(kind: str, document: Document, payload: str) -> Draft:
    """An event about a document; the payload is canonical JSON."""
    return Draft(
        kind=kind,
        key=document.key,
        generation=document.generation,
        part=document.part,
        payload=payload,
    )


def _release(connection: sa.Connection, chain: Chain, old: LoggedBatch) -> None:
    """Take the projection of a batch away of which nothing was sent; its events stay."""
    if was_sent(connection, chain, old):
        raise BatchTaken(
            f"batch number {old.batch} was used on {old.started[:10]} by {old.actor} for other "
            "documents. Take another number, such as the one that is proposed."
        )
    chain.append(connection, old.batch, [Draft(kind="released")])
    _give_back(connection, chain, old.batch)
    for table in OF_A_BATCH:
        connection.execute(table.delete().where(*in_batch(table, chain, old.batch)))


def _give_back(connection: sa.Connection, chain: Chain, batch: str) -> None:
    """What joined a batch belongs to the batch before again, so that its history is not lost."""
    others = documents.alias()
    names = ("company", "site", "key", "generation", "part")
    same = [documents.c[name] == others.c[name] for name in names]
    began = batches.c.seq
    query = (
        sa.select(*(documents.c[name] for name in names), others.c.batch)
        .join(others, sa.and_(*same, others.c.batch != batch))
        .join(
            batches, sa.and_(*(batches.c[n] == others.c[n] for n in ("company", "site", "batch")))
        )
        .where(*in_batch(documents, chain, batch))
        .order_by(began)
    )
    for row in connection.execute(query).all():  # the latest comes last and stays
        own = [transactions.c[name] == row._mapping[name] for name in names]  # noqa: SLF001
        connection.execute(transactions.update().where(*own).values(batch=row.batch))


def _record_batch(connection: sa.Connection, chain: Chain, plan: Plan) -> None:
    content = content_of(plan.transactions, plan.left_out, plan.masters, plan.issues)
    row = {"state": "planned", "fingerprint": plan.fingerprint}
    event = Draft(kind="plan", payload=text({**row, **content}))
    seq, at = chain.append(connection, plan.batch, [event])
    connection.execute(
        batches.insert().values(
            company=chain.company,
            site=chain.site,
            batch=plan.batch,
            seq=seq,
            content=text(content),
            at=at,
            actor=chain.actor,
            **row,
        )
    )


def _record_documents(connection: sa.Connection, chain: Chain, plan: Plan) -> None:
    """The intent to post every document that this batch does not hold yet, all at once."""
    known = _known(connection, chain, plan.documents)
    count = sa.select(sa.func.count()).where(*in_batch(documents, chain, plan.batch))
    held = connection.scalar(count) or 0
    new: list[tuple[int, Document, str]] = []
    for document in plan.documents:
        olds = known.get((document.key, document.generation, document.part), [])
        if plan.batch in {old.batch for old in olds}:
            continue
        for old in olds:
            _refuse_sent(document, old)
        new.append((held + len(new), document, text(canonical(document))))
    if not new:
        return
    intents = [
        draft("planned", document, _intent(document, content)) for _, document, content in new
    ]
    chain.append(connection, plan.batch, intents)
    _ADD_DOCUMENT.run_all(connection, [_document_row(chain, plan.batch, *row) for row in new])
    again = [row for _, row, _ in new if (row.key, row.generation, row.part) in known]
    _record_transactions(connection, chain, plan.batch, [row for _, row, _ in new], again)


def _record_joined(connection: sa.Connection, chain: Chain, plan: Plan) -> None:
    """The intent to take documents of the books into the batch; no other batch has them from then on."""
    known = _known(connection, chain, [row.document for row in plan.joined])
    count = sa.select(sa.func.count()).where(*in_batch(documents, chain, plan.batch))
    for one in plan.joined:
        document = one.document
        olds = known.get((document.key, document.generation, document.part), [])
        if plan.batch in {old.batch for old in olds}:
            continue
        for old in olds:
            _leave(connection, chain, document, old)
        content = text(canonical(document))
        payload = _intent(document, content, place=one.place)
        chain.append(connection, plan.batch, [draft("joining", document, payload)])
        row = _document_row(chain, plan.batch, connection.scalar(count) or 0, document, content) | {
            "state": "joining",
            "place": one.place,
        }
        connection.execute(documents.insert(), [row])
        again = [document] if olds else []
        _record_transactions(connection, chain, plan.batch, [document], again)


def _leave(connection: sa.Connection, chain: Chain, document: Document, old: Any) -> None:
    """A document leaves an earlier batch for a later one.

    Raises:
        InDoubt: it was sent there and not answered.
    """
    if old.state in ("sending", "in_doubt"):
        _refuse_sent(document, old)
    if old.state in ARRIVED:
        payload = text({"reason": "it joins a later batch"})
        chain.append(connection, old.batch, [draft("unbatched", document, payload)])
        where = {**identity(chain, document), "batch": old.batch}
        own = [documents.c[name] == value for name, value in where.items()]
        change = documents.update().where(*own)
        connection.execute(change.values(state="unbatched", reason="it joins a later batch"))


def _intent(document: Document, content: str, *, place: str = "") -> str:
    """What is intended, in canonical JSON; the content is that already."""
    there = f',"place":{text(place)}' if place else ""
    return f'{{"document":{content},"fingerprint":{text(document.fingerprint)}{there}}}'


def _known(
    connection: sa.Connection, chain: Chain, wanted: Sequence[Document]
) -> dict[tuple[str, int, int], list[Any]]:
    """Batch and state of some documents in every batch, by what the log knows them by."""
    columns = documents.c
    query = sa.select(columns.key, columns.generation, columns.part, columns.batch, columns.state)
    found: dict[tuple[str, int, int], list[Any]] = {}
    for keys in in_parts([document.key for document in wanted]):
        where = (*of_site(documents, chain), columns.key.in_(keys))
        for row in connection.execute(query.where(*where)):
            found.setdefault((row.key, row.generation, row.part), []).append(row)
    return found


def _document_row(
    chain: Chain, batch: str, position: int, document: Document, content: str
) -> dict[str, Any]:
    return {
        **identity(chain, document),
        "batch": batch,
        "position": position,
        "state": "planned",
        "fingerprint": document.fingerprint,
        "place": "",
        "reason": "",
        "content": content,
    }


def _record_transactions(
    connection: sa.Connection,
    chain: Chain,
    batch: str,
    new: Sequence[Document],
    again: Sequence[Document],
) -> None:
    """Each transaction belongs to its new document; those of a document taken up `again` are left first."""
    for document in again:
        where = [transactions.c[name] == value for name, value in identity(chain, document).items()]
        connection.execute(transactions.delete().where(*where))
    _take_over(connection, chain, new)
    rows = [
        {**identity(chain, document), "transaction": transaction, "batch": batch}
        for document in new
        for transaction in document.transactions
    ]
    try:
        _ADD_TRANSACTION.run_all(connection, rows)
    except (sa.exc.IntegrityError, sqlite3.IntegrityError) as error:
        raise ContentChanged(
            f"batch {batch}: two documents hold the same transaction. Plan again; nothing was sent."
        ) from error


def _take_over(connection: sa.Connection, chain: Chain, new: Sequence[Document]) -> None:
    """A transaction leaves another document that was refused, such as a bill of more rows."""
    held = {
        (transaction, document.generation, document.part): document
        for document in new
        for transaction in document.transactions
    }
    same = sa.and_(
        *(
            transactions.c[name] == documents.c[name]
            for name in ("company", "site", "key", "generation", "part", "batch")
        )
    )
    query = sa.select(transactions, documents.c.state).join(documents, same)
    for keys in in_parts([transaction for transaction, _, _ in held]):
        where = (*of_site(transactions, chain), transactions.c.transaction.in_(keys))
        for row in connection.execute(query.where(*where)).all():
            taker = held.get((row.transaction, row.generation, row.part))
            if taker is None:
                continue
            _refuse_sent(taker, row)
            own = [column == row._mapping[column.name] for column in transactions.primary_key]  # noqa: SLF001
            connection.execute(transactions.delete().where(*own))


def in_parts(keys: Sequence[str]) -> Iterator[Sequence[str]]:
    """Keys in portions that one query takes; SQLite takes some thousands."""
    for start in range(0, len(keys), ASKED_AT_ONCE):
        yield keys[start : start + ASKED_AT_ONCE]


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
