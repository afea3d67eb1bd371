"""The frozen nouns of the kit, in accounting words.

Amounts are `Decimal` dollars; inside a document they carry one sign, debit positive. What people look
at shows two non-negative columns instead (`GLEntry.debit`, `GLEntry.credit`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from sage50kit.errors import UnbalancedDocument
from sage50kit.model.content import canonical, digest
from sage50kit.model.lists import (
    ACCOUNT_TYPES,
    Account,
    Address,
    Books,
    CreditStatus,
    Customer,
    Defaults,
    Item,
    ItemClass,
    Master,
    Period,
    TaxAgency,
    TaxCode,
    Vendor,
    fold,
)
from sage50kit.money import ZERO, total

if TYPE_CHECKING:
    from sage50kit.issues import Issue

__all__ = [
    "ACCOUNT_TYPES",
    "ARRIVED",
    "BLOCKED",
    "DISPUTE",
    "DISPUTED",
    "KINDS",
    "ONCE_POSTED",
    "SAGE_SCREENS",
    "Account",
    "Address",
    "Application",
    "Books",
    "CreditStatus",
    "Customer",
    "Defaults",
    "Distribution",
    "Document",
    "DocumentState",
    "DocumentType",
    "GLEntry",
    "Item",
    "ItemClass",
    "Kind",
    "LeftOut",
    "Master",
    "OpenItem",
    "PaidBy",
    "Payment",
    "Period",
    "Plan",
    "Posted",
    "Receipt",
    "Role",
    "StoredDocument",
    "TaxAgency",
    "TaxCode",
    "Transaction",
    "Vendor",
    "canonical",
    "digest",
    "document_label",
    "entry",
    "fold",
    "generation_of",
    "token",
]

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


# --- what ConnectWise has ---------------------------------------------------------------------


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


# --- what goes into the books -----------------------------------------------------------------


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


# --- what the company answers -----------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredDocument:
    """A document as the company holds it; `place` finds it again."""

    place: str
    type: DocumentType
    party_id: str
    reference: str
    posting_date: date
    due_date: date | None
    total: Decimal
    token: str = ""  # our key, where the kind can carry it
    waiting_on_bill: bool = False
    voided: bool = False
    entries: tuple[GLEntry, ...] = ()  # every GL entry it made, Sage's own ones marked


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """The company's yes: where the document is, what the company warned of, how it stands there."""

    place: str
    stored: StoredDocument
    warnings: tuple[str, ...] = ()


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


# --- what the push log says of a document ---

DocumentState: TypeAlias = Literal[
    "planned",
    "sending",
    "posted",
    "exported",
    "joining",
    "joined",
    "refused",
    "in_doubt",
    "unbatched",
    "voided",
]
# In the books, and of its batch: posted by it, or joined to it because it stood there.
ARRIVED: frozenset[DocumentState] = frozenset({"posted", "exported", "joined"})
IN_BATCH: frozenset[DocumentState] = ARRIVED | {
    "voided"
}  # its transaction is in the batch, whatever became of it in Sage
ONCE_POSTED: frozenset[DocumentState] = IN_BATCH | {
    "unbatched"
}  # a later posting is another generation


# --- what will be done ------------------------------------------------------------------------


BLOCKED = (
    "blocked: "  # begins the reason of a transaction that was left out because a finding blocks it
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A transaction that stays unposted, and why."""

    key: str
    kind: str
    number: str
    reason: str
    total: Decimal = ZERO


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """A document that stands in the books already and enters a batch without being posted again."""

    document: Document
    place: str


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Frozen intent: the documents in posting order, and the batch they will form.

    `transactions` are all that enter the batch; those with a disposition other than `post` enter it
    without a document, with their reason. `joined` are the documents that some of these rely on.
    """

    batch: str
    site: str
    company: str
    documents: tuple[Document, ...] = ()
    masters: tuple[Master, ...] = ()
    transactions: tuple[Transaction, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    issues: tuple[Issue, ...] = ()
    joined: tuple[Joined, ...] = ()

    @cached_property
    def fingerprint(self) -> str:
        """A digest of batch number, documents and cleared transactions."""
        parts = [self.batch, self.site, self.company]
        parts += [f"{document.label} {document.fingerprint}" for document in self.documents]
        parts += [f"{row.key} {row.disposition} {row.entry_ids}" for row in self.transactions]
        parts += [f"{row.document.label} at {row.place}" for row in self.joined]
        return digest(parts)

    def __repr__(self) -> str:
        """Short, for notebooks and logs."""
        counts = f"{len(self.documents)} documents, {len(self.transactions)} transactions"
        return f"<Plan {self.batch}: {counts}, {len(self.issues)} findings>"
