"""The verbs that make a batch: plan and push."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sage50kit import outcome
from sage50kit.cli.options import (
    Batch,
    Kinds,
    LeaveOut,
    Location,
    ProfilePath,
    Repost,
    ThruDate,
    Yes,
    app,
    fetched,
    opened,
    verb,
)
from sage50kit.cli.reporting import saved
from sage50kit.errors import InDoubt, PlanBlocked, Sage50KitError, UsageError
from sage50kit.terminal import (
    STATUS_OF,
    Answer,
    consent,
    failed,
    issue_rows,
    somebody_consents,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import pandas as pd

    from sage50kit.batch.report import PushReport
    from sage50kit.kit import Kit
    from sage50kit.model import Plan


@app.command()
@verb
def plan(
    *,
    profile: ProfilePath,
    batch: Batch = "",
    location: Location = "",
    thru_date: ThruDate = "",
    kinds: Kinds = None,
    leave_out_blocked: LeaveOut = None,
) -> Answer:
    """Validate and preview; writes the proof listing, and nothing else."""
    from sage50kit.reports.files import save_blocked, save_proof
    from sage50kit.reports.listings import proof_page

    with opened(profile) as kit:
        selected = fetched(kit, location, thru_date, kinds)
        try:
            planned = kit.plan(selected, batch=batch or None, leave_out_blocked=leave_out_blocked)
        except PlanBlocked as error:
            return _blocked(error, batch, save_blocked, kit.workdir)
        proof = kit.proof(planned)
        found = set(proof.issues["severity"])
        severe = found & {"block", "refuse"}
        return Answer(
            exit_code=3 if severe or _left_out_blocked(planned) else 0,
            status="" if severe or "warn" not in found else "completed_with_warnings",
            batch=planned.batch,
            counts={"documents": len(planned.documents), "left_out": len(planned.left_out)},
            totals=proof.totals,
            issues=issue_rows(proof.issues),
            files=save_proof(proof, kit.workdir),
            page=proof_page(proof),
        )


@app.command()
@verb
def push(
    *,
    profile: ProfilePath,
    batch: Batch,
    location: Location = "",
    thru_date: ThruDate = "",
    kinds: Kinds = None,
    leave_out_blocked: LeaveOut = None,
    repost: Repost = None,
    yes: Yes = False,
) -> Answer:
    """Post a batch to Sage 50, then create it in ConnectWise."""
    somebody_consents("push", yes=yes)
    if not batch.strip():
        raise UsageError("--batch is empty. Give the batch number. Nothing was written.")
    with opened(profile) as kit:
        earlier = _finish_first(kit, but=batch, yes=yes)
        try:
            answer = _still_in_doubt(earlier)
            if answer is None:
                selected = fetched(kit, location, thru_date, kinds)
                words = {"leave_out_blocked": leave_out_blocked, "repost": repost or ()}
                answer = _pushed(kit, selected, batch, words, yes=yes, earlier=earlier)
        except Sage50KitError as error:
            if not earlier:
                raise
            answer = failed(error, batch=batch)
        return _with_earlier(answer, kit, earlier)


def _still_in_doubt(reports: Sequence[PushReport]) -> Answer | None:
    doubtful = [report for report in reports if report.status == "in_doubt"]
    if not doubtful:
        return None
    said = " ".join(report.headline for report in doubtful)
    return failed(InDoubt(said), batch=doubtful[0].batch)


def _pushed(
    kit: Kit,
    selected: pd.DataFrame,
    batch: str,
    words: Mapping[str, Any],
    *,
    yes: bool,
    earlier: Sequence[PushReport],
) -> Answer:
    """Plan, ask, push, and write the reports."""
    from sage50kit.reports.files import save_blocked, save_proof
    from sage50kit.reports.listings import proof_page, push_page

    try:
        planned = kit.plan(selected, batch=batch, **words)
    except PlanBlocked as error:
        return _blocked(error, batch, save_blocked, kit.workdir)
    proof = kit.proof(planned)
    files = save_proof(proof, kit.workdir)
    question = f"{proof_page(proof).headline} Push batch {planned.batch} to {kit.company.name}?"
    done = ", ".join(report.batch for report in earlier)
    stopped = f"Only batch {done} was finished." if done else "Nothing was written."
    consent("push", question, yes=yes, stopped=stopped)
    report = kit.push(planned, dry_run=False)
    written, lost = saved(kit, [report])
    return Answer(
        exit_code=report.exit_code,
        status=report.status,
        batch=report.batch,
        counts=report.counts,
        totals=report.totals,
        issues=issue_rows(report.issues),
        files=[*files, *written],
        more={"next_batch": report.next_batch, "headline": report.headline},
        page=push_page(report),
        error=lost,
    )


def _finish_first(kit: Kit, *, but: str, yes: bool) -> list[PushReport]:
    """Finish what an earlier push left, after asking; the report of each batch.

    The batch `but` is the one that is pushed: if only that is unfinished, the push itself finishes it.

    Raises:
        UsageError: the person says no.
    """
    from sage50kit.batch.pending import open_unpostings

    begun = [f"batch {number}" for number in kit.log.unfinished_batches() if number != but]
    begun += [one.words for one in open_unpostings(kit.log)]
    if not begun:
        return []
    consent("push", f"Not finished yet: {', '.join(begun)}. Finish this first?", yes=yes)
    return kit.resume()


def _with_earlier(answer: Answer, kit: Kit, earlier: Sequence[PushReport]) -> Answer:
    """The answer of a push, and what was finished first: the gravest exit code, all findings and files."""
    told = answer.batch if "headline" in answer.more else ""
    rows = [row for row in earlier if row.status != "in_doubt" and row.batch != told]
    if not rows:
        return answer
    files, lost = saved(kit, rows)
    code = outcome.gravest([answer.exit_code, *(report.exit_code for report in rows)])
    found = [row for report in rows for row in issue_rows(report.issues)]
    headlines = [report.headline for report in rows]
    said = "\n".join(f"Finished first: {headline}" for headline in headlines)
    return replace(
        answer,
        exit_code=code,
        status=answer.status if code == answer.exit_code else STATUS_OF.get(code, "failed"),
        issues=[*found, *answer.issues],
        files=[*files, *answer.files],
        more={**answer.more, "finished_first": headlines},
        words=f"{said}\n{answer.words}".strip(),
        error=" ".join(filter(None, (answer.error, lost))),
    )


def _blocked(error: PlanBlocked, batch: str, save: Any, workdir: Path) -> Answer:
    from sage50kit.issues import issues_frame
    from sage50kit.reports.listings import blocked_page

    issues = issues_frame(error.issues)
    return Answer(
        exit_code=error.exit_code,
        batch=batch,
        counts={"findings": len(issues), "blocking": int((issues["severity"] == "block").sum())},
        issues=issue_rows(issues),
        files=save(batch, issues, workdir),
        page=blocked_page(batch, issues),
        error=str(error),
        failure=error.details(),
    )


def _left_out_blocked(planned: Plan) -> bool:
    from sage50kit.model import BLOCKED

    return any(row.reason.startswith(BLOCKED) for row in planned.left_out)
