"""Receipts, inventory adjustments and transfers as the export shows them."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from sage50kit.money import ZERO, total
from sage50kit.sandbox.accounttext import joined
from sage50kit.sandbox.exportdates import header_date, received_date
from sage50kit.sandbox.salesexport import HUNDRED, ITEM_TYPES, group_rate
from sage50kit.sandbox.unposted import closing_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sage50kit.sandbox.closing import Closed, Closing, Entry, TaxLevel
    from sage50kit.sandbox.records import AdjustmentLine, PurchaseLine, PurchaseOrder, TransferLine
    from sage50kit.sandbox.salesexport import SalesExport
    from sage50kit.sandbox.setup import Setup
    from sage50kit.sandbox.tables import Row
    from sage50kit.sandbox.unposted import UnpostedRows

ADJUSTMENT_TYPE = "INVENTORY ADJUSTMENT"
TRANSFER_TYPE = "INVENTORY TRANSFER"


class ProcurementExport:
    """Projects closed receipts, adjustments and transfers; nothing is changed."""

    def __init__(
        self,
        setup: Setup,
        closing: Closing,
        rows: UnpostedRows,
        *,
        sales: SalesExport,
        iso_dates: bool,
    ) -> None:
        self.setup = setup
        self.closing = closing
        self.rows = rows
        self.sales = sales
        self.iso_dates = iso_dates

    def text(self, segments: tuple[str, ...]) -> str:
        """An account as text."""
        return joined(segments, self.rows.delimiter)

    def _stock(self, entry: Entry) -> str:
        """The inventory account, where the package keeps stock on hand."""
        return entry.account.inventory if self.closing.package.get("inventorySOHFlag", True) else ""

    # --- vendors

    def vendors(self, purchases: Iterable[Closed]) -> list[Row]:
        """The vendors of the purchases, each once."""
        return [
            self._vendor(company) for company in dict.fromkeys(p.record.vendor for p in purchases)
        ]

    def _vendor(self, company: int) -> Row:
        found = self.setup.row("companies", company)
        terms = found.get("billingTerms") or 0
        row: Row = {
            "vendor": self.setup.short("companies", company),
            "vendorNumber": found.get("vendorIdentifier") or "",
            "company": self.setup.short("companies", company),
            "accountNumber": found.get("accountNumber") or "",
            "dueDays": self.setup.row("billingTerms", terms)["dueDays"] if terms else 0,
        }
        for name, table, source in (
            ("contact", "contacts", "defaultContact"),
            ("billingTerms", "billingTerms", "billingTerms"),
            ("site", "sites", "site"),
            ("taxCode", "taxCodes", "taxCode"),
        ):
            if found.get(source):
                row[name] = self.setup.short(table, found[source])
        return row

    # --- item receipts

    def purchase(self, closed: Closed) -> Row:
        """One packing slip of a purchase order: header positive, details negative (8.2)."""
        order: PurchaseOrder = closed.record
        vendor = self.setup.row("companies", order.vendor)
        levels = self.closing.tax_levels(order.tax_code)
        slip = closed.slip
        row: Row = {
            "id": f"PO #{order.po_number}, Packing Slip: {slip}",
            "documentDate": header_date(order.date),
            "documentNumber": order.po_number,
            "description": "Purchase",
            "memo": "",
            "apAccountNumber": self.text(closed.payable.segments),
            "purchaseDate": header_date(order.date),
            "company": self.setup.short("companies", order.vendor),
            "purchaseClass": "",
            "freightAmount": _sum_of(closed, "PF"),
            "freightPackingSlip": order.freight_packing_slip or slip,
            "packingSlip": slip,
            "dropshipFlag": bool(order.ship_to),
            "currency": self.setup.reference("currencies", self.rows.currency(order.vendor)),
            "total": closed.total,
            "vendorNumber": vendor.get("vendorIdentifier") or "",
            "vendorAccountNumber": vendor.get("accountNumber") or "",
            "vendorInvoiceNumber": order.vendor_invoice_number,
            "taxAgencyXref": "",
            **_xrefs(levels),
            "taxGroupRate": group_rate(levels),
            "useAvalaraTaxFlag": False,
            "purchaseHeaderTaxGroup": self._tax_group(order),
            "purchaseHeaderTaxableFlag": order.tax_po,
            "purchaseHeaderFreightTaxableFlag": order.tax_freight,
            "taxLevels": [
                {"taxCodeXref": level.tax_xref, "taxLevel": level.level} for level in levels
            ],
            "purchaseDetail": [
                self._detail(closed, entry)
                for entry in closed.entries
                if entry.gl_type in {"RP", "PF"}
            ],
            "purchaseDetailTax": [
                self._tax(closed, entry)
                for entry in closed.entries
                if entry.gl_type in {"PT", "FT"}
            ],
        }
        row["vendorInvoiceDate"] = header_date(order.vendor_invoice_date or order.date)
        self._vendor_fields(row, order, vendor)
        self._ship_to(row, order)
        return row

    def _tax_group(self, order: PurchaseOrder) -> str:
        return (
            str(self.setup.row("taxCodes", order.tax_code)["description"]) if order.tax_code else ""
        )

    def _vendor_fields(self, row: Row, order: PurchaseOrder, vendor: Row) -> None:
        terms = order.terms or vendor.get("billingTerms") or 0
        if terms:
            found = self.setup.row("billingTerms", terms)
            row["billingTerms"] = self.setup.short("billingTerms", terms)
            row["billingTermsXref"] = found.get("termsXref") or ""
            row["dueDays"] = found["dueDays"]
        row["companyType"] = self.sales.company_type(order.vendor)
        for name, table, source in (
            ("contact", "contacts", "defaultContact"),
            ("site", "sites", "site"),
        ):
            if vendor.get(source):
                row[name] = self.setup.short(table, vendor[source])
        if order.tax_code:
            row["taxCode"] = self.setup.short("taxCodes", order.tax_code)

    def _ship_to(self, row: Row, order: PurchaseOrder) -> None:
        row["shipToCompanyAccountNumber"] = ""
        row["shipToTaxGroup"] = self._tax_group(order)
        if not order.ship_to:
            return
        found = self.setup.row("companies", order.ship_to)
        row["shipToCompany"] = self.setup.short("companies", order.ship_to)
        row["shipToCompanyAccountNumber"] = found.get("accountNumber") or ""
        row["shipToCompanyType"] = self.sales.company_type(order.ship_to)
        for name, table, source in (
            ("shipToContact", "contacts", "defaultContact"),
            ("shipToSite", "sites", "site"),
        ):
            if found.get(source):
                row[name] = self.setup.short(table, found[source])

    def _common(self, closed: Closed, entry: Entry) -> Row:
        """What detail lines and their tax lines share."""
        order: PurchaseOrder = closed.record
        vendor = self.setup.row("companies", order.vendor)
        line: PurchaseLine | None = closed.lines[entry.line] if entry.line >= 0 else None
        item = self.closing.items.get(line.item, {}) if line else {}
        moment = (line.date_received if line else None) or closing_time(order.date)
        row: Row = {
            "id": entry.id,
            "documentDate": received_date(moment, iso=self.iso_dates),
            "glClass": "",
            "glTypeId": entry.gl_type,
            "glItemId": line.item if line and entry.gl_type == "RP" else "",
            "salesCode": entry.account.sales_code,
            "cost": entry.cost,
            "taxNote": "",
            "vendorNumber": vendor.get("vendorIdentifier") or "",
            "vendorAccountNumber": vendor.get("accountNumber") or "",
            "accountNumber": self.text(entry.account.segments),
            "costAccountNumber": self.text(entry.account.cogs),
            "inventoryAccountNumber": self._stock(entry),
            "total": -entry.amount,
            "serializedFlag": bool(item.get("serializedFlag")),
            "serialNumbers": line.serial_numbers if line else "",
            "dropShippedFlag": bool(order.ship_to),
            "lineNumber": entry.line + 1 if line else 0,
            "itemTypeXref": self._item_type(item),
            "inventoryXref": self._stock(entry),
            "cogsXref": self.text(entry.account.cogs),
            "uomScheduleXref": "DEFAULT",
            "priceLevelXref": "DEFAULT",
            "locationXref": "DEFAULT",
            "purchaseHeaderTaxGroup": self._tax_group(order),
            "taxAgencyXref": "",
            "currency": self.setup.reference("currencies", self.rows.currency(order.vendor)),
        }
        unit = item.get("unitOfMeasure") or self.setup.first("unitOfMeasures", "defaultFlag")
        if unit:
            row["unitOfMeasure"] = self.setup.short("unitOfMeasures", unit)
        if "subcategory" in item:
            row["subCategory"] = self.setup.short("subcategories", item["subcategory"])
        if order.shipment_method:
            row["shipmentMethod"] = {"name": order.shipment_method}
        return row

    def _item_type(self, item: Row) -> str:
        kind = self.setup.row("productTypes", item["type"]).get("typeXref") if item else None
        return ITEM_TYPES.get(kind or "", "")

    def _detail(self, closed: Closed, entry: Entry) -> Row:
        row = self._common(closed, entry)
        levels = self.closing.tax_levels(closed.record.tax_code)
        row["taxRate"] = ZERO
        row["taxCodeXref"] = ""
        row["description"] = "Purchase"
        if entry.gl_type == "PF":
            words = {"memo": "Freight", "itemDescription": "Freight", "salesDescription": "Freight"}
            return (
                row
                | words
                | {
                    "taxable": closed.record.tax_freight,
                    "itemPrice": ZERO,
                    "itemCost": entry.amount,
                    "quantity": Decimal(-1),
                }
            )
        line: PurchaseLine = closed.lines[entry.line]
        item = self.closing.items[line.item]
        return row | {
            "memo": line.description or item["description"],
            "item": {"id": item["id"], "identifier": line.item},
            "itemDescription": item["description"],
            "salesDescription": item.get("customerDescription") or item["description"],
            "taxable": closed.record.tax_po and bool(levels),
            "itemPrice": Decimal(item.get("price") or 0),
            "itemCost": line.unit_cost,
            "quantity": -line.received,
        }

    def _tax(self, closed: Closed, entry: Entry) -> Row:
        """A tax line of purchase (PT) or freight (FT), a distribution of its own."""
        level = next(
            row
            for row in self.closing.tax_levels(closed.record.tax_code)
            if row.level == entry.level
        )
        what = "Freight" if entry.gl_type == "FT" else "Purchase"
        row = self._common(closed, entry)
        if entry.line >= 0:
            item = self.closing.items[closed.lines[entry.line].item]
            row["item"] = {"id": item["id"], "identifier": item["identifier"]}
        words = f"Level {entry.level} {what} Tax"
        return row | {
            "itemTypeXref": "",
            "memo": words,
            "taxNote": "AUTOSTAX",
            "taxableFlag": False,
            "itemDescription": words,
            "salesDescription": words,
            "itemPrice": ZERO,
            "itemCost": entry.amount,
            "quantity": Decimal(-1),
            "taxRate": level.rate,
            "taxRatePercent": level.rate * HUNDRED,
            "taxAgencyXref": level.agency_xref,
        }

    # --- stock

    def adjustment(self, closed: Closed) -> Row:
        """An adjustment with its items; a negative quantity comes in (8.2)."""
        adjustment, first = closed.record, closed.entries[0]
        return {
            "id": f"Adjustment #{adjustment.id}",
            "documentType": ADJUSTMENT_TYPE,
            "documentDate": header_date(adjustment.date),
            "glTypeID": "IA",
            "accountNumber": self.text(first.account.segments),
            "memo": adjustment.reason,
            "glClass": "",
            "adjustmentDescription": f"{adjustment.id}-{adjustment.identifier}",
            "adjustmentDetail": [
                self._adjusted(closed.lines[entry.line], entry) for entry in closed.entries
            ],
        }

    def _adjusted(self, line: AdjustmentLine, entry: Entry) -> Row:
        item = self.closing.items[line.item]
        return {
            "glClass": "",
            "description": line.description or item["description"],
            "memo": line.description or item["description"],
            "item": {"id": item["id"], "identifier": line.item},
            "quantity": -line.quantity,
            "total": -entry.amount,
            "cost": entry.cost,
            "costAccountNumber": self.text(entry.account.cogs),
            "inventoryAccountNumber": self._stock(entry),
            "accountNumber": self.text(entry.account.segments),
            "productAccountNumber": self.text(
                self.closing.accounts.find("RP", self.closing.about_item(line.item)).segments
            ),
        }

    def transfers(self, closed: Closed) -> Iterator[Row]:
        """A transfer, one row an item: where it goes, and as offset where it was."""
        for number, line in enumerate(closed.lines):
            to, origin = (entry for entry in closed.entries if entry.line == number)
            yield self._transferred(closed, line, to, origin)

    def _transferred(self, closed: Closed, line: TransferLine, to: Entry, origin: Entry) -> Row:
        transfer, item = closed.record, self.closing.items[line.item]
        words = transfer.notes or item["description"]
        common = {
            "documentType": TRANSFER_TYPE,
            "documentDate": header_date(transfer.date),
            "glClass": "",
            "memo": words,
            "description": item["description"],
            "glTypeId": "IT",
        }
        row: Row = {
            "id": str(to.id),
            **common,
            "accountNumber": self.text(to.account.segments),
            "salesCode": to.account.sales_code,
            "costAccountNumber": self.text(to.account.cogs),
            "inventoryAccountNumber": self._stock(to),
            "transferId": transfer.id,
            "item": {"id": item["id"], "identifier": line.item},
            "glItemId": line.item,
            "salesDescription": item.get("customerDescription") or item["description"],
            "itemDescription": item["description"],
            "currency": self.setup.reference("currencies", self.rows.currency(0)),
            "itemPrice": Decimal(item.get("price") or 0),
            "taxable": bool(item.get("taxableFlag")),
            "quantity": Decimal(line.quantity),
            "cost": to.cost,
            "total": to.amount,
            "serializedFlag": bool(item.get("serializedFlag")),
            "serialNumbers": line.serial_numbers,
            **self._bins(line),
            "priceLevelXref": "DEFAULT",
            "uomScheduleXref": "DEFAULT",
            "itemTypeXref": self._item_type(item),
            "inventoryXref": self._stock(to),
            "cogsXref": self.text(to.account.cogs),
            "taxNote": "",
            "offset": {
                "id": origin.id,
                **common,
                "accountNumber": self.text(origin.account.segments),
                "total": origin.amount,
            },
        }
        if unit := item.get("unitOfMeasure"):
            row["unitOfMeasure"] = self.setup.short("unitOfMeasures", unit)
        return row

    def _bins(self, line: TransferLine) -> Row:
        xrefs = []
        for place in (line.from_bin, line.to_bin):
            warehouse = self.setup.row(
                "warehouses", self.setup.row("warehouseBins", place)["warehouse"]
            )
            xrefs.append((warehouse["id"], warehouse.get("locationXref") or "DEFAULT"))
        return {
            "bin": self.setup.short("warehouseBins", line.to_bin),
            "warehouse": self.setup.short("warehouses", xrefs[1][0]),
            "transferFromBin": self.setup.short("warehouseBins", line.from_bin),
            "transferFromLocationXref": xrefs[0][1],
            "transferToBin": self.setup.short("warehouseBins", line.to_bin),
            "transferToLocationXref": xrefs[1][1],
            "locationXref": xrefs[1][1],
        }


def _xrefs(levels: Iterable[TaxLevel]) -> Row:
    known = {level.level: level.tax_xref for level in levels}
    return {
        f"{name}TaxXref": known.get(number, "")
        for number, name in enumerate(("state", "county", "city"), start=1)
    }


def _sum_of(closed: Closed, gl_type: str) -> Decimal:
    return total(entry.amount for entry in closed.entries if entry.gl_type == gl_type)
