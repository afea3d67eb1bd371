"""Look the invoices up, decide about each, and freeze what will be written; nothing is written here."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from sage50kit.collector import collector_paused
from sage50kit.errors import (
    ConnectWiseRejected,
    ConnectWiseUnavailable,
    ConnectWiseUnreadable,
)
from sage50kit.issues import Issue, finding
from sage50kit.model import fold
from sage50kit.payments.deciding import Case, Decision, decide, needs_look, seen
from sage50kit.payments.matching import by_number, joined, match
from sage50kit.payments.model import PaymentPlan, Portal, Waiting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from sage50kit.connectwise import wire
    from sage50kit.connectwise.payments import InvoicePayments
    from sage50kit.payments.model import Key, Known, Paid, Reading

NOTHING = Portal()


@collector_paused()
def plan(
    reading: Reading,
    known: Known,
    *,
    connectwise: InvoicePayments,
    site: str,
    company: str,
    currency: str,
    portal: Portal = NOTHING,
    origins: Callable[[], Mapping[Key, int]] = dict,
) -> PaymentPlan:
    """What has to be written so that ConnectWise shows what Sage says.

    Args:
        reading: what the company says.
        known: what our log says.
        connectwise: where the invoices are looked up.
        site: name of the site.
        company: name of the company.
        currency: of the company.
        portal: what `portal.listed` says.
        origins: tells from which ConnectWise invoice each invoice of the books came; called only where
            ConnectWise has no invoice of a number that was paid.
    """
    matched, unmatched = _matched(reading.paid, known, connectwise)
    renumbered, unmatched = _renumbered(unmatched, connectwise, origins)
    matched += renumbered
    cases = [
        Case(
            paid=paid,
            invoice=invoice,
            written=known.by_id.get(invoice.id),
            currency=currency,
        )
        for paid, invoice in joined(matched)
    ]
    cases, unread = _looked_at(cases, connectwise)
    unmatched += unread
    decisions = [(case, decide(case)) for case in cases]
    changes = [row.change for _, row in decisions if row.change is not None]
    waiting = [_waiting(paid, issue) for paid, issue in unmatched]
    waiting += [_waits(case, row) for case, row in decisions if row.waits]
    return PaymentPlan(
        site=site,
        company=company,
        reading=reading,
        changes=tuple(sorted(changes, key=lambda row: row.number)),
        waiting=tuple(waiting),
        seen=tuple(seen(case) for case in cases if case.rows is not None),
        made=time.time(),
        portal=portal.ready,
        arrived=portal.arrived,
        unchanged=sum(row.change is None and not row.waits for _, row in decisions),
        issues=(
            *reading.issues,
            *portal.issues,
            *(issue for _, issue in unmatched),
            *(issue for _, row in decisions for issue in row.issues),
        ),
    )


def _matched(
    paid: Iterable[Paid], known: Known, connectwise: InvoicePayments
) -> tuple[list[tuple[Paid, wire.Invoice]], list[tuple[Paid, Issue]]]:
    """Every invoice by its id where we know it, the others by number and customer."""
    links = {row.key: known.by_key[row.key].invoice_id for row in paid if row.key in known.by_key}
    by_id = {row.id: row for row in connectwise.by_id(sorted(set(links.values())))}
    matched, strangers = [], []
    for row in paid:
        invoice = by_id.get(links.get(row.key, 0))
        if invoice is None:
            strangers.append(row)
        else:
            matched.append((row, invoice))
    numbers = sorted({row.number.strip() for row in strangers} - {""})
    found = by_number(connectwise.by_number(numbers))
    unmatched = []
    for row in strangers:
        answer = match(row, found.get(fold(row.number), ()))
        if isinstance(answer, Issue):
            unmatched.append((row, answer))
        else:
            matched.append((row, answer))
    # What nothing pays and nobody ever wrote to needs no match.
    return matched, [(row, issue) for row, issue in unmatched if row.applications]


def _renumbered(
    unmatched: list[tuple[Paid, Issue]],
    connectwise: InvoicePayments,
    origins: Callable[[], Mapping[Key, int]],
) -> tuple[list[tuple[Paid, wire.Invoice]], list[tuple[Paid, Issue]]]:
    """Invoices whose number was changed in the books, by the key that they carry; and those left over.

    The customer has to be the same: else a person has to look.
    """
    unknown = [row for row, issue in unmatched if issue.code == "payment_invoice_unknown"]
    ids = origins() if unknown else {}
    wanted = {ids[row.key] for row in unknown if row.key in ids}
    by_id = {row.id: row for row in connectwise.by_id(sorted(wanted))}
    found = [(row, by_id[ids[row.key]]) for row in unknown if ids.get(row.key) in by_id]
    same = [
        (row, one) for row, one in found if fold(one.account_number or "") == fold(row.customer_id)
    ]
    known = {row.key for row, _ in same}
    return same, [(row, issue) for row, issue in unmatched if row.key not in known]


def _looked_at(
    cases: Sequence[Case], connectwise: InvoicePayments
) -> tuple[list[Case], list[tuple[Paid, Issue]]]:
    """The cases, with the payment rows of those where the totals leave a doubt; and those without an answer."""
    doubtful = [case for case in cases if needs_look(case)]
    with ThreadPoolExecutor(connectwise.requests_at_once) as pool:
        answers = list(pool.map(partial(_look, connectwise=connectwise), doubtful))
    seen_or_not = {case.invoice.id: row for case, row in zip(doubtful, answers, strict=True)}
    found = [seen_or_not.get(case.invoice.id, case) for case in cases]
    unread = [
        (case.paid, row)
        for case, row in zip(doubtful, answers, strict=True)
        if isinstance(row, Issue)
    ]
    return [row for row in found if isinstance(row, Case)], unread


def _look(case: Case, *, connectwise: InvoicePayments) -> Case | Issue:
    """The case with its payment rows; one invoice that cannot be read does not stop the others.

    Raises:
        ConnectWiseError: it is not the invoice: nobody answers, or the member lacks the right.
    """
    try:
        return replace(case, rows=connectwise.of(case.invoice.id))
    except (ConnectWiseRejected, ConnectWiseUnreadable, ConnectWiseUnavailable) as error:
        if isinstance(error, ConnectWiseUnavailable) and error.status in (0, 429):
            raise
        number = case.invoice.invoice_number or case.paid.number
        return finding("payment_unread", key=f"payment:{number}", number=number, why=str(error))


def _waits(case: Case, decision: Decision) -> Waiting:
    issue = next(row for row in decision.issues if row.code == decision.waits)
    return _waiting(case.paid, issue)


def _waiting(paid: Paid, issue: Issue) -> Waiting:
    return Waiting(
        customer_id=paid.customer_id,
        number=paid.number,
        code=issue.code,
        reason=issue.message,
    )
