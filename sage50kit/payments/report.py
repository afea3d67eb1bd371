"""What a payment sync did, for people and for machines."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from sage50kit.issues import issues_frame
from sage50kit.money import money_series, total

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pandas as pd

    from sage50kit.issues import Issue
    from sage50kit.payments.model import Change, Outcome, Paid, PaymentPlan, Posting

_WAYS = {
    "changes": "the receipts that changed since then",
    "compared": "all receipts, compared with the last reading (this connector cannot tell changes)",
    "full": "all receipts and every invoice ever paid (full pass)",
    "restored": "all receipts and every invoice ever paid (the company knows no more where the last run ended)",
}
_COLUMNS = ("number", "customer_id", "do", "before", "amount", "total", "sent_date", "paid_date")


@dataclass(frozen=True, kw_only=True)
class PaymentReport:
    """What became of a payment plan; without outcomes it is a preview."""

    plan: PaymentPlan
    outcomes: tuple[Outcome, ...] = ()
    postings: tuple[Posting, ...] = ()
    cursor_moved: bool = False
    is_preview: bool = False

    @cached_property
    def issues(self) -> tuple[Issue, ...]:
        """Every finding, those of the plan first."""
        made = [*(row.issue for row in self.postings), *(row.issue for row in self.outcomes)]
        return (*self.plan.issues, *(issue for issue in made if issue))

    @property
    def counts(self) -> dict[str, int]:
        """How many payments were written, how many invoices wait."""
        done = [row.change for row in self.outcomes if row.waits is None]
        kinds = {
            kind: sum(row.do == kind for row in done) for kind in ("create", "change", "delete")
        }
        waiting = len(self.plan.waiting) + len(self.outcomes) - len(done)
        posted = sum(row.receipt is not None and row.issue is None for row in self.postings)
        return {
            **kinds,
            "receipts_posted": posted,
            "unchanged": self.plan.unchanged,
            "waiting": waiting,
        }

    @property
    def totals(self) -> dict[str, str]:
        """Dollars that our payments grew by, before and after."""
        done = [row.change for row in self.outcomes if row.waits is None]
        return {
            "before": f"{total(row.base.amount for row in done):.2f}",
            "after": f"{total(row.amount for row in done):.2f}",
        }

    @property
    def status(self) -> str:
        """`completed`, `completed_with_warnings` or `completed_with_errors`, as a push has them."""
        severities = {row.severity for row in self.issues}
        if severities & {"block", "refuse"}:
            return "completed_with_errors"
        return "completed_with_warnings" if "warn" in severities else "completed"

    @property
    def exit_code(self) -> int:
        """0 when nobody is needed, else 3."""
        return 3 if self.status == "completed_with_errors" else 0

    @property
    def sentence(self) -> str:
        """The first line: what was read, what was done, whether the start moved."""
        counts, reading = self.counts, self.plan.reading
        if self.is_preview:
            done = f"{len(self.plan.changes)} payments would be written" + (
                f", {len(self.plan.portal)} of the portal would be posted to Sage 50"
                if self.plan.portal
                else ""
            )
        else:
            done = (
                f"{counts['create']} payments created, {counts['change']} changed, "
                f"{counts['delete']} deleted; {counts['receipts_posted']} portal payments posted to Sage 50"
            )
        return (
            f"Read since {reading.start}: {_WAYS[reading.way]}. {done}; {counts['unchanged']} invoices "
            f"unchanged, {counts['waiting']} wait for their next try. {self._cursor_words()}"
        )

    def _cursor_words(self) -> str:
        if self.is_preview:
            return "Nothing was written."
        if self.cursor_moved:
            return "The next run begins where this one ended, with an overlap."
        why = "not all could be read" if not self.plan.reading.complete else "a date was chosen"
        return f"The start of the next run stays where it was: {why}."

    def frame(self) -> pd.DataFrame:
        """The changes as a frame, with what became of them."""
        frame = changes_frame(self.plan.changes)
        states = {row.change.base.invoice_id: row.waits for row in self.outcomes}
        frame["outcome"] = [
            "planned"
            if row.base.invoice_id not in states
            else "done"
            if states[row.base.invoice_id] is None
            else states[row.base.invoice_id].reason  # type: ignore[union-attr]
            for row in self.plan.changes
        ]
        return frame

    def findings(self) -> pd.DataFrame:
        """The findings as a frame, worst first."""
        return issues_frame(self.issues)

    def _repr_html_(self) -> str:
        from sage50kit.reports.html import part
        from sage50kit.reports.payments import payments_page

        return part(payments_page(self))


def paid_frame(paid: Iterable[Paid]) -> pd.DataFrame:
    """What stands in the books against each invoice; amounts in dollars."""
    columns = ("number", "customer_id", "money", "credit", "latest_date")
    rows = [(row.number, row.customer_id, row.money, row.credit, row.latest) for row in paid]
    return _frame(columns, rows, ("money", "credit"))


def changes_frame(changes: Iterable[Change]) -> pd.DataFrame:
    """One row for each payment to be written; amounts in dollars, dates as dates or empty."""
    rows = [
        (
            row.number,
            row.base.customer_id,
            row.do,
            row.base.amount,
            row.amount,
            row.total,
            row.on,
            row.paid_on,
        )
        for row in changes
    ]
    return _frame(_COLUMNS, rows, ("before", "amount", "total"))


def _frame(
    columns: Sequence[str], rows: Sequence[tuple[Any, ...]], amounts: Sequence[str]
) -> pd.DataFrame:
    import pandas as pd

    values = list(zip(*rows, strict=True)) or [()] * len(columns)
    frame = pd.DataFrame(dict(zip(columns, values, strict=True)), columns=list(columns))
    for name in amounts:
        frame[name] = money_series(frame[name])
    return frame
