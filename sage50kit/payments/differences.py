"""Why ConnectWise and Sage 50 do not say the same of a receivable: the classes, and how one is told apart.

Every difference is what the books show beyond ConnectWise (positive: Sage 50 shows more), so that all of
them add up to receivable account less ConnectWise. What two causes did to one invoice is two differences.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from sage50kit.money import ZERO, text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date
    from decimal import Decimal

    from sage50kit.payments.receivables import Billed, Booked

Class: TypeAlias = Literal[
    "matched",
    "amount_differs",
    "only_in_connectwise",
    "only_in_sage",
    "paid_in_one",
    "credit_applied_in_one",
    "timing",
    "rounding",
    "other_journal",
    "wrong_account",
]
CLASSES: dict[Class, str] = {
    "matched": "Matched",
    "amount_differs": "Amount differs",
    "only_in_connectwise": "Only in ConnectWise",
    "only_in_sage": "Only in Sage 50",
    "paid_in_one": "Paid in one",
    "credit_applied_in_one": "Credit applied in one",
    "timing": "Timing",
    "rounding": "Rounding",
    "other_journal": "GL entry from another journal",
    "wrong_account": "Wrong receivable account",
}
Reason: TypeAlias = Literal[
    "", "not_posted", "un_batched", "before_cut_over", "missing", "by_hand", "unapplied"
]
# What takes care of itself: the next push or the next day, or what the cut-over left out on purpose.
NEEDS_NOBODY: frozenset[tuple[Class, Reason]] = frozenset(
    {
        ("timing", ""),
        ("rounding", ""),
        ("only_in_connectwise", "not_posted"),
        ("only_in_connectwise", "before_cut_over"),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """One cause of a difference, in signed dollars, with what to do about it."""

    what: Class
    amount: Decimal
    why: str
    fix: str = ""
    reason: Reason = ""
    whole: Decimal | None = None  # total of the document, where that tells it from others
    acknowledged: str = ""  # a person's word that it is as it should be

    @property
    def needs_a_person(self) -> bool:
        """Whether it stays until somebody does something."""
        return not self.acknowledged and (self.what, self.reason) not in NEEDS_NOBODY

    @property
    def bound(self) -> Decimal:
        """The amount that a person's word on it is bound to."""
        return self.amount if self.whole is None else self.whole


def of_pair(billed: Billed, booked: Booked, *, as_of: date, limit: Decimal) -> Iterator[Cause]:
    """Every cause why an invoice is open by another amount in the two systems.

    Args:
        billed: in ConnectWise.
        booked: the same in Sage 50.
        as_of: the day.
        limit: totals that differ by no more than this differ by rounding, in dollars.
    """
    if billed.is_later or booked.is_later:
        if billed.open != booked.open:
            yield _other_day(billed, booked, as_of)
        return
    gap = booked.total - billed.total
    if gap:
        yield _of_totals(billed, booked, gap, limit)
    yield from _of_settlement(billed, booked, as_of)


def only_billed(
    row: Billed,
    *,
    instead: Booked | None,
    place: str,
    cut_over: date | None,
    is_linked: bool = False,
) -> Cause:
    """An invoice that stands in ConnectWise alone.

    Args:
        row: in ConnectWise.
        instead: what Sage 50 has under its number: voided, or of another customer.
        place: where the push log says that it stands or stood; "" where it knows nothing.
        cut_over: invoices before this day are kept out of Sage 50.
        is_linked: the place is that of a link of go-live.
    """
    if is_linked:
        reason, why, fix = _link_broken(row, place)
    else:
        reason, why, fix = _why_not_booked(row, instead, place, cut_over)
    return Cause(what="only_in_connectwise", amount=-row.open, why=why, fix=fix, reason=reason)


def only_booked(row: Booked, *, is_ours: bool) -> Cause:
    """An invoice that stands in Sage 50 alone; `is_ours` if the push log knows its place."""
    if is_ours or row.is_ours:
        return Cause(
            what="only_in_sage",
            amount=row.open,
            reason="missing",
            why=f"It came from ConnectWise ({row.token or row.place}), which has it no more.",
            fix="Void it in Sage 50 if it was deleted in ConnectWise on purpose.",
        )
    if row.type == "receipt":
        return Cause(
            what="only_in_sage",
            amount=row.open,
            whole=row.total,
            reason="unapplied",
            why=f"Money of receipt {row.number} that pays no invoice yet.",
            fix="Apply it to invoices in Sage 50, then run sync-payments.",
        )
    return Cause(
        what="only_in_sage",
        amount=row.open,
        whole=row.total,
        reason="by_hand",
        why="It was entered by hand: neither the push log nor ConnectWise knows it.",
        fix=f"If it belongs in Sage 50 alone: acknowledge --documents {row.place}. Else match-history.",
    )


def wrong_account(row: Booked, accounts: str) -> Cause:
    """An open item that the receivable account lacks."""
    return Cause(
        what="wrong_account",
        amount=-row.open,
        why=f"It stands on account {row.account_id}, not on {accounts}.",
        fix="Correct the A/R account on the invoice in Sage 50, or add the account to receivable_accounts under "
        "[sage] in the profile.",
    )


def _other_day(billed: Billed, booked: Booked, as_of: date) -> Cause:
    return Cause(
        what="timing",
        amount=booked.open - billed.open,
        why=f"It is dated {billed.date} in ConnectWise and {booked.date} in Sage 50, around {as_of}.",
    )


def _of_totals(billed: Billed, booked: Booked, gap: Decimal, limit: Decimal) -> Cause:
    totals = f"The total is {text(billed.total)} in ConnectWise and {text(booked.total)} in Sage 50"
    if abs(gap) <= limit:
        return Cause(what="rounding", amount=gap, why=f"{totals}: within the rounding limit.")
    return Cause(
        what="amount_differs",
        amount=gap,
        why=f"{totals}.",
        fix="Find the side that was changed; to take over ConnectWise's, void it in Sage 50 and push it anew.",
    )


def _of_settlement(billed: Billed, booked: Booked, as_of: date) -> Iterator[Cause]:
    """What was paid or credited in one system only, or on different sides of the day."""
    paid, credited = billed.paid - booked.paid, billed.credited - booked.credited
    if billed.total < 0:  # a credit memo is not paid, it is used up
        paid, credited = ZERO, paid + credited
    gap = paid + credited
    stays = _towards(gap, gap + billed.paid_later - booked.settled_later)
    # A credit that was sent to ConnectWise as a payment makes up for the payment that is not one.
    credit = _towards(stays, credited)
    if stays - credit:
        yield _paid_in_one(billed, booked, stays - credit)
    if credit:
        yield _credited_in_one(billed, credit)
    if gap - stays:
        why = f"Both systems have the payment, on different sides of {as_of}."
        yield Cause(what="timing", amount=gap - stays, why=why)


def _towards(whole: Decimal, part: Decimal) -> Decimal:
    """The part of `whole` that `part` covers: between 0 and `whole`."""
    if whole * part <= 0:
        return ZERO
    return part if abs(part) < abs(whole) else whole


def _paid_in_one(billed: Billed, booked: Booked, amount: Decimal) -> Cause:
    in_sage = amount < 0
    return Cause(
        what="paid_in_one",
        amount=amount,
        why=f"{text(abs(amount))} of it is paid in {'Sage 50' if in_sage else 'ConnectWise'} only: "
        f"{text(billed.paid)} paid in ConnectWise, {text(booked.paid)} in Sage 50.",
        fix="Run sync-payments; it tells what keeps it from being written."
        if in_sage
        else "Enter the receipt in Sage 50, or take the payment out of ConnectWise.",
    )


_ROOM = (
    " Where our payment leaves no room for it, delete that payment there first; sync-payments --full then "
    "counts the credit once."
)


def _credited_in_one(billed: Billed, amount: Decimal) -> Cause:
    in_sage = (amount < 0) == (billed.total >= 0)
    here, there = ("Sage 50", "ConnectWise") if in_sage else ("ConnectWise", "Sage 50")
    return Cause(
        what="credit_applied_in_one",
        amount=amount,
        why=f"A credit of {text(abs(amount))} is applied in {here} only.",
        fix=f"Apply the same credit memo in {there}.{_ROOM if in_sage and billed.total < 0 else ''}",
    )


def _link_broken(row: Billed, place: str) -> tuple[Reason, str, str]:
    return (
        "missing",
        f"It was matched at go-live with {place}, which stands in Sage 50 no more.",
        f"Take the link back (match-history --unlink {row.key}); then push it, or link what stands there now.",
    )


def _why_not_booked(
    row: Billed, instead: Booked | None, place: str, cut_over: date | None
) -> tuple[Reason, str, str]:
    """Reason, sentence and what to do."""
    if cut_over is not None and row.date is not None and row.date < cut_over:
        return "before_cut_over", f"It is dated before the cut-over of {cut_over}.", ""
    if instead is not None and not instead.voided:
        return (
            "missing",
            f"Sage 50 has this number for customer {instead.customer_id}, not {row.customer_id}.",
            "Correct the customer where it is wrong.",
        )
    if row.batch:
        gone = f"; {instead.place} was voided" if instead else ""
        return (
            "missing",
            f"It is in batch {row.batch}, but not in Sage 50{gone}.",
            "Run rerun on its batch, or unpost it in ConnectWise.",
        )
    if place or instead is not None:
        return "un_batched", "It was posted once and un-batched since.", "Push it again."
    if not row.is_closed:
        return "not_posted", "It is not closed in ConnectWise yet.", "Close it, then push it."
    return "not_posted", "It is not posted yet.", "Push it with the next batch."
