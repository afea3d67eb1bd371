"""Payment rows that we did not write are never changed; where the sums disagree, a person is told both."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from sage50kit.errors import NotAuthorized, UsageError
from sage50kit.payments.model import Written
from sage50kit.sandbox.faults import Rule, failing, garbage
from sage50kit.sandbox.state import Switches
from tests.payment_stage import dollars, staged

INVOICES = {"1001": "300.00", "1002": "200.00"}


def row(number: int, amount: str, **more: Any) -> dict[str, Any]:
    """A payment row of invoice 1001 (50001) that was there before us."""
    made = {"id": number, "invoice": 50001, "amount": amount, "appliedBy": "Admin1"}
    return made | {"paymentDate": "2026-10-03T00:00:00Z", "source": "Manual"} | more


ORIGINS = {
    "typed in ConnectWise": {},
    "portal": {"wisePayReference": "WP-1", "source": "WisePay"},
}


@pytest.mark.parametrize("origin", ORIGINS)
@pytest.mark.parametrize("second_payment", ["refuse", "overwrite"])
def test_a_foreign_row_in_the_way_is_a_conflict(tmp_path, origin, second_payment):
    """Whatever the site does with a second payment, nothing is sent, and both amounts are said."""
    payments = [row(61, "40.00", **ORIGINS[origin])]
    switches = Switches(second_payment=second_payment)
    with staged(tmp_path, INVOICES, payments=payments, switches=switches) as stage:
        stage.pay("CK 1", 5, applied={"1001": "100.00", "1002": "20.00"})
        report = stage.sync()
        assert stage.shown() == {"1001": (dollars(40),), "1002": (dollars(20),)}
        (issue,) = report.issues
        assert (issue.code, report.exit_code) == ("payment_conflict", 3)
        assert "100.00" in issue.message
        assert "40.00" in issue.message
        again = stage.sync()
        assert [one.code for one in again.issues] == ["payment_conflict"]
        stage.sent()
        stage.sync()
        assert stage.sent()[1] == 0
        assert stage.record.known().waiting[0].number == "1001"


@pytest.mark.parametrize("fault", [failing(400), failing(500), garbage()])
def test_an_invoice_that_cannot_be_read_waits_alone(tmp_path, fault):
    """Its payments cannot be read: the other is written, the cursor moves, this one is tried again."""
    with staged(tmp_path, INVOICES, payments=[row(61, "40.00")]) as stage:
        stage.pay("CK 1", 5, applied={"1001": "100.00", "1002": "20.00"})
        stage.faults.rules.append(Rule(fault, path="/50001/payments", method="GET", on=()))
        report = stage.sync()
        assert [(one.code, one.number) for one in report.issues] == [("payment_unread", "1001")]
        assert (report.cursor_moved, report.exit_code) == (True, 3)
        assert stage.shown() == {"1001": (dollars(40),), "1002": (dollars(20),)}
        stage.faults.rules.clear()
        assert [one.code for one in stage.sync().issues] == ["payment_conflict"]


def test_without_the_right_to_read_payments_nothing_moves(tmp_path):
    """A 403 is no matter of one invoice: the run stops, and the next one reads the same again."""
    with staged(tmp_path, INVOICES, payments=[row(61, "40.00")]) as stage:
        stage.pay("CK 1", 5, applied={"1001": "100.00"})
        stage.faults.rules.append(Rule(failing(403), path="/payments", method="GET", on=()))
        with pytest.raises(NotAuthorized, match="does not let this member"):
            stage.sync()
        assert stage.record.known().progress.cursor == ""


def test_a_foreign_row_that_agrees_is_left_in_peace(tmp_path):
    """The same amount was typed in ConnectWise: nothing to do, and no look either."""
    with staged(tmp_path, INVOICES, payments=[row(61, "100.00")]) as stage:
        stage.pay("CK 1", 5, applied={"1001": "100.00"})
        stage.sent()
        report = stage.sync()
        assert (report.issues, stage.sent()) == ((), (1, 0))
        assert stage.shown() == {"1001": (dollars(100),)}


def test_a_conflict_ends_when_the_person_corrects_one_side(tmp_path):
    """The foreign row is deleted in ConnectWise: the next run writes, though no receipt changed."""
    with staged(tmp_path, INVOICES, payments=[row(61, "40.00")]) as stage:
        stage.pay("CK 1", 5, applied={"1001": "100.00"})
        stage.sync()
        stage.site.call("DELETE", PAYMENT, {"parentId": "50001", "id": "61"}, None)
        report = stage.sync()
        assert (stage.shown(), report.issues) == ({"1001": (dollars(100),)}, ())
        assert stage.record.known().waiting == ()


def test_a_row_that_a_person_adopts_is_ours(tmp_path):
    """At go-live the old product's payment is taken over: from then on it follows Sage."""
    with staged(tmp_path, INVOICES, payments=[row(61, "40.00")]) as stage:
        stage.pay("CK 1", 5, applied={"1001": "100.00"})
        assert [one.code for one in stage.sync().issues] == ["payment_conflict"]
        adopted = Written(
            invoice_id=50001,
            customer_id="HILLSCHOOL",
            number="1001",
            payment_id=61,
            amount=dollars(40),
            on=date(2026, 10, 3),
        )
        stage.record.adopt(adopted)
        assert stage.sync().issues == ()
        assert stage.shown() == {"1001": (dollars(100),)}
        stage.sent()
        stage.sync(full=True)
        assert stage.sent()[1] == 0


def test_a_plan_from_before_the_adoption_is_refused(tmp_path):
    """It would write over what the person said; nothing is written, and the next plan follows the row."""
    with staged(tmp_path, INVOICES, payments=[row(61, "40.00")]) as stage:
        stage.pay("CK 1", 5, applied={"1001": "100.00"})
        plan = stage.plan()
        names = {"invoice_id": 50001, "customer_id": "HILLSCHOOL", "number": "1001"}
        stage.record.adopt(Written(**names, payment_id=61, amount=dollars(40)))
        with pytest.raises(UsageError, match="Plan again"):
            stage.apply(plan)
        assert stage.sync().issues == ()
        assert stage.shown() == {"1001": (dollars(100),)}


def test_a_foreign_row_beside_ours(tmp_path):
    """Where a site takes several, ours is not raised over what the others leave, nor are they touched."""
    with staged(tmp_path, INVOICES) as stage:
        stage.pay("CK 1", 5, applied={"1001": "100.00"})
        stage.sync()
        _beside(stage, "150.00")
        stage.pay("CK 2", 6, applied={"1001": "120.00"})
        report = stage.sync()
        assert [one.code for one in report.issues] == ["payment_conflict"]
        assert stage.shown()["1001"] == (dollars(100), dollars(150))
        stage.pay("CK 3", 7, applied={"1001": "30.00"})  # now both say 250.00
        report = stage.sync()
        assert report.issues == ()
        assert stage.shown()["1001"] == (dollars(100), dollars(150))


def test_our_row_changed_by_hand_is_set_back_and_said(tmp_path):
    """Somebody changed or deleted our payment in ConnectWise: Sage is followed, with a warning."""
    with staged(tmp_path, INVOICES) as stage:
        stage.pay("CK 1", 5, applied={"1001": "100.00", "1002": "60.00"})
        stage.sync()
        ids = {key: rows[0].id for key, rows in stage.site.views.payments.items() if rows}
        change = [{"op": "replace", "path": "amount", "value": Decimal(99)}]
        stage.site.call("PATCH", PAYMENT, {"parentId": "50001", "id": str(ids[50001])}, change)
        stage.site.call("DELETE", PAYMENT, {"parentId": "50002", "id": str(ids[50002])}, None)
        assert (
            stage.sync().plan.changes == ()
        )  # no receipt changed: an incremental run does not look
        report = stage.sync(full=True)
        assert {(one.code, one.number, one.value) for one in report.issues} == {
            ("payment_restored", "1001", "99.00"),
            ("payment_restored", "1002", "0.00"),
        }
        assert stage.shown() == {"1001": (dollars(100),), "1002": (dollars(60),)}


def test_what_was_deleted_and_is_not_wanted_any_more_is_no_news(tmp_path):
    """Receipt and payment were both taken out: nothing is set back, so nothing is said."""
    with staged(tmp_path, INVOICES) as stage:
        receipt = stage.pay("CK 1", 5, applied={"1001": "100.00"})
        stage.sync()
        row = stage.site.views.payments[50001][0]
        stage.site.call("DELETE", PAYMENT, {"parentId": "50001", "id": str(row.id)}, None)
        stage.company.delete_receipt(receipt.place)
        report = stage.sync(full=True)
        assert (report.issues, report.plan.changes) == ((), ())


def test_a_credit_row_is_no_payment(tmp_path):
    """A row of another type is ConnectWise's own credit: it takes room, and is not touched."""
    with staged(tmp_path, INVOICES) as stage:
        stage.pay("CK 1", 5, applied={"1001": "100.00"})
        stage.sync()
        _beside(stage, "250.00", type="C")
        stage.pay("CK 2", 6, applied={"1001": "100.00"})
        report = stage.sync()
        assert [one.code for one in report.issues] == ["payment_over"]
        assert stage.shown()["1001"] == (dollars(50), dollars(250))


PAYMENT = "/finance/invoices/{parentId}/payments/{id}"


def _beside(stage, amount: str, **more: Any) -> None:
    """Another row on invoice 1001, as an older interface may have left it."""
    from sage50kit.sandbox.records import Payment

    made = Payment(id=900, invoice=50001, amount=Decimal(amount), applied_by="Admin1", **more)
    stage.site.views.payments[50001].append(made)
    stage.site.revision += 1
    stage.site._cache.clear()
