"""The golden cases posted to a Sage 50 company: what stands in its ledger is what the expected files say.

The company makes cost of sales itself, from its own stock. Its opening stock has the unit costs that
ConnectWise knows, so here the expectation of the cases must come out to the cent.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from sage50kit.connectors.embedded import create_company, read_lists
from tests.golden import (
    CASES,
    NAMES,
    amount,
    books,
    case,
    documents,
    label,
    prepared,
    replanned,
    rows,
    signed,
)

if TYPE_CHECKING:
    from pathlib import Path

    from sage50kit.connectors.embedded import EmbeddedCompany
    from sage50kit.model import Document, GLEntry

# Cases that change the shared books for themselves would need a company of their own.
SHARED = [name for name in NAMES if rows(name) and "books" not in case(name)]


def test_the_company_reads_the_lists_as_the_cases_do():
    """The CSV lists beside the cases are those of a company, read the same by both."""
    read, stock = read_lists(CASES / "books")

    assert read == books("standard_stock_none")
    assert {row.item_id: row.unit_cost for row in stock} == {
        row.item_id: row.last_unit_cost for row in read.items if row.item_class == "stock"
    }


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[GLEntry, ...]]:
    """The GL entries of every shared case, by document, after posting all of them to one company."""
    with new_company(tmp_path_factory.mktemp("books")) as company:
        for name in SHARED:
            for master in prepared(name).masters:
                company.create(master)
        return {
            document.label: company.post(document).stored.entries
            for document in in_posting_order(SHARED)
        }


def new_company(folder: Path) -> EmbeddedCompany:
    lists, stock = read_lists(CASES / "books")
    return create_company(folder / "cases.sqlite", lists, name="Cases", opening_stock=stock)


def in_posting_order(names: list[str]) -> list[Document]:
    from sage50kit.batch.planning import posting_order

    return sorted((row for name in names for row in documents(name)), key=posting_order)


@pytest.mark.parametrize("name", SHARED)
def test_the_ledger_holds_the_hand_worked_entries(
    name: str, ledger: dict[str, tuple[GLEntry, ...]]
):
    """The company's GL entries of a case, its own cost of sales included, are the expected ones."""
    made = Counter(
        (document.label, row.account_id, row.debit - row.credit, maker(row.type, row.made_by))
        for document in documents(name)
        for row in ledger[document.label]
        if row.debit or row.credit
    )
    expected = Counter(
        (label(row), row["account"], signed(row), maker(row["type"], row["made_by"]))
        for row in rows(name)
        if amount(row)
    )

    assert made == expected


def maker(document_type: str, made_by: str) -> str:
    """Who made an entry; of an adjustment both may say so: the kit sends it, Sage values a decrease."""
    return "" if document_type == "inventory_adjustment" else made_by


def test_the_company_takes_what_validation_let_through(tmp_path: Path):
    """A memo and a tax caption without end, and a number copied with a no-break space, are no refusal."""

    def change(export: dict[str, Any]) -> None:
        head = export["transactions"][0]
        head |= {"memo": "word " * 500, "documentNumber": "CW\xa010017"}
        for line in head["detail"]:
            line["description"] = f"Level 1 {'of the state ' * 20}"

    found = replanned("standard_plain_one", change)
    with new_company(tmp_path) as company:
        stored = company.post(found.documents[0]).stored

    assert stored.reference == "CW 10017"
    assert {row.field for row in found.issues if row.code == "text_cut"} == {
        "memo",
        "line description",
    }
