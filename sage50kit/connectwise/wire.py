"""What ConnectWise sends, as frozen models: the fields the kit needs, in snake case of the published names.

Unknown fields are kept out of the way. Null, missing and (where the kit does not care) empty text read the
same. Dates are calendar dates, never shifted by a zone; amounts are exact decimals, and a float is refused.
Source: connectwise reference, sections 5 to 9 and 11.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, TypeAlias, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)
from pydantic.alias_generators import to_camel

from sage50kit.connectwise.assumptions import adjustment_number
from sage50kit.errors import ConnectWiseUnreadable
from sage50kit.money import exact

_AMERICAN = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})\b")


def parse_day(value: Any) -> date | None:
    """The calendar date of any of ConnectWise's three formats; None for nothing.

    `2011-06-20T00:00:00`, `5/1/2014 5:21:58 AM` and `2025-05-06T09:39:56Z` are 20 June, 1 May and 6 May,
    wherever the reader sits (connectwise reference, 8.3).
    """
    if value is None or value == "":
        return None
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    if not isinstance(value, str):
        raise ValueError(f"not a date: {value!r}")  # noqa: TRY004  # pydantic reports ValueErrors
    american = _AMERICAN.match(value)
    if american:
        month, day, year = (int(part) for part in american.groups())
        return date(year, month, day)
    return date.fromisoformat(value[:10])


def _amount(value: Any) -> Decimal | None:
    if value is None or value == "":
        return None
    try:
        return exact(value)
    except TypeError as error:  # pydantic reports a ValueError with the field, not a TypeError
        raise ValueError(str(error)) from error


def _list(value: Any) -> Any:
    """A list where one object or nothing came (connectwise reference, 11.1)."""
    if value is None:
        return ()
    return (value,) if isinstance(value, dict) else value


def _ids(value: Any) -> Any:
    """Ids of the detail of an expense bill: a list, one number, or comma-separated text."""
    if value is None or value == "":
        return ()
    if isinstance(value, str):
        return tuple(part for part in value.split(",") if part.strip())
    return (value,) if isinstance(value, int) else value


def _text(value: Any) -> Any:
    return str(value) if isinstance(value, int) else value


Day: TypeAlias = Annotated[date | None, BeforeValidator(parse_day)]
Amount: TypeAlias = Annotated[Decimal | None, BeforeValidator(_amount)]
Text: TypeAlias = Annotated[str | None, BeforeValidator(_text)]
T = TypeVar("T")
Many: TypeAlias = Annotated[tuple[T, ...], BeforeValidator(_list)]
Ids: TypeAlias = Annotated[tuple[int, ...], BeforeValidator(_ids)]


class Wire(BaseModel):
    """A model of the contract."""

    model_config = ConfigDict(
        extra="ignore", frozen=True, alias_generator=to_camel, populate_by_name=True
    )


class Reference(Wire):
    """A reference to another record: id and whatever name it has."""

    id: int | None = None
    identifier: str | None = None
    name: str | None = None


class Currency(Wire):
    """A currency, as lists and exports show it."""

    id: int | None = None
    currency_code: str | None = None
    currency_identifier: str | None = None
    name: str | None = None


# --- the GL export ----------------------------------------------------------------------------


class TaxLevel(Wire):
    """The tax of one level, on a header or at a customer."""

    tax_level: int = 0
    tax_amount: Amount = None
    taxable_amount: Amount = None
    tax_rate: Amount = None
    tax_code_xref: str | None = None
    agency_xref: str | None = None


class GLExportCustomer(Wire):
    """A customer of the exported invoices."""

    company: Reference | None = None
    site: Reference | None = None
    account_number: str | None = None
    billing_terms: Reference | None = None
    billing_terms_xref: str | None = None
    due_days: int | None = None
    taxable: bool | None = None
    tax_code: Reference | None = None
    state_tax_xref: str | None = None
    tax_agency_xref: str | None = None
    state_tax_agency_xref: str | None = None
    county_tax_agency_xref: str | None = None
    city_tax_agency_xref: str | None = None
    country_tax_agency_xref: str | None = None
    composite_tax_agency_xref: str | None = None
    tax_levels: Many[TaxLevel] = ()


class GLExportVendor(Wire):
    """A vendor, or a member who is paid back."""

    member: Reference | None = None
    vendor: Reference | None = None
    vendor_number: str | None = None
    company: Reference | None = None
    account_number: str | None = None
    billing_terms: Reference | None = None
    due_days: int | None = None


class _EntryLine(Wire):
    """A line with the id of its one GL entry."""

    id: int | None = None

    @property
    def entry_ids(self) -> tuple[int, ...]:
        """The GL-entry ids of the line."""
        return (self.id,) if self.id is not None else ()


class GLExportTransactionDetail(_EntryLine):
    """One line of an invoice: revenue, or one level of tax (`gl_type_id` ST)."""

    gl_type_id: str | None = None
    account_number: str | None = None
    gl_class: str | None = None
    gl_item_id: str | None = None
    memo: str | None = None
    description: str | None = None
    quantity: Amount = None
    total: Amount = None
    cost: Amount = None
    cost_account_number: str | None = None
    inventory_account_number: str | None = None
    tax_code_xref: str | None = None
    tax_agency_xref: str | None = None
    taxable_flag: bool | None = None
    item: Reference | None = None
    item_taxable_flag: bool | None = None
    item_price: Amount = None
    item_cost: Amount = None
    item_description: str | None = None
    sales_description: str | None = None
    unit_of_measure: Reference | None = None
    serialized_flag: bool | None = None
    item_type_xref: str | None = None


class GLExportTransaction(Wire):
    """An invoice or credit memo; header total positive and lines negative for an invoice."""

    id: int | None = None
    gl_entry_ids: Text = None
    document_date: Day = None
    document_number: Text = None
    document_type: str | None = None
    billing_type: str | None = None
    memo: str | None = None
    description: str | None = None
    company: Reference | None = None
    company_account_number: str | None = None
    billing_terms: Reference | None = None
    billing_terms_xref: str | None = None
    due_days: int | None = None
    due_date: Day = None
    account_number: str | None = None
    purchase_order: Reference | None = None
    currency: Currency | None = None
    total: Amount = None
    tax_code: Reference | None = None
    tax_account_number: str | None = None
    sales_tax: Amount = None
    state_tax: Amount = None
    county_tax: Amount = None
    city_tax: Amount = None
    tax_agency_xref: str | None = None
    state_tax_xref: str | None = None
    county_tax_xref: str | None = None
    city_tax_xref: str | None = None
    use_avalara_flag: bool | None = None
    send_avalara_tax_flag: bool | None = None
    detail: Many[GLExportTransactionDetail] = ()
    tax_levels: Many[TaxLevel] = ()

    @property
    def entry_ids(self) -> tuple[int, ...]:
        """GL-entry ids of the header side."""
        return tuple(int(part) for part in (self.gl_entry_ids or "").split(",") if part.strip())


class GLExportExpenseBillDetail(Wire):
    """One line of a member's bill; `id` names every GL entry of it."""

    id: Ids = ()
    document_date: Day = None
    gl_type_id: str | None = None
    memo: str | None = None
    account_number: str | None = None
    company: Reference | None = None
    currency: Currency | None = None
    total: Amount = None
    billable: bool | None = None
    reimbursable: bool | None = None
    company_advance: bool | None = None

    @property
    def entry_ids(self) -> tuple[int, ...]:
        """The GL-entry ids of the line."""
        return self.id


class GLExportExpenseBill(Wire):
    """The expenses of one member and report as a bill; header and details are positive."""

    id: int | None = None
    document_date: Day = None
    document_type: str | None = None
    document_number: Text = None
    memo: str | None = None
    gl_class: str | None = None
    ap_account_number: str | None = None
    member: Reference | None = None
    vendor_number: str | None = None
    currency: Currency | None = None
    total: Amount = None
    detail: Many[GLExportExpenseBillDetail] = ()


class GLExportExpenseOffset(_EntryLine):
    """The other side of an expense that is not a bill."""

    account_number: str | None = None
    total: Amount = None
    memo: str | None = None


class GLExportExpense(_EntryLine):
    """An expense that is not transferred as a bill."""

    document_date: Day = None
    ap_account_number: str | None = None
    account_number: str | None = None
    memo: str | None = None
    description: str | None = None
    member: Reference | None = None
    vendor_number: str | None = None
    currency: Currency | None = None
    total: Amount = None
    offset: GLExportExpenseOffset | None = None


class GLExportPurchaseTransactionDetail(_EntryLine):
    """One received line, or freight (`gl_type_id` PF); total and quantity are negative."""

    document_date: Day = None
    gl_type_id: str | None = None
    gl_item_id: str | None = None
    description: str | None = None
    memo: str | None = None
    cost: Amount = None
    account_number: str | None = None
    cost_account_number: str | None = None
    inventory_account_number: str | None = None
    item: Reference | None = None
    item_description: str | None = None
    sales_description: str | None = None
    taxable: bool | None = None
    item_price: Amount = None
    item_cost: Amount = None
    unit_of_measure: Reference | None = None
    quantity: Amount = None
    total: Amount = None
    serialized_flag: bool | None = None
    item_type_xref: str | None = None


class GLExportPurchaseTransactionDetailTax(_EntryLine):
    """One tax line of a receipt."""

    account_number: str | None = None
    gl_type_id: str | None = None
    memo: str | None = None
    item_description: str | None = None
    quantity: Amount = None
    total: Amount = None
    tax_agency_xref: str | None = None


class GLExportPurchaseTransaction(Wire):
    """One packing slip of a purchase order."""

    id: Text = None
    document_date: Day = None
    document_number: Text = None
    description: str | None = None
    memo: str | None = None
    ap_account_number: str | None = None
    purchase_date: Day = None
    company: Reference | None = None
    freight_amount: Amount = None
    packing_slip: Text = None
    currency: Currency | None = None
    total: Amount = None
    billing_terms: Reference | None = None
    billing_terms_xref: str | None = None
    due_days: int | None = None
    vendor_number: str | None = None
    vendor_account_number: str | None = None
    vendor_invoice_date: Day = None
    vendor_invoice_number: Text = None
    use_avalara_tax_flag: bool | None = None
    purchase_detail: Many[GLExportPurchaseTransactionDetail] = ()
    purchase_detail_tax: Many[GLExportPurchaseTransactionDetailTax] = ()


class GLExportAdjustmentTransactionDetail(Wire):
    """One adjusted item; a negative quantity takes goods in. It has no id."""

    description: str | None = None
    memo: str | None = None
    item: Reference | None = None
    quantity: Amount = None
    total: Amount = None
    cost: Amount = None
    account_number: str | None = None
    cost_account_number: str | None = None
    inventory_account_number: str | None = None
    product_account_number: str | None = None


class GLExportAdjustmentTransaction(Wire):
    """An inventory adjustment; its number stands in front of the description."""

    id: Text = None
    document_date: Day = None
    gl_type_id: Annotated[str | None, Field(alias="glTypeID")] = None
    account_number: str | None = None
    memo: str | None = None
    adjustment_description: str | None = None
    adjustment_detail: Many[GLExportAdjustmentTransactionDetail] = ()

    @property
    def number(self) -> str:
        """The adjustment's number, as its key has it."""
        return adjustment_number(self.adjustment_description or self.id or "")


class GLExportInventoryTransferOffset(_EntryLine):
    """The other warehouse of a transfer."""

    account_number: str | None = None
    total: Amount = None
    memo: str | None = None


class GLExportInventoryTransfer(Wire):
    """One transferred item."""

    id: Text = None
    document_date: Day = None
    account_number: str | None = None
    description: str | None = None
    memo: str | None = None
    transfer_id: int | None = None
    item: Reference | None = None
    item_description: str | None = None
    currency: Currency | None = None
    quantity: Amount = None
    cost: Amount = None
    total: Amount = None
    offset: GLExportInventoryTransferOffset | None = None

    @property
    def entry_ids(self) -> tuple[int, ...]:
        """The GL-entry id, where `id` is one."""
        return (int(self.id),) if self.id and self.id.isdigit() else ()


class GLExport(Wire):
    """The full detail of what was asked for."""

    vendors: Many[GLExportVendor] = ()
    customers: Many[GLExportCustomer] = ()
    transactions: Many[GLExportTransaction] = ()
    expenses: Many[GLExportExpense] = ()
    expense_bills: Many[GLExportExpenseBill] = ()
    purchase_transactions: Many[GLExportPurchaseTransaction] = ()
    adjustment_transactions: Many[GLExportAdjustmentTransaction] = ()
    inventory_transfers: Many[GLExportInventoryTransfer] = ()


# --- batches ----------------------------------------------------------------------------------


class AccountingBatch(Wire):
    """A batch of GL entries that were transferred."""

    id: int
    batch_identifier: Text = None
    export_invoices_flag: bool | None = None
    export_expenses_flag: bool | None = None
    export_products_flag: bool | None = None
    closed_flag: bool | None = None


class BatchEntry(Wire):
    """One GL entry of a batch."""

    id: int
    account_number: str | None = None
    debit: Amount = None
    credit: Amount = None
    cost: Amount = None
    invoice: Reference | None = None
    purchase_order: Reference | None = None


# --- setup tables -----------------------------------------------------------------------------


class AccountingPackageSetup(Wire):
    """What the export contains (System > Setup Tables > Accounting Package)."""

    id: int | None = None
    accounting_package: Reference | None = None
    include_sales_tax_flag: bool | None = None
    transfer_expenses_as_bill_flag: bool | None = None
    inventory_soh_flag: Annotated[bool | None, Field(alias="inventorySOHFlag")] = None
    include_cogs_entries_flag: bool | None = None


class TaxCodeLevel(Wire):
    """One of the six levels of a tax code."""

    tax_level: int = 0
    tax_rate: Amount = None
    tax_code_xref: Text = None
    agency_xref: Text = None


_LEVELS = ("One", "Two", "Three", "Four", "Five", "Six")


class TaxCode(Wire):
    """A tax code; its levels stand in fields of their own on the wire."""

    id: int | None = None
    identifier: str | None = None
    description: str | None = None
    levels: tuple[TaxCodeLevel, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _gather_levels(cls, value: Any) -> Any:
        """`levelOneTaxCodeXref` and its siblings as one list, levels without any xref left out."""
        if not isinstance(value, dict) or "levels" in value:
            return value
        levels = [
            {
                "taxLevel": number,
                "taxRate": value.get(f"level{word}Rate"),
                "taxCodeXref": value.get(f"level{word}TaxCodeXref"),
                "agencyXref": value.get(f"level{word}AgencyXref"),
            }
            for number, word in enumerate(_LEVELS, start=1)
        ]
        used = [level for level in levels if level["taxCodeXref"] or level["agencyXref"]]
        return {**value, "levels": used}


class GLAccount(Wire):
    """One row of the GL Accounts table."""

    id: int | None = None
    gl_type: str | None = None
    segment1: Text = None
    segment2: Text = None
    inventory: Text = None
    cogs1: Text = None


class Company(Wire):
    """A company, which is a customer or a vendor of the books."""

    id: int
    identifier: str | None = None
    name: str | None = None
    address_line1: Annotated[str | None, Field(alias="addressLine1")] = None
    address_line2: Annotated[str | None, Field(alias="addressLine2")] = None
    city: str | None = None
    state: str | None = None
    zip: Text = None
    country: Reference | None = None
    phone_number: Text = None
    account_number: Text = None
    vendor_identifier: Text = None
    invoice_to_email_address: str | None = None


class Member(Wire):
    """A member of the staff."""

    id: int
    identifier: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    office_email: str | None = None
    vendor_number: Text = None


class CatalogItem(Wire):
    """A product of the catalogue."""

    id: int
    identifier: str | None = None
    description: str | None = None
    product_class: str | None = None
    price: Amount = None
    cost: Amount = None


class ExpenseEntry(Wire):
    """An expense as the member entered it."""

    id: int
    expense_report: Reference | None = None
    member: Reference | None = None


class Location(Wire):
    """An office."""

    id: int
    name: str | None = None


class Info(Wire):
    """What the server says of itself."""

    version: Text = None
    is_cloud: bool | None = None


def read(model: type[Wire], value: Any, *, path: str) -> Any:
    """`value` as a model.

    Raises:
        ConnectWiseUnreadable: the shape is wrong; path, record and field are named.
    """
    try:
        return model.model_validate(value)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(step) for step in first["loc"])
        identity = value.get("id") if isinstance(value, dict) else None
        record = f" (record {identity})" if identity is not None else ""
        raise ConnectWiseUnreadable(
            f"{path}{record}: field {where or 'of the answer'} is not as the contract says: "
            f"{first['msg']}. Check that the site is ConnectWise PSA and not a proxy's page.",
            url=path,
        ) from None
