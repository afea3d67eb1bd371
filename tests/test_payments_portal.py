"""Payments of the portal become receipts in Sage, each exactly once, and are not echoed back."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from sage50kit.errors import OutcomeUnknown
from sage50kit.payments import portal
from sage50kit.profile import PaymentSettings
from sage50kit.sandbox.records import Payment
from tests.payment_stage import dollars, staged

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.payment_stage import Stage

INVOICES = {"1001": "300.00", "1002": "200.00"}


def portal_row(number: int, invoice: int, amount: str, **more: Any) -> dict[str, Any]:
    """A payment of the portal on the 13th."""
    made = {"id": number, "invoice": invoice, "amount": amount, "source": "WisePay"}
    made |= {"paymentDate": "2026-10-13T00:00:00Z", "wisePayReference": f"WP-{number}"}
    return made | more


@pytest.fixture
def stage(tmp_path) -> Iterator[Stage]:
    """100.00 of 1001 were paid in the portal."""
    with staged(tmp_path, INVOICES, payments=[portal_row(63, 50001, "100.00")]) as stage:
        stage.portal = True
        yield stage


def in_books(stage: Any) -> list[tuple[Any, ...]]:
    """The applications in Sage: reference, invoice, amount, date."""
    rows = stage.company.applications()
    return [(row.reference, row.invoice, row.amount, row.date) for row in rows]


CARRIED = ("CW-P63", "1001", dollars(100), date(2026, 10, 13))


def test_once_and_not_echoed_back(stage):
    """One receipt with our key; the next runs post nothing, write nothing and find nothing wrong."""
    report = stage.sync()
    assert (report.counts["receipts_posted"], report.issues) == (1, ())
    assert in_books(stage) == [CARRIED]
    for full in (False, True):
        stage.sent()
        report = stage.sync(full=full)
        assert (report.counts["receipts_posted"], report.issues) == (0, ())
        assert stage.sent()[1] == 0
    assert in_books(stage) == [CARRIED]
    assert stage.shown() == {"1001": (dollars(100),)}


def test_a_check_on_top_of_a_portal_payment_is_a_finding(stage):
    """ConnectWise takes one payment for an invoice: the portal's row stays, both amounts are said."""
    stage.sync()
    stage.pay("CK 1", 20, applied={"1001": "200.00", "1002": "50.00"})
    report = stage.sync()
    (issue,) = report.issues
    assert issue.code == "payment_conflict"
    assert "300.00" in issue.message
    assert "100.00" in issue.message
    assert stage.shown() == {"1001": (dollars(100),), "1002": (dollars(50),)}


def test_our_payment_and_a_later_portal_payment(tmp_path):
    """Ours says 50.00, the portal pays 100.00 more: the receipt is posted, ours stays 50.00, then 80.00."""
    with staged(tmp_path, INVOICES) as stage:
        stage.portal = True
        stage.pay("CK 1", 5, applied={"1001": "50.00"})
        stage.sync()
        made = Payment(id=64, invoice=50001, amount=dollars(100), wise_pay_reference="WP-64")
        made.payment_date = stage.site.views.payments[50001][0].payment_date
        stage.site.views.payments[50001].append(made)
        stage.site._cache.clear()
        stage.sync()
        assert stage.sync().issues == ()
        stage.pay("CK 2", 6, applied={"1001": "30.00"})
        assert stage.sync().issues == ()
        assert stage.shown() == {"1001": (dollars(80), dollars(100))}


class Silent:
    """A company that does not answer about a receipt, before or after it was written."""

    def __init__(self, company: Any, *, written: bool) -> None:
        self._company = company
        self.written = written

    def __getattr__(self, name: str) -> Any:
        return getattr(self._company, name)

    def post_receipt(self, receipt: Any, **words: Any) -> Any:
        if self.written:
            self._company.post_receipt(receipt, **words)
        raise OutcomeUnknown("the disk failed")


@pytest.mark.parametrize("written", [True, False])
def test_silence_of_the_company_is_settled_by_looking(stage, written):
    """The receipt is in the books or not: the next run looks before it sends, and there is one."""
    plain, stage.company = stage.company, Silent(stage.company, written=written)
    report = stage.sync()
    assert [row.code for row in report.issues] == ["portal_unanswered"]
    assert report.exit_code == 3
    stage.company = plain
    assert stage.sync().issues == ()
    assert in_books(stage) == [CARRIED]


def test_a_lost_log_posts_nothing_twice(stage):
    """Without any record the receipt is found by our key."""
    stage.sync()
    with stage.log.together() as (connection, _):
        connection.exec_driver_sql("DELETE FROM payments")
    assert stage.sync().counts["receipts_posted"] == 0
    assert in_books(stage) == [CARRIED]


def test_a_receipt_that_was_taken_out_is_not_posted_again(stage):
    """The bookkeeper deleted it: said in every run, never undone."""
    stage.sync()
    stage.company.delete_receipt(stage.company.receipts("")[0][0].place)
    codes = [row.code for row in stage.sync().issues]
    assert "portal_gone" in codes
    assert in_books(stage) == []


def test_what_cannot_be_posted_is_told_and_tried_again(tmp_path):
    """The invoice is not in Sage, or less of it is open than was paid: no receipt, a finding each."""
    rows = [portal_row(63, 50001, "100.00"), portal_row(64, 50002, "150.00")]
    with staged(tmp_path, INVOICES, payments=rows) as stage:
        stage.portal = True
        voided = next(row for row in stage.company.documents() if row.reference == "1001").place
        stage.company.void(voided, on=date(2026, 10, 2))
        stage.pay("CK 1", 5, applied={"1002": "60.00"})
        first = stage.sync()
        assert {row.code for row in first.issues} >= {
            "portal_invoice_missing",
            "portal_open_differs",
        }
        assert first.counts["receipts_posted"] == 0
        stage.company.delete_receipt(stage.company.receipts("")[0][0].place)
        assert stage.sync().counts["receipts_posted"] == 1
        assert [row[0] for row in in_books(stage)] == ["CW-P64"]


def test_money_entered_by_hand_and_taken_back_is_not_in_the_way(stage):
    """The bookkeeper voided her own receipt of the same amount: the portal's payment is posted."""
    paid = stage.pay("CK 1", 20, applied={"1001": "100.00"})
    assert "portal_alike" in {row.code for row in stage.sync().issues}
    stage.company.void_receipt(paid.place, on=date(2026, 10, 21))
    assert stage.sync().counts["receipts_posted"] == 1


def test_money_of_another_currency_is_not_posted(stage):
    """100.00 EUR are no 100.00 USD: no receipt, a finding with both currencies."""
    currencies = stage.site.setup.tables["currencies"]
    code = {"id": 978, "name": "EUR"}
    currencies[9] = currencies[1] | {"id": 9, "currencyIdentifier": "EUR", "currencyCode": code}
    stage.site.setup.tables["companies"][103]["currency"] = 9
    stage.site.changed()
    (issue,) = stage.sync().issues
    assert issue.code == "portal_currency"
    assert "EUR" in issue.message
    assert "USD" in issue.message
    assert in_books(stage) == []


def _cancelled(stage: Any) -> None:
    stage.site.views.payments[50001].clear()
    stage.site.changed()


def _lowered(stage: Any) -> None:
    stage.site.views.payments[50001][0].amount = dollars(60)
    stage.site.changed()


def _paid_by_check(stage: Any) -> None:
    stage.pay("CK 1", 20, applied={"1001": "250.00"})


@pytest.mark.parametrize("meanwhile", [_cancelled, _lowered, _paid_by_check])
def test_a_plan_that_was_thought_over_looks_again_before_it_posts(stage, meanwhile):
    """Cancelled or changed in ConnectWise, or paid in Sage while a person thought: no receipt, it is said."""
    plan = stage.plan()
    meanwhile(stage)
    before = in_books(stage)
    report = stage.apply(replace(plan, made=plan.made - 1800))
    assert [row.code for row in report.issues] == ["portal_moved_on"]
    assert in_books(stage) == before
    assert stage.record.known().carried == ()


def test_a_plan_that_was_thought_over_posts_what_is_still_so(stage):
    """Nothing changed meanwhile: the receipt is posted once."""
    plan = stage.plan()
    assert stage.apply(replace(plan, made=plan.made - 1800)).issues == ()
    assert in_books(stage) == [CARRIED]


def test_a_refused_receipt_is_told_and_tried_again(tmp_path):
    """Sage refuses a receipt dated before its invoice; the others are posted."""
    early = portal_row(63, 50001, "100.00", paymentDate="2026-09-13T00:00:00Z")
    with staged(tmp_path, INVOICES, payments=[early, portal_row(64, 50002, "20.00")]) as stage:
        stage.portal = True
        report = stage.sync()
        assert [(row.code, row.number) for row in report.issues] == [("portal_refused", "1001")]
        assert [row[0] for row in in_books(stage)] == ["CW-P64"]
        assert [row.code for row in stage.sync().issues] == ["portal_refused"]


def test_without_the_right_to_list_them_payments_are_synced_all_the_same(stage):
    """A 403 on the portal's list is a warning; the receipts of Sage go on."""
    from sage50kit.sandbox.faults import Rule, failing

    stage.faults.rules.append(Rule(failing(403), path="/unpostedpayments", on=()))
    stage.pay("CK 1", 5, applied={"1002": "60.00"})
    report = stage.sync()
    assert [row.code for row in report.issues] == ["portal_unread"]
    assert stage.shown()["1002"] == (dollars(60),)


@pytest.mark.parametrize("applied", [True, False])
def test_what_a_bookkeeper_may_have_entered_is_not_posted_again(stage, applied):
    """The same money by hand, on the invoice or on account: a finding; its reference settles it either way."""
    words = {"applied": {"1001": "100.00"}} if applied else {"unapplied": "100.00"}
    stage.pay("CK 1", 14, **words)
    (issue,) = [row for row in stage.sync().issues if row.code.startswith("portal")]
    assert (issue.code, "CK 1" in issue.message, "CW-P63" in issue.fix) == (
        "portal_alike",
        True,
        True,
    )
    assert "CW-P63" not in {row[0] for row in in_books(stage)}
    place = stage.company.receipts("")[0][0].place
    stage.company.edit_receipt(
        place, "HILLSCHOOL", reference="CW-P63", date=CARRIED[3], applied={"1001": dollars(100)}
    )
    report = stage.sync()
    assert (report.counts["receipts_posted"], report.issues) == (0, ())
    assert in_books(stage) == [CARRIED]


def test_a_check_of_another_amount_is_no_reason_to_wait(stage):
    """50.00 by check and 100.00 by the portal are two receipts."""
    stage.pay("CK 1", 14, applied={"1001": "50.00"})
    assert stage.sync().counts["receipts_posted"] == 1


def test_what_was_paid_before_the_cut_over_is_left_alone(stage):
    """It belongs to the books before the kit; one note says how many there are."""
    ends = {"company": stage.company, "connectwise": stage.connectwise, "today": date(2026, 10, 31)}
    for day, ready, codes in ((13, 1, []), (14, 0, ["portal_early"])):
        found = portal.listed(stage.record.known(), cut_over=date(2026, 10, day), **ends)
        assert (len(found.ready), [row.code for row in found.issues]) == (ready, codes)


def test_nothing_is_carried_unless_the_profile_says_so():
    """Only our log guards these receipts (design 9.13): a company chooses it."""
    assert PaymentSettings().portal is False
