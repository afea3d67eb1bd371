"""Replace doubt by fact before anything is posted: what the company holds decides, never a guess."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sage50kit.batch.compare import differences, is_this, living, same_content
from sage50kit.batch.posting import arrived
from sage50kit.batch.report import NOT_THERE
from sage50kit.errors import InDoubt, OutcomeUnknown
from sage50kit.model import ARRIVED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sage50kit.connectors.base import Connector
    from sage50kit.connectwise.site import ConnectWise
    from sage50kit.model import Document, DocumentState, Plan, StoredDocument
    from sage50kit.pushlog import LoggedDocument, PushLog

DOUBTFUL: frozenset[DocumentState] = frozenset({"sending", "in_doubt"})
A_PERSON_SAID = "a person said: "
FOUND = "it stood in the books already, which the push log did not know"
STANDS_BY_NOW = "it stands in Sage 50 by now and is not posted twice"
ASKED_AT_ONCE = 500


def settle(plan: Plan, company: Connector, log: PushLog) -> None:
    """Replace doubt by fact: a document whose answer is missing was either posted or not.

    Raises:
        InDoubt: the company cannot tell of some; a person has to look.
    """
    doubtful = log.documents(plan.batch, states=DOUBTFUL)
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


def keep_out_standing(
    waiting: Sequence[LoggedDocument], plan: Plan, company: Connector, log: PushLog
) -> list[LoggedDocument]:
    """What stands in the books under our key by now is not posted; returns the rest.

    The books, or the log, were put back since it was planned. Only what a person asked for is posted beside
    an older generation.
    """
    asked = {issue.key for issue in plan.issues if issue.code == "posted_again"}
    rest = []
    for start in range(0, len(waiting), ASKED_AT_ONCE):
        rows = waiting[start : start + ASKED_AT_ONCE]
        for row, holds in zip(rows, look(rows, company), strict=True):
            standing = living(row.document, holds or (), company.capabilities)
            if not _stands_already(row, standing, company, log, beside=row.key in asked):
                rest.append(row)
    return rest


def _stands_already(
    row: LoggedDocument,
    standing: Sequence[StoredDocument],
    company: Connector,
    log: PushLog,
    *,
    beside: bool,
) -> bool:
    """Write down that a document stands in the books before it was sent; whether it does."""
    document = row.document
    for stored in standing:
        if stored.token == document.token:
            why = {"place": stored.place, "reason": FOUND}
            issues = differences(document, stored)
            log.mark(document, arrived(company), batch=row.batch, issues=issues, **why)
            return True
    if beside or not standing:
        return False
    reason = f"{STANDS_BY_NOW}: {standing[0].place}. Plan or compare again"
    log.mark(document, "refused", batch=row.batch, reason=reason)
    return True


def look_again(plan: Plan, company: Connector, connectwise: ConnectWise, log: PushLog) -> None:
    """What the batch will rely on stands in the books still: what joins it, and what was posted earlier.

    A document that was voided, deleted or changed since stays out of the batch, unless it is made already.
    """
    known = log.batch(plan.batch)
    if known is None or known.state not in ("planned", "creating"):
        return
    if known.state == "creating" and connectwise.find_batch(plan.batch) is not None:
        return
    logged = log.documents(plan.batch, states={"joining", *ARRIVED})
    # A person's word about what the company cannot show is not questioned.
    rows = [row for row in logged if not row.reason.startswith(A_PERSON_SAID)]
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
