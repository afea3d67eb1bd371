"""A batch is run again after Sage was restored: what is missing is posted, what stands is left alone."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from sage50kit.batch.rerun import rerun
from sage50kit.errors import InDoubt, PlanBlocked, UsageError
from sage50kit.kit import Kit
from tests.pushing import (
    HELD,
    INVOICE,
    TRANSFER,
    Wrapped,
    choose,
    interrupted,
    kit_in,
    living,
    pushed,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TWO = ["invoice:48101", "invoice:48102"]


@pytest.fixture
def kit(tmp_path) -> Iterator[Kit]:
    with kit_in(tmp_path) as kit:
        yield kit


def backup(kit: Kit) -> Path:
    """A copy of the company file, as it is now."""
    path = kit.profile.sage.company_file
    kit.company.close()
    return shutil.copy(path, path.with_name("backup.company"))


@contextmanager
def restored(kit: Kit, copy: Path) -> Iterator[Kit]:
    """The company as it was when the copy was made, opened anew."""
    path = kit.profile.sage.company_file
    kit.company.close()
    for side in path.parent.glob(f"{path.name}-*"):
        side.unlink()
    shutil.copy(copy, path)
    with Kit(kit.profile) as again:
        yield again


def states(rerun: Any) -> dict[str, str]:
    return dict(zip(rerun.documents["document"], rerun.documents["state"], strict=True))


def test_everything_present_posts_nothing(kit):
    """The batch is compared and left as it is."""
    pushed(kit, [*TWO, *TRANSFER], "A")
    before = living(kit)
    done = kit.rerun("A", dry_run=False)

    assert done.counts == {"present": 3, "missing": 0, "changed": 0}
    assert (done.exit_code, done.report, living(kit)) == (0, None, before)


def test_after_a_restored_backup_exactly_the_lost_documents_are_posted(kit):
    """7 of 25 documents are lost: 18 present, 7 missing, 0 changed; 7 are posted and all stand once."""
    every = [key for key in kit.fetch(kinds=["invoice", "receipt"])["key"] if key != HELD][:26]
    plan = kit.plan(choose(kit, every), batch="A")
    documents = plan.documents[:25]
    keys = [key for row in documents for key in row.transactions]
    copies = []

    def saved(done: int, _: int) -> None:
        if done == 18:
            copies.append(backup(kit))

    kit._progress = lambda step, done, of: saved(done, of) if step == "post" else None
    report = kit.push(kit.plan(choose(kit, keys), batch="B"), dry_run=False)
    assert report.counts["posted"] == len(documents) == 25
    with restored(kit, copies[0]) as again:
        assert len(living(again)) == 18
        looked = again.rerun("B")
        assert looked.counts == {"present": 18, "missing": 7, "changed": 0}
        assert len(living(again)) == 18
        done = again.rerun("B", dry_run=False)
        assert done.report.counts["posted"] == 25
        assert done.headline.endswith("0 changed. 7 of 7 were posted.")
        assert len(living(again)) == 25
        assert again.rerun("B").counts == {"present": 25, "missing": 0, "changed": 0}
        assert again.verify("B").ok
        assert again.verify_all().exit_code == 0
        assert again.log.verify() == []


def test_customers_that_were_lost_are_created_again(kit):
    """A restored company lacks the customer that the push created; the re-run creates it before the invoice."""
    copy = backup(kit)
    plan = kit.plan(choose(kit, ["invoice:48116"]), batch="A")
    assert plan.masters
    kit.push(plan, dry_run=False)
    with restored(kit, copy) as again:
        done = again.rerun("A", dry_run=False)

        assert done.report.status.startswith("completed")
        assert len(living(again)) == 1
        assert again.verify("A").ok


def test_a_rerun_that_is_cut_off_is_resumed(kit):
    """The machine stops in the middle of a re-run: resume finishes it, each document once."""
    copy = backup(kit)
    pushed(kit, [*TWO, *TRANSFER], "A")
    with restored(kit, copy) as again:
        with interrupted(again):
            again.rerun("A", dry_run=False)
        with pytest.raises(InDoubt, match="not finished"):
            again.rerun("A")
        (report,) = again.resume()

        assert report.batch == "A"
        assert len(living(again)) == 3
        assert again.verify("A").ok


def test_a_changed_document_is_shown_with_both_versions_and_left(kit):
    """Renumbered in Sage: changed, exit code 3, and not posted again."""
    pushed(kit, INVOICE, "A")
    (place,) = living(kit)
    number = kit.rerun("A").documents.loc[0, "number"]
    kit.company.renumber(place, "X-1")
    done = kit.rerun("A", dry_run=False)

    assert states(done) == {INVOICE[0]: "changed"}
    assert done.documents.loc[0, "difference"] == f"number {number} here, X-1 there"
    assert (done.exit_code, len(living(kit))) == (3, 1)


def test_a_voided_document_is_changed_not_missing(kit):
    """Somebody voided it on purpose; a re-run does not undo that."""
    pushed(kit, [*INVOICE, *TRANSFER], "A")
    place = next(row.place for row in kit.company.documents() if row.type == "sales_invoice")
    kit.company.void(place, on=date(2026, 10, 31))
    done = kit.rerun("A", dry_run=False)

    assert states(done)[INVOICE[0]] == "changed"
    assert done.documents.set_index("document").loc[INVOICE[0], "difference"] == "voided in Sage 50"
    assert len(living(kit)) == 1


def test_a_present_document_is_posted_again_only_by_name(kit):
    """Its key is named: generation two is posted beside generation one, with a warning."""
    pushed(kit, TRANSFER, "A")
    done = kit.rerun("A", repost=TRANSFER, dry_run=False)

    assert "posted_again" in set(done.issues["code"])
    assert [row.generation for row in kit.log.documents("A")] == [1, 2]
    assert len(living(kit)) == 2


def test_what_was_compared_is_posted_and_nothing_else(kit):
    """Between the question and the yes another document is lost: it waits for the next comparison."""
    pushed(kit, [*INVOICE, *TRANSFER], "A")
    rows = {row.key: row for row in kit.log.documents("A")}
    kit.company.delete(rows[INVOICE[0]].place)
    reviewed = kit.rerun("A")
    kit.company.delete(rows[TRANSFER[0]].place)
    done = kit.post_missing(reviewed)

    assert [row.label for row in done.plan.documents] == [f"{INVOICE[0]}#2"]
    assert done.headline.endswith("1 of 1 were posted.")
    assert states(kit.rerun("A")) == {INVOICE[0]: "present", TRANSFER[0]: "missing"}


def test_a_key_to_post_again_must_be_in_the_batch(kit):
    """A mistyped key is named; the label of a second part means its transaction."""
    adjustment = "adjustment:82-adjustment"
    pushed(kit, [adjustment], "A")

    with pytest.raises(UsageError, match="invoice:99999 is not in batch A"):
        kit.rerun("A", repost=[adjustment, "invoice:99999"], dry_run=False)
    with pytest.raises(UsageError, match="no batch B"):
        kit.rerun("B", repost=["invoice:99999"])
    looked = kit.rerun("A", repost=[f"{adjustment}/2"])
    assert {row.key for row in looked.plan.documents} == {adjustment}
    assert looked.plan.documents


def test_a_document_that_cannot_be_posted_now_blocks_the_rerun(kit):
    """The restored company lacks an account: nothing is written, the finding names it."""
    copy = backup(kit)
    with closing(sqlite3.connect(copy)) as db, db:
        db.execute("DELETE FROM account WHERE account_id = '4950'")
    pushed(kit, INVOICE, "A")
    with restored(kit, copy) as again, pytest.raises(PlanBlocked, match="4950"):
        again.rerun("A", dry_run=False)


def test_a_closed_batch_is_run_again_from_the_log(kit):
    """ConnectWise does not show the batch: the log stands for it, and the finding says so."""
    copy = backup(kit)
    pushed(kit, [*INVOICE, *TRANSFER], "A")
    with restored(kit, copy) as again:
        again.connectwise = Hiding(again.connectwise)
        done = again.rerun("A", dry_run=False)

        assert done.counts == {"present": 0, "missing": 2, "changed": 0}
        assert "batch_missing" in set(done.report.issues["code"])
        assert (done.exit_code, len(living(again))) == (3, 2)


class Hiding:
    """A ConnectWise that does not show closed batches."""

    def __init__(self, connectwise: Any) -> None:
        self._connectwise = connectwise

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connectwise, name)

    def find_batch(self, _: str) -> None:
        """It is closed."""


def test_an_unknown_batch_is_refused(kit):
    """The log knows no such number; the known ones are named."""
    pushed(kit, INVOICE, "A")

    with pytest.raises(UsageError, match=r"no batch B. Known: A\."):
        kit.rerun("B")


def test_the_same_plan_pushed_again_after_a_rerun_repeats_its_report(kit):
    """A notebook cell that is run once more writes nothing and reports the batch as it is now."""
    copy = backup(kit)
    plan = kit.plan(choose(kit, INVOICE), batch="A")
    kit.push(plan, dry_run=False)
    with restored(kit, copy) as again:
        again.rerun("A", dry_run=False)
        report = again.push(plan, dry_run=False)

        assert report.counts["posted"] == 1
        assert len(living(again)) == 1


def test_two_reruns_of_one_batch_do_not_meet(kit):
    """The second was looked at before the first was cut off: it is told to resume first."""
    copy = backup(kit)
    pushed(kit, TRANSFER, "A")
    with restored(kit, copy) as again:
        stale = again.rerun("A")
        with interrupted(again):
            again.rerun("A", dry_run=False)
        with pytest.raises(InDoubt, match="sage50kit resume"):
            rerun(stale, company=again.company, connectwise=again.connectwise, log=again.log)
        again.resume()
        assert len(living(again)) == 1


def test_a_company_without_our_key_is_compared_by_party_number_date_and_total(kit):
    """What carries no key is found by what it says."""
    pushed(kit, INVOICE, "A")
    keyless = replace(kit.company.capabilities, carries_key=frozenset())
    kit.company = Wrapped(kit.company, capabilities=keyless)

    assert states(kit.rerun("A")) == {INVOICE[0]: "present"}


def test_a_rerun_is_shown_as_a_page(kit):
    """The sentence, the counts and every document, in the notebook and in the terminal."""
    pushed(kit, INVOICE, "A")
    looked = kit.rerun("A")

    assert repr(looked) == ("<Rerun Batch A: 1 present, 0 missing, 0 changed. 0 would be posted.>")
    page = looked._repr_html_()
    assert looked.headline in page
    assert "800.00" in page


def test_a_rerun_with_a_refusal_needs_a_person(kit):
    """The customer is on hold now: its invoice is refused again, exit code 3."""
    copy = backup(kit)
    pushed(kit, INVOICE, "A")
    with closing(sqlite3.connect(copy)) as db, db:
        db.execute("UPDATE customer SET credit_status = 'always_hold'")
    with restored(kit, copy) as again:
        done = again.rerun("A", dry_run=False)

        assert done.exit_code == 3
        assert "company_refused" in set(done.report.issues["code"])
        assert living(again) == []
        assert "not_in_books" in set(again.verify("A").findings["code"])
        assert list(again.verify_all().findings["code"]) == ["deleted_in_sage"]


def test_a_rerun_that_was_looked_at_before_the_batch_was_unposted_is_refused(kit):
    """Somebody un-posted it meanwhile: nothing is posted."""
    pushed(kit, INVOICE, "A")
    kit.company.delete(living(kit)[0])
    stale = kit.rerun("A")
    kit.unpost("A")

    with pytest.raises(UsageError, match="unposted by now"):
        kit.post_missing(stale)
    assert living(kit) == []
