"""The frozen nouns of the kit, in accounting words.

Amounts are `Decimal` dollars; inside a document they carry one sign, debit positive. What people look
at shows two non-negative columns instead (`GLEntry.debit`, `GLEntry.credit`).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property, lru_cache
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from sage50kit.errors import UnbalancedDocument
from sage50kit.money import ZERO, total

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sage50kit.issues import Issue

Kind: TypeAlias = Literal["invoice", "expense", "receipt", "adjustment", "transfer"]
KINDS: tuple[Kind, ...] = ("invoice", "expense", "receipt", "adjustment", "transfer")

DocumentType: TypeAlias = Literal[
    "sales_invoice", "credit_memo", "purchase", "journal_entry", "inventory_adjustment"
]
ItemClass: TypeAlias = Literal["stock", "non_stock", "description_only", "service"]
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

# Sage 50's account types as its chart import writes them.
ACCOUNT_TYPES: dict[int, str] = {
    0: "Cash",
    1: "Accounts Receivable",
    2: "Inventory",
    3: "Receivable Retainage",
    4: "Other Current Assets",
    5: "Fixed Assets",
    6: "Accumulated Depreciation",
    8: "Other Assets",
    10: "Accounts Payable",
    11: "Payable Retainage",
    12: "Other Current Liabilities",
    14: "Long Term Liabilities",
    16: "Equity-doesn't close",
    18: "Equity-Retained Earnings",
    19: "Equity-gets closed",
    21: "Income",
    23: "Cost of Sales",
    24: "Expenses",
}

CreditStatus: TypeAlias = Literal[
    "no_limit", "notify_over_limit", "always_notify", "hold_over_limit", "always_hold"
]


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
class Address:
    """A postal address, unrounded and uncut; connectors cut it to Sage's lengths."""

    name: str = ""
    line1: str = ""
    line2: str = ""
    city: str = ""
    state: str = ""
    zip: str = ""
    country: str = ""


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


# --- the lists of a Sage 50 company -----------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A GL account; `type` is one of `ACCOUNT_TYPES`."""

    account_id: str
    description: str
    type: int
    inactive: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """A customer, as it stands in the books or will be created there."""

    customer_id: str
    name: str
    inactive: bool = False
    address: Address = field(default_factory=Address)
    phone: str = ""
    email: str = ""
    due_days: int = 0
    terms: str = ""
    tax_code: str = ""
    sales_account_id: str = ""
    credit_status: CreditStatus = "no_limit"
    credit_limit: Decimal = ZERO
    balance: Decimal = ZERO


@dataclass(frozen=True, slots=True, kw_only=True)
class Vendor:
    """A vendor (or a member who is paid back), in the books or to be created there."""

    vendor_id: str
    name: str
    inactive: bool = False
    address: Address = field(default_factory=Address)
    phone: str = ""
    email: str = ""
    due_days: int = 0
    terms: str = ""
    expense_account_id: str = ""
    is_member: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """An inventory item of one of Sage's four classes.

    `inventory_account_id` is the inventory account of a stock item and the salaries/wages account of
    a non-stock or service item. A description-only item holds no accounts. `price` and
    `last_unit_cost` are dollars a unit, at most five decimals.
    """

    item_id: str
    description: str
    item_class: ItemClass
    inactive: bool = False
    sales_description: str = ""
    purchase_description: str = ""
    sales_account_id: str = ""
    inventory_account_id: str = ""
    cogs_account_id: str = ""
    costing_method: Literal["fifo", "lifo", "average"] = "fifo"
    price: Decimal = ZERO
    last_unit_cost: Decimal = ZERO
    unit: str = ""
    taxable: bool = True


Master: TypeAlias = Customer | Vendor | Item


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxAgency:
    """A tax authority: its liability account and its rate in percent (20 means 20 %)."""

    agency_id: str
    description: str
    account_id: str
    rate: Decimal = ZERO


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxCode:
    """A sales tax code: up to five agencies."""

    tax_code: str
    description: str
    agency_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """An accounting period; documents dated in a closed fiscal year are refused by Sage."""

    number: int
    start: date
    end: date
    closed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Defaults:
    """The company's default accounts (Maintain > Default Information) and its one currency."""

    currency: str = "USD"
    receivable_account_id: str = ""
    payable_account_id: str = ""
    sales_account_id: str = ""
    expense_account_id: str = ""
    inventory_account_id: str = ""
    cogs_account_id: str = ""
    salaries_account_id: str = ""
    freight_account_id: str = ""


@dataclass(frozen=True, kw_only=True)
class Books:
    """What the company can be posted against. IDs compare without case, as Sage compares them."""

    accounts: tuple[Account, ...] = ()
    customers: tuple[Customer, ...] = ()
    vendors: tuple[Vendor, ...] = ()
    items: tuple[Item, ...] = ()
    tax_codes: tuple[TaxCode, ...] = ()
    agencies: tuple[TaxAgency, ...] = ()
    periods: tuple[Period, ...] = ()
    defaults: Defaults = field(default_factory=Defaults)

    @cached_property
    def account(self) -> Mapping[str, Account]:
        """Accounts by folded id."""
        return {fold(row.account_id): row for row in self.accounts}

    @cached_property
    def customer(self) -> Mapping[str, Customer]:
        """Customers by folded id."""
        return {fold(row.customer_id): row for row in self.customers}

    @cached_property
    def vendor(self) -> Mapping[str, Vendor]:
        """Vendors by folded id."""
        return {fold(row.vendor_id): row for row in self.vendors}

    @cached_property
    def item(self) -> Mapping[str, Item]:
        """Items by folded id."""
        return {fold(row.item_id): row for row in self.items}

    @cached_property
    def tax_code(self) -> Mapping[str, TaxCode]:
        """Sales tax codes by folded id."""
        return {fold(row.tax_code): row for row in self.tax_codes}

    @cached_property
    def agency(self) -> Mapping[str, TaxAgency]:
        """Tax agencies by folded id."""
        return {fold(row.agency_id): row for row in self.agencies}

    def period_of(self, day: date) -> Period | None:
        """The accounting period of a day, or None outside the open years."""
        return next((row for row in self.periods if row.start <= day <= row.end), None)


def fold(identity: str) -> str:
    """An id as Sage compares it: no case, no blanks at the ends (reference: IDs, section 5)."""
    return identity.strip().casefold()


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

    `amount` is money or credit, `discount` what was taken off besides. A reversal (void, bounced
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
    currency: str = ""  # "" is the company's own

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
    "planned", "sending", "posted", "exported", "refused", "in_doubt", "unbatched", "voided"
]
ARRIVED: frozenset[DocumentState] = frozenset({"posted", "exported"})  # in the books and its batch
ONCE_POSTED = ARRIVED | {"unbatched", "voided"}  # a later posting is another generation


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


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Frozen intent: the documents in posting order, and the batch they will form.

    `transactions` are all that enter the batch; those with a disposition other than `post` enter it
    without a document, with their reason.
    """

    batch: str
    site: str
    company: str
    documents: tuple[Document, ...] = ()
    masters: tuple[Master, ...] = ()
    transactions: tuple[Transaction, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    issues: tuple[Issue, ...] = ()

    @cached_property
    def fingerprint(self) -> str:
        """A digest of batch number, documents and cleared transactions."""
        parts = [self.batch, self.site, self.company]
        parts += [f"{document.label} {document.fingerprint}" for document in self.documents]
        parts += [f"{row.key} {row.disposition} {row.entry_ids}" for row in self.transactions]
        return digest(parts)

    def __repr__(self) -> str:
        """Short, for notebooks and logs."""
        counts = f"{len(self.documents)} documents, {len(self.transactions)} transactions"
        return f"<Plan {self.batch}: {counts}, {len(self.issues)} findings>"


# --- content as text --------------------------------------------------------------------------


# Field names and their getter by class: looking them up would be half the work.
_FIELDS: dict[type, tuple[tuple[str, ...], Callable[[Any], tuple[Any, ...]]]] = {}
_PLAIN = frozenset({str, int, bool, type(None)})


def canonical(value: Any) -> Any:
    """`value` as plain JSON data: amounts as text without trailing zeros, dates as ISO text."""
    kind = type(value)
    if kind in _PLAIN:
        return value
    if kind is Decimal:
        return _decimal_text(value)
    if kind is tuple or kind is list:
        return [item if type(item) in _PLAIN else canonical(item) for item in value]
    if is_dataclass(value):
        names, get = _FIELDS.get(kind) or _fields_of(kind)
        pairs = zip(names, get(value), strict=True)
        return {name: item if type(item) in _PLAIN else canonical(item) for name, item in pairs}
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    if isinstance(value, dict):
        return {name: canonical(item) for name, item in value.items()}
    return value


@lru_cache(maxsize=65_536)  # the amounts of a batch repeat: quantity one, no cost, price as total
def _decimal_text(value: Decimal) -> str:
    return format(value.normalize() + ZERO, "f")


def _fields_of(kind: type) -> tuple[tuple[str, ...], Callable[[Any], tuple[Any, ...]]]:
    names = tuple(item.name for item in fields(kind))
    _FIELDS[kind] = names, attrgetter(*names)
    return _FIELDS[kind]


def digest(content: Any) -> str:
    """SHA-256 of canonical JSON, in hex."""
    text = json.dumps(content, ensure_ascii=True, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
