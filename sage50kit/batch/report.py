"""What a push did, told from the log alone, so that it can be told again.

The first line is one of the seed's three endings: *failed* (nothing posted, the batch number is free),
*completed*, *completed with errors* (the batch holds the posted ones; the next number is proposed).
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import msgspec

from sage50kit.batch.proof import money_frame, reasons_frame, unposted_members
from sage50kit.issues import Issue, finding, issues_frame
from sage50kit.model import BLOCKED, SAGE_SCREENS, Plan
from sage50kit.money import total

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import date
    from decimal import Decimal

    import pandas as pd

    from sage50kit.model import DocumentType
    from sage50kit.pushlog import LoggedBatch, LoggedDocument, PushLog

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
    logged = log.documents(plan.batch)
    batch = log.batch(plan.batch)
    issues = [*plan.issues, *_answers(plan, logged, log)]
    taken = [row["batch"] for row in log.history()]
    return _report(plan, logged, batch, issues, taken)


def dry_report(plan: Plan) -> PushReport:
    """The report of a push that was not done: every document is still planned."""
    report = _report(plan, [], None, list(plan.issues))
    rows = [_row(row, "planned", "", "") for row in plan.documents]
    from dataclasses import replace

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
    counts = Counter(row.state for row in logged)
    created = batch is not None and batch.state == "created"
    status = _status(counts, created=created, plan=plan, issues=issues)
    rows = [_row(row.document, row.state, row.place, row.reason) for row in logged]
    unposted = counts["refused"] or any(row.reason.startswith(BLOCKED) for row in plan.left_out)
    next_batch = next_number(plan.batch, taken) if unposted and status != "failed" else ""
    posted = [row.document for row in logged if row.state in ("posted", "exported")]
    return PushReport(
        status=status,
        headline=_headline(plan, status, counts, next_batch),
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


def _status(counts: Counter[Any], *, created: bool, plan: Plan, issues: Sequence[Issue]) -> Status:
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
NEEDS_PERSON = frozenset({"stored_differs", "batch_entry_missing", "batch_entry_foreign"})


def _headline(plan: Plan, status: Status, counts: Counter[Any], next_batch: str) -> str:
    arrived = counts["posted"] + counts["exported"]
    of = f"{arrived} of {len(plan.documents)} documents posted"
    if status == "failed":
        return f"The batch failed: nothing was posted, batch number {plan.batch} is free."
    if status == "in_doubt":
        return f"Batch {plan.batch} is not finished: {of}. Push it again."
    if not plan.documents and not plan.transactions:
        return f"Batch {plan.batch}: nothing to push."
    if status == "completed_with_errors":
        rest = f" Push the rest as {next_batch}." if next_batch else " See the findings."
        return f"Batch {plan.batch} completed, but some transactions contained errors: {of}.{rest}"
    return f"Batch {plan.batch} completed successfully: {of}."


def _answers(plan: Plan, logged: Sequence[LoggedDocument], log: PushLog) -> list[Issue]:
    """What the company said: refusals, warnings, and what it stored otherwise."""
    found = []
    for row in logged:
        if row.state == "refused":
            words = {"key": row.key, "number": row.document.number}
            # The company's sentence names the document, and so does the finding.
            said = row.reason.removeprefix(f"{row.document.number} ({row.document.label}): ")
            found.append(finding("company_refused", field="document", value=said, **words))
    numbers = {row.key: row.document.number for row in logged}
    for event in log.events(plan.batch):
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
        if event["kind"] == "batch_created":
            found += msgspec.convert(payload.get("issues", []), list[Issue], strict=False)
        if event["kind"] not in ("posted", "exported"):
            continue
        words = {"key": event["key"], "number": numbers.get(event["key"], "")}
        found += [
            finding("company_warning", field="document", value=text, **words)
            for text in payload.get("warnings", ())
        ]
        found += msgspec.convert(payload.get("issues", []), list[Issue], strict=False)
    return found


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


# --- batch numbers ----------------------------------------------------------------------------

SUFFIXES = {"invoice": "I", "expense": "E", "receipt": "P", "adjustment": "P", "transfer": "P"}


def propose_number(day: date, initials: str, kinds: Collection[str], taken: Collection[str]) -> str:
    """The next free batch number of the seed's convention: `20130101JD-I`, then `20130101JD-I-1`.

    Args:
        day: the day of the batch.
        initials: of the person who runs it.
        kinds: of the transactions; those of several kinds get their letters in the order I, E, P.
        taken: the numbers that are in use.
    """
    found = {SUFFIXES[kind] for kind in kinds}
    letters = "".join(letter for letter in "IEP" if letter in found)
    return _free(f"{day:%Y%m%d}{initials}-{letters}", taken)


def next_number(batch: str, taken: Collection[str]) -> str:
    """The next free suffix: `20130101JD-I` -> `20130101JD-I-1` -> `20130101JD-I-2`."""
    stem, count = _split(batch)
    return _free(stem, {*taken, batch}, start=count + 1)


def _split(batch: str) -> tuple[str, int]:
    match = re.fullmatch(r"(.*-[A-Z]+)-(\d+)", batch)
    return (match.group(1), int(match.group(2))) if match else (batch, 0)


def _free(stem: str, taken: Collection[str], start: int = 0) -> str:
    used = {name.casefold() for name in taken}
    number = start
    while True:
        name = f"{stem}-{number}" if number else stem
        if name.casefold() not in used:
            return name
        number += 1
