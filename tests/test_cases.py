"""The golden cases: what each ConnectWise kind, item class and tax shape becomes in the books, to the cent.

The expected files were worked out by hand from the seed's table of GL entries; `arithmetic` says how,
and is evaluated here without any code of the product.
"""

from __future__ import annotations

import ast
import operator
from collections import Counter, defaultdict
from dataclasses import fields, replace
from decimal import ROUND_HALF_UP, Decimal

from sage50kit import model
from tests.golden import (
    CASES,
    NAMES,
    amount,
    books,
    case,
    documents,
    each_case,
    entry_ids_on_the_wire,
    expect,
    ids_of_invoice,
    label,
    lines_of,
    prepared,
    rows,
    signed,
    transactions,
)

PROCUREMENT = {"Purchase": "receipt", "Adjustment": "adjustment", "Transfer": "transfer"}
TOKEN = "token"  # stands for our own key where Sage carries it as the reference
HEADER = (
    "document,type,part,party,reference,posting_date,due_date,account,debit,credit,"
    "made_by,role,item,quantity,arithmetic\n"
)


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


# --- the planner against the hand-worked files -------------------------------------------------


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
        if row["role"] != "control"
        and (row["made_by"] == "kit" or row["type"] == "inventory_adjustment")
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
        first = of_row[bill["detail"][0]["id"][0]]
        for line in bill["detail"]:  # a tax line is no row of the list: it comes with the bill
            found[of_row.get(line["id"][0], first)] |= set(line["id"])
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
        if row.key in orders:
            assert (row.purchase_order, row.waiting_on_bill) == orders[row.key]
        else:
            assert not row.waiting_on_bill
