"""Receipts that nobody can take as they are: a finding that says what to do, nothing written, nothing lost."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from sage50kit.errors import UsageError
from tests.payment_stage import book_invoice, dollars, staged

if TYPE_CHECKING:
    from sage50kit.model import Application, Receipt


class Retold:
    """The company, whose receipts are told otherwise than they stand."""

    def __init__(self, company: Any, tell: Any) -> None:
        self._company = company
        self.tell = tell

    def __getattr__(self, name: str) -> Any:
        return getattr(self._company, name)

    def receipts(self, cursor: str, **words: Any) -> tuple[list[Receipt], str, bool]:
        rows, after, complete = self._company.receipts(cursor, **words)
        told = [replace(row, applications=tuple(map(self.tell, row.applications))) for row in rows]
        return told, after, complete

    def applications(self, **words: Any) -> list[Application]:
        wanted = words.pop("invoices", None)
        rows = [self.tell(row) for row in self._company.applications(**words)]
        pairs = None if wanted is None else set(wanted)
        return [row for row in rows if pairs is None or (row.customer_id, row.invoice) in pairs]


@pytest.fixture
def stage(tmp_path):
    """Two invoices of one customer; 1001 is paid with 100.00."""
    with staged(tmp_path, {"1001": "300.00", "1002": "200.00"}) as stage:
        stage.pay("CK 1", 5, applied={"1001": "100.00", "1002": "60.00"})
        yield stage


def told(stage: Any, **changes: Any) -> Any:
    """The stage, where the application of invoice 1001 has other fields."""

    def tell(row: Application) -> Application:
        return replace(row, **changes) if row.invoice == "1001" else row

    stage.company = Retold(stage.company, tell)
    return stage


CASES = {
    "a foreign currency": ({"currency": "EUR"}, "payment_currency", "by hand"),
    "an unknown customer": (
        {"customer_id": "NOBODY"},
        "payment_customer_differs",
        "account number",
    ),
    "no customer": ({"customer_id": ""}, "payment_customer_differs", "account number"),
    "the year 0001": ({"date": date(1, 1, 1)}, "payment_date", "give it a date"),
    "a number ConnectWise does not have": ({"invoice": "777"}, "payment_invoice_unknown", "number"),
}


@pytest.mark.parametrize("name", CASES)
def test_it_is_a_finding_and_waits(stage, name):
    """The other invoice of the receipt is paid; this one waits, and is paid once the cause is gone."""
    changes, code, cure = CASES[name]
    plain = stage.company
    report = told(stage, **changes).sync()
    (issue,) = report.issues
    assert issue.code == code
    assert cure in issue.fix
    assert stage.shown() == {"1002": (dollars(60),)}
    assert len(stage.record.known().waiting) == 1
    assert [row.code for row in stage.sync().issues] == [code]  # it is told until it is cured

    stage.company = plain
    stage.company.edit_receipt(
        stage.company.receipts("")[0][0].place,
        "HILLSCHOOL",
        reference="CK 1",
        date=date(2026, 10, 6),
        applied={"1001": dollars(100), "1002": dollars(60)},
    )
    stage.sync()
    assert stage.shown() == {"1001": (dollars(100),), "1002": (dollars(60),)}
    assert stage.sync().issues == ()


@pytest.mark.parametrize("number", ["inv-7", "Inv-7 ", " INV-7"])
def test_a_number_is_the_same_in_any_case_and_with_blanks(tmp_path, number):
    """As Sage compares it; leading zeros are another number."""
    with staged(tmp_path, {"Inv-7": "300.00"}) as stage:
        stage.pay("CK 1", 5, applied={"INV-7": "40.00"})
        plain = stage.company
        stage.company = Retold(plain, lambda row: replace(row, invoice=number))
        assert stage.sync().issues == ()
        assert stage.shown() == {"Inv-7": (dollars(40),)}
        stage.company = Retold(plain, lambda row: replace(row, invoice=f"0{number.strip()}"))
        assert "payment_invoice_unknown" in {row.code for row in stage.sync(full=True).issues}


def test_a_negative_sum_shows_nothing(stage):
    """More was taken back than was paid: our payment goes, and a finding says so."""
    stage.sync()
    plain = stage.company
    report_of = told(stage, amount=Decimal(-20))
    report_of.company.edit_receipt(
        plain.receipts("")[0][0].place,
        "HILLSCHOOL",
        reference="CK 1",
        date=date(2026, 10, 6),
        applied={"1001": dollars(20), "1002": dollars(60)},
    )
    (issue,) = [row for row in report_of.sync().issues if row.code == "payment_negative"]
    assert (issue.severity, issue.value) == ("refuse", "(20.00)")
    assert stage.shown() == {"1002": (dollars(60),)}


def test_a_number_that_two_customers_share(tmp_path):
    """Sage numbers are unique for a customer only: the receipt of the other one is never booked on ours."""
    with staged(tmp_path, {"1001": "300.00"}) as stage:
        stage.company.post(book_invoice("1001", "90.00", "GULFCOAST"))
        stage.pay("CK 1", 5, applied={"1001": "100.00"})
        stage.pay("CK 1", 5, "GULFCOAST", applied={"1001": "90.00"})
        report = stage.sync()
        assert stage.shown() == {"1001": (dollars(100),)}
        (issue,) = report.issues
        assert issue.code == "payment_customer_differs"
        assert "GULFCOAST" in issue.message
        assert "HILLSCHOOL" in issue.message


def test_two_invoices_of_one_number_and_customer(tmp_path):
    """ConnectWise has the number twice for one customer: nobody guesses."""
    with staged(tmp_path, {"1001": "300.00", "1002": "200.00"}) as stage:
        stage.pay("CK 1", 5, applied={"1001": "100.00"})
        stage.site.views.by_id["invoice"][50002].invoice_number = "1001"
        report = stage.sync()
        assert [row.code for row in report.issues] == ["payment_ambiguous"]
        assert stage.shown() == {}


def test_a_start_that_is_none(stage):
    """The choices are named."""
    with pytest.raises(UsageError, match="last, week, fortnight, month or a date"):
        stage.plan("yesterday")
