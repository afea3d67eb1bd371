"""Payments of ConnectWise's portal become receipts in Sage 50, each exactly once.

    plan     what is listed, less what the log says was posted; what is in doubt is looked up by our key
    record   the intent, before anything is sent
    post     one receipt, applied to its invoice
    settle   posted here, or refused; silence stays `sending` and is looked up by the next plan

They cannot be batched over the API, so ConnectWise lists them for good and only our log and the key in
the receipt (`CW-P63`) guard them (design 9.13). The receipt is not echoed back: the portal's own row
stands for it. What a bookkeeper may have entered already is a person's to decide: its reference tells.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from sage50kit.errors import (
    ConnectWiseRejected,
    DocumentRefused,
    NotAuthorized,
    Sage50KitError,
)
from sage50kit.issues import finding
from sage50kit.model import Application, Receipt, fold
from sage50kit.money import text
from sage50kit.payments.model import Carried, Portal, Posting, key_of, portal_reference
from sage50kit.payments.receipts import paid_against

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from decimal import Decimal

    from sage50kit.connectors.base import Connector
    from sage50kit.connectwise import wire
    from sage50kit.connectwise.payments import InvoicePayments
    from sage50kit.issues import Issue
    from sage50kit.model import OpenItem
    from sage50kit.payments.model import Key, Known


def listed(
    known: Known,
    *,
    company: Connector,
    connectwise: InvoicePayments,
    today: date,
    cut_over: date | None = None,
) -> Portal:
    """What is to be posted, what was found in the books after silence, and what stands in the way.

    Args:
        known: what the log knows.
        company: where the receipts go.
        connectwise: lists the portal's payments.
        today: the day on which an invoice has to be open.
        cut_over: payments before this day are left alone; None for none.
    """
    posted = {row.payment_id: row for row in known.carried if row.state == "posted"}
    try:
        rows = connectwise.portal()
    except (NotAuthorized, ConnectWiseRejected) as error:
        unread = finding("portal_unread", key="portal", number="portal", why=str(error))
        return Portal(issues=(unread,))
    issues = list(_gone([posted[row.id] for row in rows if row.id in posted], company))
    new = [row for row in rows if row.id not in posted]
    early = [row for row in new if _is_early(row, cut_over)]
    if early:
        words = {"key": "portal", "number": "portal", "value": len(early)}
        issues.append(finding("portal_early", wanted=cut_over, **words))  # type: ignore[arg-type]
    new = [row for row in new if row not in early]
    currency = company.books().defaults.currency if new else ""
    wanted, incomplete = _wanted(new, known, connectwise, currency)
    issues += incomplete
    arrived = _looked_up(wanted, company)
    found = {row.payment_id for row in arrived}
    left = [row for row in wanted if row.payment_id not in found]
    items = company.open_items(as_of=today) if left else []
    open_items, entered = _open(items), _entered(left, items, company)
    ready = []
    for row in left:
        issue = _in_the_way(row, open_items) or _alike(row, entered)
        if issue is None:
            ready.append(row)
            open_items[key_of(row.customer_id, row.number)] -= row.amount
        else:
            issues.append(issue)
    return Portal(ready=tuple(ready), arrived=tuple(arrived), issues=tuple(issues))


def still_ready(
    planned: Sequence[Carried], known: Known, *, company: Connector, connectwise: InvoicePayments
) -> frozenset[Carried]:
    """Those of a plan that was thought over that are to be posted still, and with the same amount."""
    if not planned:
        return frozenset()
    again = listed(known, company=company, connectwise=connectwise, today=date.max)
    return frozenset(planned) & frozenset(again.ready)


def not_posted(wanted: Carried) -> Posting:
    """What is not as it was when the plan was made."""
    return Posting(wanted=wanted, issue=_issue("portal_moved_on", wanted))


def post(wanted: Carried, *, company: Connector, cash_account_id: str) -> Posting:
    """Post one receipt whose intent is recorded."""
    applied = Application(
        kind="receipt",
        place="",
        reference=wanted.reference,
        customer_id=wanted.customer_id,
        invoice=wanted.number,
        date=wanted.on,
        amount=wanted.amount,
    )
    receipt = Receipt(
        place="",
        customer_id=wanted.customer_id,
        reference=wanted.reference,
        date=wanted.on,
        amount=wanted.amount,
        applications=(applied,),
    )
    try:
        stored = company.post_receipt(receipt, cash_account_id=cash_account_id)
    except DocumentRefused as error:
        return Posting(wanted=wanted, issue=_issue("portal_refused", wanted, why=str(error)))
    except Sage50KitError as error:
        issue = _issue("portal_unanswered", wanted, why=str(error))
        return Posting(wanted=wanted, receipt=wanted, issue=issue)
    return Posting(wanted=wanted, receipt=replace(wanted, state="posted", place=stored.place))


def _is_early(row: wire.InvoicePayment, cut_over: date | None) -> bool:
    return cut_over is not None and row.payment_date is not None and row.payment_date < cut_over


def _wanted(
    rows: Sequence[wire.InvoicePayment], known: Known, connectwise: InvoicePayments, currency: str
) -> tuple[list[Carried], list[Issue]]:
    """The payments with what their invoices say; and those that say too little, or other money."""
    ids = {row.invoice.id for row in rows if row.invoice and row.invoice.id}
    invoices = {row.id: row for row in connectwise.by_id(sorted(ids))}
    wanted, issues = [], []
    for row in rows:
        invoice = invoices.get(row.invoice.id or 0) if row.invoice else None
        if invoice is None or not row.amount or row.payment_date is None:
            field = "invoice" if invoice is None else "date" if row.amount else "amount"
            name = f"portal payment {row.id}"
            issues.append(
                finding("portal_incomplete", key=f"payment:{row.id}", number=name, field=field)
            )
            continue
        there = known.by_id.get(invoice.id)  # the names that Sage has for it
        one = Carried(
            payment_id=row.id,
            invoice_id=invoice.id,
            customer_id=there.customer_id if there else invoice.account_number or "",
            number=there.number if there else invoice.invoice_number or "",
            amount=row.amount,
            on=row.payment_date,
        )
        theirs = invoice.currency.currency_code if invoice.currency else ""
        if theirs and theirs.upper() != currency.upper():
            issues.append(_issue("portal_currency", one, currency=theirs, wanted=currency))
        else:
            wanted.append(one)
    return wanted, issues


def _looked_up(wanted: Sequence[Carried], company: Connector) -> list[Carried]:
    """Those whose receipt is in the books already, also where the log was lost or nobody answered."""
    places = _places([row.reference for row in wanted], company)
    return [
        replace(row, state="posted", place=places[fold(row.reference)])
        for row in wanted
        if fold(row.reference) in places
    ]


def _places(references: Sequence[str], company: Connector) -> dict[str, str]:
    found = company.find_receipts(references) if references else []
    return {fold(row.reference): row.place for row in found}


def _gone(posted: Sequence[Carried], company: Connector) -> Iterator[Issue]:
    found = company.find_receipts([row.reference for row in posted]) if posted else []
    standing = {fold(row.reference) for row in found if row.state == "standing"}
    for row in posted:
        if fold(row.reference) not in standing:
            yield _issue("portal_gone", row, reference=row.reference)


def _open(items: Iterable[OpenItem]) -> dict[Key, Decimal]:
    return {
        key_of(row.party_id, row.reference): row.open_amount
        for row in items
        if row.type == "sales_invoice"
    }


def _entered(
    wanted: Sequence[Carried], items: Iterable[OpenItem], company: Connector
) -> list[tuple[Key, Decimal, str]]:
    """Money that a bookkeeper entered: the invoice that it pays ("" for none yet), dollars, reference."""
    if not wanted:
        return []
    pairs = [(row.customer_id, row.number) for row in wanted]
    pays = [
        (one.key, row.applied, row.reference)
        for one in paid_against(company, {key_of(*pair): pair for pair in pairs})
        for row in one.standing
        if row.kind == "receipt"
    ]
    pays += [
        (key_of(row.party_id, ""), -row.open_amount, row.reference)
        for row in items
        if row.type == "receipt"
    ]
    ours = fold(portal_reference(0)[:-1])
    return [row for row in pays if not fold(row[2]).startswith(ours)]


def _alike(row: Carried, entered: Iterable[tuple[Key, Decimal, str]]) -> Issue | None:
    """Somebody may have entered the same money by hand: it is not posted a second time by a guess."""
    keys = {key_of(row.customer_id, row.number), key_of(row.customer_id, "")}
    for key, amount, reference in entered:
        if key in keys and amount == row.amount:
            return _issue("portal_alike", row, there=reference, reference=row.reference)
    return None


def _in_the_way(row: Carried, open_items: Mapping[Key, Decimal]) -> Issue | None:
    if not row.customer_id:
        return _issue("portal_customer_missing", row)
    left = open_items.get(key_of(row.customer_id, row.number))
    if left is None:
        return _issue("portal_invoice_missing", row)
    if left < row.amount:
        return _issue("portal_open_differs", row, open=text(left))
    return None


def _issue(code: str, row: Carried, **words: str) -> Issue:
    named = {"key": f"payment:{row.number}", "number": row.number, "value": text(row.amount)}
    return finding(code, **named, **words)
