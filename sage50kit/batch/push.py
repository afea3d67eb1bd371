"""Push a plan: post each document to the company once, then create the ConnectWise batch.

This file is the procedure; `settling`, `posting` and `batching` hold its steps.

    claim    one push at a time per company
    finish   what an earlier push of this company left unfinished
    record   every intent is on disk before anything leaves this machine
    settle   ask the company about documents that an earlier attempt left in doubt
    post     send what is still planned, one document at a time
    batch    tell ConnectWise about what was posted, looking before creating
    report   say what happened, from the log alone

After a crash at any line, `resume` or the same push again goes on: what was done is not done twice.
"""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from sage50kit.batch.batching import create_batch
from sage50kit.batch.numbers import check_number
from sage50kit.batch.pending import refuse_open_unposting
from sage50kit.batch.posting import GONE, create_masters, post, refuse_gone, still_listed
from sage50kit.batch.report import PushReport, make_report
from sage50kit.batch.settling import keep_out_standing, look_again, settle
from sage50kit.errors import BatchTaken, CompanyError, ContentChanged, InDoubt, UsageError
from sage50kit.issues import finding
from sage50kit.pushlog.links import linked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sage50kit.connectors.base import Connector
    from sage50kit.connectwise.site import ConnectWise
    from sage50kit.issues import Issue
    from sage50kit.model import Plan
    from sage50kit.pushlog import PushLog

    Progress = Callable[[int, int], None]


def push(
    plan: Plan,
    *,
    company: Connector,
    connectwise: ConnectWise,
    log: PushLog,
    progress: Progress | None = None,
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
    words: dict[str, Any] = {"company": company, "connectwise": connectwise, "log": log}
    with hold(company, log):
        refuse_open_unposting(log)
        check_batch_number(plan, connectwise, log)
        check_linked(plan, log)
        check_joined(plan, connectwise, log)
        earlier = [finish_recorded(batch, **words) for batch in unfinished(log, but=plan.batch)]
        log.record(plan)
        for report in earlier:
            log.note("finished_first", batch=plan.batch, issues=[_finished_first(report)])
        finish(plan, progress=progress, **words)
        return make_report(plan, log)


@contextmanager
def hold(company: Connector, log: PushLog) -> Iterator[None]:
    """Nobody else writes to the company, and it belongs to this log."""
    with log.claim(), company.session():
        if company.log_id() == log.log_id:
            log.refuse_older(company.log_mark())
        company.adopt_log(log.log_id, mark=log.stand())
        yield
        with suppress(CompanyError):  # all is done; the next push tells the company
            company.adopt_log(log.log_id, mark=log.stand())


def check_pair(plan: Plan, company: Connector, connectwise: ConnectWise) -> None:
    """A plan is pushed to the pair it was made for."""
    if (plan.site, plan.company) != (connectwise.name, company.name):
        raise UsageError(
            f"plan {plan.batch} was made for {plan.site} and {plan.company}, not for "
            f"{connectwise.name} and {company.name}. Plan again with this profile."
        )


def check_batch_number(plan: Plan, connectwise: ConnectWise, log: PushLog) -> None:
    """The number fits ConnectWise and is free, or is this plan's own."""
    check_number(plan.batch)
    known = log.batch(plan.batch)
    if known is not None and known.state == "unposted":
        raise BatchTaken(
            f"batch {plan.batch} was un-posted. Plan its transactions again under another number. "
            "Nothing was written."
        )
    if known is not None and log.was_sent(plan.batch) and log.holds(plan):
        return
    if connectwise.find_batch(plan.batch) is not None:
        raise BatchTaken(
            f"batch number {plan.batch} is taken in ConnectWise. Take another one. Nothing was written."
        )


def check_linked(plan: Plan, log: PushLog) -> None:
    """What was linked since it was planned is in the books already.

    Raises:
        ContentChanged: somebody linked it; nothing was written.
    """
    known = linked(log)
    both = [row.key for row in plan.transactions if row.disposition == "post" and row.key in known]
    if both:
        raise ContentChanged(
            f"{', '.join(both[:5])} was matched at go-live since this plan was made: it stands in "
            f"Sage 50 at {known[both[0]]}. Fetch and plan again. Nothing was written."
        )


def check_joined(plan: Plan, connectwise: ConnectWise, log: PushLog) -> None:
    """What is to join this batch from the books is unposted still, and in no other batch.

    Raises:
        ContentChanged: somebody else batched it since it was planned; nothing was written.
    """
    if not plan.joined or log.holds(plan):
        return
    listed = still_listed(plan, connectwise)
    for row in plan.joined:
        if not set(row.document.transactions) <= listed:
            raise ContentChanged(
                f"{row.document.number} ({row.document.label}): {GONE}. Plan again; nothing was written."
            )


# --- what an earlier push left ---


def unfinished(log: PushLog, *, but: str = "") -> list[str]:
    """The batches that were begun and not ended, oldest first."""
    return [batch for batch in log.unfinished_batches() if batch != but]


def finish_recorded(
    batch: str,
    *,
    company: Connector,
    connectwise: ConnectWise,
    log: PushLog,
    progress: Progress | None = None,
) -> PushReport:
    """Finish a batch from what the log holds of it.

    Raises:
        InDoubt: nobody can tell what became of a document, or ConnectWise does not answer.
    """
    plan = log.plan_of(batch, company=company.name)
    if plan is None:
        raise UsageError(f"the push log knows no batch {batch}.")
    finish(plan, company=company, connectwise=connectwise, log=log, progress=progress)
    return make_report(plan, log)


def _finished_first(report: PushReport) -> Issue:
    code = "finished_first" if report.exit_code == 0 else "finished_first_errors"
    return finding(code, key="", number="", field="batch", value=report.batch, said=report.headline)


def finish(
    plan: Plan,
    *,
    company: Connector,
    connectwise: ConnectWise,
    log: PushLog,
    progress: Progress | None = None,
) -> None:
    """From wherever a recorded plan stands to its end."""
    with doubt_is_said(plan, log):
        settle(plan, company, log)
        look_again(plan, company, connectwise, log)
        waiting = log.documents(plan.batch, states={"planned"}, held=plan.documents)
        waiting = keep_out_standing(waiting, plan, company, log)
        waiting = refuse_gone(waiting, plan, connectwise, log)
        if waiting:
            create_masters(plan, company, log)
        for done, row in enumerate(waiting, start=1):
            post(row.document, plan, company, log)
            if progress is not None:
                progress(done, len(waiting))
        create_batch(plan, connectwise, log)


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
            f"batch {plan.batch} is not finished: {error} Run: sage50kit resume. What was done is not "
            "done twice."
        ) from error
