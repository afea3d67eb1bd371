"""The unposted lists become one typed frame; what is chosen and what is left out are the whole of it."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sage50kit.connectwise import frames
from sage50kit.errors import ConnectWiseUnreadable, UsageError
from sage50kit.money import money_dtype

SAMPLE = Path(__file__).parent / "data" / "connectwise" / "unposted_invoice.json"
AMOUNTS = st.decimals(min_value=-(10**9), max_value=10**9, places=2)
VENDOR = "Ingram Micro Inc."
TAMPA, ORLANDO = {"id": 2, "name": "Tampa"}, {"id": 11, "name": "Orlando"}


def page(*rows: dict[str, Any]) -> bytes:
    """A page as the server writes it; amounts in the digits of their Decimals."""
    text = json.dumps(rows, default=lambda amount: f"<{amount:f}>", ensure_ascii=False)
    return text.replace('"<', "").replace('>"', "").encode()


def invoice(number: int, **more: Any) -> dict[str, Any]:
    return {
        "id": 870000 + number,
        "billingLogId": number,
        "locationId": 2,
        "location": TAMPA,
        "company": {"id": 250, "identifier": "BAYSHORE", "name": "Bayshore Dental Group"},
        "accountNumber": "BAYSHORE",
        "invoiceNumber": f"CW-{number}",
        "invoiceDate": "2026-10-02T00:00:00Z",
        "invoiceType": "Standard",
        "description": "Accounts Receivable",
        "dueDate": "2026-11-01T00:00:00Z",
        "dueDays": "30",
        "currency": {"id": 7, "currencyCode": "USD", "currencyIdentifier": "US Dollar"},
        "subTotal": Decimal("100.00"),
        "total": Decimal("107.50"),
        "salesTaxAmount": Decimal("7.50"),
        "stateTaxFlag": False,
    } | more


def expense(number: int, **more: Any) -> dict[str, Any]:
    return {
        "id": 880000 + number,
        "expenseDetailId": number,
        "locationId": 11,
        "accountNumber": "6100",
        "expenseType": {"id": 1, "name": "Mileage"},
        "classification": "Reimbursable",
        "member": {"id": 156, "identifier": "jdoe", "name": "Jane Doe"},
        "dateExpense": "2026-10-06T00:00:00Z",
        "chargeDescription": "Tampa to Clearwater",
        "currency": {"currencyCode": "USD"},
        "total": Decimal("31.50"),
    } | more


def received(entry: int, key: str = "3-PS-1-purchase", **more: Any) -> dict[str, Any]:
    return {
        "id": entry,
        "unpostedProductId": key,
        "locationId": 2,
        "procurementType": "Purchase",
        "purchaseOrder": {"id": 3, "name": "4471"},
        "purchaseDate": "2026-10-12T00:00:00Z",
        "description": "Firewall 60F",
        "vendor": {"id": 6, "identifier": "INGRAM", "name": VENDOR},
        "vendorAccountNumber": "V-INGRAM",
        "vendorInvoiceNumber": "INV-77",
        "currency": {"currencyCode": "USD"},
        "total": Decimal("12.50"),
    } | more


def frame_of(
    invoices: tuple[Any, ...] = (),
    expenses: tuple[Any, ...] = (),
    procurement: tuple[Any, ...] = (),
    **words: Any,
) -> pd.DataFrame:
    return frames.unposted_frame(
        frames.read_list("invoice", [page(*invoices)]),
        frames.read_list("expense", [page(*expenses)]),
        frames.read_list("procurement", [page(*procurement)]),
        **words,
    )


def only(frame: pd.DataFrame) -> dict[str, Any]:
    assert len(frame) == 1
    return dict(frame.iloc[0])


def test_public_sample_of_an_unposted_invoice():
    """The published row keeps its amounts, its day, its currency and the invoice id as key."""
    row = only(
        frames.unposted_frame(frames.read_list("invoice", [b"[" + SAMPLE.read_bytes() + b"]"]))
    )

    assert (row["key"], row["number"], row["party_id"]) == ("invoice:39005", "40005", "ACCT0001")
    assert (row["date"], row["due_date"]) == (date(2025, 4, 25), date(2025, 5, 15))
    assert (row["subtotal"], row["tax"], row["total"]) == (
        Decimal("3666636.0"),
        Decimal("879992.64"),
        Decimal("4546628.64"),
    )
    assert (row["currency"], row["location_id"], row["entry_ids"]) == ("ISK", 11, "871429")


def test_columns_and_types_hold_even_for_nothing():
    """Without a single row the frame has the same columns and types as with some."""
    empty, full = frame_of(), frame_of((invoice(1),), (expense(1),), (received(1),))

    assert list(empty.columns) == frames.SCHEMA.names
    assert dict(empty.dtypes) == dict(full.dtypes)
    assert {full[name].dtype for name in ("subtotal", "tax", "total")} == {money_dtype()}
    assert str(full["location_id"].dtype) == "int64[pyarrow]"
    assert frames.unposted_frame().equals(empty)


def test_one_row_of_each_list():
    """Kinds, keys, numbers and parties of the three lists, as people and planning know them."""
    frame = frame_of(
        (invoice(48112),), (expense(5011),), (received(901),), locations={2: "Tampa", 11: "Orlando"}
    )
    shown = frame[["key", "type", "number", "party", "party_id", "location", "member"]]

    assert shown.to_numpy().tolist() == [
        ["expense:5011", "Reimbursable", "5011", "Jane Doe", "jdoe", "Orlando", "jdoe"],
        ["invoice:48112", "Standard", "CW-48112", "Bayshore Dental Group", "BAYSHORE", "Tampa", ""],
        ["receipt:3-PS-1-purchase", "Purchase", "4471 / PS-1", VENDOR, "V-INGRAM", "Tampa", ""],
    ]
    assert set(frame["currency"]) == {"USD"}


def test_rows_are_sorted_by_kind_date_and_number():
    """The order does not depend on the order of the lists."""
    late, early = invoice(1, invoiceDate="2026-10-09T00:00:00Z"), invoice(3)
    frame = frame_of((late, early, invoice(2)), (expense(9),))

    assert list(frame["key"]) == ["expense:9", "invoice:2", "invoice:3", "invoice:1"]


def test_lines_of_a_receipt_are_one_transaction():
    """Rows of one packing slip are joined: totals added, GL entries joined, slips kept apart."""
    rows = (
        received(901, total=Decimal("10.10")),
        received(950, "3-PS-2-purchase", total=Decimal(5)),
        received(902, total=Decimal("0.25")),
        received(903, description="Freight", total=Decimal("-1.05")),
    )
    frame = frame_of(procurement=rows)

    assert list(frame["number"]) == ["4471 / PS-1", "4471 / PS-2"]
    assert list(frame["entry_ids"]) == ["901,902,903", "950"]
    assert list(frame["total"]) == [Decimal("9.3000"), Decimal("5.0000")]


def test_rows_of_a_receipt_on_two_pages_are_joined():
    """A page may end in the middle of a receipt."""
    pages = [page(received(901)), page(received(902))]
    frame = frames.unposted_frame(frames.read_list("procurement", pages))

    assert only(frame)["entry_ids"] == "901,902"
    assert only(frame)["total"] == 25


@pytest.mark.parametrize(
    ("more", "key", "number"),
    [
        ({"procurementType": "Adjustment"}, "adjustment:7-adjustment", "7"),
        ({"procurementType": None}, "adjustment:7-adjustment", "7"),
        (
            {"procurementType": "Transfer", "unpostedProductId": "9-transfer"},
            "transfer:9-transfer",
            "9",
        ),
    ],
)
def test_adjustments_and_transfers(more: dict[str, Any], key: str, number: str):
    """Both have no order and no vendor; a missing type is read from the key."""
    row = received(901, "7-adjustment", purchaseOrder=None, vendor=None, **more)
    found = only(frame_of(procurement=({name: value for name, value in row.items() if value},)))

    assert (found["key"], found["number"], found["party"]) == (key, number, "")


@given(st.lists(st.tuples(AMOUNTS, AMOUNTS, AMOUNTS), max_size=20))
@settings(deadline=None)
def test_totals_are_the_sums_of_what_was_sent(amounts: list[tuple[Decimal, Decimal, Decimal]]):
    """Whatever the amounts, the frame's totals are the exact sums, also where rows are joined."""
    frame = frame_of(
        tuple(invoice(n, total=a, subTotal=b) for n, (a, b, _) in enumerate(amounts, start=1)),
        tuple(expense(n, total=b) for n, (_, b, _) in enumerate(amounts, start=1)),
        tuple(
            received(n, f"{n % 3}-PS-purchase", total=c)
            for n, (_, _, c) in enumerate(amounts, start=1)
        ),
    )
    sums = [sum(column, Decimal(0)) for column in zip(*amounts, strict=True)] or [Decimal(0)] * 3

    for kind, wanted in zip(("invoice", "expense", "receipt"), sums, strict=True):
        assert sum(frame.loc[frame["kind"] == kind, "total"], Decimal(0)) == wanted
    assert frame["total"].sum() == sum(sums)
    assert sum(frame.loc[frame["kind"] == "invoice", "subtotal"], Decimal(0)) == sums[1]


@pytest.mark.parametrize(
    "digits", ["9999999999999.9999", "-123456789012.3457", "0.0001", "5", "1e2"]
)
def test_amounts_are_exact_beyond_fifteen_digits(digits: str):
    """No amount passes through a binary float."""
    body = page(invoice(1)).replace(b'"total": 107.50', f'"total": {digits}'.encode())

    assert only(frames.unposted_frame(frames.read_list("invoice", [body])))["total"] == Decimal(
        digits
    )


@pytest.mark.parametrize("word", ["absent", "null"])
def test_missing_and_null_read_the_same(word: str):
    """Null and absent fields leave text empty and dates, amounts and locations missing."""
    row = {"id": 870001, "billingLogId": 1, "description": "Accounts Receivable"}
    found = only(frame_of((row if word == "absent" else dict.fromkeys(invoice(1)) | row,)))

    assert [found[name] for name in ("currency", "party", "location", "number")] == [""] * 4
    for name in ("date", "due_date", "subtotal", "tax", "location_id"):
        assert pd.isna(found[name])
    assert found["total"] == 0


def test_a_receipt_has_its_vendor_invoice_number():
    """The number of the vendor's bill is a column, empty while there is none and for other kinds."""
    rows = (received(1), received(2, "3-PS-2-purchase", vendorInvoiceNumber=None))
    frame = frame_of((invoice(1),), (), rows).set_index("key")

    assert frame["vendor_invoice"].to_dict() == {
        "invoice:1": "",
        "receipt:3-PS-1-purchase": "INV-77",
        "receipt:3-PS-2-purchase": "",
    }


def test_people_see_two_decimals_and_the_values_stay_exact():
    """Shown with thousands and cents, in a notebook and in a terminal, also after choosing rows."""
    frame = frame_of((invoice(1, total=Decimal(-1234567)), invoice(2, total=Decimal("3.005"))))
    chosen = frame[frame["number"] == "CW-1"][["number", "subtotal", "total"]]

    for shown in (repr(chosen), chosen._repr_html_()):
        assert "(1,234,567.00)" in shown
        assert "100.00" in shown
        assert "00.0000" not in shown
    assert "3.005" in repr(frame[["total"]])  # beyond the cent nothing is rounded away
    assert chosen["total"].dtype == money_dtype()
    assert list(chosen["total"]) == [Decimal("-1234567.0000")]
    assert "<b>" not in frame.assign(party="<b>Acme")._repr_html_()


def test_a_long_frame_is_shown_cut_as_pandas_is_set():
    """A month of invoices shows its first and last rows, and how many there are."""
    frame = frame_of(tuple(invoice(n) for n in range(1, 101)))

    with pd.option_context("display.max_rows", 60, "display.min_rows", 10):
        assert frame._repr_html_().count("<tr") == 12  # ten, a row of dots and the heading
        assert "100 rows" in frame._repr_html_()
    with pd.option_context("display.notebook_repr_html", False):
        assert frame._repr_html_() is None


def test_other_date_formats_and_empty_dates():
    """A page that mixes the three formats and "" gives the days as they are written."""
    written = ["2026-10-31T23:59:59Z", "10/31/2026 5:21:58 AM", "2026-10-31T00:00:00", ""]
    frame = frame_of(tuple(invoice(n, invoiceDate=text) for n, text in enumerate(written, start=1)))

    assert list(frame["date"].dropna()) == [date(2026, 10, 31)] * 3
    assert frame["date"].isna().sum() == 1


@pytest.mark.parametrize(
    ("kind", "body", "words"),
    [
        ("invoice", b"", "unpostedinvoices.*page 1"),
        ("invoice", b"<html>Bad gateway</html>", "unpostedinvoices.*page 1"),
        ("invoice", b'[{"id": 1', "unpostedinvoices.*page 1"),
        ("expense", b'{"id": 1}', "unpostedexpenses.*page 1.*array"),
        ("procurement", b'[{"id": "x"}]', r"unpostedprocurement.*record x.*\.id"),
        ("invoice", page(invoice(1), invoice(2, total="ten")), r"record 870002.*\.total"),
        ("invoice", page(invoice(1, invoiceDate="soon")), "date of record 870001.*soon"),
        ("invoice", page(invoice(1, dueDate=20261101)), r"record 870001.*\.dueDate"),
        ("invoice", page(invoice(1, total=Decimal("0.00001"))), "total of record 870001.*decimals"),
        ("invoice", page(invoice(1, subTotal=Decimal(10) ** 13)), "subtotal of record 870001"),
        ("invoice", page(invoice(1, total="NaN")), "total of record 870001"),
        ("invoice", page(invoice(1, billingLogId=None)), "record 870001 has no billingLogId"),
        ("expense", page(expense(1, expenseDetailId=None)), "record 880001 has no expenseDetailId"),
        ("procurement", page(received(9, "")), "record 9 has no unpostedProductId"),
        ("procurement", page(received(9, procurementType="Return")), "record 9.*'Return'"),
        ("procurement", page(received(9, "7-return", procurementType=None)), "record 9"),
    ],
)
def test_wrong_rows_are_named(kind: frames.ListKind, body: bytes, words: str):
    """A page that is not the published list is an error with path, record and field, never a gap."""
    with pytest.raises(ConnectWiseUnreadable, match=words):
        frames.read_list(kind, [body])


def test_an_invoice_that_is_listed_twice_is_an_error():
    """Keys are unique: adding up an invoice with itself would double it."""
    with pytest.raises(ConnectWiseUnreadable, match="invoice:1 is listed twice"):
        frame_of((invoice(1), invoice(1)))


def test_rows_that_cannot_be_batched_are_left_out_with_the_reason():
    """No GL entries, no account number, nobody to pay back: shown, and never planned."""
    frame = frame_of(
        (
            invoice(1),
            invoice(2, description="", accountNumber=""),
            invoice(3, accountNumber=""),
            invoice(4, description=""),
        ),
        (
            expense(5, classification="NonReimbursable"),
            expense(6, classification="Personal"),
            expense(7, chargeDescription="", accountNumber=""),
            expense(8, chargeDescription=""),
        ),
        (received(9, "9-A-purchase", description=""), received(10), received(11, description="")),
    )
    kept, left = frames.select(frame)

    assert set(kept["key"]) == {"invoice:1", "invoice:4", "expense:8", "receipt:3-PS-1-purchase"}
    assert dict(zip(left["key"], left["reason"], strict=True)) == {
        "invoice:2": frames.NO_ENTRIES,
        "invoice:3": frames.NO_ACCOUNT,
        "expense:5": "it is not paid back to the member (NonReimbursable)",
        "expense:6": "it is not paid back to the member (Personal)",
        "expense:7": frames.NO_ENTRIES,
        "receipt:9-A-purchase": frames.NO_ENTRIES,
    }
    assert not any(left.loc[left["reason"] == frames.NO_ENTRIES, "entry_ids"])


def test_expenses_nobody_is_paid_back_for_are_kept_to_be_cleared():
    """With the profile's consent they stay; an expense without GL entries still cannot be batched."""
    rows = (
        expense(5, classification="Personal"),
        expense(7, chargeDescription="", accountNumber=""),
    )
    kept, left = frames.select(frame_of(expenses=rows), clear_non_reimbursable=True)

    assert list(kept["key"]) == ["expense:5"]
    assert list(left["key"]) == ["expense:7"]


DAYS = st.dates(min_value=date(2026, 9, 1), max_value=date(2026, 11, 30))


@given(
    st.lists(st.tuples(DAYS, st.sampled_from([TAMPA, ORLANDO]), AMOUNTS), min_size=1, max_size=15),
    DAYS,
    st.sampled_from([None, 2, 11, "tampa"]),
    st.sampled_from([None, ("invoice",), ("expense", "receipt")]),
)
@settings(deadline=None)
def test_kept_and_left_out_are_all_that_was_fetched(
    rows: list[Any], thru: date, location: Any, kinds: Any
):
    """Nothing is dropped silently: keys and totals of both parts are those of the whole."""
    fetched = frame_of(
        (
            *(
                invoice(
                    n,
                    invoiceDate=f"{day}T00:00:00Z",
                    locationId=at["id"],
                    location=at,
                    total=amount,
                )
                for n, (day, at, amount) in enumerate(rows, start=1)
            ),
            invoice(901),
            invoice(902, locationId=11, location=ORLANDO),
        )
    )
    kept, left = frames.select(fetched, location=location, thru_date=thru, kinds=kinds)

    assert sorted([*kept["key"], *left["key"]]) == sorted(fetched["key"])
    assert kept["total"].sum() + left["total"].sum() == fetched["total"].sum()
    assert all(left["reason"])
    assert all(day <= thru for day in kept["date"])


def test_through_date_is_inclusive_and_undated_rows_stay_for_validation():
    """The last day counts, by its calendar date at any hour; a row without a date is not hidden."""
    dates = ["2026-10-31T23:59:59Z", "2026-11-01T00:00:00Z", ""]
    frame = frame_of(tuple(invoice(n, invoiceDate=text) for n, text in enumerate(dates, start=1)))
    kept, left = frames.select(frame, thru_date=date(2026, 10, 31))

    assert set(kept["key"]) == {"invoice:1", "invoice:3"}
    assert list(left["reason"]) == ["it is dated after 2026-10-31"]


def test_the_day_of_the_cut_over_is_the_first_that_counts():
    """What is dated on it is the kit's; what is dated before was entered by hand."""
    dates = ["2026-10-01T00:00:00Z", "2026-09-30T23:59:59Z"]
    frame = frame_of(tuple(invoice(n, invoiceDate=text) for n, text in enumerate(dates, start=1)))
    kept, left = frames.select(frame, cut_over=date(2026, 10, 1))

    assert list(kept["key"]) == ["invoice:1"]
    assert list(left["reason"]) == ["it is dated before the cut-over of 2026-10-01"]


def test_location_by_id_or_name():
    """Either names the location; one without transactions is refused and the others are named."""
    frame = frame_of((invoice(1), invoice(2, locationId=11, location=ORLANDO)))

    assert list(frames.select(frame, location=11)[0]["key"]) == ["invoice:2"]
    assert list(frames.select(frame, location="ORLANDO")[0]["key"]) == ["invoice:2"]
    assert list(frames.select(frame, location=2)[1]["reason"]) == ["it is not at location 2"]
    with pytest.raises(UsageError, match=r"Tampa \(2\), Orlando \(11\)"):
        frames.select(frame, location="Miami")


def test_kinds_that_are_not_chosen_are_left_out_with_that_reason():
    """Choosing kinds hides nothing."""
    kept, left = frames.select(frame_of((invoice(1),), (expense(2),)), kinds=("invoice",))

    assert list(kept["key"]) == ["invoice:1"]
    assert list(left["reason"]) == ["its kind is not chosen"]


def test_locations_are_those_with_transactions():
    """Count and dollars of each; a location without transactions is not offered."""
    frame = frame_of(
        (
            invoice(1),
            invoice(2, total=Decimal("-0.50")),
            invoice(3, locationId=None, location=None),
        ),
        (expense(4),),
        locations={2: "Tampa", 11: "Orlando", 12: "Miami"},
    )
    listed = frames.locations(frame)

    assert listed.to_numpy().tolist() == [
        [2, "Tampa", 2, Decimal("107.0000")],
        [11, "Orlando", 1, Decimal("31.5000")],
    ]
    assert frames.locations(frame_of()).empty


def test_rows_that_add_up_beyond_any_company_are_refused_by_name():
    """Two rows of one packing slip, each an amount of money, their sum not: the record is named."""
    half = Decimal("9000000000000.00")

    with pytest.raises(
        ConnectWiseUnreadable, match=r"receipt:3-PS-1-purchase add up: .*ten trillion"
    ):
        frame_of(procurement=(received(1, total=half), received(2, total=half)))
