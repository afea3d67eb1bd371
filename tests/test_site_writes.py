"""Reopening, payments, purchase orders, setup rows."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from sage50kit.sandbox.state import Refused, Site, Switches
from tests.site_forms import A, batch, entry_ids, export, invoice, small_site

KEY = "invoice:48101"
PAYMENTS = "/finance/invoices/{parentId}/payments"


def patch(site: Site, template: str, at: dict[str, str], **values: Any) -> Any:
    """PATCH with one replace for each value."""
    operations = [
        {"op": "replace", "path": f"/{name}", "value": value} for name, value in values.items()
    ]
    return site.call("PATCH", template, at, operations)[1]


def status(site: Site, name: str) -> Any:
    """Set the billing status of the invoice."""
    return patch(site, "/finance/invoices/{id}", {"id": "48101"}, status={"name": name})


def test_reopened_invoice_loses_its_entries_and_gets_fresh_ones():
    """Open: gone from list and entries. Closed again: new, higher ids; the old ones are unknown."""
    site = small_site()
    before = entry_ids(site, KEY)

    assert status(site, "New")["status"]["isClosed"] is False
    assert not site.rows(f"{A}/unpostedinvoices")
    assert not site.rows("/finance/invoices/{parentId}/glEntries/", ("48101",))
    status(site, "Closed")

    after = entry_ids(site, KEY)
    assert min(after) > max(before)
    assert len(after) == len(before)
    with pytest.raises(Refused):
        batch(site, "B1", before)


def test_accounts_are_frozen_until_the_invoice_is_closed_again():
    """A changed product type reaches the invoice only by reopening and closing it (8.1)."""
    line = {"kind": "product", "item": "PATCH10", "price": "7.00"}
    site = small_site(invoice(lines=[line]))

    def account() -> str:
        return str(export(site)["transactions"][0]["detail"][0]["accountNumber"])

    patch(site, "/procurement/catalog/{id}", {"id": "723"}, type={"id": 2, "name": "Software"})
    assert account() == "4200"
    status(site, "New")
    status(site, "Closed")
    assert account() == "4210"


def test_batched_invoice_cannot_be_reopened():
    """An invoice in a batch keeps its entries."""
    site = small_site()
    batch(site, "B1", entry_ids(site, KEY))

    with pytest.raises(Refused):
        status(site, "New")


def test_closing_makes_the_missing_entries():
    """An invoice without GL entries gets them when it is reopened and closed, as the finding advises."""
    site = small_site(invoice(glEntries=False))
    status(site, "New")
    status(site, "Closed")

    assert site.rows(f"{A}/unpostedinvoices")[0]["description"] == "Accounts Receivable"


def test_invoice_of_a_company_without_account_cannot_be_closed():
    """Newer servers refuse it (8.1)."""
    site = small_site(invoice(company=111, status=1))
    with pytest.raises(Refused, match="invalid"):
        status(site, "Closed")


def test_gl_entry_takes_another_account():
    """PATCH of a GL entry changes its frozen account until it is batched."""
    site = small_site()
    first = entry_ids(site, KEY)[0]
    at = {"parentId": "48101", "id": str(first)}
    template = "/finance/invoices/{parentId}/glEntries/{id}"

    assert patch(site, template, at, segment1="4100", segment2="01")["segment1"] == "4100"
    assert export(site)["transactions"][0]["detail"][0]["accountNumber"] == "4100:01"
    batch(site, "B1", entry_ids(site, KEY))
    with pytest.raises(Refused):
        patch(site, template, at, segment1="4000")


def pay(site: Site, amount: str, **more: Any) -> Any:
    """POST a payment."""
    body = {"type": "P", "amount": Decimal(amount), "paymentDate": "2026-10-20T00:00:00Z"} | more
    return site.call("POST", PAYMENTS, {"parentId": "48101"}, body)


def balance(site: Site) -> Decimal:
    """The balance of the invoice."""
    row = site.rows("/finance/invoices")[0]
    assert row["total"] == row["payments"] + row["credits"] + row["balance"]
    return Decimal(row["balance"])


def test_payment_changes_the_balance():
    """POST, PATCH, PUT and DELETE each show in payments and balance."""
    site = small_site()
    code, made = pay(site, "100.00")
    at = {"parentId": "48101", "id": str(made["id"])}

    assert (code, made["invoiceBalance"], balance(site)) == (
        201,
        Decimal("50.00"),
        Decimal("50.00"),
    )
    patch(site, f"{PAYMENTS}/{{id}}", at, amount="120.00")
    assert balance(site) == Decimal("30.00")
    site.call("PUT", f"{PAYMENTS}/{{id}}", at, {"amount": Decimal(10), "type": "P"})
    assert balance(site) == Decimal("140.00")
    assert site.call("DELETE", f"{PAYMENTS}/{{id}}", at, None)[0] == 204
    assert balance(site) == Decimal("150.00")


def test_the_id_of_a_deleted_payment_is_not_given_again():
    """As in a real database: our keys in Sage 50 are made of such ids."""
    site = small_site()
    first = pay(site, "100.00")[1]["id"]
    site.call("DELETE", f"{PAYMENTS}/{{id}}", {"parentId": "48101", "id": str(first)}, None)
    assert pay(site, "20.00")[1]["id"] != first


def test_second_payment_is_refused_or_overwrites():
    """One payment for each invoice: the second POST is 400, by switch it replaces the first."""
    site = small_site()
    pay(site, "100.00")
    with pytest.raises(Refused) as refused:
        pay(site, "20.00")
    assert refused.value.status == 400
    other = small_site(switches=Switches(second_payment="overwrite"))
    pay(other, "100.00")
    pay(other, "20.00")

    assert (balance(site), balance(other)) == (Decimal("50.00"), Decimal("130.00"))
    assert len(other.rows(PAYMENTS, ("48101",))) == 1


def test_over_payment_is_refused_or_cut():
    """More than is owed is 400 and changes nothing, by switch it is cut to the total."""
    site = small_site()
    with pytest.raises(Refused):
        pay(site, "150.01")
    assert not site.rows(PAYMENTS, ("48101",))
    other = small_site(switches=Switches(over_payment="cut"))
    pay(other, "900.00")

    assert (balance(site), balance(other)) == (Decimal("150.00"), Decimal(0))


def test_credits_of_connectwise_count():
    """Payments and ConnectWise's own credits together never exceed the total."""
    site = small_site(invoice(credits="100.00"))
    with pytest.raises(Refused):
        pay(site, "60.00")
    pay(site, "50.00")

    assert balance(site) == 0


def test_portal_payments_are_listed_and_cannot_be_changed():
    """WisePay payments stay unposted (design 9.13)."""
    site = Site.fixtures()
    (row,) = site.rows(f"{A}/unpostedpayments")

    assert row["wisePayPayment"]["wisePayReference"] == "WP-20261013-0017"
    with pytest.raises(Refused):
        site.call("DELETE", f"{PAYMENTS}/{{id}}", {"parentId": "48108", "id": str(row["id"])}, None)


def test_vendor_invoice_number_arrives_later():
    """A receipt waiting on the bill gets its number by PATCH of the purchase order."""
    site = Site.fixtures()
    patch(
        site,
        "/procurement/purchaseorders/{id}",
        {"id": "702"},
        vendorInvoiceNumber="DH-60001",
        vendorInvoiceDate="2026-10-30T00:00:00Z",
    )
    rows = export(site, includedProductIds=["702-DH-1-purchase"], exportProductsFlag=True)

    assert rows["purchaseTransactions"][0]["vendorInvoiceNumber"] == "DH-60001"
    assert rows["purchaseTransactions"][0]["vendorInvoiceDate"] == "2026-10-30T00:00:00"


def test_closing_a_received_line_lists_its_packing_slip():
    """PO 4478 is received but open; closing its line makes GL entries."""
    site = Site.fixtures()
    at = {"parentId": "708", "id": "13"}
    patch(site, "/procurement/purchaseorders/{parentId}/lineitems/{id}", at, closedFlag=True)

    assert "708-DH-12-purchase" in {
        r["unpostedProductId"] for r in site.rows(f"{A}/unpostedprocurement")
    }


def test_setup_rows_are_patched_and_read_back():
    """A company's vendor number, a member's, and the path's last payment sync."""
    site = Site.fixtures()
    patch(site, "/company/companies/{id}", {"id": "201"}, vendorIdentifier="INGRAM2")
    patch(site, "/system/members/{id}", {"id": "151"}, vendorNumber="E2")
    patch(site, "/finance/glpaths/{id}", {"id": "1"}, lastPaymentSync="2026-11-01T00:00:00Z")

    made = export(site)
    assert {row["vendorNumber"] for row in made["vendors"]} >= {"INGRAM2", "E2"}
    assert site.rows("/finance/glpaths")[0]["lastPaymentSync"] == "2026-11-01T00:00:00Z"


def test_path_inside_a_reference_changes_nothing():
    """The false 200 of the real site (quirk 24)."""
    site = Site.fixtures()
    operation = {"op": "replace", "path": "/billingTerms/id", "value": 1}
    code, row = site.call("PATCH", "/company/companies/{id}", {"id": "101"}, [operation])

    assert code == 200
    assert isinstance(row, dict)
    assert row["billingTerms"]["id"] == 3


def test_what_is_not_modelled_is_unknown():
    """An unmodelled collection or command is a KeyError, which HTTP answers with 501."""
    site = Site.fixtures()
    with pytest.raises(KeyError):
        site.rows("/service/tickets")
    with pytest.raises(KeyError):
        site.call("POST", "/system/bundles", {}, {})
    assert ("GET", "/finance/invoices/{id}/pdf") not in site.modelled()


def test_every_write_counts_as_a_revision():
    """HTTP keeps lists for each revision, so a write must move it."""
    site = small_site()
    before = site.revision
    pay(site, "1.00")

    assert site.revision == before + 1
