"""Books, log or batch number are other ones than when it was planned: nothing is posted twice, lost or misreported."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from sage50kit.connectors.embedded import EmbeddedCompany
from sage50kit.errors import (
    BatchTaken,
    CompanyUnavailable,
    ConnectWiseRejected,
    ConnectWiseUnavailable,
    InDoubt,
)
from sage50kit.kit import Kit
from sage50kit.pushlog.opening import accept_log
from tests.pushing import (
    INVOICE,
    TRANSFER,
    WAITING,
    PowerCut,
    Wrapped,
    choose,
    interrupted,
    kit_in,
    living,
    pushed,
    unbatch,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TWO = ["invoice:48101", "invoice:48102"]


@pytest.fixture
def kit(tmp_path) -> Iterator[Kit]:
    with kit_in(tmp_path) as kit:
        yield kit


def copied(source: Path, target: Path) -> None:
    """What a backup does, and a restore that writes into the file."""
    with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(target)) as new:
        old.backup(new)


def books(kit: Kit) -> Path:
    """The company file."""
    assert kit.profile.sage.company_file is not None
    return kit.profile.sage.company_file


def log_file(kit: Kit) -> Path:
    """The push log beside it."""
    return books(kit).with_name(books(kit).name + ".pushlog")


# --- the books ---


@pytest.mark.parametrize("keys", [INVOICE, WAITING, TRANSFER])
def test_the_newest_books_are_back_before_what_was_missing_is_posted(kit, tmp_path, keys):
    """Compared with older books, posted into the newest: it stands there already, and is not posted twice."""
    copied(books(kit), tmp_path / "older")
    pushed(kit, keys, "A")
    copied(books(kit), tmp_path / "newest")
    copied(tmp_path / "older", books(kit))
    compared = kit.rerun("A")
    assert compared.counts["missing"] == 1
    copied(tmp_path / "newest", books(kit))
    done = kit.post_missing(compared)

    assert (len(living(kit)), done.posted) == (1, [])
    assert "not posted twice" in done.report.documents["reason"].iloc[-1]
    assert kit.rerun("A").counts["present"] == 1


@pytest.mark.parametrize("keys", [INVOICE, WAITING, TRANSFER])
def test_the_newest_books_are_back_before_a_plan_is_pushed(kit, tmp_path, keys):
    """Planned over older books as a later generation: refused by name, and joins when planned again."""
    copied(books(kit), tmp_path / "older")
    pushed(kit, keys, "A")
    kit.unpost("A")
    copied(books(kit), tmp_path / "newest")
    copied(tmp_path / "older", books(kit))
    plan = kit.plan(choose(kit, keys), batch="B")
    copied(tmp_path / "newest", books(kit))
    report = kit.push(plan, dry_run=False)

    assert (report.status, len(living(kit))) == ("failed", 1)
    assert list(pushed(kit, keys, "B").cleared["key"]) == keys
    assert len(living(kit)) == 1


def test_posting_beside_an_older_generation_on_purpose(kit):
    """What a person names is posted again although it stands there."""
    pushed(kit, TRANSFER, "A")
    done = kit.rerun("A", repost=TRANSFER, dry_run=False)

    assert (done.posted, len(living(kit))) == ([f"{TRANSFER[0]}#2"], 2)
    assert list(kit.verify_all().findings["code"]) == ["posted_twice"]


def test_books_that_are_replaced_while_they_are_open(kit, tmp_path):
    """Nothing is written into a file that has no name any more; started again, it goes into the new one."""
    copied(books(kit), tmp_path / "older")
    (tmp_path / "older").replace(books(kit))

    with pytest.raises(CompanyUnavailable, match="replaced while it was open"):
        kit.company.books()
    kit.company.close()
    assert pushed(kit, INVOICE, "A").status == "completed"
    with Kit(kit.profile) as other:
        assert len(living(other)) == 1


def test_books_that_are_deleted_while_they_are_open(kit):
    """A file without a name is not written."""
    books(kit).unlink()

    with pytest.raises(CompanyUnavailable, match="moved"):
        kit.company.books()


# --- the log ---


def test_an_older_log_learns_of_what_stands_in_the_books(kit, tmp_path):
    """Cut off after posting, the log of before the push put back: posted, not refused, and in the batch."""
    pushed(kit, TRANSFER, "Z")
    plan = kit.plan(choose(kit, TWO), batch="A")
    copied(log_file(kit), tmp_path / "log")
    with interrupted(kit):
        kit.push(plan, dry_run=False)
    copied(tmp_path / "log", log_file(kit))
    report = kit.push(plan, dry_run=False)

    assert set(report.documents["state"]) == {"posted"}
    assert len(living(kit)) == 3
    assert kit.verify("A").ok


@pytest.mark.parametrize("keys", [WAITING, TRANSFER])
def test_a_later_generation_is_found_without_its_log(kit, keys):
    """Voided, posted again, and the log lost: the second generation stands there and joins the batch."""
    pushed(kit, keys, "A")
    kit.unpost("A", void=True)
    pushed(kit, keys, "B")
    unbatch(kit, "B")
    kit.close()
    for file in log_file(kit).parent.glob(f"{log_file(kit).name}*"):
        file.unlink()
    with EmbeddedCompany(books(kit)) as company:
        accept_log(kit.profile, company=company)

    with Kit(kit.profile) as again:
        report = pushed(again, keys, "C")
        assert (list(report.cleared["key"]), len(living(again))) == (keys, 1)


# --- ConnectWise ---


def test_a_number_that_was_taken_while_a_plan_waited(kit):
    """Recorded, never sent, and another program has the number now: nothing is posted."""
    plan = kit.plan(choose(kit, INVOICE), batch="A")
    (other,) = kit.plan(choose(kit, TRANSFER), batch="Q").transactions
    kit.log.record(plan)
    kit.connectwise.create_batch("A", kinds={"transfer"}, entry_ids=list(other.entry_ids))

    with pytest.raises(BatchTaken, match="taken in ConnectWise"):
        kit.push(plan, dry_run=False)
    assert living(kit) == []


def test_a_refused_unbatching_does_not_lock_the_company(kit):
    """A refusal is an answer: nothing is left for resume, and the next push goes on."""
    pushed(kit, WAITING, "A")
    connectwise = kit.connectwise

    def refused(_: int) -> None:
        raise ConnectWiseRejected("not allowed")

    kit.connectwise = Wrapped(connectwise, unbatch_order=refused)
    with pytest.raises(ConnectWiseRejected):
        kit.unpost(document=WAITING[0])
    kit.connectwise = connectwise
    assert kit.resume() == []
    assert pushed(kit, INVOICE, "B").status == "completed"


def test_a_refusal_ends_an_unbatching_that_was_cut_off(kit):
    """Cut off, then refused when it is finished: said once, and over."""
    pushed(kit, WAITING, "A")
    connectwise = kit.connectwise

    def cut(_: int) -> None:
        raise PowerCut

    def refused(_: int) -> None:
        raise ConnectWiseRejected("not allowed")

    kit.connectwise = Wrapped(connectwise, unbatch_order=cut)
    with pytest.raises(PowerCut):
        kit.unpost(document=WAITING[0])
    kit.connectwise = Wrapped(connectwise, unbatch_order=refused)
    (report,) = kit.resume()
    assert (report.status, report.headline) == ("failed", "not allowed")
    assert kit.resume() == []


def test_a_deletion_that_was_sent_is_written_down(kit):
    """Cut off after it, one of its transactions in another batch since: un-posted all the same."""
    pushed(kit, TWO, "A")
    connectwise = kit.connectwise

    def cut(batch_id: int) -> None:
        connectwise.delete_batch(batch_id)
        raise PowerCut

    kit.connectwise = Wrapped(connectwise, delete_batch=cut)
    with pytest.raises(PowerCut):
        kit.unpost("A")
    kit.connectwise = connectwise
    row = kit.log.batch("A").transactions[0]
    connectwise.create_batch("OTHER", kinds={"invoice"}, entry_ids=list(row.entry_ids))
    kit.resume()

    assert kit.log.batch("A").state == "unposted"


def test_silence_while_an_unposting_is_finished_is_one_report(kit):
    """ConnectWise is away: resume says so of that batch, and what it says of others is not lost."""
    pushed(kit, TWO, "A")
    connectwise = kit.connectwise

    def away(_: Any) -> None:
        raise ConnectWiseUnavailable("it does not answer")

    kit.connectwise = Wrapped(connectwise, delete_batch=away)
    with pytest.raises(InDoubt):
        kit.unpost("A")
    kit.connectwise = Wrapped(connectwise, find_batch=away)
    (report,) = kit.resume()
    assert (report.status, report.headline) == ("in_doubt", "it does not answer")
    kit.connectwise = connectwise
    kit.resume()
    assert kit.log.batch("A").state == "unposted"
