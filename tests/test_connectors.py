"""The contract that every connector must keep; a new connector joins by one line in CONNECTORS."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from sage50kit.errors import CompanyError, DocumentRefused
from sage50kit.model import Customer
from tests.embedded_company import (
    adjustment,
    credit_memo,
    invoice,
    journal,
    line,
    new_company,
    purchase,
)

CONNECTORS = {"embedded": new_company}
STOCK = {"item_id": "SWITCH", "quantity": "1"}
DOCUMENTS = {
    "sales_invoice": invoice("1", line("4200", "-250.00", **STOCK), key="invoice:1"),
    "credit_memo": credit_memo("2", line("4000", "20.00"), key="invoice:2"),
    "purchase": purchase("", line("1200", "90.00", **STOCK), waiting_on_bill=True, key="receipt:3"),
    "journal_entry": journal(
        "CW-T4", line("6200", "5.00"), line("1000", "-5.00"), key="transfer:4"
    ),
    "inventory_adjustment": adjustment("CW-A5", "SWITCH", "1", "95.00", key="adjustment:5"),
}


@pytest.fixture(params=CONNECTORS)
def company(request, tmp_path):
    """A company with the lists of tests/data/company, held open."""
    with CONNECTORS[request.param](tmp_path) as company, company.session():
        yield company


def test_it_says_what_it_is(company):
    """A name for the log, and promises that fit each other."""
    assert company.name
    can = company.capabilities
    assert can.carries_key <= can.kinds <= set(DOCUMENTS)
    assert can.tax in {"given", "computed"}


@pytest.mark.parametrize("kind", DOCUMENTS)
def test_posted_is_found_again(company, kind):
    """What was posted is found at its place by key, once, as it stands, with balanced entries."""
    wanted = DOCUMENTS[kind]
    assert company.find_many([wanted]) == [()]

    posted = company.post(wanted)

    assert company.find_many([wanted]) == [(posted.stored,)]
    assert company.documents() == [posted.stored]
    stored = posted.stored
    assert (stored.place, stored.type, stored.reference) == (posted.place, kind, wanted.reference)
    assert (stored.posting_date, stored.total) == (wanted.posting_date, wanted.total)
    assert stored.token == (wanted.token if kind in company.capabilities.carries_key else "")
    assert (stored.waiting_on_bill, stored.voided) == (wanted.waiting_on_bill, False)
    assert sum(row.debit - row.credit for row in stored.entries) == 0
    assert all(
        row.debit >= 0 and row.credit >= 0 and row.debit * row.credit == 0 for row in stored.entries
    )
    assert company.gl_entries(places=[posted.place]) == list(stored.entries)


def test_many_are_found_in_order(company):
    """`find_many` answers for each document, in its order, also for those that are not there."""
    first, second, absent = (
        DOCUMENTS[kind] for kind in ("sales_invoice", "journal_entry", "credit_memo")
    )
    places = [company.post(document).place for document in (first, second)]
    found = company.find_many([second, absent, first])
    assert [[row.place for row in rows] for rows in found] == [[places[1]], [], [places[0]]]
    assert company.find_many([]) == []


def test_a_number_is_found_without_case(company):
    """A document that a person entered has no key of ours; its number finds it."""
    posted = company.post(replace(DOCUMENTS["sales_invoice"], reference="Inv-1", key="invoice:99"))
    wanted = replace(DOCUMENTS["sales_invoice"], reference="INV-1", party_id="acme")
    assert [row.place for row in company.find_many([wanted])[0]] == [posted.place]


def test_refused_is_not_there(company):
    """After a refusal there is no document, no entry and no master."""
    entries = company.gl_entries()
    with pytest.raises(DocumentRefused, match="NOBODY"):
        company.post(replace(DOCUMENTS["sales_invoice"], party_id="NOBODY"))
    with pytest.raises(DocumentRefused):
        company.create(Customer(customer_id="A*", name="x"))
    assert company.documents() == []
    assert company.gl_entries() == entries
    assert "a*" not in company.books().customer


def test_create_looks_first(company):
    """Creating twice, in another case, gives the id that is in the books."""
    assert company.create(Customer(customer_id="NewCo", name="New")) == "NewCo"
    assert company.create(Customer(customer_id="NEWCO", name="Again")) == "NewCo"
    assert company.books().customer["newco"].name == "New"


def test_void_cancels(company):
    """A voided document is marked, and its effect on every account is gone."""
    if not company.capabilities.voids:
        return
    before = _balances(company)
    posted = company.post(DOCUMENTS["sales_invoice"])
    company.void(posted.place, on=date(2026, 10, 31))
    assert [row.voided for row in company.find_many([DOCUMENTS["sales_invoice"]])[0]] == [True]
    assert _balances(company) == before


def test_spans_of_days(company):
    """`since` and `until` are days of the posting date, both included."""
    posted = company.post(DOCUMENTS["sales_invoice"])
    day = DOCUMENTS["sales_invoice"].posting_date
    assert [row.place for row in company.documents(since=day)] == [posted.place]
    assert company.documents(since=date(2026, 10, 16)) == []
    assert company.gl_entries(since=day, until=day) == list(posted.stored.entries)
    assert company.gl_entries(since=date(2026, 10, 16)) == []


def test_open_items(company):
    """Invoices are owed to us, credit memos the other way, bills are owed by us."""
    for kind in ("sales_invoice", "credit_memo", "purchase"):
        company.post(DOCUMENTS[kind])
    opened = {row.type: row.open_amount for row in company.open_items(as_of=date(2026, 10, 31))}
    assert opened == {
        "sales_invoice": Decimal(250),
        "credit_memo": Decimal(-20),
        "purchase": Decimal(90),
    }
    assert company.open_items(as_of=date(2026, 10, 14)) == []


def test_receivables_carry_their_history(company):
    """Each knows its account, its sign, and what is left of it on any day; voided ones are marked."""
    place = company.post(DOCUMENTS["sales_invoice"]).place
    memo = company.post(DOCUMENTS["credit_memo"]).place
    day = DOCUMENTS["sales_invoice"].posting_date
    if company.capabilities.voids:
        company.void(place, on=day + timedelta(days=3))

    rows = {row.place: row for row in company.receivables()}

    assert rows[place].account_id == DOCUMENTS["sales_invoice"].control_account_id
    assert rows[place].amount == DOCUMENTS["sales_invoice"].control_amount > 0
    assert rows[memo].amount < 0
    assert (rows[place].voided, rows[memo].voided) == (company.capabilities.voids, False)
    for days in (-1, 0, 2, 3):
        last = day + timedelta(days=days)
        owed = [row for row in company.open_items(as_of=last) if row.type != "purchase"]
        assert {row.place: row.open_amount for row in owed} == {
            row.place: left for row in rows.values() if (left := row.open_on(last))
        }


def test_receipts_start_empty(company):
    """Without receipts the first read is whole, and its cursor gives nothing new."""
    if not company.capabilities.reads_receipts:
        return
    rows, cursor, whole = company.receipts("")
    assert (rows, whole) == ([], True)
    assert company.receipts(cursor) == ([], cursor, True)


def test_one_log_for_a_company(company):
    """A second push log is refused."""
    company.adopt_log("one")
    assert company.log_id() == "one"
    with pytest.raises(CompanyError, match="one"):
        company.adopt_log("two")
    company.adopt_log("two", instead_of="one")
    assert company.log_id() == "two"


def test_a_company_remembers_how_far_its_log_is(company):
    """Where it can keep that: number and hash of the last event it was told of."""
    assert company.log_mark() == (0, "")
    company.adopt_log("one", mark=(7, "abc"))
    company.adopt_log("one")
    assert company.log_mark() in ((7, "abc"), (0, ""))


def _balances(company) -> dict[str, Decimal]:
    balances: dict[str, Decimal] = {}
    for row in company.gl_entries():
        balances[row.account_id] = balances.get(row.account_id, Decimal(0)) + row.debit - row.credit
    return {account: amount for account, amount in balances.items() if amount}
