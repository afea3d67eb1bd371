"""What ConnectWise has, what it becomes, and how both are named: our key, its token, its label.

Amounts are `Decimal` dollars; inside a document they carry one sign, debit positive. What people look
at shows two non-negative columns instead (`GLEntry.debit`, `GLEntry.credit`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Any, Literal, TypeAlias

from sage50kit.errors import UnbalancedDocument
from sage50kit.model.content import canonical, digest
from sage50kit.model.lists import Address, ItemClass
from sage50kit.money import ZERO, total

Kind: TypeAlias = Literal["invoice", "expense", "receipt", "adjustment", "transfer"]
KINDS: tuple[Kind, ...] = ("invoice", "expense", "receipt", "adjustment", "transfer")

DocumentType: TypeAlias = Literal[
    "sales_invoice", "credit_memo", "purchase", "journal_entry", "inventory_adjustment"
]
Role: TypeAlias = Literal["line", "tax", "freight", "rounding"]
PaidBy: TypeAlias = Literal["receipt", "credit_memo"]

# The screens where the seed's "Validating a Batch" looks the documents up.
SAGE_SCREENS: dict[DocumentType, str] = {
    "sales_invoice": "Customers & Sales > Sales Invoices > View and Edit Sales Invoices",
    "credit_memo": "Customers & Sales > Credits and Returns > View and Edit Credit Memos",
    "purchase": "Vendors & Purchases > Enter Bills > View and Edit Bills "
    "(item receipts: Inventory & Services > Receive Inventory)",
    "journal_entry": "Banking > General Journal Entry > View and Edit General Journal Entries",
    "inventory_adjustment": "Inventory & Services > Inventory Adjustments",
}

# What of a sale nobody can foresee (design 9.9), as the note of a document and in a sentence.
DISPUTED = "cost of a non-stock or service item"
DISPUTE = "Sage 50 may also post Salaries/Wages against Cost of Sales, depending on the company's settings."


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction:
    """One unposted ConnectWise record, as the unposted lists show it.

    `key` is `invoice:<billingLogId>`, `expense:<expenseDetailId>` or
    `receipt|adjustment|transfer:<unpostedProductId>`; never a GL-entry id, which ConnectWise
    makes anew when a document is reopened.
    """

    key: str
    kind: Kind
    type: str  # Standard, CreditMemo, Reimbursable, Purchase, ...
    number: str  # what people call it
    date: date | None
    party: str
    party_id: str
    total: Decimal
    entry_ids: tuple[int, ...]
    description: str = ""
    disposition: Literal["post", "nothing_to_post", "clear"] = "post"
    reason: str = ""  # why nothing is posted for it


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """One line of a document: one account, one signed amount (debit positive), dollars and cents.

    `quantity` counts in the direction of the document: sold on an invoice, returned on a credit memo,
    received on a purchase, taken in (negative: taken out) by an inventory adjustment. A negative line of
    an invoice has a negative quantity. `cost` is what ConnectWise believes the goods cost (shown, never
    posted: cost of sales is Sage's own).
    """

    account_id: str
    amount: Decimal
    description: str = ""
    role: Role = "line"
    item_id: str = ""
    item_class: ItemClass | Literal[""] = ""
    quantity: Decimal = ZERO
    unit_price: Decimal = ZERO
    cost: Decimal = ZERO
    tax_agency_id: str = ""
    taxable: bool = False
    entry_ids: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True)  # no slots: the fingerprint is kept once it was worked out
class Document:
    """One Sage 50 transaction to be posted; it balances, or it cannot be constructed.

    `control_amount` stands on `control_account_id`: receivables of a sales invoice (debit, positive),
    receivables of a credit memo (credit, negative), payables of a purchase (negative), the inventory
    account of an inventory adjustment. A journal entry has neither: its distributions balance alone.
    """

    type: DocumentType
    key: str
    transactions: tuple[str, ...]
    number: str  # how people name it: the ConnectWise number
    reference: str  # Sage's Invoice/CM #, or journal reference; "" while waiting on the bill
    posting_date: date
    document_date: date
    distributions: tuple[Distribution, ...]
    control_account_id: str = ""
    control_amount: Decimal = ZERO
    source_total: Decimal = ZERO  # the total that ConnectWise shows, same sign as there
    party_id: str = ""  # customer ID or vendor ID
    party_name: str = ""
    due_date: date | None = None
    tax_code: str = ""
    terms: str = ""
    purchase_order: str = ""  # customer PO of a sale; `Customer Invoice No.` of a purchase
    waiting_on_bill: bool = False
    ship_to: Address | None = None
    memo: str = ""
    entry_ids: tuple[int, ...] = ()  # every GL-entry id that enters the batch with it
    part: int = 1
    generation: int = 1

    def __post_init__(self) -> None:
        """Refuse to exist unbalanced."""
        difference = self.control_amount + total(line.amount for line in self.distributions)
        if difference:
            raise UnbalancedDocument(
                f"{self.type} {self.number} ({self.key}): debits and credits differ by {difference}"
            )

    @property
    def label(self) -> str:
        """`invoice:48112`, with `/2` for a second part and `#2` for a second generation."""
        return document_label(self.key, part=self.part, generation=self.generation)

    @property
    def plain_label(self) -> str:
        """The label without a generation: the same document, however often it was posted."""
        return document_label(self.key, part=self.part)

    @property
    def token(self) -> str:
        """Our key as Sage 50 can carry it: at most 20 characters, such as `CW-I48112`."""
        return token(self.key, part=self.part, generation=self.generation)

    @property
    def is_decrease(self) -> bool:
        """Whether it takes goods out of stock: Sage values that itself."""
        return self.type == "inventory_adjustment" and self.distributions[0].quantity < 0

    @property
    def total(self) -> Decimal:
        """The amount people know it by, in dollars: never negative."""
        if self.control_account_id:
            return abs(self.control_amount)
        return total(line.amount for line in self.distributions if line.amount > 0)

    @cached_property
    def fingerprint(self) -> str:
        """A digest of the content; the same content has the same one in every generation."""
        content = canonical(self)
        for name in ("generation", "entry_ids"):
            content.pop(name)
        for line in content["distributions"]:
            line.pop("entry_ids")
        return digest(content)


@dataclass(frozen=True, slots=True, kw_only=True)
class GLEntry:
    """One debit or one credit to one GL account; the other column is zero.

    `made_by` says who makes it: the kit posts it, or Sage makes it itself (cost of sales and
    inventory of a stock item). Before posting, what Sage will make is an expectation.
    """

    document: str  # the document's label
    type: DocumentType | Literal["receipt"]
    number: str
    date: date
    account_id: str
    debit: Decimal = ZERO
    credit: Decimal = ZERO
    description: str = ""
    party_id: str = ""
    item_id: str = ""
    made_by: Literal["kit", "sage"] = "kit"


def token(key: str, *, part: int = 1, generation: int = 1) -> str:
    """Our key in at most 20 characters: `CW-I48112`; a short hash where the id is text."""
    kind, _, identity = key.partition(":")
    short = identity if identity.isdigit() and len(identity) <= 10 else digest(identity)[:10]
    suffix = (f"-{part}" if part > 1 else "") + (f".{generation}" if generation > 1 else "")
    return f"CW-{kind[0].upper()}{short}{suffix}"


def part_of(token: str) -> int:
    """The part in a token: 2 of `CW-A82-2.3`, 1 where there is none."""
    number = token.partition(".")[0].removeprefix("CW-").partition("-")[2]
    return int(number) if number.isdigit() else 1


def generation_of(token: str) -> int:
    """The generation in a token: 2 of `CW-I48112.2`, 1 where there is none."""
    number = token.partition(".")[2]
    return int(number) if number.isdigit() else 1


def document_label(key: str, *, part: int = 1, generation: int = 1) -> str:
    """How a document is named in logs and reports."""
    return key + (f"/{part}" if part > 1 else "") + (f"#{generation}" if generation > 1 else "")


def entry(document: Document, account_id: str, amount: Decimal, **more: Any) -> GLEntry:
    """The GL entry of a signed amount: positive is a debit."""
    return GLEntry(
        document=document.label,
        type=document.type,
        number=document.number,
        date=document.posting_date,
        account_id=account_id,
        debit=max(amount, ZERO),
        credit=max(-amount, ZERO),
        party_id=document.party_id,
        **more,
    )
