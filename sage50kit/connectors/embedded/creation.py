"""A new company file from its lists, with beginning balances of stock and receivables."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal  # noqa: TC003  # the CSV reader resolves the types of the fields
from typing import TYPE_CHECKING, Any

from sage50kit.connectors.embedded import limits, maintenance, posting, records
from sage50kit.connectors.embedded.inventory import Stock
from sage50kit.connectors.embedded.lookup import Lookup
from sage50kit.connectors.embedded.posting import Row
from sage50kit.connectors.embedded.schema import MONEY_PLACES, create_tables
from sage50kit.connectors.embedded.storage import connect
from sage50kit.errors import ConfigError, DocumentRefused
from sage50kit.model import (
    Account,
    Customer,
    Defaults,
    Item,
    Period,
    TaxAgency,
    TaxCode,
    Vendor,
    fold,
)
from sage50kit.money import UNIT, multiply, round_to, to_scaled

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from sage50kit.model import Books

BEGINNING = "BEGINBAL"
_EQUITY_TYPES = (16, 18, 19)  # where beginning balances are offset, in this order


@dataclass(frozen=True, slots=True, kw_only=True)
class OpeningStock:
    """Stock on hand when the company begins: quantity and dollars a unit.

    Without a date it is there from the first day of the first open period.
    """

    item_id: str
    quantity: Decimal
    unit_cost: Decimal
    date: dt.date | None = None


def write_company(
    path: Path, books: Books, *, name: str, opening_stock: Iterable[OpeningStock]
) -> None:
    """Write a whole company file, or none at all.

    Raises:
        ConfigError: the file exists already, or the lists are not ones that Sage would take.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    _reserve(path)
    db = connect(path)
    try:
        db.execute("BEGIN IMMEDIATE")
        create_tables(db)
        _fill(db, books, name, tuple(opening_stock))
        db.execute("COMMIT")
    except BaseException as error:
        db.close()
        path.unlink()
        if isinstance(error, DocumentRefused):
            raise ConfigError(f"the company {name} cannot be created: {error}") from error
        raise
    db.close()


def _reserve(path: Path) -> None:
    """Take the name, so that of two who create one company the second neither mixes in nor deletes it.

    Raises:
        ConfigError: there is a file already.
    """
    try:
        path.open("xb").close()
    except FileExistsError:
        raise ConfigError(
            f"{path} exists already and is not overwritten. Choose another name or remove it."
        ) from None


def _fill(
    db: sqlite3.Connection, books: Books, name: str, opening_stock: Sequence[OpeningStock]
) -> None:
    db.execute("INSERT INTO company (id, name) VALUES (1, ?)", (name,))
    records.insert(db, [books.defaults], Defaults)
    # In this order every record finds what it refers to.
    for kind, rows in (
        (Account, books.accounts),
        (TaxAgency, books.agencies),
        (TaxCode, books.tax_codes),
        (Period, books.periods),
        (Customer, books.customers),
        (Vendor, books.vendors),
        (Item, books.items),
    ):
        _refuse_twice(kind, rows)
        for row in rows:
            maintenance.add(db, row)
    _refuse_unknown_defaults(db, books.defaults)
    for stock in opening_stock:
        _begin_stock(db, stock)
    for customer in books.customers:
        if customer.balance:
            _begin_receivable(db, customer, books.defaults)


def _refuse_twice(kind: type, rows: Sequence[Any]) -> None:
    _, field, what = records.TABLES[kind]
    seen: set[str] = set()
    for row in rows:
        identity = str(getattr(row, field))
        if fold(identity) in seen:
            raise DocumentRefused(
                f"{what} {identity} is listed twice; ids are compared without case."
            )
        seen.add(fold(identity))


def _refuse_unknown_defaults(db: sqlite3.Connection, defaults: Defaults) -> None:
    for column in records.columns(Defaults):
        account_id = getattr(defaults, column.name)
        if column.name == "currency" or not account_id:
            continue
        if records.one_of(db, Account, account_id) is None:
            raise DocumentRefused(
                f"{column.name} {account_id} of the default accounts does not exist."
            )


def _begin_stock(db: sqlite3.Connection, opening: OpeningStock) -> None:
    lists = Lookup(db)
    item = lists.stock_item(opening.item_id)
    if item is None:
        raise DocumentRefused(f"opening stock: {opening.item_id} is not a stock item.")
    quantity = round_to(opening.quantity, UNIT)
    if quantity <= 0:
        raise DocumentRefused(f"opening stock of {opening.item_id}: the quantity must be positive.")
    value = multiply(quantity, opening.unit_cost)
    stock = Stock(db, opening.date or _first_day(db))
    stock.receive(item, quantity, value, "adjustment")
    document_id = _begin(
        db,
        kind="inventory_adjustment",
        day=stock.on,
        party_id="",
        account_id=item.inventory_account_id,
        amount=value,
        description=f"Beginning balance {item.item_id}"[: limits.DESCRIPTION],
        item_id=item.item_id,
    )
    stock.save(document_id)


def _begin_receivable(db: sqlite3.Connection, customer: Customer, defaults: Defaults) -> None:
    if not defaults.receivable_account_id:
        raise DocumentRefused(
            "a customer has a balance, but the company has no default receivable account."
        )
    _begin(
        db,
        kind="sales_invoice" if customer.balance > 0 else "credit_memo",
        day=_first_day(db),
        party_id=customer.customer_id,
        account_id=defaults.receivable_account_id,
        amount=customer.balance,
        description=f"Beginning balance {customer.customer_id}",
    )
    posting.add_to_balance(
        db, "sales_invoice", customer.customer_id, to_scaled(customer.balance, MONEY_PLACES)
    )


def _begin(
    db: sqlite3.Connection,
    *,
    kind: str,
    day: dt.date,
    party_id: str,
    account_id: str,
    amount: Decimal,
    description: str,
    item_id: str = "",
) -> int:
    rows = [
        Row(
            journal="BEG",
            account_id=account,
            amount=signed,
            description=description,
            role=role,
            item_id=item_id,
        )
        for account, signed, role in (
            (account_id, amount, "control"),
            (_equity(db), -amount, "line"),
        )
    ]
    header = {
        "type": kind,
        "label": "",
        "number": BEGINNING,
        "party_id": party_id,
        "party_key": fold(party_id),
        "party_name": "",
        "reference": BEGINNING,
        "reference_key": fold(BEGINNING),
        "note": "",
        "token": "",
        "posting_date": day.isoformat(),
        "document_date": day.isoformat(),
        "due_date": day.isoformat() if party_id else None,
        "control_account_id": account_id,
        "control_amount": to_scaled(amount, MONEY_PLACES),
        "total": to_scaled(abs(amount), MONEY_PLACES),
        "tax_code": "",
        "terms": "",
        "purchase_order": "",
        "ship_to": "",
        "waiting_on_bill": 0,
        "beginning": 1,
    }
    return posting.write(db, header, rows)


def _equity(db: sqlite3.Connection) -> str:
    for kind in _EQUITY_TYPES:
        row = db.execute(
            "SELECT account_id FROM account WHERE type = ? AND NOT inactive ORDER BY key LIMIT 1",
            (kind,),
        ).fetchone()
        if row is not None:
            return str(row[0])
    raise DocumentRefused(
        "beginning balances need an equity account (type 16, 18 or 19) in the chart."
    )


def _first_day(db: sqlite3.Connection) -> dt.date:
    row = db.execute("SELECT MIN(start) FROM period WHERE NOT closed").fetchone()
    if row[0] is None:
        raise DocumentRefused("beginning balances need an open accounting period.")
    return dt.date.fromisoformat(row[0])
