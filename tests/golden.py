"""The golden cases of `data/fixtures/cases`: read from their files, and given to the product."""

from __future__ import annotations

import csv
import json
import types
from collections import defaultdict
from copy import deepcopy
from dataclasses import fields
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_type_hints

import pytest

from sage50kit import model
from sage50kit.model import Books

if TYPE_CHECKING:
    from collections.abc import Callable

    from sage50kit.batch.planning import ExpenseGroup, Prepared, Setup
    from sage50kit.model import Document, Transaction

CASES = Path(__file__).parents[1] / "data" / "fixtures" / "cases"
NAMES = sorted(path.parent.name for path in CASES.glob("*/case.json"))
each_case = pytest.mark.parametrize("name", NAMES)


# --- what a case holds ------------------------------------------------------------------------


@cache
def case(name: str) -> dict[str, Any]:
    text = (CASES / name / "case.json").read_text(encoding="utf-8")
    return json.loads(text, parse_float=Decimal)


@cache
def rows(name: str, table: str = "expected.csv") -> list[dict[str, str]]:
    path = CASES / name / table
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def amount(row: dict[str, str]) -> Decimal:
    return Decimal(row["debit"]) + Decimal(row["credit"])


def signed(row: dict[str, str]) -> Decimal:
    return Decimal(row["debit"]) - Decimal(row["credit"])


def lines_of(row: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        *row.get("detail", ()),
        *row.get("purchaseDetail", ()),
        *row.get("purchaseDetailTax", ()),
    ]


@cache
def entry_ids_on_the_wire(name: str) -> tuple[int, ...]:
    export = case(name)["export"]
    found: list[int] = []
    for row in export.get("transactions", ()):
        found += ids_of_invoice(row)
    for row in export.get("purchaseTransactions", ()):
        found += [line["id"] for line in lines_of(row)]
    for row in export.get("expenseBills", ()):
        found += [entry_id for line in row["detail"] for entry_id in line["id"]]
    return tuple(found)


def ids_of_invoice(row: dict[str, Any]) -> list[int]:
    header = [int(text) for text in row["glEntryIds"].split(",")]
    return [*header, *(line["id"] for line in row["detail"])]


def expect(name: str) -> dict[str, Any]:
    return case(name).get("expect", {})


# --- the books of a case ----------------------------------------------------------------------

LISTS = {
    "accounts": model.Account,
    "customers": model.Customer,
    "vendors": model.Vendor,
    "items": model.Item,
    "tax_codes": model.TaxCode,
    "agencies": model.TaxAgency,
    "periods": model.Period,
}


def record(kind: type, row: dict[str, Any]) -> Any:
    """A row of a list as the dataclass of model.py; an empty cell takes the field's default."""
    hints = get_type_hints(kind)
    values = {
        field.name: typed(hints[field.name], str(row[field.name]))
        for field in fields(kind)
        if row.get(field.name) not in (None, "")
    }
    return kind(**values)


def typed(hint: Any, text: str) -> Any:
    if hint is bool:
        return text.lower() == "true"
    if hint is date:
        return date.fromisoformat(text)
    if hint in (int, Decimal):
        return hint(text)
    return tuple(text.split(";")) if isinstance(hint, types.GenericAlias) else text


@cache
def shared_list(name: str) -> list[dict[str, str]]:
    with (CASES / "books" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@cache
def books(name: str) -> Books:
    """The shared books with the rows that the case adds or, by the same id, replaces."""
    changes = case(name).get("books", {})
    lists = {}
    for list_name, kind in LISTS.items():
        key = fields(kind)[0].name if kind is not model.Period else "start"
        merged = {row[key]: dict(row) for row in shared_list(list_name)}
        for row in changes.get(list_name, ()):
            merged[row[key]] = merged.get(row[key], {}) | row
        lists[list_name] = tuple(record(kind, row) for row in merged.values())
    defaults = shared_list("defaults")[0] | changes.get("defaults", {})
    return Books(**lists, defaults=record(model.Defaults, defaults))


# --- what the product makes of a case -------------------------------------------------


@cache
def transactions(name: str) -> tuple[list[Transaction], set[str]]:
    """The transactions of the unposted rows as a fetch selects them, and the keys it leaves out."""
    from sage50kit.connectwise import frames
    from sage50kit.reading import transactions_of

    pages = unposted_pages(name)
    kept, left = frames.select(
        frames.unposted_frame(
            frames.read_list("invoice", [pages["invoices"]]),
            frames.read_list("expense", [pages["expenses"]]),
            frames.read_list("procurement", [pages["procurement"]]),
        ),
        clear_non_reimbursable=case(name).get("push", {}).get("clear_non_reimbursable", False),
    )
    return transactions_of(kept), set(left["key"])


def unposted_pages(name: str) -> dict[str, bytes]:
    """The bodies that ConnectWise would answer with, amounts in the words of the file."""
    text = (CASES / name / "case.json").read_text(encoding="utf-8")
    unposted = json.loads(text)["unposted"]  # a float's repr is the shortest text, here the file's
    return {
        kind: json.dumps(unposted.get(kind, [])).encode()
        for kind in ("invoices", "expenses", "procurement")
    }


@cache
def prepared(name: str) -> Prepared:
    """What the product makes of a case."""
    from sage50kit.batch.planning import Detail, prepare
    from sage50kit.connectwise.wire import GLExport
    from sage50kit.profile import PushSettings

    content = case(name)
    export = GLExport.model_validate(content["export"])
    return prepare(
        transactions(name)[0],
        Detail(invoices=export, expenses=expense_groups(name), procurement=export),
        books=books(name),
        setup=setup(name),
        push=PushSettings(**content.get("push", {})),
        delimiter=content.get("connectwise", {}).get("account_delimiter", ":"),
    )


def replanned(name: str, change: Callable[[dict[str, Any]], object], **more: Any) -> Prepared:
    """What planning makes of a golden case after a change to its export."""
    from sage50kit.batch.planning import Detail, ExpenseGroup, prepare
    from sage50kit.connectwise.wire import GLExport
    from sage50kit.profile import PushSettings

    export = deepcopy(case(name)["export"])
    change(export)
    content = GLExport.model_validate(export)
    rows = more.pop("transactions", transactions(name)[0])
    keys = tuple(row.key for row in rows)
    words: dict[str, Any] = {
        "books": books(name),
        "setup": setup(name),
        "push": PushSettings(create=("customer", "vendor", "member", "item")),
    }
    detail = Detail(
        invoices=content,
        expenses=(ExpenseGroup(keys=keys, export=content),)
        if export.get("expenseBills") or export.get("expenses")
        else (),
        procurement=content,
    )
    return prepare(rows, detail, **(words | more))


def setup(name: str) -> Setup:
    """The shared set-up tables with the rows that the case replaces."""
    from sage50kit.batch.planning import Setup
    from sage50kit.connectwise import wire

    shared = json.loads((CASES / "setup.json").read_text(encoding="utf-8"), parse_float=Decimal)
    tables = shared | case(name).get("setup", {})
    return Setup(
        tax_codes=tuple(wire.TaxCode.model_validate(row) for row in tables["tax_codes"]),
        package=wire.AccountingPackageSetup.model_validate(tables["package"]),
        companies={row["id"]: wire.Company.model_validate(row) for row in tables["companies"]},
        members={row["id"]: wire.Member.model_validate(row) for row in tables["members"]},
    )


def expense_groups(name: str) -> tuple[ExpenseGroup, ...]:
    """One export a member, as the kit asks for them."""
    from sage50kit.batch.planning import ExpenseGroup
    from sage50kit.connectwise.wire import GLExport

    content = case(name)
    members: dict[int, list[str]] = defaultdict(list)
    for row in content["unposted"].get("expenses", ()):
        members[row["member"]["id"]].append(f"expense:{row['expenseDetailId']}")
    return tuple(
        ExpenseGroup(
            keys=tuple(keys),
            export=GLExport.model_validate(
                {
                    table: [
                        row
                        for row in content["export"].get(table, ())
                        if row["member"]["id"] == member
                    ]
                    for table in ("expenseBills", "expenses")
                }
            ),
        )
        for member, keys in members.items()
    )


def label(row: dict[str, str]) -> str:
    return model.document_label(row["document"], part=int(row["part"]))


def documents(name: str) -> list[Document]:
    """The documents that may be posted: a blocking finding takes those of its record out."""
    blocked = {row["key"] for row in rows(name, "findings.csv") if row["severity"] == "block"}
    return [row for row in prepared(name).documents if not blocked & set(row.transactions)]
