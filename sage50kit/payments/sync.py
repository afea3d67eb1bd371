"""The three steps of a payment sync, for one site and one company."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from sage50kit.connectwise.payments import InvoicePayments
from sage50kit.payments import planning, portal, receipts
from sage50kit.payments.apply import apply as _apply
from sage50kit.payments.receivables import origins
from sage50kit.payments.record import PaymentRecord
from sage50kit.payments.report import PaymentReport

if TYPE_CHECKING:
    from sage50kit.kit.ends import Ends
    from sage50kit.payments.model import PaymentPlan, Reading


def record_of(kit: Ends) -> PaymentRecord:
    """What the log of the company says of payments."""
    return PaymentRecord(kit.log, kit.company.name)


def fetch(kit: Ends, *, since: str, full: bool) -> Reading:
    """What Sage says was paid of the invoices whose receipts changed since a start."""
    today = date.today()  # noqa: DTZ011  # the person's day
    return receipts.read(kit.company, record_of(kit).known(), since=since, full=full, today=today)


def plan(kit: Ends, reading: Reading) -> PaymentPlan:
    """The payments that bring ConnectWise to what was read, and those of the portal to Sage."""
    known, connectwise = record_of(kit).known(), InvoicePayments(kit.connectwise.client)
    found = planning.NOTHING
    if kit.profile.payments.portal and kit.company.capabilities.posts_receipts:
        today = date.today()  # noqa: DTZ011
        found = portal.listed(
            known,
            company=kit.company,
            connectwise=connectwise,
            today=today,
            cut_over=kit.profile.push.cut_over,
        )
    return planning.plan(
        reading,
        known,
        connectwise=connectwise,
        site=kit.connectwise.name,
        company=kit.company.name,
        currency=kit.company.books().defaults.currency,
        portal=found,
        origins=lambda: origins(kit.company.receivables()),
    )


def preview(plan: PaymentPlan) -> PaymentReport:
    """What would be written."""
    return PaymentReport(plan=plan, is_preview=True)


def apply(kit: Ends, plan: PaymentPlan) -> PaymentReport:
    """Write the payments of a plan."""
    return _apply(
        plan,
        company=kit.company,
        connectwise=InvoicePayments(kit.connectwise.client),
        log=kit.log,
        record=record_of(kit),
        cash_account_id=kit.profile.payments.portal_cash_account,
        progress=kit.step("payments"),
    )
