"""Every finding of validation can be brought about, names its record and says what to do.

Most have a golden case. The rest are one change to a golden case each, so that nothing else is wrong.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from sage50kit.batch.planning import Prepared, check
from sage50kit.issues import CATALOGUE
from sage50kit.model import Account, Customer, StoredDocument, canonical, token
from sage50kit.model.content import text
from sage50kit.profile import PushSettings
from sage50kit.pushlog import LoggedDocument
from tests import embedded_company as books
from tests import golden

if TYPE_CHECKING:
    from collections.abc import Callable

    from sage50kit.issues import Issue
    from sage50kit.model import Document

INVOICE, RECEIPT, BILL = "standard_stock_one", "receipt_stock_none", "bill_three_rows"
JOURNAL, TRANSFER = "expense_journal_one", "transfer_other_account"
ITSELF, OTHER = "itself", "another"


# --- one change to a golden case ----------------------------------------------------------------


def head(export: dict[str, Any]) -> dict[str, Any]:
    """The one document of an export."""
    tables = ("transactions", "purchaseTransactions", "expenseBills")
    return next(export[table][0] for table in tables if export.get(table))


def line(export: dict[str, Any]) -> dict[str, Any]:
    """The first line of the one document."""
    document = head(export)
    return (document.get("detail") or document["purchaseDetail"])[0]


def nothing(_: dict[str, Any]) -> None:
    """Leave the export as it is."""


def held(name: str, whose: str, **other: Any) -> Callable[[Any], list[tuple[StoredDocument, ...]]]:
    """A company that holds the document of a case already, under our key or somebody else's."""

    def found(documents: Any) -> list[tuple[StoredDocument, ...]]:
        return [
            (
                StoredDocument(
                    place=f"{name} 77",
                    type=row.type,
                    party_id=row.party_id,
                    reference=row.reference,
                    posting_date=row.posting_date,
                    due_date=row.due_date,
                    total=other.get("total", row.total),
                    token=token(row.key) if whose == ITSELF else "",
                ),
            )
            for row in documents
        ]

    return found


def with_books(name: str, **lists: Any) -> dict[str, Any]:
    return {"books": replace(golden.books(name), **lists)}


def inactive_vendor() -> dict[str, Any]:
    vendors = golden.books(RECEIPT).vendors
    return with_books(RECEIPT, vendors=tuple(replace(row, inactive=True) for row in vendors))


def no_default_accounts() -> dict[str, Any]:
    defaults = replace(golden.books(INVOICE).defaults, sales_account_id="")
    return with_books(INVOICE, defaults=defaults)


def listed_as(**other: Any) -> dict[str, Any]:
    rows = golden.transactions(INVOICE)[0]
    return {"transactions": [replace(row, **other) for row in rows]}


def twice(export: dict[str, Any]) -> None:
    """The same invoice once more, under another id."""
    export["transactions"].append({**head(export), "id": 1, "glEntryIds": "1"})


def both() -> dict[str, Any]:
    rows = golden.transactions(INVOICE)[0]
    return {"transactions": [*rows, replace(rows[0], key="invoice:1")]}


def nobodys_bill(export: dict[str, Any]) -> None:
    """A second bill in the export of one report, which names GL entries that nobody listed."""
    export["expenseBills"].append(
        {**head(export), "id": 1, "detail": [{**line(export), "id": [1]}]}
    )


def once_posted() -> LoggedDocument:
    """What the push log says of a document that was posted and is gone."""
    document = golden.documents(INVOICE)[0]
    return LoggedDocument(
        key=KEY,
        generation=1,
        part=1,
        batch="B-0",
        state="posted",
        fingerprint=document.fingerprint,
        place="SJ 7",
        reason="",
        content=text(canonical(document)),
    )


KEY = golden.transactions(INVOICE)[0][0].key
NOT_CREATED = {"push": PushSettings(create=())}
# code -> case, change to its export, and what planning is given besides
CHANGES: dict[str, tuple[str, Callable[[dict[str, Any]], object], dict[str, Any]]] = {
    "customer_id_missing": (INVOICE, lambda e: head(e).update(companyAccountNumber=""), {}),
    "vendor_unknown": (RECEIPT, lambda e: head(e).update(vendorNumber="NOBODY"), NOT_CREATED),
    "vendor_inactive": (RECEIPT, nothing, inactive_vendor()),
    "item_unknown": (
        RECEIPT,
        lambda e: line(e).update(item={"identifier": "NO-SUCH"}),
        NOT_CREATED,
    ),
    "default_account_missing": (
        INVOICE,
        lambda e: head(e).update(companyAccountNumber="NEWCO"),
        no_default_accounts(),
    ),
    "reference_missing": (
        INVOICE,
        lambda e: head(e).update(documentNumber=""),
        listed_as(number=""),
    ),
    "cannot_tie": (BILL, nobodys_bill, {}),
    "total_differs": (BILL, lambda e: head(e).update(total=head(e)["total"] + 1), {}),
    "listed_differs": (INVOICE, nothing, listed_as(total=Decimal("1.00"))),
    "entries_missing": (INVOICE, lambda e: line(e).pop("id"), {}),
    "date_missing": (INVOICE, lambda e: head(e).update(documentDate=""), {}),
    "duplicate_number": (INVOICE, nothing, {"found": held(INVOICE, OTHER)}),
    "duplicate_in_batch": (INVOICE, twice, both()),
    "already_in_books": (INVOICE, nothing, {"found": held(INVOICE, ITSELF)}),
    "content_changed": (
        INVOICE,
        nothing,
        {"found": held(INVOICE, ITSELF, total=Decimal("1.00"))},
    ),
    "in_unfinished_batch": (INVOICE, nothing, {"unfinished": {KEY: "B-1"}}),
    "posted_before": (INVOICE, nothing, {"history": {KEY: [once_posted()]}}),
    "posted_again": (INVOICE, nothing, {"found": held(INVOICE, ITSELF), "repost": {KEY}}),
}


@pytest.mark.parametrize("code", CHANGES)
def test_one_change_brings_the_finding_about(code: str):
    """The unchanged case has no such finding; the changed one has it, with record, value and cure."""
    name, change, more = CHANGES[code]
    keys = [row.key for row in golden.transactions(name)[0]]
    before, after = golden.replanned(name, nothing), golden.replanned(name, change, **more)

    assert code not in {issue.code for issue in before.issues}
    found = [issue for issue in after.issues if issue.code == code]
    assert found
    assert {issue.key for issue in found} <= {*keys, "invoice:1"}
    for issue in found:
        assert_says_all(issue)


def assert_says_all(issue: Issue) -> None:
    """A record, a field, a sentence without a hole, and a cure."""
    assert issue.key
    assert issue.field
    assert issue.message
    assert issue.fix
    assert "{" not in issue.message + issue.fix


def test_a_transaction_that_planning_forgot_is_a_finding():
    """The net under all of planning: who has neither document nor finding is not passed over."""
    rows = tuple(golden.transactions(INVOICE)[0])
    words: dict[str, Any] = {"books": golden.books(INVOICE), "setup": golden.setup(INVOICE)}
    forgot = Prepared(transactions=rows)
    checked = check(forgot, push=PushSettings(), found=[], history={}, **words)

    assert [(row.severity, row.code, row.key) for row in checked.issues] == [
        ("block", "no_document", rows[0].key)
    ]


def test_every_finding_of_validation_has_a_case_or_a_change():
    """No sentence of the catalogue that planning may say is without a test that makes it say so."""
    codes = list(CATALOGUE)
    validation = codes[: codes.index("package_setup") + 1]
    cases = {row["code"] for name in golden.NAMES for row in golden.rows(name, "findings.csv")}

    assert set(validation) - cases - set(CHANGES) == {"no_document"}


@pytest.mark.parametrize(
    ("field", "kind", "advice"),
    [
        ("includeSalesTaxFlag", "invoice", "Include Sales Tax"),
        ("includeCogsEntriesFlag", "invoice", "Include COGS Entries"),
        ("transferExpensesAsBillFlag", "expense", "journal entries"),
        ("inventorySOHFlag", "receipt", "Inventory SOH"),
    ],
)
def test_a_setting_of_the_package_that_does_not_fit_is_told(field: str, kind: str, advice: str):
    """Each setting that the seed asks for is looked at, and only where its kind is in the batch."""
    from sage50kit.batch.validation import check_package
    from sage50kit.connectwise.wire import AccountingPackageSetup

    package = AccountingPackageSetup.model_validate({field: False})

    assert [advice in issue.fix for issue in check_package(package, {kind})] == [True]
    assert check_package(package, {"transfer"}) == []


def test_a_blocked_bill_takes_its_rows_along_with_its_own_reason():
    """Three expenses on one bill without a date: all three are left out, for what is wrong with the bill."""
    prepared = golden.replanned(
        BILL, lambda e: head(e).update(documentDate=""), leave_out_blocked=True
    )

    assert prepared.documents == prepared.transactions == prepared.issues == ()
    assert {row.reason for row in prepared.left_out} == {"blocked: it has no bill date"}
    assert len(prepared.left_out) == 3


def test_an_account_of_the_wrong_kind_is_told_for_each_side():
    """Receivables, payables and inventory accounts that are none warn; Sage posts them all the same."""
    accounts = tuple(
        replace(row, type=24) if row.account_id in ("1100", "2000", "1200") else row
        for row in golden.books(INVOICE).accounts
    )
    found = [
        issue.value
        for name in (INVOICE, RECEIPT)
        for issue in golden.replanned(name, nothing, **with_books(name, accounts=accounts)).issues
        if issue.code == "account_type"
    ]

    assert sorted(found) == ["1100", "1200", "2000"]


def test_what_will_be_created_is_shown_with_every_field_and_every_cut():
    """A new customer's fields stand in the proof; a name that Sage's limit cuts is marked there."""
    from sage50kit.batch.planning import freeze
    from sage50kit.batch.proof import Proof
    from sage50kit.reports import html

    name = "customer_name_long"
    plan = freeze(golden.prepared(name), batch="B-1", site="site", company="company")
    proof = Proof(plan=plan, books=golden.books(name))
    fields = dict(zip(proof.masters["field"], proof.masters["value"], strict=True))

    assert {"name", "due days", "terms", "sales account ID"} <= set(fields)
    assert len(fields["name"]) <= 39
    whole = next(issue.value for issue in plan.issues if issue.code == "text_cut")
    assert whole.startswith(fields["name"])
    assert f"<td>{whole}</td>" in html.proof_html(proof)


def two_company_advances(export: dict[str, Any]) -> None:
    for row in head(export)["detail"][:2]:
        row["companyAdvance"] = True


def test_a_line_that_nobody_is_owed_is_told_once():
    """Two lines of a bill that the company paid are two findings, however often they are looked at."""
    found = golden.replanned(BILL, two_company_advances).issues
    told = [row.value for row in found if row.code == "company_advance_line"]

    assert len(told) == len(set(told)) == 2


@pytest.mark.parametrize(
    ("name", "table"), [(JOURNAL, "expenses"), (TRANSFER, "inventoryTransfers")]
)
def test_an_offset_of_another_amount_blocks(name: str, table: str):
    """A journal entry is not posted where ConnectWise gives its two sides different amounts."""

    def change(export: dict[str, Any]) -> None:
        export[table][0]["offset"]["total"] = Decimal("1.00")

    found = golden.replanned(name, change)

    assert [row.code for row in found.issues if row.severity == "block"] == ["total_differs"]


def test_a_journal_is_compared_with_what_the_list_says():
    """An expense that is no bill blocks where the export has another total than the list."""
    rows = [replace(row, total=Decimal("1.00")) for row in golden.transactions(JOURNAL)[0]]
    found = golden.replanned(JOURNAL, nothing, transactions=rows)

    assert "listed_differs" in {row.code for row in found.issues}


def test_two_tax_lines_of_one_level_are_both_posted():
    """A caption that repeats level 1 hides no tax: the second line counts as the next level."""

    def change(export: dict[str, Any]) -> None:
        for row in head(export)["detail"]:
            if row["glTypeId"] == "ST":
                row["description"] = "Level 1 Sales Tax"

    before, after = (golden.replanned("misc_plain_two", one) for one in (nothing, change))

    assert len([line for line in before.documents[0].distributions if line.role == "tax"]) == 2
    assert posted(after) == posted(before)


def posted(prepared: Prepared) -> list[tuple[str, str, Decimal]]:
    """Account, agency and amount of each line."""
    return [
        (line.account_id, line.tax_agency_id, line.amount)
        for row in prepared.documents
        for line in row.distributions
    ]


def test_a_transfer_of_nothing_says_so():
    """Goods without a value moved between two accounts post nothing, and the reason is not the account."""

    def change(export: dict[str, Any]) -> None:
        for row in export["inventoryTransfers"]:
            row["total"] = row["offset"]["total"] = Decimal(0)

    found = golden.replanned(TRANSFER, change)

    assert [row.reason for row in found.transactions] == ["all amounts are zero"]


def test_a_member_with_one_name_is_created_under_it():
    """A name that ConnectWise does not have is not written as None."""
    member = replace_member(first_name=None)
    setup = replace(golden.setup(BILL), members={member.id: member})
    found = golden.replanned(BILL, lambda e: head(e).update(vendorNumber="EMP-NEW"), setup=setup)

    assert [getattr(row, "name", "") for row in found.masters] == [member.last_name]


def replace_member(**other: Any) -> Any:
    """A member of the bill's case with other names."""
    known = golden.case(BILL)["export"]["expenseBills"][0]["member"]["id"]
    return golden.setup(BILL).members[known].model_copy(update=other)


def checked(documents: list[Document], **lists: Any) -> Prepared:
    """Documents checked together against the books of a case with other lists."""
    lists_of_case = replace(golden.books(INVOICE), **lists)
    words: dict[str, Any] = {"setup": golden.setup(INVOICE), "push": PushSettings(), "history": {}}
    return check(
        Prepared(documents=tuple(documents)),
        books=lists_of_case,
        found=[()] * len(documents),
        **words,
    )


def test_an_invoice_that_will_be_refused_is_not_owed():
    """Of three invoices the second would go over the limit; the third fits because it does not count."""
    limited = Customer(
        customer_id="ACME",
        name="Acme",
        credit_status="hold_over_limit",
        credit_limit=Decimal(100),
    )
    amounts = {"1": "-80.00", "2": "-50.00", "3": "-15.00"}
    invoices = [
        books.invoice(number, books.line("4000", amount)) for number, amount in amounts.items()
    ]

    found = checked(invoices, customers=(limited,)).issues

    assert [row.key for row in found if row.code == "credit_over_hold"] == ["invoice:2"]


def test_goods_come_in_before_they_go_out():
    """Purchases and increases first, then sales, then decreases, journals last (design 9.9)."""
    pair = books.line("6100", "5.00"), books.line("6200", "-5.00")
    documents = [
        books.journal("J", *pair),
        books.adjustment("DOWN", "SW-24", "-1", "-5.00"),
        books.invoice("I", books.line("4000", "-5.00")),
        books.adjustment("UP", "SW-24", "1", "5.00"),
        books.purchase("P", books.line("6100", "5.00")),
    ]

    ordered = [row.reference for row in checked(documents).documents]

    assert set(ordered[:2]) == {"UP", "P"}
    assert ordered[2:] == ["I", "DOWN", "J"]


def test_the_only_bill_answers_rows_listed_under_other_entries():
    """A row may be listed under an entry that the bill does not name; the amounts tie them."""
    listed = golden.transactions(BILL)[0]
    rows = [replace(row, entry_ids=(number,)) for number, row in enumerate(listed, start=1)]

    found = golden.replanned(BILL, nothing, transactions=rows)

    assert [set(row.transactions) for row in found.documents] == [{row.key for row in listed}]


def test_a_suffix_fits_behind_the_longest_vendor_invoice_number():
    """The second of two receipts with one number of twenty characters has twenty characters, too."""

    def change(export: dict[str, Any]) -> None:
        for row in export["purchaseTransactions"]:
            row["vendorInvoiceNumber"] = "V" * 20

    push = PushSettings(same_vendor_invoice="suffix")
    found = golden.replanned("receipt_same_vendor_invoice_suffix", change, push=push)

    assert {row.reference for row in found.documents} == {"V" * 20, "V" * 18 + "-2"}


def test_segments_of_the_export_are_found_under_the_hyphen_of_the_chart():
    """`4000:01` of the export is account 4000-01 where the chart joins segments with a hyphen."""
    account = Account(account_id="4000-01", description="Segment", type=21)
    chart = with_books(INVOICE, accounts=(*golden.books(INVOICE).accounts, account))
    found = golden.replanned(INVOICE, lambda e: line(e).update(accountNumber="4000:01"), **chart)

    assert "4000-01" in {row.account_id for row in found.documents[0].distributions}
