"""Invoices as their collections show them: balances, payments, GL entries, product lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sage50kit.money import ZERO, cents, multiply, total
from sage50kit.sandbox.refusal import not_found
from sage50kit.sandbox.unposted import midnight

if TYPE_CHECKING:
    from decimal import Decimal

    from sage50kit.sandbox.closing import Closed, Closing, Entry
    from sage50kit.sandbox.ledger import Ledger
    from sage50kit.sandbox.records import (
        Invoice,
        Payment,
        Records,
    )
    from sage50kit.sandbox.setup import Setup
    from sage50kit.sandbox.tables import Row
    from sage50kit.sandbox.unposted import UnpostedRows

TOTALS = {
    "time": "serviceTotal",
    "expense": "expenseTotal",
    "product": "productTotal",
    "agreement_product": "productTotal",
    "discount": "productTotal",
    "agreement": "agreementAmount",
}


class Views:
    """Projects the records of a site."""

    def __init__(
        self, records: Records, setup: Setup, closing: Closing, ledger: Ledger, rows: UnpostedRows
    ) -> None:
        self.records = records
        self.setup = setup
        self.closing = closing
        self.ledger = ledger
        self.unposted = rows
        self.by_id: dict[str, dict[int, Any]] = {
            "invoice": {row.id: row for row in records.invoices},
            "order": {row.id: row for row in records.purchase_orders},
            "adjustment": {row.id: row for row in records.adjustments},
        }
        self.payments: dict[int, list[Payment]] = {}
        for payment in records.payments:
            self.payments.setdefault(payment.invoice, []).append(payment)
        self.internal_notes: dict[int, str] = {}

    def record(self, kind: str, wanted: str) -> Any:
        """A record by the id of a path; 404 if there is none."""
        found = self.by_id[kind].get(int(wanted)) if wanted.isdigit() else None
        if found is None:
            raise not_found({"order": "purchaseOrder"}.get(kind, kind), wanted)
        return found

    def link(self, path: str, wanted: int) -> str:
        """A link of `_info`, without the address of the site."""
        return f"{self.setup.base_url}{path}/{wanted}"

    # --- invoices

    def status(self, invoice: Invoice) -> int:
        """The billing status of an invoice."""
        return invoice.status or self.setup.first("billingStatuses", "closedFlag")

    def amounts(self, invoice: Invoice) -> tuple[Decimal, Decimal]:
        """Total and sales tax in dollars, closed or not."""
        closed = self.ledger.closed.get(f"invoice:{invoice.id}") or self.closing.measured(invoice)
        return closed.total, cents(total(tax for _, _, tax in closed.taxes))

    def paid(self, invoice: Invoice) -> Decimal:
        """What was paid, in dollars."""
        return total(payment.amount for payment in self.payments.get(invoice.id, ()))

    def invoices(self) -> list[Row]:
        """All invoices, closed or not."""
        return [self.invoice(row) for row in sorted(self.records.invoices, key=lambda row: row.id)]

    def invoice(self, invoice: Invoice) -> Row:
        """One invoice with its balance."""
        setup, reference = self.setup, self.setup.reference
        whole, tax = self.amounts(invoice)
        paid = self.paid(invoice)
        billed, shipped = invoice.bill_to or invoice.company, invoice.ship_to or invoice.company
        row: Row = {
            "id": invoice.id,
            "invoiceNumber": invoice.invoice_number,
            "type": invoice.type,
            "status": reference("billingStatuses", self.status(invoice)),
            "company": reference("companies", invoice.company),
            "billToCompany": reference("companies", billed),
            "shipToCompany": reference("companies", shipped),
            "accountNumber": setup.row("companies", billed).get("accountNumber") or "",
            "attention": invoice.attention,
            "reference": "",
            "customerPO": invoice.customer_po,
            "addToBatchEmailList": False,
            "date": midnight(invoice.date),
            "restrictDownpaymentFlag": False,
            "locationId": invoice.location,
            "location": reference("locations", invoice.location),
            "departmentId": invoice.department,
            "department": self._unit(invoice.department),
            "topComment": invoice.top_comment,
            "bottomComment": "",
            "taxableFlag": invoice.taxable,
            "internalNotes": self.internal_notes.get(invoice.id, ""),
            "downpaymentPreviouslyTaxedFlag": False,
            "overrideDownPaymentAmountFlag": False,
            "currency": reference("currencies", self.unposted.currency(billed)),
            "dueDate": midnight(self.unposted.due_date(invoice)),
            **self._parts(invoice),
            "subtotal": whole - tax,
            "total": whole,
            "remainingDownpayment": ZERO,
            "salesTax": tax,
            "closedBy": invoice.closed_by,
            "payments": paid,
            "credits": invoice.credits,
            "balance": whole - paid - invoice.credits,
            "specialInvoiceFlag": invoice.type == "Miscellaneous",
        }
        self._optional(row, invoice, billed, shipped)
        return row

    def _unit(self, department: int) -> Row:
        """A department as a billing unit, which has no identifier."""
        found = self.setup.reference("departments", department)
        return {name: value for name, value in found.items() if name != "identifier"}

    def _parts(self, invoice: Invoice) -> Row:
        row = dict.fromkeys(
            (
                "serviceTotal",
                "expenseTotal",
                "productTotal",
                "previousProgressApplied",
                "serviceAdjustmentAmount",
                "agreementAmount",
                "downpaymentApplied",
            ),
            ZERO,
        )
        for line in invoice.lines:
            if line.kind == "down_payment":
                row["downpaymentApplied"] -= min(line.amount, ZERO)
            else:
                row[TOTALS[line.kind]] += line.amount
        return row

    def _optional(self, row: Row, invoice: Invoice, billed: int, shipped: int) -> None:
        for name, company in (("billingSite", billed), ("shippingSite", shipped)):
            found = self.setup.row("companies", company)
            if found.get("site"):
                row[name] = self.setup.reference("sites", found["site"])
            for part, source in (
                ("AddressLine1", "addressLine1"),
                ("City", "city"),
                ("State", "state"),
                ("Zip", "zip"),
            ):
                row[f"{name}{part}"] = found.get(source) or ""
        chosen = (
            ("billingTerms", "billingTerms", self.unposted.terms(invoice)),
            ("taxCode", "taxCodes", self.closing.tax_code(invoice)),
            ("agreement", "agreements", invoice.agreement),
        )
        row.update(
            {name: self.setup.reference(table, wanted) for name, table, wanted in chosen if wanted}
        )
        closed = self.ledger.closed.get(f"invoice:{invoice.id}")
        if closed and closed.is_batched:
            batch = self.ledger.batches[closed.entries[0].batch]
            row["glBatch"] = {"id": batch.id, "name": batch.identifier}

    def invoice_reference(self, invoice: Invoice) -> Row:
        """How payments and batch entries name an invoice."""
        return {
            "id": invoice.id,
            "identifier": invoice.invoice_number,
            "billingType": invoice.type,
            "invoiceDate": midnight(invoice.date),
            "chargeFirmFlag": False,
        }

    def invoice_payments(self, parent: str) -> list[Row]:
        """The payments of an invoice."""
        invoice = self.record("invoice", parent)
        return [self.payment(row) for row in self.payments.get(invoice.id, [])]

    def payment(self, payment: Payment) -> Row:
        """One payment."""
        invoice = self.by_id["invoice"][payment.invoice]
        whole, _ = self.amounts(invoice)
        row: Row = {
            "id": payment.id,
            "type": payment.type,
            "source": payment.source,
            "invoice": self.invoice_reference(invoice),
            "amount": payment.amount,
            "balance": ZERO,
            "invoiceBalance": whole - self.paid(invoice) - invoice.credits,
            "invoiceTotal": whole,
            "appliedBy": payment.applied_by,
        }
        if payment.payment_date:
            row["paymentDate"] = payment.payment_date
        if payment.wise_pay_reference:
            row["wisePayPayment"] = {"wisePayReference": payment.wise_pay_reference}
        return row

    def unposted_payments(self) -> list[Row]:
        """Portal payments; they stay listed, because the API cannot batch them (design 9.13)."""
        names = (
            "id",
            "type",
            "source",
            "invoice",
            "amount",
            "paymentDate",
            "appliedBy",
            "wisePayPayment",
        )
        rows = [
            self.payment(row)
            for rows in self.payments.values()
            for row in rows
            if row.wise_pay_reference
        ]
        return [{name: row[name] for name in names if name in row} for row in rows]

    def gl_entries(self, parent: str) -> list[Row]:
        """The GL entries of an invoice; none while it is open."""
        invoice = self.record("invoice", parent)
        closed = self.ledger.closed.get(f"invoice:{invoice.id}")
        return [self.gl_entry(closed, entry) for entry in closed.entries] if closed else []

    def gl_entry(self, closed: Closed, entry: Entry) -> Row:
        """One GL entry with its frozen account."""
        account, line = entry.account, closed.lines[entry.line] if entry.line >= 0 else None
        words = "Accounts Receivable" if entry.gl_type == "AR" else f"Level {entry.level} Sales Tax"
        return {
            "id": entry.id,
            "type": entry.gl_type,
            "amount": entry.amount,
            "description": ((line.description or line.item) if line else words)[:100],
            **{f"segment{number}": text for number, text in enumerate(account.segments, start=1)},
            "productId": account.product_id,
            "cost": entry.cost,
            "salesCode": account.sales_code,
            "inventory": account.inventory,
            **{f"cogs{number}": text for number, text in enumerate(account.cogs, start=1)},
            "isBatched": bool(entry.batch),
        }

    def products(self) -> list[Row]:
        """The product lines of invoices as product items."""
        rows: list[Row] = []
        for invoice in self.records.invoices:
            for line in invoice.lines:
                if line.item:
                    rows.append(self._product(len(rows) + 1, invoice, line))
        return rows

    def _product(self, number: int, invoice: Invoice, line: Any) -> Row:
        item = self.closing.items[line.item]
        return {
            "id": number,
            "catalogItem": {"id": item["id"], "identifier": line.item},
            "description": item["description"],
            "sequenceNumber": number,
            "quantity": line.quantity,
            "price": line.price,
            "cost": line.cost,
            "extPrice": multiply(line.quantity, line.price),
            "extCost": multiply(line.quantity, line.cost),
            "billableOption": "Billable",
            "taxableFlag": line.taxable,
            "dropshipFlag": line.drop_ship,
            "cancelledFlag": False,
            "customerDescription": item.get("customerDescription") or "",
            "locationId": invoice.location,
            "company": self.setup.reference("companies", invoice.company),
            "invoice": self.invoice_reference(invoice),
            "productClass": item.get("productClass", "NonInventory"),
        }


def only_number(value: str, resource: str) -> int:
    """The id of a path; anything else is no record."""
    if not value.isdigit():
        raise not_found(resource, value)
    return int(value)
