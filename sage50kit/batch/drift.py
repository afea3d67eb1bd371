"""What changed after posting, in either system: one finding for each document that is not as it was left."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from sage50kit.batch.compare import is_this, living
from sage50kit.batch.report import lasting
from sage50kit.batch.verify import changed_in_books, changed_in_connectwise
from sage50kit.issues import Issue, finding
from sage50kit.model import IN_BATCH

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from sage50kit.connectors.base import Capabilities
    from sage50kit.model import Document, StoredDocument, Transaction
    from sage50kit.pushlog import LoggedDocument, PushLog

_COLUMNS = ("batch", "document", "number", "code", "message", "fix", "since")
NOTED = frozenset({"drift", "drift_ended"})  # events of the log


@dataclass(frozen=True, kw_only=True)
class Batch:
    """What was read of one batch: the log's documents beside both systems."""

    batch: str
    logged: Sequence[LoggedDocument]
    holds: Mapping[str, Sequence[StoredDocument]]  # by label
    exported: Mapping[str, Document]  # by label without generation
    entry_ids: Collection[int]  # of the GL entries in ConnectWise's batch
    silent: Sequence[Transaction] = ()  # in the batch without a posting


@dataclass(frozen=True, kw_only=True)
class Drift:
    """One row for each document that changed after posting, with the time it was first noticed."""

    documents: int
    findings: pd.DataFrame

    @property
    def exit_code(self) -> int:
        """3 while anything differs."""
        return 3 if len(self.findings) else 0

    @property
    def headline(self) -> str:
        """The outcome in a sentence."""
        if not len(self.findings):
            return f"{self.documents} documents: all as they were posted, in both systems."
        return f"{self.documents} documents: {len(self.findings)} changed after they were posted."

    def __repr__(self) -> str:
        """The headline."""
        return f"<Drift {self.headline}>"

    def _repr_html_(self) -> str:
        from sage50kit.reports.corrections import drift_page
        from sage50kit.reports.html import part

        return part(drift_page(self))


def find_drift(
    batches: Iterable[Batch],
    unposted: Collection[str],
    can: Capabilities,
    *,
    unfinished: Sequence[str] = (),
) -> Drift:
    """Look at every posted document once.

    Args:
        batches: those that ConnectWise should have.
        unposted: keys of what ConnectWise lists as unposted.
        can: what the connector promises.
        unfinished: batches that are not ended; each is a finding of its own.
    """
    rows, count = [_unfinished(batch) for batch in unfinished], 0
    for batch in batches:
        for row in lasting(batch.logged):
            if row.state not in IN_BATCH:
                continue
            count += 1
            issue = _cause(row, batch, unposted, can)
            if issue is not None:
                rows.append(_row(batch.batch, row.document.label, issue))
        rows += [_row(batch.batch, issue.key, issue) for issue in _left(batch)]
    return Drift(documents=count, findings=pd.DataFrame(rows, columns=list(_COLUMNS), dtype="str"))


def _cause(
    row: LoggedDocument, batch: Batch, unposted: Collection[str], can: Capabilities
) -> Issue | None:
    """The gravest thing that happened to a document; nothing if it is as it was left."""
    document, words = row.document, {"key": row.key, "number": row.document.number}
    there = _there(row, batch.holds.get(document.label, ()), can)
    if there is None:
        return finding("deleted_in_sage", field="document", value=row.place, **words)
    twice = living(document, batch.holds.get(document.label, ()), can)
    if len(twice) > 1:
        return finding(
            "posted_twice", field="document", value=", ".join(one.place for one in twice), **words
        )
    if there.voided:
        return finding("voided_in_sage", field="document", value=there.place, **words)
    if document.entry_ids and not set(document.entry_ids) <= set(batch.entry_ids):
        again = bool(set(document.transactions) & set(unposted))
        code = "unbatched_in_connectwise" if again else "deleted_in_connectwise"
        return finding(code, field="batch", value=batch.batch, **words)
    return _changed(row, there, batch.exported.get(document.plain_label), words)


def _there(
    row: LoggedDocument, holds: Sequence[StoredDocument], can: Capabilities
) -> StoredDocument | None:
    """Our document in the books, by key or place; the living one if there are several."""
    ours = [
        stored
        for stored in holds
        if is_this(row.document, stored, can) or stored.place == row.place
    ]
    return min(ours, key=lambda stored: stored.voided, default=None)


def _changed(
    row: LoggedDocument, there: StoredDocument, source: Document | None, words: dict[str, Any]
) -> Issue | None:
    document = row.document
    in_books = changed_in_books(document, there, words)
    if [issue.field for issue in in_books] == ["number"]:
        said = f"{there.reference or '(none)'}, was {document.reference}"
        return finding("renumbered_in_sage", field="number", value=said, **words)
    if in_books:
        said = "; ".join(issue.message for issue in in_books)
        return finding("edited_in_sage", field="document", value=said, **words)
    changes = changed_in_connectwise(document, source, words) if source else []
    if changes:
        said = "; ".join(issue.message for issue in changes)
        return finding("edited_in_connectwise", field="document", value=said, **words)
    return None


def _unfinished(batch: str) -> dict[str, str]:
    issue = finding("unfinished_batch", key=batch, number=batch, field="batch", value=batch)
    words = {"code": issue.code, "message": issue.message, "fix": issue.fix, "since": ""}
    return {"batch": batch, "document": batch, "number": batch, **words}


def _left(batch: Batch) -> list[Issue]:
    """What was batched without a posting and is not in its batch any more."""
    words = {"field": "batch", "value": batch.batch}
    return [
        finding("cleared_unbatched", key=row.key, number=row.number, **words)
        for row in batch.silent
        if not set(row.entry_ids) <= set(batch.entry_ids)
    ]


def _row(batch: str, label: str, issue: Issue) -> dict[str, str]:
    return {
        "batch": batch,
        "document": label,
        "number": issue.number,
        "code": issue.code,
        "message": issue.message,
        "fix": issue.fix,
        "since": "",
    }


def remember(drift: Drift, log: PushLog) -> Drift:
    """Write down what is new and what has ended, once each; returns the findings with their first time.

    The time stays when the finding changes, and begins anew once the document was as it should be.
    """
    known = _known(log)
    frame = drift.findings
    for row in frame.to_dict("records"):
        if known.get(row["document"], ("", ""))[0] != row["message"]:
            words = {name: row[name] for name in ("document", "code", "message")}
            log.note("drift", batch=row["batch"], key=row["document"], **words)
    for label in known.keys() - set(frame["document"]):
        log.note("drift_ended", key=label, document=label)
    first = _known(log)
    since = [first[label][1] for label in frame["document"]]
    return Drift(documents=drift.documents, findings=frame.assign(since=since).astype("str"))


def _known(log: PushLog) -> dict[str, tuple[str, str]]:
    """What was last said of each document that differs, and since when it differs without a break."""
    known: dict[str, tuple[str, str]] = {}
    for event in log.events(kinds=NOTED):
        label = event["payload"]["document"]
        if event["kind"] == "drift":
            since = known.get(label, ("", event["at"]))[1]
            known[label] = event["payload"]["message"], since
        else:
            known.pop(label, None)
    return known
