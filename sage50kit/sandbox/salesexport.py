"""Invoices and credit memos as the export shows them (`transactions`, `customers`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sage50kit.money import ZERO, cents, total
from sage50kit.sandbox.accounttext import joined
from sage50kit.sandbox.exportdates import header_date

if TYPE_CHECKING:
    from collections.abc import Iterable
    from decimal import Decimal

    from sage50kit.sandbox.closing import Closed, Closing, Entry, TaxLevel
    from sage50kit.sandbox.records import Invoice, Line
    from sage50kit.sandbox.setup import Setup
    from sage50kit.sandbox.tables import Row
    from sage50kit.sandbox.unposted import UnpostedRows

SUMMARY = {"Default": "0", "Condensed": "1", "Detailed": "2"}
NAMES = {
    "R": "Services",
    "RE": "Expenses",
    "RP": "Products",
    "RA": "Agreement",
    "AP": "Agreement Products",
    "RD": "Down Payment",
    "SD": "Product Discount",
}
ITEM_TYPES = {
    "InventoryPart": "Inventory Part",
    "NonInventoryPart": "Non-Inventory Part",
    "OtherCharge": "Other Charge",
    "Service": "Service",
}
HUNDRED = 100


class SalesExport:
    """Projects closed invoices; nothing is changed."""

    def __init__(self, setup: Setup, closing: Closing, rows: UnpostedRows, *, level: str) -> None:
        self.setup = setup
        self.closing = closing
        self.rows = rows
        self.level = level
        self.delimiter = rows.delimiter

    def text(self, segments: tuple[str, ...]) -> str:
        """An account as text."""
        return joined(segments, self.delimiter)

    # --- the header

    def transaction(self, closed: Closed) -> Row:
        """One invoice or credit memo with its lines."""
        invoice: Invoice = closed.record
        billed = invoice.bill_to or invoice.company
        shipped = invoice.ship_to or invoice.company
        receivable = next(entry for entry in closed.entries if entry.gl_type == "AR")
        details, merged = self._details(closed)
        header_ids = [entry.id for entry in closed.entries if entry.gl_type == "AR"] + merged
        row: Row = {
            "id": invoice.id,
            "glClass": "",
            "glTypeId": "AR",
            "documentDate": header_date(invoice.date),
            "documentNumber": invoice.invoice_number,
            "documentType": "CREDIT MEMO" if invoice.type == "CreditMemo" else "INVOICE",
            "memo": invoice.top_comment,
            "description": "Accounts Receivable",
            "attention": invoice.attention,
            "salesTerritory": self._territory(billed),
            "company": self.setup.short("companies", billed),
            "companyType": self.company_type(billed),
            "companyAccountNumber": self.setup.row("companies", billed).get("accountNumber") or "",
            "dueDays": self.rows.due_days(invoice),
            "dueDate": header_date(self.rows.due_date(invoice)),
            "emailDeliveryFlag": False,
            "printDeliveryFlag": False,
            "agreementPrePaymentFlag": False,
            "accountNumber": self.text(receivable.account.segments),
            "billingType": invoice.type,
            "glEntryIds": ",".join(map(str, header_ids)),
            "currency": self.setup.reference("currencies", self.rows.currency(billed)),
            "total": closed.total,
            **self._taxes(closed),
            **self._ship_to(shipped),
            "detail": details,
        }
        if invoice.customer_po:
            row["purchaseOrder"] = {"name": invoice.customer_po}
        if invoice.project:
            row["project"] = {"name": invoice.project}
        self._terms(row, self.rows.terms(invoice))
        if site := self.setup.row("companies", billed).get("site"):
            row["site"] = self.setup.short("sites", site)
        if tax_code := self.closing.tax_code(invoice):
            row["taxCode"] = self.setup.short("taxCodes", tax_code)
        return row

    def _territory(self, company: int) -> str:
        territory = self.setup.row("companies", company).get("territory")
        return str(self.setup.row("locations", territory)["name"]) if territory else ""

    def company_type(self, company: int) -> Row:
        """The first type of a company; `Customer` where it has none."""
        types = self.setup.row("companies", company).get("types")
        return (
            self.setup.short("companyTypes", types[0]) if types else {"id": 1, "name": "Customer"}
        )

    def _terms(self, row: Row, terms: int) -> None:
        if terms:
            row["billingTerms"] = self.setup.short("billingTerms", terms)
            row["billingTermsXref"] = self.setup.row("billingTerms", terms).get("termsXref") or ""

    def _ship_to(self, company: int) -> Row:
        found = self.setup.row("companies", company)
        row: Row = {
            "shipToCompany": self.setup.short("companies", company),
            "shipToCompanyAccountNumber": found.get("accountNumber") or "",
            "shipToCompanyType": self.company_type(company),
            "shipToTaxId": found.get("taxIdentifier") or "",
        }
        if site := found.get("site"):
            row["shipSite"] = self.setup.short("sites", site)
        return row

    def _taxes(self, closed: Closed) -> Row:
        taxes = {level.level: (level, base, tax) for level, base, tax in closed.taxes}
        levels = self.closing.tax_levels(self.closing.tax_code(closed.record))
        first = next(iter(levels), None)
        account = next(
            (entry.account.segments for entry in closed.entries if entry.gl_type == "ST"), ()
        )
        bases = [taxes[number][1] if number in taxes else ZERO for number in range(1, 7)]
        amounts = [taxes[number][2] if number in taxes else ZERO for number in range(1, 7)]
        xrefs = {level.level: level.tax_xref for level in levels}
        return {
            "taxable": any(bases),
            "taxableTotal": max(bases, key=abs),
            "taxGroupRate": group_rate(levels),
            "piggyBackFlag": False,
            "taxAccountNumber": self.text(account),
            "salesTax": cents(total(amounts)),
            "stateTax": amounts[0],
            "countyTax": amounts[1],
            "cityTax": amounts[2],
            **{f"taxableAmount{number}": bases[number - 1] for number in range(1, 6)},
            "taxAgencyXref": first.agency_xref if first else "",
            "stateTaxXref": xrefs.get(1, ""),
            "countyTaxXref": xrefs.get(2, ""),
            "taxId": self.setup.row("companies", closed.record.company).get("taxIdentifier") or "",
            "taxDpAppliedFlag": False,
            "useAvalaraFlag": False,
            "sendAvalaraTaxFlag": False,
            "taxLevels": [
                {
                    "taxAmount": tax,
                    "taxableAmount": base,
                    "taxCodeXref": level.tax_xref,
                    "taxLevel": level.level,
                }
                for level, base, tax in closed.taxes
            ],
        }

    # --- the lines

    def _details(self, closed: Closed) -> tuple[list[Row], list[int]]:
        """The detail rows, and the ids of entries that Condensed merged into another row."""
        lines = [entry for entry in closed.entries if entry.line >= 0]
        groups: dict[Any, list[Entry]] = {}
        for entry in lines:
            key = (
                self._group(closed.record.lines[entry.line], entry)
                if self.level == "Condensed"
                else entry.id
            )
            groups.setdefault(key, []).append(entry)
        details = [self._line(closed, group) for group in groups.values()]
        levels = {level.level: level for level, _, _ in closed.taxes}
        details += [
            self._tax_line(closed, entry, levels[entry.level], lines)
            for entry in closed.entries
            if entry.gl_type == "ST"
        ]
        return details, [entry.id for group in groups.values() for entry in group[1:]]

    def _group(self, line: Line, entry: Entry) -> tuple[Any, ...]:
        """What Condensed puts on one line; items only with themselves at the same price."""
        price = line.price if line.item else None
        return (
            entry.gl_type,
            entry.account,
            line.item,
            line.taxable,
            price,
            line.drop_ship,
            line.cost,
        )

    def _line(self, closed: Closed, group: list[Entry]) -> Row:
        entry, invoice = group[0], closed.record
        line: Line = invoice.lines[entry.line]
        item = self.closing.items.get(line.item, {})
        carries_goods = bool(item) and entry.gl_type in {"RP", "AP"}
        quantity = total(invoice.lines[e.line].quantity for e in group)
        kind = "Taxable" if line.taxable else "Non-Taxable"
        row: Row = {
            "id": entry.id,
            "documentDate": header_date(invoice.date),
            "documentType": "CREDIT MEMO" if invoice.type == "CreditMemo" else "INVOICE",
            "accountNumber": self.text(entry.account.segments),
            "glClass": "",
            "glTypeId": entry.gl_type,
            "glItemId": entry.account.product_id or (line.item if carries_goods else ""),
            "invoiceSummaryOption": SUMMARY[self.level],
            **self._costs(line, group),
            "memo": self._memo(line, entry, item),
            "description": f"{kind} {NAMES[entry.gl_type]}",
            "quantity": -quantity,
            "total": total(e.amount for e in group),
            "productAccountNumber": self.text(entry.account.segments),
            **self._line_taxes(closed, line),
            "itemPrice": line.price,
            "itemDescription": item.get("description", "") if line.item else "",
            "salesDescription": item.get("customerDescription") or line.description,
            "unitOfMeasure": self._unit(item),
            "serializedFlag": bool(item.get("serializedFlag")),
            "serialNumbers": line.serial_numbers,
            "dropShippedFlag": line.drop_ship,
            **self._xrefs(item, entry),
        }
        if carries_goods:
            row["item"] = {"id": item["id"], "identifier": line.item}
            if "subcategory" in item:
                row["subCategory"] = self.setup.short("subcategories", item["subcategory"])
        return row

    def _costs(self, line: Line, group: list[Entry]) -> Row:
        """Cost and its accounts stand on product lines, where the package includes them."""
        package, account = self.closing.package, group[0].account
        wanted = (
            package.get("includeCogsDropShipFlag")
            if line.drop_ship
            else package.get("includeCogsEntriesFlag")
        )
        goods = group[0].gl_type in {"RP", "AP"}
        has_stock = goods and package.get("inventorySOHFlag", True)
        return {
            "cost": total(entry.cost for entry in group) if goods and wanted else ZERO,
            "salesCode": account.sales_code,
            "costAccountNumber": self.text(account.cogs) if goods and wanted else "",
            "inventoryAccountNumber": account.inventory if has_stock and wanted else "",
            "itemCost": line.cost if goods else ZERO,
        }

    def _memo(self, line: Line, entry: Entry, item: Row) -> str:
        if self.level == "Condensed" and not line.item:
            return NAMES[entry.gl_type]
        words = line.description or item.get("customerDescription") or item.get("description") or ""
        if self.level == "Detailed" and line.notes:
            return f"{words} - {line.notes}"
        return str(words)

    def _line_taxes(self, closed: Closed, line: Line) -> Row:
        levels = [level for level, _, _ in closed.taxes]
        first = levels[0] if levels and line.taxable else None
        flags = {f"taxable{n}Flag": line.taxable and len(levels) >= n for n in range(2, 6)}
        return {
            "taxCodeXref": first.tax_xref if first else self._exempt_xref(closed.record),
            "taxAgencyXref": "",
            "taxNote": "",
            "taxRate": ZERO,
            "taxRatePercent": ZERO,
            "taxableFlag": line.taxable and bool(levels),
            **flags,
            "itemTaxableFlag": line.taxable,
            "taxLevels": [
                {"taxableFlag": line.taxable, "taxLevel": level.level} for level in levels
            ],
        }

    def _exempt_xref(self, invoice: Invoice) -> str:
        """What the tax code calls a line that is not taxed, such as `T9` or `EX`."""
        tax_code = self.closing.tax_code(invoice)
        for row in self.setup.tables["taxCodeXRefs"].values():
            if row["taxCode"] == tax_code and row.get("levelOne") == "NonTaxable":
                return str(row["description"])
        return ""

    def _unit(self, item: Row) -> Row:
        unit = item.get("unitOfMeasure") or self.setup.first("unitOfMeasures", "defaultFlag")
        return self.setup.short("unitOfMeasures", unit) if unit else {}

    def _xrefs(self, item: Row, entry: Entry) -> Row:
        kind = self.setup.row("productTypes", item["type"]).get("typeXref") if item else None
        return {
            "itemTypeXref": ITEM_TYPES.get(kind or "", ""),
            "inventoryXref": entry.account.inventory,
            "cogsXref": self.text(entry.account.cogs),
            "uomScheduleXref": "",
            "priceLevelXref": "DEFAULT",
            "locationXref": "DEFAULT",
        }

    def _tax_line(self, closed: Closed, entry: Entry, level: TaxLevel, lines: list[Entry]) -> Row:
        """A tax line says its level in words only; its agency stands on the tax code (samples: empty)."""
        invoice = closed.record
        return {
            "id": entry.id,
            "documentDate": header_date(invoice.date),
            "documentType": "CREDIT MEMO" if invoice.type == "CreditMemo" else "INVOICE",
            "accountNumber": self.text(entry.account.segments),
            "glClass": "",
            "glTypeId": "ST",
            "glItemId": "",
            "invoiceSummaryOption": SUMMARY[self.level],
            "cost": ZERO,
            "salesCode": "",
            "memo": "Sales Tax",
            "description": f"Level {entry.level} Sales Tax",
            "quantity": ZERO,
            "total": entry.amount,
            "costAccountNumber": "",
            "inventoryAccountNumber": "",
            "productAccountNumber": self.text(lines[0].account.segments) if lines else "",
            "taxCodeXref": self._exempt_xref(invoice),
            "taxAgencyXref": "",
            "taxNote": "AUTOSTAX",
            "taxRate": level.rate if level.rate_type == "Percent" else ZERO,
            "taxRatePercent": level.rate * HUNDRED if level.rate_type == "Percent" else ZERO,
            "taxableFlag": False,
            **{f"taxable{number}Flag": False for number in range(2, 6)},
            "itemTaxableFlag": False,
            "itemPrice": ZERO,
            "itemCost": ZERO,
            "itemDescription": "",
            "salesDescription": "",
            "unitOfMeasure": self._unit({}),
            "serializedFlag": False,
            "serialNumbers": "",
            "dropShippedFlag": False,
            "itemTypeXref": "",
            "inventoryXref": "",
            "cogsXref": "",
            "uomScheduleXref": "",
            "locationXref": "DEFAULT",
        }

    # --- customers

    def customers(self, companies: Iterable[int]) -> list[Row]:
        """The customers of the invoices, each once."""
        return [self._customer(company) for company in dict.fromkeys(companies)]

    def _customer(self, company: int) -> Row:
        found = self.setup.row("companies", company)
        tax_code, terms = found.get("taxCode") or 0, found.get("billingTerms") or 0
        levels = self.closing.tax_levels(tax_code)
        row: Row = {
            "company": self.setup.short("companies", company),
            "companyType": self.company_type(company),
            "accountNumber": found.get("accountNumber") or "",
            "dueDays": self.setup.row("billingTerms", terms)["dueDays"] if terms else 0,
            "taxable": bool(levels),
            "currency": self.setup.reference("currencies", self.rows.currency(company)),
            **customer_taxes(levels),
        }
        self._terms(row, terms)
        for name, table in (
            ("defaultContact", "contacts"),
            ("site", "sites"),
            ("taxCode", "taxCodes"),
        ):
            if found.get(name):
                row["contact" if table == "contacts" else name] = self.setup.short(
                    table, found[name]
                )
        return row


def group_rate(levels: Iterable[TaxLevel]) -> Decimal:
    """All percentages of a tax code together, as a fraction."""
    return total(level.rate for level in levels if level.rate_type == "Percent")


def customer_taxes(levels: Iterable[TaxLevel]) -> Row:
    """Tax fields of a customer: rates in percent here, a fraction in the group rate (8.2)."""
    known = {level.level: level for level in levels}
    row: Row = {"taxGroupRate": group_rate(known.values())}
    for number, name in enumerate(("state", "county", "city", "country", "composite"), start=1):
        level = known.get(number)
        row[f"{name}TaxXref"] = level.tax_xref if level else ""
        row[f"{name}TaxAgencyXref"] = level.agency_xref if level else ""
        row[f"{name}TaxRate"] = (
            level.rate * HUNDRED if level and level.rate_type == "Percent" else ZERO
        )
    row["taxAgencyXref"] = known[1].agency_xref if 1 in known else ""
    row["taxLevels"] = [
        {
            "taxRate": level.rate,
            "taxCodeXref": level.tax_xref,
            "agencyXref": level.agency_xref,
            "taxLevel": level.level,
        }
        for level in known.values()
    ]
    return row
