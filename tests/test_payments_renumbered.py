"""An invoice whose number is corrected in Sage 50 keeps its payment in ConnectWise, by the key that it carries."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from tests.receivables_stage import invoice, receivables_stage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.receivables_stage import Stage


@pytest.fixture
def stage(tmp_path) -> Iterator[Stage]:
    """Two invoices, pushed; 40.00 of the first are paid in both systems."""
    with receivables_stage(tmp_path, [invoice(1, "100.00"), invoice(2, "50.00")]) as stage:
        stage.push(1, 2, batch="A")
        stage.receive("CK 1", date(2026, 10, 20), applied={"R-1": Decimal(40)})
        assert shown(stage, synced(stage)) == ([], {1: Decimal(40)})
        stage.company.renumber(stage.place("R-1"), "R-1 corrected")
        yield stage


def synced(stage: Stage, *, full: bool = False) -> Any:
    plan = stage.kit.plan_payments(stage.kit.fetch_receipts(full=full))
    return stage.kit.apply_payments(plan, dry_run=False)


def shown(stage: Stage, report: Any) -> tuple[list[str], dict[int, Decimal]]:
    """The codes of the findings, and what ConnectWise shows by invoice id."""
    paid = {key: rows[0].amount for key, rows in stage.site.views.payments.items() if rows}
    return [row.code for row in report.issues], paid


def test_a_full_pass_keeps_the_payment(stage):
    """Nothing pays the old number any more: that is no reason to delete what was paid."""
    report = synced(stage, full=True)

    assert shown(stage, report) == ([], {1: Decimal(40)})
    assert report.plan.changes == ()


def test_the_next_receipt_is_followed(stage):
    """Paid under its new number it shows the sum; a second run writes nothing."""
    stage.receive("CK 2", date(2026, 10, 21), applied={"R-1 corrected": Decimal(10)})

    assert shown(stage, synced(stage)) == ([], {1: Decimal(50)})
    for full in (False, True):
        assert synced(stage, full=full).plan.changes == ()


def test_the_number_of_another_invoice_is_never_guessed(stage):
    """An invoice entered by hand carries no key: its payment is a finding, and nothing else changes."""
    stage.enter("HAND-1", "80.00")
    stage.receive("CK 3", date(2026, 10, 22), applied={"HAND-1": Decimal(80)})

    assert shown(stage, synced(stage, full=True)) == (["payment_invoice_unknown"], {1: Decimal(40)})
