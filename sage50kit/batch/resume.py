"""Finish what an interrupted push left: with no further input, or with a person's answer about a document."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sage50kit.batch.compare import differences, is_this
from sage50kit.batch.posting import arrived
from sage50kit.batch.push import finish_recorded, hold, unfinished
from sage50kit.batch.report import make_report
from sage50kit.batch.settling import A_PERSON_SAID, DOUBTFUL, look
from sage50kit.errors import InDoubt, UsageError
from sage50kit.model import ARRIVED, fold

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sage50kit.batch.push import Progress
    from sage50kit.batch.report import PushReport
    from sage50kit.connectors.base import Connector
    from sage50kit.connectwise.site import ConnectWise
    from sage50kit.model import Document, StoredDocument
    from sage50kit.pushlog import LoggedDocument, PushLog


def resume(
    *,
    company: Connector,
    connectwise: ConnectWise,
    log: PushLog,
    answered: str = "",
    progress: Progress | None = None,
) -> list[PushReport]:
    """Finish every batch that was begun and not ended, oldest first.

    Args:
        company: where documents are posted.
        connectwise: where the batches are made.
        log: what says that they are unfinished.
        answered: a batch that is finished in any case: a person said of its only document that was sent that
            it was not posted.
        progress: called with (documents done, documents in all).

    Returns the report of each; what stays in doubt is said in its headline and stops no other batch.

    Raises:
        PushInProgress: another push holds the company.
    """
    with hold(company, log):
        batches = unfinished(log)
        if answered and answered not in batches:
            batches.append(answered)
        return [_finished(batch, company, connectwise, log, progress) for batch in batches]


def _finished(
    batch: str,
    company: Connector,
    connectwise: ConnectWise,
    log: PushLog,
    progress: Progress | None,
) -> PushReport:
    try:
        return finish_recorded(
            batch, company=company, connectwise=connectwise, log=log, progress=progress
        )
    except InDoubt as error:
        plan = log.plan_of(batch, company=company.name)
        assert plan is not None  # noqa: S101  # the log has just listed it
        return replace(make_report(plan, log), status="in_doubt", headline=str(error))


def answer(key: str, *, posted: str | None, company: Connector, log: PushLog) -> str:
    """Write down a person's word about a document in doubt; returns its batch.

    Args:
        key: the document's label, or its key.
        posted: its number or place in Sage 50; None when it is not there.
        company: asked whether the word can be true, where it can tell.
        log: where the word is kept, with who gave it.

    Raises:
        UsageError: the document is not in doubt, or the company or the log knows better.
    """
    with hold(company, log):
        row = _in_doubt(key, log)
        (holds,) = look([row], company)
        if posted is None:
            _contradict(row, holds, company)
            log.mark(row.document, "planned", batch=row.batch, reason=f"{A_PERSON_SAID}not posted")
            return row.batch
        words: dict[str, Any] = {"place": posted, "reason": f"{A_PERSON_SAID}posted as {posted}"}
        if holds is not None:
            stored = _pointed_at(posted, row, company)
            _not_another(stored, row, company, log)
            issues = differences(row.document, stored)
            words |= {"place": stored.place, "issues": issues}
        log.mark(row.document, arrived(company), batch=row.batch, **words)
        return row.batch


def _in_doubt(key: str, log: PushLog) -> LoggedDocument:
    """The document that a person names; by its label before its key, which is the label of its first part."""
    doubtful = [
        row for batch in unfinished(log) for row in log.documents(batch) if row.state in DOUBTFUL
    ]
    named = [row for row in doubtful if row.document.label == key]
    rows = named or [row for row in doubtful if row.key == key]
    if len(rows) > 1:
        labels = ", ".join(row.document.label for row in rows)
        raise UsageError(f"{key} has several documents in doubt: {labels}. Name one of them.")
    if not rows:
        raise UsageError(f"{key} is not in doubt. Run sage50kit resume to see what is.")
    return rows[0]


def _contradict(
    row: LoggedDocument, holds: Sequence[StoredDocument] | None, company: Connector
) -> None:
    """Nobody may post again what the company shows under our key.

    Raises:
        UsageError: it does.
    """
    document = row.document
    for stored in holds or ():
        if not stored.voided and is_this(document, stored, company.capabilities):
            raise UsageError(
                f"{document.number} ({document.label}) stands in Sage 50 at {stored.place}. Void it there "
                f"first, or say: --posted {stored.place}"
            )


def _pointed_at(said: str, row: LoggedDocument, company: Connector) -> StoredDocument:
    """The document in the books that a person points at.

    Raises:
        UsageError: the company holds no such document, or several.
    """
    document = row.document
    found = [
        stored
        for stored in company.documents()
        if not stored.voided
        and stored.type == document.type
        and fold(said) in (fold(stored.place), fold(stored.reference))
        and (fold(said) == fold(stored.place) or fold(stored.party_id) == fold(document.party_id))
    ]
    if len(found) != 1:
        what = "several such documents" if found else "no such document of this customer or vendor"
        raise UsageError(
            f"{document.number} ({document.label}): Sage 50 has {what}: {said}. Give its place or number "
            "as Sage 50 shows it, or say --not-posted."
        )
    return found[0]


def _not_another(
    stored: StoredDocument, row: LoggedDocument, company: Connector, log: PushLog
) -> None:
    """One document in the books answers for one of ours only.

    Raises:
        UsageError: it is another one of ours, by its key or by the log, or of another customer or vendor.
    """
    document, there = row.document, ""
    if document.type in company.capabilities.carries_key and stored.token:
        there = stored.token if stored.token != document.token else ""
    elif fold(stored.party_id) != fold(document.party_id):
        there = f"of {stored.party_id or 'nobody'}"
    else:
        there = _logged_at(stored.place, document, log)
    if there:
        raise UsageError(
            f"{document.number} ({document.label}) cannot be the document at {stored.place}: that one is "
            f"{there}. Look in Sage 50 again, or say --not-posted."
        )


def _logged_at(place: str, document: Document, log: PushLog) -> str:
    """The label of the other document that the log last saw at a place; a restored company uses them again."""
    rows = [row for batch in log.history() for row in log.documents(batch["batch"])]
    others = [row for row in rows if row.document.label != document.label and row.state in ARRIVED]
    last = {(row.key, row.part): row for row in sorted(others, key=lambda row: row.generation)}
    return next((row.document.label for row in last.values() if row.place == place), "")
