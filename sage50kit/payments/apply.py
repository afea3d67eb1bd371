"""Apply a payment plan to ConnectWise; read it from top to bottom.

    claim    one at a time per company
    begin    every intent, and every invoice that is touched, is on disk before anything is sent
    post     payments of the portal into Sage, one receipt at a time
    send     up to eight writes at a time; silence and refusals are settled by looking at once
    settle   what stands in ConnectWise now, or why it waits for its next try
    end      the cursor moves over what was read whole

After a crash at any line, plan and apply again: what was begun is looked up before anything is sent.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from itertools import islice
from threading import Event
from typing import TYPE_CHECKING

from sage50kit.batch.push import hold
from sage50kit.errors import (
    ConnectWiseError,
    ConnectWiseRejected,
    ConnectWiseUnavailable,
    ConnectWiseUnreadable,
    UsageError,
)
from sage50kit.issues import finding
from sage50kit.money import ZERO, text
from sage50kit.payments import portal
from sage50kit.payments.model import Change, Outcome, Waiting, Written
from sage50kit.payments.report import PaymentReport

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Generator, Iterator, Sequence

    from sage50kit.connectors.base import Connector
    from sage50kit.connectwise.payments import InvoicePayments
    from sage50kit.payments.model import Carried, PaymentPlan
    from sage50kit.payments.record import PaymentRecord
    from sage50kit.pushlog import PushLog

_FRESH_SECONDS = 60.0  # a plan older than this is looked at again before anything is sent
_TOGETHER = 64  # writes whose outcomes are recorded in one transaction


def apply(
    plan: PaymentPlan,
    *,
    company: Connector,
    connectwise: InvoicePayments,
    log: PushLog,
    record: PaymentRecord,
    cash_account_id: str = "",
    progress: Callable[[int, int], None] | None = None,
) -> PaymentReport:
    """Write the payments of `plan`, each once, and move the cursor.

    Args:
        plan: what to do.
        company: whose receipts they are.
        connectwise: where the payments are written.
        log: the push log of the company, which is claimed.
        record: what it says of payments.
        cash_account_id: debited with payments of the portal; "" for the company's usual one.
        progress: called with (payments done, payments in all).

    Raises:
        PushInProgress: somebody else holds the company.
        UsageError: the plan was made for another pair.
    """
    if (plan.site, plan.company) != (connectwise.client.name, company.name):
        raise UsageError(
            f"this plan was made for {plan.site} and {plan.company}. Plan again with this profile."
        )
    with hold(company, log):
        record.begin(plan)
        postings = []
        ready = _still_ready(plan, company, connectwise, record)
        for wanted in plan.portal:
            posting = (
                portal.post(wanted, company=company, cash_account_id=cash_account_id)
                if wanted in ready
                else portal.not_posted(wanted)
            )
            record.settle_portal(posting)
            postings.append(posting)
        changes, outcomes = _still_so(plan, connectwise)
        if outcomes:
            record.settle(outcomes)
        for part in _sent(changes, connectwise):
            record.settle(part)
            outcomes += part
            if progress is not None:
                progress(len(outcomes), len(plan.changes))
        moved = record.end(plan)
    return PaymentReport(
        plan=plan, outcomes=tuple(outcomes), postings=tuple(postings), cursor_moved=moved
    )


def _is_fresh(plan: PaymentPlan) -> bool:
    # By the clock on the wall: the monotonic one stands still while a computer sleeps.
    return abs(time.time() - plan.made) < _FRESH_SECONDS


def _still_ready(
    plan: PaymentPlan, company: Connector, connectwise: InvoicePayments, record: PaymentRecord
) -> Collection[Carried]:
    """The payments of the portal that are as the plan saw them."""
    if _is_fresh(plan):
        return plan.portal
    return portal.still_ready(plan.portal, record.known(), company=company, connectwise=connectwise)


def _still_so(
    plan: PaymentPlan, connectwise: InvoicePayments
) -> tuple[list[Change], list[Outcome]]:
    """The changes whose invoice shows what the plan saw; a plan that was thought over is looked at again."""
    if _is_fresh(plan):
        return list(plan.changes), []
    ids = [row.base.invoice_id for row in plan.changes]
    there = {row.id: row.payments or ZERO for row in connectwise.by_id(ids)}
    moved = [row for row in plan.changes if there.get(row.base.invoice_id) != row.base.there]
    return [row for row in plan.changes if row not in moved], [
        _waits(
            row,
            "payment_moved_on",
            written=row.base,
            before=text(row.base.there),
            there=text(there.get(row.base.invoice_id, ZERO)),
        )
        for row in moved
    ]


def _sent(changes: Sequence[Change], connectwise: InvoicePayments) -> Iterator[list[Outcome]]:
    """The outcomes of all writes, in groups; nothing more is tried once ConnectWise takes no more."""
    gone = Event()

    def one(change: Change) -> Outcome:
        if gone.is_set():
            return _waits(
                change, "payment_unanswered", "it took nothing more by then", written=change.base
            )
        return _send(change, connectwise, gone)

    # While a group is recorded, the next ones are on their way; if recording fails, the rest is not sent.
    with closing(_each(connectwise.requests_at_once, one, changes)) as ended:
        while part := list(islice(ended, _TOGETHER)):
            yield part


def _each(
    at_once: int, one: Callable[[Change], Outcome], changes: Sequence[Change]
) -> Generator[Outcome, None, None]:
    """The outcomes in order; what has not begun when this is closed never begins."""
    if at_once == 1:
        yield from map(one, changes)
        return
    with ThreadPoolExecutor(at_once) as pool:
        waiting = [pool.submit(one, change) for change in changes]
        try:
            for future in waiting:
                yield future.result()
        finally:
            for future in waiting:
                future.cancel()


def _send(change: Change, connectwise: InvoicePayments, gone: Event) -> Outcome:
    try:
        return Outcome(change=change, written=_write(change, connectwise))
    except ConnectWiseUnavailable as error:
        if error.sent:
            return _look(change, connectwise, error)
        gone.set()
        return _waits(change, "payment_unanswered", str(error), written=change.base)
    except ConnectWiseUnreadable as error:
        return _look(change, connectwise, error)
    except ConnectWiseRejected as error:
        # A proxy may have sent it twice, and a 404 may be that of an address: what stands there decides.
        return _look(change, connectwise, error, refused=True)
    except ConnectWiseError as error:
        return _waits(change, "payment_refused", str(error), written=change.base)


def _write(change: Change, connectwise: InvoicePayments) -> Written:
    base = change.base
    if change.do == "create":
        assert change.on is not None  # noqa: S101  # an amount has a date
        payment_id = connectwise.create(base.invoice_id, change.amount, change.on)
        return replace(change.after, payment_id=payment_id)
    assert base.payment_id is not None  # noqa: S101  # what is changed exists
    if change.do == "delete":
        connectwise.delete(base.invoice_id, base.payment_id)
    else:
        assert change.on is not None  # noqa: S101
        connectwise.change(base.invoice_id, base.payment_id, change.amount, change.on)
    return change.after


def _look(
    change: Change, connectwise: InvoicePayments, why: ConnectWiseError, *, refused: bool = False
) -> Outcome:
    """After silence or a refusal: whether it stands there. What else is found waits for the next plan."""
    code = "payment_refused" if refused else "payment_unanswered"
    others = {row.payment_id for row in change.base.foreign}
    try:
        rows = [row for row in connectwise.of(change.base.invoice_id) if row.id not in others]
    except ConnectWiseError as error:
        return _waits(change, code, f"{why} {error}")
    if change.do == "delete" and change.base.payment_id not in {row.id for row in rows}:
        return Outcome(change=change, written=change.after)
    for row in rows:
        same = (row.amount, row.payment_date) == (change.amount, change.on)
        if same and change.do != "delete" and change.base.payment_id in (None, row.id):
            return Outcome(change=change, written=replace(change.after, payment_id=row.id))
    return _waits(change, code, str(why), written=change.base if refused else None)


def _waits(
    change: Change, code: str, why: str = "", *, written: Written | None = None, **words: str
) -> Outcome:
    """`written` is what is known to stand there; without it the intent stays open."""
    key, value = f"payment:{change.number}", text(change.amount)
    issue = finding(code, key=key, number=change.number, value=value, why=why, **words)
    base = change.base
    waits = Waiting(
        customer_id=base.customer_id, number=base.number, code=code, reason=issue.message
    )
    return Outcome(change=change, written=written, waits=waits, issue=issue)
