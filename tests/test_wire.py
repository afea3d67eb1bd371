"""What ConnectWise sends becomes models: dates, amounts, missing values, ids, and errors with a name."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sage50kit.connectwise import wire
from sage50kit.errors import ConnectWiseUnreadable

SAMPLES = Path(__file__).parent / "data" / "connectwise"
EXPORT = "/finance/accounting/export"


def sample(name: str) -> Any:
    return json.loads((SAMPLES / name).read_text(encoding="utf-8"), parse_float=Decimal)


def export(**content: Any) -> wire.GLExport:
    return wire.read(wire.GLExport, content, path=EXPORT)


def test_public_sample_of_an_invoice_export():
    """The published invoice reads as 10.00 of revenue and a tax line of nothing, on eight GL entries."""
    invoice = wire.read(wire.GLExport, sample("glexport_invoices.json"), path=EXPORT).transactions[
        0
    ]

    assert (invoice.id, invoice.document_number, invoice.total) == (125, "119", Decimal("10.0"))
    assert invoice.document_date == date(2011, 6, 20)
    assert invoice.due_date == date(2011, 6, 30)
    assert invoice.company_account_number == "ANGRYF01"
    assert [(row.gl_type_id, row.total) for row in invoice.detail] == [("RP", -10), ("ST", 0)]
    entry_ids = [*invoice.entry_ids, *(i for row in invoice.detail for i in row.entry_ids)]
    assert sorted(entry_ids) == list(range(1009, 1017))
    assert invoice.total + sum(row.total for row in invoice.detail) == 0


def test_public_sample_of_a_procurement_export():
    """The published receipt keeps its text id, and its line's American date is the first of May."""
    content = wire.read(wire.GLExport, sample("glexport_procurement.json"), path=EXPORT)
    receipt = content.purchase_transactions[0]
    line = receipt.purchase_detail[0]

    assert receipt.id == "PO #COMPANYBPO, Packing Slip: COMPANYBPO"
    assert (receipt.vendor_invoice_number, receipt.vendor_number) == ("COMPANYBINV", "")
    assert line.document_date == receipt.document_date == date(2014, 5, 1)
    assert (line.quantity, line.total, line.item_type_xref) == (
        -50,
        Decimal("-12.5"),
        "Other Charge",
    )
    assert receipt.purchase_detail_tax == ()
    assert [vendor.account_number for vendor in content.vendors] == ["Blue Light Co", ""]


@pytest.mark.parametrize(
    ("name", "model", "shown"),
    [
        ("invoice_posted.json", wire.Invoice, {"invoice_number": "1001", "balance": 182714}),
        ("expense_entry.json", wire.ExpenseEntry, {"id": 1}),
        ("company.json", wire.Company, {"identifier": "SAMPLECO", "zip": "00000"}),
        ("system_info.json", wire.Info, {"version": "v2025.1.10333", "is_cloud": False}),
    ],
)
def test_public_samples_of_records_load(name: str, model: type[wire.Wire], shown: dict[str, Any]):
    """Other published answers read with the fields the kit uses."""
    record = wire.read(model, sample(name), path=f"/{name}")

    assert {field: getattr(record, field) for field in shown} == shown


def test_batched_invoice_names_its_batch():
    """A posted invoice says in which batch it is."""
    invoice = wire.read(wire.Invoice, sample("invoice_posted.json"), path="/finance/invoices/2")

    assert invoice.gl_batch is not None
    assert (invoice.gl_batch.id, invoice.gl_batch.name) == (2, "SAMPLE-BATCH")
    assert (invoice.date, invoice.due_date) == (date(2018, 7, 12), date(2018, 8, 1))


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2011-06-20T00:00:00", date(2011, 6, 20)),
        ("5/1/2014 5:21:58 AM", date(2014, 5, 1)),
        ("12/31/2014 11:59:59 PM", date(2014, 12, 31)),
        ("2025-05-06T09:39:56Z", date(2025, 5, 6)),
        ("2025-05-06T00:00:00Z", date(2025, 5, 6)),
        ("2025-05-06T23:59:59Z", date(2025, 5, 6)),
        ("2025-05-06T00:30:00+13:00", date(2025, 5, 6)),
        ("2025-05-06", date(2025, 5, 6)),
        ("", None),
        (None, None),
    ],
)
def test_days_are_never_shifted(text: str | None, day: date | None):
    """Each of the three formats gives the day that is written, whatever the hour or zone."""
    assert wire.parse_day(text) == day


@given(st.dates(min_value=date(1990, 1, 1), max_value=date(2099, 12, 31)), st.times())
def test_every_format_gives_the_same_day(day: date, time: Any):
    """The three ways to write one moment agree on its day."""
    clock = time.strftime("%I:%M:%S %p").lstrip("0")
    iso = f"{day.isoformat()}T{time.strftime('%H:%M:%S')}"

    assert {
        wire.parse_day(text)
        for text in (iso, f"{iso}Z", f"{day.month}/{day.day}/{day.year} {clock}")
    } == {day}


@pytest.mark.parametrize(
    "value", ["31/12/2014 5:00:00 AM", "soon", "2014-13-01T00:00:00", 20140501]
)
def test_what_is_no_day_is_refused(value: Any):
    """A date of another form is an error, not a guess."""
    with pytest.raises(ConnectWiseUnreadable, match=r"transactions\.0\.documentDate"):
        export(transactions=[{"id": 1, "documentDate": value}])


@pytest.mark.parametrize(
    "value", [{}, {"memo": None, "total": None, "dueDate": None, "detail": None}]
)
def test_missing_and_null_are_the_same(value: dict[str, Any]):
    """Null fields are usually left out of an answer; both read as nothing."""
    invoice = export(transactions=[value]).transactions[0]

    assert (invoice.memo, invoice.total, invoice.due_date, invoice.detail) == (None, None, None, ())


def test_empty_text_where_null_was_meant():
    """Exports send "" for what is not set: no date, no amount, no lines, and a text that stays empty."""
    row = {"memo": "", "total": "", "dueDate": "", "glEntryIds": "", "detail": ""}
    invoice = export(transactions=[row]).transactions[0]

    assert (invoice.memo, invoice.total, invoice.due_date) == ("", None, None)
    assert (invoice.entry_ids, invoice.detail) == ((), ())


@pytest.mark.parametrize(
    "digits", ["12345678901.23456789", "9999999999999.9999", "0.1", "-0.000000000000000001"]
)
def test_amounts_keep_every_digit(digits: str):
    """An amount of more than fifteen digits is the amount that was sent."""
    body = json.loads(f'{{"transactions": [{{"total": {digits}}}]}}', parse_float=Decimal)

    assert export(**body).transactions[0].total == Decimal(digits)


@pytest.mark.parametrize("value", [10.1, "12.50", "ten", True, [1], {"amount": 1}])
def test_what_is_no_exact_amount_is_refused(value: Any):
    """A binary float may have lost a cent already; text is not what the contract sends."""
    with pytest.raises(ConnectWiseUnreadable, match=r"record 119.*transactions\.0\.total"):
        export(transactions=[{"id": 5, "documentNumber": "119", "total": value}])


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ([], EXPORT),
        (None, EXPORT),
        ("", EXPORT),
        ({"transactions": 5}, "field transactions"),
        ({"transactions": ["x"]}, r"field transactions\.0"),
        (
            {"transactions": [{"id": 7, "detail": 3}]},
            r"\(record 7\): field transactions\.0\.detail",
        ),
        ({"transactions": [{"id": 7, "company": "X"}]}, r"record 7.*transactions\.0\.company"),
        (
            {"transactions": [{"id": 7, "detail": [{"id": 1009}, {"id": 1010, "total": "x"}]}]},
            r"record 1010.*transactions\.0\.detail\.1\.total",
        ),
    ],
)
def test_wrong_shapes_name_path_record_and_field(body: Any, words: str):
    """Whatever is not as published is an error that says where, and what to do."""
    with pytest.raises(ConnectWiseUnreadable, match=words) as caught:
        wire.read(wire.GLExport, body, path=EXPORT)

    assert EXPORT in str(caught.value)
    assert "Open the record" in str(caught.value)


def test_one_object_where_a_list_is_published():
    """A list of one that comes as the object itself is read as that list."""
    receipt = export(purchaseTransactions={"id": "PO #1", "purchaseDetail": {"id": 1299}})

    assert receipt.purchase_transactions[0].purchase_detail[0].entry_ids == (1299,)


def test_ids_of_every_kind():
    """Ids come as a number, as text, as comma-separated text, and as a list."""
    content = export(
        transactions=[{"id": 125, "glEntryIds": "1010, 1011,,1012"}],
        expenseBills=[
            {"id": 1132, "detail": [{"id": [1138, 1139]}, {"id": "1140,1141"}, {"id": 9}]}
        ],
        inventoryTransfers=[{"id": "77", "offset": {"id": 78}}, {"id": "Transfer 5"}],
    )

    assert content.transactions[0].entry_ids == (1010, 1011, 1012)
    assert [row.entry_ids for row in content.expense_bills[0].detail] == [
        (1138, 1139),
        (1140, 1141),
        (9,),
    ]
    assert [row.entry_ids for row in content.inventory_transfers] == [(77,), ()]


@pytest.mark.parametrize(
    ("account", "tax_id"),
    [
        ("shipToCompanyAccountNumber", "shipToTaxId"),
        ("shipCompanyAccountNumber", "shipTaxId"),
    ],
)
def test_old_and_new_names_of_the_ship_to_fields(account: str, tax_id: str):
    """Servers before 2022 name the ship-to fields otherwise."""
    invoice = export(transactions=[{account: "ANGRYF01", tax_id: "T1"}]).transactions[0]

    assert (invoice.ship_to_company_account_number, invoice.ship_to_tax_id) == ("ANGRYF01", "T1")


def test_due_days_of_either_type():
    """Days until due are a number in the export and may be text elsewhere."""
    rows = export(transactions=[{"dueDays": 20}, {"dueDays": "20"}]).transactions

    assert [row.due_days for row in rows] == [20, 20]


@pytest.mark.parametrize(
    ("description", "number"),
    [("7-Stock count", "7"), ("7 - count-2", "7"), ("", "41"), (None, "41")],
)
def test_adjustments_are_numbered_by_their_description(description: str | None, number: str):
    """The number stands in front of the first dash; without one the id is all there is."""
    row = {"id": "41", "adjustmentDescription": description, "glTypeID": "IA"}
    adjustment = export(adjustmentTransactions=[row]).adjustment_transactions[0]

    assert (adjustment.number, adjustment.gl_type_id) == (number, "IA")


def test_levels_of_a_tax_code():
    """The fields of the six levels become a list of those in use, in their order."""
    row = {
        "id": 11,
        "levelOneRate": Decimal("6.0"),
        "levelOneTaxCodeXref": "FL",
        "levelOneAgencyXref": "FLDOR",
        "levelTwoTaxCodeXref": "",
        "levelSixAgencyXref": "TAMPA",
        "levelSixRate": 1,
    }
    levels = wire.read(wire.TaxCode, row, path="/finance/taxCodes").levels

    assert [(level.tax_level, level.tax_code_xref, level.agency_xref) for level in levels] == [
        (1, "FL", "FLDOR"),
        (6, None, "TAMPA"),
    ]


def test_captions_of_account_segments():
    """Unused segments are left out; a type that is not said means a part of the account."""
    row = {
        "id": 1,
        "segment1": "Account",
        "segment2": "Dept",
        "segment2type": "Class",
        "segment3": "",
    }

    assert wire.read(wire.GLCaption, row, path="/finance/glCaptions").segments == (
        ("Account", "Account"),
        ("Dept", "Class"),
    )


def test_unknown_fields_are_ignored_and_models_do_not_change():
    """Servers may add fields at any time; what was read stays as it was read."""
    info = wire.read(wire.Info, {"version": "v2026.4", "newField": {"a": 1}}, path="/system/info")

    with pytest.raises(ValueError, match="frozen"):
        info.version = "v2027.1"
    assert not hasattr(info, "new_field")
