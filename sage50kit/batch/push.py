"""Push a plan: post each document to the company once, then create the ConnectWise batch.

This file is the whole protocol; read it from top to bottom.

    claim    one push at a time per company
    record   every intent is on disk before anything leaves this machine
    settle   ask the company about documents that an earlier attempt left in doubt
    post     send what is still planned, one document at a time
    batch    tell ConnectWise about what was posted, looking before creating
    report   say what happened, from the log alone

After a crash at any line, push the same plan again: what was done is not done twice.
"""

from __future__ import annotations

import json
import os
import socket
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from sage50kit.batch.compare import account_differences, entry_findings
from sage50kit.batch.mapping import amount_words
from sage50kit.batch.report import PushReport, make_report
from sage50kit.errors import (
    BatchTaken,
    ConnectWiseError,
    DocumentRefused,
    InDoubt,
    OutcomeUnknown,
    PushInProgress,
    Sage50KitError,
    UsageError,
)
from sage50kit.issues import finding
from sage50kit.model import Document, fold

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from sage50kit.connectors.base import Connector
    from sage50kit.connectwise.site import ConnectWise
    from sage50kit.issues import Issue
    from sage50kit.model import Plan, StoredDocument, Transaction
    from sage50kit.pushlog import DocumentState, LoggedDocument, PushLog

LONGEST_BATCH = 50  # characters of a batch identifier (connectwise reference, 5.5)


def push(
    plan: Plan,
    *,
    company: Connector,
    connectwise: ConnectWise,
    log: PushLog,
    progress: Callable[[int, int], None] | None = None,
) -> PushReport:
    """Post `plan` to the company, then create its batch.

    Args:
        plan: what to do; pushing the same plan again finishes or repeats it.
        company: where documents are posted.
        connectwise: where the batch is created.
        log: the record of it all.
        progress: called with (documents done, documents in all).

    Raises:
        PushInProgress: another push holds the company.
        BatchTaken: the batch number belongs to something else; nothing was written.
        InDoubt: something was sent and not answered; run resume.
    """
    check_pair(plan, company, connectwise)
    with claim(log), company.session():
        company.adopt_log(log.log_id)
        check_batch_number(plan, connectwise, log)
        log.record(plan)
        with doubt_is_said(plan, log):
            settle(plan, company, log)
            create_masters(plan, company, log)
            for done, document in enumerate(plan.documents, start=1):
                post(document, plan, company, log)
                if progress is not None:
                    progress(done, len(plan.documents))
            create_batch(plan, connectwise, log)
        return make_report(plan, log)


def check_pair(plan: Plan, company: Connector, connectwise: ConnectWise) -> None:
    """A plan is pushed to the pair it was made for."""
    if (plan.site, plan.company) != (connectwise.name, company.name):
        raise UsageError(
            f"plan {plan.batch} was made for {plan.site} and {plan.company}, not for "
            f"{connectwise.name} and {company.name}. Plan again with this profile."
        )


@contextmanager
def doubt_is_said(plan: Plan, log: PushLog) -> Iterator[None]:
    """Whatever goes wrong once something was sent leaves the push unfinished, and that is what is said."""
    try:
        yield
    except InDoubt:
        raise
    except Exception as error:
        if not log.was_sent(plan.batch):
            raise
        raise InDoubt(
            f"batch {plan.batch} is not finished: {error} Push batch {plan.batch} again: what was done "
            "is not done twice."
        ) from error


@contextmanager
def claim(log: PushLog) -> Iterator[None]:
    """Hold the company of a log; the operating system releases it when this process dies."""
    lock = FileLock(log.path.with_name(log.path.name + ".lock"))
    holder = log.path.with_name(log.path.name + ".holder")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise PushInProgress(
            f"another push holds this company: {_holder(holder)}. Wait until it has ended."
        ) from None
    try:
        who = {"actor": log.actor, "machine": socket.gethostname(), "process": os.getpid()}
        since = datetime.now(UTC).isoformat(timespec="seconds")
        holder.write_text(json.dumps({**who, "since": since}), encoding="utf-8")
        yield
    finally:
        lock.release()


def _holder(path: Path) -> str:
    try:
        who = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):  # it has just been claimed and not yet signed
        return "it has just begun"
    return "{actor} on {machine} (process {process}) since {since}".format_map(who)


def check_number(batch: str) -> None:
    """A batch number that ConnectWise can hold."""
    if not batch.strip() or len(batch) > LONGEST_BATCH:
        raise BatchTaken(
            f"batch number {batch!r} has {len(batch)} characters; ConnectWise takes 1 to "
            f"{LONGEST_BATCH}. Nothing was written."
        )


def check_batch_number(plan: Plan, connectwise: ConnectWise, log: PushLog) -> None:
    """The number fits ConnectWise and is free, or is this plan's own."""
    check_number(plan.batch)
    known = log.batch(plan.batch)
    if known is not None and known.fingerprint == plan.fingerprint:
        return
    if connectwise.find_batch(plan.batch) is not None:
        raise BatchTaken(
            f"batch number {plan.batch} is taken in ConnectWise. Take another one. Nothing was written."
        )


def settle(plan: Plan, company: Connector, log: PushLog) -> None:
    """Replace doubt by fact: a document whose answer is missing was either posted or not."""
    doubtful = [row for row in log.documents(plan.batch) if row.state in ("sending", "in_doubt")]
    if not doubtful:
        return
    for row, holds in zip(doubtful, _look(doubtful, company), strict=True):
        _settle_one(row, holds, company, log)


def _look(
    doubtful: Sequence[LoggedDocument], company: Connector
) -> list[tuple[StoredDocument, ...]]:
    try:
        return company.find_many([row.document for row in doubtful])
    except OutcomeUnknown as error:
        names = ", ".join(row.document.number for row in doubtful)
        raise InDoubt(
            f"{error} In doubt: {names}. Look in Sage 50, then run: sage50kit resume"
        ) from error


def _settle_one(
    row: LoggedDocument, holds: Sequence[StoredDocument], company: Connector, log: PushLog
) -> None:
    document = row.document
    found = [stored for stored in holds if is_this(document, stored, company)]
    alive = [stored for stored in found if not stored.voided]
    if len(alive) > 1 or (found and not alive):
        said = "was voided" if not alive else "all look like it"
        places = ", ".join(stored.place for stored in found)
        log.mark(document, "in_doubt", batch=row.batch, reason=f"{places}: {said}")
        raise InDoubt(
            f"{document.number} ({document.label}): {places} {said}. Nobody can tell whether it is to be "
            "posted. Look in Sage 50; nothing more was sent."
        )
    why: dict[str, Any] = {"reason": "looked up after an interrupted push"}
    if alive:
        why |= {"place": alive[0].place, "issues": differences(document, alive[0])}
        log.mark(document, _arrived(company), batch=row.batch, **why)
    else:
        log.mark(document, "planned", batch=row.batch, **why)


def is_this(document: Document, stored: StoredDocument, company: Connector) -> bool:
    """Whether the company's document is ours: by our key, else by party, reference, date and total."""
    if document.type in company.capabilities.carries_key:
        return stored.token == document.token
    return (
        not stored.voided
        and fold(stored.party_id) == fold(document.party_id)
        and fold(stored.reference) == fold(document.reference)
        and stored.posting_date == document.posting_date
        and stored.total == document.total
    )


def create_masters(plan: Plan, company: Connector, log: PushLog) -> None:
    """Create what the books lack; a refused one takes its documents with it, and says why."""
    created = {
        (event["key"]) for event in log.events(plan.batch) if event["kind"] == "master_created"
    }
    for master in plan.masters:
        key = _master_key(master)
        if key in created:
            continue
        log.note("master_creating", batch=plan.batch, key=key)
        try:
            identity = company.create(master)
        except DocumentRefused as error:
            log.note("master_refused", batch=plan.batch, key=key, reason=str(error))
        else:
            log.note("master_created", batch=plan.batch, key=key, place=identity)


def _master_key(master: object) -> str:
    name = type(master).__name__.lower()
    return f"{name}:{getattr(master, f'{name}_id')}"


def post(document: Document, plan: Plan, company: Connector, log: PushLog) -> None:
    """Send one planned document and write down the answer.

    Only an answer is written down. Any other exception is silence: the document stays `sending`, and
    the next push, or resume, settles it by looking.
    """
    if log.state_of(document, batch=plan.batch) != "planned":
        return
    log.mark(document, "sending", batch=plan.batch)
    try:
        posted = company.post(document)
    except DocumentRefused as error:
        log.mark(document, "refused", batch=plan.batch, reason=str(error))
    except Sage50KitError as error:
        raise InDoubt(
            f"{document.number} ({document.label}) was sent and not answered: {error} "
            f"Push batch {plan.batch} again: it is looked up before anything is sent."
        ) from error
    else:
        log.mark(
            document,
            _arrived(company),
            batch=plan.batch,
            place=posted.place,
            warnings=posted.warnings,
            issues=differences(document, posted.stored),
        )


def _arrived(company: Connector) -> DocumentState:
    """The state of a document the company took: an import file still needs a person."""
    return "posted" if company.capabilities.confirms else "exported"


def differences(document: Document, stored: StoredDocument) -> list[Issue]:
    """What the company stored otherwise than it was sent; Sage values decreases itself."""
    pairs = [
        ("party", document.party_id, stored.party_id),
        ("number", document.reference, stored.reference),
        ("date", document.posting_date.isoformat(), stored.posting_date.isoformat()),
    ]
    if not document.is_decrease:
        pairs.append(("total", amount_words(document.total), amount_words(stored.total)))
    pairs += [
        (f"account {account}", amount_words(sent), amount_words(there))
        for account, sent, there in account_differences(document, stored)
    ]
    return [
        finding(
            "stored_differs",
            key=document.key,
            number=document.number,
            field=name,
            value=there,
            wanted=sent,
        )
        for name, sent, there in pairs
        if fold(sent) != fold(there)
    ]


def create_batch(plan: Plan, connectwise: ConnectWise, log: PushLog) -> None:
    """Create the batch of what was posted and what is cleared on purpose, looking before creating."""
    known = log.batch(plan.batch)
    if known is not None and known.state == "created":
        return
    members = batch_members(plan, log.documents(plan.batch))
    if not members:
        return
    ids = list(dict.fromkeys(entry for row in members for entry in row.entry_ids))
    log.mark_batch(plan.batch, "creating", keys=[row.key for row in members])
    found = connectwise.find_batch(plan.batch)
    if found is None:
        _send_batch(plan, members, ids, connectwise)
        found = connectwise.find_batch(plan.batch)
    if found is None:
        raise InDoubt(
            f"batch {plan.batch} was sent to ConnectWise and is not listed there yet. The documents are "
            f"posted. Push batch {plan.batch} again."
        )
    held = {row.id for row in connectwise.batch_entries(found.id)}
    if not held & set(ids):
        raise InDoubt(
            f"batch {plan.batch} in ConnectWise holds none of the posted documents: somebody else made "
            "it. Have it deleted or renamed there, then push the batch again."
        )
    log.mark_batch(plan.batch, "created", batch_id=found.id, issues=entry_findings(members, held))


def _send_batch(
    plan: Plan, members: Sequence[Transaction], ids: Sequence[int], connectwise: ConnectWise
) -> None:
    """Send the create call once; a missing answer is settled by the lookup that follows."""
    try:
        connectwise.create_batch(plan.batch, kinds={row.kind for row in members}, entry_ids=ids)
    except ConnectWiseError as error:
        if getattr(error, "sent", False):
            return
        raise InDoubt(
            f"the documents are posted, but ConnectWise did not take batch {plan.batch}: {error} "
            f"Push batch {plan.batch} again."
        ) from error


def batch_members(plan: Plan, logged: Sequence[LoggedDocument]) -> list[Transaction]:
    """The transactions that enter the batch: cleared ones, and those whose every part was posted."""
    missing = {
        key
        for row in logged
        if row.state not in ("posted", "exported")
        for key in row.document.transactions
    }
    posted = {key for row in logged for key in row.document.transactions} - missing
    if logged and not posted:
        return []  # the batch failed; its number stays free
    return [row for row in plan.transactions if row.disposition != "post" or row.key in posted]
