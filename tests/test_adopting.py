"""What the product before the kit wrote to ConnectWise is taken over by a person's word, then it follows Sage."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from sage50kit.errors import UsageError
from sage50kit.sandbox.records import Payment
from tests.receivables_stage import invoice, receivables_stage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.receivables_stage import Stage

PAID = date(2026, 10, 16)


@pytest.fixture
def stage(tmp_path) -> Iterator[Stage]:
    """Four old invoices, 40.00 of each paid in ConnectWise; the third is unknown in Sage, the fourth has two rows."""
    kept = [invoice(number, f"{number}00.00") for number in (1, 2, 3, 4)]
    with receivables_stage(tmp_path, kept) as stage:
        stage.enter("R-1", "100.00")
        stage.enter("2", "200.00")
        stage.enter("R-4", "400.00")
        for number in (1, 2, 3, 4):
            stage.pay(number, "40.00", PAID)
        stage.site.views.payments[4].append(Payment(id=99, invoice=4, amount=Decimal(1)))
        stage.site._cache.clear()
        stage.receive("CK 1", PAID, applied={"R-1": Decimal(40), "2": Decimal(40)})
        stage.kit.match_history(chosen={"invoice:2": stage.place("2")}, dry_run=False)
        yield stage


def sync(stage: Stage) -> list[str]:
    """Plan and apply; the codes of the findings."""
    report = stage.kit.apply_payments(stage.kit.plan_payments(), dry_run=False)
    return [row.code for row in report.issues]


def shown(stage: Stage, number: int) -> list[Decimal]:
    """The payments of an invoice in ConnectWise."""
    return [row.amount for row in stage.site.views.payments[number]]


def test_what_is_taken_over_follows_sage(stage):
    """Without the word a further receipt is a conflict for good; with it the old row is raised, also under another number."""
    stage.receive("CK 2", PAID, applied={"R-1": Decimal(60), "2": Decimal(10)})
    assert sync(stage) == ["payment_conflict", "payment_conflict"]

    done = stage.kit.adopt_payments(dry_run=False)

    assert [row.key for row in done.taken] == ["invoice:1", "invoice:2"]
    assert sync(stage) == []
    assert (shown(stage, 1), shown(stage, 2)) == ([Decimal(100)], [Decimal(50)])
    assert stage.kit.log.verify() == []


def test_what_cannot_be_taken_over_says_why(stage):
    """An invoice that Sage does not have, and one with two payments, stay as they are."""
    why = {row.key: row.why for row in stage.kit.adopt_payments().rows if row.written is None}

    assert why == {
        "invoice:3": "the invoice is not in Sage 50; match it first (match-history)",
        "invoice:4": "it has 2 payments; the kit keeps one for an invoice",
    }


def test_only_the_named_ones_and_nothing_in_a_dry_run(stage):
    """A key chooses; a dry run records nothing; taken over once, it is not offered again."""
    stage.kit.adopt_payments()
    assert len(stage.kit.adopt_payments().taken) == 2

    stage.kit.adopt_payments(keys=["invoice:1"], dry_run=False)

    assert [row.key for row in stage.kit.adopt_payments().taken] == ["invoice:2"]
    with pytest.raises(UsageError, match="invoice:1 has no payment"):
        stage.kit.adopt_payments(keys=["invoice:1"])


def test_receipts_of_an_invoice_linked_under_another_number_arrive(tmp_path):
    """The link counts: what Sage calls 4 is ConnectWise's R-1; taken back, the number counts again."""
    with receivables_stage(tmp_path, [invoice(1, "100.00")]) as stage:
        place = stage.enter("4", "100.00")
        stage.kit.match_history(chosen={"invoice:1": place}, dry_run=False)
        stage.receive("CK 1", PAID, applied={"4": Decimal(30)})
        assert sync(stage) == []
        assert shown(stage, 1) == [Decimal(30)]
        stage.kit.match_history(unlink=["invoice:1"], dry_run=False)
        assert [row.number for row in stage.kit.match_history().doubts] == ["R-1"]
        stage.receive("CK 2", PAID, applied={"4": Decimal(5)})
        assert sync(stage) == ["payment_invoice_unknown"]
