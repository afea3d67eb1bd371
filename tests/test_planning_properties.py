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
from sage50kit.model import BLOCKED, Transaction
from sage50kit.profile import PushSettings
from sage50kit.sandbox.dataset import fixtures_folder

AMOUNTS = st.decimals("-5000", "5000", places=2)


def mostly(good, bad):
    """Nearly always what fits, so that documents come out as well as findings."""
    return st.sampled_from([*good * (40 // len(good)), *bad])


ACCOUNTS = mostly(["4000", "4000:", "4200"], ["4950", "", "0000", "4000::1"])
PENNIES = mostly([Decimal(0)], [Decimal("0.01"), Decimal("-0.04"), Decimal("0.75")])


@cache
def books():
    return read_lists(fixtures_folder() / "company")[0]


LINES = st.fixed_dictionaries(
    {
        "glTypeId": st.sampled_from(["R", "RP", "RA", "SD"]),
        "accountNumber": ACCOUNTS,
        "total": st.one_of(AMOUNTS, AMOUNTS, st.decimals("-9", "9", places=3)),
        "quantity": st.decimals("-20", "20", places=1),
        "glItemId": mostly(["", "PATCH10", "NEW-1"], ["LONG-" + "X" * 30]),
        "itemTypeXref": st.sampled_from(["", "Inventory Part", "Service", "Other Charge", "?"]),
        "inventoryAccountNumber": st.just("1200"),
        "costAccountNumber": st.just("5000"),
        "memo": st.text(max_size=200),
    }
)
AGENCIES = ("FLDOR", "HILLS", "TAMPA", "FLDOR", "HILLS", "TAMPA")
TAX_ACCOUNTS = ("2310", "2320", "2330", "2310", "2320", "2330")
INVOICES = st.fixed_dictionaries(
    {
        "lines": st.lists(LINES, max_size=6),
        "taxes": st.lists(
            st.sampled_from([Decimal(0), Decimal("1.37"), Decimal("12.005"), Decimal("0.10")]),
            max_size=4,
        ),
        "agencies": mostly([AGENCIES], [("NOBODY", "", "FLDOR", "X", "Y", "Z")]),
        "code": mostly(["FLTPA"], ["FL", "NO-CODE", ""]),
        "credit": st.booleans(),
        "penny": PENNIES,
        "customer": mostly(["BAYSHORE", "bayshore", "NEWCO"], ["BAD*ID", ""]),
        "day": mostly(["2026-10-05T00:00:00", "10/5/2026 1:00:00 AM"], ["2025-03-01T00:00:00", ""]),
        "number": mostly(["10001", "CW-77"], ["N" * 25]),
    }
)


def exported(number: int, drawn: dict) -> tuple[Transaction, dict]:
    """The listed row and the wire header of a drawn invoice; its total misses the lines by a penny or more."""
    side = 1 if drawn["credit"] else -1
    detail = [{**line, "id": number * 100 + n} for n, line in enumerate(drawn["lines"], 1)]
    taxes = [
        {
            "id": number * 100 + 90 + level,
            "glTypeId": "ST",
            "accountNumber": TAX_ACCOUNTS[level - 1],
            "description": f"Level {level} Sales Tax",
            "taxAgencyXref": drawn["agencies"][level - 1],
            "total": side * amount,
        }
        for level, amount in enumerate(drawn["taxes"], start=1)
    ]
    total = -sum((line["total"] for line in [*detail, *taxes]), Decimal(0)) + drawn["penny"]
    header = {
        "id": number,
        "documentNumber": f"{drawn['number']}{number}",
        "documentType": "CREDIT MEMO" if drawn["credit"] else "INVOICE",
        "documentDate": drawn["day"],
        "accountNumber": "1100",
        "companyAccountNumber": drawn["customer"],
        "glEntryIds": str(number * 100),
        "stateTaxXref": drawn["code"],
        "total": total,
        "detail": [*detail, *taxes],
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


def planned(transactions, export, rounding_account, *, leave_out_blocked=False):
    return prepare(
        transactions,
        Detail(invoices=export),
        books=books(),
        setup=Setup(),
        push=PushSettings(rounding_account=rounding_account),
        leave_out_blocked=leave_out_blocked,
    )


@settings(max_examples=150, deadline=None)
@given(st.lists(INVOICES, min_size=1, max_size=4), st.sampled_from(["", "6900"]))
def test_a_document_with_its_total_or_a_finding(drawn, rounding_account):
    """No transaction disappears, no document is unbalanced, no total is another one than ConnectWise's."""
    pairs = [exported(number, one) for number, one in enumerate(drawn, start=1)]
    export = wire.GLExport.model_validate({"transactions": [header for _, header in pairs]})
    transactions = [listed for listed, _ in pairs]
    prepared = planned(transactions, export, rounding_account)
    posted = {document.key: document for document in prepared.documents}
    blocked = {issue.key for issue in prepared.issues if issue.severity == "block"}
    silent = {row.key for row in prepared.transactions if row.disposition != "post"}

    assert {row.key for row in transactions} == set(posted) | blocked | silent
    for (listed, _), one in zip(pairs, drawn, strict=True):
        document = posted.get(listed.key)
        if document is not None:
            assert abs(document.source_total - listed.total) <= Decimal("0.005")
            assert document.control_amount == document.source_total
            assert document.control_amount + sum(row.amount for row in document.distributions) == 0
            roundings = [row.amount for row in document.distributions if row.role == "rounding"]
            assert sum(map(abs, roundings)) <= Decimal("0.05")
            returned = one["credit"] or document.source_total < 0
            assert document.type == ("credit_memo" if returned else "sales_invoice")
            taxes = [row.amount for row in document.distributions if row.role == "tax"]
            assert len(taxes) == sum(1 for amount in one["taxes"] if amount)
    entries = gl_entries(prepared.documents, books())
    assert sum(row.debit for row in entries) == sum(row.credit for row in entries)


@settings(max_examples=100, deadline=None)
@given(st.lists(INVOICES, min_size=1, max_size=4))
def test_each_invoice_ends_in_one_place(drawn):
    """With the blocked ones left out, an invoice is posted, or batched with a reason, or left out with one."""
    pairs = [exported(number, one) for number, one in enumerate(drawn, start=1)]
    export = wire.GLExport.model_validate({"transactions": [header for _, header in pairs]})
    prepared = planned([listed for listed, _ in pairs], export, "6900", leave_out_blocked=True)
    posted = [document.key for document in prepared.documents]
    silent = [row.key for row in prepared.transactions if row.disposition != "post"]
    left = [row.key for row in prepared.left_out]

    assert sorted([*posted, *silent, *left]) == sorted(listed.key for listed, _ in pairs)
    assert all(row.reason.startswith(BLOCKED) for row in prepared.left_out)
    assert not any("nobody said why" in row.reason for row in prepared.left_out)
    batched = {entry for row in prepared.transactions for entry in row.entry_ids}
    kept = {row.key for row in prepared.transactions}
    assert batched == {
        entry
        for listed, header in pairs
        if listed.key in kept
        for entry in (int(header["glEntryIds"]), *(row["id"] for row in header["detail"]))
    }
