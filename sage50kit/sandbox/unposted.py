"""The unposted lists: what accounting has not batched yet, as ConnectWise lists it.

A record without GL entries stays listed with an empty description and account (it cannot be batched).
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from sage50kit.money import ZERO, cents, total
from sage50kit.sandbox.accounttext import joined

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from decimal import Decimal

    from sage50kit.sandbox.closing import Closed, Closing, Entry, TaxLevel
    from sage50kit.sandbox.records import Expense, Invoice, PurchaseOrder, Report
    from sage50kit.sandbox.setup import Setup
    from sage50kit.sandbox.tables import Row

TAX_NAMES = ("state", "county", "city", "country", "composite", "levelSix")
CLOSED_TIME = time(9, 39, 56)


def midnight(day: date) -> datetime:
    """A day as list endpoints send it: midnight, zone Z."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def closing_time(day: date) -> datetime:
    """When a record of a day was closed, where the data set does not say."""
    return datetime.combine(day, CLOSED_TIME, tzinfo=UTC)


def tax_fields(taxes: Iterable[tuple[TaxLevel, Decimal]]) -> Row:
    """Flag, xref and amount of the six levels. The flags are false even where there is tax (quirk 6)."""
    row: Row = {}
    found = {level.level: (level, amount) for level, amount in taxes}
    for number, name in enumerate(TAX_NAMES, start=1):
        level, amount = found.get(number, (None, ZERO))
        row[f"{name}TaxFlag"] = False
        if level is not None and level.tax_xref:
            row[f"{name}TaxXref"] = level.tax_xref
        row[f"{name}TaxAmount"] = amount
    return row


class UnpostedRows:
    """Makes the rows of the three lists and their taxable levels."""

    def __init__(self, setup: Setup, closing: Closing, *, delimiter: str) -> None:
        self.setup = setup
        self.closing = closing
        self.delimiter = delimiter
        self.reports: dict[int, Report] = {}

    def due_days(self, invoice: Invoice) -> int:
        """Days until an invoice is due, by its terms."""
        terms = self.terms(invoice)
        return int(self.setup.row("billingTerms", terms)["dueDays"]) if terms else 0

    def terms(self, invoice: Invoice) -> int:
        """The billing terms of an invoice: its own, else its company's, else 0."""
        company = self.setup.row("companies", invoice.bill_to or invoice.company)
        return int(invoice.billing_terms or company.get("billingTerms") or 0)

    def due_date(self, invoice: Invoice) -> date:
        """When an invoice is due."""
        return invoice.due_date or invoice.date + timedelta(days=self.due_days(invoice))

    def currency(self, company: int) -> int:
        """The currency of a company, else the first one of the site."""
        chosen = self.setup.row("companies", company).get("currency") if company else None
        return int(chosen or next(iter(self.setup.tables["currencies"]), 0))

    def invoice(self, closed: Closed) -> Row:
        """One row of unposted invoices; its id is the receivable entry's."""
        invoice: Invoice = closed.record
        setup, reference = self.setup, self.setup.reference
        billed = invoice.bill_to or invoice.company
        shipped = invoice.ship_to or invoice.company
        account = setup.row("companies", billed).get("accountNumber") or ""
        kinds = {line.kind for line in invoice.lines}
        tax = cents(total(amount for _, _, amount in closed.taxes))
        row: Row = {
            "id": closed.row_id,
            "billingLogId": invoice.id,
            "locationId": invoice.location,
            "location": reference("locations", invoice.location),
            "departmentId": invoice.department,
            "department": reference("departments", invoice.department),
            "company": reference("companies", invoice.company),
            "accountNumber": account if closed.entries else "",
            "billToCompany": reference("companies", billed),
            "shipToCompany": reference("companies", shipped),
            "invoiceNumber": invoice.invoice_number,
            "invoiceDate": midnight(invoice.date),
            "invoiceType": invoice.type,
            "description": "Accounts Receivable" if closed.entries else "",
            "dueDays": str(self.due_days(invoice)),
            "dueDate": midnight(self.due_date(invoice)),
            "currency": reference("currencies", self.currency(billed)),
            "subTotal": closed.total - tax,
            "total": closed.total,
            "hasTime": "time" in kinds,
            "hasExpenses": "expense" in kinds,
            "hasProducts": "product" in kinds or "agreement_product" in kinds,
            "invoiceTaxableFlag": invoice.taxable,
            "avalaraTaxFlag": False,
            "itemTaxableFlag": any(line.taxable for line in invoice.lines),
            "salesTaxAmount": tax,
            **tax_fields((level, amount) for level, _, amount in closed.taxes),
            "createdBy": invoice.closed_by,
            "dateClosed": invoice.closed_at or closing_time(invoice.date),
        }
        self._sites(row, billed, shipped)
        for name, table, chosen in (
            ("billingTerms", "billingTerms", self.terms(invoice)),
            ("taxCode", "taxCodes", self.closing.tax_code(invoice)),
        ):
            if chosen:
                row[name] = reference(table, chosen)
        return row

    def _sites(self, row: Row, billed: int, shipped: int) -> None:
        for name, company in (("billToSite", billed), ("shipToSite", shipped)):
            site = self.setup.row("companies", company).get("site")
            if site:
                row[name] = self.setup.reference("sites", site)

    def expense(self, closed: Closed) -> Row:
        """One row of unposted expenses."""
        expense: Expense = closed.record
        setup, reference = self.setup, self.setup.reference
        report = self.reports[expense.report]
        billable = expense.amount if expense.billable else ZERO
        row: Row = {
            "id": closed.row_id,
            "locationId": expense.location,
            "departmentId": expense.department,
            "accountNumber": joined(closed.entries[0].account.segments, self.delimiter)
            if closed.entries
            else "",
            "creditAccount": joined(closed.entries[1].account.segments, self.delimiter)
            if len(closed.entries) > 1
            else "",
            "expenseDetailId": expense.id,
            "expenseType": reference("expenseTypes", expense.type),
            "classification": expense.classification,
            "glType": closed.entries[0].gl_type if closed.entries else "EE",
            "member": reference("members", report.member),
            "dateExpense": midnight(expense.date),
            "chargeDescription": expense.notes if closed.entries else "",
            "inPolicy": True,
            "paymentMethod": reference("paymentTypes", expense.payment_method),
            "currency": reference("currencies", self.currency(expense.company)),
            "total": expense.amount,
            "billableAmount": billable,
            "nonBillableAmount": expense.amount - billable,
            "agreementAmountCovered": ZERO,
            "avalaraTaxFlag": False,
            "itemTaxableFlag": False,
            "salesTaxAmount": ZERO,
            **tax_fields(()),
            "dateClosed": expense.closed_at or closing_time(report.date_end),
        }
        if expense.company:
            row["company"] = reference("companies", expense.company)
        elif own := setup.tables["companies"].get(1):
            row["company"] = reference("companies", own["id"])
        return row

    def procurement(self, closed: Closed) -> Iterator[Row]:
        """The rows of a receipt, adjustment or transfer; the totals of a record add up to its own."""
        if not closed.entries:
            yield self._procurement_row(closed, closed.row_id, "", closed.total)
        for entry in closed.entries:
            if closed.kind == "transfer" and entry.amount < 0:
                continue  # the offset is seen in the export only
            yield self._procurement_row(closed, entry.id, self._words(closed, entry), entry.amount)

    def _words(self, closed: Closed, entry: Entry) -> str:
        if entry.gl_type == "PF":
            return "Freight"
        if entry.gl_type in {"PT", "FT"}:
            return f"Level {entry.level} {'Freight' if entry.gl_type == 'FT' else 'Purchase'} Tax"
        line = closed.lines[entry.line]
        words = getattr(line, "description", "") or self.closing.items[line.item]["description"]
        return f"{closed.record.id}-{words}" if closed.kind == "adjustment" else words

    def _procurement_row(self, closed: Closed, entry_id: int, words: str, amount: Decimal) -> Row:
        names = {"purchase": "Purchase", "adjustment": "Adjustment", "transfer": "Transfer"}
        row: Row = {
            "id": entry_id,
            "description": words,
            "unpostedProductId": closed.key.partition(":")[2],
            **self._place(closed),
            "procurementType": names[closed.kind],
            "purchaseDate": midnight(closed.record.date),
            "total": amount,
            "avalaraTaxFlag": False,
            "itemTaxableFlag": False,
            "dateClosed": self._closed_at(closed),
        }
        if closed.kind == "purchase":
            row.update(self._purchase(closed))
        else:
            row["currency"] = self.setup.reference("currencies", self.currency(0))
        return row

    def _place(self, closed: Closed) -> Row:
        if closed.kind == "purchase":
            return {"locationId": closed.record.location, "departmentId": closed.record.department}
        line = closed.lines[0]
        warehouse = (
            line.warehouse
            if closed.kind == "adjustment"
            else self.setup.row("warehouseBins", line.to_bin)["warehouse"]
        )
        found = self.setup.row("warehouses", warehouse)
        return {"locationId": found["location"], "departmentId": found.get("department", 0)}

    def _closed_at(self, closed: Closed) -> datetime:
        moments = [
            line.date_received for line in closed.lines if getattr(line, "date_received", None)
        ]
        return max(moments) if moments else closing_time(closed.record.date)

    def _purchase(self, closed: Closed) -> Row:
        order: PurchaseOrder = closed.record
        vendor = self.setup.row("companies", order.vendor)
        sums: dict[str, Decimal] = {}
        for entry in closed.entries:
            sums[entry.gl_type] = sums.get(entry.gl_type, ZERO) + entry.amount
        taxes = receipt_taxes(self.closing, closed)
        row: Row = {
            "purchaseOrder": {
                "id": order.id,
                "name": order.po_number,
                "_info": {
                    "purchaseOrder_href": f"{self.setup.base_url}/procurement/purchaseorders/{order.id}"
                },
            },
            "currency": self.setup.reference("currencies", self.currency(order.vendor)),
            "purchaseOrderTaxableFlag": order.tax_po,
            **tax_fields(taxes),
            "taxTotal": sums.get("PT", ZERO),
            "vendor": self.setup.reference("companies", order.vendor),
            "vendorAccountNumber": vendor.get("accountNumber") or "",
            "vendorInvoiceNumber": order.vendor_invoice_number,
            "taxFreightFlag": order.tax_freight,
            "freightTaxTotal": sums.get("FT", ZERO),
            "freightCost": sums.get("PF", ZERO),
        }
        if order.vendor_invoice_date:
            row["vendorInvoiceDate"] = midnight(order.vendor_invoice_date)
        if order.ship_to:
            row["customer"] = self.setup.reference("companies", order.ship_to)
        for name, table, chosen in (
            ("billingTerms", "billingTerms", order.terms or vendor.get("billingTerms")),
            ("taxCode", "taxCodes", order.tax_code),
        ):
            if chosen:
                row[name] = self.setup.reference(table, chosen)
        return row

    def taxable_levels(self, closed: Closed) -> list[Row]:
        """The taxable levels of one row."""
        taxes: Iterable[tuple[TaxLevel, Any]] = [
            (level, amount) for level, _, amount in closed.taxes
        ]
        if closed.kind == "purchase":
            taxes = receipt_taxes(self.closing, closed)
        return [
            {
                "id": level.level_id,
                "taxLevel": level.level,
                "taxCodeXref": level.tax_xref,
                "taxAmount": amount,
            }
            for level, amount in taxes
        ]


def receipt_taxes(closing: Closing, closed: Closed) -> list[tuple[TaxLevel, Decimal]]:
    """Tax of a receipt per level, its freight included."""
    return [
        (level, total(e.amount for e in closed.entries if e.level == level.level))
        for level in closing.tax_levels(closed.record.tax_code)
        if any(e.level == level.level for e in closed.entries)
    ]
