"""What a bookkeeper does under Maintain: new accounts, customers, vendors, items, tax codes, periods.

Sage 50 needs a default sales account for a customer and a default expense account for a vendor; a
record without one takes the company's (the seed, "Configuration for Auto-Creation").
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sage50kit.connectors.embedded import limits, records
from sage50kit.connectors.embedded.records import TABLES, Listed
from sage50kit.errors import DocumentRefused
from sage50kit.model import (
    ACCOUNT_TYPES,
    Account,
    Customer,
    Defaults,
    Item,
    Period,
    TaxAgency,
    TaxCode,
    Vendor,
)
from sage50kit.money import CENT, UNIT, ZERO

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from decimal import Decimal


def create(db: sqlite3.Connection, record: Listed) -> str:
    """Create a record unless its id exists, without regard to case; returns the id in the books.

    Raises:
        DocumentRefused: with every reason; nothing was written.
    """
    existing = find(db, record)
    return existing if existing is not None else add(db, record)


def add(db: sqlite3.Connection, record: Listed) -> str:
    """Create a record; refused when its id exists. Returns the id in the books."""
    _, field, what = TABLES[type(record)]
    if find(db, record) is not None:
        raise DocumentRefused(f"{what} {getattr(record, field)} already exists.")
    complete = _with_defaults(db, limits.cut(record))
    _refuse_problems(db, complete)
    records.insert(db, [complete], type(record))
    return str(getattr(complete, field))


def change(db: sqlite3.Connection, record: Listed) -> None:
    """Overwrite a record that exists; its id and a customer's balance stay."""
    _, field, what = TABLES[type(record)]
    if find(db, record) is None:
        raise DocumentRefused(f"{what} {getattr(record, field)} does not exist.")
    complete = _with_defaults(db, limits.cut(record))
    _refuse_problems(db, complete)
    records.change(db, complete)


def find(db: sqlite3.Connection, record: Listed) -> str | None:
    """The id in the books of the record with the same id; None if there is none."""
    field = TABLES[type(record)][1]
    found = records.one_of(db, type(record), str(getattr(record, field)))
    return None if found is None else str(getattr(found, field))


def problems(db: sqlite3.Connection, record: Listed) -> Iterator[str]:
    """Every reason why Sage would not take a list record."""
    if problem := limits.record_problem(record):
        yield problem
    match record:
        case Account():
            if record.type not in ACCOUNT_TYPES:
                yield f"Account {record.account_id}: account type {record.type} does not exist."
        case Customer():
            who = f"Customer {record.customer_id}"
            yield from _party_problems(db, who, record.name, "G/L sales", record.sales_account_id)
            yield from _missing(db, TaxCode, who, record.tax_code)
            yield from _places(who, "credit limit", record.credit_limit, CENT)
        case Vendor():
            who = f"Vendor {record.vendor_id}"
            yield from _party_problems(db, who, record.name, "expense", record.expense_account_id)
        case Item():
            yield from _item_problems(db, record)
        case TaxAgency():
            yield from _missing(
                db, Account, f"Sales tax agency {record.agency_id}", record.account_id
            )
        case TaxCode():
            yield from _tax_code_problems(db, record)
        case Period():
            yield from _period_problems(db, record)


def _refuse_problems(db: sqlite3.Connection, record: Listed) -> None:
    if found := list(problems(db, record)):
        raise DocumentRefused(" ".join(found))


def _with_defaults(db: sqlite3.Connection, record: Listed) -> Listed:
    """The record with the company's default accounts where it names none, and no balance."""
    defaults = next(iter(records.all_of(db, Defaults)), Defaults())
    match record:
        case Customer():
            account = record.sales_account_id or defaults.sales_account_id
            return replace(record, sales_account_id=account, balance=ZERO)
        case Vendor():
            return replace(
                record, expense_account_id=record.expense_account_id or defaults.expense_account_id
            )
        case Item() if record.item_class == "description_only":
            # Such an item holds no G/L accounts in Sage.
            return replace(record, sales_account_id="", inventory_account_id="", cogs_account_id="")
        case Item():
            stock = record.item_class == "stock"
            other = defaults.inventory_account_id if stock else defaults.salaries_account_id
            return replace(
                record,
                sales_account_id=record.sales_account_id or defaults.sales_account_id,
                inventory_account_id=record.inventory_account_id or other,
                cogs_account_id=record.cogs_account_id or defaults.cogs_account_id,
            )
        case _:
            return record


def _party_problems(
    db: sqlite3.Connection, who: str, name: str, what: str, account_id: str
) -> Iterator[str]:
    if not name.strip():
        yield f"{who}: the name is required."
    if not account_id:
        yield f"{who}: a default {what} account is required; set it under Maintain > Default Information."
    yield from _missing(db, Account, who, account_id)


def _item_problems(db: sqlite3.Connection, item: Item) -> Iterator[str]:
    who = f"Item {item.item_id}"
    yield from _places(who, "price", item.price, UNIT)
    yield from _places(who, "last unit cost", item.last_unit_cost, UNIT)
    if item.item_class == "description_only":
        return
    second = "inventory" if item.item_class == "stock" else "salary/wages"
    for what, account_id in (
        ("sales", item.sales_account_id),
        (second, item.inventory_account_id),
        ("cost of sales", item.cogs_account_id),
    ):
        if not account_id:
            yield f"{who}: a G/L {what} account is required; set it under Maintain > Default Information."
        yield from _missing(db, Account, who, account_id)


def _tax_code_problems(db: sqlite3.Connection, code: TaxCode) -> Iterator[str]:
    who = f"Sales tax code {code.tax_code}"
    if not 1 <= len(code.agency_ids) <= limits.AGENCIES:
        yield f"{who}: it needs 1 to {limits.AGENCIES} agencies, not {len(code.agency_ids)}."
    for agency_id in code.agency_ids:
        yield from _missing(db, TaxAgency, who, agency_id)


def _period_problems(db: sqlite3.Connection, period: Period) -> Iterator[str]:
    if period.end < period.start:
        yield f"Accounting period {period.number}: it ends before it starts."
    for other in records.all_of(db, Period):
        if other.start != period.start and other.start <= period.end and period.start <= other.end:
            yield f"Accounting period {period.number} from {period.start} overlaps the one from {other.start}."


def _missing(db: sqlite3.Connection, kind: type, who: str, identity: str) -> Iterator[str]:
    if identity and records.one_of(db, kind, identity) is None:
        yield f"{who}: {TABLES[kind][2]} {identity} does not exist."


def _places(who: str, what: str, value: Decimal, step: Decimal) -> Iterator[str]:
    if value % step:
        yield f"{who}: {what} {value} has too many decimals."
