"""Push a plan: post each document to the company once, then create the ConnectWise batch.

This file is the whole protocol; read it from top to bottom.

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

from sage50kit.batch.compare import differences, entry_findings, is_this, same_content
from sage50kit.batch.numbers import check_number
from sage50kit.batch.pending import refuse_open_unposting
from sage50kit.batch.report import NOT_THERE, PushReport, lasting, make_report
from sage50kit.errors import (
    BatchTaken,
    CompanyError,
    ConnectWiseError,
    ConnectWiseRejected,
    ContentChanged,
    DocumentRefused,
    InDoubt,
    OutcomeUnknown,
    Sage50KitError,
    UsageError,
)
from sage50kit.issues import finding
from sage50kit.model import ARRIVED
from sage50kit.pushlog import ENDED
from sage50kit.pushlog.links import linked

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from sage50kit.connectors.base import Connector
    from sage50kit.connectwise import wire
    from sage50kit.connectwise.site import ConnectWise
    from sage50kit.issues import Issue
    from sage50kit.model import Document, DocumentState, Plan, StoredDocument, Transaction
    from sage50kit.pushlog import LoggedDocument, PushLog

    Progress = Callable[[int, int], None]

DOUBTFUL: frozenset[DocumentState] = frozenset({"sending", "in_doubt"})
A_PERSON_SAID = "a person said: "
GONE = (
    "ConnectWise no longer lists it as it was planned: it was batched by somebody else, or reopened"
)


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
    if known is not None and log.holds(plan):
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
    listed = _still_listed(plan, connectwise)
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
        waiting = [row for row in log.documents(plan.batch) if row.state == "planned"]
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


# --- settle ---


def settle(plan: Plan, company: Connector, log: PushLog) -> None:
    """Replace doubt by fact: a document whose answer is missing was either posted or not.

    Raises:
        InDoubt: the company cannot tell of some; a person has to look.
    """
    doubtful = [row for row in log.documents(plan.batch) if row.state in DOUBTFUL]
    said = [
        _settle_one(row, holds, company, log)
        for row, holds in zip(doubtful, look(doubtful, company), strict=True)
    ]
    open_ones = [words for words in said if words]
    if open_ones:
        raise InDoubt(
            f"batch {plan.batch}: {'; '.join(open_ones)}. Look in Sage 50, then run: sage50kit resume "
            "--document KEY --posted NUMBER, or --not-posted. Nothing more was sent."
        )


def look(
    rows: Sequence[LoggedDocument], company: Connector
) -> list[tuple[StoredDocument, ...] | None]:
    """What the company holds for each document of the log; None where it cannot tell."""
    return look_up([row.document for row in rows], company)


def look_up(
    documents: Sequence[Document], company: Connector
) -> list[tuple[StoredDocument, ...] | None]:
    """What the company holds for each document; None where it cannot tell."""
    try:
        return [*company.find_many(documents)] if documents else []
    except OutcomeUnknown:
        if len(documents) == 1:
            return [None]
    return [found for document in documents for found in look_up([document], company)]


def _settle_one(
    row: LoggedDocument,
    holds: Sequence[StoredDocument] | None,
    company: Connector,
    log: PushLog,
) -> str:
    """Write down what became of a document; returns what nobody can tell, or nothing."""
    document = row.document
    name = f"{document.number} ({document.label})"
    found = [stored for stored in holds or () if is_this(document, stored, company.capabilities)]
    alive = [stored for stored in found if not stored.voided]
    if holds is None or len(alive) > 1 or (found and not alive):
        places = ", ".join(stored.place for stored in found)
        why = f"{places} " + ("were voided" if not alive else "look alike") if found else ""
        reason = why or "the company cannot be asked"
        if (row.state, row.reason) != ("in_doubt", reason):
            log.mark(document, "in_doubt", batch=row.batch, reason=reason)
        return f"{name} was sent and not answered, and {reason}"
    why_settled: dict[str, Any] = {"reason": "looked up after an interrupted push"}
    if alive:
        why_settled |= {"place": alive[0].place, "issues": differences(document, alive[0])}
        log.mark(document, arrived(company), batch=row.batch, **why_settled)
    else:
        log.mark(document, "planned", batch=row.batch, **why_settled)
    return ""


def look_again(plan: Plan, company: Connector, connectwise: ConnectWise, log: PushLog) -> None:
    """What the batch will rely on stands in the books still: what joins it, and what was posted earlier.

    A document that was voided, deleted or changed since stays out of the batch, unless it is made already.
    """
    known = log.batch(plan.batch)
    if known is None or known.state not in ("planned", "creating"):
        return
    if known.state == "creating" and connectwise.find_batch(plan.batch) is not None:
        return
    logged = log.documents(plan.batch)
    # A person's word about what the company cannot show is not questioned.
    said = [row for row in logged if not row.reason.startswith(A_PERSON_SAID)]
    rows = [row for row in said if row.state in ("joining", *ARRIVED)]
    for row, holds in zip(rows, look(rows, company), strict=True):
        if holds is None and row.state != "joining":
            continue
        if not any(_stands(row, stored, company) for stored in holds or ()):
            reason = f"{NOT_THERE}: {row.place}"
            log.mark(row.document, "unbatched", batch=plan.batch, reason=reason)
        elif row.state == "joining":
            log.mark(row.document, "joined", batch=plan.batch)


def _stands(row: LoggedDocument, stored: StoredDocument, company: Connector) -> bool:
    """Whether this is the living document of a row; one that joins must have the content it was seen with."""
    if stored.voided:
        return False
    if row.state == "joining" and not same_content(row.document, stored):
        return False
    return is_this(row.document, stored, company.capabilities) or stored.place == row.place


# --- post ---


def refuse_gone(
    waiting: Sequence[LoggedDocument], plan: Plan, connectwise: ConnectWise, log: PushLog
) -> list[LoggedDocument]:
    """What left ConnectWise's unposted lists since it was planned is not posted; returns the rest.

    A re-run posts what is batched already, so it asks nothing.
    """
    known = log.batch(plan.batch)
    if not waiting or known is None or known.state == "rerunning":
        return list(waiting)
    listed = _still_listed(plan, connectwise)
    rest = []
    for row in waiting:
        if set(row.document.transactions) <= listed:
            rest.append(row)
        else:
            log.mark(row.document, "refused", batch=plan.batch, reason=GONE)
    return rest


def _still_listed(plan: Plan, connectwise: ConnectWise) -> set[str]:
    """Keys of the plan that ConnectWise lists as unposted, with no GL entry that the plan does not know."""
    there = connectwise.unposted_entries({row.kind for row in plan.transactions})
    return {
        row.key
        for row in plan.transactions
        if row.key in there and there[row.key] <= set(row.entry_ids)
    }


def create_masters(plan: Plan, company: Connector, log: PushLog) -> None:
    """Create what the books lack; a refused one takes its documents with it, and says why."""
    created = _created(plan, log) if plan.masters else set()
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


def _created(plan: Plan, log: PushLog) -> set[str]:
    """The masters that this batch has created already, as far as the books can be trusted to have them."""
    created: set[str] = set()
    for event in log.events(plan.batch):
        if event["kind"] == "batch_rerunning":  # the books may be older than the log
            created.clear()
        if event["kind"] == "master_created":
            created.add(event["key"])
    return created


def _master_key(master: object) -> str:
    name = type(master).__name__.lower()
    return f"{name}:{getattr(master, f'{name}_id')}"


def post(document: Document, plan: Plan, company: Connector, log: PushLog) -> None:
    """Send one planned document and write down the answer.

    Only an answer is written down. Any other exception is silence: the document stays `sending`, and
    the next push, or resume, settles it by looking.
    """
    log.mark(document, "sending", batch=plan.batch)
    try:
        posted = company.post(document)
    except DocumentRefused as error:
        log.mark(document, "refused", batch=plan.batch, reason=str(error))
    except Sage50KitError as error:
        raise InDoubt(
            f"{document.number} ({document.label}) was sent and not answered: {error} "
            "Run: sage50kit resume. It is looked up before anything is sent."
        ) from error
    else:
        log.mark(
            document,
            arrived(company),
            batch=plan.batch,
            place=posted.place,
            warnings=posted.warnings,
            issues=differences(document, posted.stored),
        )


def arrived(company: Connector) -> DocumentState:
    """The state of a document the company took: an import file still needs a person."""
    return "posted" if company.capabilities.confirms else "exported"


# --- batch ---


def create_batch(plan: Plan, connectwise: ConnectWise, log: PushLog) -> None:
    """Create the batch of what was posted and what is cleared on purpose, looking before creating.

    The batch of a re-run exists, or is closed: it is read, never made again.
    """
    known = log.batch(plan.batch)
    if known is None or known.state in ENDED:
        return
    members = batch_members(plan, log.documents(plan.batch))
    if known.state == "rerunning":
        _end_batch(plan.batch, members, connectwise.find_batch(plan.batch), connectwise, log)
        return
    if not members:
        if any(row.state in ARRIVED for row in log.documents(plan.batch)):
            # Some parts stand in the books, and no transaction is posted whole.
            log.mark_batch(plan.batch, "failed")
        elif known.state != "planned":
            log.mark_batch(plan.batch, "planned")
        return
    log.mark_batch(plan.batch, "creating", keys=[row.key for row in members])
    found = connectwise.find_batch(plan.batch) or _create(plan, members, connectwise)
    if found is None and all(row.disposition != "post" for row in members):
        _give_up(plan, log)
        return
    _end_batch(plan.batch, members, found, connectwise, log)


def _give_up(plan: Plan, log: PushLog) -> None:
    """Nothing was posted and nothing is left to batch: the number is free."""
    for row in [one for one in log.documents(plan.batch) if one.state == "joined"]:
        log.mark(row.document, "unbatched", batch=plan.batch, reason=GONE)
    log.mark_batch(plan.batch, "planned")


def _create(
    plan: Plan, members: Sequence[Transaction], connectwise: ConnectWise
) -> wire.AccountingBatch | None:
    """Send the create call once; whatever the answer, or its absence, the lookup decides.

    A refusal may come from transactions that somebody else batched meanwhile: it is sent once more
    without them, and there is no batch when nothing is left. What is left out of the batch shows when
    its entries are read.
    """
    refusal = _send_batch(plan.batch, members, connectwise)
    found = connectwise.find_batch(plan.batch)
    if found is None and isinstance(refusal, ConnectWiseRejected):
        listed = _still_listed(plan, connectwise)
        rest = [row for row in members if row.key in listed]
        if not rest:
            return None
        if len(rest) < len(members):
            refusal = _send_batch(plan.batch, rest, connectwise)
            found = connectwise.find_batch(plan.batch)
    if found is None:
        said = f"ConnectWise says: {refusal}" if refusal else "it is not listed there yet."
        raise InDoubt(
            f"the documents are posted, but ConnectWise has no batch {plan.batch}; {said} "
            "Run: sage50kit resume. If it says the same again, a closed batch holds the number and is "
            "hidden: ask ConnectWise support to restore or rename that batch, then resume."
        )
    return found


def _send_batch(
    batch: str, members: Sequence[Transaction], connectwise: ConnectWise
) -> ConnectWiseError | None:
    ids = list(dict.fromkeys(entry for row in members for entry in row.entry_ids))
    try:
        connectwise.create_batch(batch, kinds={row.kind for row in members}, entry_ids=ids)
    except ConnectWiseError as error:
        return error
    return None


def _end_batch(
    batch: str,
    members: Sequence[Transaction],
    found: wire.AccountingBatch | None,
    connectwise: ConnectWise,
    log: PushLog,
) -> None:
    """Compare the batch's entries with what was posted, and write down that it is there.

    Raises:
        InDoubt: it holds nothing of ours.
    """
    if found is None:  # a re-run of a batch that is closed, or was deleted: the log stands for it
        gone = finding("batch_missing", key="", number="", field="batch", value=batch)
        log.mark_batch(batch, "created", issues=[gone])
        return
    held = {row.id for row in connectwise.batch_entries(found.id)}
    if not held & {entry for row in members for entry in row.entry_ids}:
        raise InDoubt(
            f"batch {batch} in ConnectWise holds none of the posted documents: somebody else made "
            "it. Have it deleted or renamed there, then run: sage50kit resume"
        )
    log.mark_batch(batch, "created", batch_id=found.id, issues=entry_findings(members, held))


def batch_members(
    plan: Plan,
    logged: Sequence[LoggedDocument],
    *,
    states: Collection[DocumentState] = ARRIVED,
) -> list[Transaction]:
    """The transactions that enter the batch: those whose every part was posted, and those without a posting.

    Of the latter are what was cleared, what posts nothing, and what stood in the books before.
    """
    rows = lasting(logged)
    missing = {key for row in rows if row.state not in states for key in row.document.transactions}
    posted = {key for row in rows for key in row.document.transactions} - missing
    return [
        row
        for row in plan.transactions
        if row.key in posted or (row.disposition != "post" and row.key not in missing)
    ]
