"""What a push did, told from the log alone, so that it can be told again.

The first line is one of the seed's three endings: *failed* (nothing posted, the batch number is free),
*completed*, *completed with errors* (the batch holds the posted ones; the next number is proposed).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import msgspec

from sage50kit.batch.numbers import next_number
from sage50kit.batch.proof import money_frame, reasons_frame, unposted_members
from sage50kit.issues import Issue, finding, issues_frame
from sage50kit.model import ARRIVED, BLOCKED, SAGE_SCREENS, Plan
from sage50kit.money import total

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from decimal import Decimal

    import pandas as pd

    from sage50kit.model import DocumentType
    from sage50kit.pushlog import BatchState, LoggedBatch, LoggedDocument, PushLog

Status: TypeAlias = Literal[
    "completed",
    "completed_with_warnings",
    "completed_with_errors",
    "failed",
    "blocked",
    "in_doubt",
    "busy",
]
EXIT_CODES: dict[Status, int] = {
    "completed": 0,
    "completed_with_warnings": 0,
    "completed_with_errors": 3,
    "failed": 3,
    "blocked": 4,
    "in_doubt": 5,
    "busy": 6,
}
NOT_THERE = "it is no longer in Sage 50 as it was planned"
_COLUMNS = "label type number party_id party date total state place reason"


@dataclass(frozen=True, kw_only=True)
class PushReport:
    """What became of a plan: one row per document, the findings, and what to do next."""

    status: Status
    headline: str
    batch: str
    batch_id: int | None
    next_batch: str
    counts: dict[str, int]
    totals: dict[str, Decimal]
    documents: pd.DataFrame
    issues: pd.DataFrame
    left_out: pd.DataFrame
    cleared: pd.DataFrame
    screens: dict[DocumentType, str]
    dry_run: bool = False
    files: dict[str, str] = field(default_factory=dict)

    @property
    def exit_code(self) -> int:
        """The exit code of the terminal (design 7)."""
        return EXIT_CODES[self.status]

    @property
    def errors(self) -> pd.DataFrame:
        """The list of errors: findings that refuse or block, with what to do."""
        return self.issues[self.issues["severity"].isin(["block", "refuse"])]

    def __repr__(self) -> str:
        """The headline."""
        return f"<PushReport {self.headline}>"

    def _repr_html_(self) -> str:
        from sage50kit.reports.html import report_html

        return report_html(self, fragment=True)


def make_report(plan: Plan, log: PushLog) -> PushReport:
    """Tell what the log knows of a plan."""
    logged = log.documents(plan.batch, held=plan.documents)
    batch = log.batch(plan.batch)
    issues = said_once(plan.issues, _answers(plan, logged, log))
    taken = [row["batch"] for row in log.history()]
    return _report(plan, logged, batch, issues, taken)


def dry_report(plan: Plan) -> PushReport:
    """The report of a push that was not done: every document is still planned."""
    report = _report(plan, [], None, list(plan.issues))
    rows = [_row(row, "planned", "", "") for row in plan.documents]
    return replace(
        report,
        status="completed",
        headline=f"Dry run of batch {plan.batch}: {len(plan.documents)} documents would be posted. "
        "Nothing was written.",
        documents=money_frame(rows, _COLUMNS.split(), ("total",)),
        counts={"planned": len(plan.documents)},
        dry_run=True,
        next_batch="",
    )


def _report(
    plan: Plan,
    logged: Sequence[LoggedDocument],
    batch: LoggedBatch | None,
    issues: list[Issue],
    taken: Collection[str] = (),
) -> PushReport:
    # What joined the batch was not posted by it: it stands among the transactions without a posting.
    now = [row for row in current(logged) if row.state not in ("joining", "joined")]
    counts = Counter(row.state for row in now)
    state = batch.state if batch else "planned"
    status = _status(counts, state=state, plan=plan, issues=issues)
    rows = [_row(row.document, row.state, row.place, _said(row)) for row in now]
    unposted = counts["refused"] or any(row.reason.startswith(BLOCKED) for row in plan.left_out)
    next_batch = next_number(plan.batch, taken) if unposted and status != "failed" else ""
    posted = [row.document for row in now if row.state in ARRIVED]
    return PushReport(
        status=status,
        headline=_headline(plan, status, counts, next_batch, state=state),
        batch=plan.batch,
        batch_id=batch.batch_id if batch else None,
        next_batch=next_batch,
        counts={**{str(state): n for state, n in counts.items()}, "left_out": len(plan.left_out)},
        totals={
            "posted": total(row.total for row in posted),
            "planned": total(row.total for row in plan.documents),
            # Credit memos count against invoices here, and beside them above.
            "receivables_change": total(
                row.control_amount for row in posted if row.type in ("sales_invoice", "credit_memo")
            ),
            "payables_change": -total(
                row.control_amount for row in posted if row.type == "purchase"
            ),
        },
        documents=money_frame(rows, _COLUMNS.split(), ("total",)),
        issues=issues_frame(issues),
        left_out=reasons_frame(plan.left_out),
        cleared=reasons_frame(unposted_members(plan)),
        screens={row.type: SAGE_SCREENS[row.type] for row in plan.documents},
    )


def current(logged: Sequence[LoggedDocument]) -> list[LoggedDocument]:
    """The latest generation of each document of a batch, in their order; a re-run leaves older ones."""
    latest = {(row.key, row.part): row.generation for row in sorted(logged, key=_generation)}
    return [row for row in logged if row.generation == latest[row.key, row.part]]


def lasting(logged: Sequence[LoggedDocument]) -> list[LoggedDocument]:
    """Of each document of a batch the latest generation that was posted, else the latest: what the batch holds.

    A document that a re-run could not post again stays one of its batch, and is missing in the books.
    """
    arrived = {(row.key, row.part) for row in logged if row.state in ARRIVED}
    return current(
        [row for row in logged if row.state in ARRIVED or (row.key, row.part) not in arrived]
    )


def _generation(row: LoggedDocument) -> int:
    return row.generation


def _status(
    counts: Counter[Any], *, state: BatchState, plan: Plan, issues: Sequence[Issue]
) -> Status:
    created = state in ("created", "unposted")
    if state == "failed":
        return "completed_with_errors" if counts["posted"] + counts["exported"] else "failed"
    if counts["sending"] or counts["in_doubt"] or counts["planned"]:
        return "in_doubt"
    arrived = counts["posted"] + counts["exported"]
    if not created and not plan.documents and not plan.transactions:
        return "completed"
    if not arrived and not created:
        return "failed"
    if not created:
        return "in_doubt"
    # A row that was left out because something blocks it needs a person; an unchosen one does not.
    if counts["refused"] or any(row.reason.startswith(BLOCKED) for row in plan.left_out):
        return "completed_with_errors"
    if any(issue.code in NEEDS_PERSON for issue in issues):
        return "completed_with_errors"
    severe = {issue.severity for issue in issues}
    return "completed_with_warnings" if severe & {"warn", "refuse"} else "completed"


# Findings after which a person has to look, although everything was posted.
NEEDS_PERSON = frozenset(
    {
        "stored_differs",
        "batch_entry_missing",
        "batch_entry_foreign",
        "batch_missing",
        "finished_first_errors",
        "partly_posted",
        "gone_since",
    }
)


def _headline(
    plan: Plan, status: Status, counts: Counter[Any], next_batch: str, *, state: BatchState
) -> str:
    batch_made = state != "failed"
    if state == "unposted":
        return f"Batch {plan.batch} was un-posted; its transactions are unposted again."
    arrived = counts["posted"] + counts["exported"]
    of = f"{arrived} of {counts.total()} documents posted"
    if status == "completed_with_errors" and not batch_made:
        return (
            f"Batch {plan.batch} was not made in ConnectWise: no transaction is posted whole. {arrived} "
            f"documents stand in Sage 50. Correct the rest and push it as {next_batch}: it joins them."
        )
    if status == "failed":
        return f"The batch failed: nothing was posted, batch number {plan.batch} is free."
    if status == "in_doubt":
        return f"Batch {plan.batch} is not finished: {of}. Run: sage50kit resume"
    if not plan.documents and not plan.transactions:
        return f"Batch {plan.batch}: nothing to push."
    if not plan.documents and status != "completed_with_errors":
        count = len(unposted_members(plan))
        return f"Batch {plan.batch} completed: {count} batched without a posting."
    if status == "completed_with_errors":
        rest = f" Push the rest as {next_batch}." if next_batch else " See the findings."
        return f"Batch {plan.batch} completed, but some transactions contained errors: {of}.{rest}"
    return f"Batch {plan.batch} completed successfully: {of}."


# Events whose payload holds findings, or becomes one.
_ANSWERS = frozenset({"posted", "exported", "batch_created", "finished_first", "master_refused"})


FORESEEN = frozenset({"credit_notify", "credit_over_limit", "credit_hold", "credit_over_hold"})
SAID = frozenset({"company_warning", "company_refused"})


def said_once(planned: Sequence[Issue], answers: Sequence[Issue]) -> list[Issue]:
    """The findings of the plan and the company's answers, each said once.

    What Sage 50 says of a customer's credit takes the place of the finding that foresaw it, and keeps
    what that one knew to do about it; a refusal that nobody foresaw keeps its own cure.
    """
    foreseen = {row.key: row for row in planned if row.code in FORESEEN}
    said, rest = set[str](), list[Issue]()
    for row in answers:
        before = foreseen.get(row.key) if row.code in SAID else None
        like = before is not None and before.severity == row.severity
        if before is not None and like and before.value in row.value:
            said.add(row.key)
            rest.append(replace(row, fix=before.fix))
        else:
            rest.append(row)
    return [row for row in planned if row.code not in FORESEEN or row.key not in said] + rest


def _answers(plan: Plan, logged: Sequence[LoggedDocument], log: PushLog) -> list[Issue]:
    """What the company said: refusals, warnings, and what it stored otherwise."""
    found = []
    found += _partly(logged)
    for row in current(logged):
        if row.state == "unbatched" and row.reason.startswith(NOT_THERE):
            words = {"key": row.key, "number": row.document.number, "field": "document"}
            found.append(finding("gone_since", value=row.place, **words))
    for row in logged:
        if row.state == "refused":
            words = {"key": row.key, "number": row.document.number}
            found.append(finding("company_refused", field="document", value=_said(row), **words))
    numbers = {row.key: row.document.number for row in logged}
    for event in log.events(plan.batch, kinds=_ANSWERS):
        payload = event["payload"]
        if event["kind"] == "master_refused":
            found.append(
                finding(
                    "company_refused",
                    key=event["key"],
                    number=event["key"],
                    value=payload["reason"],
                )
            )
            continue
        words = {"key": event["key"], "number": numbers.get(event["key"], "")}
        found += [
            finding("company_warning", field="document", value=text, **words)
            for text in payload.get("warnings", ())
        ]
        found += msgspec.convert(payload.get("issues", []), list[Issue], strict=False)
    return found


def _said(row: LoggedDocument) -> str:
    """What the company said; its sentence names the document, and so does the line it stands on."""
    return row.reason.removeprefix(f"{row.document.number} ({row.document.label}): ")


def _partly(logged: Sequence[LoggedDocument]) -> list[Issue]:
    """Transactions of which one part is posted and another is not: never batched, always shown (9.1)."""
    parts: dict[str, list[LoggedDocument]] = {}
    for row in current(logged):
        parts.setdefault(row.key, []).append(row)
    return [
        finding(
            "partly_posted", key=key, number=rows[0].document.number, field="document", value=there
        )
        for key, rows in parts.items()
        if (there := ", ".join(row.place for row in rows if row.state in ARRIVED))
        and any(row.state not in ARRIVED for row in rows)
    ]


def _row(document: Any, state: str, place: str, reason: str) -> dict[str, Any]:
    return {
        "label": document.label,
        "type": document.type,
        "number": document.number,
        "party_id": document.party_id,
        "party": document.party_name,
        "date": document.posting_date,
        "total": document.total,
        "state": state,
        "place": place,
        "reason": reason,
    }
