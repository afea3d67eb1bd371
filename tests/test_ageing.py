"""Ageing: the right bucket on the right day, and always as much as the receivable account holds."""

from __future__ import annotations

import io
import tempfile
import xml.etree.ElementTree as ET
from contextlib import suppress
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sage50kit.errors import DocumentRefused, UsageError
from sage50kit.payments.ageing import BUCKETS, bucket_of
from sage50kit.payments.readings import age_receivables
from sage50kit.reports import excel, html, text
from sage50kit.reports.receivables import ageing_page, save_ageing
from tests.embedded_company import credit_memo, invoice, journal, line, new_company

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sage50kit.connectors.embedded import EmbeddedCompany
    from sage50kit.payments.ageing import Ageing

AS_OF = date(2026, 12, 31)


@pytest.fixture
def company(tmp_path) -> Iterator[EmbeddedCompany]:
    """One invoice of 100.00 for each bucket by due date, a part of one paid, a credit memo, loose money."""
    with new_company(tmp_path) as company:
        for number, days in enumerate((-1, 0, 1, 30, 31, 60, 61, 90, 91), start=1):
            due = AS_OF - timedelta(days=days)
            company.post(
                invoice(
                    str(number),
                    line("4000", "-100.00"),
                    posting_date=due - timedelta(days=30),
                    due_date=due,
                )
            )
        company.enter_receipt(
            "ACME", reference="CK 1", date=date(2026, 12, 1), applied={"9": Decimal(40)},
            unapplied=Decimal(5),
        )  # fmt: skip
        company.post(credit_memo("C1", line("4000", "20.00"), posting_date=date(2026, 12, 5)))
        yield company
        assert company.differences() == []


@pytest.mark.parametrize(
    ("days", "bucket"),
    [(-5, "current"), (0, "current"), (1, "1_30"), (30, "1_30"), (31, "31_60"), (60, "31_60"),
     (61, "61_90"), (90, "61_90"), (91, "over_90"), (4000, "over_90")],
)  # fmt: skip
def test_the_edges_of_the_buckets(days, bucket):
    """Due today is current; each bucket ends with its last day."""
    assert bucket_of(days) == bucket


def test_by_due_date(company):
    """Two invoices in each bucket, what is left of the oldest, and the credits apart."""
    ageing = age_receivables(company, as_of=AS_OF)

    assert [f"{amount:.2f}" for amount in ageing.totals.values()] == [
        "200.00", "200.00", "200.00", "200.00", "60.00", "-25.00"
    ]  # fmt: skip
    assert ageing.ledger == ageing.total == Decimal(835)
    assert ageing.difference == 0


def test_by_invoice_date(company):
    """The same items a month older: the dates of the invoices, thirty days before they are due."""
    ageing = age_receivables(company, as_of=AS_OF, by="invoice_date")

    assert [f"{amount:.2f}" for amount in ageing.totals.values()] == [
        "0.00", "200.00", "200.00", "200.00", "260.00", "-25.00"
    ]  # fmt: skip
    assert ageing.total == Decimal(835)


def test_a_past_day_shows_what_was_open_then(company):
    """Before the receipt and the credit memo the oldest invoice was open in full."""
    ageing = age_receivables(company, as_of=date(2026, 11, 30))

    assert {row.number: row.amount for row in ageing.items}["9"] == Decimal(100)
    assert ageing.totals["unapplied_credits"] == 0
    assert ageing.total == ageing.ledger == company.trial_balance(date(2026, 11, 30))["1100"]


def test_a_void_counts_from_its_day(company):
    """An invoice that was voided on 20 December is owed on the 19th and not on the 20th."""
    place = next(row.place for row in company.receivables() if row.reference == "1")
    company.void(place, on=date(2026, 12, 30))

    owed = [
        {row.number for row in age_receivables(company, as_of=day).items}
        for day in (date(2026, 12, 29), date(2026, 12, 30))
    ]

    assert "1" in owed[0]
    assert not {"1", "1V"} & owed[1]


def test_by_customer_adds_up(company):
    """Each row is the sum of its buckets, whatever case the customer was written in."""
    company.post(invoice("10", line("4000", "-7.00"), party_id="acme", posting_date=AS_OF))

    rows = age_receivables(company, as_of=AS_OF).by_customer

    assert list(rows["customer_id"]) == ["ACME"]
    assert rows["total"].iloc[0] == Decimal(842)
    assert sum(rows[name].iloc[0] for name in BUCKETS) == Decimal(842)


def test_an_entry_of_another_journal_is_shown_and_not_aged(tmp_path):
    """It stands on the account and belongs to no invoice: named, so that the difference stays 0.00."""
    with new_company(tmp_path) as company:
        company.post(invoice("1", line("4000", "-100.00")))
        company.post(journal("J1", line("1100", "12.00"), line("4000", "-12.00")))
        ageing = age_receivables(company, as_of=AS_OF)

    assert (ageing.total, ageing.other_entries, ageing.ledger) == (100, 12, 112)
    assert ageing.difference == 0


def test_an_unknown_way_is_refused(company):
    """The sentence names the two ways there are."""
    with pytest.raises(UsageError, match="due_date or invoice_date"):
        age_receivables(company, as_of=AS_OF, by="amount")  # type: ignore[arg-type]


# --- the reports ------------------------------------------------------------------------------


@pytest.fixture
def ageing(company) -> Ageing:
    return age_receivables(company, as_of=AS_OF)


def test_the_workbook_has_live_totals(ageing):
    """Sums of columns and rows are formulas over real numbers, with their values."""
    content = excel.workbook(ageing_page(ageing))
    formulas = openpyxl.load_workbook(io.BytesIO(content))["By customer"]
    values = openpyxl.load_workbook(io.BytesIO(content), data_only=True)["By customer"]

    assert [cell.value for cell in values[1]][-1] == "Total"
    assert [cell.value for cell in values[2]][2:] == [200, 200, 200, 200, 60, -25, 835]
    assert formulas["I2"].value == "=SUM(C2:H2)"
    assert [cell.value for cell in formulas[3]][2:] == [f"=SUM({letter}2)" for letter in "CDEFGHI"]
    assert [cell.value for cell in values[3]][2:] == [200, 200, 200, 200, 60, -25, 835]
    assert formulas["H2"].number_format == "#,##0.00;(#,##0.00)"


def test_the_page_holds_its_picture(ageing):
    """An SVG of its own, which says in words what it shows, without script or outside reference."""
    page = ageing_page(ageing)
    drawn = ET.fromstring(page.picture)

    assert drawn.get("role") == "img"
    assert "Over 90 days 60.00; Unapplied credits (25.00)" in (drawn.get("aria-label") or "")
    assert page.picture in html.document(page)
    links = [
        value for each in drawn.iter() for name, value in each.attrib.items() if "href" in name
    ]
    assert all(value.startswith("#") for value in links)
    assert not [each for each in drawn.iter() if each.tag.endswith("script")]


def test_the_same_ageing_draws_the_same_picture(ageing):
    """Nothing of the clock or of chance is in it."""
    assert ageing_page(ageing).picture == ageing_page(ageing).picture


def test_text_and_html_say_the_same_total(ageing):
    """The first line of both says what is owed and that the account agrees."""
    words = "Customers owe 835.00 USD, and the receivable account agrees to the cent."

    assert text.render(ageing_page(ageing)).startswith(words)
    assert words in html.document(ageing_page(ageing))


def test_the_files_are_named_after_day_and_way(ageing, tmp_path):
    """Three files beside each other, none of them empty."""
    files = save_ageing(ageing, tmp_path)

    assert [path.name for path in files] == [
        f"ageing-2026-12-31-by-due-date.{ending}" for ending in ("txt", "html", "xlsx")
    ]
    assert all(path.stat().st_size > 500 for path in files)


# --- whatever happened ------------------------------------------------------------------------

FIRST = date(2026, 10, 1)
DAYS = 120
MONEY = st.integers(1, 9_999_99).map(lambda cents: Decimal(cents).scaleb(-2))
DAY = st.integers(0, DAYS).map(lambda days: FIRST + timedelta(days=days))
STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            ["invoice", "invoice", "memo", "receipt", "receipt", "credit", "void", "bounce", "edit"]
        ),
        st.integers(0, 30),
        DAY,
        MONEY,
        st.booleans(),
    ),
    min_size=3,
    max_size=25,
)


class Bookkeeper:
    """Does one thing after the other; what Sage refuses is not done."""

    def __init__(self, company: EmbeddedCompany) -> None:
        self.company = company
        self.number = 0

    def do(self, what: str, pick: int, day: date, amount: Decimal, odd: bool) -> None:
        self.number += 1
        with suppress(DocumentRefused):
            getattr(self, f"_{what}")(pick, day, amount, odd)

    def _invoice(self, pick: int, day: date, amount: Decimal, odd: bool) -> None:
        self.company.post(
            invoice(
                f"I{self.number}",
                line("4000", str(-amount)),
                posting_date=day,
                due_date=day + timedelta(days=pick),
                control_account_id="1100",
            )
        )

    def _memo(self, pick: int, day: date, amount: Decimal, odd: bool) -> None:
        self.company.post(
            credit_memo(f"M{self.number}", line("4000", str(amount)), posting_date=day)
        )

    def _receipt(self, pick: int, day: date, amount: Decimal, odd: bool) -> None:
        self.company.enter_receipt("ACME", **self._words(pick, day, amount, odd))

    def _words(self, pick: int, day: date, amount: Decimal, odd: bool) -> dict[str, object]:
        """One or two invoices, sometimes with a credit memo, a discount or money left over."""
        open_now = self.company.open_items(as_of=date.max)
        invoices = [row for row in open_now if row.type == "sales_invoice"]
        memos = [row for row in open_now if row.type == "credit_memo"]
        chosen = invoices[pick % len(invoices) :][:2] if invoices else []
        applied = {row.reference: min(row.open_amount, amount) for row in chosen}
        if memos and odd:
            applied[memos[0].reference] = max(
                memos[0].open_amount, -sum(applied.values(), Decimal(0))
            )
        discounts = {}
        if chosen and not odd and chosen[0].open_amount > amount + 1:
            discounts = {chosen[0].reference: Decimal(1)}
        return {
            "reference": f"R{self.number}", "date": day, "applied": applied, "discounts": discounts,
            "discount_account_id": "4800", "unapplied": amount if odd and not memos else Decimal(0),
        }  # fmt: skip

    def _credit(self, pick: int, day: date, amount: Decimal, odd: bool) -> None:
        open_now = self.company.open_items(as_of=date.max)
        memo = next((row for row in open_now if row.type == "credit_memo"), None)
        owed = next((row for row in open_now if row.type == "sales_invoice"), None)
        if memo and owed:
            most = min(-memo.open_amount, owed.open_amount, amount)
            self.company.apply_credit(memo.place, applied={owed.reference: most}, on=day)

    def _void(self, pick: int, day: date, amount: Decimal, odd: bool) -> None:
        places = [row.place for row in self.company.receivables()]
        if places:
            place = places[pick % len(places)]
            cancel = self.company.void_receipt if place.startswith("CRJ") else self.company.void
            cancel(place, on=day)

    def _bounce(self, pick: int, day: date, amount: Decimal, odd: bool) -> None:
        if receipts := self.company.receipts("")[0]:
            place = receipts[pick % len(receipts)].place
            self.company.bounce_receipt(place, reference=f"B{self.number}", on=day)

    def _edit(self, pick: int, day: date, amount: Decimal, odd: bool) -> None:
        receipts = [row for row in self.company.receipts("")[0] if row.kind == "receipt"]
        if receipts and odd:
            self.company.delete_receipt(receipts[pick % len(receipts)].place)
        elif receipts:
            place = receipts[pick % len(receipts)].place
            self.company.edit_receipt(place, "ACME", **self._words(pick, day, amount, odd))


@settings(max_examples=100, deadline=None)
@given(steps=STEPS, day=DAY)
def test_whatever_happened_the_ageing_is_the_account(steps, day):
    """Any history, any day: the ageing, the receivables' own history and the account agree to the cent."""
    with tempfile.TemporaryDirectory() as folder, new_company(Path(folder)) as company:
        bookkeeper = Bookkeeper(company)
        for step in steps:
            bookkeeper.do(*step)

        ageing = age_receivables(company, as_of=day)

        assert ageing.total == company.trial_balance(day)["1100"] == ageing.ledger
        assert ageing.total == sum(row.open_on(day) for row in company.receivables())
        assert company.differences() == []
