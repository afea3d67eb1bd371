"""Verification counts all that a batch holds, and `why` tells the latest story of a transaction."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from sage50kit.errors import ConfigError
from sage50kit.kit import Kit
from sage50kit.reports.listings import push_page
from tests.pushing import INVOICE, TRANSFER, Wrapped, kit_in, pushed, unbatch
from tests.stage import staged

if TYPE_CHECKING:
    from collections.abc import Iterator

OWN_PLACE = ["transfer:92-transfer"]  # both warehouses on one account: nothing to post


@pytest.fixture
def kit(tmp_path) -> Iterator[Kit]:
    with kit_in(tmp_path) as kit:
        yield kit


def test_what_was_cleared_counts_in_connectwises_figure(kit):
    """ConnectWise's batch holds 800.00, nothing of it was posted, and the verification shows both."""
    kit.clear(INVOICE, batch="C", reason="entered by hand", dry_run=False)
    found = kit.verify("C")

    assert found.ok
    assert found.totals["connectwise"] == found.totals["of_which_not_posted"] == Decimal("800.00")
    assert (found.totals["documents"], found.totals["batched_without_posting"]) == (0, 1)
    (row,) = found.documents.to_dict("records")
    assert (row["document"], row["without_posting"]) == (INVOICE[0], "entered by hand")


def test_what_joined_and_what_posts_nothing_count_too(kit):
    """A document that joined is compared as posted; a transfer without a posting has ConnectWise's amount."""
    pushed(kit, TRANSFER, "A")
    kit.unpost("A")
    pushed(kit, [*TRANSFER, *OWN_PLACE], "B")
    found = kit.verify("B")

    assert found.ok
    assert (found.totals["documents"], found.totals["batched_without_posting"]) == (1, 1)
    assert found.totals["connectwise"] > found.totals["books"] == Decimal("490.00")


def test_a_cleared_transaction_that_left_its_batch_is_found(kit):
    """Verifying its batch and looking at all of them both tell."""
    kit.clear([*INVOICE, *TRANSFER], batch="C", reason="entered by hand", dry_run=False)
    unbatch(kit, "C")
    found, drift = kit.verify("C"), kit.verify_all()

    assert (found.ok, found.totals["connectwise"]) == (False, Decimal(0))
    assert list(drift.findings["code"]) == ["cleared_unbatched", "cleared_unbatched"]


def test_looking_at_all_batches_reads_the_lists_once(kit):
    """Three batches: books, tax codes and package are read once, not three times."""
    for batch, keys in (("A", INVOICE), ("B", TRANSFER), ("C", OWN_PLACE)):
        pushed(kit, keys, batch)
    company, connectwise, read = kit.company, kit.connectwise, list[str]()

    def books():
        read.append("books")
        return company.books()

    def tax_codes():
        read.append("tax codes")
        return connectwise.tax_codes()

    kit.company = Wrapped(company, books=books)
    kit.connectwise = Wrapped(connectwise, tax_codes=tax_codes)

    assert kit.verify_all().exit_code == 0
    assert sorted(read) == ["books", "tax codes"]


def test_why_tells_of_the_clearing_and_not_of_the_push_before(kit):
    """Pushed, un-posted, voided, cleared: the last of these is why it is not in the list."""
    pushed(kit, INVOICE, "A")
    kit.unpost("A", void=True)
    kit.clear(INVOICE, batch="C", reason="entered by hand", dry_run=False)

    assert kit.why(INVOICE[0]) == f"{INVOICE[0]} is in batch C without a posting: entered by hand."


def test_why_tells_the_latest_generation(kit):
    """Posted, voided and posted again: where it stands now; and what joined a batch is told as that."""
    pushed(kit, INVOICE, "A")
    kit.unpost("A", void=True)
    pushed(kit, INVOICE, "B")
    place = kit.log.documents("B")[0].place
    assert kit.why(INVOICE[0]) == (
        f"{INVOICE[0]} was posted in batch B and stands in Sage 50 at {place}."
    )
    kit.unpost("B")
    pushed(kit, INVOICE, "C")
    assert "joined batch C without being posted again" in kit.why(INVOICE[0])
    kit.void(INVOICE[0])

    assert kit.why(INVOICE[0]).startswith(f"{INVOICE[0]} is voided in batch C.")


def test_why_falls_back_to_the_last_thing_that_is_known(kit):
    """Un-posted by the kit and batched by somebody else since: its past is all the log has."""
    pushed(kit, INVOICE, "A")
    entries = kit.connectwise.batch_entries(kit.connectwise.find_batch("A").id)
    kit.unpost("A", void=True)
    kit.connectwise.create_batch("THEIRS", kinds={"invoice"}, entry_ids=[row.id for row in entries])

    assert f"{INVOICE[0]} is voided in batch A" in kit.why(INVOICE[0])


def test_the_report_of_a_clearing_is_not_called_a_push(kit):
    """Its title and its first line say that nothing was posted."""
    report = kit.clear(INVOICE, batch="C", reason="entered by hand", dry_run=False)

    assert push_page(report).title == "Batch C without a posting"
    assert report.headline == "Batch C completed: 1 batched without a posting."


def test_a_workdir_that_cannot_be_written_is_named_with_its_setting(tmp_path):
    """A file stands where the folder belongs: the sentence names `workdir`."""
    with staged(tmp_path) as stage, pytest.MonkeyPatch.context() as patch:
        for name, value in stage.environment.items():
            patch.setenv(name, value)
        (tmp_path / "work").write_text("", encoding="utf-8")
        with pytest.raises(ConfigError, match="Correct workdir in the profile"):
            Kit(stage.profile)
