"""Go-live on a company with a past: what is there already is linked, what is doubtful is a person's."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from sage50kit.connectwise.wire import Invoice
from sage50kit.errors import ContentChanged, PushInProgress, UsageError
from sage50kit.payments.golive import match
from sage50kit.payments.receivables import Booked, billed
from sage50kit.pushlog.links import linked
from tests.receivables_stage import DAY, invoice, receivables_stage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.receivables_stage import Stage

INVOICES = [
    invoice(1, "100.00"),
    invoice(2, "200.00"),
    invoice(3, "300.00"),
    invoice(4, "400.00"),
    invoice(5, "500.00"),
    invoice(6, "-60.00"),
    invoice(7, "70.00", status=1),
]


@pytest.fixture
def stage(tmp_path) -> Iterator[Stage]:
    """Six closed invoices and an open one; the bookkeeper had entered five of them before the kit came."""
    with receivables_stage(tmp_path, INVOICES) as stage:
        stage.enter("r-1", "100.00", customer="hillschool")  # exact, whatever the case
        stage.enter("R-2", "205.00")  # another amount
        stage.enter("R-3", "300.00", customer="BAYSHORE")  # another customer
        stage.enter("4", "400.00")  # another number
        stage.enter("R-6", "-60.00")  # exact, a credit memo
        yield stage


def test_exact_ones_are_matched_and_doubtful_ones_are_listed(stage):
    """Number, customer and amount make a match; each doubt says what does not fit."""
    found = stage.kit.match_history()

    assert [row.number for row in found.links] == ["R-1", "R-6"]
    assert {row.number: row.why for row in found.doubts} == {
        "R-2": "number and customer fit, the amount differs",
        "R-3": "the number fits, the customer differs",
        "R-4": "customer, amount and date fit, the number differs",
    }
    assert [row.number for row in found.unmatched] == ["R-5"]
    assert list(found.linked["place"]) == [stage.place("r-1"), stage.place("R-6")]


def test_two_candidates_are_never_guessed_between(tmp_path):
    """Two ConnectWise invoices fit one document: both are doubtful."""
    twins = [invoice(1, "100.00"), invoice(2, "100.00", invoiceNumber="r-1")]
    with receivables_stage(tmp_path, twins) as stage:
        stage.enter("R-1", "100.00")

        found = stage.kit.match_history()

        assert not found.links
        assert {row.why for row in found.doubts} == {
            "number, customer and amount fit more than one"
        }


def test_a_dry_run_records_nothing(stage):
    """Looking changes neither log nor books nor ConnectWise."""
    events, documents = stage.kit.log.count(), stage.company.documents()

    found = stage.kit.match_history()

    assert found.recorded == 0
    assert stage.kit.log.count() == events
    assert stage.company.documents() == documents


def test_links_are_recorded_once_and_nothing_is_posted(stage):
    """The second run finds the same links and records none."""
    documents = stage.company.documents()

    first, second = (stage.kit.match_history(dry_run=False) for _ in range(2))

    assert (first.recorded, second.recorded) == (2, 0)
    assert [row.places for row in second.links] == [row.places for row in first.links]
    assert linked(stage.kit.log) == {
        "invoice:1": stage.place("r-1"), "invoice:6": stage.place("R-6")
    }  # fmt: skip
    assert stage.company.documents() == documents
    assert stage.kit.log.verify() == []


def test_a_person_decides_the_doubtful(stage):
    """A candidate that was offered is linked; anything else is refused."""
    place = stage.place("4")

    stage.kit.match_history(chosen={"invoice:4": place}, dry_run=False)

    assert linked(stage.kit.log)["invoice:4"] == place
    with pytest.raises(UsageError, match="cannot be linked"):
        stage.kit.match_history(chosen={"invoice:2": place}, dry_run=False)
    with pytest.raises(UsageError, match="not doubtful"):
        stage.kit.match_history(chosen={"invoice:5": place}, dry_run=False)


def test_a_link_can_be_taken_back(stage):
    """A mistake is no prison: what was unlinked is matched anew, and the log keeps both."""
    stage.kit.match_history(chosen={"invoice:4": stage.place("4")}, dry_run=False)

    after = stage.kit.match_history(unlink=["invoice:4"], dry_run=False)

    assert "R-4" in {row.number for row in after.doubts}
    assert "invoice:4" not in linked(stage.kit.log)
    assert "invoice:4" in set(stage.kit.fetch()["key"])
    with pytest.raises(UsageError, match="nothing to take back"):
        stage.kit.match_history(unlink=["invoice:4"])


def test_nothing_is_linked_while_a_push_holds_the_company(stage):
    """Or an invoice could be posted and linked at once."""
    with stage.kit.log.claim(), pytest.raises(PushInProgress):
        stage.kit.match_history(dry_run=False)

    assert linked(stage.kit.log) == {}


def test_linked_invoices_are_left_out_with_the_reason(stage):
    """They stay unposted in ConnectWise, and `why` tells why."""
    before = stage.kit.fetch()
    stage.kit.match_history(dry_run=False)

    kept = stage.kit.fetch()

    assert set(before["key"]) - set(kept["key"]) == {"invoice:1", "invoice:6"}
    assert "matched at go-live" in stage.kit.why("invoice:1")
    with pytest.raises(UsageError, match="matched at go-live"):
        stage.kit.plan(before, batch="A")


def test_linked_invoices_reconcile_as_matched(stage):
    """The reconciliation knows the links: what was entered before the kit is no difference."""
    stage.kit.match_history(dry_run=False)

    causes = {row.number: row.causes for row in stage.kit.reconcile(as_of="2026-10-31").lines}

    assert causes["R-1"] == causes["R-6"] == ()


def test_a_linked_invoice_of_another_number_reconciles_too(stage):
    """The link counts, not the number that the bookkeeper gave it."""
    stage.kit.match_history(chosen={"invoice:4": stage.place("4")}, dry_run=False)

    rows = [row for row in stage.kit.reconcile(as_of="2026-10-31").lines if row.invoice_id == 4]

    assert [(row.connectwise, row.sage, row.causes) for row in rows] == [
        (Decimal(400), Decimal(400), ())
    ]


def test_what_the_kit_posted_needs_no_matching(stage):
    """A pushed invoice is in none of the lists."""
    stage.push(5, batch="A")

    found = stage.kit.match_history()

    assert "R-5" not in {row.number for row in (*found.links, *found.doubts, *found.unmatched)}


def test_the_cut_over_keeps_old_ones_out_for_good(tmp_path):
    """By document date: the day itself is in, the day before is not, and the reason names the day."""
    old, new = invoice(1, "100.00", date="2026-09-30"), invoice(2, "200.00", date="2026-10-01")
    with receivables_stage(tmp_path, [old, new], cut_over=date(2026, 10, 1)) as stage:
        kept = stage.kit.fetch()

        assert list(kept["key"]) == ["invoice:2"]
        assert "dated before the cut-over of 2026-10-01" in stage.kit.why("invoice:1")


def test_a_plan_made_before_the_link_posts_nothing(stage):
    """It would stand in the books twice: the push refuses before anything is written."""
    unposted = stage.kit.fetch()
    plan = stage.kit.plan(unposted[unposted["key"] == "invoice:4"], batch="A")
    stage.kit.match_history(chosen={"invoice:4": stage.place("4")}, dry_run=False)

    with pytest.raises(ContentChanged, match="matched at go-live since this plan was made"):
        stage.kit.push(plan, dry_run=False)

    assert [row.reference for row in stage.company.receivables() if row.amount == 400] == ["4"]


def test_what_an_unfinished_batch_may_post_yet_is_not_linked():
    """Its key is a doubt that names the batch, and no candidate is offered."""
    found = match(
        billed([Invoice(id=1, invoice_number="R-1", account_number="A", total=Decimal(5))], {}, as_of=DAY),
        [Booked(place="SJ-1", type="sales_invoice", number="R-1", customer_id="A", due_date=None,
                date=DAY, account_id="1100", total=Decimal(5))],
        known={},
        posted=frozenset(),
        unfinished={"invoice:1": "B7"},
    )  # fmt: skip

    assert (found.links, found.unmatched) == ((), ())
    assert [(row.places, "batch B7 is not finished" in row.why) for row in found.doubts] == [
        ((), True)
    ]


def test_a_link_to_what_was_voided_is_a_doubt(stage):
    """Matching says so, the reconciliation says how to go on, and after that it can be pushed."""
    stage.kit.match_history(dry_run=False)
    place = stage.place("r-1")
    stage.company.void(place, on=date(2026, 10, 20))

    doubts = {row.key: row.why for row in stage.kit.match_history().doubts}
    lines = stage.kit.reconcile(as_of="2026-10-31").lines
    (cause,) = next(row.causes for row in lines if row.invoice_id == 1)

    assert doubts["invoice:1"] == f"it is linked to {place}, which stands in Sage 50 no more"
    assert cause.reason == "missing"
    assert "--unlink invoice:1" in cause.fix
    stage.kit.match_history(unlink=["invoice:1"], dry_run=False)
    stage.push(1, batch="A")
