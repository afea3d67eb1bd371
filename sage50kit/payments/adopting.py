"""Payments that another product wrote to ConnectWise become ours, by a person's word (design 9.13).

A payment that the kit did not write is never changed, so an invoice that was paid in part before the kit
came would stay as it is for good. Taken over at go-live, its payment follows Sage 50 from then on.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING

from sage50kit.batch.proof import money_frame
from sage50kit.connectwise import invoices
from sage50kit.errors import UsageError
from sage50kit.payments.deciding import foreign_row
from sage50kit.payments.model import Written
from sage50kit.payments.pairing import Pair, match
from sage50kit.payments.readings import places
from sage50kit.payments.receivables import billed, booked
from sage50kit.payments.record import PaymentRecord

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from decimal import Decimal

    import pandas as pd

    from sage50kit.connectwise.wire import InvoicePayment
    from sage50kit.kit.ends import Ends

_COLUMNS = ("key", "number", "customer_id", "customer", "date", "amount", "place", "why")


@dataclass(frozen=True, slots=True, kw_only=True)
class Adopted:
    """What another product paid of an invoice, in dollars; `why` says why it stays as it is."""

    key: str
    number: str
    customer_id: str
    customer: str
    amount: Decimal
    date: date | None = None
    place: str = ""
    why: str = ""
    written: Written | None = None


@dataclass(frozen=True, kw_only=True)
class Adoption:
    """The payments of other origin, those that are taken over first."""

    rows: tuple[Adopted, ...] = ()
    is_preview: bool = True

    @property
    def taken(self) -> tuple[Adopted, ...]:
        """Those that follow Sage 50 from now on."""
        return tuple(row for row in self.rows if row.written is not None)

    @cached_property
    def frame(self) -> pd.DataFrame:
        """One row an invoice; `why` is empty where its payment is taken over."""
        listed = [{name: getattr(row, name) for name in _COLUMNS} for row in self.rows]
        return money_frame(listed, list(_COLUMNS), ["amount"])

    def __repr__(self) -> str:
        """How many of each."""
        return f"<Adoption {len(self.taken)} payments, {len(self.rows) - len(self.taken)} left>"


def adopt_payments(kit: Ends, *, keys: Collection[str], dry_run: bool) -> Adoption:
    """Take over the payments of some invoices, or of all; ConnectWise and Sage 50 are only read.

    Args:
        kit: the pair.
        keys: of invoices; none for all.
        dry_run: record nothing.

    Raises:
        UsageError: a key without a payment of other origin.
        PushInProgress: a push holds the company.
    """
    if dry_run:
        return Adoption(rows=_found(kit, keys))
    with kit.log.claim():
        done = Adoption(rows=_found(kit, keys), is_preview=False)
        if rows := [row.written for row in done.taken if row.written is not None]:
            PaymentRecord(kit.log, kit.company.name).adopt(*rows)
        return done


def _found(kit: Ends, keys: Collection[str]) -> tuple[Adopted, ...]:
    """Every invoice that is paid by others, with what becomes of the payment."""
    client = kit.connectwise.client
    there = billed(invoices.invoices(client), {}, as_of=date.max)
    ours = PaymentRecord(kit.log, kit.company.name).known().by_id
    pairs = [
        pair
        for pair in match(
            there,
            booked(kit.company.receivables(), as_of=date.max),
            places(kit.log, [row.key for row in there]),
        )
        if pair.billed and pair.billed.paid and not _is_ours(ours.get(pair.billed.invoice_id))
    ]
    if unknown := sorted(set(keys) - {pair.billed.key for pair in pairs if pair.billed}):
        raise UsageError(f"{', '.join(unknown)} has no payment that another product wrote.")
    chosen = [pair for pair in pairs if pair.billed and (not keys or pair.billed.key in keys)]
    rows = invoices.payments(client, [one.billed.invoice_id for one in chosen if one.billed])
    found = [_adopted(one, rows[one.billed.invoice_id]) for one in chosen if one.billed]
    return tuple(sorted(found, key=lambda row: row.written is None))


def _is_ours(known: Written | None) -> bool:
    return known is not None and known.payment_id is not None


def _adopted(pair: Pair, rows: Sequence[InvoicePayment]) -> Adopted:
    one, other = pair.billed, pair.booked
    assert one is not None  # noqa: S101  # only such pairs are asked about
    words = {name: getattr(one, name) for name in ("key", "number", "customer_id", "customer")}
    why = _why_not(pair, rows)
    if why or other is None:
        return Adopted(**words, amount=one.paid, why=why)
    (row,) = rows
    written = Written(
        invoice_id=one.invoice_id,
        customer_id=other.customer_id,
        number=other.number,
        payment_id=row.id,
        amount=row.amount or one.paid,
        on=row.payment_date,
    )
    return Adopted(
        **words, amount=written.amount, date=written.on, place=other.place, written=written
    )


def _why_not(pair: Pair, rows: Sequence[InvoicePayment]) -> str:
    """Why a payment cannot follow Sage 50; "" when it can."""
    if pair.booked is None or pair.booked.type != "sales_invoice":
        return "the invoice is not in Sage 50; match it first (match-history)"
    if len(rows) != 1:
        return f"it has {len(rows)} payments; the kit keeps one for an invoice"
    kind = foreign_row(rows[0]).kind
    return "" if kind == "typed" else f"it is a {kind} payment, which ConnectWise keeps itself"
