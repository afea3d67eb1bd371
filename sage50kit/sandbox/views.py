"""Collections that are not setup tables: invoices, expenses, purchase orders, adjustments and what hangs on them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sage50kit.money import ZERO, cents, multiply, total
from sage50kit.sandbox.closing import LEVELS
from sage50kit.sandbox.refusal import not_found
from sage50kit.sandbox.unposted import closing_time, midnight

if TYPE_CHECKING:
    from decimal import Decimal

    from sage50kit.sandbox.closing import Closed, Closing, Entry, TaxLevel
    from sage50kit.sandbox.ledger import Ledger
    from sage50kit.sandbox.records import (
        Adjustment,
        AdjustmentLine,
        Expense,
        Invoice,
        Payment,
        PurchaseLine,
        PurchaseOrder,
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
LICENSES = ("GLInterface", "Inventory", "Purchasing", "Agreement", "ManagedServices", "AgileBoard")


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
            "department": reference("departments", invoice.department),
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

    # --- expenses

    def expenses(self) -> list[Row]:
        """All expense entries."""
        return [self._expense(row) for row in sorted(self.records.expenses, key=lambda row: row.id)]

    def _expense(self, expense: Expense) -> Row:
        report, reference = self.unposted.reports[expense.report], self.setup.reference
        names = {
            "Reimbursable": "Reimbursable",
            "NonReimbursable": "Non-Reimbursable",
            "Personal": "Personal",
        }
        classification = next(
            (
                key
                for key, row in self.setup.tables["classifications"].items()
                if row["name"] == names[expense.classification]
            ),
            0,
        )
        row: Row = {
            "id": expense.id,
            "expenseReport": {"id": report.id, "name": f"{report.date_start} to {report.date_end}"},
            "chargeToType": "Company" if expense.company else "ChargeCode",
            "type": reference("expenseTypes", expense.type),
            "member": reference("members", report.member),
            "paymentMethod": reference("paymentTypes", expense.payment_method),
            "amount": expense.amount,
            "billableOption": "Billable" if expense.billable else "DoNotBill",
            "date": midnight(expense.date),
            "locationId": expense.location,
            "businessUnitId": expense.department,
            "notes": expense.notes,
            "invoiceAmount": expense.amount if expense.billable else ZERO,
            "currency": reference("currencies", self.unposted.currency(expense.company)),
            "status": report.status,
            "billAmount": expense.amount if expense.billable else ZERO,
            "agreementAmount": ZERO,
        }
        if classification:
            row["classification"] = reference("classifications", classification)
        if expense.company:
            row["company"] = reference("companies", expense.company)
            row["chargeToId"] = expense.company
        return row

    def reports(self) -> list[Row]:
        """All expense reports."""
        sums: dict[int, Decimal] = {}
        for expense in self.records.expenses:
            sums[expense.report] = sums.get(expense.report, ZERO) + expense.amount
        return [
            {
                "id": row.id,
                "member": self.setup.reference("members", row.member),
                "year": row.date_end.year,
                "period": int(f"{row.date_end:%V}"),
                "dateStart": midnight(row.date_start),
                "dateEnd": midnight(row.date_end),
                "status": row.status,
                "total": sums.get(row.id, ZERO),
                "dueDate": midnight(row.date_end),
            }
            for row in sorted(self.records.expense_reports, key=lambda row: row.id)
        ]

    # --- procurement

    def orders(self) -> list[Row]:
        """All purchase orders."""
        return [
            self.order(row) for row in sorted(self.records.purchase_orders, key=lambda row: row.id)
        ]

    def order(self, order: PurchaseOrder) -> Row:
        """One purchase order."""
        vendor = self.setup.row("companies", order.vendor)
        subtotal = total(multiply(line.quantity, line.unit_cost) for line in order.lines)
        receipts = [
            row
            for row in self.ledger.closed.values()
            if row.kind == "purchase" and row.record is order
        ]
        taxes = {
            kind: total(e.amount for row in receipts for e in row.entries if e.gl_type == kind)
            for kind in ("PT", "FT")
        }
        status = order.status or self.setup.first("purchaseOrderStatuses", "defaultFlag", default=1)
        reference = self.setup.reference
        row: Row = {
            "id": order.id,
            "businessUnitId": order.department,
            "closedFlag": bool(self.setup.row("purchaseOrderStatuses", status).get("closedFlag")),
            "dropShipCustomerFlag": bool(order.ship_to),
            "enteredBy": "Admin1",
            "freightCost": order.freight,
            "freightPackingSlip": order.freight_packing_slip,
            "freightTaxTotal": taxes["FT"],
            "locationId": order.location,
            "location": reference("locations", order.location),
            "poDate": midnight(order.date),
            "poNumber": order.po_number,
            "salesTax": taxes["PT"],
            "status": reference("purchaseOrderStatuses", status),
            "subTotal": subtotal,
            "taxFreightFlag": order.tax_freight,
            "taxPoFlag": order.tax_po,
            "terms": reference(
                "billingTerms",
                order.terms
                or vendor.get("billingTerms")
                or next(iter(self.setup.tables["billingTerms"])),
            ),
            "total": subtotal + order.freight + taxes["PT"] + taxes["FT"],
            "vendorCompany": reference("companies", order.vendor),
            "vendorInvoiceNumber": order.vendor_invoice_number,
            "warehouse": reference("warehouses", order.warehouse),
            "currency": reference("currencies", self.unposted.currency(order.vendor)),
        }
        if order.vendor_invoice_date:
            row["vendorInvoiceDate"] = midnight(order.vendor_invoice_date)
        for name, table, wanted in (
            ("taxCode", "taxCodes", order.tax_code),
            ("customerCompany", "companies", order.ship_to),
            ("vendorSite", "sites", vendor.get("site")),
        ):
            if wanted:
                row[name] = reference(table, wanted)
        return row

    def order_lines(self, parent: str) -> list[Row]:
        """The lines of a purchase order."""
        order: PurchaseOrder = self.record("order", parent)
        return [
            self.order_line(order, number, line) for number, line in enumerate(order.lines, start=1)
        ]

    def order_line(self, order: PurchaseOrder, number: int, line: PurchaseLine) -> Row:
        """One line of a purchase order."""
        item = self.closing.items[line.item]
        slip = line.packing_slip or order.po_number
        closed = self.ledger.closed.get(f"receipt:{order.id}-{slip}-purchase")
        unit = item.get("unitOfMeasure") or next(iter(self.setup.tables["unitOfMeasures"]))
        row: Row = {
            "id": line.id,
            "backorderedFlag": False,
            "canceledFlag": False,
            "closedFlag": line.closed,
            "description": line.description or item["description"],
            "lineNumber": number,
            "packingSlip": line.packing_slip,
            "product": {"id": item["id"], "identifier": line.item},
            "purchaseOrderId": order.id,
            "purchaseOrderNumber": order.po_number,
            "quantity": line.quantity,
            "receivedQuantity": int(line.received),
            "serialNumbers": line.serial_numbers,
            "unitCost": line.unit_cost,
            "unitOfMeasure": self.setup.reference("unitOfMeasures", unit),
            "receivedStatus": "FullyReceived" if line.received >= line.quantity else "Waiting",
            "extCost": multiply(line.quantity, line.unit_cost),
            "batchedFlag": bool(closed and closed.is_batched and line.closed),
        }
        if line.date_received:
            row["dateReceived"] = line.date_received
        return row

    def adjustments(self) -> list[Row]:
        """All inventory adjustments with their details."""
        return [
            self._adjustment(row)
            for row in sorted(self.records.adjustments, key=lambda row: row.id)
        ]

    def _adjustment(self, adjustment: Adjustment) -> Row:
        row: Row = {
            "id": adjustment.id,
            "identifier": adjustment.identifier,
            "type": self.setup.reference("adjustmentTypes", adjustment.type),
            "reason": adjustment.reason,
            "closedFlag": adjustment.closed,
            "adjustmentDetails": [self._adjusted(adjustment, line) for line in adjustment.lines],
        }
        if adjustment.closed:
            row |= {"closedBy": adjustment.closed_by, "closedDate": closing_time(adjustment.date)}
        return row

    def adjustment_details(self, parent: str) -> list[Row]:
        """The details of an inventory adjustment."""
        adjustment = self.record("adjustment", parent)
        return [self._adjusted(adjustment, line) for line in adjustment.lines]

    def _adjusted(self, adjustment: Adjustment, line: AdjustmentLine) -> Row:
        item = self.closing.items[line.item]
        return {
            "id": line.id,
            "catalogItem": {"id": item["id"], "identifier": line.item},
            "description": (line.description or item["description"])[:50],
            "unitCost": line.unit_cost,
            "warehouse": self.setup.reference("warehouses", line.warehouse),
            "warehouseBin": self.setup.reference("warehouseBins", line.bin),
            "quantityAdjusted": line.quantity,
            "serialNumber": line.serial_number,
            "adjustment": {"id": adjustment.id, "name": adjustment.identifier},
        }

    def quantity_on_hand(self, item: str) -> list[Row]:
        """What the closed receipts and adjustments of an item add up to."""
        if item not in self.closing.items:
            raise not_found("catalogItem", item)
        received = total(
            line.received
            for order in self.records.purchase_orders
            for line in order.lines
            if line.item == item and line.closed
        )
        adjusted = sum(
            line.quantity
            for row in self.records.adjustments
            if row.closed
            for line in row.lines
            if line.item == item
        )
        return [{"count": int(received) + adjusted}]

    # --- setup below a parent

    def below(self, table: str, field: str, owner: str, parent: str) -> list[Row]:
        """The rows of a setup table under one parent."""
        if not parent.isdigit() or int(parent) not in self.setup.tables[owner]:
            raise not_found(owner, parent)
        wanted = int(parent)
        return [
            self.setup.wire(table, row)
            for _, row in sorted(self.setup.tables[table].items())
            if row.get(field) == wanted
        ]

    def type_associations(self, parent: str) -> list[Row]:
        """The types of a company."""
        if not parent.isdigit() or int(parent) not in self.setup.tables["companies"]:
            raise not_found("company", parent)
        types = self.setup.row("companies", int(parent)).get("types") or []
        company = self.setup.reference("companies", int(parent))
        return [
            {
                "id": int(parent) * 100 + kind,
                "type": self.setup.reference("companyTypes", kind),
                "company": company,
            }
            for kind in types
        ]

    def levels(self, parent: str) -> list[Row]:
        """The levels of a tax code."""
        if not parent.isdigit() or int(parent) not in self.setup.tables["taxCodes"]:
            raise not_found("taxCode", parent)
        row = self.setup.row("taxCodes", int(parent))
        return [self._level(row, level) for level in self.closing.tax_levels(int(parent))]

    def _level(self, row: Row, level: TaxLevel) -> Row:
        word = LEVELS[level.level - 1]
        return {
            "id": level.level_id,
            "taxLevel": level.level,
            "taxRate": level.rate,
            "rateType": level.rate_type,
            "caption": row.get(f"level{word}Caption") or "",
            "taxCodeXref": level.tax_xref,
            "agencyXref": level.agency_xref,
            "taxServicesFlag": "Services" in level.kinds,
            "taxExpensesFlag": "Expenses" in level.kinds,
            "taxProductsFlag": "Products" in level.kinds,
            "singleUnitFlag": False,
        }

    def xref_levels(self, grandparent: str, parent: str) -> list[Row]:
        """The levels that a tax code xref taxes."""
        rows = self.below("taxCodeXRefs", "taxCode", "taxCodes", grandparent)
        found = next((row for row in rows if str(row["id"]) == parent), None)
        if found is None:
            raise not_found("taxCodeXRef", parent)
        wanted = set(found.get("taxableLevels") or ())
        levels = self.closing.tax_levels(int(grandparent))
        return [
            {"id": level.level_id, "taxCodeLevel": {"id": level.level_id}}
            for level in levels
            if level.level in wanted
        ]

    def taxable_levels(self, listed: str, parent: str) -> list[Row]:
        """The taxable levels of an unposted row."""
        for closed in self.ledger.unposted(listed):
            ids = (
                {closed.row_id, *(entry.id for entry in closed.entries)}
                if listed == "procurement"
                else {closed.row_id}
            )
            if parent.isdigit() and int(parent) in ids:
                return self.unposted.taxable_levels(closed)
        raise not_found("record", parent)

    # --- the server

    def server(self) -> list[Row]:
        """`/system/info`: one record."""
        return [
            {
                "version": "v2025.1.10333",
                "isCloud": False,
                "serverTimeZone": "Eastern Standard Time",
                "licenseBits": [{"name": name, "activeFlag": True} for name in LICENSES],
                "cloudRegion": "NA",
                "maxWorkFlowRecordsAllowed": 1000,
            }
        ]

    def location_infos(self) -> list[Row]:
        """Locations in short."""
        return [
            {"id": key, "name": row["name"], "structureLevel": row.get("structureLevel")}
            for key, row in sorted(self.setup.tables["locations"].items())
        ]

    def member_infos(self) -> list[Row]:
        """Members in short."""
        names = (
            "id",
            "identifier",
            "firstName",
            "middleInitial",
            "lastName",
            "defaultEmail",
            "licenseClass",
            "inactiveFlag",
        )
        return [
            {name: row[name] for name in names if row.get(name) is not None}
            | {"fullName": f"{row['firstName']} {row['lastName']}"}
            for _, row in sorted(self.setup.tables["members"].items())
        ]


def only_number(value: str, resource: str) -> int:
    """The id of a path; anything else is no record."""
    if not value.isdigit():
        raise not_found(resource, value)
    return int(value)
