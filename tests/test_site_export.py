"""The export: shapes as the published samples, balance, levels of detail, package flags, quirks."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from sage50kit.sandbox.state import Refused, Site, Switches
from tests.site_forms import A, content, export, invoice, small_site, sums_to_zero


def sample_site() -> Site:
    """The public sample: company 8 with tax code T1 of 20 %, one non-taxable product of 10.00."""
    made = content()
    tables = made["tables"]
    company = next(row for row in tables["companies"] if row["id"] == 101)
    company |= {"id": 8, "identifier": "Angry Fox, Co.", "accountNumber": "ANGRYF01"}
    company |= {"billingTerms": 2, "taxCode": 11, "billToCompany": 8}
    tables["sites"][1]["company"] = 8
    tables["contacts"][1]["company"] = 8
    tables["agreements"], tables["additions"], tables["companyFinance"] = [], [], []
    code = next(row for row in tables["taxCodes"] if row["id"] == 11)
    code |= {"levelOneRate": "0.2", "levelOneTaxCodeXref": "T1", "levelOneAgencyXref": "ANGRYF01"}
    for row in tables["taxCodeXRefs"]:
        if row["taxCode"] == 11 and row["levelOne"] == "NonTaxable":
            row["description"] = "T9"
    line = {"kind": "product", "item": "ONSITE-HR", "price": "10.00", "dropShip": True}
    made["invoices"] = [
        invoice(
            125,
            invoiceNumber="119",
            type="Miscellaneous",
            company=8,
            date="2011-06-20",
            lines=[line],
        )
    ]
    made["firstEntryId"] = 1009
    return Site.load(made)


def test_invoice_has_the_values_of_the_sample():
    """The sample invoice of 10.00, field by field where the sample has a value of its own."""
    (header,) = export(sample_site())["transactions"]

    wanted = {
        "id": 125,
        "glTypeId": "AR",
        "documentDate": "2011-06-20T00:00:00",
        "documentNumber": "119",
        "documentType": "INVOICE",
        "description": "Accounts Receivable",
        "company": {"id": 8, "identifier": "Angry Fox, Co."},
        "companyType": {"id": 1, "name": "Customer"},
        "companyAccountNumber": "ANGRYF01",
        "billingTerms": {"id": 2, "name": "Net 10"},
        "billingTermsXref": "Net 10",
        "dueDays": 10,
        "dueDate": "2011-06-30T00:00:00",
        "billingType": "Miscellaneous",
        "total": Decimal("10.00"),
        "taxable": False,
        "taxGroupRate": Decimal("0.2"),
        "taxAgencyXref": "ANGRYF01",
        "stateTaxXref": "T1",
        "countyTaxXref": "",
        "salesTax": Decimal(0),
    }
    assert {name: header[name] for name in wanted} == wanted


def test_lines_have_the_values_of_the_sample():
    """The product line and its zero tax line: ids around the header's, signs, tax words."""
    (header,) = export(sample_site())["transactions"]
    product, tax = header["detail"]

    assert (product["id"], header["glEntryIds"], tax["id"]) == (1009, "1010", 1011)
    assert (product["quantity"], product["total"], product["itemPrice"]) == (-1, Decimal(-10), 10)
    assert (product["glTypeId"], product["description"]) == ("RP", "Non-Taxable Products")
    assert (product["taxCodeXref"], product["itemTypeXref"]) == ("T9", "Service")
    assert (product["invoiceSummaryOption"], product["locationXref"]) == ("0", "DEFAULT")
    assert (tax["glTypeId"], tax["memo"], tax["description"]) == (
        "ST",
        "Sales Tax",
        "Level 1 Sales Tax",
    )
    assert (tax["taxNote"], tax["taxRate"], tax["taxRatePercent"]) == (
        "AUTOSTAX",
        Decimal("0.2"),
        20,
    )
    assert (tax["taxCodeXref"], tax["taxAgencyXref"], tax["itemTypeXref"]) == ("T9", "", "")


def test_customer_has_rates_in_percent():
    """Customer rates are percentages, group rates fractions (8.2)."""
    (customer,) = export(sample_site())["customers"]

    assert (customer["stateTaxRate"], customer["taxGroupRate"]) == (Decimal("20.0"), Decimal("0.2"))
    assert (customer["stateTaxAgencyXref"], customer["countyTaxAgencyXref"]) == ("ANGRYF01", "")


def test_purchase_has_the_values_of_the_sample():
    """The sample purchase of 50 cables: id text, signs, quirky date, revenue account on the line."""
    line = {
        "id": 1,
        "item": "PATCH10",
        "quantity": "50",
        "received": "50",
        "unitCost": "0.25",
        "closed": True,
        "dateReceived": "2014-05-01T05:21:58Z",
    }
    order = {
        "id": 3,
        "poNumber": "COMPANYBPO",
        "vendor": 201,
        "date": "2014-05-01",
        "lines": [line],
    }
    order |= {
        "vendorInvoiceNumber": "COMPANYBINV",
        "vendorInvoiceDate": "2014-05-01",
        "shipTo": 105,
    }
    site = small_site(purchaseOrders=[order])
    (header,) = export(site)["purchaseTransactions"]
    (detail,) = header["purchaseDetail"]

    assert header["id"] == "PO #COMPANYBPO, Packing Slip: COMPANYBPO"
    assert header["total"] == Decimal("12.50")
    assert (header["vendorInvoiceNumber"], header["dropshipFlag"]) == ("COMPANYBINV", True)
    assert (detail["quantity"], detail["total"]) == (-50, Decimal("-12.50"))
    assert (detail["cost"], detail["itemCost"]) == (Decimal("12.50"), Decimal("0.25"))
    assert (detail["accountNumber"], detail["inventoryAccountNumber"]) == ("4200", "1200")
    assert detail["documentDate"] == "5/1/2014 5:21:58 AM"
    assert site.rows(f"{A}/unpostedprocurement")[0]["unpostedProductId"] == "3-COMPANYBPO-purchase"


def test_dates_are_iso_for_strict_clients():
    """The ISO switch reaches the one quirky date of the export."""
    site = Site.fixtures(switches=Switches(iso_dates=True))
    header = export(site)["purchaseTransactions"][0]

    assert datetime.fromisoformat(header["purchaseDetail"][0]["documentDate"]).year == 2026


def test_every_export_of_the_fixtures_balances():
    """Header plus details is zero, except by the planned penny of 10442 and 10452."""
    made = export(Site.fixtures())
    off = {
        row["documentNumber"]: difference
        for row in made["transactions"]
        if (difference := sums_to_zero(row, "detail"))
    }

    assert off == {"10442": Decimal("0.001"), "10452": Decimal("-0.005")}
    assert not any(
        sums_to_zero(row, "purchaseDetail", "purchaseDetailTax")
        for row in made["purchaseTransactions"]
    )
    for bill in made["expenseBills"]:
        assert bill["total"] == sum(row["total"] for row in bill["detail"])
    for row in made["inventoryTransfers"]:
        assert row["total"] + row["offset"]["total"] == 0


def test_credit_memo_turns_prices_and_totals():
    """A credit memo keeps the sign of quantities and turns prices and totals (8.2)."""
    header = next(
        row for row in export(Site.fixtures())["transactions"] if row["documentNumber"] == "10441"
    )
    product = header["detail"][0]

    assert (header["documentType"], header["total"]) == ("CREDIT MEMO", Decimal("-37.10"))
    assert (product["quantity"], product["itemPrice"]) == (-5, Decimal("-7.00"))
    assert product["total"] == Decimal("35.00")


def test_segment_that_is_empty_leaves_its_delimiter():
    """Orlando has an empty second segment: `4000:`, or `4000-` where support changed it."""
    for delimiter, wanted in ((":", "4000:"), ("-", "4000-")):
        site = Site.fixtures(switches=Switches(account_delimiter=delimiter))
        header = next(r for r in export(site)["transactions"] if r["documentNumber"] == "10399")
        assert (header["accountNumber"], header["detail"][0]["accountNumber"]) == ("1100", wanted)


def test_export_changes_nothing():
    """A preview neither batches nor moves an id nor counts as a write."""
    site = Site.fixtures()
    before = (site.revision, [row["id"] for row in site.rows(f"{A}/unpostedinvoices")])

    first, second = export(site), export(site)

    assert first == second
    assert before == (site.revision, [row["id"] for row in site.rows(f"{A}/unpostedinvoices")])
    assert len(site.rows(f"{A}/batches")) == 3


def test_included_and_excluded_ids_choose():
    """Included ids name invoices, expenses and procurement by their own keys; excluded ones leave out."""
    site = Site.fixtures()
    made = export(site, exportInvoicesFlag=True, includedInvoiceIds=[48101, 48102])
    assert [row["id"] for row in made["transactions"]] == [48101, 48102]
    made = export(
        site, exportProductsFlag=True, includedProductIds=["702-DH-2-purchase", "81-adjustment"]
    )
    assert [row["packingSlip"] for row in made["purchaseTransactions"]] == ["DH-2"]
    assert len(made["adjustmentTransactions"]) == 1
    made = export(site, exportExpensesFlag=True, excludedExpenseIds=[5011, 5012, 5031, 5032, 5033])
    assert [row["vendorNumber"] for row in made["expenseBills"]] == ["E-RGARCIA"]
    assert not made["transactions"]


def test_location_zero_means_all():
    """`locationId` 0 is all locations, 11 only Orlando."""
    site = Site.fixtures()

    assert len(export(site, locationId=0)["transactions"]) == 25
    orlando = export(site, locationId=11)
    assert [row["documentNumber"] for row in orlando["transactions"]] == ["10399", "10433", "10441"]


@pytest.mark.parametrize(("answer", "wanted"), [("document", 1), ("closed", 0), ("ignore", 25)])
def test_thru_date_has_three_answers(answer: Any, wanted: int):
    """Which date `thruDate` compares is a switch; the day itself is included."""
    made = content()
    for row in made["tables"]["members"]:
        row["inactiveFlag"] = False
    site = Site.fixtures(switches=Switches(thru_date=answer))
    if answer == "closed":
        for record in site.records.invoices:
            record.closed_at = datetime(2026, 12, 1)  # noqa: DTZ001

    found = export(site, thruDate="2026-09-28T00:00:00Z", exportInvoicesFlag=True)

    assert len(found["transactions"]) == wanted


def test_a_kind_must_be_asked_for():
    """Without any flag the request is refused."""
    with pytest.raises(Refused, match="invalid") as refused:
        Site.fixtures().call("POST", f"{A}/export", {}, {"batchIdentifier": "1"})

    assert refused.value.status == 400


def test_condensed_merges_lines_and_keeps_every_id():
    """Condensed puts like lines together; the ids it merged stay in `glEntryIds`, so nothing is lost."""
    plain = export(Site.fixtures(), includedInvoiceIds=[48112], exportInvoicesFlag=True)
    merged = export(
        Site.fixtures(),
        includedInvoiceIds=[48112],
        exportInvoicesFlag=True,
        summarizeInvoices="Condensed",
    )

    def ids(made: dict[str, Any]) -> list[int]:
        header = made["transactions"][0]
        listed = [int(text) for text in header["glEntryIds"].split(",")]
        return sorted(listed + [row["id"] for row in header["detail"]])

    services = [row for row in merged["transactions"][0]["detail"] if row["glTypeId"] == "R"]
    assert [(row["total"], row["memo"]) for row in services] == [(Decimal("-99.999"), "Services")]
    assert ids(plain) == ids(merged)


def test_detailed_adds_the_notes():
    """The level of detail changes the words of a line."""
    words = {}
    for level in ("Default", "Detailed"):
        made = export(
            Site.fixtures(),
            includedInvoiceIds=[48101],
            exportInvoicesFlag=True,
            summarizeInvoices=level,
        )
        words[level] = made["transactions"][0]["detail"][0]["memo"]

    assert words == {
        "Default": "Server migration",
        "Detailed": "Server migration - Jane Doe, 9/30 and 10/1",
    }


def package(site: Site, **flags: object) -> None:
    """PATCH the accounting package."""
    operations = [{"op": "replace", "path": name, "value": value} for name, value in flags.items()]
    status, _ = site.call("PATCH", "/finance/accountingPackageSetup/{id}", {"id": "1"}, operations)
    assert status == 200


def test_expenses_follow_the_package_flag():
    """Not as bill: every expense with its offset, no bills."""
    site = Site.fixtures()
    package(site, transferExpensesAsBillFlag=False)
    made = export(site, exportExpensesFlag=True)

    assert not made["expenseBills"]
    first = made["expenses"][0]
    assert (first["accountNumber"], first["offset"]["accountNumber"]) == ("6100", "2100")
    assert first["total"] + first["offset"]["total"] == 0
    assert first["offset"]["id"] == first["id"] + 1


def test_condensed_expense_lines_carry_all_ids():
    """Like expenses become one line; its id is the array of all their GL entries."""
    made = content(
        expenseReports=[
            {"id": 1, "member": 151, "dateStart": "2026-10-05", "dateEnd": "2026-10-11"}
        ],
        expenses=[
            {
                "id": number,
                "report": 1,
                "type": 1,
                "amount": "10.50",
                "date": "2026-10-06",
                "company": 101,
            }
            for number in (1, 2)
        ],
    )
    site = Site.load(made)
    package(site, expenseFormat="Condensed")
    (bill,) = export(site)["expenseBills"]

    assert [(row["total"], len(row["id"])) for row in bill["detail"]] == [(Decimal("21.00"), 4)]


def test_cost_follows_the_cogs_and_stock_flags():
    """Without Include COGS Entries no cost accounts on sales; without SOH no inventory account on receipts."""
    site = Site.fixtures()
    assert (
        export(site, includedInvoiceIds=[48103], exportInvoicesFlag=True)["transactions"][0][
            "detail"
        ][0]["cost"]
        == 490
    )
    package(site, includeCogsEntriesFlag=False, inventorySOHFlag=False)
    line = export(site, includedInvoiceIds=[48103], exportInvoicesFlag=True)["transactions"][0][
        "detail"
    ][0]
    goods = export(site, includedProductIds=["701-PS-1001-purchase"], exportProductsFlag=True)

    assert (line["cost"], line["costAccountNumber"], line["inventoryAccountNumber"]) == (0, "", "")
    assert goods["purchaseTransactions"][0]["purchaseDetail"][0]["inventoryAccountNumber"] == ""


def test_adjustments_come_in_negative():
    """A negative quantity takes goods in; the description starts with the id (8.2)."""
    first, second = export(Site.fixtures(), exportProductsFlag=True)["adjustmentTransactions"]

    assert [row["quantity"] for row in first["adjustmentDetail"]] == [-12]
    assert [row["quantity"] for row in second["adjustmentDetail"]] == [1, 1]
    assert second["adjustmentDescription"].startswith("82-")


def test_what_cannot_be_exported_is_listed_but_left_out():
    """No GL entries: empty description and account. No company account: the export has nothing for it."""
    site = Site.fixtures()
    rows = {row["invoiceNumber"]: row for row in site.rows(f"{A}/unpostedinvoices")}
    exported = {row["documentNumber"] for row in export(site)["transactions"]}

    assert (rows["10453"]["description"], rows["10453"]["accountNumber"]) == ("", "")
    assert (rows["10454"]["description"], rows["10454"]["accountNumber"]) == (
        "Accounts Receivable",
        "",
    )
    assert not {"10453", "10454"} & exported
    other = Site.fixtures(switches=Switches(missing_account="export"))
    assert "10454" in {row["documentNumber"] for row in export(other)["transactions"]}


def test_old_field_names_are_a_switch():
    """Before 2022.1 the ship-to fields were called otherwise (quirk 8)."""
    site = Site.fixtures(switches=Switches(old_field_names=True))
    header = export(site)["transactions"][0]

    assert "shipCompanyAccountNumber" in header
    assert "shipToCompanyAccountNumber" not in header
