"""Take transactions out of their batch in ConnectWise, and say what must be undone in Sage 50.

ConnectWise deletes a whole batch and un-batches one purchase order over REST; a single invoice or expense is
un-batched by hand. None of it touches the books: every document that stands there is listed, and cancelled
where the connector can and a person says so.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from sage50kit.batch.pending import Unposting, open_unpostings, refuse_unfinished
from sage50kit.batch.push import hold, unfinished
from sage50kit.batch.report import current, make_report
from sage50kit.batch.undone import NOT_IN_SAGE, Undone, not_yet, standing, undone_of
from sage50kit.errors import (
    CompanyError,
    ConnectWiseError,
    ConnectWiseRejected,
    DocumentRefused,
    InDoubt,
    UsageError,
)
from sage50kit.issues import Issue, finding
from sage50kit.model import ARRIVED, IN_BATCH, ONCE_POSTED

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from sage50kit.batch.report import PushReport, Status
    from sage50kit.connectors.base import Connector
    from sage50kit.connectwise import wire
    from sage50kit.connectwise.site import ConnectWise
    from sage50kit.model import StoredDocument
    from sage50kit.pushlog import LoggedBatch, LoggedDocument, PushLog

_MENU = {"invoice": "invoice: More > Un-batch", "expense": "expense: More > Un-batch"}


def unpost_batch(
    batch: str,
    *,
    company: Connector,
    connectwise: ConnectWise,
    log: PushLog,
    void: bool = False,
    on: date | None = None,
) -> Undone:
    """Delete a batch in ConnectWise; its transactions return to the unposted lists.

    Args:
        batch: its number.
        company: asked what still stands there.
        connectwise: where the batch is.
        log: where it is written down.
        void: whether to cancel its documents in the company, too.
        on: the date of the cancellation; each document's own date without it.

    Raises:
        UsageError: the log knows no such batch.
        InDoubt: it is not finished; or ConnectWise did not answer and still shows the batch.
    """
    with hold(company, log):
        known = _known(batch, log)
        intent = Unposting(batch=batch, void=void, on=on)
        intent.begin(log)
        issues = [] if known.state == "unposted" else _delete(known, connectwise, log)
        done = not issues
        mine, others = _of_batch(known, log)
        if done and void:
            issues += _void_all(mine, on, company, log)
        intent.end(log)
        issues += [_in_other(row) for row in others]
        return undone_of(batch, mine, issues, company, done=done)


def review_unposting(batch: str, key: str, *, company: Connector, log: PushLog) -> Undone:
    """The documents that un-posting a batch, or the transaction `key`, is about; nothing is written.

    Raises:
        UsageError: the log knows no such batch or document.
        PushInProgress: a push is at work on it.
        InDoubt: the batch is not finished.
    """
    if key:
        rows = _posted(key, log)
        order = key.startswith("receipt:")
        shown = undone_of(
            rows[0].batch, rows, [] if order else [_by_hand(rows[0])], company, done=False
        )
        leaves = " would leave it with its whole purchase order" if order else ""
        return not_yet(shown, f"{key} is in batch {rows[0].batch}{' and' * order}{leaves}")
    mine, others = _of_batch(_known(batch, log), log)
    shown = undone_of(batch, mine, [_in_other(row) for row in others], company, done=False)
    return not_yet(shown, f"Batch {batch} would be deleted in ConnectWise")


def _of_batch(
    known: LoggedBatch, log: PushLog
) -> tuple[list[LoggedDocument], list[LoggedDocument]]:
    """The documents of a batch's transactions: those it had last, and those that are in another batch now."""
    rows = _documents_of((row.key for row in known.transactions), log)
    standing = {row.batch: log.batch(row.batch) for row in rows}
    others = [
        row
        for row in rows
        if row.batch != known.batch
        and row.state in IN_BATCH
        and (there := standing[row.batch]) is not None
        and there.state != "unposted"
    ]
    return [row for row in rows if row not in others], others


def _in_other(row: LoggedDocument) -> Issue:
    words = {"field": "batch", "value": row.batch}
    return finding("in_other_batch", key=row.key, number=row.document.number, **words)


def _known(batch: str, log: PushLog) -> LoggedBatch:
    known = log.batch(batch)
    if known is None:
        raise UsageError(
            f"the push log knows no batch {batch}. A batch of another program is deleted in ConnectWise: "
            "Finance > Accounting Interface > Open Batches, Actions > Delete Batches."
        )
    if batch in unfinished(log):
        refuse_unfinished(f"batch {batch}", log)
    if known.state == "planned":
        raise UsageError(f"batch {batch} was never posted; its number is free.")
    return known


def _delete(known: LoggedBatch, connectwise: ConnectWise, log: PushLog) -> list[Issue]:
    """Delete the batch and write it down; returns why it could not be."""
    batch = known.batch
    found = connectwise.find_batch(batch)
    if found is None and not (_asked(batch, log) or _listed_again(known, connectwise)):
        return [finding("batch_missing", key="", number="", field="batch", value=batch)]
    if found is not None:
        if not _is_ours(known, found, connectwise):
            return [finding("batch_not_ours", key="", number="", field="batch", value=batch)]
        log.note("batch_unposting", batch=batch, batch_id=found.id)
        try:
            connectwise.delete_batch(found.id)
        except ConnectWiseRejected as error:
            words = {"field": "batch", "value": batch, "said": str(error)}
            return [finding("batch_not_deleted", key="", number="", **words)]
        except ConnectWiseError as error:
            if connectwise.find_batch(batch) is not None:
                raise InDoubt(
                    f"batch {batch} was not deleted yet: {error} Un-post it again."
                ) from error
    log.mark_batch(batch, "unposted")
    return []


def _asked(batch: str, log: PushLog) -> bool:
    """Whether an interrupted un-posting has told ConnectWise to delete the batch, which it showed until then."""
    events = log.events(batch, kinds={"batch_unposting", "unposting_ended"})
    return [row["kind"] for row in events][-1:] == ["batch_unposting"]


def _is_ours(known: LoggedBatch, found: wire.AccountingBatch, connectwise: ConnectWise) -> bool:
    """Whether the batch of this number is the one we made: by its record, else by what it holds."""
    if found.id == known.batch_id:
        return True
    held = {entry.id for entry in connectwise.batch_entries(found.id)}
    return bool(held & {entry for row in known.transactions for entry in row.entry_ids})


def _listed_again(known: LoggedBatch, connectwise: ConnectWise) -> bool:
    """Whether somebody deleted the batch by hand: all its transactions are unposted again."""
    there = connectwise.unposted_entries({row.kind for row in known.transactions})
    return all(row.key in there for row in known.transactions)


def unpost_document(
    key: str,
    *,
    company: Connector,
    connectwise: ConnectWise,
    log: PushLog,
    void: bool = False,
    on: date | None = None,
) -> Undone:
    """Take one transaction out of its batch, where ConnectWise can; else say where to click.

    A purchase order is un-batched whole: all its receipts return to the unposted list.

    Raises:
        UsageError: the log knows of no posted document of this key.
    """
    with hold(company, log):
        rows = _posted(key, log)
        for batch in {row.batch for row in rows} & set(unfinished(log)):
            refuse_unfinished(f"batch {batch}", log)
        words = {"key": rows[0].key, "number": rows[0].document.number, "field": "batch"}
        waits = [finding("void_waits", value=rows[0].batch, **words)] if void else []
        if not rows[0].key.startswith("receipt:"):
            return undone_of(rows[0].batch, rows, [_by_hand(rows[0]), *waits], company, done=False)
        intent = Unposting(batch=rows[0].batch, key=key, void=void, on=on)
        intent.begin(log)
        try:
            gone = _unbatch_order(rows[0], connectwise, log)
        except ConnectWiseRejected:  # an answer: nothing of it is left to do
            intent.end(log)
            raise
        if not gone:
            intent.end(log)
            issue = finding("batch_missing", value=rows[0].batch, **words)
            return undone_of(rows[0].batch, rows, [issue, *waits], company, done=False)
        issues = _void_all(gone, on, company, log) if void else []
        intent.end(log)
        undone = undone_of(rows[0].batch, gone, issues, company, done=True)
        said = f"The purchase order of {rows[0].document.number} was un-batched: {len(gone)} receipts are "
        return replace(undone, headline=said + "unposted again.")


def _posted(key: str, log: PushLog) -> list[LoggedDocument]:
    """The posted documents of a transaction, or the one that a label names."""
    plain = key.partition("#")[0].partition("/")[0]
    rows = _documents_of([plain], log)
    found = rows if key == plain else [row for row in rows if key == row.document.label]
    if not found:
        raise UsageError(f"the push log knows of no posted document of {key}.")
    return found


def _documents_of(keys: Iterable[str], log: PushLog) -> list[LoggedDocument]:
    """The latest generation of every document that was posted for some transactions, in any batch."""
    rows = [row for part in log.of_transactions(list(keys)).values() for row in part]
    posted = {(row.key, row.part, row.generation): row for row in rows if row.state in ONCE_POSTED}
    return current(list(posted.values()))


def _by_hand(row: LoggedDocument) -> Issue:
    kind = row.key.partition(":")[0]
    words = {"field": "batch", "value": row.batch, "kind": kind}
    if kind in _MENU:
        code, words["menu"] = "unbatch_by_hand", _MENU[kind]
    else:
        code = "unbatch_whole"
    return finding(code, key=row.key, number=row.document.number, **words)


def _unbatch_order(
    row: LoggedDocument, connectwise: ConnectWise, log: PushLog
) -> list[LoggedDocument]:
    """Un-batch the purchase order of a receipt; returns every document that left its batch by it.

    Nothing, when ConnectWise shows neither the batch nor the receipt among the unposted ones.
    """
    found = connectwise.find_batch(row.batch)
    entries = connectwise.batch_entries(found.id) if found else []
    mine = set(row.document.entry_ids)
    orders = {
        entry.purchase_order.id for entry in entries if entry.purchase_order and entry.id in mine
    }
    for order in sorted(filter(None, orders)):
        log.note("unbatching", batch=row.batch, key=row.key, purchase_order=order)
        try:
            connectwise.unbatch_order(order)
        except ConnectWiseRejected:
            raise
        except ConnectWiseError:  # silence: the unposted list will tell
            pass
    listed = connectwise.unposted_entries({"receipt"})
    if row.key not in listed and orders:
        raise InDoubt(f"{row.document.number} is still in batch {row.batch}. Un-post it again.")
    # The order takes its receipts out of every batch that has one.
    gone = [
        one
        for one in _documents_of(listed, log)
        if one.key == row.key
        or (one.state in ARRIVED and set(one.document.transactions) <= set(listed))
    ]
    for one in gone:
        if one.state in ARRIVED:
            log.mark(one.document, "unbatched", batch=one.batch, reason="its order was un-batched")
    of_row = row.key in listed
    return [one for one in gone if one.state in (*ARRIVED, "unbatched")] if of_row else []


# --- cancelling in the books ---


def void_document(key: str, *, company: Connector, log: PushLog, on: date | None = None) -> Undone:
    """Cancel a posted document in the company, where the connector can.

    Raises:
        UsageError: the connector cannot, or the log knows of no posted document of this key.
    """
    if not company.capabilities.voids:
        raise UsageError("this connector cannot void documents. Void it in Sage 50.")
    with hold(company, log):
        rows = _posted(key, log)
        issues = _void_all(rows, on, company, log)
        batched = {row.batch: log.batch(row.batch) for row in rows if row.state in IN_BATCH}
        issues += [
            finding(
                "still_batched", key=key, number=rows[0].document.number, field="batch", value=name
            )
            for name, known in batched.items()
            if known is not None and known.state == "created"
        ]
        undone = undone_of(rows[0].batch, rows, issues, company, done=True)
        gone = sum(undone.documents["state"] == NOT_IN_SAGE)
        return replace(
            undone, headline=f"{key}: {gone} of {len(rows)} documents are cancelled in Sage 50."
        )


def _void_all(
    rows: Sequence[LoggedDocument], on: date | None, company: Connector, log: PushLog
) -> list[Issue]:
    """Cancel documents, the latest first; what Sage refuses, or cannot tell of, is returned."""
    issues: list[Issue] = []
    for row, there in reversed(list(zip(rows, standing(rows, company), strict=True))):
        refused = _void(row, there, on, company, log) if there is not None else []
        if not refused and row.state in ARRIVED:
            log.mark(row.document, "voided", batch=row.batch, reason="cancelled after un-posting")
        issues += refused
    return issues


def _void(
    row: LoggedDocument,
    there: StoredDocument | Literal["unknown"],
    on: date | None,
    company: Connector,
    log: PushLog,
) -> list[Issue]:
    words: dict[str, Any] = {"key": row.key, "number": row.document.number, "field": "document"}
    if there == "unknown":
        return [finding("void_refused", value="nobody can tell whether it stands there", **words)]
    log.note("voiding", batch=row.batch, key=row.key, place=there.place)
    try:
        company.void(there.place, on=on or there.posting_date)
    except DocumentRefused as error:
        return [finding("void_refused", value=str(error), **words)]
    except CompanyError as error:
        raise InDoubt(
            f"{row.document.number} ({row.document.label}) at {there.place} was to be voided, and Sage 50 "
            f"did not answer: {error} Run the same again: it is looked up first."
        ) from error
    return []


# --- finishing what was interrupted ---


def finish_unpostings(
    *, company: Connector, connectwise: ConnectWise, log: PushLog
) -> list[PushReport]:
    """Repeat every un-posting that was begun and not ended; what was done already is looked up first.

    Returns the report of each batch, headed by what came of it.
    """
    both: dict[str, Any] = {"company": company, "connectwise": connectwise, "log": log}
    return [_finished(one, both) for one in open_unpostings(log)]


def _finished(one: Unposting, both: dict[str, Any]) -> PushReport:
    log, company = both["log"], both["company"]
    how: dict[str, Any] = {"void": one.void, "on": one.on, **both}
    plan = log.plan_of(one.batch, company=company.name)
    assert plan is not None  # noqa: S101  # only a batch of the log is un-posted
    try:
        undone = unpost_document(one.key, **how) if one.key else unpost_batch(one.batch, **how)
    except (CompanyError, ConnectWiseError, InDoubt) as error:
        status: Status = "in_doubt" if one in open_unpostings(log) else "failed"
        return replace(make_report(plan, log), status=status, headline=str(error))
    told: dict[str, Any] = {
        "status": undone.status,
        "headline": undone.headline,
        "issues": undone.issues,
    }
    return replace(make_report(plan, log), **told)
