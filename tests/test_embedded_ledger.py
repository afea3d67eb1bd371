"""hledger and beancount read the exported journals and come to the company's trial balance."""

from __future__ import annotations

import csv
import io
import shutil
import subprocess
from datetime import date
from decimal import Decimal

import pytest

from sage50kit.connectors.ledger import export_ledger
from sage50kit.errors import UsageError
from sage50kit.model import Account
from tests.embedded_company import (
    adjustment,
    credit_memo,
    invoice,
    journal,
    line,
    new_company,
    purchase,
)


@pytest.fixture
def company(tmp_path):
    """Every kind of document, with names and ids that a ledger file could stumble over."""
    with new_company(tmp_path) as company:
        company.add(
            Account(account_id="40.00", description='Say "hi"; twice | (or) [not]', type=21)
        )
        company.add(Account(account_id="40-00", description="\\ backslash", type=21))
        party = {"party_id": "ZURICH", "party_name": 'Zürich: "Büro";  GmbH | (CH)'}
        stock = {"item_id": "SWITCH", "quantity": "2"}
        company.post(invoice("1;2", line("40.00", "-500.00", **stock), key="invoice:1", **party))
        company.post(credit_memo("C1", line("40-00", "20.10"), key="invoice:2"))
        company.post(
            purchase("B|1", line("1210", "360.01", item_id="CABLE", quantity="3"), key="receipt:3")
        )
        voided = company.post(adjustment("CW-A4", "MOUSE", "-1", "-1.00", key="adjustment:4"))
        company.post(
            journal("CW-T5", line("1210", "5.00"), line("1200", "-5.00"), key="transfer:5")
        )
        company.post(
            invoice("9", line("4000", "-7.00"), line("4000", "7.00"), key="invoice:6", generation=2)
        )
        company.post(invoice("10", line("4000", "0.00"), key="invoice:7"))
        company.enter_receipt(
            "ZURICH", reference="CK", date=date(2026, 10, 20), applied={"1;2": Decimal(400)}
        )
        company.void(voided.place, on=date(2026, 10, 21))
        yield company


def _hledger(path, *words: str) -> str:
    program = shutil.which("hledger")
    assert program, "hledger is missing: install it (Debian and Ubuntu: apt-get install hledger)"
    done = subprocess.run(
        [program, "-f", str(path), *words],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_hledger_agrees(company, tmp_path):
    """`hledger check --strict` passes and `hledger bal` is the trial balance."""
    path = tmp_path / "company.journal"
    path.write_text(export_ledger(company, "hledger"), encoding="utf-8")

    _hledger(path, "check", "--strict")
    rows = list(
        csv.DictReader(io.StringIO(_hledger(path, "bal", "--flat", "-N", "-E", "-O", "csv")))
    )
    found = {
        row["account"].partition(":")[2].split(" ")[0]: Decimal(row["balance"].split(" ")[0])
        for row in rows
    }

    assert found == {
        account: amount
        for account, amount in company.trial_balance().items()
        if amount or account in found
    }
    codes = set(_hledger(path, "codes").split())
    assert {
        "invoice:1",
        "invoice:2",
        "receipt:3",
        "adjustment:4",
        "transfer:5",
        "invoice:6#2",
        "invoice:7",
    } < codes


def test_hledger_accounts_are_type_id_description(company):
    """One colon, after the type; no colon and no double blank in the description."""
    text = export_ledger(company, "hledger")
    assert "account Assets:1210 Inventory- Orlando annex  ; type: A\n" in text
    assert "account Liabilities:2000 Accounts Payable  ; type: L\n" in text
    assert '2026-10-15 * (invoice:1) Sales invoice 1-2 Zürich- "Büro"- GmbH - (CH)\n' in text


def test_beancount_agrees(company, tmp_path):
    """beancount finds no error, and its balances are the trial balance; the key is metadata."""
    from beancount import loader
    from beancount.core import data, realization

    path = tmp_path / "company.beancount"
    path.write_text(export_ledger(company, "beancount"), encoding="utf-8")

    rows, errors, _ = loader.load_file(str(path))
    assert errors == []
    ids = {row.account: row.meta["account_id"] for row in rows if isinstance(row, data.Open)}
    balances = dict.fromkeys(ids.values(), Decimal(0))
    for account in realization.iter_children(realization.realize(rows), leaf_only=True):
        amount = account.balance.get_currency_units("USD").number
        balances[ids[account.account]] += amount or 0

    assert balances == company.trial_balance()
    assert "Assets:A-1100" in ids
    keys = {row.meta["key"] for row in rows if isinstance(row, data.Transaction)}
    assert {"invoice:1", "invoice:6#2", "adjustment:4"} < keys


def test_an_empty_company_and_an_unknown_format(tmp_path):
    """A company without documents still gives a readable file; other formats are refused."""
    from beancount import loader

    with new_company(tmp_path, opening_stock=[]) as company:
        assert loader.load_string(export_ledger(company, "beancount"))[1] == []
        with pytest.raises(UsageError, match="choose hledger or beancount"):
            export_ledger(company, "ledger")
