"""Sales tax: ConnectWise's levels -> one Sage sales tax code and one distribution per agency.

Sage code = xref of level 1; the agency xref of every charged level must be an agency of that code, and
the account of its tax line that agency's account. Amounts are ConnectWise's (design 9.10).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sage50kit.batch.lines import line_amount, line_text
from sage50kit.batch.mapping import Mapper, amount_words
from sage50kit.model import Distribution, TaxCode, fold
from sage50kit.money import ZERO, cents

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

    from sage50kit.connectwise import wire

TAX_LINE = "ST"
MOST_AGENCIES = 5
_LEVEL = re.compile(r"level\s*(\d+)", re.IGNORECASE)
# The header names levels 1 to 3 in fields of their own besides `taxLevels` (connectwise reference, 7.3).
_HEADER_XREF = {1: "state_tax_xref", 2: "county_tax_xref", 3: "city_tax_xref"}
_HEADER_AMOUNT = {1: "state_tax", 2: "county_tax", 3: "city_tax"}
_CUSTOMER_AGENCY = {
    1: "state_tax_agency_xref",
    2: "county_tax_agency_xref",
    3: "city_tax_agency_xref",
    4: "country_tax_agency_xref",
    5: "composite_tax_agency_xref",
}


def sales_taxes(
    mapper: Mapper,
    header: wire.GLExportTransaction,
    customers: Mapping[str, wire.GLExportCustomer],
) -> tuple[str, list[Distribution]]:
    """(sales tax code of the document, its tax distributions); findings where they do not fit."""
    if header.use_avalara_flag and header.sales_tax:
        mapper.report("avalara", field="tax")
    levels = _levels(header)
    charged = {level: row for level, row in levels.items() if row.total}
    code = _tax_code(mapper, header, charged=bool(charged))
    lines = []
    for level, row in charged.items():
        amount = line_amount(mapper, row.total)
        _check_amount(mapper, header, level, amount)
        if level > MOST_AGENCIES:
            mapper.report("six_tax_levels", field="tax", level=level)
        agency = _agency(mapper, header, level, row, customers, code)
        lines.append(
            Distribution(
                account_id=_account(mapper, row, level, agency),
                amount=amount,
                description=line_text(mapper, row.description, row.memo, "Sales Tax"),
                role="tax",
                tax_agency_id=agency,
                entry_ids=row.entry_ids,
            )
        )
    return (code.tax_code if code else "", lines)


def _levels(header: wire.GLExportTransaction) -> dict[int, wire.GLExportTransactionDetail]:
    """The tax lines by level: the level stands in the description, else the order tells it."""
    rows = [row for row in header.detail if row.gl_type_id == TAX_LINE]
    levels: dict[int, wire.GLExportTransactionDetail] = {}
    for order, row in enumerate(rows, start=1):
        named = _LEVEL.search(row.description or "")
        level = int(named.group(1)) if named else order
        while level in levels:  # two lines that both call themselves level 1
            level += 1
        levels[level] = row
    return levels


def _xref(header: wire.GLExportTransaction, level: int) -> str:
    """The tax code xref of a level, as the header says it."""
    for row in header.tax_levels:
        if row.tax_level == level and row.tax_code_xref:
            return row.tax_code_xref.strip()
    name = _HEADER_XREF.get(level)
    return (getattr(header, name) or "").strip() if name else ""


def _tax_code(mapper: Mapper, header: wire.GLExportTransaction, *, charged: bool) -> TaxCode | None:
    """The Sage code; without tax a missing or unknown one does not matter."""
    xref = _xref(header, 1)
    known = mapper.books.tax_code.get(fold(xref))
    if charged and not xref:
        mapper.report("tax_code_missing", field="tax code")
    elif charged and known is None:
        mapper.report("tax_code_unknown", field="tax code", value=xref)
    return known


def _agency(
    mapper: Mapper,
    header: wire.GLExportTransaction,
    level: int,
    row: wire.GLExportTransactionDetail,
    customers: Mapping[str, wire.GLExportCustomer],
    code: TaxCode | None,
) -> str:
    """The Sage agency of a charged level."""
    xref = _agency_xref(mapper, header, level, row, customers)
    if not xref:
        mapper.report("agency_missing", field="tax agency", level=level)
        return ""
    known = mapper.books.agency.get(fold(xref))
    if known is None:
        mapper.report("agency_unknown", field="tax agency", value=xref, level=level)
        return xref
    if code is not None and fold(xref) not in {fold(agency) for agency in code.agency_ids}:
        mapper.report(
            "agency_not_in_code",
            field="tax agency",
            value=xref,
            level=level,
            tax_code=code.tax_code,
        )
    return known.agency_id


def _agency_xref(
    mapper: Mapper,
    header: wire.GLExportTransaction,
    level: int,
    row: wire.GLExportTransactionDetail,
    customers: Mapping[str, wire.GLExportCustomer],
) -> str:
    """The agency xref: on the line, in the tax code's set-up, at the customer, or on the header."""
    if row.tax_agency_xref:
        return row.tax_agency_xref.strip()
    identity = header.tax_code.id if header.tax_code else None
    for code in mapper.setup.tax_codes:
        if identity is not None and code.id == identity:
            for step in code.levels:
                if step.tax_level == level and step.agency_xref:
                    return step.agency_xref.strip()
    found = _customer_agency(customers.get(header.company_account_number or ""), level)
    return found or ((header.tax_agency_xref or "").strip() if level == 1 else "")


def _customer_agency(customer: wire.GLExportCustomer | None, level: int) -> str:
    if customer is None:
        return ""
    for row in customer.tax_levels:
        if row.tax_level == level and row.agency_xref:
            return row.agency_xref.strip()
    name = _CUSTOMER_AGENCY.get(level)
    return (getattr(customer, name) or "").strip() if name else ""


def _account(
    mapper: Mapper, row: wire.GLExportTransactionDetail, level: int, agency_id: str
) -> str:
    """The liability account of a tax line, which must be its agency's."""
    account_id = mapper.account(row.account_number, f"tax level {level} account")
    agency = mapper.books.agency.get(fold(agency_id))
    if agency is not None and account_id and fold(agency.account_id) != fold(account_id):
        mapper.report(
            "tax_account_differs",
            field="tax account",
            value=account_id,
            level=level,
            agency=agency.agency_id,
            wanted=agency.account_id,
        )
    return account_id


def _check_amount(
    mapper: Mapper, header: wire.GLExportTransaction, level: int, amount: Decimal
) -> None:
    """A tax line may miss its header amount by at most a cent (invariant 4)."""
    said = next((row.tax_amount for row in header.tax_levels if row.tax_level == level), None)
    if said is None and level in _HEADER_AMOUNT:
        said = getattr(header, _HEADER_AMOUNT[level]) or None
    if said is None:
        return
    # The line is a credit where the header shows the tax of the invoice.
    if abs(abs(cents(said or ZERO)) - abs(amount)) > mapper.push.tax_rounding_limit:
        mapper.report(
            "tax_differs",
            field="tax",
            value=amount_words(-amount),
            level=level,
            wanted=amount_words(said),
        )
