"""One receivable as each system sees it at the end of a day: billed in ConnectWise, booked in Sage 50."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sage50kit.model import token
from sage50kit.money import ZERO, total
from sage50kit.payments.model import key_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date
    from decimal import Decimal

    from sage50kit.connectwise.wire import Invoice, InvoicePayment
    from sage50kit.model import Receivable
    from sage50kit.payments.model import Key


_OURS = token("invoice:0").removesuffix("0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Billed:
    """An invoice or credit memo of ConnectWise; dollars, credit memos negative.

    `paid` and `credited` are what took something off it up to the day, `paid_later` after it. Credits have
    no date in ConnectWise: all of them count.
    """

    invoice_id: int
    number: str
    customer_id: str
    customer: str
    due_date: date | None
    date: date | None
    total: Decimal
    paid: Decimal = ZERO
    credited: Decimal = ZERO
    paid_later: Decimal = ZERO
    batch: str = ""  # the number of its ConnectWise batch
    is_closed: bool = True
    is_later: bool = False  # dated after the day

    @property
    def key(self) -> str:
        """Its identity across systems."""
        return f"invoice:{self.invoice_id}"

    @property
    def open(self) -> Decimal:
        """What is left of it at the end of the day."""
        return ZERO if self.is_later else self.total - self.paid - self.credited


@dataclass(frozen=True, slots=True, kw_only=True)
class Booked:
    """A sales invoice, credit memo or receipt of Sage 50; dollars, the last two negative."""

    place: str
    type: str
    number: str
    customer_id: str
    due_date: date | None
    date: date
    account_id: str
    total: Decimal
    paid: Decimal = ZERO
    credited: Decimal = ZERO
    settled_later: Decimal = ZERO
    open: Decimal = ZERO
    token: str = ""
    voided: bool = False
    is_later: bool = False
    settled_by: tuple[str, ...] = ()  # places of receipts, credit memos and reversals

    @property
    def is_ours(self) -> bool:
        """Whether it carries the key of a ConnectWise invoice."""
        return self.token.startswith(_OURS)


def billed(
    invoices: Iterable[Invoice],
    payments: Mapping[int, Sequence[InvoicePayment]],
    *,
    as_of: date,
) -> list[Billed]:
    """Invoices of ConnectWise as of a day.

    Args:
        invoices: as the list shows them.
        payments: payment rows by invoice id, of the invoices that need it; what is paid of the others
            counts as paid by the day.
        as_of: the day.
    """
    return [_billed(row, payments.get(row.id, ()), as_of) for row in invoices]


def _billed(row: Invoice, payments: Sequence[InvoicePayment], as_of: date) -> Billed:
    whole, paid = row.total or ZERO, row.payments or ZERO
    left = whole - paid - (row.credits or ZERO) if row.balance is None else row.balance
    later = total(
        each.amount or ZERO
        for each in payments
        if each.payment_date is not None and each.payment_date > as_of
    )
    return Billed(
        invoice_id=row.id,
        number=row.invoice_number or str(row.id),
        customer_id=row.account_number or "",
        customer=(row.company.name or "") if row.company else "",
        date=row.date,
        due_date=row.due_date,
        total=whole,
        paid=paid - later,
        credited=whole - paid - left,  # whatever else ConnectWise took off
        paid_later=later,
        batch=(row.gl_batch.name or str(row.gl_batch.id)) if row.gl_batch else "",
        is_closed=row.status is None or row.status.is_closed is not False,
        is_later=row.date is not None and row.date > as_of,
    )


def origins(receivables: Iterable[Receivable]) -> dict[Key, int]:
    """From which ConnectWise invoice each sales invoice came: the key that it carries tells."""
    found = {}
    for row in receivables:
        identity = row.token.removeprefix(_OURS).partition(".")[0]
        stands = row.type == "sales_invoice" and not row.voided
        if stands and row.token.startswith(_OURS) and identity.isdigit():
            found[key_of(row.party_id, row.reference)] = int(identity)
    return found


def booked(receivables: Iterable[Receivable], *, as_of: date) -> list[Booked]:
    """Receivables of Sage 50 as of a day; a reversal is part of what it reversed."""
    return [_booked(row, as_of) for row in receivables]


def _booked(row: Receivable, as_of: date) -> Booked:
    by_day = [each for each in row.settled if each.on <= as_of]
    return Booked(
        place=row.place,
        type=row.type,
        number=row.reference,
        customer_id=row.party_id,
        date=row.posting_date,
        due_date=row.due_date,
        account_id=row.account_id,
        total=row.amount,
        paid=total(each.amount for each in by_day if each.kind != "credit"),
        credited=total(each.amount for each in by_day if each.kind == "credit"),
        settled_later=total(each.amount for each in row.settled if each.on > as_of),
        open=row.open_on(as_of),
        token=row.token,
        voided=row.voided,
        is_later=row.posting_date > as_of,
        settled_by=tuple(dict.fromkeys(each.place for each in row.settled)),
    )
