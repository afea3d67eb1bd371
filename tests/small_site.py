"""A few records behind the site's HTTP interface, for tests of the interface alone."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from sage50kit.sandbox.refusal import Refused, invalid

UNPOSTED = "/finance/accounting/unpostedinvoices"
BATCHES = "/finance/accounting/batches"
INVOICES = "/finance/invoices"
PAYMENTS = "/finance/invoices/{parentId}/payments"
COMPANIES = "/company/companies"


def company(number: int) -> dict[str, Any]:
    return {"id": number, "identifier": f"C{number}", "name": f"Customer {number}"}


def unposted(number: int) -> dict[str, Any]:
    return {
        "id": 9000 + number,
        "billingLogId": number,
        "locationId": 2 if number % 2 else 11,
        "company": company(number % 3),
        "billToCompany": company(number % 3),
        "billToSite": {"id": 7, "name": "Main"},
        "invoiceNumber": f"CW-{number}",
        "invoiceDate": date(2026, 10, 1 + number % 28),
        "invoiceType": "CreditMemo" if number % 10 == 0 else "Standard",
        "description": None if number % 5 == 0 else "Accounts Receivable",
        "total": Decimal(number) + Decimal("0.10"),
        "hasTime": number % 2 == 0,
        "dateClosed": datetime(2026, 10, 20, 9, 39, 56, tzinfo=UTC),
    }


class SmallSite:
    """Keeps lists by path and a log of what was written."""

    def __init__(self, invoices: int = 60) -> None:
        self.revision = 0
        self.calls: list[tuple[str, str, dict[str, str], object]] = []
        self._lists: dict[str, list[dict[str, Any]]] = {
            UNPOSTED: [unposted(number) for number in range(1, invoices + 1)],
            BATCHES: [{"id": 4, "batchIdentifier": "20261031JD-I", "closedFlag": False}],
            INVOICES: [
                {
                    "id": 1,
                    "invoiceNumber": "CW-1",
                    "type": "Standard",
                    "company": company(1),
                    "total": Decimal("1234567890123456.78"),
                    "customFields": [
                        {"id": 1, "caption": "Region", "value": "South"},
                        {"id": 2, "caption": "Tier", "value": "Gold"},
                    ],
                    "_info": {"lastUpdated": "2026-10-20T09:39:56Z"},
                }
            ],
            COMPANIES: [
                company(1) | {"types": [{"id": 5, "name": "Client"}, {"id": 6, "name": "Vendor"}]},
                company(2) | {"types": [{"id": 6, "name": "Client"}]},
            ],
            "/system/members": [
                {"id": 1, "identifier": "api", "firstName": "A", "lastName": "Pi"},
                {"id": 2, "identifier": "jdoe", "securityRole": {"id": 1, "name": "Admin"}},
            ],
        }

    def modelled(self) -> frozenset[tuple[str, str]]:
        pairs = {("GET", path + end) for path in self._lists for end in ("", "/count", "/{id}")}
        writes = {("POST", BATCHES), ("DELETE", BATCHES + "/{id}"), ("PATCH", INVOICES + "/{id}")}
        return frozenset(pairs | writes | {("GET", PAYMENTS), ("POST", PAYMENTS)})

    def rows(self, collection: str, parents: tuple[str, ...] = ()) -> list[dict[str, Any]]:
        if collection == PAYMENTS:
            if parents != ("1",):
                raise Refused(404, "NotFound", f"invoice {parents[0]} not found")
            return []
        return self._lists[collection]

    def call(
        self, method: str, template: str, path_values: dict[str, str], body: Any
    ) -> tuple[int, object]:
        self.calls.append((method, template, path_values, body))
        self.revision += 1
        if method == "DELETE":
            self._lists[BATCHES] = [
                row for row in self._lists[BATCHES] if str(row["id"]) != path_values["id"]
            ]
            return 204, None
        if method == "PATCH":
            row = self._lists[INVOICES][0]
            row |= {patch["path"]: patch["value"] for patch in body}
            return 200, row
        if template == PAYMENTS:
            return 201, {"id": 12, **body}
        if any(
            row["batchIdentifier"] == body.get("batchIdentifier") for row in self._lists[BATCHES]
        ):
            raise invalid("accountingBatch", "batchIdentifier", "It exists.", code="ObjectExists")
        self._lists[BATCHES].append({"id": 5, "batchIdentifier": body.get("batchIdentifier")})
        return 201, {
            "exportSettings": {"exportInvoices": True},
            "transactions": [{"id": 1, "total": Decimal("10.00")}],
        }
