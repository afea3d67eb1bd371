"""Trouble on the line: no payment is lost, none is doubled, and one failing invoice does not stop the others."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sage50kit.errors import PushInProgress, UsageError
from sage50kit.payments import apply
from sage50kit.sandbox.faults import Rule, answer, dropped, failing, garbage, too_many, twice
from sage50kit.sandbox.state import Switches
from tests.payment_stage import dollars, staged

INVOICES = {str(number): "100.00" for number in range(1001, 1013)}


@pytest.fixture
def stage(tmp_path):
    """Twelve invoices."""
    with staged(tmp_path, INVOICES) as stage:
        yield stage


def writes(stage: Any) -> list[str]:
    return [row.method for row in stage.faults.seen if row.method != "GET"]


SILENCE = [dropped(after_effect=True), dropped(), failing(500)]
UNREADABLE = [("POST", garbage(201)), ("PATCH", garbage())]  # nobody reads what a DELETE answers
TROUBLE = [(method, fault) for method in ("POST", "PATCH", "DELETE") for fault in SILENCE]


@pytest.mark.parametrize(("method", "fault"), [*TROUBLE, *UNREADABLE])
def test_silence_after_a_write_is_settled_by_looking(stage, method, fault):
    """The write arrived or did not: it is looked up at once, and the next run does what is left."""
    first = stage.pay("CK 1", 5, applied={"1001": "40.00", "1002": "7.00"})
    if method != "POST":
        stage.sync()
        _edit_or_delete(stage, first, method)
    stage.faults.rules.append(Rule(fault, path="/payments", method=method))
    report = stage.sync()
    stage.faults.rules.clear()
    if report.issues:
        assert [row.code for row in report.issues] == ["payment_unanswered"]
        assert report.exit_code == 3
        report = stage.sync()
    assert report.issues == ()
    wanted = {
        "POST": {"1001": (dollars(40),), "1002": (dollars(7),)},
        "PATCH": {"1001": (dollars(45),), "1002": (dollars(7),)},
        "DELETE": {},
    }
    assert stage.shown() == wanted[method]
    stage.sent()
    stage.sync()
    stage.sync(full=True)
    assert stage.sent()[1] == 0


def _edit_or_delete(stage: Any, receipt: Any, method: str) -> None:
    if method == "DELETE":
        stage.company.delete_receipt(receipt.place)
        return
    stage.company.edit_receipt(
        receipt.place,
        "HILLSCHOOL",
        reference="CK 1",
        date=receipt.date,
        applied={"1001": dollars(45), "1002": dollars(7)},
    )


def test_one_refused_invoice_waits_alone(stage):
    """ConnectWise refuses one payment: the others are written, the cursor moves, it is tried again."""
    stage.pay("CK 1", 5, applied=dict.fromkeys(INVOICES, "1.00"))
    refuse = Rule(failing(400, "No."), path="/finance/invoices/50004/payments", on=())
    stage.faults.rules.append(refuse)
    report = stage.sync()
    assert report.cursor_moved
    assert [(row.code, row.number) for row in report.issues] == [("payment_refused", "1004")]
    assert set(stage.shown()) == set(INVOICES) - {"1004"}
    assert [(row.number, row.code) for row in stage.record.known().waiting] == [
        ("1004", "payment_refused")
    ]
    stage.faults.rules.clear()
    stage.sent()
    assert stage.sync().issues == ()
    assert stage.sent()[1] == 1
    assert set(stage.shown()) == set(INVOICES)


@pytest.mark.parametrize("fault", [answer(201, "{}", after_effect=True), twice()])
def test_our_payment_stays_ours_when_the_answer_says_otherwise(stage, fault):
    """An answer without an id, or a proxy that sent it twice and tells the refusal: the next receipt is followed."""
    stage.pay("CK 1", 5, applied={"1001": "40.00"})
    stage.faults.rules.append(Rule(fault, path="/payments", method="POST"))
    assert stage.sync().issues == ()
    stage.pay("CK 2", 6, applied={"1001": "5.00"})
    assert stage.sync().issues == ()
    assert stage.shown() == {"1001": (dollars(45),)}


def test_a_payment_is_not_deleted_because_the_address_is_not_found(stage):
    """A 404 that is not about the payment: it stands, waits, and is deleted with the next run."""
    paid = stage.pay("CK 1", 5, applied={"1001": "40.00"})
    stage.sync()
    stage.company.delete_receipt(paid.place)
    stage.faults.rules.append(Rule(failing(404), path="/payments", method="DELETE"))
    assert [row.code for row in stage.sync().issues] == ["payment_refused"]
    assert stage.sync().issues == ()
    assert stage.shown() == {}


def test_a_site_that_takes_no_more_is_left_alone(stage):
    """A 429 that asks for more than the kit waits: the rest is not sent, waits, and is written later."""
    stage.pay("CK 1", 5, applied=dict.fromkeys(INVOICES, "1.00"))
    stage.faults.rules.append(Rule(too_many(999), path="/payments", method="POST", on=()))
    assert {row.code for row in stage.sync().issues} == {"payment_unanswered"}
    assert len(writes(stage)) <= stage.connectwise.requests_at_once
    stage.faults.rules.clear()
    assert stage.sync().issues == ()
    assert set(stage.shown()) == set(INVOICES)


def test_429_is_obeyed_and_the_write_sent_once(stage):
    """The wait that ConnectWise asks for is kept; then the payment is there once."""
    stage.pay("CK 1", 5, applied={"1001": "40.00"})
    stage.faults.rules.append(Rule(too_many(7), path="/payments", method="POST", on=(1, 2)))
    report = stage.sync()
    assert (stage.waited, report.issues) == ([7.0, 7.0], ())
    assert stage.shown() == {"1001": (dollars(40),)}


def test_nothing_more_is_tried_once_connectwise_is_gone(tmp_path):
    """The site goes away before the writes: each waits; back again, all are written."""
    with staged(tmp_path, INVOICES) as stage:
        stage.pay("CK 1", 5, applied=dict.fromkeys(INVOICES, "1.00"))
        plan = stage.plan()
        away = _Away(stage.connectwise)
        report = apply.apply(
            plan, company=stage.company, connectwise=away, log=stage.log, record=stage.record
        )
        assert {row.code for row in report.issues} == {"payment_unanswered"}
        assert away.tried <= away.requests_at_once
        stage.sync()
        assert set(stage.shown()) == set(INVOICES)


class _Away:
    """A site whose address answers no more."""

    def __init__(self, there: Any) -> None:
        self.client = there.client
        self.requests_at_once = there.requests_at_once
        self.tried = 0

    def create(self, *_: Any) -> int:
        from sage50kit.errors import ConnectWiseUnavailable

        self.tried += 1
        raise ConnectWiseUnavailable("it cannot be reached")


class Crash(BaseException):
    """The power goes."""


class Crashing:
    """An object whose n-th call is the last, before or after it did its work."""

    def __init__(self, inner: Any, fuse: list[int]) -> None:
        self._inner = inner
        self._fuse = fuse

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        if not callable(found) or name.startswith("_"):
            return found

        def call(*values: Any, **words: Any) -> Any:
            self._burn()
            answer = found(*values, **words)
            self._burn()
            return answer

        return call

    def _burn(self) -> None:
        self._fuse[0] -= 1
        if self._fuse[0] == 0:
            raise Crash


def test_killed_at_any_call_and_run_again(tmp_path):
    """Before and after every call to the record and to ConnectWise: in the end each payment is there once."""
    position = 0
    while True:
        position += 1
        folder = tmp_path / str(position)
        folder.mkdir()
        with staged(folder, {"1001": "100.00", "1002": "100.00"}) as stage:
            first = stage.pay("CK 1", 5, applied={"1001": "40.00"})
            stage.sync()
            stage.company.delete_receipt(first.place)
            stage.pay("CK 2", 6, applied={"1002": "30.00"})
            fuse = [position]
            died = _apply_until(stage, fuse)
            stage.sync()
            assert stage.shown() == {"1002": (dollars(30),)}, position
            stage.sent()
            stage.sync(full=True)
            assert stage.sent()[1] == 0, position
            assert stage.record.known().waiting == ()
        if not died:
            break
    assert position > 10


def _apply_until(stage: Any, fuse: list[int]) -> bool:
    try:
        apply.apply(
            stage.plan(),
            company=stage.company,
            connectwise=Crashing(stage.connectwise, fuse),
            log=stage.log,
            record=Crashing(stage.record, fuse),
        )
    except Crash:
        return True
    return False


def test_one_at_a_time(stage):
    """While somebody else pushes, nothing is written."""
    stage.pay("CK 1", 5, applied={"1001": "40.00"})
    plan = stage.plan()
    with stage.log.claim(), pytest.raises(PushInProgress):
        stage.apply(plan)
    assert stage.shown() == {}


def test_a_plan_for_another_site_is_refused(stage):
    """A plan is applied where it was made."""
    with pytest.raises(UsageError, match="made for elsewhere"):
        stage.apply(replace(stage.plan(), site="elsewhere"))


@pytest.mark.parametrize("minutes", [0, 30])
def test_a_plan_that_was_thought_over_overwrites_nobody(tmp_path, minutes):
    """Somebody typed a payment while the plan was read: it stays, even where a site would overwrite it.

    At once the site refuses the second payment; after a while the kit looks again and does not send it.
    """
    switches = Switches(second_payment="refuse" if minutes == 0 else "overwrite")
    with staged(tmp_path, {"1001": "300.00", "1002": "50.00"}, switches=switches) as stage:
        stage.pay("CK 1", 5, applied={"1001": "100.00", "1002": "20.00"})
        plan = stage.plan()
        plan = replace(plan, made=plan.made - 60 * minutes)
        body = {"type": "P", "amount": dollars(7), "paymentDate": "2026-10-09T00:00:00Z"}
        stage.site.call(
            "POST", "/finance/invoices/{parentId}/payments", {"parentId": "50001"}, body
        )
        report = stage.apply(plan)
        wanted = "payment_moved_on" if minutes else "payment_refused"
        assert [(row.code, row.number) for row in report.issues] == [(wanted, "1001")]
        assert stage.shown() == {"1001": (dollars(7),), "1002": (dollars(20),)}
        assert [row.code for row in stage.sync().issues] == ["payment_conflict"]


def test_a_plan_is_applied_once(stage):
    """Somebody has synced since: the old plan is refused, because it knows too little."""
    stage.pay("CK 1", 5, applied={"1001": "40.00"})
    plan = stage.plan()
    stage.apply(plan)
    with pytest.raises(UsageError, match="Plan again"):
        stage.apply(plan)
    assert stage.shown() == {"1001": (dollars(40),)}


def test_few_calls(tmp_path):
    """300 candidates of which 40 changed: 40 writes and 3 reads, whether by number or by id."""
    many = {str(number): "100.00" for number in range(1001, 1301)}
    with staged(tmp_path, many) as stage:
        stage.pay("CK 1", 5, applied=dict.fromkeys(many, "1.00"))
        stage.sync()
        assert stage.sent() == (3, 300)
        stage.pay("CK 2", 6, applied=dict.fromkeys(list(many)[:40], "2.00"))
        stage.sync(full=True)
        assert stage.sent() == (3, 40)
