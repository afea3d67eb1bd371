"""The data set: what is wrong is said with its place; the fixtures load and are what their README says."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from sage50kit.connectors.embedded import read_lists
from sage50kit.errors import ConfigError
from sage50kit.sandbox import dataset
from sage50kit.sandbox.answers import Presenter, encode
from sage50kit.sandbox.contract import contract
from sage50kit.sandbox.state import Refused, Site
from tests.site_forms import A, content, invoice


@pytest.mark.parametrize(
    ("records", "words"),
    [
        ({"invoices": [invoice(colour="red")]}, "unknown field `colour`"),
        ({"invoices": [invoice(company=4711)]}, "company names 4711"),
        ({"invoices": [invoice(), invoice()]}, "two invoices have the id 48101"),
        ({"invoices": [invoice(type="Gift")]}, "Gift"),
        ({"invoices": [invoice(date="31.10.2026")]}, "invoices"),
        ({"invoices": [invoice(lines=[{"kind": "time", "price": 1.5}])]}, "float 1.5"),
        ({"invoices": [invoice(lines=[{"kind": "product", "item": "X"}])]}, "item 'X'"),
        (
            {"expenses": [{"id": 1, "report": 9, "type": 1, "amount": "1", "date": "2026-10-01"}]},
            "report names 9",
        ),
        ({"payments": [{"id": 1, "invoice": 9, "amount": "1"}]}, "no invoice 9"),
        ({"format": 2}, "format"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(records: dict[str, Any], words: str):
    """One clear sentence for each mistake."""
    with pytest.raises(ConfigError) as error:
        dataset.parse(content(**records))

    assert words in str(error.value)


def test_table_mistakes_are_said():
    """Unknown tables, rows without id, repeated ids, dangling references."""
    for table, row, words in (
        ("taxes", {"id": 1}, "tables.taxes is not a table"),
        ("locations", {"name": "X"}, "has no id"),
        ("locations", {"id": 2, "name": "X"}, "repeats the id 2"),
        ("subcategories", {"id": 99, "name": "X", "category": 77}, "category names 77"),
        ("taxCodes", {"id": 99}, "has no identifier"),
    ):
        made = content()
        made["tables"].setdefault(table, []).append(row)
        with pytest.raises(ConfigError) as error:
            dataset.parse(made)
        assert words in str(error.value)


def test_file_that_cannot_be_read_is_a_sentence(tmp_path):
    """A missing file and a broken one."""
    with pytest.raises(ConfigError, match="cannot be read"):
        dataset.read(tmp_path / "none.json")
    (tmp_path / "list.json").write_text("[]", encoding="utf-8")
    with pytest.raises(ConfigError, match="not a JSON object"):
        dataset.read(tmp_path / "list.json")


def test_fixtures_hold_what_their_table_says():
    """The counts of data/fixtures/README.md."""
    site = Site.fixtures()

    assert len(site.rows(f"{A}/unpostedinvoices")) == 27
    assert len(site.rows(f"{A}/unpostedexpenses")) == 7
    keys = {row["unpostedProductId"] for row in site.rows(f"{A}/unpostedprocurement")}
    assert (len(keys), sum("purchase" in key for key in keys)) == (13, 9)
    assert {row["invoiceType"] for row in site.rows(f"{A}/unpostedinvoices")} == {
        "Standard",
        "Agreement",
        "Miscellaneous",
        "Progress",
        "DownPayment",
        "CreditMemo",
    }


def test_company_lists_of_the_fixtures_load():
    """The books beside the site: the planned trouble is the missing account 4950, and only that."""
    books, stock = read_lists(dataset.fixtures_folder() / "company")

    assert "4950" not in books.account
    assert {"fl", "flhill", "fltpa"} == set(books.tax_code)
    assert {row.item_id for row in stock} <= {row.item_id for row in books.items}
    assert books.customer["palmetto"].credit_status == "always_hold"


def test_every_modelled_collection_answers():
    """Each collection without a parent has rows with an id (or is a single record)."""
    site = Site.fixtures()
    for method, path in sorted(site.modelled()):
        if method == "GET" and "{" not in path and path != "/system/info":
            rows = site.rows(path)
            assert rows, path
            assert all(isinstance(row["id"], int) for row in rows), path


def test_every_row_is_of_its_published_model():
    """Each row of each collection: only published fields, of their types, none required missing."""
    site = Site.fixtures()
    show = Presenter("https://localhost")
    for method, path in sorted(site.modelled()):
        if method == "GET" and "{" not in path:
            model = contract().paths[path]["GET"].answer_model
            for row in site.rows(path):
                shown = json.loads(encode(show.row(row, model)), parse_float=Decimal)
                assert set(row) <= set(contract().fields(model)), path
                assert not contract().errors(model, shown, path)


@pytest.mark.parametrize(
    ("path", "parents"),
    [
        ("/company/companies/{parentId}/sites", ("999",)),
        ("/finance/taxCodes/{parentId}/taxCodeLevels", ("x",)),
        ("/finance/invoices/{parentId}/payments", ("1",)),
        ("/procurement/purchaseorders/{parentId}/lineitems", ("1",)),
    ],
)
def test_unknown_parent_is_not_found(path: str, parents: tuple[str, ...]):
    """A list under a record that is not there is 404, not empty."""
    with pytest.raises(Refused) as refused:
        Site.fixtures().rows(path, parents)

    assert refused.value.status == 404
