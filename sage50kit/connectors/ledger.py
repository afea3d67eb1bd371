"""The journals of the embedded company as a plain-text ledger, for a second opinion.

hledger and beancount add up the same books with other people's code. One transaction for each Sage
document; receipts and beginning balances are there too, so the balances are the trial balance.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal, TypeAlias

from sage50kit.errors import UsageError
from sage50kit.model import fold

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from decimal import Decimal

    from sage50kit.connectors.embedded import EmbeddedCompany
    from sage50kit.connectors.embedded.reading import JournalTransaction
    from sage50kit.model import Account, Books, GLEntry

Format: TypeAlias = Literal["hledger", "beancount"]

# The five roots that both programs know, by Sage's account types.
_ROOTS: Mapping[str, frozenset[int]] = {
    "Assets": frozenset({0, 1, 2, 3, 4, 5, 6, 8}),
    "Liabilities": frozenset({10, 11, 12, 14}),
    "Equity": frozenset({16, 18, 19}),
    "Income": frozenset({21}),
    "Expenses": frozenset({23, 24}),
}
_HLEDGER_TYPES = {"Assets": "A", "Liabilities": "L", "Equity": "E", "Income": "R", "Expenses": "X"}


def export_ledger(company: EmbeddedCompany, format: Format) -> str:  # noqa: A002  # the option's name
    """Every transaction of the company as the text of a ledger file.

    Raises:
        UsageError: a format that is neither hledger nor beancount.
    """
    if format not in _WRITERS:
        raise UsageError(f"there is no ledger format {format!r}; choose {' or '.join(_WRITERS)}.")
    return _WRITERS[format](company.name, company.books(), company.journal_transactions())


def _hledger(name: str, books: Books, transactions: Sequence[JournalTransaction]) -> str:
    currency = books.defaults.currency
    names = {
        fold(row.account_id): f"{_root(row)}:{_one_line(f'{row.account_id} {row.description}')}"
        for row in books.accounts
    }
    lines = [f"; {_one_line(name)}", "", f"commodity 1000.00 {currency}", ""]
    lines += [
        f"account {names[fold(row.account_id)]}  ; type: {_HLEDGER_TYPES[_root(row)]}"
        for row in books.accounts
    ]
    for transaction in transactions:
        code = f"({(transaction.key or transaction.place).replace(')', '-')})"
        lines += ["", f"{transaction.date} * {code} {_one_line(transaction.description)}"]
        for entry in transaction.entries:
            lines.append(f"    {names[fold(entry.account_id)]}  {_signed(entry):.2f} {currency}")
    return "\n".join(lines) + "\n"


def _beancount(name: str, books: Books, transactions: Sequence[JournalTransaction]) -> str:
    currency = books.defaults.currency
    names = _beancount_names(books.accounts)
    first = min((transaction.date for transaction in transactions), default=None)
    first = first or min((period.start for period in books.periods), default=None)
    lines = [f"option {_quoted('title')} {_quoted(name)}"]
    lines += [f"option {_quoted('operating_currency')} {_quoted(currency)}", ""]
    for row in books.accounts:
        lines.append(f"{first or '1970-01-01'} open {names[fold(row.account_id)]} {currency}")
        lines.append(f"  account_id: {_quoted(row.account_id)}")
        lines.append(f"  description: {_quoted(row.description)}")
    for transaction in transactions:
        lines += ["", f"{transaction.date} * {_quoted(transaction.description)}"]
        lines.append(f"  key: {_quoted(transaction.key or transaction.place)}")
        for entry in transaction.entries:
            lines.append(f"  {names[fold(entry.account_id)]}  {_signed(entry):.2f} {currency}")
    return "\n".join(lines) + "\n"


def _beancount_names(accounts: Sequence[Account]) -> dict[str, str]:
    """`Assets:A-11000`; ids that differ only in characters that beancount lacks get a number."""
    names: dict[str, str] = {}
    taken: set[str] = set()
    for row in accounts:
        base = f"{_root(row)}:A-{re.sub(r'[^A-Za-z0-9]', '-', row.account_id)}"
        name = next(name for name in _numbered(base) if name not in taken)
        taken.add(name)
        names[fold(row.account_id)] = name
    return names


def _numbered(base: str) -> Iterator[str]:
    yield base
    number = 2
    while True:
        yield f"{base}-{number}"
        number += 1


def _root(account: Account) -> str:
    return next(root for root, types in _ROOTS.items() if account.type in types)


def _signed(entry: GLEntry) -> Decimal:
    return entry.debit - entry.credit


def _one_line(text: str) -> str:
    """Text that hledger reads as one name: no colon, comment sign or double blank."""
    return " ".join(re.sub(r"[;|:]", "-", text).split())


def _quoted(text: str) -> str:
    """Text as a beancount string."""
    one_line = " ".join(text.split())
    return '"' + one_line.replace("\\", "\\\\").replace('"', '\\"') + '"'


_WRITERS: Mapping[str, Callable[[str, Books, Sequence[JournalTransaction]], str]] = {
    "hledger": _hledger,
    "beancount": _beancount,
}
