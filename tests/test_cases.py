"""The golden cases: what each ConnectWise kind, item class and tax shape becomes in the books, to the cent.

Every folder of `data/fixtures/cases` is one row of the matrix. The expected files were worked out by
hand; `arithmetic` says how, and is evaluated here without any code of the product.
"""

from __future__ import annotations

import ast
import csv
import json
import operator
import types
from collections import Counter, defaultdict
from dataclasses import fields
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_type_hints

import pytest

from sage50kit import model
from sage50kit.model import Books, Transaction

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sage50kit.batch.planning import Prepared

CASES = Path(__file__).parents[1] / "data" / "fixtures" / "cases"
COLUMNS = ["document", "type", "part", "party", "reference", "posting_date", "due_date", "account", "debit", "credit", "made_by", "role", "item", "quantity", "arithmetic"]
NAMES = sorted(path.parent.name for path in CASES.glob("*/case.json"))
TOKEN = "token"  # stands for our own key where Sage carries it as the reference
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


# --- the hand-worked files ---------------------------------------------------------------------

OPERATORS = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


def worked_out(arithmetic: str) -> Decimal:
    """The value of `3 * 149.95 + round(0.06 * 449.85)`: decimals only, `round` half up to the cent."""

    def value(node: ast.expr) -> Decimal:
        match node:
            case ast.Constant():
                return Decimal(ast.get_source_segment(arithmetic, node) or "")
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return -value(operand)
            case ast.BinOp(left=left, op=op, right=right):
                return OPERATORS[type(op)](value(left), value(right))
            case ast.Call(func=ast.Name(id="round"), args=[argument]):
                return value(argument).quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)
        raise ValueError(f"not arithmetic: {arithmetic}")

    return value(ast.parse(arithmetic, mode="eval").body)


def test_the_arithmetic_rounds_half_up():
    """The judge of the figures rounds as bookkeepers do, not as floats or statisticians."""
    assert worked_out("round(0.015 * 189.00)") == Decimal("2.84")
    assert worked_out("round(2.675)") == Decimal("2.68")
    assert worked_out("-(1.10 + 2.20) * 3") == Decimal("-9.90")


@each_case
def test_the_arithmetic_gives_the_amount(name: str):
    """Each amount of an expected file is what its arithmetic says."""
    assert (CASES / name / "expected.csv").read_text(encoding="utf-8").startswith(",".join(COLUMNS))
    wrong = [row for row in rows(name) if worked_out(row["arithmetic"]) != amount(row)]

    assert wrong == []


@each_case
def test_every_expected_document_balances(name: str):
    """What the kit posts balances, and what Sage makes itself balances, document by document."""
    sums: dict[tuple[str, str, str], Decimal] = defaultdict(Decimal)
    for row in rows(name):
        sums[row["document"], row["part"], row["made_by"]] += signed(row)

    assert {key: rest for key, rest in sums.items() if rest} == {}


@each_case
def test_each_expected_account_is_in_the_books(name: str):
    """An expected row stands on an account of the case's chart, one side only."""
    chart = {account.account_id for account in books(name).accounts}

    assert {row["account"] for row in rows(name)} <= chart
    assert all(not (Decimal(row["debit"]) and Decimal(row["credit"])) for row in rows(name))


# --- the wire of a case is what ConnectWise sends --------------------------------------------


@each_case
def test_the_wire_keeps_the_signs_of_connectwise(name: str):
    """Header and lines of invoices and purchases cancel out; a bill is the sum of its lines."""
    export = case(name)["export"]
    rests = {
        row["documentNumber"]: row["total"] + sum(line["total"] for line in lines_of(row))
        for row in [*export.get("transactions", ()), *export.get("purchaseTransactions", ())]
    }
    rests |= {
        row["documentNumber"]: row["total"] - sum(line["total"] for line in row["detail"])
        for row in export.get("expenseBills", ())
    }
    expected = {
        number: Decimal(rest) for number, rest in expect(name).get("unbalanced", {}).items()
    }

    assert {number: rest for number, rest in rests.items() if rest} == expected


@each_case
def test_gl_entry_ids_are_used_once(name: str):
    """No GL-entry id belongs to two documents, within a case and over all cases."""
    mine = entry_ids_on_the_wire(name)

    assert len(mine) == len(set(mine))
    for other in NAMES:
        assert other == name or not set(mine) & set(entry_ids_on_the_wire(other))


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
    return tuple(text.split()) if isinstance(hint, types.GenericAlias) else text


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


# --- the planner against the hand-worked files -------------------------------------------------


def transactions(name: str) -> list[Transaction]:
    unposted = case(name)["unposted"]
    return [
        *(invoice_transaction(row) for row in unposted.get("invoices", ())),
        *(expense_transaction(row) for row in unposted.get("expenses", ())),
        *procurement_transactions(unposted.get("procurement", ())),
    ]


def day(text: str) -> date:
    return date.fromisoformat(text[:10])


def invoice_transaction(row: dict[str, Any]) -> Transaction:
    return Transaction(
        key=f"invoice:{row['billingLogId']}",
        kind="invoice",
        type=row["invoiceType"],
        number=row["invoiceNumber"],
        date=day(row["invoiceDate"]),
        party=row["company"]["name"],
        party_id=row["accountNumber"],
        total=Decimal(row["total"]),
        entry_ids=(row["id"],),
        description=row["description"],
    )


def expense_transaction(row: dict[str, Any]) -> Transaction:
    return Transaction(
        key=f"expense:{row['expenseDetailId']}",
        kind="expense",
        type=row["classification"],
        number=str(row["expenseDetailId"]),
        date=day(row["dateExpense"]),
        party=row["member"]["name"],
        party_id=row["member"]["identifier"],
        total=Decimal(row["total"]),
        entry_ids=(row["id"],),
        description=row["chargeDescription"],
    )


PROCUREMENT = {"Purchase": "receipt", "Adjustment": "adjustment", "Transfer": "transfer"}


def procurement_transactions(unposted: Iterable[dict[str, Any]]) -> list[Transaction]:
    """One transaction for all rows of one unpostedProductId: totals added, ids joined."""
    groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in unposted:
        groups[row["unpostedProductId"]].append(row)
    return [procurement_transaction(group) for group in groups.values()]


def procurement_transaction(group: list[dict[str, Any]]) -> Transaction:
    first = group[0]
    kind = PROCUREMENT[first["procurementType"]]
    return Transaction(
        key=f"{kind}:{first['unpostedProductId']}",
        kind=kind,
        type=first["procurementType"],
        number=first.get("purchaseOrder", {}).get("name") or first["unpostedProductId"],
        date=day(first["purchaseDate"]),
        party=first.get("vendor", {}).get("name", ""),
        party_id=first.get("vendor", {}).get("identifier", ""),
        total=Decimal(sum(row["total"] for row in group)),
        entry_ids=tuple(row["id"] for row in group),
        description=first["description"],
    )


@cache
def prepared(name: str) -> Prepared:
    """What the product makes of a case."""
    from sage50kit.batch.planning import Detail, Setup, prepare

    from sage50kit.connectwise import wire
    from sage50kit.profile import PushSettings

    content = case(name)
    export = content["export"]
    shared = json.loads((CASES / "setup.json").read_text(encoding="utf-8"), parse_float=Decimal)
    setup = shared | content.get("setup", {})
    bills = [export | {"expenseBills": [bill]} for bill in export.get("expenseBills", ())]
    if export.get("expenses"):
        bills.append(export)
    detail = Detail(
        invoices=wire.GLExport.model_validate(export),
        bills=tuple(wire.GLExport.model_validate(bill) for bill in bills),
        procurement=wire.GLExport.model_validate(export),
    )
    return prepare(
        transactions(name),
        detail,
        books=books(name),
        setup=Setup(
            tax_codes=tuple(wire.TaxCode.model_validate(row) for row in setup["tax_codes"]),
            package=wire.AccountingPackageSetup.model_validate(setup["package"]),
            companies={row["id"]: wire.Company.model_validate(row) for row in setup["companies"]},
            members={row["id"]: wire.Member.model_validate(row) for row in setup["members"]},
            catalog={
                row["identifier"]: wire.CatalogItem.model_validate(row) for row in setup["catalog"]
            },
        ),
        push=PushSettings(**content.get("push", {})),
        delimiter=content.get("connectwise", {}).get("account_delimiter", ":"),
    )


def is_posted(row: dict[str, str]) -> bool:
    """A row of 0.00 is no GL entry."""
    return bool(amount(row))


def label(row: dict[str, str]) -> str:
    return model.document_label(row["document"], part=int(row["part"]))


@each_case
def test_the_books_get_the_hand_worked_entries(name: str):
    """The planner's GL entries, Sage's own ones included, are those of the expected file."""
    from sage50kit.batch.proof import gl_entries

    made = Counter(
        (row.document, row.type, row.account_id, row.debit, row.credit, row.made_by)
        for row in gl_entries(prepared(name).documents, books(name))
        if row.debit or row.credit
    )
    expected = Counter(
        (
            label(row),
            row["type"],
            row["account"],
            Decimal(row["debit"]),
            Decimal(row["credit"]),
            row["made_by"],
        )
        for row in rows(name)
        if is_posted(row)
    )

    assert made == expected


@each_case
def test_the_documents_carry_the_hand_worked_heads(name: str):
    """Party, reference, dates and parts of each document are those of the expected file."""
    made = {
        (
            document.label,
            document.type,
            document.party_id,
            document.reference,
            document.posting_date.isoformat(),
            document.due_date.isoformat() if document.due_date else "",
        )
        for document in prepared(name).documents
    }
    expected = {
        (
            label(row),
            row["type"],
            row["party"],
            model.token(row["document"], part=int(row["part"]))
            if row["reference"] == TOKEN
            else row["reference"],
            row["posting_date"],
            row["due_date"],
        )
        for row in rows(name)
    }

    assert made == expected


@each_case
def test_the_items_move_in_the_hand_worked_quantities(name: str):
    """Item and quantity of each line are those of the expected file, in the document's direction."""
    made = Counter(
        (document.label, line.item_id, line.quantity, line.role)
        for document in prepared(name).documents
        for line in document.distributions
        if line.item_id
    )
    expected = Counter(
        (label(row), row["item"], Decimal(row["quantity"]), row["role"])
        for row in rows(name)
        if row["item"] and row["made_by"] == "kit"
    )

    assert made == expected


@each_case
def test_the_findings_are_the_expected_ones(name: str):
    """Each finding of the case is found, nothing else is; `field` counts where the file names it."""
    found = [(row.severity, row.code, row.key, row.field) for row in prepared(name).issues]
    expected = [
        (row["severity"], row["code"], row["key"], row["field"])
        for row in rows(name, "findings.csv")
    ]
    named = {row[:3] for row in expected if row[3]}

    assert sorted(row if row[:3] in named else (*row[:3], "") for row in found) == sorted(expected)


# --- the matrix ---------------------------------------------------------------------------------

ITEM_CLASSES = ("stock", "non_stock", "service", "description_only", "unknown", "plain")
TAXES = ("none", "one", "two", "three", "five", "exempt", "zero")

SALES_OF_ITEMS = ("Standard", "Agreement", "Miscellaneous", "CreditMemo")
PURCHASES = ("ReceiptBilled", "ReceiptWaiting")
STOCK_ONLY = ("AdjustmentIncrease", "AdjustmentDecrease", "Transfer")
MONEY_ONLY = ("Progress", "DownPayment", "ExpenseBill", "ExpenseJournal")
KINDS = (*SALES_OF_ITEMS, "NegativeStandard", *MONEY_ONLY, *PURCHASES, *STOCK_ONLY)
