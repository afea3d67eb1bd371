"""Send what is still planned, one document at a time, and write down each answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sage50kit.batch.compare import differences
from sage50kit.errors import DocumentRefused, InDoubt, Sage50KitError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sage50kit.connectors.base import Connector
    from sage50kit.connectwise.site import ConnectWise
    from sage50kit.model import Document, DocumentState, Plan
    from sage50kit.pushlog import LoggedDocument, PushLog

GONE = (
    "ConnectWise no longer lists it as it was planned: it was batched by somebody else, or reopened"
)


def refuse_gone(
    waiting: Sequence[LoggedDocument], plan: Plan, connectwise: ConnectWise, log: PushLog
) -> list[LoggedDocument]:
    """What left ConnectWise's unposted lists since it was planned is not posted; returns the rest.

    A re-run posts what is batched already, so it asks nothing.
    """
    known = log.batch(plan.batch)
    if not waiting or known is None or known.state == "rerunning":
        return list(waiting)
    listed = still_listed(plan, connectwise)
    rest = []
    for row in waiting:
        if set(row.transactions) <= listed:
            rest.append(row)
        else:
            log.mark(row.document, "refused", batch=plan.batch, reason=GONE)
    return rest


def still_listed(plan: Plan, connectwise: ConnectWise) -> set[str]:
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
    for event in log.events(plan.batch, kinds=("batch_rerunning", "master_created")):
        if event["kind"] == "batch_rerunning":  # the books may be older than the log
            created.clear()
        else:
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
