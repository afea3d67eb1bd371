"""What a reconciliation and an ageing read, from ConnectWise, the push log and the Sage 50 company."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from sage50kit.connectwise import invoices
from sage50kit.errors import UsageError
from sage50kit.model import fold
from sage50kit.money import ZERO, total
from sage50kit.payments import ageing
from sage50kit.payments.acknowledging import NOT_COMPARED, word_on, words
from sage50kit.payments.pairing import match
from sage50kit.payments.receivables import billed, booked
from sage50kit.payments.reconcile import Books, LeftOut, Settings, reconcile
from sage50kit.payments.rollforward import SUBLEDGER, signed
from sage50kit.pushlog.links import linked

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sage50kit.connectors.base import Connector
    from sage50kit.connectwise.client import Client
    from sage50kit.connectwise.wire import Invoice
    from sage50kit.kit.ends import Ends
    from sage50kit.model import Books as Lists
    from sage50kit.model import GLEntry
    from sage50kit.payments.acknowledging import About, Word
    from sage50kit.payments.ageing import Ageing, By
    from sage50kit.payments.receivables import Billed
    from sage50kit.payments.reconcile import Reconciliation
    from sage50kit.pushlog import PushLog

_RECEIVABLE = 1  # ACCOUNT_TYPES


def reconcile_receivables(
    kit: Ends, *, as_of: date, since: date | None = None, accounts: Sequence[str] = ()
) -> Reconciliation:
    """Read both systems and compare them at the end of a day.

    Args:
        kit: the pair; its profile says what counts as rounding, and the cut-over.
        as_of: the day.
        since: first day of the roll-forward; None for the first of the accounting period.
        accounts: the receivable accounts; none for the profile's, else the company's default one.

    Raises:
        UsageError: the company has no receivable account, or not such a one; the day is before the books, or
            before `since`.
    """
    lists = kit.company.books()
    _check_days(lists, as_of, since)
    said = words(kit.log)
    settings = Settings(
        as_of=as_of,
        since=since or _first_of_period(lists, as_of),
        accounts=_chart(lists, accounts or kit.profile.sage.receivable_accounts)
        or (_receivable_account(lists),),
        rounding_limit=kit.profile.push.rounding_limit,
        cut_over=kit.profile.push.cut_over,
        names=_names(lists),
        linked=frozenset(linked(kit.log)),
        is_early=as_of > date.today(),  # noqa: DTZ011  # the person's day
        said=said,
    )
    found = invoices.invoices(kit.connectwise.client, progress=kit.step("invoices"))
    left = {row.id: _left_out(row, lists, said) for row in found if _currency_problem(row, lists)}
    chosen = [row for row in found if row.id not in left]
    logged = places(kit.log, [f"invoice:{row.id}" for row in chosen])
    books = _books(kit.company, settings)
    return reconcile(
        _as_of(kit.connectwise.client, chosen, books, logged, as_of),
        books,
        settings=settings,
        logged=logged,
        left_out=list(left.values()),
    )


def _left_out(row: Invoice, lists: Lists, said: Mapping[About, Word]) -> LeftOut:
    key, whole = f"invoice:{row.id}", row.total or ZERO
    return LeftOut(
        key=key,
        number=row.invoice_number or str(row.id),
        total=whole,
        reason=_currency_problem(row, lists),
        acknowledged=word_on(said, (key,), NOT_COMPARED, whole),
    )


def _check_days(lists: Lists, as_of: date, since: date | None = None) -> None:
    """Before the books begin, or in a span that ends before it begins, nothing can be proven."""
    first = min((row.start for row in lists.periods), default=None)
    if first is not None and as_of < first:
        raise UsageError(
            f"{as_of} is before the first accounting period, which begins on {first}. Choose a later day."
        )
    if since is not None and since > as_of:
        raise UsageError(
            f"the roll-forward cannot begin on {since} and end on {as_of}. Choose an earlier first day."
        )


def age_receivables(
    company: Connector, *, as_of: date, by: By = "due_date", named: Sequence[str] = ()
) -> Ageing:
    """The open items of a day by age, beside the balance of every receivable account.

    Args:
        company: the Sage 50 company.
        as_of: the day.
        by: `due_date` or `invoice_date`.
        named: receivable accounts by a person's word, besides those of that type.

    Raises:
        UsageError: `by` is neither due_date nor invoice_date, or the day is before the first period.
    """
    if by not in ("due_date", "invoice_date"):
        raise UsageError(f"there is no ageing by {by!r}; choose due_date or invoice_date.")
    lists = company.books()
    _check_days(lists, as_of)
    accounts = [row.account_id for row in lists.accounts if row.type == _RECEIVABLE]
    accounts += [row for row in _chart(lists, named) if row not in accounts]
    accounts = accounts or [_receivable_account(lists)]
    entries = _entries(company, accounts, as_of)
    others = (signed(row) for row in entries if row.type not in SUBLEDGER)
    return ageing.age(
        company.open_items(as_of=as_of),
        as_of=as_of,
        by=by,
        ledger=total(signed(row) for row in entries),
        other_entries=total(others),
        names=_names(lists),
        currency=lists.defaults.currency,
        accounts=accounts,
    )


def places(log: PushLog, keys: Sequence[str]) -> dict[str, str]:
    """Where the log says that transactions stand or stood: posted last, or linked at go-live."""
    wanted = set(keys)
    found = {key: place for key, place in linked(log).items() if key in wanted}
    for key, rows in log.of_transactions(keys).items():
        placed = sorted((row.generation, row.place) for row in rows if row.place)
        if placed:
            found[key] = placed[-1][1]
    return found


def _books(company: Connector, settings: Settings) -> Books:
    entries = _entries(company, settings.accounts, settings.as_of)
    before = settings.since - timedelta(days=1)
    receivables = company.receivables()
    return Books(
        receivables=receivables,
        booked=booked(receivables, as_of=settings.as_of),
        opening=company.open_items(as_of=before),
        closing=company.open_items(as_of=settings.as_of),
        entries=entries,
        places=_places_of(company, [row for row in entries if row.type not in SUBLEDGER]),
    )


def _entries(company: Connector, accounts: Sequence[str], as_of: date) -> list[GLEntry]:
    wanted = {fold(account) for account in accounts}
    return [row for row in company.gl_entries(until=as_of) if fold(row.account_id) in wanted]


def _places_of(company: Connector, others: Sequence[GLEntry]) -> dict[str, str]:
    """Where the documents of other journals stand; read only if there are any."""
    if not others:
        return {}
    stored = company.documents(since=min(row.date for row in others))
    return {
        entry.document: document.place
        for document in stored
        if document.type not in SUBLEDGER
        for entry in document.entries
    }


def _as_of(
    client: Client, found: Sequence[Invoice], books: Books, logged: Mapping[str, str], as_of: date
) -> list[Billed]:
    """ConnectWise's invoices as of a day; the dates of payments are read where they can matter."""
    plain = billed(found, {}, as_of=as_of)
    differing = [
        pair.billed.invoice_id
        for pair in match(plain, books.booked, logged)
        if pair.billed
        and pair.billed.paid
        and pair.billed.open != (pair.booked.open if pair.booked else ZERO)
    ]
    if not differing:
        return plain
    return billed(found, invoices.payments(client, differing), as_of=as_of)


def _currency_problem(row: Invoice, lists: Lists) -> str:
    code = row.currency and (row.currency.currency_code or row.currency.currency_identifier)
    if not code or code == lists.defaults.currency:
        return ""
    return f"it is in {code}; the books are in {lists.defaults.currency}"


def _chart(lists: Lists, accounts: Sequence[str]) -> tuple[str, ...]:
    """Accounts as the chart writes them."""
    if unknown := [each for each in accounts if fold(each) not in lists.account]:
        raise UsageError(f"{', '.join(unknown)} is not in the chart of accounts.")
    return tuple(lists.account[fold(each)].account_id for each in accounts)


def _receivable_account(lists: Lists) -> str:
    if not lists.defaults.receivable_account_id:
        raise UsageError(
            "the company has no default receivable account. Set it under Maintain > Default "
            "Information > Customers in Sage 50."
        )
    return lists.defaults.receivable_account_id


def _first_of_period(lists: Lists, as_of: date) -> date:
    period = lists.period_of(as_of)
    return period.start if period else as_of.replace(day=1)


def _names(lists: Lists) -> dict[str, str]:
    return {fold(row.customer_id): row.name for row in lists.customers}
