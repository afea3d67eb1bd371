"""The pages of go-live: old invoices matched with what stands in Sage 50, and payments that are taken over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sage50kit.reports.page import Page, table

if TYPE_CHECKING:
    from sage50kit.payments.adopting import Adoption
    from sage50kit.payments.golive import HistoryMatch

_INVOICE = {
    "key": "Key",
    "number": "Invoice",
    "customer_id": "ID",
    "customer": "Customer",
    "date": "Date",
    "total": "Total",
}
_MATCHED = _INVOICE | {"there": "In Sage 50"}
_DOUBTFUL = _INVOICE | {"why": "What is doubtful", "there": "Candidates in Sage 50"}
_PAYMENTS = {
    "key": "Key",
    "number": "Invoice",
    "customer_id": "ID",
    "customer": "Customer",
    "date": "Paid on",
    "amount": "Payment",
    "place": "In Sage 50",
    "why": "Why it stays as it is",
}


def history_page(found: HistoryMatch, *, is_preview: bool = False) -> Page:
    """What is doubtful first, then what Sage 50 lacks, then what was matched."""
    counts = (
        f"{len(found.links)} invoices matched, {len(found.doubts)} for a person to decide, "
        f"{len(found.unmatched)} not in Sage 50."
    )
    done = "Nothing was recorded." if is_preview else f"{found.recorded} links recorded."
    return Page(
        title="Old invoices in both systems",
        headline=f"{counts} {done}",
        tone="warn" if found.doubts else "good",
        tables=(
            table(
                found.doubtful,
                "For a person to decide",
                columns=_DOUBTFUL,
                sums=["total"],
                note="Decide with --chosen KEY=PLACE. What is not decided is pushed like any other invoice.",
            ),
            table(
                found.missing,
                "Not in Sage 50",
                columns=_INVOICE,
                sums=["total"],
                note="A push posts these, unless cut_over in the profile keeps them out.",
            ),
            table(found.linked, "Matched", columns=_MATCHED, sums=["total"]),
        ),
    )


def adoption_page(done: Adoption) -> Page:
    """The payments that follow Sage 50 from now on, and those that stay as they are."""
    taken, left = len(done.taken), len(done.rows) - len(done.taken)
    words = "would be taken over" if done.is_preview else "taken over: they follow Sage 50 now"
    return Page(
        title="Payments of another product",
        headline=f"{taken} payments {words}; {left} stay as they are.",
        tone="warn" if left else "good",
        tables=(
            table(
                done.frame,
                "Payments",
                columns=_PAYMENTS,
                sums=["amount"],
                empty="ConnectWise has no payment that another product wrote.",
            ),
        ),
    )
