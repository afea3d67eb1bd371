"""Expenses, purchase orders and adjustments as their collections show them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sage50kit.money import ZERO, multiply, total
from sage50kit.sandbox.refusal import not_found
from sage50kit.sandbox.unposted import closing_time, midnight

if TYPE_CHECKING:
    from decimal import Decimal

    from sage50kit.sandbox.records import (
        Adjustment,
        AdjustmentLine,
        Expense,
        PurchaseLine,
        PurchaseOrder,
    )
    from sage50kit.sandbox.tables import Row
    from sage50kit.sandbox.views import Views


class CostViews:
    """Projects what a provider spends."""

    def __init__(self, views: Views) -> None:
        self.views = views
        self.records = views.records
        self.setup = views.setup
        self.closing = views.closing
        self.ledger = views.ledger
        self.unposted = views.unposted

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
        self._order_references(row, order, vendor)
        return row

    def _order_references(self, row: Row, order: PurchaseOrder, vendor: Row) -> None:
        if order.vendor_invoice_date:
            row["vendorInvoiceDate"] = midnight(order.vendor_invoice_date)
        for name, table, wanted in (
            ("taxCode", "taxCodes", order.tax_code),
            ("customerCompany", "companies", order.ship_to),
            ("vendorSite", "sites", vendor.get("site")),
        ):
            if wanted:
                row[name] = self.setup.reference(table, wanted)

    def order_lines(self, parent: str) -> list[Row]:
        """The lines of a purchase order."""
        order: PurchaseOrder = self.views.record("order", parent)
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
        adjustment = self.views.record("adjustment", parent)
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
