"""Generated pairs: exact counts, coverage in every hundred, balance, determinism, planted findings."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from functools import cache
from typing import Any

import pytest

from sage50kit.issues import CATALOGUE
from sage50kit.model import fold
from sage50kit.sandbox.generator import Generated, generate
from sage50kit.sandbox.state import Site
from tests.site_forms import A, export, sums_to_zero


@cache
def pair(size: int = 300, seed: int = 7) -> tuple[Generated, Site]:
    """A generated pair, made once for all tests that only read."""
    made = generate(size, seed)
    return made, Site.load(made.dataset)


@pytest.mark.parametrize("size", [0, 1, 10, 100, 250])
def test_exactly_as_many_as_asked_for(size: int):
    """N invoices, a tenth of each other kind."""
    made, site = pair(size)
    kinds = Counter(closed.kind for closed in site.ledger.closed.values())

    assert len(site.rows(f"{A}/unpostedinvoices")) == size
    for kind in ("expense", "purchase", "adjustment", "transfer"):
        assert kinds[kind] == size // 10
    assert not made.planted


def shape_of(header: dict[str, Any]) -> str:
    """The tax shape of an exported invoice."""
    levels = len(header["taxLevels"])
    exempt = any(not row["taxableFlag"] for row in header["detail"] if row["glTypeId"] == "RP")
    return f"{levels} levels" + (", exempt line" if levels and exempt else "")


@pytest.mark.parametrize("start", [0, 100, 200])
def test_every_shape_in_every_hundred(start: int):
    """Every invoice type, item class and tax shape, negative lines, zero totals and pennies in a hundred."""
    _, site = pair()
    rows = export(site)["transactions"][start : start + 100]
    lines = [line for row in rows for line in row["detail"]]

    assert len({row["billingType"] for row in rows}) == 6
    assert {line["itemTypeXref"] for line in lines if line["glTypeId"] == "RP"} == {
        "Inventory Part",
        "Non-Inventory Part",
        "Other Charge",
        "Service",
        "",
    }
    assert {shape_of(row) for row in rows} >= {
        "0 levels",
        "1 levels",
        "2 levels",
        "3 levels",
        "2 levels, exempt line",
    }
    assert {line["glTypeId"] for line in lines} >= {"R", "RA", "RD", "RE", "RP", "AP", "SD", "ST"}
    assert any(line["total"] > 0 for row in rows if row["total"] > 0 for line in row["detail"])
    assert any(not row["total"] and any(line["total"] for line in row["detail"]) for row in rows)
    assert any(
        not row["total"] and not any(line["total"] for line in row["detail"]) for row in rows
    )
    assert any(sums_to_zero(row, "detail") for row in rows)


def test_every_generated_export_balances_within_pennies():
    """Header and details agree to 0.05 for invoices, exactly for everything else."""
    _, site = pair()
    made = export(site)

    assert all(abs(sums_to_zero(row, "detail")) <= Decimal("0.05") for row in made["transactions"])
    assert not any(
        sums_to_zero(row, "purchaseDetail", "purchaseDetailTax")
        for row in made["purchaseTransactions"]
    )
    assert all(
        row["total"] == sum(d["total"] for d in row["detail"]) for row in made["expenseBills"]
    )
    assert all(not row["total"] + row["offset"]["total"] for row in made["inventoryTransfers"])


def test_invoices_are_not_negative_and_credit_memos_not_positive():
    """The sign says the type, so none is blocked."""
    _, site = pair()
    for row in export(site)["transactions"]:
        credit = row["documentType"] == "CREDIT MEMO"
        assert row["total"] <= 0 if credit else row["total"] >= 0


def test_every_account_of_the_exports_is_in_the_books():
    """No blocking account: each one that a document uses exists once its delimiter is taken off."""
    generated, site = pair()
    made = export(site)
    used = {row["accountNumber"] for row in made["transactions"]}
    used |= {d["accountNumber"] for row in made["transactions"] for d in row["detail"]}
    used |= {d["accountNumber"] for row in made["expenseBills"] for d in row["detail"]}
    used |= {
        row["apAccountNumber"] for row in [*made["expenseBills"], *made["purchaseTransactions"]]
    }
    used |= {row["accountNumber"] for row in made["inventoryTransfers"]}

    assert {text for text in used if fold(text.rstrip(":")) not in generated.books.account} == set()


def test_missing_masters_warnings_and_refusals_occur():
    """Customers, vendors and items unknown to the books, notified and held customers, names of every sort."""
    generated, site = pair()
    made, books = export(site), generated.books
    customers = {row["companyAccountNumber"] for row in made["transactions"]}
    vendors = {row["vendorNumber"] for row in made["purchaseTransactions"]}
    items = {
        d["item"]["identifier"]
        for row in made["transactions"]
        for d in row["detail"]
        if "item" in d
    }
    statuses = {
        books.customer[fold(c)].credit_status for c in customers if fold(c) in books.customer
    }
    names = {row["name"] for row in site.rows("/company/companies")}

    assert {fold(c) for c in customers} - set(books.customer)
    assert {fold(v) for v in vendors} - set(books.vendor)
    assert {fold(i) for i in items} - set(books.item)
    assert statuses >= {"always_notify", "always_hold", "no_limit"}
    assert any(not name.isascii() for name in names)
    assert any(len(name) > 39 for name in names)


def test_same_arguments_make_the_same_pair():
    """Deterministic, and another seed is another site."""
    assert generate(60, 3) == generate(60, 3)
    assert generate(60, 3).dataset != generate(60, 4).dataset


def test_ids_are_fresh_growing_and_unique():
    """No GL entry id twice; lists are in the order of their ids."""
    _, site = pair()
    ids = [entry.id for closed in site.ledger.closed.values() for entry in closed.entries]

    assert len(ids) == len(set(ids))
    for name in ("unpostedinvoices", "unpostedexpenses", "unpostedprocurement"):
        listed = [row["id"] for row in site.rows(f"{A}/{name}")]
        assert listed == sorted(listed)


def test_planted_findings_are_listed_with_codes_that_block():
    """A dirty pair says which transaction was spoiled, with a code of the catalogue that blocks."""
    made = generate(100, 7, dirty=True)
    site = Site.load(made.dataset)

    assert len(made.planted) == 8
    assert all(CATALOGUE[row["code"]].severity == "block" for row in made.planted)
    assert {row["key"] for row in made.planted} <= set(site.ledger.closed)
    assert len(site.rows(f"{A}/unpostedinvoices")) == 100
