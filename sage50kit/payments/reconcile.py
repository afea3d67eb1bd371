"""Receivables three ways: ConnectWise's open invoices, Sage 50's open items, Sage 50's receivable account.

Pure: both readings come in. Each receivable is one line with its three amounts; each cause of a difference
is listed with its class, and all of them add up to account less ConnectWise, or `unexplained` says so.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from sage50kit.batch.proof import money_frame
from sage50kit.model import fold
from sage50kit.money import ZERO, total
from sage50kit.payments.acknowledging import word_on
from sage50kit.payments.differences import (
    CLASSES,
    Cause,
    of_pair,
    only_billed,
    only_booked,
    wrong_account,
)
from sage50kit.payments.pairing import match
from sage50kit.payments.rollforward import SUBLEDGER, UNEXPLAINED, roll_forward, signed

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from datetime import date
    from decimal import Decimal

    import pandas as pd

    from sage50kit.model import GLEntry, OpenItem, Receivable
    from sage50kit.payments.acknowledging import About, Word
    from sage50kit.payments.differences import Class
    from sage50kit.payments.pairing import Pair
    from sage50kit.payments.receivables import Billed, Booked
    from sage50kit.payments.rollforward import Movement


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One receivable, or one entry of another journal, in all three: dollars, credit memos negative."""

    number: str
    customer_id: str
    customer: str
    due_date: date | None
    date: date | None
    connectwise: Decimal
    sage: Decimal
    ledger: Decimal
    causes: tuple[Cause, ...]
    key: str = ""  # in the push log
    invoice_id: int | None = None  # in ConnectWise
    place: str = ""  # in Sage 50
    settled_by: tuple[str, ...] = ()  # places of receipts and credit memos


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """An invoice of ConnectWise that cannot be compared, its total in its own currency."""

    key: str
    number: str
    total: Decimal
    reason: str
    acknowledged: str = ""


@dataclass(frozen=True, kw_only=True)
class Reconciliation:
    """The outcome, and its frames for people. `left_out` are invoices that cannot be compared."""

    as_of: date
    since: date
    accounts: tuple[str, ...]
    lines: tuple[Line, ...]
    ledger: Decimal  # balance of the receivable accounts
    movements: tuple[Movement, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    is_early: bool = False  # the day has not come yet

    @property
    def connectwise(self) -> Decimal:
        """What ConnectWise says is owed."""
        return total(row.connectwise for row in self.lines)

    @property
    def sage(self) -> Decimal:
        """What Sage 50's open items say is owed."""
        return total(row.sage for row in self.lines)

    @property
    def unexplained(self) -> Decimal:
        """What no difference accounts for; 0.00 is the rule."""
        causes = total(cause.amount for row in self.lines for cause in row.causes)
        return self.ledger - self.connectwise - causes

    @property
    def is_proven(self) -> bool:
        """Whether the differences and the roll-forward explain everything to the cent."""
        ends = [row for row in self.movements if row.what == UNEXPLAINED]
        return not self.unexplained and not any(row.sage or row.ledger for row in ends)

    @property
    def exit_code(self) -> int:
        """0, or 3 when something needs a person."""
        causes = [cause for row in self.lines for cause in row.causes]
        needed = any(cause.needs_a_person for cause in causes)
        needed |= any(not row.acknowledged for row in self.left_out)
        return 3 if needed or not self.is_proven else 0

    @cached_property
    def counts(self) -> dict[str, int]:
        """How many there are of each class."""
        counts = dict.fromkeys(map(str, CLASSES), 0)
        counts["matched"] = sum(not row.causes for row in self.lines)
        for cause in (cause for row in self.lines for cause in row.causes):
            counts[cause.what] += 1
        return counts

    @property
    def totals(self) -> dict[str, Decimal]:
        """The three totals and what is unexplained, in dollars."""
        three = {"connectwise": self.connectwise, "sage": self.sage, "ledger": self.ledger}
        return {**three, "unexplained": self.unexplained}

    @cached_property
    def summary(self) -> pd.DataFrame:
        """One row a class: how many, and how much account and ConnectWise differ by it, in dollars."""
        sums: dict[Class, Decimal] = dict.fromkeys(CLASSES, ZERO)
        for cause in (cause for row in self.lines for cause in row.causes):
            sums[cause.what] += cause.amount
        rows = [
            {"class": name, "count": self.counts[what], "amount": sums[what]}
            for what, name in CLASSES.items()
        ]
        return money_frame(rows, ["class", "count", "amount"], ["amount"])

    @cached_property
    def differences(self) -> pd.DataFrame:
        """One row a cause, by class, with its documents in both systems."""
        causes = [(row, cause) for row in self.lines for cause in row.causes]
        order = list(CLASSES)
        rows = [
            {"class": CLASSES[cause.what], "what": cause.what, "amount": cause.amount}
            | {"why": cause.why, "fix": cause.fix, "reason": cause.reason}
            | {"acknowledged": cause.acknowledged}
            | _documents(row)
            for row, cause in sorted(causes, key=lambda each: order.index(each[1].what))
        ]
        columns = ["class", "number", "customer_id", "customer", "date", "amount", "why", "fix"]
        columns += ["place", "invoice_id", "key", "settled_by", "reason", "what", "acknowledged"]
        return money_frame(rows, columns, ["amount"])

    @cached_property
    def items(self) -> pd.DataFrame:
        """One row a receivable that is open anywhere, with its three amounts."""
        rows = [
            _documents(row)
            | {"due_date": row.due_date, "class": _classes(row)}
            | {"connectwise": row.connectwise, "sage": row.sage, "ledger": row.ledger}
            for row in self.lines
        ]
        columns = ["number", "customer_id", "customer", "date", "due_date"]
        amounts = ["connectwise", "sage", "ledger"]
        columns += [*amounts, "class", "place", "invoice_id", "key", "settled_by"]
        return money_frame(rows, columns, amounts)

    @cached_property
    def roll_forward(self) -> pd.DataFrame:
        """Opening balance, movements, closing balance: by open items and by the general ledger."""
        rows = [
            {"movement": row.what, "sage": row.sage, "ledger": row.ledger} for row in self.movements
        ]
        return money_frame(rows, ["movement", "sage", "ledger"], ["sage", "ledger"])

    def _repr_html_(self) -> str:
        from sage50kit.reports.receivables import html, reconciliation_page

        return html(reconciliation_page(self, brief=True), fragment=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the comparison is told: the day, the accounts, what counts as rounding, the cut-over."""

    as_of: date
    since: date
    accounts: tuple[str, ...]  # the receivable accounts
    rounding_limit: Decimal
    cut_over: date | None = None
    names: Mapping[str, str] | None = None  # of customers, by folded id
    linked: Collection[str] = ()  # keys of invoices that were matched at go-live
    is_early: bool = False  # the day has not come yet
    said: Mapping[About, Word] | None = None  # differences that are as they should be


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """What Sage 50 says: receivables with their history and as of the day, open items, entries, places.

    `opening` and `closing` are the open items before the span and at its end, `entries` those of the
    receivable accounts up to the day, `places` where documents of other journals stand, by label.
    """

    receivables: Sequence[Receivable]
    booked: Sequence[Booked]
    opening: Sequence[OpenItem]
    closing: Sequence[OpenItem]
    entries: Sequence[GLEntry]
    places: Mapping[str, str]


def reconcile(
    billed: Sequence[Billed],
    books: Books,
    *,
    settings: Settings,
    logged: Mapping[str, str],
    left_out: Sequence[LeftOut] = (),
) -> Reconciliation:
    """Compare the readings of both systems.

    Args:
        billed: ConnectWise's invoices as of the day.
        books: Sage 50's.
        settings: what the comparison is told.
        logged: where the push log says that an invoice stands, by key.
        left_out: invoices that cannot be compared.
    """
    ours = frozenset(logged.values())
    lines = [_line(pair, settings, logged, ours) for pair in match(billed, books.booked, logged)]
    lines += _other_journals(books)
    lines = [_with_words(row, settings.said or {}) for row in lines]
    shown = [row for row in lines if row.connectwise or row.sage or row.ledger or row.causes]
    shown.sort(key=lambda row: (fold(row.customer_id), str(row.date), row.number))
    return Reconciliation(
        as_of=settings.as_of,
        since=settings.since,
        accounts=settings.accounts,
        lines=tuple(shown),
        ledger=total(signed(row) for row in books.entries),
        movements=tuple(roll_forward(books, settings)),
        left_out=tuple(left_out),
        is_early=settings.is_early,
    )


def _with_words(row: Line, said: Mapping[About, Word]) -> Line:
    """The same with what a person said of its differences."""
    causes = tuple(
        replace(cause, acknowledged=word_on(said, (row.place, row.key), cause.what, cause.bound))
        for cause in row.causes
    )
    return replace(row, causes=causes) if said and causes else row


def _line(pair: Pair, settings: Settings, logged: Mapping[str, str], ours: frozenset[str]) -> Line:
    one, other = pair.billed, pair.booked
    there = other.open if other else ZERO
    on_account = other is not None and other.account_id in settings.accounts
    any_of = one or other
    assert any_of is not None  # noqa: S101  # a pair has at least one
    return Line(
        number=any_of.number,
        customer_id=any_of.customer_id,
        customer=_name(pair, settings),
        date=any_of.date,
        due_date=any_of.due_date,
        connectwise=one.open if one else ZERO,
        sage=there,
        ledger=there if on_account else ZERO,
        causes=tuple(_causes(pair, settings, logged, ours)),
        key=one.key if one else "",
        invoice_id=one.invoice_id if one else None,
        place=other.place if other else logged.get(one.key, "") if one else "",
        settled_by=other.settled_by if other else (),
    )


def _name(pair: Pair, settings: Settings) -> str:
    if pair.billed and pair.billed.customer:
        return pair.billed.customer
    names = settings.names or {}
    return names.get(fold(pair.booked.customer_id), "") if pair.booked else ""


def _causes(
    pair: Pair, settings: Settings, logged: Mapping[str, str], ours: frozenset[str]
) -> Iterator[Cause]:
    one, other = pair.billed, pair.booked
    if one and other:
        limit = settings.rounding_limit
        yield from of_pair(one, other, as_of=settings.as_of, limit=limit)
    elif one and one.open:
        yield only_billed(
            one,
            instead=pair.instead,
            place=logged.get(one.key, ""),
            cut_over=settings.cut_over,
            is_linked=one.key in settings.linked,
        )
    elif other and other.open:
        yield only_booked(other, is_ours=other.place in ours)
    if other and other.open and other.account_id not in settings.accounts:
        yield wrong_account(other, ", ".join(settings.accounts))


# --- the general ledger -----------------------------------------------------------------------


def _other_journals(books: Books) -> list[Line]:
    """One line for each document that moved the account and makes no open item."""
    documents: dict[str, list[GLEntry]] = defaultdict(list)
    for row in books.entries:
        if row.type not in SUBLEDGER:
            documents[row.document].append(row)
    return [
        _other_journal(rows, books.places.get(document, "")) for document, rows in documents.items()
    ]


def _other_journal(rows: Sequence[GLEntry], place: str) -> Line:
    first, amount = rows[0], total(signed(row) for row in rows)
    cause = Cause(
        what="other_journal",
        amount=amount,
        why=f"The {first.type.replace('_', ' ')} {first.number} stands on account {first.account_id} "
        "and belongs to no invoice.",
        fix="Correct it in Sage 50: a receivable is changed by invoice, credit memo or receipt.",
    )
    return Line(
        number=first.number,
        customer_id=first.party_id,
        customer=first.description,
        date=first.date,
        due_date=None,
        connectwise=ZERO,
        sage=ZERO,
        ledger=amount,
        causes=(cause,),
        place=place,
        key=first.document,
    )


# --- as rows ----------------------------------------------------------------------------------


def _documents(row: Line) -> dict[str, object]:
    names = ("number", "customer_id", "customer", "date", "place", "key")
    return {name: getattr(row, name) for name in names} | {
        "invoice_id": "" if row.invoice_id is None else str(row.invoice_id),
        "settled_by": ", ".join(row.settled_by),
    }


def _classes(row: Line) -> str:
    names = dict.fromkeys(CLASSES[cause.what] for cause in row.causes)
    return ", ".join(names) or CLASSES["matched"]
