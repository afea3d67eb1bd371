"""Run a batch again: compare it with the books document by document, then post what is missing.

Sage 50 restored from a backup is the usual reason. What stands in the books is left alone; it is posted again
only if its key is named, and then as a later generation.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from sage50kit.batch.compare import (
    account_differences,
    carries_key_of,
    expected_total,
    is_this,
    same_content,
)
from sage50kit.batch.mapping import amount_words
from sage50kit.batch.pending import refuse_open_unposting, refuse_unfinished
from sage50kit.batch.planning import freeze
from sage50kit.batch.proof import money_frame
from sage50kit.batch.push import check_pair, finish_recorded, hold, unfinished
from sage50kit.issues import issues_frame
from sage50kit.model import ARRIVED, Joined, generation_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    import pandas as pd

    from sage50kit.batch.drafting import Prepared
    from sage50kit.batch.push import Progress
    from sage50kit.batch.report import PushReport
    from sage50kit.connectors.base import Capabilities, Connector
    from sage50kit.connectwise.site import ConnectWise
    from sage50kit.model import Document, Plan, StoredDocument
    from sage50kit.pushlog import PushLog

Standing: TypeAlias = Literal["present", "missing", "changed", "unknown"]
Beside: TypeAlias = "tuple[Standing, StoredDocument | None, str]"
NOBODY_KNOWS = "nobody can tell whether it stands in Sage 50"
UNKNOWN: Beside = ("unknown", None, "another program's number of it is not known; look in Sage 50")
_COLUMNS = ["document", "number", "party_id", "date", "connectwise", "books", "state", "difference"]


@dataclass(frozen=True, kw_only=True)
class Adoption:
    """How a batch that the log does not know is recorded: by what stands of it in the books."""

    plan: Plan
    batch_id: int


@dataclass(frozen=True, kw_only=True)
class Rerun:
    """A batch beside the books, and what posting the missing documents did.

    `documents` has one row for each: its total in ConnectWise and in the books (dollars), whether it is
    present, missing or changed (or, in a batch that the log does not know, unknown), and what differs.
    `plan` holds what would be posted, `adopts` how a batch of another program or of a lost log is recorded.
    """

    batch: str
    documents: pd.DataFrame
    issues: pd.DataFrame
    plan: Plan
    report: PushReport | None = None
    adopts: Adoption | None = None

    @property
    def counts(self) -> dict[str, int]:
        """How many documents are present, missing and changed."""
        found = Counter(self.documents["state"])
        always = {state: found[state] for state in ("present", "missing", "changed")}
        return {**always, "unknown": found["unknown"]} if found["unknown"] else always

    @property
    def posted(self) -> list[str]:
        """Labels of the documents that were posted; none before."""
        if self.report is None:
            return []
        rows = self.report.documents
        states = dict(zip(rows["label"], rows["state"], strict=True))
        return [row.label for row in self.plan.documents if states[row.label] in ARRIVED]

    @property
    def headline(self) -> str:
        """The outcome in a sentence."""
        words = ", ".join(f"{count} {state}" for state, count in self.counts.items())
        if self.report is None:
            also = " The push log does not know it and would record it." if self.adopts else ""
            return f"Batch {self.batch}: {words}. {len(self.plan.documents)} would be posted.{also}"
        of = f"{len(self.posted)} of {len(self.plan.documents)}"
        also = " The push log knows it from now on." if self.adopts else ""
        return f"Batch {self.batch}: {words}. {of} were posted.{also}"

    @property
    def exit_code(self) -> int:
        """The exit code of the terminal: a changed document needs a person."""
        if self.report is not None and self.report.exit_code:
            return self.report.exit_code
        return 3 if self.counts["changed"] or "unknown" in self.counts else 0

    @property
    def writes(self) -> bool:
        """Whether there is anything to post or to record."""
        return bool(self.plan.documents or self.adopts)

    def __repr__(self) -> str:
        """The headline."""
        return f"<Rerun {self.headline}>"

    def _repr_html_(self) -> str:
        from sage50kit.reports.corrections import rerun_page
        from sage50kit.reports.html import part

        return part(rerun_page(self))


def review(
    batch: str,
    prepared: Prepared,
    *,
    documents: Sequence[Document],
    holds: Mapping[str, Sequence[StoredDocument]],
    can: Capabilities,
    repost: Collection[str],
    site: str,
    company: str,
    places: Mapping[str, str] | None = None,
    unknown_batch_id: int | None = None,
) -> Rerun:
    """Compare a batch with the books.

    Args:
        batch: its number.
        prepared: its transactions, planned as if they were new: what is missing has its generation.
        documents: those of the batch as ConnectWise has them, or the log where it hides the batch.
        holds: what the company has for each, by label.
        can: what the connector promises.
        repost: keys of transactions to post although they are present.
        site: the ConnectWise site.
        company: the Sage 50 company.
        places: where the log says that a document stands, by label; it may stand there without our key.
        unknown_batch_id: id of a batch that the log does not know: its documents may lack our key, and
            are looked for by their numbers, too.

    Raises:
        PlanBlocked: a missing document cannot be posted as the books are now.
    """
    foreign = unknown_batch_id is not None
    beside = {}
    for row in documents:
        there, place = holds.get(row.label, ()), (places or {}).get(row.label, "")
        others = _keyless(there, None if foreign else place)
        beside[row.label] = _beside(row, _ours(row, there, can) or others)
    if foreign:
        beside |= {row.label: UNKNOWN for row in documents if _cannot_tell(row, beside[row.label])}
    wanted = {label for label, (state, _, _) in beside.items() if state == "missing"}
    chosen = tuple(
        row
        for row in prepared.documents
        if row.plain_label in wanted or set(row.transactions) & set(repost)
    )
    # What is missing and cannot be planned blocks with its own findings.
    keys = {row.key for row in chosen} | {row.key for row in documents if row.label in wanted}
    matter = tuple(row for row in prepared.issues if row.key in keys or not row.key)
    plan = freeze(
        replace(prepared, documents=chosen, left_out=(), issues=matter),
        batch=batch,
        site=site,
        company=company,
    )
    rows = [_row(row, *beside[row.label]) for row in documents]
    adopts = None
    if unknown_batch_id is not None:
        rows += _undrafted(prepared, documents)
        adopts = Adoption(plan=_adopted(plan, documents, beside), batch_id=unknown_batch_id)
    return Rerun(
        batch=batch,
        documents=money_frame(rows, _COLUMNS, ("connectwise", "books")),
        issues=issues_frame(matter),
        plan=plan,
        adopts=adopts,
    )


def _cannot_tell(document: Document, beside: Beside) -> bool:
    """Whether a document of another program could stand in the books under a number that nobody knows."""
    own_number = document.reference and document.reference != document.token
    return beside[0] == "missing" and not own_number


def _adopted(plan: Plan, documents: Sequence[Document], beside: Mapping[str, Beside]) -> Plan:
    """The batch as the log will know it: what stands in the books has joined it, the rest is told."""
    joined = [
        Joined(document=replace(row, generation=generation_of(there.token)), place=there.place)
        for row in documents
        if (there := beside[row.label][1]) is not None
    ]
    why = {
        key: f"already in the books at {one.place}"
        for one in joined
        for key in one.document.transactions
    }
    missing = [row for row in documents if beside[row.label][0] == "missing"]
    posts = {key for row in missing for key in row.transactions}
    members = [
        row
        if row.disposition != "post" or row.key in posts
        else replace(row, disposition="nothing_to_post", reason=why.get(row.key, NOBODY_KNOWS))
        for row in plan.transactions
    ]
    rest: dict[str, Any] = {"documents": (), "masters": (), "issues": ()}
    return replace(plan, joined=tuple(joined), transactions=tuple(members), **rest)


def _undrafted(prepared: Prepared, documents: Sequence[Document]) -> list[dict[str, Any]]:
    """The transactions of a batch of which no document can be made, as the books and the profile are now."""
    drafted = {key for row in documents for key in row.transactions}
    said = {row.key: row.message for row in reversed(prepared.issues) if row.severity == "block"}
    return [
        {
            "document": row.key,
            "number": row.number,
            "party_id": row.party_id,
            "date": row.date,
            "connectwise": row.total,
            "books": None,
            "state": "unknown",
            "difference": said.get(row.key, NOBODY_KNOWS),
        }
        for row in prepared.transactions
        if row.disposition == "post" and row.key not in drafted
    ]


def _ours(
    document: Document, holds: Sequence[StoredDocument], can: Capabilities
) -> list[StoredDocument]:
    """What the company has under our key, of whatever generation; the living one first."""
    if document.type in can.carries_key:
        found = [row for row in holds if carries_key_of(document, row)]
    else:
        found = [row for row in holds if is_this(document, row, can)]
    return sorted(found, key=lambda row: row.voided)


def _keyless(holds: Sequence[StoredDocument], place: str | None) -> list[StoredDocument]:
    """What another program posted: under no key of ours, of this party and number; at a place, if it is known."""
    found = [row for row in holds if not row.token and place in (None, row.place)]
    return sorted(found, key=lambda row: row.voided)


def _beside(document: Document, ours: Sequence[StoredDocument]) -> Beside:
    """How a document stands beside the books: state, what is there, what differs."""
    if not ours:
        return "missing", None, ""
    there = ours[0]
    if there.voided:
        return "changed", there, "voided in Sage 50"
    if same_content(document, there):
        return "present", there, ""
    pairs: list[tuple[str, Any, Any]] = [
        ("number", document.reference, there.reference),
        ("date", document.posting_date, there.posting_date),
        ("party", document.party_id, there.party_id),
        ("total", amount_words(document.total), amount_words(there.total)),
        *(
            (f"account {account}", amount_words(sent), amount_words(held))
            for account, sent, held in account_differences(document, there)
        ),
    ]
    said = [f"{name} {sent} here, {held} there" for name, sent, held in pairs if sent != held]
    return "changed", there, "; ".join(said)


def _row(
    document: Document, state: Standing, there: StoredDocument | None, difference: str
) -> dict[str, Any]:
    total = document.total if there is None else expected_total(document, there)
    return {
        "document": document.plain_label,
        "number": document.number,
        "party_id": document.party_id,
        "date": document.posting_date,
        "connectwise": total,
        "books": None if there is None or there.voided else there.total,
        "state": state,
        "difference": difference,
    }


def rerun(
    reviewed: Rerun,
    *,
    company: Connector,
    connectwise: ConnectWise,
    log: PushLog,
    progress: Progress | None = None,
) -> Rerun:
    """Post what a review chose, as later generations of the same batch.

    Raises:
        PushInProgress: another push holds the company.
        InDoubt: the batch itself is not finished, or something was sent and not answered.
    """
    plan = reviewed.plan
    check_pair(plan, company, connectwise)
    if not reviewed.writes:
        return reviewed
    with hold(company, log):
        refuse_open_unposting(log)
        if plan.batch in unfinished(log):
            refuse_unfinished(f"batch {plan.batch}", log)
        if reviewed.adopts is not None:
            log.adopt(reviewed.adopts.plan, batch_id=reviewed.adopts.batch_id)
        if plan.documents:
            log.record_again(plan)
        report = finish_recorded(
            plan.batch, company=company, connectwise=connectwise, log=log, progress=progress
        )
    return replace(reviewed, report=report)
