"""Receivables three ways: every class of difference planted once in real systems, found, and added up."""

from __future__ import annotations

import io
import sqlite3
from collections import Counter
from contextlib import closing
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sage50kit.errors import UsageError
from sage50kit.payments.differences import CLASSES, of_pair
from sage50kit.payments.receivables import Billed, Booked
from sage50kit.reports import excel, html, text
from sage50kit.reports.receivables import reconciliation_page
from tests.receivables_stage import OTHER_RECEIVABLES, invoice, receivables_stage
from tests.stage import staged

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sage50kit.payments.reconcile import Reconciliation
    from tests.receivables_stage import Stage

AS_OF = date(2026, 10, 31)
CUT_OVER = date(2026, 10, 1)
INVOICES = [
    invoice(1, "100.00"),
    invoice(2, "200.00"),
    invoice(3, "300.00"),
    invoice(4, "50.00"),
    invoice(5, "60.00"),
    invoice(6, "70.00", date="2026-09-20"),
    invoice(7, "400.00"),
    invoice(8, "500.00"),
    invoice(9, "600.00"),
    invoice(10, "-40.00"),
    invoice(11, "700.00"),
    invoice(12, "90.00"),
]


@pytest.fixture
def stage(tmp_path) -> Iterator[Stage]:
    """Twelve invoices, and nothing in the books."""
    with receivables_stage(tmp_path, INVOICES, cut_over=CUT_OVER) as stage:
        yield stage


def reconciled(stage: Stage, as_of: date = AS_OF, **more: Any) -> Reconciliation:
    return stage.kit.reconcile(as_of=as_of, **more)


def found(result: Reconciliation) -> list[tuple[str, str, str]]:
    """Class, number and amount of each difference."""
    rows = result.differences
    return [
        (what, number, f"{amount:.2f}")
        for what, number, amount in zip(rows["what"], rows["number"], rows["amount"], strict=True)
    ]


def plant(stage: Stage) -> None:
    """One difference of every class, each by what people really do."""
    stage.push(1, 7, 8, 9, 10, 11, batch="A")
    stage.push(5, batch="B")
    stage.enter("R-2", "210.00")  # amount differs
    stage.enter("R-3", "300.01")  # rounding
    stage.kit.connectwise.delete_batch(stage.kit.connectwise.find_batch("B").id)  # un-batched
    stage.company.void(stage.place("R-5"), on=date(2026, 10, 20))
    stage.enter("HAND-1", "80.00")  # only in Sage
    stage.receive("CK-1", date(2026, 10, 20), applied={"R-7": Decimal(150)})  # paid in Sage
    stage.pay(8, "90.00", date(2026, 10, 21))  # paid in ConnectWise
    stage.company.apply_credit(
        stage.place("R-10"), applied={"R-9": Decimal(40)}, on=date(2026, 10, 22)
    )
    stage.pay(11, "700.00", date(2026, 10, 30))  # timing
    stage.receive("CK-2", date(2026, 11, 2), applied={"R-11": Decimal(700)})
    stage.journal("ADJ-1", "1100", "33.00")  # another journal
    stage.enter("R-12", "90.00", account=OTHER_RECEIVABLES)  # wrong account


PLANTED = [
    ("amount_differs", "R-2", "10.00"),
    ("only_in_connectwise", "R-4", "-50.00"),
    ("only_in_connectwise", "R-5", "-60.00"),
    ("only_in_connectwise", "R-6", "-70.00"),
    ("only_in_sage", "HAND-1", "80.00"),
    ("paid_in_one", "R-7", "-150.00"),
    ("paid_in_one", "R-8", "90.00"),
    ("credit_applied_in_one", "R-10", "40.00"),
    ("credit_applied_in_one", "R-9", "-40.00"),
    ("timing", "R-11", "700.00"),
    ("rounding", "R-3", "0.01"),
    ("other_journal", "ADJ-1", "33.00"),
    ("wrong_account", "R-12", "-90.00"),
]


def test_every_class_is_found_and_nothing_else(stage):
    """The list is exactly what was planted, and adds up to account less ConnectWise."""
    plant(stage)

    result = reconciled(stage)

    assert sorted(found(result)) == sorted(PLANTED)
    assert sum(Decimal(amount) for _, _, amount in PLANTED) == result.ledger - result.connectwise
    assert result.unexplained == 0
    assert result.is_proven
    assert result.exit_code == 3


def test_the_reasons_of_only_in_connectwise(stage):
    """Not posted, un-batched and before the cut-over are told apart."""
    plant(stage)

    rows = reconciled(stage).differences
    rows = rows[rows["what"] == "only_in_connectwise"]

    assert dict(zip(rows["number"], rows["reason"], strict=True)) == {
        "R-4": "not_posted", "R-5": "un_batched", "R-6": "before_cut_over"
    }  # fmt: skip


def test_what_only_sage_has_is_by_hand_or_gone(stage):
    """Entered by hand is told from what came from ConnectWise, which has it no more."""
    plant(stage)
    records = stage.site.records.invoices
    records.remove(next(row for row in records if row.id == 7))
    stage.site.changed()

    rows = reconciled(stage).differences
    rows = rows[rows["what"] == "only_in_sage"]

    assert dict(zip(rows["number"], rows["reason"], strict=True)) == {
        "HAND-1": "by_hand", "R-7": "missing"
    }  # fmt: skip


def test_every_row_names_its_documents(stage):
    """Place in Sage 50, id in ConnectWise and key in the log, wherever there is one."""
    plant(stage)

    result = reconciled(stage)

    for row in result.lines:
        assert row.place or row.invoice_id, row.number
        if row.sage or row.ledger:
            assert row.place
        if row.connectwise:
            assert row.key == f"invoice:{row.invoice_id}"
    paid = next(row for row in result.lines if row.number == "R-7")
    receipts = stage.company.receipts("")[0]
    assert paid.settled_by == tuple(row.place for row in receipts if row.reference == "CK-1")


def test_a_company_may_have_several_receivable_accounts(stage):
    """Named, the second account is right; one that is not in the chart is refused."""
    stage.enter("R-12", "90.00", account=OTHER_RECEIVABLES)

    result = reconciled(stage, accounts=["1100", OTHER_RECEIVABLES])

    assert "R-12" not in {number for _, number, _ in found(result)}
    assert result.ledger == 90
    assert result.is_proven
    with pytest.raises(UsageError, match="1199 is not in the chart"):
        reconciled(stage, accounts=["1199"])


def test_the_three_totals_are_those_of_the_systems(stage):
    """ConnectWise's balances, Sage's open items and the trial balance, each read another way."""
    plant(stage)

    result = reconciled(stage)

    rows = stage.site.rows("/finance/invoices")
    assert result.connectwise == sum(row["balance"] for row in rows)
    owed = stage.company.open_items(as_of=AS_OF)
    assert result.sage == sum(row.open_amount for row in owed if row.type != "purchase")
    assert result.ledger == stage.company.trial_balance(AS_OF)["1100"]


def test_the_roll_forward_ends_where_the_account_ends(stage):
    """Opening, invoices, credits, receipts and adjustments leave 0.00 unexplained in both columns."""
    plant(stage)

    result = reconciled(stage, date(2026, 11, 30), since=date(2026, 10, 18))

    rolled = {row.what: (row.sage, row.ledger) for row in result.movements}
    assert rolled["Opening balance"] == (Decimal("2910.01"), Decimal("2943.01"))
    assert rolled["Invoices"] == (Decimal(-60), Decimal(-60))  # the void of R-5
    assert rolled["Receipts and discounts"] == (Decimal(-850), Decimal(-850))
    assert rolled["Closing balance"] == (Decimal("2000.01"), Decimal("2033.01"))
    assert rolled["Unexplained"] == (0, 0)


def test_a_span_that_ends_before_it_begins_is_refused(stage):
    """A typing error is said, instead of an opening balance that nothing explains."""
    with pytest.raises(UsageError, match="begin on 2026-11-01 and end on 2026-10-31"):
        reconciled(stage, since=date(2026, 11, 1))


def test_two_systems_that_agree(stage):
    """Pushed and paid on both sides: matched; what is yet to be pushed needs nobody; exit code 0."""
    stage.push(1, 7, batch="A")
    stage.receive("CK-1", date(2026, 10, 20), applied={"R-7": Decimal(150)})
    stage.pay(7, "150.00", date(2026, 10, 20))

    result = reconciled(stage)

    counts = Counter(result.differences["reason"])
    assert counts == {"not_posted": 9, "before_cut_over": 1}
    assert result.summary.set_index("class").loc["Matched", "count"] == 2
    assert result.exit_code == 0


def test_an_invoice_that_is_dated_apart_is_timing(stage):
    """In October by ConnectWise, in November by Sage 50: open in one of them at the end of October."""
    stage.enter("R-2", "200.00", day=date(2026, 11, 3))

    rows = [row for row in found(reconciled(stage)) if row[1] == "R-2"]

    assert rows == [("timing", "R-2", "-200.00")]
    assert not [row for row in found(reconciled(stage, date(2026, 11, 3))) if row[1] == "R-2"]


def test_an_invoice_that_was_posted_again_is_found_where_it_stood(stage):
    """Posted in October, voided and posted again in November: each day knows its own."""
    stage.push(5, batch="A")
    first = stage.place("R-5")
    stage.kit.connectwise.delete_batch(stage.kit.connectwise.find_batch("A").id)
    stage.company.void(first, on=date(2026, 11, 5))
    stage.site.records.invoices[4].date = date(2026, 11, 6)
    stage.site.changed()
    stage.push(5, batch="B")
    stage.site.records.invoices[4].date = date(2026, 10, 15)
    stage.site.changed()

    october = next(row for row in reconciled(stage).lines if row.number == "R-5")
    later = reconciled(stage, date(2026, 11, 30))
    november = next(row for row in later.lines if row.number == "R-5")

    assert (october.place, october.causes) == (first, ())
    assert november.place != first
    assert november.causes == ()


def test_a_payment_after_the_day_counts_on_neither_side(stage):
    """Both systems have it on 2 November; at the end of October both show the invoice open."""
    stage.push(7, batch="A")
    stage.receive("CK-1", date(2026, 11, 2), applied={"R-7": Decimal(150)})
    stage.pay(7, "150.00", date(2026, 11, 2))

    row = next(row for row in reconciled(stage).lines if row.number == "R-7")

    assert (row.connectwise, row.sage, row.causes) == (Decimal(400), Decimal(400), ())


def test_a_credit_that_the_sync_sent_as_payment_is_no_difference(stage):
    """Sage applied a credit memo of 40.00; ConnectWise shows 40.00 paid: the invoice is matched."""
    stage.push(9, 10, batch="A")
    stage.company.apply_credit(
        stage.place("R-10"), applied={"R-9": Decimal(40)}, on=date(2026, 10, 22)
    )
    stage.pay(9, "40.00", date(2026, 10, 22))

    causes = {row.number: row.causes for row in reconciled(stage).lines}

    assert causes["R-9"] == ()
    assert [(cause.what, cause.amount) for cause in causes["R-10"]] == [
        ("credit_applied_in_one", Decimal(40))
    ]


def test_two_causes_of_one_invoice_are_two_differences(stage):
    """Ten dollars more in Sage, and thirty paid there: listed apart, with their sum."""
    stage.enter("R-2", "210.00")
    stage.receive("CK-1", date(2026, 10, 20), applied={"R-2": Decimal(30)})

    rows = [row for row in found(reconciled(stage)) if row[1] == "R-2"]

    assert rows == [("amount_differs", "R-2", "10.00"), ("paid_in_one", "R-2", "-30.00")]


def test_the_same_number_of_another_customer_is_never_paired(stage):
    """It is listed on both sides, and the sentence names the other customer."""
    stage.enter("R-2", "200.00", customer="BAYSHORE")

    rows = reconciled(stage).differences
    rows = rows[rows["number"] == "R-2"]

    assert list(rows["what"]) == ["only_in_connectwise", "only_in_sage"]
    assert list(rows["reason"]) == ["missing", "by_hand"]
    assert "BAYSHORE" in rows["why"].iloc[0]


def test_a_receipt_with_the_number_of_an_invoice_is_not_taken_for_it(stage):
    """Money that pays nothing yet is listed as such, whatever its reference."""
    stage.receive("R-2", date(2026, 10, 20), unapplied=Decimal(25))

    rows = [row for row in found(reconciled(stage)) if row[1] == "R-2"]

    assert rows == [("only_in_connectwise", "R-2", "-200.00"), ("only_in_sage", "R-2", "-25.00")]
    assert reconciled(stage).is_proven


def test_money_on_account_stays_where_it_was_booked(stage):
    """The company's default receivable account is another one since: the receipt stands on the old one."""
    receipt = stage.receive("CK-1", date(2026, 10, 20), unapplied=Decimal(25))
    with closing(sqlite3.connect(stage.company.path)) as books:
        books.execute("UPDATE defaults SET receivable_account_id = ?", (OTHER_RECEIVABLES,))
        books.commit()

    result = reconciled(stage, accounts=["1100"])

    assert [row for row in found(result) if row[1] == "CK-1"] == [
        ("only_in_sage", "CK-1", "-25.00")
    ]
    assert (result.ledger, result.is_proven) == (Decimal(-25), True)
    stage.company.void_receipt(receipt.place, on=date(2026, 10, 21))
    assert reconciled(stage, accounts=["1100"]).is_proven


def test_an_invoice_in_another_currency_is_named_and_not_added(stage):
    """Its amount is no dollars: it is left out with that reason, and needs a person."""
    currencies = stage.site.setup.tables["currencies"]
    code = {"id": 978, "name": "EUR"}
    currencies[9] = currencies[1] | {"id": 9, "currencyIdentifier": "EUR", "currencyCode": code}
    stage.site.setup.tables["companies"][103]["currency"] = 9
    stage.site.changed()

    result = reconciled(stage)

    (left,) = [row for row in result.left_out if row.number == "R-1"]
    assert left.reason == "it is in EUR; the books are in USD"
    assert result.connectwise == 0
    assert result.exit_code == 3


# --- pure -------------------------------------------------------------------------------------

CENTS = st.integers(-2000, 2000).map(lambda cents: Decimal(cents).scaleb(-2))


@given(st.lists(CENTS, min_size=8, max_size=8), st.booleans(), st.booleans())
def test_the_causes_of_a_pair_add_up_to_its_difference(amounts, late, later):
    """Whatever was billed, paid and credited on either side: the causes sum to open less open."""
    total, paid, credited, paid_later, other, received, used, settled_later = amounts
    day = date(2026, 10, 15)
    billed = Billed(
        invoice_id=1, number="1", customer_id="A", customer="", date=day, due_date=day, total=total,
        paid=paid, credited=credited, paid_later=paid_later, is_later=late,
    )  # fmt: skip
    booked = Booked(
        place="SJ-1", type="sales_invoice", number="1", customer_id="A", date=day, due_date=day,
        account_id="1100", total=other, paid=received, credited=used, settled_later=settled_later,
        open=Decimal(0) if later else other - received - used, is_later=later,
    )  # fmt: skip

    causes = list(of_pair(billed, booked, as_of=AS_OF, limit=Decimal("0.05")))

    assert sum((row.amount for row in causes), Decimal(0)) == booked.open - billed.open
    assert all(row.amount for row in causes)


# --- reports and terminal ---------------------------------------------------------------------


def test_the_page_proves_itself(stage):
    """The first line says what is left to do; every class, movement and document has its row."""
    plant(stage)
    page = reconciliation_page(reconciled(stage))

    assert page.headline == ("13 differences, 9 for a person; all explained, 0.00 unexplained.")
    shown = text.render(page)
    for word in (*CLASSES.values(), "Closing balance", "HAND-1", "ADJ-1", "invoice:8"):
        assert word in shown
    assert "HAND-1" in html.document(page)


def test_the_workbook_adds_up_alive(stage):
    """The sums of differences and of the three columns are formulas with their values."""
    plant(stage)
    result = reconciled(stage)
    content = io.BytesIO(excel.workbook(reconciliation_page(result)))

    formulas = openpyxl.load_workbook(content)["Open receivables"]
    values = openpyxl.load_workbook(content, data_only=True)["Open receivables"]

    last = len(result.lines) + 2
    assert formulas[f"F{last}"].value == f"=SUM(F2:F{last - 1})"
    shown = [values.cell(last, place).value for place in (6, 7, 8)]
    assert shown == [float(each) for each in (result.connectwise, result.sage, result.ledger)]


def test_names_of_customers_do_nothing(stage):
    """Markup in a name is text in HTML, and a formula is text in the workbook."""
    name = "=1+1 <script>alert(1)</script>"
    stage.site.setup.tables["companies"][103]["name"] = name
    stage.site.changed()
    page = reconciliation_page(reconciled(stage))

    assert "<script>" not in html.document(page)
    cells = openpyxl.load_workbook(io.BytesIO(excel.workbook(page)))["Open receivables"]["C"]
    assert {cell.data_type for cell in cells[1:4]} == {"s"}


def test_the_verb(tmp_path):
    """Exit code 3 when something needs a person; one line of JSON; six files; a wrong date is 2."""
    with staged(tmp_path) as pair:
        words = ("reconcile", "--profile", str(pair.profile), "--json")
        done = pair.run(*words, "--as-of", "2026-10-31")
        wrong = pair.run(*words, "--as-of", "soon")

    assert done.code == 3, done.err
    assert done.json["totals"]["unexplained"] == "0.00"
    assert done.json["counts"]["only_in_connectwise"] == len(done.json["differences"])
    assert len([path for path in done.json["files"] if Path(path).stat().st_size]) == 6
    assert wrong.code == 2
