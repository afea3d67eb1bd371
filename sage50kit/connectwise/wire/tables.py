"""Batches, setup tables and the records around a transaction. Source: connectwise reference, 7.1 to 7.9."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, model_validator

from sage50kit.connectwise.wire.shapes import Amount, Currency, Day, Reference, Text, Wire


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
    expense: Reference | None = None
    adjustment_detail: Reference | None = None


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


class GLCaption(Wire):
    """What the ten account segments are called, and whether each is part of the account or a class."""

    id: int | None = None
    segments: tuple[tuple[str, str], ...] = ()  # (caption, Account or Class), unused ones left out

    @model_validator(mode="before")
    @classmethod
    def _gather_segments(cls, value: Any) -> Any:
        if not isinstance(value, dict) or "segments" in value:
            return value
        names = ((value.get(f"segment{n}"), value.get(f"segment{n}type")) for n in range(1, 11))
        used = [(caption, kind or "Account") for caption, kind in names if caption]
        return {**value, "segments": used}


class ProductType(Wire):
    """A product type; its xref says what a new item becomes in Sage."""

    id: int
    name: str | None = None
    type_xref: str | None = None


class PurchaseOrder(Wire):
    """The head of a purchase order."""

    id: int
    po_number: Text = None
    po_date: Day = None
    vendor_company: Reference | None = None
    vendor_invoice_number: Text = None
    vendor_invoice_date: Day = None
    total: Amount = None
    closed_flag: bool | None = None


class BillingStatus(Wire):
    """The status of an invoice; closed ones can be posted."""

    id: int | None = None
    name: str | None = None
    is_closed: bool | None = None


class Invoice(Wire):
    """An invoice as billing keeps it, with what is paid of it."""

    id: int
    invoice_number: Text = None
    type: str | None = None
    company: Reference | None = None
    account_number: Text = None
    date: Day = None
    due_date: Day = None
    currency: Currency | None = None
    total: Amount = None
    sales_tax: Amount = None
    payments: Amount = None
    credits: Amount = None
    balance: Amount = None
    status: BillingStatus | None = None
    gl_batch: Reference | None = None


class InvoicePayment(Wire):
    """The payment of an invoice; an invoice has at most one of type P."""

    id: int
    type: str | None = None
    invoice: Reference | None = None
    amount: Amount = None
    payment_date: Day = None
    applied_by: str | None = None
    wise_pay_payment: dict[str, Any] | None = None
