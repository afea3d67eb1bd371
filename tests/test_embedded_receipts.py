"""Receipts, what is left open as of a day, and the cursor that payment sync reads with."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from sage50kit.errors import DocumentRefused
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
