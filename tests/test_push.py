"""The push protocol on real parts: posted once, batched once, and what goes wrong is said."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from sage50kit.batch.push import push
from sage50kit.errors import (
    BatchTaken,
    ContentChanged,
    InDoubt,
    PlanBlocked,
    PushInProgress,
    UsageError,
)
from sage50kit.simulator.world import Keyless
from tests.pushing import (
    HELD,
    INVOICE,
    TRANSFER,
    WAITING,
    Unreachable,
    choose,
    interrupted,
    kit_in,
    living,
    pushed,
    unbatch,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sage50kit.kit import Kit


@pytest.fixture
def kit(tmp_path) -> Iterator[Kit]:
    with kit_in(tmp_path) as kit:
        yield kit


@pytest.mark.parametrize("keys", [INVOICE, TRANSFER, WAITING])
def test_a_power_cut_after_posting_posts_once(kit, keys):
    """The same push again finds the document by our key and finishes."""
    with interrupted(kit):
        pushed(kit, keys, "A")
    again = pushed(kit, keys, "A")

    assert again.status.startswith("completed")
    assert len(living(kit)) == 1
    assert kit.verify("A").ok


@pytest.mark.parametrize("keys", [INVOICE, TRANSFER, WAITING])
def test_a_power_cut_in_the_second_generation_posts_once(kit, keys):
    """Voided, un-batched, pushed again and cut off: the next push finds generation two by its key."""
    (first,) = pushed(kit, keys, "A").documents["place"]
    unbatch(kit, "A")
    kit.company.void(first, on=date(2026, 10, 31))
    with interrupted(kit):
        pushed(kit, keys, "B")
    pushed(kit, keys, "B")

    assert len(living(kit)) == 1


@pytest.mark.parametrize("keys", [INVOICE, TRANSFER, WAITING])
def test_what_stands_in_the_books_joins_the_next_batch_unposted(kit, keys):
    """Un-batched but not voided, in any generation: it is not posted again."""
    (first,) = pushed(kit, keys, "A").documents["place"]
    unbatch(kit, "A")
    kit.company.void(first, on=date(2026, 10, 31))
    pushed(kit, keys, "B")
    unbatch(kit, "B")
    report = pushed(kit, keys, "C")

    assert len(living(kit)) == 1
    assert list(report.cleared["key"]) == keys
    assert kit.verify("C").ok


def test_a_corrected_account_is_other_content(kit):
    """An invoice that stands in the books on another account blocks, with both versions."""
    pushed(kit, INVOICE, "A")
    unbatch(kit, "A")
    selected = choose(kit, INVOICE)
    kit.connectwise = Reopened(kit.connectwise)

    with pytest.raises(PlanBlocked, match="accounts 4000, 4950"):
        kit.plan(selected, batch="B")


class Reopened:
    """A ConnectWise in which revenue account 4950 was corrected to 4000."""

    def __init__(self, connectwise: Any) -> None:
        self._connectwise = connectwise

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connectwise, name)

    def export_invoices(self, ids: Any, **words: Any) -> Any:
        export = self._connectwise.export_invoices(ids, **words)
        (header,) = export.transactions
        lines = tuple(
            row.model_copy(update={"account_number": "4000"})
            if row.account_number == "4950"
            else row
            for row in header.detail
        )
        changed = header.model_copy(update={"detail": lines})
        return export.model_copy(update={"transactions": (changed,)})


def test_a_bill_that_lost_a_row_is_not_posted_under_the_other_key(kit):
    """An expense that stands in the books as part of a larger bill blocks."""
    both = ["expense:5011", "expense:5012"]
    pushed(kit, both, "A")
    unbatch(kit, "A")

    with pytest.raises(PlanBlocked, match="other content"):
        kit.plan(choose(kit, both[1:]), batch="B")


def test_connectwise_going_away_after_posting_is_doubt_not_failure(kit):
    """Exit code 5, nothing is posted twice, and the next push makes the batch."""
    plan = kit.plan(choose(kit, INVOICE), batch="A")
    words = {"company": kit.company, "log": kit.log}
    with pytest.raises(InDoubt, match="posted") as caught:
        push(plan, connectwise=Unreachable(kit.connectwise), **words)
    report = kit.push(kit.plan(choose(kit, INVOICE), batch="A"), dry_run=False)

    assert caught.value.exit_code == 5
    assert report.status == "completed"
    assert len(living(kit)) == 1


def test_an_unfinished_batch_is_finished_before_its_documents_are_taken(kit):
    """Another batch may not take what an interrupted one has begun."""
    with interrupted(kit):
        pushed(kit, INVOICE, "A")

    with pytest.raises(PlanBlocked, match="batch A"):
        kit.plan(choose(kit, INVOICE), batch="B")


def test_a_batch_of_somebody_else_is_not_adopted(kit):
    """A batch that appears under our number and holds none of our entries is not called ours."""
    plan = kit.plan(choose(kit, INVOICE), batch="A")
    with interrupted(kit):
        kit.push(plan, dry_run=False)
    foreign = choose(kit, TRANSFER)["entry_ids"].iloc[0]
    kit.connectwise.create_batch("A", kinds={"transfer"}, entry_ids=[int(foreign)])

    with pytest.raises(InDoubt, match="somebody else"):
        kit.push(plan, dry_run=False)


def test_a_taken_number_is_refused_before_anything_is_written(kit):
    """A number that ConnectWise has and our log does not is exit code 4."""
    plan = kit.plan(choose(kit, INVOICE), batch="20260930JD-I")

    with pytest.raises(BatchTaken, match="taken in ConnectWise") as caught:
        kit.push(plan, dry_run=False)
    assert caught.value.exit_code == 4
    assert living(kit) == []
    assert kit.log.batch("20260930JD-I") is None


@pytest.mark.parametrize("batch", ["", "x" * 51])
def test_a_number_that_does_not_fit_is_refused(kit, batch):
    """ConnectWise takes 1 to 50 characters."""
    plan = replace(kit.plan(choose(kit, INVOICE), batch="A"), batch=batch)

    with pytest.raises(BatchTaken, match="1 to 50"):
        kit.push(plan, dry_run=False)
    assert living(kit) == []


def test_a_plan_of_another_pair_is_refused(kit):
    """A plan is pushed only to the site and company it was made for."""
    plan = replace(kit.plan(choose(kit, INVOICE), batch="A"), company="Other Co")

    with pytest.raises(UsageError, match="Other Co"):
        kit.push(plan, dry_run=False)


def test_a_second_push_is_told_who_holds_the_company(kit):
    """The claim names the person, the machine and the time; exit code 6."""
    plan = kit.plan(choose(kit, INVOICE), batch="A")
    with kit.log.claim(), pytest.raises(PushInProgress, match=r"process \d+") as caught:
        kit.push(plan, dry_run=False)
    assert caught.value.exit_code == 6
    assert living(kit) == []


def test_a_decrease_is_found_again_without_our_key(kit):
    """Sage values what leaves the stock, so its total does not tell whose document it is."""
    keys = ["adjustment:82-adjustment"]  # two documents
    kit.company = Keyless(kit.company)
    with interrupted(kit):
        pushed(kit, keys, "A")
    pushed(kit, keys, "A")

    assert len(living(kit)) == 2


def test_a_plan_that_somebody_else_has_pushed_meanwhile_ends(kit):
    """Its documents stand in the books and in the other batch: nothing is left to batch, the number is free."""
    pushed(kit, INVOICE, "A")
    unbatch(kit, "A")
    stale = kit.plan(choose(kit, INVOICE), batch="B")
    pushed(kit, INVOICE, "C")

    with pytest.raises(ContentChanged, match="Plan again"):
        kit.push(stale, dry_run=False)
    assert kit.verify("C").ok
    assert kit.log.unfinished_batches() == []
    assert kit.connectwise.find_batch("B") is None


def test_a_failed_batch_is_tried_again_under_its_number(kit):
    """Everything refused: the number is free, and the same push tries again."""
    first = pushed(kit, [HELD], "A")
    again = pushed(kit, [HELD], "A")

    assert (first.status, again.status) == ("failed", "failed")
    refusals = [event for event in kit.log.events("A") if event["kind"] == "refused"]
    assert len(refusals) == 2
    assert kit.connectwise.find_batch("A") is None


def test_a_refused_document_keeps_its_place_in_the_first_report(kit):
    """Pushed again under the next number, the first batch still repeats its own report."""
    first = pushed(kit, [HELD, *INVOICE], "A")
    pushed(kit, [HELD], first.next_batch)
    again = kit.push(kit.log.plan_of("A", company=kit.company.name), dry_run=False)

    assert first.next_batch == "A-1"
    assert again.counts == first.counts
    assert list(again.documents["state"]) == list(first.documents["state"])


def test_a_voided_document_is_not_settled_as_posted(kit):
    """Cut off, then voided in Sage: a person decides, nothing is batched."""
    with interrupted(kit):
        pushed(kit, INVOICE, "A")
    (place,) = living(kit)
    kit.company.void(place, on=date(2026, 10, 31))

    with pytest.raises(InDoubt, match="voided"):
        pushed(kit, INVOICE, "A")
    assert kit.connectwise.find_batch("A") is None


def test_nothing_to_push_is_no_failure(kit):
    """The nightly run of an empty list ends clean."""
    report = pushed(kit, [], "A")

    assert (report.status, report.exit_code) == ("completed", 0)


def test_a_dry_run_writes_nothing(kit):
    """No log entry, no document, no batch."""
    report = kit.push(kit.plan(choose(kit, INVOICE), batch="A"))

    assert report.dry_run
    assert set(report.documents["state"]) == {"planned"}
    assert (living(kit), kit.log.history(), kit.connectwise.find_batch("A")) == ([], [], None)
