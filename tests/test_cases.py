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
from dataclasses import fields, replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_type_hints

import pytest

from sage50kit import model
from sage50kit.model import Books

if TYPE_CHECKING:
    from sage50kit.batch.planning import ExpenseGroup, Prepared, Setup
    from sage50kit.model import Document, Transaction

PROCUREMENT = {"Purchase": "receipt", "Adjustment": "adjustment", "Transfer": "transfer"}
CASES = Path(__file__).parents[1] / "data" / "fixtures" / "cases"
HEADER = (
    "document,type,part,party,reference,posting_date,due_date,account,debit,credit,"
    "made_by,role,item,quantity,arithmetic\n"
)
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
    assert (CASES / name / "expected.csv").read_text(encoding="utf-8").startswith(HEADER)
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


@cache
def transactions(name: str) -> tuple[list[Transaction], set[str]]:
    """The transactions of the unposted rows as a fetch selects them, and the keys it leaves out."""
    from sage50kit.connectwise import frames
    from sage50kit.kit import transactions_of

    pages = unposted_pages(name)
    kept, left = frames.select(
        frames.unposted_frame(*([pages[kind]] for kind in ("invoices", "expenses", "procurement"))),
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
    from sage50kit.connectwise.wire import GLExport

    from sage50kit.batch.planning import Detail, prepare
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
    from sage50kit.connectwise.wire import GLExport

    from sage50kit.batch.planning import ExpenseGroup

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


@each_case
def test_the_books_get_the_hand_worked_entries(name: str):
    """The planner's GL entries, Sage's own ones included, are those of the expected file."""
    from sage50kit.batch.proof import gl_entries

    new_items = [row for row in prepared(name).masters if isinstance(row, model.Item)]
    after = replace(books(name), items=(*books(name).items, *new_items))
    made = Counter(
        (row.document, row.type, row.account_id, row.debit - row.credit, row.made_by)
        for row in gl_entries(documents(name), after)
        if row.debit or row.credit
    )
    expected = Counter(
        (label(row), row["type"], row["account"], signed(row), row["made_by"])
        for row in rows(name)
        if amount(row)
    )

    assert made == expected


@each_case
def test_the_documents_carry_the_hand_worked_heads(name: str):
    """Party, reference and dates of each document are those of the expected file."""
    made = {
        row.label: (
            row.type,
            row.party_id,
            row.reference,
            row.posting_date.isoformat(),
            row.due_date.isoformat() if row.due_date else "",
        )
        for row in documents(name)
    }
    expected = {
        label(row): (row["type"], row["party"], reference(row), *dates(row)) for row in rows(name)
    }

    assert made == expected


def reference(row: dict[str, str]) -> str:
    if row["reference"] == TOKEN:
        return model.token(row["document"], part=int(row["part"]))
    return row["reference"]


def dates(row: dict[str, str]) -> tuple[str, str]:
    return row["posting_date"], row["due_date"]


@each_case
def test_the_lines_have_the_hand_worked_roles_items_and_quantities(name: str):
    """Role, item and quantity of each line are those of the expected file, in the document's direction."""
    made = Counter(
        (row.label, line.role, line.account_id, line.item_id, line.item_id and line.quantity)
        for row in documents(name)
        for line in row.distributions
        if line.amount or line.item_id
    )
    expected = Counter(
        (
            label(row),
            row["role"],
            row["account"],
            row["item"],
            row["item"] and Decimal(row["quantity"]),
        )
        for row in rows(name)
        if row["made_by"] == "kit" and row["role"] != "control"
    )

    assert made == expected


@each_case
def test_a_line_is_quantity_times_price(name: str):
    """An item line is worth its quantity times its unit price, so Sage shows ConnectWise's figures."""
    for row in documents(name):
        side = -1 if row.type == "sales_invoice" else 1
        for line in row.distributions:
            if line.item_id and row.type != "inventory_adjustment":
                worth = (line.quantity * line.unit_price).quantize(
                    Decimal("0.01"), rounding=ROUND_HALF_UP
                )
                assert worth == line.amount * side
                assert line.unit_price >= 0


@each_case
def test_the_findings_are_the_expected_ones(name: str):
    """Each finding of the case is found and nothing else; `field` counts where the file names it."""
    expected = [
        (row["severity"], row["code"], row["key"], row["field"])
        for row in rows(name, "findings.csv")
    ]
    named = {row[:3] for row in expected if row[3]}
    found = [(row.severity, row.code, row.key, row.field) for row in prepared(name).issues]

    assert sorted(row if row[:3] in named else (*row[:3], "") for row in found) == sorted(expected)


@each_case
def test_every_transaction_is_accounted_for(name: str):
    """A transaction has a document, or joins the batch without one, or is left out, or is blocked."""
    kept, left = transactions(name)
    blocked = {row["key"] for row in rows(name, "findings.csv") if row["severity"] == "block"}
    posted = {key for row in documents(name) for key in row.transactions}
    silent = {row.key: row for row in prepared(name).transactions if row.disposition != "post"}

    assert left == set(expect(name).get("left_out", ()))
    assert set(silent) == {*expect(name).get("nothing", ()), *expect(name).get("cleared", ())}
    assert {row.disposition for row in silent.values()} <= (
        {"clear"} if expect(name).get("cleared") else {"nothing_to_post"}
    )
    assert all(row.reason for row in silent.values())
    assert posted | set(silent) | blocked == {row.key for row in kept}
    assert not posted & set(silent)


@each_case
def test_only_what_the_books_lack_is_created(name: str):
    """The new customers, vendors and items are those that the case names."""
    created = {
        getattr(row, fields(row)[0].name)  # the id is the first field of each
        for row in prepared(name).masters
    }
    blocked = any(row["severity"] == "block" for row in rows(name, "findings.csv"))

    assert created == set(expect(name).get("masters", ())) or blocked


@each_case
def test_a_document_brings_all_its_gl_entries_into_the_batch(name: str):
    """The GL-entry ids of a document are those of its header, lines and taxes (reference, 5.2)."""
    made = {entry for row in documents(name) for entry in row.entry_ids}
    posted = {key for row in documents(name) for key in row.transactions}
    wanted = {entry for key in posted for entry in batched_entries(name).get(key, ())}

    assert made == wanted


def batched_entries(name: str) -> dict[str, set[int]]:
    """What enters the batch for each transaction of a case, from the wire alone."""
    export, unposted = case(name)["export"], case(name)["unposted"]
    found: dict[str, set[int]] = defaultdict(set)
    for row in export.get("transactions", ()):
        found[f"invoice:{row['id']}"] |= set(ids_of_invoice(row))
    of_row = {
        row["id"]: f"expense:{row['expenseDetailId']}" for row in unposted.get("expenses", ())
    }
    for bill in export.get("expenseBills", ()):
        for line in bill["detail"]:
            found[of_row[line["id"][0]]] |= set(line["id"])
    for row in export.get("expenses", ()):
        found[of_row[row["id"]]] |= {row["id"], row["offset"]["id"]}
    for row in unposted.get("procurement", ()):
        key = f"{PROCUREMENT[row['procurementType']]}:{row['unpostedProductId']}"
        found[key].add(row["id"])
        for purchase in export.get("purchaseTransactions", ()):
            lines = {line["id"] for line in lines_of(purchase)}
            found[key] |= lines if row["id"] in lines else set()
        for transfer in export.get("inventoryTransfers", ()):
            if key == f"transfer:{transfer['id']}":
                found[key].add(transfer["offset"]["id"])
    return found


@each_case
def test_a_receipt_carries_its_order_and_waits_for_its_bill(name: str):
    """The PO number is the Customer Invoice No.; without a vendor invoice number Sage waits."""
    orders = {
        f"receipt:{row['unpostedProductId']}": (
            row["purchaseOrder"]["name"],
            not row["vendorInvoiceNumber"],
        )
        for row in case(name)["unposted"].get("procurement", ())
        if row["procurementType"] == "Purchase"
    }

    for row in documents(name):
        wanted = orders.get(row.key, ("", False))
        assert (row.purchase_order, row.waiting_on_bill) == wanted


# --- the matrix ---------------------------------------------------------------------------------

ITEMS = ("stock", "non_stock", "service", "description_only", "unknown")
CLASSES = (*ITEMS, "plain")
TAXES = ("none", "one", "two", "three", "five", "exempt", "zero")

# Which cells of kind x class x tax mean something, and so must hold a case.
#
# * Tax is added per document and level, never per item: that five levels, an exempt line or zero lines
#   come out right no class can change, so every class meets one number of levels, and each further
#   shape is asked of one class. Standard invoices, the bulk of the work, meet three shapes per class.
# * Progress and down payment invoices bill money for work: no product lines, so no item class.
# * A Standard invoice below zero is the credit memo again: one case for each of three classes.
# * Expenses have no items, and their tax is inside the amount.
# * Receipts are always of products. Purchase tax is a line of its own on its own account, unlike a
#   sales tax level, so that exempt lines and zero lines do not exist.
# * Only stock is adjusted or transferred; nothing is sold, so nothing is taxed.
MEANINGFUL: dict[str, set[tuple[str, str]]] = {
    "Standard": {*product(CLASSES, ("none", "one", "three")), *product(["stock"], TAXES)},
    "Agreement": {*product(CLASSES, ["one"]), *product(["plain"], ("none", "three", "exempt"))},
    "Miscellaneous": {*product(CLASSES, ["none"]), *product(["plain"], ("one", "two", "zero"))},
    "CreditMemo": {*product(CLASSES, ["one"]), *product(["plain"], ("none", "three"))},
    "NegativeStandard": {("plain", "none"), ("stock", "one"), ("description_only", "three")},
    "Progress": {("plain", "none"), ("plain", "one")},
    "DownPayment": {("plain", "none"), ("plain", "one")},
    "ExpenseBill": {("plain", "none")},
    "ExpenseJournal": {("plain", "none")},
    "ReceiptBilled": {
        *product(ITEMS, ["none"]),
        ("stock", "one"),
        ("stock", "two"),
        ("description_only", "one"),
    },
    "ReceiptWaiting": {*product(ITEMS, ["none"]), ("stock", "one")},
    "AdjustmentIncrease": {("stock", "none")},
    "AdjustmentDecrease": {("stock", "none")},
    "Transfer": {("stock", "none")},
}
# Shapes that are no cell of the matrix, each of which some case must have.
SHAPES = {
    *("all_zero", "cancelling", "negative_line", "discount", "down_payment_applied", "fraction"),
    *("rounding", "segments", "zero_account", "long_id", "long_name", "too_long", "international"),
    *("new_customer", "new_vendor", "new_item", "unmapped", "case", "class_differs", "serialized"),
    *("company_advance", "non_reimbursable", "personal", "freight", "several_rows", "two_items"),
    *("same_vendor_invoice", "account_differs", "amount_only", "wrong_class", "same_account"),
    *("credit", "negative", "sample"),
}
BLOCKED_TAXES = {"six", "agency_mismatch"}


def test_no_cell_of_the_matrix_is_empty():
    """Every meaningful cell of kind x item class x tax shape holds at least one case."""
    counts, posted = Counter(map(cell, NAMES)), Counter(cell(name) for name in NAMES if rows(name))
    print(matrix(counts))
    meaningful = [(kind, *pair) for kind, pairs in MEANINGFUL.items() for pair in sorted(pairs)]
    empty = [place for place in meaningful if not posted[place]]  # a blocked case books nothing

    assert empty == []
    assert {kind for kind, _, _ in counts} == set(MEANINGFUL)
    assert {tax for _, _, tax in counts} == {*TAXES, *BLOCKED_TAXES}


def cell(name: str) -> tuple[str, str, str]:
    return case(name)["kind"], case(name)["item_class"], case(name)["tax"]


def matrix(counts: Counter[tuple[str, str, str]]) -> str:
    """The counts as a table, one row a kind and class, one column a tax shape."""
    taxes = (*TAXES, *sorted(BLOCKED_TAXES))
    lines = [f"{'kind':20}{'class':18}" + "".join(f"{tax:>16}" for tax in taxes)]
    for kind, item_class in product(MEANINGFUL, CLASSES):
        found = [counts[kind, item_class, tax] for tax in taxes]
        if any(found):
            cells = "".join(f"{count or '.':>16}" for count in found)
            lines.append(f"{kind:20}{item_class:18}{cells}")
    return "\n".join(lines)


def test_every_odd_shape_has_a_case():
    """Each shape that is no cell of the matrix is the business of some case."""
    assert {tag for name in NAMES for tag in case(name).get("tags", ())} >= SHAPES


def test_there_are_enough_cases_and_no_title_twice():
    """The matrix has its hundred rows and more, each with a sentence of its own."""
    titles = Counter(case(name)["title"] for name in NAMES)

    assert len(NAMES) >= 100
    assert [title for title, count in titles.items() if count > 1] == []
