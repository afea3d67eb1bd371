"""The nouns of a payment sync: what was read, what is known, what will be done."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date  # noqa: TC003  # msgspec reads the annotations
from decimal import Decimal  # noqa: TC003
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from sage50kit.model import fold, token
from sage50kit.money import ZERO, total

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sage50kit.issues import Issue
    from sage50kit.model import Application

Key: TypeAlias = tuple[str, str]  # customer ID and invoice number, as Sage compares them
Way: TypeAlias = Literal["changes", "compared", "full", "restored"]


def key_of(customer_id: str, number: str) -> Key:
    """What Sage knows an invoice by: numbers are unique for a customer only."""
    return fold(customer_id), fold(number)


def portal_reference(payment_id: int) -> str:
    """The reference of the receipt of a portal payment: `CW-P63`."""
    return token(f"payment:{payment_id}")


@dataclass(frozen=True, kw_only=True)
class Paid:
    """What stands in the books against one invoice."""

    customer_id: str
    number: str
    applications: tuple[Application, ...] = ()  # oldest first

    @cached_property
    def key(self) -> Key:
        """See `key_of`."""
        return key_of(self.customer_id, self.number)

    @cached_property
    def standing(self) -> tuple[Application, ...]:
        """The applications without those that a reversal took back, and without the reversals."""
        kept = [row for row in self.applications if row.applied >= 0]
        for row in (row for row in self.applications if row.applied < 0):
            same = [one for one in kept if (one.applied, one.kind) == (-row.applied, row.kind)]
            named = [one for one in same if one.place in (row.reverses, row.place)]
            before = named or [one for one in same if one.date <= row.date]
            if before:
                kept.remove(min(before, key=lambda one: one.date))
            else:
                kept.append(row)
        return tuple(kept)

    @cached_property
    def money(self) -> Decimal:
        """Dollars of receipts, discounts taken among them."""
        return total(row.applied for row in self.applications if row.kind == "receipt")

    @cached_property
    def credit(self) -> Decimal:
        """Dollars of credit memos."""
        return total(row.applied for row in self.applications if row.kind == "credit_memo")

    @cached_property
    def credit_at_most(self) -> Decimal:
        """The same with what a receipt may have credited here, though it counts as money."""
        return self.credit + total(row.may_be_credit for row in self.applications)

    @cached_property
    def latest(self) -> date | None:
        """The date of the latest application that stands."""
        return max((row.date for row in self.standing), default=None)

    def reached(self, amount: Decimal) -> date | None:
        """The day since which at least `amount` dollars are applied; None while they are not."""
        sum_, since = ZERO, None
        for row in sorted(self.standing, key=lambda row: row.date):
            sum_ += row.applied
            since = (since or row.date) if sum_ >= amount else None
        return since


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreign:
    """A payment row of an invoice that we did not write."""

    payment_id: int
    amount: Decimal
    kind: Literal["typed", "portal", "credit"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """A write that was begun: what our row would be afterwards; 0.00 is none."""

    amount: Decimal
    on: date | None


@dataclass(frozen=True, kw_only=True)
class Written:
    """What we last wrote to one ConnectWise invoice, and what else was there."""

    invoice_id: int
    customer_id: str
    number: str
    payment_id: int | None = None
    amount: Decimal = ZERO
    on: date | None = None
    foreign: tuple[Foreign, ...] = ()
    intent: Intent | None = None  # of a write whose outcome is not known

    @cached_property
    def key(self) -> Key:
        """See `key_of`."""
        return key_of(self.customer_id, self.number)

    @cached_property
    def there(self) -> Decimal:
        """What `payments` of the invoice is while nobody else changes it."""
        return self.amount + total(row.amount for row in self.foreign)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """An invoice that waits for its next try, with the reason."""

    customer_id: str
    number: str
    code: str = ""
    reason: str = ""

    @property
    def key(self) -> Key:
        """See `key_of`."""
        return key_of(self.customer_id, self.number)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A receipt or credit memo as it was last read: a digest, and the invoices it paid then."""

    place: str
    digest: str
    pays: tuple[tuple[str, str], ...]  # customer ID, invoice number


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """A payment of ConnectWise's portal that is, or is to be, a receipt in Sage 50.

    `sending` until the company has answered; `place` is where the receipt stands.
    """

    payment_id: int
    invoice_id: int
    customer_id: str
    number: str
    amount: Decimal
    on: date
    state: Literal["sending", "posted"] = "sending"
    place: str = ""

    @property
    def reference(self) -> str:
        """Our key, as the receipt carries it."""
        return portal_reference(self.payment_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far was read: the last cursor, the one before it, and how many runs there were.

    `seen` is the furthest place that any run was told of, also one that left the cursor where it was: if the
    books do not know it any more, they were restored, and lack what that run wrote to ConnectWise.
    """

    cursor: str = ""
    overlap: str = ""  # where the next incremental read begins
    seen: str = ""
    runs: int = 0


@dataclass(frozen=True, kw_only=True)
class Known:
    """What the log knows of payments, all of it."""

    written: tuple[Written, ...] = ()
    waiting: tuple[Waiting, ...] = ()
    sources: Mapping[str, Source] = field(default_factory=dict)
    progress: Progress = field(default_factory=Progress)
    carried: tuple[Carried, ...] = ()

    @cached_property
    def by_key(self) -> dict[Key, Written]:
        """What was written, by Sage's invoice."""
        return {row.key: row for row in self.written}

    @cached_property
    def by_id(self) -> dict[int, Written]:
        """What was written, by ConnectWise's invoice."""
        return {row.invoice_id: row for row in self.written}


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What was read from the company.

    `cursor` is where the next one may begin; "" where this one says nothing about it. `seen` is the place
    that the company named, whatever this run makes of it. `sources` are those that are not as they were
    last read.
    """

    known: Progress  # before this reading
    way: Way
    start: str
    complete: bool
    cursor: str
    paid: tuple[Paid, ...]  # of every invoice to look at, also of those that nothing pays now
    sources: tuple[Source, ...]
    gone: tuple[str, ...] = ()  # places of sources that stand no longer
    receipts: int = 0
    issues: tuple[Issue, ...] = ()
    seen: str = ""

    def __repr__(self) -> str:
        """Short, for notebooks and logs."""
        return f"<Reading since {self.start}: {self.receipts} receipts, {len(self.paid)} invoices>"

    def _repr_html_(self) -> str:
        return str(self.frame().to_html(index=False, na_rep=""))

    def frame(self) -> Any:
        """What stands in Sage against the invoices to look at: one row an invoice."""
        from sage50kit.payments.report import paid_frame

        return paid_frame(self.paid)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One write: our payment of one invoice as it will be."""

    do: Literal["create", "change", "delete"]
    base: Written  # our row as it stands before
    amount: Decimal
    on: date | None  # what is sent: the date of the latest application
    paid_on: date | None  # the day on which the balance came to zero
    total: Decimal

    @property
    def number(self) -> str:
        """The invoice, as people call it."""
        return self.base.number

    @property
    def after(self) -> Written:
        """Our row once it is written; a new one has no id yet."""
        payment_id = self.base.payment_id if self.amount else None
        return replace(
            self.base, payment_id=payment_id, amount=self.amount, on=self.on, intent=None
        )

    @property
    def begun(self) -> Written:
        """Our row while nobody knows whether it was written."""
        return replace(self.base, intent=Intent(amount=self.amount, on=self.on))


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a write ended.

    `written` is what stands in ConnectWise now, None while nobody knows; `waits` says why it is to be
    tried again, None when it is done.
    """

    change: Change
    written: Written | None = None
    waits: Waiting | None = None
    issue: Issue | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Posting:
    """How the posting of a portal payment ended; None for `receipt`: it is not in the books."""

    wanted: Carried
    receipt: Carried | None = None
    issue: Issue | None = None


@dataclass(frozen=True, kw_only=True)
class Portal:
    """What the portal's payments come to: to be posted, found in the books after silence, in the way."""

    ready: tuple[Carried, ...] = ()
    arrived: tuple[Carried, ...] = ()
    issues: tuple[Issue, ...] = ()


@dataclass(frozen=True, kw_only=True)
class PaymentPlan:
    """Frozen intent: the payments to be written, those that wait, and how far was read."""

    site: str
    company: str
    reading: Reading
    changes: tuple[Change, ...] = ()
    waiting: tuple[Waiting, ...] = ()
    seen: tuple[Written, ...] = ()  # what was found out without a write
    portal: tuple[Carried, ...] = ()  # to become receipts in Sage
    arrived: tuple[Carried, ...] = ()  # found there, though nobody had answered
    unchanged: int = 0
    issues: tuple[Issue, ...] = ()
    made: float = 0.0  # seconds since 1970

    def __repr__(self) -> str:
        """Short, for notebooks and logs."""
        return (
            f"<PaymentPlan: {len(self.changes)} changes, {self.unchanged} unchanged, "
            f"{len(self.waiting)} waiting, {len(self.issues)} findings>"
        )

    def _repr_html_(self) -> str:
        return str(self.frame().to_html(index=False, na_rep=""))

    def frame(self) -> Any:
        """The changes as a frame: one row an invoice."""
        from sage50kit.payments.report import changes_frame

        return changes_frame(self.changes)
