"""The proof of a whole month: one plan of all golden cases, the same figures on every medium."""

from __future__ import annotations

import html as stdlib_html
import io
import re
from collections import Counter, defaultdict
from dataclasses import FrozenInstanceError, replace
from decimal import Decimal
from functools import cache
from typing import Any

import openpyxl
import pytest

from sage50kit.batch.planning import Prepared, freeze, posting_order
from sage50kit.batch.proof import Proof
from sage50kit.model import Item, Plan
from sage50kit.reports import excel, html, listings, text
from tests.golden import NAMES, amount, books, case, documents, prepared, rows, signed

# Cases with lists of their own cannot stand in one company with the others.
TOGETHER = [name for name in NAMES if rows(name) and "books" not in case(name)]
FIGURE = re.compile(r"\(?-?[\d,]+\.\d{2}\)?")


@cache
def plan() -> Plan:
    """Every golden case that posts something, as one batch."""
    chosen = sorted((row for name in TOGETHER for row in documents(name)), key=posting_order)
    masters = {repr(row): row for name in TOGETHER for row in prepared(name).masters}
    kept = {key for row in chosen for key in row.transactions}
    transactions = [
        row
        for name in TOGETHER
        for row in prepared(name).transactions
        if row.key in kept or row.disposition != "post"
    ]
    issues = [
        issue for name in TOGETHER for issue in prepared(name).issues if issue.severity != "block"
    ]
    whole = Prepared(
        documents=tuple(chosen),
        masters=tuple(masters.values()),
        transactions=tuple(transactions),
        issues=tuple(issues),
    )
    return freeze(whole, batch="20261031JD-IEP", site="na.example/lakeside", company="Lakeside")


@cache
def proof() -> Proof:
    return Proof(plan=plan(), books=books(TOGETHER[0]))


def expected(made_by: str) -> list[dict[str, str]]:
    """The hand-worked rows of all cases, of what the kit posts or of what Sage makes."""
    return [row for name in TOGETHER for row in rows(name) if row["made_by"] == made_by]


def test_the_preview_by_account_is_the_sum_of_the_hand_worked_entries():
    """Debits and credits of each account, the kit's and Sage's own apart."""
    sums: dict[tuple[str, str], list[Decimal]] = defaultdict(lambda: [Decimal(0), Decimal(0)])
    for made_by in ("kit", "sage"):
        for row in expected(made_by):
            sums[row["account"], made_by][signed(row) < 0] += amount(row)
    frame = proof().by_account
    found = {
        (row.account_id, made_by): [getattr(row, f"{side}debit"), getattr(row, f"{side}credit")]
        for row in frame.itertuples()
        for made_by, side in (("kit", ""), ("sage", "sage_"))
    }

    assert {key: pair for key, pair in found.items() if any(pair)} == {
        key: pair for key, pair in sums.items() if any(pair)
    }
    assert list(frame["net"]) == [row.debit - row.credit for row in frame.itertuples()]


def test_the_control_totals_are_those_of_the_hand_worked_entries():
    """Counts, debits, credits, their difference, and what receivables and payables will change by."""
    totals = proof().totals
    controls = [row for row in expected("kit") if row["role"] == "control"]
    receivable = [row for row in controls if row["type"] in ("sales_invoice", "credit_memo")]
    payable = [row for row in controls if row["type"] == "purchase"]

    assert totals["receivables_change"] == sum(map(signed, receivable))
    assert totals["payables_change"] == -sum(map(signed, payable))
    assert totals["debits"] == sum(amount(row) for row in expected("kit") if signed(row) > 0)
    assert totals["credits"] == totals["debits"]
    assert totals["difference"] == 0
    assert totals["documents"] == len(plan().documents)
    kinds = Counter(row.type for row in plan().documents)
    assert {name: totals[f"documents_{name}"] for name in kinds} == kinds
    assert totals["control_total"] == proof().documents["total"].sum()


def test_the_hash_total_sees_every_change():
    """Another amount, account or order gives another hash total; another batch number does not."""

    def hashed(changed: Plan) -> Any:
        return Proof(plan=changed, books=proof().books).totals["hash_total"]

    first, second, *rest = plan().documents
    line = first.distributions[0]
    moved = replace(
        first, distributions=(replace(line, account_id="6900"), *first.distributions[1:])
    )

    assert hashed(replace(plan(), batch="OTHER")) == hashed(plan())
    assert hashed(replace(plan(), documents=(second, first, *rest))) != hashed(plan())
    assert hashed(replace(plan(), documents=(moved, second, *rest))) != hashed(plan())
    assert replace(plan(), documents=(moved, second, *rest)).fingerprint != plan().fingerprint


def test_a_plan_cannot_be_changed():
    """What was shown and agreed to is what is pushed."""
    with pytest.raises(FrozenInstanceError):
        plan().documents = ()  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError):
        plan().documents[0].control_amount = Decimal(1)  # type: ignore[misc]


def test_what_will_be_created_is_in_the_preview_before_it_is_in_the_books():
    """The entries of a new stock item stand on the accounts that it will be created with."""
    new = [row for row in plan().masters if isinstance(row, Item) and row.item_class == "stock"]
    shown = set(proof().masters["id"])

    assert new
    assert {row.item_id for row in new} <= shown


def test_text_html_and_workbook_have_the_totals_of_the_frames():
    """Every fact and every sum of a table, to the cent, in three drawings of one proof."""
    page = listings.proof_page(proof())
    plain, rich = text.render(page), stdlib_html.unescape(html.document(page))
    book = openpyxl.load_workbook(io.BytesIO(excel.workbook(page)))
    facts = {row[0].value: row[2].value for row in book["Summary"].iter_rows(min_row=4)}

    for name, value in page.facts:
        if isinstance(value, Decimal):
            words = text.cell_text(value)
            assert re.search(rf"^{re.escape(name)} +{re.escape(words)}$", plain, re.MULTILINE)
            assert f"<dt>{name}</dt>" in rich
            assert Decimal(facts[name]) == value
    for table in (row for row in page.tables if row.rows):
        for name, value in table.sums.items():
            column = table.index(name)
            assert value == sum(row[column] or 0 for row in table.rows)
            assert text.cell_text(value) in FIGURE.findall(plain)
            exact = [row[column].value for row in book[table.title[:31]].iter_rows()]
            assert value in {
                Decimal(cell) for cell in exact if isinstance(cell, str) and "." in cell
            }
    frames = {
        "debit": proof().gl_entries["debit"].sum(),
        "credit": proof().gl_entries["credit"].sum(),
    }
    by_document = next(row for row in page.tables if row.title == "GL entries by document")
    for side, whole in frames.items():
        assert by_document.sums[side] + by_document.sums[f"sage_{side}"] == whole
