"""ConnectWise in the words of the kit, against the local site over HTTP."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import SecretStr

from sage50kit.connectwise.access import Credentials
from sage50kit.connectwise.assumptions import EXPORT_CHUNK
from sage50kit.connectwise.client import Client
from sage50kit.connectwise.site import ConnectWise
from sage50kit.errors import ConnectWiseError, ConnectWiseRejected, ConnectWiseUnreadable
from sage50kit.model import KINDS
from sage50kit.profile import ConnectWiseSettings
from sage50kit.sandbox import faults
from sage50kit.sandbox.generator import generate
from sage50kit.sandbox.serve import running
from sage50kit.sandbox.state import Site

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def connected(site: Site, *rules: faults.Rule) -> Iterator[ConnectWise]:
    """The facade over a served site."""
    with running(site, faults=faults.Faults(list(rules))) as server:
        settings = ConnectWiseSettings(
            site=server.site, company=server.company, client_id=server.client_id
        )
        credentials = Credentials(server.public_key, SecretStr(server.private_key))
        with Client(settings, credentials, pause=lambda seconds: None) as client:
            yield ConnectWise(client)


@pytest.fixture(scope="module")
def reading() -> Iterator[ConnectWise]:
    """A site that the tests only read."""
    with connected(Site.fixtures()) as connectwise:
        yield connectwise


def entry_ids(frame: Any, key: str) -> list[int]:
    return [int(part) for part in frame.loc[frame["key"] == key, "entry_ids"].iloc[0].split(",")]


def test_unposted_transactions_of_every_kind(reading: ConnectWise):
    """All three lists are read whole; each transaction is one row at a named location."""
    frame = reading.unposted(KINDS)

    assert set(frame["kind"]) == set(KINDS)
    assert frame["key"].is_unique
    assert set(frame["location"]) == {"Tampa", "Orlando"}
    assert set(frame["currency"]) == {"USD"}
    row = frame[frame["key"] == "invoice:48102"].iloc[0]
    assert (row["number"], row["date"], row["total"], row["tax"]) == (
        "10432",
        date(2026, 10, 5),
        Decimal("841.25"),
        Decimal("41.25"),
    )


@pytest.mark.parametrize(
    "kinds", [("invoice",), ("adjustment", "transfer"), ("expense", "receipt")]
)
def test_only_the_kinds_that_are_asked_for(reading: ConnectWise, kinds: Any):
    """Kinds that share a list are told apart."""
    everything = reading.unposted(KINDS)
    frame = reading.unposted(kinds)

    assert set(frame["kind"]) == set(kinds)
    assert list(frame["key"]) == list(everything.loc[everything["kind"].isin(kinds), "key"])


def test_detail_of_invoices_agrees_with_their_rows(reading: ConnectWise):
    """The export has each invoice once, with the total of the list, and its GL entry is in it.

    Its lines may hold fractions of a cent, so they meet the total within one.
    """
    frame = reading.unposted(["invoice"])
    frame = frame[frame["left_out"] == ""]
    ids = [int(key.partition(":")[2]) for key in frame["key"]]
    export = reading.export_invoices(ids, detail="Default", batch="preview")

    listed = dict(zip(ids, frame["total"], strict=True))
    assert {row.id: row.total for row in export.transactions} == listed
    for row in export.transactions:
        assert set(entry_ids(frame, f"invoice:{row.id}")) <= set(row.entry_ids)
        assert abs(sum((line.total for line in row.detail), row.total)) < Decimal("0.01")
    assert reading.unposted(["invoice"])["key"].isin(frame["key"]).sum() == len(frame)


def test_many_invoices_are_exported_in_parts():
    """More documents than one call carries come back complete, once each, in the order asked for."""
    with connected(Site.load(generate(EXPORT_CHUNK + 30, 1).dataset)) as connectwise:
        frame = connectwise.unposted(["invoice"])
        ids = [int(key.partition(":")[2]) for key in frame["key"]]
        told: list[tuple[int, int | None]] = []
        export = connectwise.export_invoices(
            ids, detail="Default", batch="preview", progress=lambda *step: told.append(step)
        )

    assert sorted(row.id or 0 for row in export.transactions) == sorted(ids)
    assert len(export.transactions) == EXPORT_CHUNK + 30
    assert sum(row.total or 0 for row in export.transactions) == frame["total"].sum()
    assert told[-1] == (2, 2)


def test_expenses_are_exported_by_group(reading: ConnectWise):
    """One export for each member and report, so that bill and rows can be tied."""
    reports = reading.expense_reports([5011, 5012, 5021])
    assert reports[5011] == reports[5012] != reports[5021]

    first, second = reading.export_expenses([[5011, 5012], [5021]], batch="preview")

    assert [len(first.expense_bills), len(second.expense_bills)] == [1, 1]
    assert len(first.expense_bills[0].detail) == 2
    bill = second.expense_bills[0]
    assert bill.total == sum(row.total or 0 for row in bill.detail)


def test_detail_of_procurement(reading: ConnectWise):
    """Receipts, adjustments and transfers come by their text keys."""
    keys = ["701-PS-1001-purchase", "81-adjustment", "91-transfer"]
    export = reading.export_procurement(keys, batch="preview")

    assert [row.packing_slip for row in export.purchase_transactions] == ["PS-1001"]
    assert [row.number for row in export.adjustment_transactions] == ["81"]
    assert {row.transfer_id for row in export.inventory_transfers} == {91}


def test_batch_from_creation_to_deletion():
    """A batch holds the entries named; its documents leave the list and come back with its deletion."""
    with connected(Site.fixtures()) as connectwise:
        frame = connectwise.unposted(["invoice"])
        [invoice] = connectwise.export_invoices(
            [48101], detail="Default", batch="preview"
        ).transactions
        ids = {*invoice.entry_ids, *(i for row in invoice.detail for i in row.entry_ids)}
        assert connectwise.find_batch("20261031JD-I") is None

        connectwise.create_batch("20261031JD-I", kinds={"invoice"}, entry_ids=sorted(ids))

        found = connectwise.find_batch("20261031jd-i")
        assert found is not None
        assert (found.batch_identifier, found.export_invoices_flag) == ("20261031JD-I", True)
        assert {row.id for row in connectwise.batch_entries(found.id)} == ids
        assert connectwise.batch_identifiers("20261031JD") == ["20261031JD-I"]
        assert connectwise.batch_identifiers("20261030") == []
        again = connectwise.batch_export(found.id, kinds={"invoice"})
        assert [row.id for row in again.transactions] == [48101]
        assert "invoice:48101" not in set(connectwise.unposted(["invoice"])["key"])

        connectwise.delete_batch(found.id)

        assert connectwise.find_batch("20261031JD-I") is None
        assert list(connectwise.unposted(["invoice"])["key"]) == list(frame["key"])


def test_taken_batch_number_is_refused_and_changes_nothing():
    """The second batch of a number is refused; the first keeps its entries."""
    with connected(Site.fixtures()) as connectwise:
        frame = connectwise.unposted(["invoice"])
        first, second = entry_ids(frame, "invoice:48101"), entry_ids(frame, "invoice:48102")
        connectwise.create_batch("B-1", kinds={"invoice"}, entry_ids=first)

        with pytest.raises(ConnectWiseRejected):
            connectwise.create_batch("B-1", kinds={"invoice"}, entry_ids=second)

        found = connectwise.find_batch("B-1")
        assert found is not None
        assert [row.id for row in connectwise.batch_entries(found.id)] == first


def test_creating_a_batch_is_never_repeated():
    """Silence after the call is raised as sent; one look tells that the batch is there."""
    hang_up = faults.Rule(
        faults.dropped(after_effect=True), path="/accounting/batches", method="POST"
    )
    with connected(Site.fixtures(), hang_up) as connectwise:
        ids = entry_ids(connectwise.unposted(["invoice"]), "invoice:48101")

        with pytest.raises(ConnectWiseError) as caught:
            connectwise.create_batch("B-1", kinds={"invoice"}, entry_ids=ids)

        assert getattr(caught.value, "sent", False)
        assert connectwise.batch_identifiers("B-1") == ["B-1"]
        assert hang_up.count == 1


@pytest.mark.parametrize(
    "fault", [faults.too_many(retry_after=1), faults.failing(503), faults.page(502)]
)
def test_export_survives_a_busy_server(fault: faults.Fault):
    """An export changes nothing, so it is asked for again."""
    with connected(
        Site.fixtures(), faults.Rule(fault, path="/accounting/export", method="POST")
    ) as connectwise:
        export = connectwise.export_invoices([48101], detail="Default", batch="preview")

    assert [row.id for row in export.transactions] == [48101]


@pytest.mark.parametrize("body", ['{"id": 1}', '[{"id": 1, "total": "ten"}]', "[5]"])
def test_a_list_that_is_not_as_published_is_not_half_read(body: str):
    """A wrong page ends the fetch with the path; no partial frame comes back."""
    wrong = faults.Rule(faults.answer(200, body), path="/unpostedexpenses", on=())
    with (
        connected(Site.fixtures(), wrong) as connectwise,
        pytest.raises(ConnectWiseUnreadable, match="unpostedexpenses"),
    ):
        connectwise.unposted(["expense"])


def test_setup_tables(reading: ConnectWise):
    """The tables that validation and mapping need, as models by id."""
    package = reading.package_setup()
    assert package is not None
    assert package.transfer_expenses_as_bill_flag is True
    codes = {code.identifier: code for code in reading.tax_codes()}
    assert any(len(code.levels) == 3 for code in codes.values())
    assert all(code.levels[0].agency_xref for code in codes.values() if code.levels)
    assert reading.gl_accounts()
    assert any(kind == "Account" for row in reading.gl_captions() for _, kind in row.segments)
    assert {2: "Tampa", 11: "Orlando"}.items() <= reading.locations().items()
    assert reading.info().version


def test_records_around_a_transaction(reading: ConnectWise):
    """Companies and members by id, products by product id; what is not asked for is not read."""
    export = reading.export_invoices([48101], detail="Default", batch="preview")
    company = export.transactions[0].company
    assert company is not None
    assert company.id is not None
    found = reading.companies([company.id])
    assert found[company.id].account_number == export.transactions[0].company_account_number
    bill = reading.export_expenses([[5011]], batch="preview")[0].expense_bills[0]
    assert bill.member is not None
    assert bill.member.id is not None
    assert reading.members([bill.member.id])[bill.member.id].vendor_number == bill.vendor_number
    receipt = reading.export_procurement(["701-PS-1001-purchase"], batch="preview")
    items = [row.item for row in receipt.purchase_transactions[0].purchase_detail if row.item]
    identifiers = [item.identifier for item in items if item.identifier]
    assert set(reading.catalog(identifiers)) == set(identifiers)
    assert reading.companies([]) == reading.members([]) == reading.catalog([]) == {}
