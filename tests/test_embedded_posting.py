"""Golden postings of the embedded company: each kind x item class, to the cent, worked out by hand."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from sage50kit.errors import DocumentRefused
from tests.embedded_company import (
    adjustment,
    credit_memo,
    document,
    entries,
    invoice,
    journal,
    line,
    new_company,
    purchase,
)


@pytest.fixture
def company(tmp_path):
    """SWITCH 10 @ 100 (FIFO), CABLE 100 @ 2.50 (LIFO), MOUSE 3 for 25.00 (average)."""
    with new_company(tmp_path) as company:
        yield company
        assert company.differences() == []
        assert sum(company.trial_balance().values()) == 0


# The seed, "GL Entries": stock makes Sage's own pair, everything else does not.
SALES = [
    ("SWITCH", "2", "-500.00", [("5000", "200.00", "sage"), ("1200", "-200.00", "sage")]),
    ("CABLE", "4", "-39.80", [("5000", "10.00", "sage"), ("1200", "-10.00", "sage")]),
    # 25.00 / 3 = 8.333.. for one, half up
    ("MOUSE", "1", "-20.00", [("5000", "8.33", "sage"), ("1200", "-8.33", "sage")]),
    ("LICENSE", "1", "-120.00", []),
    ("LABOR", "1.5", "-225.00", []),
    ("SUNDRY", "1", "-7.50", []),
    ("", "0", "-7.50", []),
]


@pytest.mark.parametrize(("item_id", "quantity", "amount", "made_by_sage"), SALES)
def test_sale(company, item_id, quantity, amount, made_by_sage):
    """A sale debits receivables and credits revenue; a stock item moves its cost as well."""
    posted = company.post(invoice("1", line("4200", amount, item_id=item_id, quantity=quantity)))

    expected = [("1100", amount.removeprefix("-"), "kit"), ("4200", amount, "kit")]
    assert entries(company, posted.place) == expected + made_by_sage
    assert posted.warnings == ()
    assert posted.stored.total == -Decimal(amount)


@pytest.mark.parametrize(("item_id", "quantity", "amount", "made_by_sage"), SALES)
def test_return(company, item_id, quantity, amount, made_by_sage):
    """A credit memo after the sale reverses it, and the goods come back at what they went out for."""
    company.post(invoice("1", line("4200", amount, item_id=item_id, quantity=quantity)))
    positive = amount.removeprefix("-")
    posted = company.post(
        credit_memo("CM1", line("4200", positive, item_id=item_id, quantity=quantity))
    )

    reversed_pair = [
        (account, f"{-Decimal(cents):.2f}", maker) for account, cents, maker in made_by_sage
    ]
    expected = [("1100", amount, "kit"), ("4200", positive, "kit")]
    assert entries(company, posted.place) == expected + reversed_pair
    assert posted.stored.total == Decimal(positive)


@pytest.mark.parametrize(
    ("item_id", "account_id", "quantity", "on_hand"),
    [
        ("SWITCH", "1200", "3", (Decimal(13), Decimal("1360.01"))),
        ("LICENSE", "6000", "1", None),
        ("LABOR", "6000", "2", None),
        ("SUNDRY", "5000", "1", None),
        ("", "6200", "0", None),
    ],
)
def test_purchase(company, item_id, account_id, quantity, on_hand):
    """A purchase debits the account of its line and credits payables; stock keeps the exact cents."""
    posted = company.post(
        purchase("V1", line(account_id, "360.01", item_id=item_id, quantity=quantity))
    )

    assert entries(company, posted.place) == [
        ("2000", "-360.01", "kit"),
        (account_id, "360.01", "kit"),
    ]
    assert company.inventory().get(item_id) == on_hand
    assert posted.stored.due_date == date(2026, 10, 30)  # terms of 15 days


def test_sales_tax_has_a_row_for_each_agency(company):
    """Two agencies are two liabilities: 100.00 + 6.00 + 1.50 = 107.50."""
    posted = company.post(
        invoice(
            "1",
            line("4000", "-100.00"),
            line("2310", "-6.00", role="tax", tax_agency_id="FLDOR"),
            line("2320", "-1.50", role="tax", tax_agency_id="hills"),
            tax_code="flhill",
        )
    )

    assert entries(company, posted.place) == [
        ("1100", "107.50", "kit"),
        ("4000", "-100.00", "kit"),
        ("2310", "-6.00", "kit"),
        ("2320", "-1.50", "kit"),
    ]
    assert posted.stored.due_date == date(2026, 11, 14)  # terms of 30 days


def test_increase_at_the_given_value_then_sale_by_layers(company):
    """FIFO: 10 @ 100.00, then 3 for 40.00; 12 sold cost 1,000.00 + 2/3 of 40.00 = 1,026.67."""
    posted = company.post(adjustment("CW-A1", "SWITCH", "3", "40.00"))
    assert entries(company, posted.place) == [("1200", "40.00", "kit"), ("5900", "-40.00", "kit")]

    sold = company.post(invoice("1", line("4200", "-1.00", item_id="SWITCH", quantity="12")))
    assert entries(company, sold.place)[2:] == [
        ("5000", "1026.67", "sage"),
        ("1200", "-1026.67", "sage"),
    ]
    assert company.inventory()["SWITCH"] == (Decimal(1), Decimal("13.33"))


def test_lifo_takes_the_newest_layer(company):
    """LIFO: 100 @ 2.50, then 10 for 30.00; 12 sold cost 30.00 + 2 x 2.50 = 35.00."""
    company.post(purchase("V1", line("1200", "30.00", item_id="CABLE", quantity="10")))
    sold = company.post(invoice("1", line("4200", "-99.00", item_id="CABLE", quantity="12")))
    assert entries(company, sold.place)[2][1] == "35.00"


def test_average_is_over_all_goods_and_the_last_one_takes_the_rest(company):
    """Average: 3 for 25.00 and 1 for 10.00 are 4 for 35.00; 3 sold cost 26.25, the last one 8.75."""
    company.post(purchase("V1", line("1200", "10.00", item_id="MOUSE", quantity="1")))
    costs = [
        entries(
            company,
            company.post(invoice(n, line("4200", "-1.00", item_id="MOUSE", quantity=q))).place,
        )[2][1]
        for n, q in (("1", "3"), ("2", "1"))
    ]
    assert costs == ["26.25", "8.75"]


def test_decrease_is_valued_by_sage(company):
    """ConnectWise says 1.00; Sage takes 2 of 10 @ 100.00 = 200.00 out, against the source account."""
    posted = company.post(adjustment("CW-A1", "SWITCH", "-2", "-1.00"))

    assert entries(company, posted.place) == [
        ("1200", "-200.00", "sage"),
        ("5900", "200.00", "sage"),
    ]
    assert posted.stored.total == Decimal("200.00")


def test_sold_below_zero_costs_the_last_cost_and_is_not_recosted(company):
    """10 @ 100.00 and 2 at the last cost 100.00; the next receipt of 5 for 350.00 leaves 3 for 150.00."""
    sold = company.post(invoice("1", line("4200", "-1.00", item_id="SWITCH", quantity="12")))
    assert entries(company, sold.place)[2][1] == "1200.00"
    assert "SWITCH" in sold.warnings[0]
    assert "2 of 12 were not in stock" in sold.warnings[0]

    bought = company.post(purchase("V1", line("1200", "350.00", item_id="SWITCH", quantity="5")))
    assert entries(company, bought.place) == [("2000", "-350.00", "kit"), ("1200", "350.00", "kit")]
    assert company.inventory()["SWITCH"] == (Decimal(3), Decimal("150.00"))


def test_backdated_sale_cannot_use_goods_that_came_later(company):
    """Goods of 20 October are not there on 15 October: last cost (of that purchase, 70.00), warning."""
    company.post(invoice("1", line("4200", "-1.00", item_id="SWITCH", quantity="10")))
    later = date(2026, 10, 20)
    company.post(
        purchase("V1", line("1200", "350.00", item_id="SWITCH", quantity="5"), posting_date=later)
    )

    sold = company.post(invoice("2", line("4200", "-1.00", item_id="SWITCH", quantity="1")))

    assert entries(company, sold.place)[2][1] == "70.00"
    assert len(sold.warnings) == 1
    assert company.inventory()["SWITCH"] == (Decimal(4), Decimal("280.00"))


def test_negative_line_of_an_invoice_takes_goods_back(company):
    """3 sold and 1 returned on one invoice: cost 300.00, and 100.00 of it comes back."""
    posted = company.post(
        invoice(
            "1",
            line("4200", "-750.00", item_id="SWITCH", quantity="3"),
            line("4200", "250.00", item_id="SWITCH", quantity="-1"),
        )
    )
    assert [row[1] for row in entries(company, posted.place)[3:]] == [
        "300.00",
        "-300.00",
        "-100.00",
        "100.00",
    ]
    assert company.inventory()["SWITCH"] == (Decimal(8), Decimal("800.00"))


def test_return_to_the_vendor_leaves_at_the_amount_of_the_document(company):
    """2 of a purchase go back for 190.00: stock falls by exactly that."""
    posted = company.post(
        purchase(
            "V1",
            line("1200", "380.00", item_id="SWITCH", quantity="4"),
            line("1200", "-190.00", item_id="SWITCH", quantity="-2"),
        )
    )
    assert entries(company, posted.place)[0] == ("2000", "-190.00", "kit")
    assert company.inventory()["SWITCH"] == (Decimal(12), Decimal("1190.00"))


def test_journal_entry_and_zero_documents(company):
    """A journal posts its lines; lines of an invoice that cancel out leave a document of 0.00."""
    moved = company.post(journal("CW-T1", line("1210", "50.00"), line("1200", "-50.00")))
    assert entries(company, moved.place) == [("1210", "50.00", "kit"), ("1200", "-50.00", "kit")]
    assert moved.stored.token == moved.stored.reference == "CW-T1"

    nothing = company.post(invoice("1", line("4000", "-75.00"), line("4000", "75.00")))
    assert nothing.stored.total == 0
    assert entries(company, nothing.place) == [("4000", "-75.00", "kit"), ("4000", "75.00", "kit")]


def test_accounts_are_written_as_the_chart_has_them(company):
    """A document may use another case for ids; the books keep their own."""
    company.add(
        type(company.books().accounts[0])(account_id="4000-Tpa", description="Tampa", type=21)
    )
    posted = company.post(invoice("1", line("4000-TPA", "-5.00", item_id="labor")))
    row = company.gl_entries(places=[posted.place])[1]
    assert (row.account_id, row.item_id) == ("4000-Tpa", "LABOR")


def test_waiting_on_bill_is_filled_once(company):
    """The bill's number and date go into the purchase, and the box is unticked, once."""
    waiting = company.post(
        purchase(
            "",
            line("1200", "100.00", item_id="SWITCH", quantity="1"),
            waiting_on_bill=True,
            key="receipt:9",
        )
    )
    assert waiting.stored.waiting_on_bill
    assert waiting.stored.token == "CW-R9"

    billed = company.fill_bill(waiting.place, "B-77", date(2026, 10, 31))

    assert (billed.stored.reference, billed.stored.waiting_on_bill) == ("B-77", False)
    assert billed.stored.posting_date == date(2026, 10, 31)
    assert billed.stored.due_date == date(2026, 11, 15)
    assert company.open_items(as_of=date(2026, 10, 30)) == []
    with pytest.raises(DocumentRefused, match="not waiting on a bill"):
        company.fill_bill(waiting.place, "B-78", date(2026, 10, 31))


VOIDABLE = {
    "sale": invoice("1", line("4200", "-500.00", item_id="SWITCH", quantity="2")),
    "credit memo": credit_memo("C1", line("4200", "9.95", item_id="CABLE", quantity="1")),
    "purchase": purchase("V1", line("1200", "33.33", item_id="MOUSE", quantity="7")),
    "increase": adjustment("CW-A1", "SWITCH", "3", "40.00"),
    "decrease": adjustment("CW-A2", "MOUSE", "-1", "-8.00"),
    "journal": journal("CW-T1", line("6200", "5.00"), line("1000", "-5.00")),
    "below zero": invoice("2", line("4200", "-1.00", item_id="MOUSE", quantity="5")),
}


@pytest.mark.parametrize("name", VOIDABLE)
def test_void_leaves_the_books_as_they_were(company, name):
    """Voiding writes `<reference>V`, marks both, and every balance and value is back to the cent."""
    balances, stock, owed = company.trial_balance(), company.inventory(), company.books().customers
    wanted = VOIDABLE[name]
    posted = company.post(wanted)

    voided = company.void(posted.place, on=date(2026, 11, 2))

    assert company.trial_balance() == balances
    assert company.inventory() == stock
    assert company.books().customers == owed
    assert company.open_items(as_of=date(2026, 12, 31)) == []
    assert voided.stored.reference == f"{wanted.reference}V"
    assert voided.stored.posting_date == date(2026, 11, 2)
    (original,) = company.find_many([wanted])[0]
    assert (original.place, original.voided, voided.stored.voided) == (posted.place, True, True)
    with pytest.raises(DocumentRefused, match="voided already"):
        company.void(posted.place, on=date(2026, 11, 2))


def test_a_voided_purchase_leaves_its_own_layer(company):
    """FIFO: the voided 10 @ 8 goes, the 10 @ 100 before it stay."""
    posted = company.post(purchase("V1", line("1200", "80.00", item_id="SWITCH", quantity="10")))
    company.void(posted.place, on=date(2026, 10, 16))
    sold = company.post(
        invoice(
            "1",
            line("4200", "-1.00", item_id="SWITCH", quantity="1"),
            posting_date=date(2026, 10, 17),
        )
    )
    assert entries(company, sold.place)[2][1] == "100.00"


def test_number_is_free_again_after_a_void(company):
    """What was voided can be posted again under its number."""
    first = company.post(invoice("1", line("4000", "-5.00")))
    company.void(first.place, on=date(2026, 10, 15))
    again = company.post(invoice("1", line("4000", "-6.00"), generation=2))
    assert [row.voided for row in company.find_many([invoice("1", line("4000", "-6.00"))])[0]] == [
        True,
        False,
    ]
    assert again.stored.token == "CW-I1.2"


def test_find_many_by_token_or_identity(company):
    """Documents are found by our token wherever it is, or by type, party and number without case."""
    one = company.post(invoice("inv-1", line("4000", "-5.00"), key="invoice:1"))
    two = company.post(
        document("purchase", "B1", line("6200", "5.00"), key="expense:2", party_id="jdoe")
    )

    renamed = invoice("OTHER", line("4000", "-1.00"), key="invoice:1")
    foreign = invoice("INV-1", line("4000", "-1.00"), key="invoice:999", party_id="acme")
    bill = document("purchase", "b1", line("6200", "5.00"), key="expense:3", party_id="JDOE")
    absent = credit_memo("inv-1", line("4000", "1.00"), key="invoice:4")
    found = company.find_many([renamed, foreign, bill, absent])

    assert [[row.place for row in rows] for rows in found] == [
        [one.place],
        [one.place],
        [two.place],
        [],
    ]


def test_documents_and_entries_of_a_span(company):
    """`since` and `until` include their day; entries say whose document they are."""
    company.post(
        invoice("1", line("4000", "-5.00"), posting_date=date(2026, 10, 1), key="invoice:1")
    )
    second = company.post(
        invoice("2", line("4000", "-6.00"), posting_date=date(2026, 10, 2), key="invoice:2")
    )

    assert [row.place for row in company.documents(since=date(2026, 10, 2))] == [second.place]
    assert company.documents(since=date(2026, 10, 2))[0] == second.stored
    span = company.gl_entries(since=date(2026, 10, 2), until=date(2026, 10, 2))
    assert {(row.document, row.number) for row in span} == {("invoice:2", "2")}
    assert company.trial_balance(date(2026, 10, 1))["4000"] == Decimal("-5.00")
