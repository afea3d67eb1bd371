"""Receipts of Sage become payments in ConnectWise: each case has one result, and a second run writes nothing."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from tests.payment_stage import book_invoice, dollars, staged


@pytest.fixture
def stage(tmp_path):
    """Three invoices of one customer, one of another."""
    invoices = {"1001": "300.00", "1002": "200.00", "1003": "50.00"}
    with staged(tmp_path, invoices, others={"2001": "80.00"}) as stage:
        yield stage


def settled(stage, **shown: str) -> None:
    """A sync shows exactly these amounts; a second one writes nothing."""
    stage.sync()
    wanted = {name.removeprefix("n"): (Decimal(amount),) for name, amount in shown.items()}
    assert stage.shown() == wanted
    stage.sent()
    assert stage.sync().counts["waiting"] == 0
    assert stage.sent()[1] == 0
    assert stage.shown() == wanted


def test_the_six_steps(stage):
    """Partial, second partial, edit, move to another invoice, delete, add again: each followed exactly."""
    first = stage.pay("CK 1", 5, applied={"1001": "100.00"})
    settled(stage, n1001="100.00")

    second = stage.pay("CK 2", 9, applied={"1001": "150.00"})
    settled(stage, n1001="250.00")
    assert stage.dates("1001") == [date(2026, 10, 9)]

    stage.company.edit_receipt(
        second.place,
        "HILLSCHOOL",
        reference="CK 2",
        date=date(2026, 10, 8),
        applied={"1001": dollars("120.00")},
    )
    settled(stage, n1001="220.00")
    assert stage.dates("1001") == [date(2026, 10, 8)]

    stage.company.edit_receipt(
        second.place,
        "HILLSCHOOL",
        reference="CK 2",
        date=date(2026, 10, 8),
        applied={"1002": dollars("120.00")},
    )
    settled(stage, n1001="100.00", n1002="120.00")

    stage.company.delete_receipt(first.place)
    settled(stage, n1002="120.00")

    stage.pay("CK 1", 12, applied={"1001": "300.00"})
    settled(stage, n1001="300.00", n1002="120.00")


def test_the_record_in_a_postgresql_log(tmp_path, postgres):
    """The same on a log that several machines share."""
    with staged(tmp_path, {"1001": "300.00"}, log_at=postgres.database()) as stage:
        paid = stage.pay("CK 1", 5, applied={"1001": "100.00"})
        settled(stage, n1001="100.00")
        stage.pay("CK 2", 6, applied={"1001": "50.00"})
        stage.company.delete_receipt(paid.place)
        settled(stage, n1001="50.00")


def test_paid_date_only_when_the_balance_is_zero(stage):
    """A partial payment has no paid date; the one that brings the balance to zero sets it."""
    stage.pay("CK 1", 5, applied={"1001": "100.00"})
    (part,) = stage.plan().changes
    assert (part.on, part.paid_on) == (date(2026, 10, 5), None)
    stage.sync()
    stage.pay("CK 2", 9, applied={"1001": "200.00"})
    (rest,) = stage.plan().changes
    assert (rest.do, rest.amount, rest.on, rest.paid_on) == (
        "change",
        dollars(300),
        date(2026, 10, 9),
        date(2026, 10, 9),
    )


def test_discount_counts_as_paid(stage):
    """294.00 and 6.00 discount pay 300.00 in full."""
    stage.pay(
        "CK 1",
        5,
        applied={"1001": "294.00"},
        discounts={"1001": "6.00"},
        discount_account_id="4400",
    )
    assert stage.plan().changes[0].paid_on == date(2026, 10, 5)
    settled(stage, n1001="300.00")


def test_over_payment_stops_at_the_invoice(stage):
    """What the customer paid too much pays nothing: the invoice shows its total, the rest is a note."""
    stage.pay("CK 1", 5, applied={"1003": "50.00"}, unapplied="25.00")
    report = stage.sync()
    assert stage.shown() == {"1003": (dollars(50),)}
    assert [(row.code, row.value) for row in report.issues] == [("receipt_unapplied", "25.00")]
    assert report.exit_code == 0
    settled(stage, n1003="50.00")


def test_one_receipt_over_many_invoices(stage):
    """Each invoice shows its own part."""
    stage.pay("CK 1", 5, applied={"1001": "300.00", "1002": "120.00", "1003": "10.00"})
    settled(stage, n1001="300.00", n1002="120.00", n1003="10.00")


def test_many_receipts_on_one_invoice(stage):
    """They are one payment, the sum, with the date of the latest."""
    for day in (5, 6, 20, 7):
        stage.pay(f"CK {day}", day, applied={"1001": "70.00"})
    settled(stage, n1001="280.00")
    assert stage.dates("1001") == [date(2026, 10, 20)]


@pytest.fixture
def memo(stage):
    """A credit memo of 120.00 for the customer of the three invoices."""
    return stage.company.post(book_invoice("C1", "120.00", "HILLSCHOOL", credit=True)).place


def test_credit_memo_applied_to_one_invoice(stage, memo):
    """Credit counts as paid, with the date on which it was applied."""
    stage.company.apply_credit(memo, applied={"1001": dollars(120)}, on=date(2026, 10, 7))
    settled(stage, n1001="120.00")
    assert stage.dates("1001") == [date(2026, 10, 7)]


def test_credit_memo_applied_to_several_and_partly(stage, memo):
    """Part of it on each; applied otherwise later, both follow; taken off, both are open again."""
    on = date(2026, 10, 7)
    stage.company.apply_credit(memo, applied={"1001": dollars(60), "1003": dollars(50)}, on=on)
    settled(stage, n1001="60.00", n1003="50.00")
    stage.company.apply_credit(memo, applied={"1002": dollars(30)}, on=on)
    settled(stage, n1002="30.00")
    stage.company.apply_credit(memo, applied={}, on=on)
    settled(stage)


def test_receipt_that_uses_up_a_credit_memo(stage, memo):
    """180.00 of money and 120.00 of credit pay 300.00."""
    stage.pay("CK 1", 8, applied={"1001": "300.00", "C1": "-120.00"})
    settled(stage, n1001="300.00")


def test_credit_that_connectwise_applied_too_counts_once(stage, memo):
    """The memo is applied in both systems: our payment is only the money, and the invoice is paid."""
    stage.pay("CK 1", 8, applied={"1001": "300.00", "C1": "-120.00"})
    stage.site.views.by_id["invoice"][50001].credits = dollars(120)
    (change,) = stage.plan().changes
    assert (change.amount, change.paid_on) == (dollars(180), date(2026, 10, 8))
    settled(stage, n1001="180.00")


CREDITS = [
    (
        {"1001": 120},
        {"1001": 80, "1002": 100},
    ),  # as the connector tells it: the first invoice first
    ({"1002": 100, "1001": 20}, {"1001": 180}),
    ({"1002": 60, "1001": 60}, {"1001": 140, "1002": 40}),
    ({"1002": 50}, {"1001": 200, "1002": 50}),  # the rest of the credit is not applied there
]


@pytest.mark.parametrize(("credited", "ours"), CREDITS)
def test_credit_of_a_receipt_over_two_invoices_counts_once(stage, memo, credited, ours):
    """Sage does not say which invoice the credit pays: wherever ConnectWise applied it, it counts once."""
    paid = stage.pay("CK 1", 8, applied={"1001": "200.00", "1002": "100.00", "C1": "-120.00"})
    for place, number in ((50001, "1001"), (50002, "1002")):
        stage.site.views.by_id["invoice"][place].credits = dollars(credited.get(number, 0))
    settled(stage, **{f"n{number}": str(amount) for number, amount in ours.items()})
    stage.company.void_receipt(paid.place, on=date(2026, 10, 20))
    settled(stage)


def test_voided_receipt(stage):
    """The invoice is open again."""
    paid = stage.pay("CK 1", 5, applied={"1001": "100.00"})
    stage.pay("CK 2", 6, applied={"1001": "30.00"})
    settled(stage, n1001="130.00")
    stage.company.void_receipt(paid.place, on=date(2026, 10, 20))
    settled(stage, n1001="30.00")
    assert stage.dates("1001") == [date(2026, 10, 6)]


def test_bounced_check(stage):
    """NSF: a negative receipt takes the payment back; a new check pays again."""
    paid = stage.pay("CK 1", 5, applied={"1001": "300.00"})
    settled(stage, n1001="300.00")
    stage.company.bounce_receipt(paid.place, reference="NSF CK 1", on=date(2026, 10, 12))
    settled(stage)
    stage.pay("CK 9", 20, applied={"1001": "300.00"})
    settled(stage, n1001="300.00")
    assert stage.dates("1001") == [date(2026, 10, 20)]


def test_unapplied_receipt_is_a_note_until_it_is_applied(stage):
    """Money on account pays nothing in ConnectWise; applied later, it does."""
    paid = stage.pay("CK 1", 5, unapplied="75.00")
    report = stage.sync()
    assert (stage.shown(), [row.code for row in report.issues]) == ({}, ["receipt_unapplied"])
    stage.company.edit_receipt(
        paid.place,
        "HILLSCHOOL",
        reference="CK 1",
        date=date(2026, 10, 5),
        applied={"1001": dollars(75)},
    )
    settled(stage, n1001="75.00")


def test_moved_to_another_customer(stage):
    """Both invoices follow."""
    paid = stage.pay("CK 1", 5, applied={"1001": "80.00"})
    settled(stage, n1001="80.00")
    stage.company.edit_receipt(
        paid.place,
        "GULFCOAST",
        reference="CK 1",
        date=date(2026, 10, 5),
        applied={"2001": dollars(80)},
    )
    settled(stage, n2001="80.00")


def test_never_more_than_the_total(stage):
    """ConnectWise's total is lower than Sage's: its total is shown, and a finding has both amounts."""
    stage.pay("CK 1", 5, applied={"1001": "300.00"})
    line = stage.site.views.by_id["invoice"][50001].lines[0]
    line.price = dollars(250)
    stage.site.call("PATCH", "/finance/invoices/{id}", {"id": "50001"}, reopened("New"))
    stage.site.call("PATCH", "/finance/invoices/{id}", {"id": "50001"}, reopened("Closed"))
    report = stage.sync()
    assert stage.shown() == {"1001": (dollars(250),)}
    (issue,) = report.issues
    assert issue.code == "payment_over"
    assert "300.00" in issue.message
    assert "250.00" in issue.message
    stage.sent()
    stage.sync(full=True)
    assert stage.sent()[1] == 0


def reopened(status: str) -> list[dict[str, object]]:
    return [{"op": "replace", "path": "/status", "value": {"name": status}}]
