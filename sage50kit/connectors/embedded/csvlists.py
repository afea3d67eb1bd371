"""The lists of a company as CSV files, one for each list; columns are the field names of model.py."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Any, TypeVar

from sage50kit.connectors.embedded.creation import OpeningStock
from sage50kit.connectors.embedded.records import assemble, columns
from sage50kit.errors import ConfigError
from sage50kit.model import (
    Account,
    Books,
    Customer,
    Defaults,
    Item,
    Period,
    TaxAgency,
    TaxCode,
    Vendor,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Record = TypeVar("Record")


def read_lists(folder: Path) -> tuple[Books, list[OpeningStock]]:
    """Read `accounts.csv`, `customers.csv`, ... of a folder; only accounts and periods must be there.

    Raises:
        ConfigError: naming file, line and column of what cannot be read.
    """
    if not folder.is_dir():
        raise ConfigError(f"there is no folder of company lists at {folder}.")
    defaults = _read(folder / "defaults.csv", Defaults)
    if len(defaults) > 1:
        raise ConfigError(
            f"{folder / 'defaults.csv'}: one line of default accounts is expected, not {len(defaults)}."
        )
    books = Books(
        accounts=_read(folder / "accounts.csv", Account, needed=True),
        customers=_read(folder / "customers.csv", Customer),
        vendors=_read(folder / "vendors.csv", Vendor),
        items=_read(folder / "items.csv", Item),
        tax_codes=_read(folder / "tax_codes.csv", TaxCode),
        agencies=_read(folder / "agencies.csv", TaxAgency),
        periods=_read(folder / "periods.csv", Period, needed=True),
        defaults=defaults[0] if defaults else Defaults(),
    )
    return books, list(_read(folder / "opening_stock.csv", OpeningStock))


def _read(path: Path, record: type[Record], *, needed: bool = False) -> tuple[Record, ...]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return tuple(_records(path, csv.DictReader(file, strict=True), record))
    except FileNotFoundError:
        if needed:
            raise ConfigError(f"there is no {path}; a company needs this list.") from None
        return ()
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from error


def _records(path: Path, rows: csv.DictReader[str], record: type[Record]) -> Iterator[Record]:
    _check_headings(path, list(rows.fieldnames or []), record)
    for row in rows:
        if None in row or None in row.values():
            raise ConfigError(
                f"{path}, line {rows.line_num}: the line has another number of columns than line 1."
            )
        yield _record(f"{path}, line {rows.line_num}", row, record)


def _check_headings(path: Path, headings: list[str], record: type) -> None:
    known = {column.name: column for column in columns(record)}
    for heading in headings:
        if heading not in known:
            raise ConfigError(
                f"{path}, line 1: column {heading!r} is unknown; known are {', '.join(known)}."
            )
    missing = [name for name, column in known.items() if column.required and name not in headings]
    if missing or len(set(headings)) < len(headings):
        wrong = f"column {missing[0]} is missing" if missing else "a column is there twice"
        raise ConfigError(f"{path}, line 1: {wrong}.")


def _record(where: str, row: dict[str, str], record: type[Record]) -> Record:
    values: dict[str, Any] = {}
    for column in columns(record):
        text = row.get(column.name, "").strip()
        if not text:
            if column.required:
                raise ConfigError(f"{where}: {column.name} is required.")
            continue
        try:
            values[column.name] = column.from_text(text)
        except ValueError as error:
            raise ConfigError(f"{where}, column {column.name}: {text!r} {error}.") from None
    return assemble(record, values)
