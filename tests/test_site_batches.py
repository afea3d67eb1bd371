"""The life of a batch: made of GL entry ids, listed, exported again, deleted; each rule with both answers."""

from __future__ import annotations

from typing import Any

import pytest

from sage50kit.sandbox.state import Refused, Site, Switches
from tests.site_forms import ALL, A, batch, entry_ids, export, invoice, small_site

KEY = "invoice:48101"


def refusal(site: Site, **fields: Any) -> Refused:
    """The refusal of POST batches."""
    body = {"batchIdentifier": "B1", "processedRecordIds": [1001]} | ALL | fields
    with pytest.raises(Refused) as refused:
        site.call("POST", f"{A}/batches", {}, body)
    return refused.value


def listed(site: Site) -> list[int]:
    """The unposted invoices."""
    return [row["billingLogId"] for row in site.rows(f"{A}/unpostedinvoices")]


def test_batch_answers_the_export_and_takes_the_record_off_the_list():
    """201 with a GLExport; the batch is found by its identifier; its entries are those that were named."""
    site = small_site(invoice(48101), invoice(48102))
    ids = entry_ids(site, KEY)
    body = {
        "batchIdentifier": "20261031JD-I",
        "exportInvoicesFlag": True,
        "processedRecordIds": ids,
    }

    status, answer = site.call("POST", f"{A}/batches", {}, body)

    assert status == 201
    assert isinstance(answer, dict)
    assert [row["id"] for row in answer["transactions"]] == [48101]
    assert "batchIdentifier" not in answer
    (made,) = site.rows(f"{A}/batches")
    assert made["batchIdentifier"] == "20261031JD-I"
    assert (made["exportInvoicesFlag"], made["exportProductsFlag"]) == (True, False)
    assert [row["id"] for row in site.rows(f"{A}/batches/{{parentId}}/entries", ("1",))] == ids
    assert listed(site) == [48102]


def test_entries_show_debit_and_credit():
    """The entries of a batched invoice balance, each on one side."""
    site = small_site()
    number = batch(site, "B1", entry_ids(site, KEY))
    rows = site.rows(f"{A}/batches/{{parentId}}/entries", (str(number),))

    assert sum(row["debit"] for row in rows) == sum(row["credit"] for row in rows) == 150
    assert all(not (row["debit"] and row["credit"]) for row in rows)
    assert {row["accountType"] for row in rows} == {"Accounts Receivable", "Revenue", "Sales Tax"}


def test_record_stays_listed_until_all_its_entries_are_batched():
    """Half a record in a batch leaves it on the list; the rest in another batch takes it off."""
    site = small_site()
    first, *rest = entry_ids(site, KEY)

    batch(site, "B1", [first])
    assert listed(site) == [48101]
    batch(site, "B2", rest)
    assert listed(site) == []


def test_naming_one_entry_may_batch_the_record():
    """The other answer: one id named batches all entries of its record."""
    site = small_site(switches=Switches(partial_records="document"))
    batch(site, "B1", entry_ids(site, KEY)[:1])

    assert listed(site) == []


def test_every_kind_is_batched_by_the_ids_of_its_export():
    """The ids a client finds in lists and export (5.2) are all there are: afterwards every list is empty."""
    site = Site.fixtures()
    made = export(site)
    ids: list[int] = []
    for row in made["transactions"]:
        ids += [int(text) for text in row["glEntryIds"].split(",")] + [
            d["id"] for d in row["detail"]
        ]
    ids += [number for bill in made["expenseBills"] for d in bill["detail"] for number in d["id"]]
    for row in made["purchaseTransactions"]:
        ids += [d["id"] for d in row["purchaseDetail"] + row["purchaseDetailTax"]]
    ids += [row["offset"]["id"] for row in made["inventoryTransfers"]]
    named = {"Adjustment", "Transfer"}
    ids += [r["id"] for r in site.rows(f"{A}/unpostedprocurement") if r["procurementType"] in named]

    batch(site, "all", ids)

    assert listed(site) == [48123, 48124]  # cannot be exported
    assert not site.rows(f"{A}/unpostedexpenses")
    assert not site.rows(f"{A}/unpostedprocurement")


def test_deleted_batch_gives_its_records_back():
    """DELETE answers 204; the records are listed again and can join another batch."""
    site = small_site()
    number = batch(site, "B1", entry_ids(site, KEY))

    assert site.call("DELETE", f"{A}/batches/{{id}}", {"id": str(number)}, None) == (204, None)

    assert listed(site) == [48101]
    assert not site.rows(f"{A}/batches")
    batch(site, "B1", entry_ids(site, KEY))


def test_batch_can_be_exported_again():
    """The rerun shows what is in the batch, and nothing of what is not."""
    site = small_site(invoice(48101), invoice(48102))
    number = batch(site, "B1", entry_ids(site, KEY))
    status, made = site.call("POST", f"{A}/batches/{{id}}/export", {"id": str(number)}, ALL)

    assert status == 200
    assert isinstance(made, dict)
    assert [row["id"] for row in made["transactions"]] == [48101]


@pytest.mark.parametrize(("answer", "status"), [("object_exists", 400), ("conflict", 409)])
def test_taken_identifier_is_refused(answer: Any, status: int):
    """A taken identifier, in whatever case, is refused with inner ObjectExists; the status is a switch."""
    site = small_site(invoice(48101), invoice(48102), switches=Switches(taken_identifier=answer))
    batch(site, "B1", entry_ids(site, KEY))

    refused = refusal(
        site, batchIdentifier="b1", processedRecordIds=entry_ids(site, "invoice:48102")
    )

    assert (refused.status, refused.code) == (status, "InvalidObject")
    assert refused.errors[0]["code"] == "ObjectExists"
    assert listed(site) == [48102]


def test_empty_unknown_and_batched_records_are_refused_and_nothing_is_applied():
    """Each of the three: 400, no batch made, the good ids beside them untouched."""
    site = small_site(invoice(48101), invoice(48102))
    batch(site, "B0", entry_ids(site, KEY))
    good = entry_ids(site, "invoice:48102")

    for bad in ([], [*good, 999_999], [*good, entry_ids(site, KEY)[0]]):
        assert refusal(site, processedRecordIds=bad).status == 400
    assert listed(site) == [48102]
    assert len(site.rows(f"{A}/batches")) == 1


def test_other_answers_for_records():
    """Ignoring switches: the empty list makes an empty batch, unknown and batched ids are passed over."""
    switches = Switches(empty_records="accept", unknown_records="ignore", batched_records="ignore")
    site = small_site(invoice(48101), invoice(48102), switches=switches)
    batch(site, "B0", [])
    batch(site, "B1", entry_ids(site, KEY))

    batch(site, "B2", [*entry_ids(site, "invoice:48102"), entry_ids(site, KEY)[0], 999_999])

    assert listed(site) == []


def test_batch_needs_a_kind_and_an_identifier():
    """No flag, no identifier, 51 characters, an id of another kind: refused."""
    site = small_site()
    ids = entry_ids(site, KEY)
    none = dict.fromkeys(ALL, False)

    assert refusal(site, processedRecordIds=ids, **none).status == 400
    assert refusal(site, processedRecordIds=ids, batchIdentifier="").status == 400
    assert refusal(site, processedRecordIds=ids, batchIdentifier="x" * 51).status == 400
    assert refusal(site, processedRecordIds=ids, exportInvoicesFlag=False).status == 400
    assert listed(site) == [48101]


def test_closed_batches_may_be_hidden():
    """A closed batch is seen or hidden by switch, and can never be deleted."""
    for answer, seen in (("visible", 1), ("hidden", 0)):
        site = small_site(switches=Switches(closed_batches=answer))  # type: ignore[arg-type]
        number = batch(site, "B1", entry_ids(site, KEY))
        site.ledger.batches[number].closed = True
        site.changed()
        assert len(site.rows(f"{A}/batches")) == seen
        with pytest.raises(Refused):
            site.call("DELETE", f"{A}/batches/{{id}}", {"id": str(number)}, None)


def test_entry_ids_of_a_batch_may_be_its_own():
    """Whether BatchEntry.id is the GL entry id nobody could verify."""
    site = small_site(switches=Switches(entry_ids="own"))
    number = batch(site, "B1", entry_ids(site, KEY))
    rows = site.rows(f"{A}/batches/{{parentId}}/entries", (str(number),))

    assert not {row["id"] for row in rows} & set(entry_ids(site, KEY))


def test_unknown_batch_is_not_found():
    """Entries, export and deletion of a batch that is not there: 404."""
    site = small_site()
    with pytest.raises(Refused) as refused:
        site.rows(f"{A}/batches/{{parentId}}/entries", ("7",))
    assert refused.value.status == 404


def test_purchase_order_is_unbatched_and_batched_again():
    """unbatch brings the receipts back to the list, rebatch into the same batch."""
    site = Site.fixtures()
    path = "/procurement/purchaseorders/{id}/"

    def receipts() -> set[str]:
        return {r["unpostedProductId"] for r in site.rows(f"{A}/unpostedprocurement")}

    assert "699-PS-0900-purchase" not in receipts()
    assert site.call("POST", f"{path}unbatch", {"id": "699"}, None)[0] == 201
    assert "699-PS-0900-purchase" in receipts()
    assert site.call("POST", f"{path}rebatch", {"id": "699"}, None)[0] == 201
    assert "699-PS-0900-purchase" not in receipts()
    for command in ("rebatch", "unbatch"):
        with pytest.raises(Refused):
            site.call("POST", path + command, {"id": "701"}, None)
