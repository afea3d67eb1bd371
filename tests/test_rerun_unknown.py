"""A batch that the push log does not know: made by another program, or before the log was lost."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from sage50kit.errors import BatchTaken, UsageError
from sage50kit.kit import Kit
from tests.pushing import INVOICE, TRANSFER, Wrapped, choose, kit_in, living, pushed
from tests.test_old_log import line, without_log

if TYPE_CHECKING:
    from collections.abc import Iterator

TWO = ["invoice:48101", "invoice:48102"]


@pytest.fixture
def kit(tmp_path) -> Iterator[Kit]:
    with kit_in(tmp_path) as kit:
        yield kit


@pytest.fixture
def lost(kit, capsys) -> Iterator[Kit]:
    """Everything was pushed as batch A, and then the log was lost."""
    kit.push(kit.plan(batch="A"), dry_run=False)
    with without_log(kit):
        line(kit, capsys, "log", "accept", "--yes")
        with Kit(kit.profile) as again:
            yield again


def another_program(kit: Kit, keys: list[str], batch: str, *, posts: list[str]) -> None:
    """It posts some documents without our key, and batches all of them."""
    plan = kit.plan(choose(kit, keys))
    for document in plan.documents:
        if document.key in posts:
            kit.company.post(replace(document, key=f"other:{document.number}"))
    forget = kit.company._file
    with forget.writing() as db:
        db.execute(
            "UPDATE document SET token = '', note = '', label = '' WHERE label LIKE 'other:%'"
        )
    ids = [entry for row in plan.transactions for entry in row.entry_ids]
    kinds = {row.kind for row in plan.transactions}
    kit.connectwise.create_batch(batch, kinds=kinds, entry_ids=ids)


def states(rerun: Any) -> dict[str, str]:
    return dict(zip(rerun.documents["document"], rerun.documents["state"], strict=True))


def test_after_a_lost_log_a_batch_of_every_kind_is_known_by_our_keys(lost):
    """All kinds are read back from ConnectWise: everything that was posted is present."""
    before = living(lost)
    looked = lost.rerun("A")

    assert looked.counts["missing"] == 0 or set(
        looked.documents[looked.documents["state"] == "missing"]["document"]
    ) == {"invoice:48118"}
    assert {key.partition(":")[0] for key in states(looked)} == {
        "invoice", "expense", "receipt", "adjustment", "transfer"
    }  # fmt: skip
    assert (looked.counts["changed"], looked.writes) == (0, True)
    assert living(lost) == before
    assert lost.log.batch("A") is None


def test_it_is_recorded_and_from_then_on_verified(lost):
    """Recorded with what stands in the books; verify, why and un-post know it afterwards."""
    before = living(lost)
    done = lost.rerun("A", dry_run=False)

    assert done.exit_code == 0
    assert done.headline.endswith("The push log knows it from now on.")
    assert (living(lost), lost.log.batch("A").state) == (before, "created")
    assert lost.verify("A").ok
    assert lost.verify_all().exit_code == 0
    assert "joined batch A" in lost.why(INVOICE[0])
    assert lost.log.verify() == []
    assert not lost.rerun("A").writes
    assert lost.unpost("A", void=True).done


def test_what_is_missing_of_it_is_posted(lost):
    """One document was deleted meanwhile: present, missing, posted, in the log."""
    stored = next(row for row in lost.company.documents() if row.token == "CW-I48119")
    lost.company.delete(stored.place)
    done = lost.rerun("A", dry_run=False)

    assert states(done)[INVOICE[0]] == "missing"
    assert done.posted == INVOICE
    assert lost.verify("A").ok


def test_a_batch_of_another_program_is_compared_by_numbers(kit):
    """No document has our key: party and number tell; only the missing one is posted."""
    another_program(kit, TWO, "THEIRS", posts=TWO[:1])
    looked = kit.rerun("THEIRS")
    assert states(looked) == {TWO[0]: "present", TWO[1]: "missing"}
    done = kit.rerun("THEIRS", dry_run=False)

    assert done.posted == [TWO[1]]
    assert (len(living(kit)), kit.verify("THEIRS").ok) == (2, True)
    assert kit.rerun("THEIRS").counts == {"present": 2, "missing": 0, "changed": 0}


def test_a_changed_document_of_another_program_is_left(kit):
    """Its total differs: shown with both, not posted."""
    another_program(kit, TWO[:1], "THEIRS", posts=TWO[:1])
    (place,) = living(kit)
    with kit.company._file.writing() as db:
        db.execute(
            "UPDATE document SET posting_date = '2026-10-30' WHERE id = ?",
            (place.rpartition("-")[2],),
        )
    done = kit.rerun("THEIRS", dry_run=False)

    assert states(done) == {TWO[0]: "changed"}
    assert (done.exit_code, len(living(kit))) == (3, 1)


def test_what_has_no_number_of_its_own_is_unknown_and_not_posted(kit):
    """Another program's journal entry may stand there under any reference: named, and posted by its key only."""
    another_program(kit, TRANSFER, "THEIRS", posts=[])
    done = kit.rerun("THEIRS", dry_run=False)
    assert (done.counts["unknown"], done.exit_code, living(kit)) == (1, 3, [])
    found = kit.verify("THEIRS")
    assert found.totals["of_which_not_posted"] == Decimal("490.00")

    assert kit.log.batch("THEIRS").transactions[0].reason.startswith("nobody can tell")


def test_an_unknown_document_is_posted_by_its_key(kit):
    """A person has looked, and names it."""
    another_program(kit, TRANSFER, "THEIRS", posts=[])
    done = kit.rerun("THEIRS", repost=TRANSFER, dry_run=False)

    assert (done.posted, len(living(kit))) == (TRANSFER, 1)
    assert kit.verify("THEIRS").ok


def test_what_cannot_be_drafted_is_shown_as_unknown(kit):
    """ConnectWise gives it no date: one row with the reason, and the rest is compared."""
    another_program(kit, [*INVOICE, *TWO], "THEIRS", posts=TWO)
    connectwise = kit.connectwise

    def undated(*words: Any, **more: Any) -> Any:
        export = connectwise.batch_export(*words, **more)
        rows = [
            row.model_copy(update={"document_date": None}) if row.id == 48119 else row
            for row in export.transactions
        ]
        return export.model_copy(update={"transactions": tuple(rows)})

    kit.connectwise = Wrapped(connectwise, batch_export=undated)
    looked = kit.rerun("THEIRS")

    assert states(looked) == {INVOICE[0]: "unknown", TWO[0]: "present", TWO[1]: "present"}
    assert "date" in looked.documents.set_index("document").loc[INVOICE[0], "difference"]


def test_other_letters_are_no_other_batch(kit):
    """ConnectWise knows batch A by `a`, too: the log's own batch is not recorded a second time."""
    pushed(kit, INVOICE, "A")
    with pytest.raises(UsageError, match="knows no batch a"):
        kit.rerun("a")


def test_it_is_recorded_once(kit):
    """Two comparisons, both said yes to: the second finds the number taken."""
    another_program(kit, TWO, "THEIRS", posts=TWO)
    first, second = kit.rerun("THEIRS"), kit.rerun("THEIRS")
    kit.post_missing(first)

    with pytest.raises(BatchTaken):
        kit.post_missing(second)
    assert kit.log.verify() == []


def test_entries_that_name_nothing_are_no_members(kit):
    """A site whose entries name neither expense nor order: these records are left to a person."""
    kit.push(
        kit.plan(choose(kit, ["expense:5031", "receipt:702-DH-1-purchase"]), batch="A"),
        dry_run=False,
    )
    connectwise = kit.connectwise

    def bare(batch_id: int) -> Any:
        blank = {"expense": None, "purchase_order": None, "adjustment_detail": None}
        return [row.model_copy(update=blank) for row in connectwise.batch_entries(batch_id)]

    from sage50kit.batch.foreign import members_of

    found = connectwise.find_batch("A")
    export = connectwise.batch_export(found.id, kinds={"expense", "receipt"})
    assert members_of(export, bare(found.id)) == []
    assert len(members_of(export, Wrapped(connectwise).batch_entries(found.id))) == 2
