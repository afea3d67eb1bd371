"""The data set of a local ConnectWise site: one JSON file, read and checked before anything is served.

The file holds setup tables as ConnectWise shows them, with ids where a reference is meant, and the records
of `records.py`. Amounts are JSON numbers read exactly, or text.
"""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from sage50kit.errors import ConfigError
from sage50kit.sandbox.records import Records
from sage50kit.sandbox.tables import TABLES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ADVICE = "Correct the data set and start again."


def fixtures_folder() -> Path:
    """The fixtures: inside an installed package, at the top of a checkout."""
    package = Path(__file__).resolve().parents[1]
    installed = package / "fixtures"
    return installed if installed.is_dir() else package.parent / "data" / "fixtures"


def read(path: Path) -> dict[str, Any]:
    """The content of a data set file, numbers exact.

    Raises:
        ConfigError: the file is missing, not UTF-8, or not a JSON object.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    except (OSError, ValueError) as error:
        raise ConfigError(f"the data set {path} cannot be read: {error}. {ADVICE}") from error
    if not isinstance(content, dict):
        raise ConfigError(f"the data set {path} is not a JSON object. {ADVICE}")
    return content


def parse(content: dict[str, Any]) -> Records:
    """The records of a data set, every field and reference checked.

    Raises:
        ConfigError: the first thing that is wrong, and where it stands.
    """
    try:
        records = msgspec.convert(content, Records)
    except msgspec.ValidationError as error:
        raise ConfigError(f"the data set is wrong: {error}. {ADVICE}") from error
    problem = next(_problems(records, content), None)
    if problem:
        raise ConfigError(f"the data set is wrong: {problem}. {ADVICE}")
    return records


def _problems(records: Records, content: dict[str, Any]) -> Iterator[str]:
    yield from _floats(content)
    yield from _table_problems(records)
    yield from _record_problems(records)


def _floats(content: dict[str, Any]) -> Iterator[str]:
    """An amount that went through a float may have lost a cent."""
    waiting: list[tuple[str, Any]] = [("", content)]
    while waiting:
        where, part = waiting.pop()
        for name, value in part.items() if isinstance(part, dict) else enumerate(part):
            if isinstance(value, float):
                yield f"{where}{name} is the float {value!r}; write the amount as text"
            elif isinstance(value, (dict, list)):
                waiting.append((f"{where}{name}.", value))


def _table_problems(records: Records) -> Iterator[str]:
    for name, rows in records.tables.items():
        if name not in TABLES:
            yield f"tables.{name} is not a table; known are {', '.join(sorted(TABLES))}"
            continue
        seen: set[int] = set()
        for number, row in enumerate(rows, start=1):
            where = f"tables.{name}, row {number}"
            if not isinstance(row.get("id"), int) or row["id"] < 1:
                yield f"{where} has no id"
            elif row["id"] in seen:
                yield f"{where} repeats the id {row['id']}"
            else:
                seen.add(row["id"])
                yield from _row_problems(records, name, row, where)


def _row_problems(records: Records, name: str, row: dict[str, Any], where: str) -> Iterator[str]:
    table = TABLES[name]
    for field in table.required:
        if field not in row:
            yield f"{where} (id {row['id']}) has no {field}"
    for field, target in table.refers:
        value = row.get(field)
        for wanted in value if isinstance(value, list) else [value]:
            if wanted is not None and wanted not in _ids(records, target):
                yield f"{where} (id {row['id']}): {field} names {wanted!r}, which is not in {target}"


def _ids(records: Records, table: str) -> set[int]:
    """The ids of a table; small tables, asked for often, so kept on the records' own rows."""
    cache = _ID_CACHE.get(id(records))
    if cache is None:
        _ID_CACHE.clear()
        cache = _ID_CACHE[id(records)] = {}
    if table not in cache:
        cache[table] = {row["id"] for row in records.tables.get(table, []) if "id" in row}
    return cache[table]


_ID_CACHE: dict[int, dict[str, set[int]]] = {}


def _record_problems(records: Records) -> Iterator[str]:
    yield from _repeated(records)
    items = {row["identifier"] for row in records.tables.get("catalog", [])}
    for invoice in records.invoices:
        where = f"invoice {invoice.invoice_number}"
        wanted = [
            ("company", "companies", invoice.company),
            ("billTo", "companies", invoice.bill_to),
        ]
        wanted += [
            ("shipTo", "companies", invoice.ship_to),
            ("taxCode", "taxCodes", invoice.tax_code),
        ]
        wanted += [
            ("location", "locations", invoice.location),
            ("department", "departments", invoice.department),
        ]
        wanted += [
            ("billingTerms", "billingTerms", invoice.billing_terms),
            ("agreement", "agreements", invoice.agreement),
        ]
        yield from _missing(records, where, wanted)
        yield from (
            f"{where}: item {line.item!r} is not in catalog"
            for line in invoice.lines
            if line.item and line.item not in items
        )
    for order in records.purchase_orders:
        where = f"purchase order {order.po_number}"
        wanted = [("vendor", "companies", order.vendor), ("taxCode", "taxCodes", order.tax_code)]
        wanted += [
            ("location", "locations", order.location),
            ("warehouse", "warehouses", order.warehouse),
        ]
        wanted += [("shipTo", "companies", order.ship_to), ("terms", "billingTerms", order.terms)]
        yield from _missing(records, where, wanted)
        yield from (
            f"{where}: item {line.item!r} is not in catalog"
            for line in order.lines
            if line.item not in items
        )
    yield from _stock_problems(records, items)
    yield from _expense_problems(records)


def _missing(records: Records, where: str, wanted: list[tuple[str, str, int]]) -> Iterator[str]:
    for field, table, value in wanted:
        if value and value not in _ids(records, table):
            yield f"{where}: {field} names {value}, which is not in {table}"


def _stock_problems(records: Records, items: set[str]) -> Iterator[str]:
    for adjustment in records.adjustments:
        where = f"adjustment {adjustment.identifier}"
        for line in adjustment.lines:
            yield from _missing(
                records,
                where,
                [("warehouse", "warehouses", line.warehouse), ("bin", "warehouseBins", line.bin)],
            )
            if line.item not in items:
                yield f"{where}: item {line.item!r} is not in catalog"
    for transfer in records.transfers:
        where = f"transfer {transfer.id}"
        for moved in transfer.lines:
            yield from _missing(
                records,
                where,
                [
                    ("fromBin", "warehouseBins", moved.from_bin),
                    ("toBin", "warehouseBins", moved.to_bin),
                ],
            )
            if moved.item not in items:
                yield f"{where}: item {moved.item!r} is not in catalog"


def _expense_problems(records: Records) -> Iterator[str]:
    reports = {report.id for report in records.expense_reports}
    for report in records.expense_reports:
        yield from _missing(
            records, f"expense report {report.id}", [("member", "members", report.member)]
        )
    for expense in records.expenses:
        where = f"expense {expense.id}"
        if expense.report not in reports:
            yield f"{where}: report names {expense.report}, which is not in expenseReports"
        wanted = [
            ("type", "expenseTypes", expense.type),
            ("paymentMethod", "paymentTypes", expense.payment_method),
        ]
        wanted += [
            ("company", "companies", expense.company),
            ("location", "locations", expense.location),
        ]
        yield from _missing(records, where, wanted)
    invoices = {invoice.id for invoice in records.invoices}
    for payment in records.payments:
        if payment.invoice not in invoices:
            yield f"payment {payment.id}: there is no invoice {payment.invoice}"


def _repeated(records: Records) -> Iterator[str]:
    lists: list[tuple[str, Iterable[object]]] = [
        ("invoices have the id", (row.id for row in records.invoices)),
        ("invoices have the number", (row.invoice_number for row in records.invoices)),
        ("expense reports have the id", (row.id for row in records.expense_reports)),
        ("expenses have the id", (row.id for row in records.expenses)),
        ("purchase orders have the id", (row.id for row in records.purchase_orders)),
        ("adjustments have the id", (row.id for row in records.adjustments)),
        ("transfers have the id", (row.id for row in records.transfers)),
        ("payments have the id", (row.id for row in records.payments)),
    ]
    for words, values in lists:
        seen: set[object] = set()
        for value in values:
            if value in seen:
                yield f"two {words} {value}"
            seen.add(value)
