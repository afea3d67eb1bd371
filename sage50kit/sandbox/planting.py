"""Blocking findings planted into a generated site, each on a transaction of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

Content = dict[str, Any]
Planted = dict[str, str]
LONG_ID = "CUSTOMER-WITH-A-LONG-ID-1"


def plant(content: Content) -> list[Planted]:
    """Change a data set so that it holds blocking findings; says which. Sets that are too small hold fewer."""
    planted: list[Planted] = []
    for place, spoil in _INVOICES.items():
        if place < len(content["invoices"]):
            invoice = content["invoices"][place]
            code, what = spoil(content, invoice)
            planted.append({"key": f"invoice:{invoice['id']}", "code": code, "what": what})
    planted += _members(content)
    planted += _vendors(content)
    return planted


def _company_of(content: Content, **fields: Any) -> int:
    """A company of its own, so that nobody else is spoiled."""
    pattern = content["tables"]["companies"][1]
    number = 9000 + len(content["tables"]["companies"])
    row = {
        **pattern,
        "id": number,
        "identifier": f"SPOILED{number}",
        "billToCompany": number,
        **fields,
    }
    content["tables"]["companies"].append(row)
    return number


def _unknown_account(_: Content, invoice: Content) -> tuple[str, str]:
    invoice["department"] = 14
    invoice["lines"] = [
        {"kind": "time", "quantity": "2", "price": "150.00", "description": "Research"}
    ]
    return "account_unknown", "revenue account 4950 is not in the chart"


def _wrong_total(_: Content, invoice: Content) -> tuple[str, str]:
    invoice["lines"] = [
        {"kind": "time", "quantity": "1", "price": "100.00", "description": "Visit"}
    ]
    invoice |= {"taxable": False, "total": "101.00"}
    return "total_differs", "the total is a dollar above the lines"


def _closed_year(_: Content, invoice: Content) -> tuple[str, str]:
    invoice["date"] = "2025-12-30"
    return "period_closed", "the invoice date is in the closed year 2025"


def _long_id(content: Content, invoice: Content) -> tuple[str, str]:
    invoice["company"] = _company_of(content, accountNumber=LONG_ID)
    return "id_too_long", f"the account number {LONG_ID} is longer than 20 characters"


def _wrong_agency(content: Content, invoice: Content) -> tuple[str, str]:
    pattern = next(row for row in content["tables"]["taxCodes"] if row["id"] == 11)
    code = {
        **pattern,
        "id": 21,
        "identifier": "WRONG",
        "levelOneAgencyXref": "NOBODY",
        "defaultFlag": False,
    }
    content["tables"]["taxCodes"].append(code)
    kind = next(row for row in content["tables"]["mappedTypes"] if row["glType"] == "ST")
    accounts = content["tables"]["glAccounts"]
    row = {
        "id": len(accounts) + 1,
        "glType": "ST",
        "mappedType": kind["id"],
        "mappedRecord": {"id": 211, "name": "WRONG level 1"},
        "segment1": "2310",
    }
    accounts.append(row)
    lines = [
        {
            "kind": "time",
            "quantity": "1",
            "price": "100.00",
            "description": "Visit",
            "taxable": True,
        }
    ]
    invoice |= {"taxCode": 21, "taxable": True, "lines": lines, "type": "Standard"}
    invoice.pop("total", None)
    return "agency_unknown", "the agency xref NOBODY of tax code WRONG is no agency of the books"


def _bad_characters(content: Content, invoice: Content) -> tuple[str, str]:
    invoice["company"] = _company_of(content, accountNumber="A+B*1")
    return "id_characters", "the account number A+B*1 holds characters Sage 50 does not take"


_INVOICES: dict[int, Callable[[Content, Content], tuple[str, str]]] = {
    0: _unknown_account,
    3: _wrong_total,
    5: _closed_year,
    8: _long_id,
    13: _wrong_agency,
    18: _bad_characters,
}


def _members(content: Content) -> list[Planted]:
    """A member without vendor number: every expense of his bill that he is owed."""
    if not content["expenseReports"]:
        return []
    pattern = next(row for row in content["tables"]["members"] if row["identifier"] == "jdoe")
    content["tables"]["members"].append(
        {**pattern, "id": 2999, "identifier": "nonumber", "vendorNumber": ""}
    )
    report = content["expenseReports"][0]
    report["member"] = 2999
    first = next(row for row in content["expenses"] if row["report"] == report["id"])
    return [
        {
            "key": f"expense:{first['id']}",
            "code": "member_vendor_missing",
            "what": f"the member of report {report['id']} has no vendor number",
        }
    ]


def _vendors(content: Content) -> list[Planted]:
    """A vendor without xref, and a zero account."""
    orders = content["purchaseOrders"]
    if not orders:
        return []
    order = orders[0]
    order["vendor"] = _company_of(content, vendorIdentifier="", types=[6])
    key = f"receipt:{order['id']}-{order['lines'][0]['packingSlip']}-purchase"
    return [
        {
            "key": key,
            "code": "vendor_id_missing",
            "what": f"the vendor of PO {order['poNumber']} has no vendor xref",
        }
    ]
