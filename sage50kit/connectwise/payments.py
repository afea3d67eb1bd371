"""The payments of ConnectWise invoices: one of ours for each invoice (connectwise reference, 9).

A write is sent again only after a 429, which says that it was not read. Silence is raised with `.sent`
and settled by looking.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sage50kit.connectwise import wire
from sage50kit.connectwise.answers import accepted_unread
from sage50kit.errors import ConnectWiseUnreadable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date
    from decimal import Decimal

    from sage50kit.connectwise.client import Client

INVOICES = "/finance/invoices"
UNPOSTED = "/finance/accounting/unpostedpayments"
# Short, so that a hundred invoices fit into one address.
FIELDS = "id,invoiceNumber,type,accountNumber,date,currency,total,payments,credits"


class InvoicePayments:
    """The invoices of a site and what is paid of them."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.requests_at_once = client.settings.requests_at_once

    def by_id(self, ids: Sequence[int]) -> list[wire.Invoice]:
        """The invoices of these ids that exist, a hundred in one request."""
        return self._invoices("id", ids)

    def by_number(self, numbers: Sequence[str]) -> list[wire.Invoice]:
        """The invoices of these numbers, of whatever customer; up to a hundred in one request."""
        return self._invoices("invoiceNumber", numbers)

    def _invoices(self, field: str, values: Sequence[Any]) -> list[wire.Invoice]:
        if not values:
            return []
        parts = self.client.parts_in(INVOICES, field, values, one_each=True, fields=FIELDS)
        return [wire.read(wire.Invoice, row, path=INVOICES) for part in parts for row in part]

    def of(self, invoice_id: int) -> list[wire.InvoicePayment]:
        """The payment rows of an invoice, of whatever origin."""
        path = _path(invoice_id)
        rows = self.client.rows(path)
        return [wire.read(wire.InvoicePayment, row, path=path) for row in rows]

    def portal(self) -> list[wire.InvoicePayment]:
        """What customers paid through the payment portal; it stays listed for good (design 9.13)."""
        rows = self.client.rows(UNPOSTED)
        return [wire.read(wire.InvoicePayment, row, path=UNPOSTED) for row in rows]

    def create(self, invoice_id: int, amount: Decimal, on: date) -> int:
        """Record a payment; returns its id. An invoice has at most one.

        Raises:
            ConnectWiseUnavailable: no answer, or none with an id; `.sent` tells whether it may stand there.
        """
        path = _path(invoice_id)
        body = {
            "type": "P",
            "amount": amount,
            "paymentDate": _midnight(on),
            "invoice": {"id": invoice_id},
        }
        answer = self.client.post(path, body, obeys=True)
        try:
            payment: wire.InvoicePayment = wire.read(wire.InvoicePayment, answer, path=path)
        except ConnectWiseUnreadable as error:
            raise accepted_unread(error, path) from error
        return payment.id

    def change(self, invoice_id: int, payment_id: int, amount: Decimal, on: date) -> None:
        """Set amount and date of a payment."""
        values = {"amount": amount, "paymentDate": _midnight(on)}
        operations = [
            {"op": "replace", "path": name, "value": value} for name, value in values.items()
        ]
        self.client.patch(f"{_path(invoice_id)}/{payment_id}", operations, obeys=True)

    def delete(self, invoice_id: int, payment_id: int) -> None:
        """Delete a payment."""
        self.client.delete(f"{_path(invoice_id)}/{payment_id}", obeys=True)


def _path(invoice_id: int) -> str:
    return f"{INVOICES}/{invoice_id}/payments"


def _midnight(day: date) -> str:
    return f"{day.isoformat()}T00:00:00Z"
