"""What the embedded company refuses or warns of, and that a refusal leaves no trace in the file."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from sage50kit.connectors.embedded import EmbeddedCompany
from sage50kit.errors import CompanyError, DocumentRefused
from sage50kit.model import Account, Address, Customer, Item, Vendor
from tests.embedded_company import (
    adjustment,
    content,
    credit_memo,
    document,
    invoice,
    journal,
    line,
    new_company,
    purchase,
)

SALE = line("4000", "-5.00")
BILL = line("6200", "5.00")


@pytest.fixture(scope="module")
def company(tmp_path_factory):
    """One company for all refusals: none of them may change it."""
    with new_company(tmp_path_factory.mktemp("refusals")) as company:
        company.post(invoice("TAKEN", SALE))
        company.post(purchase("BILL-1", BILL))
        yield company


REFUSED = {
    "unknown customer": (
        invoice("1", SALE, party_id="NOBODY"),
        "Customer ID NOBODY does not exist",
    ),
    "no customer": (invoice("1", SALE, party_id=""), "Customer ID is required"),
    "inactive customer": (invoice("1", SALE, party_id="gone"), "Customer gone is inactive"),
    "unknown vendor": (purchase("1", BILL, party_id="NOBODY"), "Vendor ID NOBODY does not exist"),
    "inactive vendor": (purchase("1", BILL, party_id="OLDVEND"), "Vendor OLDVEND is inactive"),
    "unknown account": (
        invoice("1", line("4999", "-5.00")),
        "4999 is not in the chart of accounts",
    ),
    "no account": (invoice("1", line("", "-5.00")), "a G/L account is required"),
    "inactive account": (invoice("1", line("4900", "-5.00")), "4900 is inactive"),
    "unknown control account": (
        invoice("1", SALE, control_account_id="1199"),
        "A/R account: .*1199",
    ),
    "unknown item": (
        invoice("1", line("4000", "-5.00", item_id="NONE")),
        "item NONE does not exist",
    ),
    "inactive item": (
        invoice("1", line("4000", "-5.00", item_id="RETIRED")),
        "item RETIRED is inactive",
    ),
    "long reference": (invoice("X" * 21, SALE), "21 characters; the limit is 20"),
    "long description": (
        invoice("1", line("4000", "-5.00", description="x" * 161)),
        "limit is 160",
    ),
    "long customer order": (invoice("1", SALE, purchase_order="x" * 21), "limit is 20"),
    "long note": (invoice("1", SALE, memo="x" * 2001), "limit is 2000"),
    "control character": (invoice("1\n2", SALE), "control characters"),
    "no number": (invoice("", SALE), "Invoice No. is required"),
    "no lines": (invoice("1"), "has no lines"),
    "fractions of a cent": (invoice("1", line("4000", "-5.005")), "more than two decimals"),
    "duplicate, other case": (
        invoice("taken", SALE, party_id="acme"),
        "taken has already been used",
    ),
    "duplicate bill": (
        purchase("bill-1", BILL),
        "has already been used for vendor DISTRI on 2026-10-15",
    ),
    "closed year": (invoice("1", SALE, posting_date=date(2025, 12, 31)), "closed fiscal year"),
    "before all periods": (
        invoice("1", SALE, posting_date=date(2024, 12, 31)),
        "in no accounting period",
    ),
    "too far ahead": (
        invoice("1", SALE, posting_date=date(2028, 1, 1)),
        "second open fiscal year, which ends on 2027",
    ),
    "unknown tax code": (invoice("1", SALE, tax_code="GA"), "Sales tax code GA does not exist"),
    "tax without code": (
        invoice("1", line("2310", "-1.00", role="tax", tax_agency_id="FLDOR")),
        "no sales tax code",
    ),
    "agency of another code": (
        invoice("1", line("2320", "-1.00", role="tax", tax_agency_id="HILLS"), tax_code="FL"),
        "HILLS is not an agency of sales tax code FL",
    ),
    "unknown agency": (
        invoice("1", line("2310", "-1.00", role="tax", tax_agency_id="X"), tax_code="FL"),
        "agency X does not exist",
    ),
    "tax on another account": (
        invoice("1", line("2320", "-1.00", role="tax", tax_agency_id="FLDOR"), tax_code="FL"),
        "liability account 2310, not 2320",
    ),
    "negative invoice": (invoice("1", line("4000", "5.00")), "enter it as a credit memo"),
    "negative credit memo": (credit_memo("1", SALE), "enter it as a sales invoice"),
    "negative purchase": (purchase("1", line("6200", "-5.00")), "vendor credit memo"),
    "waiting with a number": (purchase("1", BILL, waiting_on_bill=True), "leave Invoice No. blank"),
    "stock without quantity": (purchase("1", line("1200", "5.00", item_id="SWITCH")), "Quantity 0"),
    "one-line journal": (journal("J", line("6200", "0.00")), "2 to 560 lines"),
    "journal with control": (
        journal("J", line("6200", "5.00"), line("1000", "-4.00"), control_account_id="2000"),
        "no control account",
    ),
    "561 lines": (journal("J", *[line("6200", "0.00")] * 561), "not 561"),
    "adjustment without item": (
        document("inventory_adjustment", "A", line("5900", "-5.00", quantity="1")),
        "exactly one item",
    ),
    "adjustment of a service": (adjustment("A", "LABOR", "1", "5.00"), "not a stock item"),
    "adjustment of nothing": (adjustment("A", "SWITCH", "0", "5.00"), "quantity to adjust by"),
    "adjustment of two signs": (adjustment("A", "SWITCH", "1", "-5.00"), "same sign"),
    "long reason": (adjustment("A", "SWITCH", "1", "5.00", memo="x" * 31), "limit is 30"),
    "on hold": (invoice("1", SALE, party_id="HOLD"), r"HOLD \(Always Hold\)"),
    "over the limit on hold": (
        invoice("1", line("4000", "-1000.01"), party_id="HOLD-OVER"),
        r"Hold Over Limit.*1,000\.01; the credit limit is 1,000\.00",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_and_nothing_written(company, name):
    """The reason is said in Sage's words with the document's number, and the file stays as it was."""
    wanted, reason = REFUSED[name]
    before = content(company.path)

    with pytest.raises(DocumentRefused, match=reason) as refusal:
        company.post(wanted)

    assert wanted.label in str(refusal.value)
    assert content(company.path) == before


def test_all_reasons_at_once(company):
    """A document with three troubles names all three."""
    wrong = invoice("", line("4999", "-5.00"), party_id="NOBODY")
    with pytest.raises(DocumentRefused, match=r"(?s)4999.*NOBODY.*Invoice No"):
        company.post(wrong)


@pytest.mark.parametrize(
    ("party_id", "amounts", "warned"),
    [
        ("ACME", ["5000.00", "5000.00"], [False, False]),
        ("NOTIFY-OVER", ["1000.00", "0.01"], [False, True]),
        ("NOTIFY", ["1.00", "1.00"], [True, True]),
        ("HOLD-OVER", ["600.00", "400.00"], [False, False]),
    ],
)
def test_credit_statuses_that_save(tmp_path, party_id, amounts, warned):
    """The seed: no limit says nothing, notify over limit and always notify save and warn."""
    with new_company(tmp_path) as company:
        found = [
            company.post(invoice(f"{n}", line("4000", f"-{amount}"), party_id=party_id)).warnings
            for n, amount in enumerate(amounts)
        ]
    assert [bool(texts) for texts in found] == warned
    assert all(party_id in texts[0] for texts in found if texts)


def test_hold_over_limit_counts_what_is_still_owed(tmp_path):
    """After a credit memo there is room again; the refused invoice can be posted later."""
    with new_company(tmp_path) as company:
        company.post(invoice("1", line("4000", "-900.00"), party_id="HOLD-OVER"))
        second = invoice("2", line("4000", "-200.00"), party_id="HOLD-OVER")
        with pytest.raises(DocumentRefused, match="Hold Over Limit"):
            company.post(second)
        company.post(credit_memo("3", line("4000", "100.00"), party_id="HOLD-OVER"))
        assert company.post(second).warnings == ()
        assert company.books().customer["hold-over"].balance == Decimal(1000)


def test_credit_memo_for_a_customer_on_hold_is_saved(tmp_path):
    """The statuses speak of invoices; a credit memo reduces what is owed."""
    with new_company(tmp_path) as company:
        assert company.post(credit_memo("1", line("4000", "10.00"), party_id="HOLD")).warnings == ()


@pytest.mark.parametrize(
    ("wanted", "text"),
    [
        (invoice("1", SALE, control_account_id="1000"), "A/R account 1000 is of type Cash"),
        (
            purchase("1", BILL, control_account_id="2300"),
            "A/P account 2300 is of type Other Current",
        ),
        (
            adjustment("A", "SWITCH", "1", "5.00", control_account_id="1000"),
            "Inventory account 1000",
        ),
        (invoice("1", SALE, ship_to=Address(line1="x" * 31)), "ship-to address was cut"),
    ],
)
def test_saved_with_a_warning(tmp_path, wanted, text):
    """What Sage only warns of is saved, and the warning comes back."""
    with new_company(tmp_path) as company:
        assert text in company.post(wanted).warnings[0]


def test_same_number_for_another_customer_or_kind(tmp_path):
    """Numbers are unique for a customer and kind of document, not in the whole company."""
    with new_company(tmp_path) as company:
        company.post(invoice("1", SALE))
        company.post(invoice("1", SALE, party_id="ZURICH", key="invoice:2"))
        company.post(credit_memo("1", line("4000", "5.00"), key="invoice:3"))
        assert len(company.documents()) == 3


@pytest.mark.parametrize(
    ("master", "reason"),
    [
        (Customer(customer_id="A*B", name="x"), "cannot contain"),
        (Customer(customer_id="A+B", name="x"), "cannot contain"),
        (Vendor(vendor_id="A?B", name="x"), "cannot contain"),
        (Item(item_id="X" * 21, description="x", item_class="service"), "limit is 20"),
        (Customer(customer_id=" ", name="x"), "Customer ID is required"),
        (Customer(customer_id="NEW", name=""), "name is required"),
        (Customer(customer_id="NEW", name="x", tax_code="GA"), "sales tax code GA does not exist"),
        (
            Item(item_id="NEW", description="x", item_class="stock", cogs_account_id="5999"),
            "5999 does not exist",
        ),
        (
            Item(item_id="NEW", description="x", item_class="stock", price=Decimal("0.000001")),
            "decimals",
        ),
    ],
)
def test_masters_that_are_refused(company, master, reason):
    """A customer, vendor or item that Sage would not take leaves no trace."""
    before = content(company.path)
    with pytest.raises(DocumentRefused, match=reason):
        company.create(master)
    assert content(company.path) == before


def test_create_needs_default_accounts(tmp_path):
    """Without a company-wide default sales account no customer can be created (the seed)."""
    from sage50kit.connectors.embedded import create_company, read_lists
    from tests.embedded_company import LISTS

    books, _ = read_lists(LISTS)
    bare = replace(books, customers=(), vendors=(), items=(), defaults=type(books.defaults)())
    with create_company(tmp_path / "bare.sqlite", bare, name="Bare") as company:
        with pytest.raises(DocumentRefused, match="default G/L sales account is required"):
            company.create(Customer(customer_id="NEW", name="New"))
        with pytest.raises(DocumentRefused, match="default expense account is required"):
            company.create(Vendor(vendor_id="NEW", name="New"))


def test_created_masters_are_complete_and_cut(tmp_path):
    """Names and addresses are cut to Sage's lengths; accounts come from the defaults; ids are looked up."""
    with new_company(tmp_path) as company:
        long = Customer(
            customer_id="New-1 ", name="N" * 45, address=Address(line1="L" * 40, state="Florida")
        )
        assert company.create(long) == "New-1"
        assert company.create(replace(long, customer_id="NEW-1", name="Other")) == "New-1"
        found = company.books().customer["new-1"]
        assert (found.name, found.sales_account_id) == ("N" * 39, "4200")
        assert (found.address.line1, found.address.state) == ("L" * 30, "Fl")
        assert (
            company.create(Item(item_id="GADGET", description="Gadget", item_class="stock"))
            == "GADGET"
        )
        assert company.books().item["gadget"].inventory_account_id == "1200"
        text_only = Item(
            item_id="TXT", description="T", item_class="description_only", sales_account_id="4000"
        )
        company.create(text_only)
        assert company.books().item["txt"].sales_account_id == ""


def test_bookkeeper_adds_and_changes_records(tmp_path):
    """A missing account is added and an inactive one reopened; adding twice is refused."""
    with new_company(tmp_path) as company:
        company.add(Account(account_id="4950", description="Other Revenue", type=21))
        with pytest.raises(DocumentRefused, match="account 4950 already exists"):
            company.add(Account(account_id="4950", description="Again", type=21))
        with pytest.raises(DocumentRefused, match="type 99 does not exist"):
            company.add(Account(account_id="4951", description="x", type=99))
        company.change(Account(account_id="4900", description="Old Revenue", type=21))
        company.post(invoice("1", line("4950", "-5.00"), line("4900", "-5.00")))
        hold = company.books().customer["hold"]
        company.change(replace(hold, credit_status="no_limit", balance=Decimal(7)))
        assert company.books().customer["hold"].balance == 0
        company.post(invoice("2", SALE, party_id="HOLD"))


@pytest.mark.parametrize(
    "wanted",
    [
        pytest.param(purchase("", BILL, waiting_on_bill=True), id="without a number"),
        pytest.param(journal("CW-T7", line("6200", "5.00"), line("1000", "-5.00")), id="journal"),
        pytest.param(adjustment("CW-A7", "SWITCH", "1", "5.00"), id="adjustment"),
        pytest.param(invoice("1", SALE), id="under another number"),
    ],
)
def test_what_stands_under_our_key_is_not_posted_again(tmp_path, wanted):
    """A push that lost its claim posts late: refused with the place, and nothing is written."""
    with new_company(tmp_path) as company:
        place = company.post(wanted).place
        before = content(company.path)
        again = wanted
        if wanted.type == "sales_invoice":
            again = replace(wanted, number="2", reference="2", party_id="ZURICH")
        with pytest.raises(DocumentRefused, match=f"stands in the company already, at {place} "):
            company.post(again)
        assert content(company.path) == before


def test_what_was_voided_or_erased_can_be_posted_again(tmp_path):
    """Only a living document keeps its key."""
    with new_company(tmp_path) as company:
        company.void(company.post(invoice("1", SALE)).place, on=date(2026, 10, 20))
        company.delete(company.post(invoice("1", SALE)).place)
        company.post(invoice("1", SALE))
        assert [row.voided for row in company.documents()].count(False) == 1


def test_a_document_may_keep_its_own_number(tmp_path):
    """Renumbered to what it is, or to the same in another case; another's number stays refused."""
    with new_company(tmp_path) as company:
        place = company.post(invoice("a-1", SALE)).place
        company.post(invoice("A-2", SALE))
        assert company.renumber(place, "a-1").stored.reference == "a-1"
        assert company.renumber(place, "A-1").stored.reference == "A-1"
        with pytest.raises(DocumentRefused, match="a-2 has already been used"):
            company.renumber(place, "a-2")


def test_places_that_do_not_exist(company):
    """A wrong place is an error, not an empty answer."""
    for place in ("SJ-99999", "PJ-1", "nonsense", ""):
        with pytest.raises(CompanyError, match="no document at"):
            company.gl_entries(places=[place])


def test_paid_documents_and_reversals_cannot_be_voided(tmp_path):
    """Sage wants the receipt voided first; a reversal stays; a void is not dated before the document."""
    with new_company(tmp_path) as company:
        sold = company.post(invoice("1", SALE))
        with pytest.raises(DocumentRefused, match="before its date 2026-10-15"):
            company.void(sold.place, on=date(2026, 10, 14))
        with pytest.raises(DocumentRefused, match="closed fiscal year"):
            company.void(sold.place, on=date(2025, 10, 14))
        paid = company.enter_receipt(
            "ACME", reference="CK1", date=date(2026, 10, 20), applied={"1": Decimal(5)}
        )
        with pytest.raises(DocumentRefused, match="payments or credits applied"):
            company.void(sold.place, on=date(2026, 10, 21))
        company.void_receipt(paid.place, on=date(2026, 10, 22))
        reversal = company.void(sold.place, on=date(2026, 10, 22))
        with pytest.raises(DocumentRefused, match="reversal"):
            company.void(reversal.place, on=date(2026, 10, 23))


@pytest.mark.parametrize("who", ["another program", "the same"])
def test_lists_are_as_they_are_when_a_document_is_posted(tmp_path, who):
    """What was read for the document before does not count once a list was changed, whoever did it."""
    with new_company(tmp_path) as company, EmbeddedCompany(company.path) as other:
        company.post(invoice("1", SALE))
        editor = other if who == "another program" else company
        (account,) = (row for row in company.books().accounts if row.account_id == "4000")
        editor.change(replace(account, inactive=True))

        with pytest.raises(DocumentRefused, match="4000 is inactive"):
            company.post(invoice("2", SALE))


def test_a_file_that_is_opened_again_is_read_again(tmp_path):
    """Nothing is remembered of the file that was let go."""
    with new_company(tmp_path) as company:
        company.post(invoice("1", SALE))
        company.close()
        with EmbeddedCompany(company.path) as other:
            (account,) = (row for row in other.books().accounts if row.account_id == "4000")
            other.change(replace(account, inactive=True))

        with pytest.raises(DocumentRefused, match="4000 is inactive"):
            company.post(invoice("2", SALE))


def test_the_last_cost_is_that_of_the_document_before(tmp_path):
    """Goods sold below zero cost what the latest purchase cost."""
    with new_company(tmp_path, opening_stock=()) as company:
        costs = []
        for number, amount in enumerate(("100.00", "300.00")):
            bill = line("1200", amount, item_id="SWITCH", quantity="1")
            company.post(purchase(f"B{number}", bill))
            sale = line("4000", "-500.00", item_id="SWITCH", quantity="2")
            posted = company.post(invoice(f"S{number}", sale))
            costs.append(sum(row.debit for row in posted.stored.entries if row.made_by == "sage"))
            company.post(purchase(f"C{number}", replace(bill, amount=Decimal(amount))))

    assert costs == [Decimal("200.00"), Decimal("600.00")]
