"""Company lists from CSV, the company file itself, its version and its locks."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from sage50kit.connectors import open_company
from sage50kit.connectors.embedded import (
    EmbeddedCompany,
    OpeningStock,
    create_company,
    read_lists,
    storage,
)
from sage50kit.errors import CompanyError, CompanyUnavailable, ConfigError
from sage50kit.model import Account
from sage50kit.profile import ConnectWiseSettings, Profile, SageSettings
from tests.embedded_company import LISTS, content, invoice, line, new_company


def test_lists_are_read_exactly():
    """Every kind of column arrives typed: text, numbers, yes or no, dates, addresses, several agencies."""
    books, stock = read_lists(LISTS)
    acme = books.customer["acme"]
    assert (acme.address.line1, acme.address.zip, acme.due_days) == ("1 Main St", "33601", 30)
    assert books.customer["zurich"].name == "Zürich Büro GmbH"
    assert books.tax_code["flhill"].agency_ids == ("FLDOR", "HILLS")
    assert books.item["mouse"].last_unit_cost == Decimal("8.33333")
    assert books.account["4900"].inactive
    assert (books.periods[0].end, books.periods[0].closed) == (date(2025, 12, 31), True)
    assert stock[2] == OpeningStock(
        item_id="MOUSE", quantity=Decimal(3), unit_cost=Decimal("8.33333")
    )


def test_a_company_gives_back_its_lists(tmp_path):
    """What was created is read back, with the defaults filled in."""
    books, stock = read_lists(LISTS)
    with create_company(tmp_path / "c.sqlite", books, name="C", opening_stock=stock) as company:
        found = company.books()
    assert {row.account_id: row for row in found.accounts} == {
        row.account_id: row for row in books.accounts
    }
    assert found.periods == books.periods
    assert found.defaults == books.defaults
    assert found.customer["acme"] == replace(books.customer["acme"], sales_account_id="4200")
    assert found.item["switch"] == books.item["switch"]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        (
            "accounts.csv",
            "account_id,description\n1,x\n",
            "accounts.csv, line 1: column type is missing",
        ),
        ("accounts.csv", "account_id,description,type,colour\n", "column 'colour' is unknown"),
        (
            "accounts.csv",
            "account_id,description,type\n1,x,cash\n",
            "line 2, column type: 'cash' must be a whole",
        ),
        (
            "accounts.csv",
            "account_id,description,type\n1,x\n",
            "line 2: the line has another number of columns",
        ),
        ("accounts.csv", "account_id,description,type\n,x,0\n", "line 2: account_id is required"),
        ("accounts.csv", 'account_id,description,type\n1,"x,0\n', "accounts.csv cannot be read"),
        (
            "customers.csv",
            "customer_id,name,inactive\nA,x,maybe\n",
            "column inactive: 'maybe' must be TRUE or",
        ),
        (
            "customers.csv",
            "customer_id,name,credit_status\nA,x,no\n",
            "must be one of no_limit, notify_over",
        ),
        (
            "items.csv",
            'item_id,description,item_class,price\nA,x,stock,"1,5"\n',
            "column price: '1,5' must be",
        ),
        (
            "periods.csv",
            "number,start,end\n1,1/1/26,2026-12-31\n",
            "column start: '1/1/26' must be a date",
        ),
        ("defaults.csv", "currency\nUSD\nEUR\n", "one line of default accounts is expected, not 2"),
    ],
)
def test_what_is_wrong_in_a_list_is_named(tmp_path, name, text, message):
    """The error names file, line and column."""
    folder = tmp_path / "lists"
    shutil.copytree(LISTS, folder)
    (folder / name).write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=message):
        read_lists(folder)


def test_missing_lists(tmp_path):
    """Accounts and periods must be there, the other lists may be absent."""
    with pytest.raises(ConfigError, match="there is no folder"):
        read_lists(tmp_path / "nowhere")
    with pytest.raises(ConfigError, match=r"accounts\.csv; a company needs this list"):
        read_lists(tmp_path)
    for name in ("accounts.csv", "periods.csv"):
        shutil.copy(LISTS / name, tmp_path / name)
    books, stock = read_lists(tmp_path)
    assert (books.customers, stock) == ((), [])


def _with(**changes):
    books, _ = read_lists(LISTS)
    return replace(books, **changes)


@pytest.mark.parametrize(
    ("books", "stock", "message"),
    [
        (
            _with(
                accounts=(*_with().accounts, Account(account_id="1000 ", description="x", type=0))
            ),
            [],
            "twice",
        ),
        (
            _with(accounts=_with().accounts[1:], agencies=(), tax_codes=()),
            [],
            "FLHILL does not exist",
        ),
        (_with(agencies=()), [], "sales tax agency FLDOR does not exist"),
        (
            _with(periods=(*_with().periods, replace(_with().periods[1], start=date(2026, 6, 1)))),
            [],
            "overlaps",
        ),
        (
            _with(defaults=replace(_with().defaults, freight_account_id="5299")),
            [],
            "freight_account_id 5299",
        ),
        (
            _with(),
            [OpeningStock(item_id="LABOR", quantity=Decimal(1), unit_cost=Decimal(1))],
            "not a stock item",
        ),
        (
            _with(),
            [OpeningStock(item_id="CABLE", quantity=Decimal(0), unit_cost=Decimal(1))],
            "must be positive",
        ),
    ],
)
def test_a_company_that_cannot_be_created_leaves_no_file(tmp_path, books, stock, message):
    """Wrong lists are refused with the record's name, and nothing stays on disk."""
    with pytest.raises(ConfigError, match=message):
        create_company(tmp_path / "c.sqlite", books, name="C", opening_stock=stock)
    assert list(tmp_path.iterdir()) == []


def test_no_overwriting(tmp_path):
    """An existing file is never replaced."""
    new_company(tmp_path).close()
    before = (tmp_path / "company.sqlite").read_bytes()
    with pytest.raises(ConfigError, match="not overwritten"):
        new_company(tmp_path)
    assert (tmp_path / "company.sqlite").read_bytes() == before


def test_beginning_balances_agree(tmp_path):
    """Opening stock and receivables stand in the ledger, in the sub-ledger, and on the first open day."""
    books, stock = read_lists(LISTS)
    owing = tuple(
        replace(row, balance=Decimal("900.10")) if row.customer_id == "HOLD-OVER" else row
        for row in books.customers
    )
    with create_company(
        tmp_path / "c.sqlite", replace(books, customers=owing), name="C", opening_stock=stock
    ) as company:
        balances = company.trial_balance()
        # 10 x 100 + 100 x 2.50 + 3 x 8.33333 = 1,275.00
        assert (balances["1200"], balances["1100"], balances["3000"]) == (
            Decimal("1275.00"),
            Decimal("900.10"),
            Decimal("-2175.10"),
        )
        assert [row.open_amount for row in company.open_items(as_of=date(2026, 1, 1))] == [
            Decimal("900.10")
        ]
        assert company.documents() == []
        assert company.differences() == []
        assert company.books().customer["hold-over"].balance == Decimal("900.10")


def test_a_file_of_another_kind_or_version_is_refused(tmp_path):
    """Missing, foreign, damaged and newer files are told apart, and are not touched."""
    with pytest.raises(ConfigError, match="there is no company file"):
        EmbeddedCompany(tmp_path / "nothing.sqlite")
    text = tmp_path / "text.sqlite"
    text.write_text("not a database, but long enough to look at" * 50)
    with pytest.raises(ConfigError, match="not a company file"):
        EmbeddedCompany(text)
    with closing(sqlite3.connect(tmp_path / "other.sqlite")) as db:
        db.execute("CREATE TABLE t (a)")
    with pytest.raises(ConfigError, match="not a company file"):
        EmbeddedCompany(tmp_path / "other.sqlite")
    new_company(tmp_path).close()
    with closing(sqlite3.connect(tmp_path / "company.sqlite")) as db:
        db.execute("PRAGMA user_version = 99")
    with pytest.raises(CompanyError, match="newer sage50kit"):
        EmbeddedCompany(tmp_path / "company.sqlite")


def test_money_is_durable(tmp_path):
    """Every commit reaches the disk, and other programs may read meanwhile."""
    new_company(tmp_path).close()
    with closing(storage.connect(tmp_path / "company.sqlite")) as db:
        assert db.execute("PRAGMA synchronous").fetchone() == (2,)
        assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        with pytest.raises(sqlite3.IntegrityError):
            db.execute("UPDATE customer SET balance = 0.5")


def test_a_busy_company_is_unavailable_and_unchanged(tmp_path):
    """While another program writes, a post says so and writes nothing; afterwards it works."""
    new_company(tmp_path).close()
    path = tmp_path / "company.sqlite"
    with (
        EmbeddedCompany(path, busy_seconds=0.05) as company,
        closing(sqlite3.connect(path)) as other,
    ):
        wanted = invoice("1", line("4000", "-5.00"))
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(CompanyUnavailable, match="nothing was written"):
            company.post(wanted)
        with pytest.raises(CompanyUnavailable), company.session():
            pass
        other.rollback()
        with company.session():
            company.post(wanted)


def test_a_disk_that_fails_is_unavailable_and_nothing_was_written(tmp_path):
    """A database that takes the transaction back by itself, as on a full disk, is told like a busy one."""
    with new_company(tmp_path) as company, closing(sqlite3.connect(company.path)) as other:
        other.execute(
            "CREATE TRIGGER full BEFORE INSERT ON entry BEGIN SELECT RAISE(ROLLBACK, 'disk full'); END"
        )
        other.commit()
        with pytest.raises(CompanyUnavailable, match=r"disk full.*nothing was written"):
            company.post(invoice("1", line("4000", "-5.00")))

        assert company.documents() == []


def test_a_company_belongs_to_one_log(tmp_path):
    """The first log adopts it; the same one may again; another one is refused."""
    with new_company(tmp_path) as company:
        assert company.log_id() == ""
        company.adopt_log("log-1")
        company.adopt_log("log-1")
        with pytest.raises(CompanyError, match="belongs to the push log log-1"):
            company.adopt_log("log-2")
        assert company.log_id() == "log-1"


def _profile(**sage) -> Profile:
    site = ConnectWiseSettings(site="na.example", company="lakeside", client_id="x")
    return Profile(name="demo", connectwise=site, sage=SageSettings(**sage))


def test_open_company_by_profile(tmp_path):
    """The profile chooses; what this version lacks or the profile misses is said."""
    new_company(tmp_path).close()
    company = open_company(_profile(company_file=tmp_path / "company.sqlite"))
    assert company.name == "Lists & Co."
    company.close()
    with pytest.raises(ConfigError, match="this version has the connectors embedded, not sdk"):
        open_company(_profile(connector="sdk"))
    with pytest.raises(ConfigError, match="set company_file"):
        open_company(_profile())
    with pytest.raises(ConfigError, match="there is no company file"):
        open_company(_profile(company_file=tmp_path / "absent.sqlite"))


def test_a_second_program_sees_what_was_posted(tmp_path):
    """Two openings of one file agree, also on lists changed meanwhile."""
    with new_company(tmp_path) as company, EmbeddedCompany(company.path) as other:
        company.post(invoice("1", line("4000", "-5.00")))
        assert len(other.documents()) == 1
        other.add(Account(account_id="4950", description="Other", type=21))
        company.post(invoice("2", line("4950", "-5.00")))
        assert content(company.path)
