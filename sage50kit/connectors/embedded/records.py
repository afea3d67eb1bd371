"""The list records of a company (accounts, customers, ...) as rows: of a table or of a CSV file.

Columns are the fields of the dataclasses in model.py; an address lies flat as `address_line1` and so
on, several agencies of a tax code are joined by `;`.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import MISSING, dataclass, fields
from decimal import Decimal
from functools import cache
from typing import (
    TYPE_CHECKING,
    Any,
    Literal,
    TypeAlias,
    TypeVar,
    get_args,
    get_origin,
    get_type_hints,
)

from sage50kit.connectors.embedded.schema import MONEY_PLACES, UNIT_PLACES
from sage50kit.model import (
    Account,
    Address,
    Customer,
    Defaults,
    Item,
    Period,
    TaxAgency,
    TaxCode,
    Vendor,
    fold,
)
from sage50kit.money import exact, from_scaled, to_scaled

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable, Mapping, Sequence

Listed: TypeAlias = Account | Customer | Vendor | Item | TaxAgency | TaxCode | Period
Record = TypeVar("Record")

# table, the field that identifies a record, what people call it
TABLES: dict[type, tuple[str, str, str]] = {
    Account: ("account", "account_id", "account"),
    Customer: ("customer", "customer_id", "customer"),
    Vendor: ("vendor", "vendor_id", "vendor"),
    Item: ("item", "item_id", "item"),
    TaxAgency: ("agency", "agency_id", "sales tax agency"),
    TaxCode: ("tax_code", "tax_code", "sales tax code"),
    Period: ("period", "start", "accounting period"),
    Defaults: ("defaults", "currency", "default accounts"),
}
_ADDRESS_PARTS = tuple(part.name for part in fields(Address))
_CENTS = frozenset({"credit_limit", "balance"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column: how its values look in Python, in the database and in a CSV file."""

    name: str
    kind: Literal["text", "int", "bool", "decimal", "date", "texts"]
    required: bool
    choices: tuple[str, ...] = ()

    def to_database(self, value: Any) -> str | int | None:
        """The stored form; a Decimal with too many places raises ValueError."""
        if self.kind == "decimal":
            return to_scaled(value, self.places)
        if self.kind == "date":
            return None if value is None else value.isoformat()
        if self.kind == "texts":
            return ";".join(value)
        return int(value) if self.kind in {"bool", "int"} else str(value)

    def from_database(self, value: Any) -> Any:
        """The reverse of `to_database`."""
        if self.kind == "decimal":
            return from_scaled(value, self.places)
        if self.kind == "date":
            return dt.date.fromisoformat(value) if value else None
        if self.kind == "texts":
            return _split(value)
        return bool(value) if self.kind == "bool" else value

    def from_text(self, text: str) -> Any:
        """A cell of a CSV file; raises ValueError in words for people."""
        text = text.strip()
        if self.choices and text not in self.choices:
            raise ValueError(f"must be one of {', '.join(self.choices)}")
        if self.kind == "text":
            return text
        if self.kind == "texts":
            return _split(text)
        return _READERS[self.kind](text)

    @property
    def places(self) -> int:
        """Decimals that the database keeps."""
        return MONEY_PLACES if self.name in _CENTS else UNIT_PLACES


def columns(record: type) -> tuple[Column, ...]:
    """The flat columns of a record class, in the order of its fields."""
    return _columns(record)


@cache
def _columns(record: Any) -> tuple[Column, ...]:
    hints = get_type_hints(record)
    found: list[Column] = []
    for item in fields(record):
        if hints[item.name] is Address:
            found += [
                Column(name=f"{item.name}_{part.name}", kind="text", required=False)
                for part in columns(Address)
            ]
            continue
        required = item.default is MISSING and item.default_factory is MISSING
        choices = tuple(
            choice
            for hint in (hints[item.name], *get_args(hints[item.name]))
            if get_origin(hint) is Literal
            for choice in get_args(hint)
        )
        found.append(
            Column(name=item.name, kind=_kind(hints[item.name]), required=required, choices=choices)
        )
    return tuple(found)


def assemble(record: type[Record], values: Mapping[str, Any]) -> Record:
    """The record of flat values; absent ones keep their defaults."""
    plain = {name: value for name, value in values.items() if not name.startswith("address_")}
    address = {
        name.removeprefix("address_"): value
        for name, value in values.items()
        if name.startswith("address_")
    }
    if address:
        plain["address"] = Address(**address)
    return record(**plain)


def insert(db: sqlite3.Connection, records: Iterable[Listed | Defaults], record: type) -> None:
    """Add records of one class to their table."""
    table, identity, _ = TABLES[record]
    shape = columns(record)
    names = ", ".join(column.name for column in shape)
    marks = ", ".join("?" for _ in shape)
    key = "id" if record is Defaults else "key"
    db.executemany(
        f"INSERT INTO {table} ({key}, {names}) VALUES (?, {marks})",  # noqa: S608  # our own names
        ([_key(row, identity), *_stored(row, shape)] for row in records),
    )


def change(db: sqlite3.Connection, row: Listed) -> None:
    """Overwrite a record by its key, except what the company keeps itself (a customer's balance)."""
    table, identity, _ = TABLES[type(row)]
    shape = [column for column in columns(type(row)) if column.name != "balance"]
    sets = ", ".join(f"{column.name} = ?" for column in shape)
    db.execute(
        f"UPDATE {table} SET {sets} WHERE key = ?",  # noqa: S608  # our own names
        [*_stored(row, shape), _key(row, identity)],
    )


def all_of(db: sqlite3.Connection, record: type[Record]) -> tuple[Record, ...]:
    """Every record of a class, by id."""
    rows = db.execute(_select(record) + " ORDER BY 1")
    return tuple(_record(record, row) for row in rows)


def one_of(db: sqlite3.Connection, record: type[Record], identity: str) -> Record | None:
    """The record with an id, compared as Sage compares ids; None if there is none."""
    row = db.execute(_select(record) + " WHERE key = ?", (fold(identity),)).fetchone()
    return None if row is None else _record(record, row)


def _select(record: type) -> str:
    return _selecting(record)


@cache
def _selecting(record: Any) -> str:
    names = ", ".join(column.name for column in columns(record))
    return f"SELECT {names} FROM {TABLES[record][0]}"  # noqa: S608  # our own names


def _record(record: type[Record], row: Sequence[Any]) -> Record:
    kind: type = record
    plain, address = _reading(kind)
    values = {name: row[at] if read is None else read(row[at]) for name, at, read in plain}
    if address is not None:
        values["address"] = Address(**dict(zip(_ADDRESS_PARTS, row[address], strict=True)))
    return record(**values)


@cache
def _reading(
    record: Any,
) -> tuple[list[tuple[str, int, Callable[[Any], Any] | None]], slice | None]:
    """How a row becomes a record: name, position and conversion of each field, and the address."""
    shape = columns(record)
    plain: list[tuple[str, int, Callable[[Any], Any] | None]] = [
        (column.name, at, None if column.kind in {"text", "int"} else column.from_database)
        for at, column in enumerate(shape)
        if not column.name.startswith("address_")
    ]
    parts = [at for at, column in enumerate(shape) if column.name.startswith("address_")]
    return plain, slice(parts[0], parts[-1] + 1) if parts else None


def _stored(row: Any, shape: Iterable[Column]) -> list[str | int | None]:
    return [column.to_database(_value(row, column.name)) for column in shape]


def _value(row: Any, name: str) -> Any:
    if name.startswith("address_"):
        return getattr(row.address, name.removeprefix("address_"))
    return getattr(row, name)


def _key(row: Any, identity: str) -> str | int:
    return 1 if isinstance(row, Defaults) else fold(str(getattr(row, identity)))


def _kind(hint: Any) -> Literal["text", "int", "bool", "decimal", "date", "texts"]:
    if hint is bool:
        return "bool"
    if hint is int:
        return "int"
    if hint is Decimal:
        return "decimal"
    if hint is dt.date or dt.date in get_args(hint):
        return "date"
    return "texts" if get_origin(hint) is tuple else "text"


def _split(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(";") if part.strip())


def _bool(text: str) -> bool:
    if text.lower() not in {"true", "false"}:
        raise ValueError("must be TRUE or FALSE")
    return text.lower() == "true"


def _int(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ValueError("must be a whole number") from None


def _decimal(text: str) -> Decimal:
    try:
        return exact(text)
    except ValueError:
        raise ValueError(
            "must be a number with a decimal point, without thousands separators"
        ) from None


def _date(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise ValueError("must be a date such as 2026-10-31") from None


_READERS = {"int": _int, "bool": _bool, "decimal": _decimal, "date": _date}
