"""Take transactions out of their batch in ConnectWise, and say what must be undone in Sage 50.

ConnectWise deletes a whole batch and un-batches one purchase order over REST; a single invoice or expense is
un-batched by hand. None of it touches the books: every document that stands there is listed, and cancelled
where the connector can and a person says so.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from sage50kit.batch.compare import is_this
from sage50kit.batch.mapping import amount_words
from sage50kit.batch.proof import money_frame
from sage50kit.batch.push import hold, unfinished
from sage50kit.batch.report import Status, current
from sage50kit.batch.settling import look
from sage50kit.errors import (
    CompanyError,
    ConnectWiseError,
    ConnectWiseRejected,
    DocumentRefused,
    InDoubt,
    UsageError,
)
from sage50kit.issues import Issue, finding, issues_frame
from sage50kit.model import ARRIVED, IN_BATCH, ONCE_POSTED, SAGE_SCREENS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    import pandas as pd

    from sage50kit.connectors.base import Connector
    from sage50kit.connectwise import wire
    from sage50kit.connectwise.site import ConnectWise
    from sage50kit.model import StoredDocument
    from sage50kit.pushlog import LoggedBatch, LoggedDocument, PushLog

_COLUMNS = ["label", "number", "party_id", "date", "total", "place", "state", "screen"]
_MENU = {"invoice": "invoice: More > Un-batch", "expense": "expense: More > Un-batch"}


@dataclass(frozen=True, kw_only=True)
class Undone:
    """What was taken out of ConnectWise, and what stands in Sage 50 because of it.

    `documents` has one row for each document: number, date, total in dollars, where it is, whether it
    stands there still, and the screen where it is cancelled.
    """

    batch: str
    headline: str
    documents: pd.DataFrame
    issues: pd.DataFrame
    done: bool

    @property
    def status(self) -> Status:
        """As in the answers of the terminal."""
        if not self.done:
            return "failed"
        return "completed_with_errors" if len(self.issues) else "completed"

    @property
    def exit_code(self) -> int:
        """3 while a person has something to do."""
        return 3 if len(self.issues) or not self.done else 0

    def __repr__(self) -> str:
        """The headline."""
        return f"<Undone {self.headline}>"

    def _repr_html_(self) -> str:
        from sage50kit.reports.corrections import undone_page
        from sage50kit.reports.html import part

        return part(undone_page(self))


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
        UsageError: the log knows no such batch, or it is not finished.
        InDoubt: ConnectWise did not answer and still shows the batch.
    """
    with hold(company, log):
        known = _known(batch, log)
        issues = [] if known.state == "unposted" else _delete(known, connectwise, log)
        done = not issues
        mine, others = _of_batch(known, log)
        if done and void:
            issues += _void_all(mine, on, company, log)
        issues += [_in_other(row) for row in others]
        return _undone(batch, mine, issues, company, done=done)


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
        raise UsageError(f"batch {batch} is not finished. Run first: sage50kit resume")
    if known.state == "planned":
        raise UsageError(f"batch {batch} was never posted; its number is free.")
    return known


def _delete(known: LoggedBatch, connectwise: ConnectWise, log: PushLog) -> list[Issue]:
    """Delete the batch and write it down; returns why it could not be."""
    batch = known.batch
    found = connectwise.find_batch(batch)
    if found is None and not _listed_again(known, connectwise):
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
            raise UsageError(f"batch {batch} is not finished. Run first: sage50kit resume")
        if not rows[0].key.startswith("receipt:"):
            return _undone(rows[0].batch, rows, [_by_hand(rows[0])], company, done=False)
        gone = _unbatch_order(rows[0], connectwise, log)
        if not gone:
            words = {"field": "batch", "value": rows[0].batch}
            issue = finding("batch_missing", key=key, number=rows[0].document.number, **words)
            return _undone(rows[0].batch, rows, [issue], company, done=False)
        issues = _void_all(gone, on, company, log) if void else []
        undone = _undone(rows[0].batch, gone, issues, company, done=True)
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
        undone = _undone(rows[0].batch, rows, issues, company, done=True)
        gone = sum(undone.documents["state"] == "not in Sage 50")
        return replace(
            undone, headline=f"{key}: {gone} of {len(rows)} documents are cancelled in Sage 50."
        )


def _void_all(
    rows: Sequence[LoggedDocument], on: date | None, company: Connector, log: PushLog
) -> list[Issue]:
    """Cancel documents, the latest first; what Sage refuses, or cannot tell of, is returned."""
    issues: list[Issue] = []
    for row, there in reversed(list(zip(rows, _standing(rows, company), strict=True))):
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


def _standing(
    rows: Sequence[LoggedDocument], company: Connector
) -> list[StoredDocument | Literal["unknown"] | None]:
    """The living document of each row; None where it is cancelled or gone."""
    found: list[StoredDocument | Literal["unknown"] | None] = []
    for row, holds in zip(rows, look(rows, company), strict=True):
        if holds is None:
            found.append("unknown")
            continue
        ours = (one for one in holds if is_this(row.document, one, company.capabilities))
        found.append(next((one for one in ours if not one.voided), None))
    return found


# --- telling ---


def _undone(
    batch: str,
    rows: Sequence[LoggedDocument],
    issues: Sequence[Issue],
    company: Connector,
    *,
    done: bool,
) -> Undone:
    there = dict(zip((row.document.label for row in rows), _standing(rows, company), strict=True))
    standing = [row for row in rows if there[row.document.label] is not None]
    by_hand = [_undo_by_hand(row) for row in standing] if done else []
    return Undone(
        batch=batch,
        headline=_headline(batch, len(standing), done=done),
        documents=money_frame(
            [_row(row, there[row.document.label]) for row in rows], _COLUMNS, ("total",)
        ),
        issues=issues_frame([*issues, *by_hand]),
        done=done,
    )


def _headline(batch: str, standing: int, *, done: bool) -> str:
    if not done:
        return f"Batch {batch}: nothing was changed, neither in ConnectWise nor in Sage 50."
    undo = f" {standing} of its documents stand in Sage 50 and must be undone there."
    return f"Batch {batch}: un-posted in ConnectWise.{undo if standing else ''}"


def _undo_by_hand(row: LoggedDocument) -> Issue:
    document = row.document
    return finding(
        "stands_in_books",
        key=document.key,
        number=document.number,
        field="document",
        value=row.place,
        date=document.posting_date,
        total=amount_words(document.total),
        screen=SAGE_SCREENS[document.type],
    )


def _row(row: LoggedDocument, there: StoredDocument | Literal["unknown"] | None) -> dict[str, Any]:
    document = row.document
    state = "not in Sage 50" if there is None else "stands in Sage 50"
    return {
        "label": document.label,
        "number": document.number,
        "party_id": document.party_id,
        "date": document.posting_date,
        "total": document.total,
        "place": row.place,
        "state": "cannot be told: look there" if there == "unknown" else state,
        "screen": SAGE_SCREENS[document.type],
    }
