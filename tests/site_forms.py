"""What tests of the local site share: a small data set around given records, and commands in short."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sage50kit.sandbox import dataset
from sage50kit.sandbox.state import Site, Switches

A = "/finance/accounting"
ALL = {"exportInvoicesFlag": True, "exportExpensesFlag": True, "exportProductsFlag": True}


def content(**records: Any) -> dict[str, Any]:
    """The setup tables of the fixtures with other records."""
    made = dataset.read(dataset.fixtures_folder() / "connectwise.json")
    kept = ("format", "name", "loginCompany", "tables")
    return {name: made[name] for name in kept} | records


def invoice(number: int = 48101, **fields: Any) -> dict[str, Any]:
    """An invoice of Bayshore for one hour; fields replace."""
    lines = [{"kind": "time", "price": "150.00", "description": "Visit"}]
    made = {"id": number, "invoiceNumber": f"1{number}", "type": "Standard", "company": 101}
    return made | {"date": "2026-10-02", "lines": lines} | fields


def small_site(*invoices: dict[str, Any], switches: Switches | None = None, **records: Any) -> Site:
    """A site with these invoices."""
    made = list(invoices) or [invoice()]
    return Site.load(content(invoices=made, **records), switches=switches)


def export(site: Site, **fields: Any) -> dict[str, Any]:
    """POST export; all kinds unless flags are given."""
    flags = {} if any(name.endswith("Flag") for name in fields) else ALL
    status, answer = site.call("POST", f"{A}/export", {}, flags | fields)
    assert status == 200
    assert isinstance(answer, dict)
    return answer


def entry_ids(site: Site, key: str) -> list[int]:
    """All GL entry ids of a record."""
    return [entry.id for entry in site.ledger.closed[key].entries]


def batch(site: Site, identifier: str, ids: list[int], **flags: Any) -> int:
    """POST batches; returns the id of the new batch."""
    body = {"batchIdentifier": identifier, "processedRecordIds": ids} | (flags or ALL)
    status, _ = site.call("POST", f"{A}/batches", {}, body)
    assert status == 201
    return max(row["id"] for row in site.rows(f"{A}/batches"))


def sums_to_zero(header: dict[str, Any], *lists: str) -> Decimal:
    """Header and details together."""
    return Decimal(header["total"] + sum(row["total"] for name in lists for row in header[name]))
