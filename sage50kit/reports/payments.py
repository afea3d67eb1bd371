"""The report of a payment sync, before anyone decides how it looks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sage50kit.reports.listings import issues_table
from sage50kit.reports.page import Page, heading, table

if TYPE_CHECKING:
    from sage50kit.payments.report import PaymentReport

_CHANGES = {
    "number": "Invoice",
    "customer_id": "Customer",
    "do": "Payment is to be",
    "before": "Paid before",
    "amount": "Paid now",
    "total": "Invoice total",
    "sent_date": "Date sent",
    "paid_date": "Paid in full on",
    "outcome": "Outcome",
}


def payments_page(report: PaymentReport) -> Page:
    """What was or would be written, what is wrong, and how far was read."""
    tones = {"completed": "good", "completed_with_warnings": "warn", "completed_with_errors": "bad"}
    facts = () if report.is_preview else report.counts.items()
    return Page(
        title="Payments to be written" if report.is_preview else "Payments",
        headline=report.sentence,
        tone=tones[report.status],  # type: ignore[arg-type]
        facts=tuple((heading(name), value) for name, value in facts),
        tables=(
            issues_table(report.findings()),
            table(
                report.frame(),
                "Payments in ConnectWise",
                columns=_CHANGES,
                sums=("before", "amount"),
                empty="Nothing changed.",
            ),
        ),
    )
