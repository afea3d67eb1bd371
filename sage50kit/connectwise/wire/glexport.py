"""The GL export: full detail of invoices, expenses, receipts, adjustments and transfers.

Source: connectwise reference, 7.3 and 8.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import AliasChoices, Field

from sage50kit.connectwise.assumptions import adjustment_number
from sage50kit.connectwise.wire.shapes import (
    Amount,
    Currency,
    Day,
    Ids,
    Many,
    Reference,
    Text,
    Wire,
)


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
    # Older servers call these shipCompanyAccountNumber, shipTaxId (connectwise reference, 11.8).
    ship_to_company_account_number: Annotated[
        str | None,
        Field(
            validation_alias=AliasChoices("shipToCompanyAccountNumber", "shipCompanyAccountNumber")
        ),
    ] = None
    ship_to_tax_id: Annotated[
        str | None, Field(validation_alias=AliasChoices("shipToTaxId", "shipTaxId"))
    ] = None
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
