"""What is owed and what pays it: open items, receivables, receipts and their applications."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from sage50kit.model.documents import DocumentType, PaidBy
from sage50kit.money import ZERO, total


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenItem:
    """An invoice, credit memo, purchase or receipt that is not fully applied, as of a day."""

    place: str
    type: DocumentType | Literal["receipt"]  # a receipt: money that pays no invoice yet
    party_id: str
    reference: str
    posting_date: date
    due_date: date | None
    total: Decimal  # dollars; what it was
    open_amount: Decimal  # dollars; what is left, credit memos and receipts negative


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """The part of a receipt or credit memo that pays one invoice, in dollars.

    `amount` is money or credit, `discount` what was taken off besides. A receipt that uses a credit memo
    and pays several invoices does not say which of them it credits: so much of `amount` `may_be_credit`
    although it counts as money. A reversal (void, bounced
    check) is an application of its own, negative. An invoice is known by its number *and* customer.
    """

    kind: PaidBy
    place: str  # of the receipt, or of the credit memo that is applied by itself
    reference: str  # of the receipt or of the credit memo
    customer_id: str
    invoice: str  # Invoice # in the books
    date: date
    amount: Decimal
    discount: Decimal = ZERO
    may_be_credit: Decimal = ZERO
    currency: str = ""  # "" is the company's own
    reverses: str = ""  # place of the receipt that is taken back, where the company can tell

    @property
    def applied(self) -> Decimal:
        """Dollars by which the invoice's balance falls."""
        return self.amount + self.discount


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What took something off a receivable on a day; `amount` has the sign of the receivable."""

    on: date
    amount: Decimal
    kind: Literal["receipt", "credit", "void"]
    place: str  # of the receipt, credit memo, invoice or reversal


@dataclass(frozen=True, slots=True, kw_only=True)
class Receivable:
    """A sales invoice, credit memo or receipt with all that was ever settled of it.

    Credit memos and receipts are negative: they reduce what is owed. What is left of a receipt is money
    that pays no invoice yet.
    """

    place: str
    type: DocumentType | Literal["receipt"]
    party_id: str
    reference: str
    posting_date: date
    due_date: date | None
    account_id: str  # the receivable account it stands on
    amount: Decimal  # signed dollars
    token: str = ""
    voided: bool = False  # it was voided, or is the reversal of one that was
    settled: tuple[Settled, ...] = ()

    def open_on(self, day: date) -> Decimal:
        """What is left of it at the end of a day, signed dollars."""
        if self.posting_date > day:
            return ZERO
        return self.amount - total(row.amount for row in self.settled if row.on <= day)


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """Money from a customer, or a credit memo that is applied by itself, and what it pays now.

    `amount` is the money received, or the memo's total. Voided and deleted ones pay nothing.
    """

    place: str
    kind: PaidBy = "receipt"
    customer_id: str
    reference: str
    date: date
    amount: Decimal
    applications: tuple[Application, ...] = ()
    currency: str = ""  # "" is the company's own
    state: Literal["standing", "voided", "deleted"] = "standing"

    @property
    def unapplied(self) -> Decimal:
        """Dollars that pay no invoice; a receipt may use up credit memos besides."""
        if self.state != "standing":
            return ZERO
        return self.amount - total(row.amount for row in self.applications if row.kind == self.kind)


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """The same money as ConnectWise records it against one invoice."""

    invoice_id: int
    invoice_number: str
    amount: Decimal
    paid_on: date
