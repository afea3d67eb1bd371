"""The lists of a Sage 50 company: what documents can be posted against.

IDs compare without case and without blanks at their ends, as Sage compares them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Literal, TypeAlias

from sage50kit.money import ZERO

if TYPE_CHECKING:
    from collections.abc import Mapping

ItemClass: TypeAlias = Literal["stock", "non_stock", "description_only", "service"]

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
