"""The matrix of the golden cases: which cells of kind x item class x tax shape hold one, and why others need none."""

from __future__ import annotations

from collections import Counter
from itertools import product

from tests.golden import NAMES, case, rows

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
# * Expenses have no items. Their tax is inside the amount ("included"), or a line of its own (ET) on the
#   bill. Sales know no included tax: the contract always has a line per level beside the revenue.
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
    "ExpenseBill": {("plain", "none"), ("plain", "one"), ("plain", "included")},
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
    *("credit", "negative", "sample", "drop_shipped"),
}
EXPENSE_TAXES = {"included"}
BLOCKED_TAXES = {"six", "agency_mismatch"}


def test_no_cell_of_the_matrix_is_empty():
    """Every meaningful cell of kind x item class x tax shape holds at least one case."""
    counts, posted = Counter(map(cell, NAMES)), Counter(cell(name) for name in NAMES if rows(name))
    print(matrix(counts))
    meaningful = [(kind, *pair) for kind, pairs in MEANINGFUL.items() for pair in sorted(pairs)]
    empty = [place for place in meaningful if not posted[place]]  # a blocked case books nothing

    assert empty == []
    assert {kind for kind, _, _ in counts} == set(MEANINGFUL)
    assert {tax for _, _, tax in counts} == {*TAXES, *EXPENSE_TAXES, *BLOCKED_TAXES}


def cell(name: str) -> tuple[str, str, str]:
    return case(name)["kind"], case(name)["item_class"], case(name)["tax"]


def matrix(counts: Counter[tuple[str, str, str]]) -> str:
    """The counts as a table, one row a kind and class, one column a tax shape."""
    taxes = (*TAXES, *EXPENSE_TAXES, *sorted(BLOCKED_TAXES))
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
