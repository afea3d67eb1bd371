"""What all documents share: exact line amounts, the rounding line, dates in open periods."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sage50kit.batch.mapping import DESCRIPTION_LENGTH, Mapper, amount_words
from sage50kit.model import Distribution
from sage50kit.money import ZERO, cents, total

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date
    from decimal import Decimal

REFERENCE_LENGTH = 20


def line_amount(mapper: Mapper, amount: Decimal | None) -> Decimal:
    """A line total in dollars and cents; a fraction of a cent is rounded half up and noted."""
    exact = amount if amount is not None else ZERO
    rounded = cents(exact)
    if rounded != exact:
        mapper.report("fraction_of_cent", field="line total", value=exact)
    return rounded


def line_text(mapper: Mapper, *texts: str | None) -> str:
    """The first text that says something, cut to what a Sage line holds."""
    first = next((text for text in texts if text and text.strip()), "")
    return mapper.cut(first, DESCRIPTION_LENGTH, "line description")


def balanced(
    mapper: Mapper, control: Decimal, lines: Sequence[Distribution]
) -> tuple[Distribution, ...] | None:
    """The lines, with a visible rounding line where they miss `-control` by pennies.

    The total of the document stays ConnectWise's total (invariant 4). None, with a finding, when the
    difference is over the limit or no rounding account is named.
    """
    difference = control + total(line.amount for line in lines)
    if not difference:
        return tuple(lines)
    if abs(difference) > mapper.push.rounding_limit:
        mapper.report(
            "total_differs",
            field="total",
            value=amount_words(control),
            lines=amount_words(-total(line.amount for line in lines)),
            limit=mapper.push.rounding_limit,
        )
        return None
    if not mapper.push.rounding_account:
        mapper.report("rounding_account_missing", field="total", value=amount_words(difference))
        return None
    account_id = mapper.account(mapper.push.rounding_account, "rounding account")
    mapper.report(
        "rounding_line", field="total", value=amount_words(difference), account=account_id
    )
    rounding = Distribution(
        account_id=account_id, amount=-difference, description="Rounding", role="rounding"
    )
    return (*lines, rounding)


def check_offset(mapper: Mapper, amount: Decimal, other_side: Decimal | None) -> None:
    """The other side of an entry has its amount; no public sample shows with which sign."""
    if other_side is not None and abs(cents(other_side)) != abs(amount):
        mapper.report(
            "total_differs",
            field="offset",
            value=amount_words(other_side),
            lines=amount_words(amount),
            limit=amount_words(ZERO),
        )


def check_day(mapper: Mapper, day: date | None, what: str) -> bool:
    """Whether a posting date is there and in an open fiscal year."""
    if day is None:
        mapper.report("date_missing", field=what)
        return False
    period = mapper.books.period_of(day)
    if period is None:
        mapper.report("period_unknown", field=what, value=day.isoformat())
    elif period.closed:
        mapper.report("period_closed", field=what, value=day.isoformat())
    return period is not None and not period.closed


def due_date(day: date, due: date | None, due_days: int | None) -> date:
    """The due date, always written, because Sage does not compute it (sage50 reference, 2.1)."""
    return due if due is not None else day + timedelta(days=due_days or 0)


def check_reference(mapper: Mapper, reference: str) -> str:
    """The reference as Sage takes it: there, at most 20 characters, and all of them printable."""
    # A number copied from a bill brings no-break spaces along, which Sage refuses.
    reference = "".join(mark if mark.isprintable() else " " for mark in reference).strip()
    if not reference:
        mapper.report("reference_missing", field="number")
    elif len(reference) > REFERENCE_LENGTH:
        mapper.report("reference_too_long", field="number", value=reference)
    return reference


def unique(ids: Iterable[int]) -> tuple[int, ...]:
    """GL-entry ids in their order, each once."""
    return tuple(dict.fromkeys(ids))
