"""Which ConnectWise invoice is which Sage invoice: by number and customer, never by a guess."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from sage50kit.issues import Issue, finding
from sage50kit.model import fold

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sage50kit.connectwise import wire
    from sage50kit.payments.model import Paid


def match(paid: Paid, found: Sequence[wire.Invoice]) -> wire.Invoice | Issue:
    """The invoice of ConnectWise, or why nobody can tell.

    Args:
        paid: what stands in the books.
        found: ConnectWise invoices; those of other numbers do not matter.
    """
    same = [row for row in found if fold(row.invoice_number or "") == fold(paid.number)]
    own = [row for row in same if fold(row.account_number or "") == fold(paid.customer_id)]
    if len(own) == 1:
        return own[0]
    words = {"key": f"payment:{paid.number}", "number": paid.number, "customer": paid.customer_id}
    if own:
        return finding("payment_ambiguous", value=len(own), **words)
    if same:
        owners = ", ".join(sorted({row.account_number or "(no account number)" for row in same}))
        return finding("payment_customer_differs", value=owners, **words)
    return finding("payment_invoice_unknown", value=paid.number, **words)


def joined(matched: Iterable[tuple[Paid, wire.Invoice]]) -> list[tuple[Paid, wire.Invoice]]:
    """The same with every ConnectWise invoice once: a customer whose ID changed pays under both."""
    by_id: dict[int, list[tuple[Paid, wire.Invoice]]] = defaultdict(list)
    for paid, invoice in matched:
        by_id[invoice.id].append((paid, invoice))
    return [_join(group) for group in by_id.values()]


def _join(group: Sequence[tuple[Paid, wire.Invoice]]) -> tuple[Paid, wire.Invoice]:
    paying = sorted(group, key=lambda pair: not pair[0].applications)
    rows = sorted((row for paid, _ in group for row in paid.applications), key=lambda row: row.date)
    return replace(paying[0][0], applications=tuple(rows)), paying[0][1]


def by_number(invoices: Iterable[wire.Invoice]) -> Mapping[str, list[wire.Invoice]]:
    """Invoices by folded number."""
    found: dict[str, list[wire.Invoice]] = defaultdict(list)
    for row in invoices:
        found[fold(row.invoice_number or "")].append(row)
    return found
