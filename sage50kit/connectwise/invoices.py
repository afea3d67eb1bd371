"""Invoices as billing keeps them: what was billed, paid and credited.

The list is read whole: what is paid in ConnectWise and open in Sage 50 has no balance to look for. Amounts
are ConnectWise's of now; only the rows of an invoice's payments have dates (connectwise reference, 9).
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from sage50kit.connectwise import wire

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sage50kit.connectwise.client import Client

INVOICES = "/finance/invoices"
FIELDS = (
    "id,invoiceNumber,type,status/id,status/name,status/isClosed,company/id,company/name,accountNumber,"
    "date,dueDate,currency/currencyCode,currency/currencyIdentifier,total,payments,credits,balance,"
    "glBatch/id,glBatch/name"
)


def invoices(client: Client, *, progress: Callable[..., None] | None = None) -> list[wire.Invoice]:
    """Every invoice and credit memo of the site, closed or not."""
    rows = client.rows(INVOICES, fields=FIELDS, progress=progress)
    return [wire.read(wire.Invoice, row, path=INVOICES) for row in rows]


def payments(
    client: Client, invoice_ids: Iterable[int]
) -> dict[int, tuple[wire.InvoicePayment, ...]]:
    """The payment rows of some invoices by invoice id, several invoices at a time."""

    def one(invoice_id: int) -> tuple[wire.InvoicePayment, ...]:
        path = f"{INVOICES}/{invoice_id}/payments"
        return tuple(wire.read(wire.InvoicePayment, row, path=path) for row in client.rows(path))

    wanted = list(dict.fromkeys(invoice_ids))
    with ThreadPoolExecutor(client.settings.requests_at_once) as pool:
        return dict(zip(wanted, pool.map(one, wanted), strict=True))
