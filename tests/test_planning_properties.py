"""Whatever ConnectWise exports: a balanced document with its total, or a finding; nothing disappears."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from functools import cache

from hypothesis import given, settings
from hypothesis import strategies as st

from sage50kit.batch.mapping import Setup
from sage50kit.batch.planning import Detail, prepare
from sage50kit.batch.proof import gl_entries
from sage50kit.connectors.embedded import read_lists
from sage50kit.connectwise import wire
from sage50kit.model import Transaction
from sage50kit.profile import PushSettings
from sage50kit.sandbox.dataset import fixtures_folder

ACCOUNTS = st.sampled_from(["4000", "4000:", "4200", "4950", "", "0000", "4000::1"])
AMOUNTS = st.decimals("-5000", "5000", places=3)
PENNIES = st.sampled_from([Decimal(0)] * 4 + [Decimal("0.01"), Decimal("-0.04"), Decimal("0.75")])


@cache
def books():
    return read_lists(fixtures_folder() / "company")[0]


LINES = st.fixed_dictionaries(
    {
        "glTypeId": st.sampled_from(["R", "RP", "RA", "SD"]),
        "accountNumber": ACCOUNTS,
        "total": AMOUNTS,
        "quantity": st.decimals("-20", "20", places=1),
        "glItemId": st.sampled_from(["", "PATCH10", "NEW-1", "LONG-" + "X" * 30]),
        "itemTypeXref": st.sampled_from(["", "Inventory Part", "Service", "Other Charge", "?"]),
        "inventoryAccountNumber": st.just("1200"),
        "costAccountNumber": st.just("5000"),
        "memo": st.text(max_size=200),
    }
)
INVOICES = st.fixed_dictionaries(
    {
        "lines": st.lists(LINES, max_size=6),
        "tax": st.sampled_from([Decimal(0), Decimal("1.37"), Decimal("12.005")]),
        "agency": st.sampled_from(["FLDOR", "HILLS", "NOBODY", ""]),
        "penny": PENNIES,
        "customer": st.sampled_from(["BAYSHORE", "bayshore", "NEWCO", "BAD*ID", ""]),
        "day": st.sampled_from(
            ["2026-10-05T00:00:00", "2025-03-01T00:00:00", "10/5/2026 1:00:00 AM", ""]
        ),
        "number": st.sampled_from(["10001", "CW-77", "N" * 25]),
    }
)


def exported(number: int, drawn: dict) -> tuple[Transaction, dict]:
    """The listed row and the wire header of a drawn invoice; its total misses the lines by a penny or more."""
    detail = [{**line, "id": number * 100 + n} for n, line in enumerate(drawn["lines"], 1)]
    tax = {
        "id": number * 100 + 99,
        "glTypeId": "ST",
        "accountNumber": "2310",
        "description": "Level 1 Sales Tax",
        "taxAgencyXref": drawn["agency"],
        "total": -drawn["tax"],
    }
    total = -sum((line["total"] for line in detail), -drawn["tax"]) + drawn["penny"]
    header = {
        "id": number,
        "documentNumber": f"{drawn['number']}{number}",
        "documentType": "INVOICE",
        "documentDate": drawn["day"],
        "accountNumber": "1100",
        "companyAccountNumber": drawn["customer"],
        "glEntryIds": str(number * 100),
        "stateTaxXref": "FL",
        "total": total,
        "detail": [*detail, tax],
    }
    listed = Transaction(
        key=f"invoice:{number}",
        kind="invoice",
        type="Standard",
        number=header["documentNumber"],
        date=date(2026, 10, 5),
        party="Customer",
        party_id=drawn["customer"],
        total=total,
        entry_ids=(number * 100,),
    )
    return listed, header


@settings(max_examples=150, deadline=None)
@given(st.lists(INVOICES, min_size=1, max_size=4), st.sampled_from(["", "6900"]))
def test_a_document_with_its_total_or_a_finding(drawn, rounding_account):
    """No transaction disappears, no document is unbalanced, no total is another one than ConnectWise's."""
    pairs = [exported(number, one) for number, one in enumerate(drawn, start=1)]
    export = wire.GLExport.model_validate({"transactions": [header for _, header in pairs]})
    transactions = [listed for listed, _ in pairs]
    prepared = prepare(
        transactions,
        Detail(invoices=export),
        books=books(),
        setup=Setup(),
        push=PushSettings(rounding_account=rounding_account),
    )
    posted = {document.key: document for document in prepared.documents}
    blocked = {issue.key for issue in prepared.issues if issue.severity == "block"}
    silent = {row.key for row in prepared.transactions if row.disposition != "post"}

    assert {row.key for row in transactions} == set(posted) | blocked | silent
    for listed in transactions:
        document = posted.get(listed.key)
        if document is not None:
            assert abs(document.source_total - listed.total) <= Decimal("0.005")
            assert document.control_amount == document.source_total
            assert document.control_amount + sum(row.amount for row in document.distributions) == 0
            roundings = [row.amount for row in document.distributions if row.role == "rounding"]
            assert sum(map(abs, roundings)) <= Decimal("0.05")
    entries = gl_entries(prepared.documents, books())
    assert sum(row.debit for row in entries) == sum(row.credit for row in entries)
