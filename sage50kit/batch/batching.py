"""Tell ConnectWise about what was posted: the batch is looked up before it is created, and read afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sage50kit.batch.compare import entry_findings
from sage50kit.batch.posting import GONE, still_listed
from sage50kit.batch.report import lasting
from sage50kit.errors import ConnectWiseError, ConnectWiseRejected, InDoubt
from sage50kit.issues import finding
from sage50kit.model import ARRIVED
from sage50kit.pushlog import ENDED

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sage50kit.connectwise import wire
    from sage50kit.connectwise.site import ConnectWise
    from sage50kit.model import DocumentState, Plan, Transaction
    from sage50kit.pushlog import LoggedDocument, PushLog


def create_batch(plan: Plan, connectwise: ConnectWise, log: PushLog) -> None:
    """Create the batch of what was posted and what is cleared on purpose, looking before creating.

    The batch of a re-run exists, or is closed: it is read, never made again.
    """
    known = log.batch(plan.batch)
    if known is None or known.state in ENDED:
        return
    logged = log.documents(plan.batch, held=plan.documents)
    members = batch_members(plan, logged)
    if known.state == "rerunning":
        _end_batch(plan.batch, members, connectwise.find_batch(plan.batch), connectwise, log)
        return
    if not members:
        if any(row.state in ARRIVED for row in logged):
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
    for row in log.documents(plan.batch, states={"joined"}):
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
        listed = still_listed(plan, connectwise)
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
    missing = {key for row in rows if row.state not in states for key in row.transactions}
    posted = {key for row in rows for key in row.transactions} - missing
    return [
        row
        for row in plan.transactions
        if row.key in posted or (row.disposition != "post" and row.key not in missing)
    ]
