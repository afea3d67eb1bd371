"""What our payment of one invoice has to be; no clock, no network (design 9.13).

    what Sage says       receipts and credits that stand; a credit that ConnectWise applied too counts once
    less what is there   portal payments that are receipts in Sage already
    never more           than the total, less ConnectWise's own credits and all rows of other origin

A row of other origin is never changed. Where one stands and the sums disagree, that is a finding with
both amounts, and nothing is written.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING

from sage50kit.issues import finding
from sage50kit.model import fold
from sage50kit.money import ZERO, text, total
from sage50kit.payments.model import Change, Foreign, Written, portal_reference

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from decimal import Decimal

    from sage50kit.connectwise import wire
    from sage50kit.issues import Issue
    from sage50kit.payments.model import Paid

_FIRST_DAY = date(1900, 1, 1)  # the SDK gives 0001-01-01 for a date that is not there


@dataclass(frozen=True, kw_only=True)
class Case:
    """One invoice, from both sides.

    Args:
        paid: what stands in the books.
        invoice: as ConnectWise has it.
        written: what our log says of it.
        rows: its payment rows, where somebody looked.
        currency: of the company.
    """

    paid: Paid
    invoice: wire.Invoice
    written: Written | None = None
    rows: Sequence[wire.InvoicePayment] | None = None
    currency: str = "USD"

    @cached_property
    def whole(self) -> Decimal:
        """The total of the invoice."""
        return self.invoice.total or ZERO

    @cached_property
    def credits(self) -> Decimal:
        """What ConnectWise itself applied to it."""
        rows = self.foreign if self.rows is not None or self.written else ()
        return (self.invoice.credits or ZERO) + _sum(rows, "credit")

    @cached_property
    def foreign(self) -> tuple[Foreign, ...]:
        """The rows of other origin: as somebody saw them now, or as they were remembered."""
        if self.rows is None:
            return self.written.foreign if self.written else ()
        ours = self.ours
        mine = ours.payment_id if ours else None
        return tuple(foreign_row(row) for row in self.rows if row.id != mine)

    @cached_property
    def foreign_money(self) -> Decimal:
        """Dollars of all rows of other origin that are no credits."""
        return total(row.amount for row in self.foreign if row.kind != "credit")

    @cached_property
    def ours(self) -> Written | None:
        """Our row as it stands in ConnectWise: seen now, or as we wrote it; None for none."""
        if self.rows is None:
            return self.written if self.written and self.written.payment_id is not None else None
        row = next((row for row in self.rows if self._is_ours(row)), None)
        if row is None:
            return None
        base = self.written or Written(invoice_id=self.invoice.id, customer_id="", number="")
        return replace(base, payment_id=row.id, amount=row.amount or ZERO, on=row.payment_date)

    def _is_ours(self, row: wire.InvoicePayment) -> bool:
        """By id; a row whose creation was not answered, by being exactly what was sent."""
        known = self.written
        if known is None or foreign_row(row).kind != "typed":
            return False
        if known.payment_id is not None or known.intent is None:
            return row.id == known.payment_id
        return (row.amount, row.payment_date) == (known.intent.amount, known.intent.on)

    @cached_property
    def counted(self) -> Decimal:
        """What Sage says is paid, a credit that ConnectWise applied too only once."""
        both = min(self.paid.credit_at_most, self.credits)
        return self.paid.money + self.paid.credit - both

    @cached_property
    def wanted(self) -> Decimal:
        """What our row has to say, before any limit."""
        return self.counted - _carried(self)

    @cached_property
    def room(self) -> Decimal:
        """The most that our row may say."""
        return max(self.whole - self.credits - self.foreign_money, ZERO)


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What follows for an invoice; `waits` is the code of what it waits for."""

    change: Change | None = None
    issues: tuple[Issue, ...] = ()
    waits: str = ""


def needs_look(case: Case) -> bool:
    """Whether the payment rows have to be read: only where the totals leave a doubt."""
    there = case.invoice.payments or ZERO
    if case.written is None:
        return there != ZERO and there != case.counted
    if case.written.intent is not None or there != case.written.there:
        return True
    return bool(case.foreign) and case.wanted != case.written.amount


def decide(case: Case) -> Decision:
    """The change that brings ConnectWise to what Sage says, or why there is none."""
    if problem := _unusable(case):
        return Decision(issues=(problem,), waits=problem.code)
    if case.written is None and case.rows is None and case.invoice.payments:
        return Decision()  # paid there by other rows, and exactly as much as Sage says
    strange = total(row.amount for row in case.foreign if _is_strange(row, case))
    ours = case.ours
    mine = ours.amount if ours else ZERO
    if strange or (case.foreign_money and not ours):
        return _beside_others(case, mine)
    amount = min(max(case.wanted, ZERO), case.room)
    on = case.paid.latest if amount else None
    issues = tuple(_findings(case, amount))
    if (mine, ours.on if ours and mine else None) == (amount, on) and (amount or not ours):
        return Decision(issues=issues)
    return Decision(change=_change(case, ours, amount, on), issues=issues)


def _beside_others(case: Case, mine: Decimal) -> Decision:
    """Rows of other origin are there: they agree with Sage, or a person has to look."""
    foreign = case.foreign_money
    if mine + foreign == min(case.counted, case.whole - case.credits):
        return Decision()
    issue = _issue(
        "payment_conflict",
        case,
        value=text(case.counted),
        there=text(mine + foreign),
        foreign=text(foreign),
    )
    return Decision(issues=(issue,), waits=issue.code)


def seen(case: Case) -> Written:
    """Our row and the others as they stand, as far as it is known."""
    base = case.ours or Written(invoice_id=case.invoice.id, customer_id="", number="")
    return replace(
        base,
        customer_id=case.paid.customer_id,
        number=case.paid.number,
        foreign=case.foreign,
        intent=None,
    )


def _change(case: Case, ours: Written | None, amount: Decimal, on: date | None) -> Change:
    fully = amount == case.room and amount > 0
    elsewhere = case.paid.money + case.paid.credit - case.wanted  # counted by other rows
    return Change(
        do="create" if ours is None else "change" if amount else "delete",
        base=seen(case),
        amount=amount,
        on=on,
        paid_on=case.paid.reached(amount + elsewhere) if fully else None,
        total=case.whole,
    )


def _unusable(case: Case) -> Issue | None:
    """What makes it impossible to say what is paid, if anything."""
    theirs = case.invoice.currency.currency_code if case.invoice.currency else ""
    for currency in (*(row.currency for row in case.paid.applications), theirs):
        if currency and currency.upper() != case.currency.upper():
            return _issue("payment_currency", case, value=currency, wanted=case.currency)
    for row in case.paid.applications:
        if row.date < _FIRST_DAY:
            return _issue("payment_date", case, value=row.reference or row.place, date=row.date)
    return None


def _findings(case: Case, amount: Decimal) -> Iterator[Issue]:
    if case.wanted < 0:
        yield _issue("payment_negative", case, value=text(case.wanted))
    if case.wanted > case.room:
        words = {"room": text(case.room), "total": text(case.whole)}
        yield _issue("payment_over", case, value=text(case.counted), **words)
    known = case.written
    if case.rows is None or known is None or known.intent or known.payment_id is None:
        return
    there = case.ours.amount if case.ours else ZERO
    if there not in (known.amount, amount):
        yield _issue("payment_restored", case, value=text(there), wanted=text(amount))


def _issue(code: str, case: Case, **words: object) -> Issue:
    number = case.invoice.invoice_number or case.paid.number
    return finding(code, key=f"payment:{number}", number=number, **words)  # type: ignore[arg-type]


def foreign_row(row: wire.InvoicePayment) -> Foreign:
    """A payment row of ConnectWise as one of other origin, with its kind."""
    portal = row.wise_pay_payment is not None
    kind = "portal" if portal else "typed" if (row.type or "P") == "P" else "credit"
    return Foreign(payment_id=row.id, amount=row.amount or ZERO, kind=kind)  # type: ignore[arg-type]


def _is_strange(row: Foreign, case: Case) -> bool:
    """Money of other origin that is no receipt in Sage."""
    return row.kind != "credit" and not _is_carried(row, case)


def _is_carried(row: Foreign, case: Case) -> bool:
    """Whether a portal payment pays this invoice in Sage too, as the receipt that the kit made of it."""
    reference = fold(portal_reference(row.payment_id))
    references = {fold(one.reference) for one in case.paid.standing}
    return row.kind == "portal" and reference in references


def _carried(case: Case) -> Decimal:
    return total(row.amount for row in case.foreign if _is_carried(row, case))


def _sum(rows: Sequence[Foreign], kind: str) -> Decimal:
    return total(row.amount for row in rows if row.kind == kind)
