"""Receipts of Sage become payments in ConnectWise: each case has one result, and a second run writes nothing."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from tests.payment_stage import dollars, staged


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
