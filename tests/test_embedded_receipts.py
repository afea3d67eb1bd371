"""Receipts, what is left open as of a day, and the cursor that payment sync reads with."""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress
from datetime import date, timedelta
from decimal import Decimal
from random import Random

import pytest

from sage50kit.connectors.embedded import EmbeddedCompany
from sage50kit.errors import CompanyError, DocumentRefused
from tests.embedded_company import (
    content,
    credit_memo,
    entries,
    invoice,
    line,
    new_company,
    purchase,
)


@pytest.fixture
def company(tmp_path):
    """Two invoices of 100.00 and 50.00, a credit memo of 20.00, a bill of 30.00."""
    with new_company(tmp_path) as company:
        company.post(invoice("1", line("4000", "-100.00"), posting_date=date(2026, 10, 1)))
        company.post(invoice("2", line("4000", "-50.00"), posting_date=date(2026, 10, 10)))
        company.post(credit_memo("C1", line("4000", "20.00"), posting_date=date(2026, 10, 12)))
        company.post(purchase("B1", line("6200", "30.00"), posting_date=date(2026, 10, 5)))
        yield company
        assert company.differences() == []
        assert sum(company.trial_balance().values()) == 0


def _open(company, day: date) -> list[tuple[str, Decimal]]:
    return [(row.reference, row.open_amount) for row in company.open_items(as_of=day)]


def test_open_items_as_of_a_day(company):
    """Each day shows what was there and open at its end; credit memos are negative."""
    assert _open(company, date(2026, 9, 30)) == []
    assert _open(company, date(2026, 10, 5)) == [("1", Decimal(100)), ("B1", Decimal(30))]
    assert _open(company, date(2026, 10, 31)) == [
        ("1", Decimal(100)),
        ("2", Decimal(50)),
        ("C1", Decimal(-20)),
        ("B1", Decimal(30)),
    ]


def test_receipt_pays_invoices_with_discount_and_credit(company):
    """100.00 - 2.00 discount + part of the second - the credit memo: cash 98 + 30 - 20 = 108.00."""
    receipt = company.enter_receipt(
        "acme",
        reference="CK 7",
        date=date(2026, 10, 20),
        applied={"1": Decimal(98), "2": Decimal(30), "C1": Decimal(-20)},
        discounts={"1": Decimal(2)},
        discount_account_id="4800",
    )

    assert receipt.amount == Decimal(108)
    assert [(row.invoice, row.kind, row.amount, row.discount) for row in receipt.applications] == [
        ("1", "credit_memo", Decimal(20), 0),
        ("1", "receipt", Decimal(78), Decimal(2)),
        ("2", "receipt", Decimal(30), 0),
    ]
    assert receipt.unapplied == 0
    assert entries(company, receipt.place) == [
        ("1000", "108.00", "kit"),
        ("4800", "2.00", "kit"),
        ("1100", "-100.00", "kit"),
        ("1100", "-30.00", "kit"),
        ("1100", "20.00", "kit"),
    ]
    assert _open(company, date(2026, 10, 19))[0] == ("1", Decimal(100))
    assert _open(company, date(2026, 10, 20)) == [("2", Decimal(20)), ("B1", Decimal(30))]
    assert company.books().customer["acme"].balance == Decimal(20)


def test_cursor_follows_new_and_voided_receipts(company):
    """The cursor gives each receipt once, and once more when it was voided; never a stranger."""
    assert company.receipts("") == ([], "0", True)
    first = company.enter_receipt(
        "ACME", reference="A", date=date(2026, 10, 20), applied={"1": Decimal(60)}
    )
    rows, cursor, whole = company.receipts("")
    assert (rows, whole) == ([first], True)
    second = company.enter_receipt(
        "ACME", reference="B", date=date(2026, 10, 21), applied={"1": Decimal(40)}
    )
    rows, later, _ = company.receipts(cursor)
    assert rows == [second]

    company.void_receipt(first.place, on=date(2026, 10, 25))

    rows, last, _ = company.receipts(later)
    assert [(row.place, row.state) for row in rows] == [(first.place, "voided")]
    assert company.receipts(last)[0] == []
    assert _open(company, date(2026, 10, 24))[0] == ("2", Decimal(50))
    assert _open(company, date(2026, 10, 25))[0] == ("1", Decimal(60))
    with pytest.raises(DocumentRefused, match="voided already"):
        company.void_receipt(first.place, on=date(2026, 10, 25))


def test_unapplied_money_is_an_open_item(company):
    """100.00 received, 60.00 applied: 40.00 stays with the customer, until the receipt is edited."""
    receipt = company.enter_receipt(
        "ACME",
        reference="A",
        date=date(2026, 10, 20),
        applied={"1": Decimal(60)},
        unapplied=Decimal(40),
    )
    assert (receipt.amount, receipt.unapplied) == (Decimal(100), Decimal(40))
    assert ("A", Decimal(-40)) in _open(company, date(2026, 10, 20))
    assert company.books().customer["acme"].balance == Decimal(30)
    words = {"reference": "A", "date": date(2026, 10, 20)}
    edited = company.edit_receipt(receipt.place, "ACME", applied={"1": Decimal(100)}, **words)
    assert (edited.place, edited.unapplied) == (receipt.place, 0)
    assert _open(company, date(2026, 10, 20))[0] == ("2", Decimal(50))


def test_edit_moves_and_delete_erases(company):
    """The receipt pays another invoice from then on; deleted, it never was, but the cursor tells it."""
    first = company.enter_receipt(
        "ACME", reference="A", date=date(2026, 10, 20), applied={"1": Decimal(40)}
    )
    cursor = company.receipts("")[1]
    company.edit_receipt(
        first.place,
        "ACME",
        reference="B",
        date=date(2026, 10, 21),
        applied={"2": Decimal(45)},
    )
    assert _open(company, date(2026, 10, 21))[:2] == [("1", Decimal(100)), ("2", Decimal(5))]
    assert [
        (row.invoice, row.amount, row.date)
        for row in company.applications(as_of=date(2026, 12, 31))
    ] == [("2", Decimal(45), date(2026, 10, 21))]
    company.delete_receipt(first.place)
    assert _open(company, date(2026, 10, 21))[1] == ("2", Decimal(50))
    assert [(row.place, row.state) for row in company.receipts(cursor)[0]] == [
        (first.place, "deleted")
    ]
    assert company.receipts("")[0] == company.applications() == []


def test_a_bounced_check_reopens_its_invoices_on_that_day(company):
    """The receipt stands, a negative one stands against it; what was left over is gone too."""
    paid = company.enter_receipt(
        "ACME",
        reference="A",
        date=date(2026, 10, 20),
        applied={"1": Decimal(60), "2": Decimal(50)},
        unapplied=Decimal(5),
    )
    back = company.bounce_receipt(paid.place, reference="NSF A", on=date(2026, 10, 25))
    assert (back.amount, back.unapplied) == (Decimal(-115), Decimal(-5))
    assert ("A", Decimal(-5)) in _open(company, date(2026, 10, 24))
    assert _open(company, date(2026, 10, 25))[:2] == [("1", Decimal(100)), ("2", Decimal(50))]
    for change in (
        lambda: company.bounce_receipt(paid.place, reference="X", on=date(2026, 10, 26)),
        lambda: company.void_receipt(paid.place, on=date(2026, 10, 26)),
        lambda: company.delete_receipt(paid.place),
        lambda: company.delete_receipt(back.place),
    ):
        with pytest.raises(DocumentRefused, match=r"bounced|taken back|not a receipt"):
            change()


def test_a_credit_memo_is_applied_by_itself(company):
    """To one invoice, to several, taken back; never more than is left of it or of the invoice."""
    memo = next(row for row in company.documents() if row.reference == "C1").place
    on = date(2026, 10, 20)
    applied = company.apply_credit(memo, applied={"1": Decimal(12), "2": Decimal(8)}, on=on)
    assert [(row.kind, row.reference, row.invoice) for row in applied.applications] == [
        ("credit_memo", "C1", "1"),
        ("credit_memo", "C1", "2"),
    ]
    assert _open(company, on) == [("1", Decimal(88)), ("2", Decimal(42)), ("B1", Decimal(30))]
    before = content(company.path)
    for wrong, reason in (
        ({"1": Decimal(21)}, "20.00 is left"),
        ({"2": Decimal(51)}, "more than"),
        ({"9": Decimal(1)}, "not an open invoice"),
    ):
        with pytest.raises(DocumentRefused, match=reason):
            company.apply_credit(memo, applied=wrong, on=on)
    assert content(company.path) == before
    company.apply_credit(memo, applied={}, on=on)
    assert ("C1", Decimal(-20)) in _open(company, on)
    assert company.receipts("")[0] == []


def test_receipts_since_a_day(company):
    """Those dated then or later, and those saved then or later, whatever their date."""
    company.enter_receipt(
        "ACME", reference="A", date=date(2026, 10, 20), applied={"1": Decimal(40)}
    )
    today = date.today()  # noqa: DTZ011  # the day on which it is saved
    assert len(company.receipts("", since=date(2026, 10, 20))[0]) == 1
    assert len(company.receipts("", since=min(today, date(2026, 10, 20)))[0]) == 1
    assert company.receipts("", since=max(today, date(2026, 10, 20)) + timedelta(days=1))[0] == []


def test_a_file_of_the_first_version_is_brought_forward(company, tmp_path):
    """It had no list of changes: its receipts are told as saved on their date, and work goes on."""
    company.enter_receipt(
        "ACME", reference="A", date=date(2026, 10, 20), applied={"1": Decimal(40)}
    )
    company.close()
    with closing(sqlite3.connect(company.path)) as db:
        db.execute("DROP TABLE receipt_change")
        db.execute("ALTER TABLE company DROP COLUMN log_events")
        db.execute("ALTER TABLE company DROP COLUMN log_head")
        db.execute("PRAGMA user_version = 1")
        db.commit()
    with EmbeddedCompany(company.path) as old:
        assert [row.reference for row in old.receipts("0")[0]] == ["A"]
        old.enter_receipt(
            "ACME", reference="B", date=date(2026, 10, 21), applied={"1": Decimal(10)}
        )
        assert [row.reference for row in old.receipts("1")[0]] == ["B"]


def test_a_file_of_the_second_version_is_brought_forward(company):
    """Its changes had no marks: the cursors of then are known, and new ones tell a restored file."""
    company.enter_receipt(
        "ACME", reference="A", date=date(2026, 10, 20), applied={"1": Decimal(40)}
    )
    company.close()
    with closing(sqlite3.connect(company.path)) as db:
        db.execute("ALTER TABLE receipt_change DROP COLUMN mark")
        db.execute("ALTER TABLE company DROP COLUMN log_events")
        db.execute("ALTER TABLE company DROP COLUMN log_head")
        db.execute("PRAGMA user_version = 2")
        db.commit()
    with EmbeddedCompany(company.path) as old:
        assert old.knows_cursor("1")
        assert not old.knows_cursor("2")
        old.enter_receipt(
            "ACME", reference="B", date=date(2026, 10, 21), applied={"1": Decimal(10)}
        )
        rows, cursor, _ = old.receipts("1")
        assert [row.reference for row in rows] == ["B"]
        assert old.knows_cursor(cursor)
        assert not old.knows_cursor("2-another mark")


REFUSED = {
    "unknown customer": ({"customer_id": "NOBODY"}, "NOBODY does not exist"),
    "unknown invoice": ({"applied": {"77": Decimal(5)}}, "77 is not an open invoice"),
    "too much": ({"applied": {"2": Decimal("50.01")}}, "50.01 is more than the 50.00 open"),
    "with the discount too much": (
        {
            "applied": {"2": Decimal(50)},
            "discounts": {"2": Decimal("0.01")},
            "discount_account_id": "4800",
        },
        "more than the 50.00 open",
    ),
    "before the invoice": ({"date": date(2026, 10, 9)}, "after the receipt"),
    "closed year": ({"date": date(2025, 1, 1)}, "closed fiscal year"),
    "fractions": ({"applied": {"2": Decimal("0.005")}}, "not an amount of money"),
    "negative": ({"applied": {"C1": Decimal(-20)}}, "not an amount of money received"),
    "no reference": ({"reference": ""}, "reference of 1 to 20"),
    "used reference": ({"reference": "used"}, "already been used"),
    "discount without account": (
        {"discounts": {"2": Decimal(1)}},
        "Discount account: a G/L account is required",
    ),
    "discount without payment": (
        {"discounts": {"1": Decimal(1)}, "discount_account_id": "4800"},
        "discount on 1 has no payment",
    ),
    "unknown cash account": ({"cash_account_id": "1099"}, "Cash account: G/L account 1099"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_receipts_write_nothing(company, name):
    """A receipt that does not fit is refused whole."""
    changes, reason = REFUSED[name]
    company.enter_receipt(
        "ACME", reference="USED", date=date(2026, 10, 20), applied={"1": Decimal(1)}
    )
    before = content(company.path)
    values = {
        "customer_id": "ACME",
        "reference": "NEW",
        "date": date(2026, 10, 20),
        "applied": {"2": Decimal(5)},
    } | changes
    with pytest.raises(DocumentRefused, match=reason):
        company.enter_receipt(values.pop("customer_id"), **values)
    assert content(company.path) == before


@pytest.mark.parametrize("seed", range(5))
def test_random_bookkeeping_keeps_ledger_and_open_items_together(company, seed):
    """Receipts entered, edited, deleted, voided, bounced, credit applied: the books agree after each."""
    dice = Random(seed)
    memo = next(row for row in company.documents() if row.reference == "C1").place
    places: list[str] = []
    done = 0
    for step in range(60):
        words = {
            "reference": f"R{step}",
            "date": date(2026, 10, 20),
            "applied": {
                number: Decimal(dice.randint(1, 6000)) / 100
                for number in dice.sample(["1", "2"], dice.randint(0, 2))
            },
            "unapplied": Decimal(dice.choice([0, 0, 7])),
        }
        if words["applied"] and dice.random() < 0.3:
            words["applied"]["C1"] = Decimal(-dice.randint(1, 10))
        place = dice.choice(places or [""])
        acts = [
            lambda words=words: places.append(company.enter_receipt("ACME", **words).place),
            lambda words=words, place=place: company.edit_receipt(place, "ACME", **words),
            lambda place=place: company.delete_receipt(place),
            lambda place=place: company.void_receipt(place, on=date(2026, 10, 28)),
            lambda place=place, step=step: company.bounce_receipt(
                place, reference=f"N{step}", on=date(2026, 10, 27)
            ),
            lambda: company.apply_credit(
                memo, applied={"1": Decimal(dice.randint(0, 20))}, on=date(2026, 10, 15)
            ),
        ]
        with suppress(DocumentRefused, CompanyError):
            dice.choice(acts)()
            done += 1
        assert company.differences() == [], step
        receivable = company.trial_balance()["1100"]
        opened = company.open_items(as_of=date(2026, 12, 31))
        assert sum(row.open_amount for row in opened if row.type != "purchase") == receivable
        paid = sum(row.applied for row in company.applications())
        sales = [row for row in opened if row.type == "sales_invoice"]
        assert sum(row.open_amount for row in sales) == Decimal(150) - paid
    assert done > 10
