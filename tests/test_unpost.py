"""Un-posting says what must be undone in Sage; clearing batches without posting; drift is told once."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from sage50kit.errors import (
    BatchTaken,
    CompanyUnavailable,
    ConnectWiseRejected,
    ConnectWiseUnavailable,
    InDoubt,
    PlanBlocked,
    UsageError,
)
from tests.pushing import (
    HELD,
    INVOICE,
    TRANSFER,
    WAITING,
    Blind,
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

    from sage50kit.kit import Kit

TWO = ["invoice:48101", "invoice:48102"]
EXPENSES = ["expense:5011", "expense:5012"]


@pytest.fixture
def kit(tmp_path) -> Iterator[Kit]:
    with kit_in(tmp_path) as kit:
        yield kit


# --- a whole batch ---


def test_unposting_deletes_the_batch_and_lists_what_stands_in_sage(kit):
    """Its transactions are unposted again; every document is named with number, date, amount and screen."""
    report = pushed(kit, INVOICE, "A")
    undone = kit.unpost("A")

    assert kit.connectwise.find_batch("A") is None
    assert INVOICE[0] in set(kit.fetch()["key"])
    (row,) = undone.documents.to_dict("records")
    assert (row["number"], row["total"], row["state"]) == (
        report.documents.loc[0, "number"],
        Decimal("800.0000"),
        "stands in Sage 50",
    )
    assert row["date"] == report.documents.loc[0, "date"]
    assert "Sales Invoices" in row["screen"]
    assert (undone.exit_code, len(living(kit))) == (3, 1)


def test_unposting_with_void_cancels_the_documents(kit):
    """Nothing is left to undo; the next push posts generation two, with a warning."""
    pushed(kit, [*TWO, *TRANSFER], "A")
    undone = kit.unpost("A", void=True)

    assert (undone.exit_code, living(kit)) == (0, [])
    assert set(undone.documents["state"]) == {"not in Sage 50"}
    report = pushed(kit, [*TWO, *TRANSFER], "B")
    assert {row.generation for row in kit.log.documents("B")} == {2}
    assert "posted_before" in set(report.issues["code"])
    assert kit.verify("B").ok


def test_what_was_not_undone_joins_the_next_batch_without_being_posted_twice(kit):
    """Un-posted by mistake: the same content is batched again and stands in the books once (9.5)."""
    pushed(kit, INVOICE, "A")
    kit.unpost("A")
    report = pushed(kit, INVOICE, "B")

    assert list(report.cleared["key"]) == INVOICE
    assert len(living(kit)) == 1
    undone = kit.unpost("B")
    assert (
        list(undone.documents["label"]) == INVOICE
    )  # what stands there, whichever batch posted it


def test_an_unposted_batch_keeps_its_number_to_itself(kit):
    """Neither a new plan nor the old one takes the number again."""
    plan = kit.plan(choose(kit, INVOICE), batch="A")
    kit.push(plan, dry_run=False)
    kit.unpost("A")

    with pytest.raises(BatchTaken, match="un-posted"):
        kit.push(plan, dry_run=False)
    with pytest.raises(BatchTaken, match="un-posted"):
        kit.plan(choose(kit, INVOICE), batch="A")
    with pytest.raises(UsageError, match="un-posted"):
        kit.verify("A")


def test_unposting_twice_lists_the_documents_again(kit):
    """The second time nothing is deleted; what stands in Sage is still named."""
    pushed(kit, INVOICE, "A")
    kit.unpost("A")

    assert len(kit.unpost("A").documents) == 1


def test_a_batch_that_was_deleted_by_hand_is_written_down(kit):
    """Gone from ConnectWise and its transactions unposted: it is un-posted, and the log says so."""
    pushed(kit, INVOICE, "A")
    unbatch(kit, "A")

    assert kit.unpost("A").done
    assert kit.log.batch("A").state == "unposted"


def test_a_batch_that_connectwise_hides_is_a_finding(kit):
    """Closed or invisible: nothing is marked, and the finding carries the advice."""
    pushed(kit, INVOICE, "A")
    kit.connectwise = Wrapped(kit.connectwise, find_batch=lambda _: None)
    undone = kit.unpost("A")

    assert list(undone.issues["code"]) == ["batch_missing"]
    assert (undone.done, undone.exit_code, undone.status) == (False, 3, "failed")
    assert kit.log.batch("A").state == "created"


def test_a_batch_that_cannot_be_deleted_is_a_finding(kit):
    """ConnectWise's own words are shown; nothing is marked."""
    pushed(kit, INVOICE, "A")

    def closed(_: int) -> None:
        raise ConnectWiseRejected("Batch A is closed and cannot be deleted.")

    kit.connectwise = Wrapped(kit.connectwise, delete_batch=closed)
    undone = kit.unpost("A")

    assert list(undone.issues["code"]) == ["batch_not_deleted"]
    assert kit.log.batch("A").state == "created"


def test_a_deletion_without_an_answer_is_looked_up(kit):
    """Deleted and not answered: un-posted. Not deleted: said, and tried again."""
    pushed(kit, INVOICE, "A")
    connectwise = kit.connectwise

    def away(_: int) -> None:
        raise ConnectWiseUnavailable("no answer")

    kit.connectwise = Wrapped(connectwise, delete_batch=away)
    with pytest.raises(InDoubt, match="Un-post it again"):
        kit.unpost("A")

    def lost(batch_id: int) -> None:
        connectwise.delete_batch(batch_id)
        raise ConnectWiseUnavailable("no answer")

    kit.connectwise = Wrapped(connectwise, delete_batch=lost)
    assert kit.unpost("A").done


def test_what_sage_does_not_void_is_left_to_a_person(kit):
    """A paid invoice cannot be voided: the refusal is shown, and the document still stands."""
    pushed(kit, INVOICE, "A")
    (stored,) = [row for row in kit.company.documents() if not row.voided]
    kit.company.enter_receipt(
        stored.party_id,
        reference="4711",
        date=date(2026, 10, 31),
        applied={stored.reference: stored.total},
    )
    undone = kit.unpost("A", void=True)

    assert set(undone.issues["code"]) == {"void_refused", "stands_in_books"}
    assert len(living(kit)) == 1


@pytest.mark.parametrize(("batch", "document"), [("", ""), ("A", INVOICE[0])])
def test_a_batch_or_a_document_is_named(kit, batch, document):
    """Neither, or both, is refused."""
    with pytest.raises(UsageError, match="a batch or a document"):
        kit.unpost(batch, document=document)


def test_only_finished_batches_of_the_log_are_unposted(kit):
    """Unknown, failed, or not finished: each says what to do."""
    with pytest.raises(UsageError, match="Open Batches"):
        kit.unpost("UNKNOWN")
    pushed(kit, [HELD], "FAILED")
    with pytest.raises(UsageError, match="number is free"):
        kit.unpost("FAILED")
    with interrupted(kit):
        pushed(kit, INVOICE, "A")
    with pytest.raises(InDoubt, match="sage50kit resume"):
        kit.unpost("A")


def test_a_company_that_cannot_void_or_tell_is_named(kit):
    """No void without the capability; no list of what stands there without looking."""
    pushed(kit, INVOICE, "A")
    company = kit.company
    kit.company = Wrapped(company, capabilities=replace(company.capabilities, voids=False))
    for call in (lambda: kit.unpost("A", void=True), lambda: kit.void(INVOICE[0])):
        with pytest.raises(UsageError, match="cannot void"):
            call()
    kit.company = Blind(company)
    undone = kit.unpost("A")
    assert list(undone.documents["state"]) == ["cannot be told: look there"]
    refused = kit.unpost("A", void=True)
    assert "nobody can tell" in refused.issues.set_index("code").loc["void_refused", "message"]
    assert kit.connectwise.find_batch("A") is None


def test_what_a_company_cannot_tell_of_is_not_posted_again(kit):
    """Un-posted, and nobody can say whether it stands in Sage: it is blocked until a person names its key."""
    pushed(kit, INVOICE, "A")
    kit.unpost("A")
    kit.company = Blind(kit.company)

    with pytest.raises(PlanBlocked, match="nobody can tell"):
        kit.plan(choose(kit, INVOICE), batch="B")
    assert kit.plan(choose(kit, INVOICE), batch="B", repost=INVOICE).documents[0].generation == 2


def test_unposting_leaves_what_is_in_another_batch(kit):
    """A receipt left its batch and joined the next one: un-posting the first with void does not touch it."""
    pushed(kit, [*WAITING, *TRANSFER], "A")
    kit.unpost(document=WAITING[0])
    pushed(kit, WAITING, "B")
    undone = kit.unpost("A", void=True)

    assert list(undone.documents["label"]) == TRANSFER
    assert list(undone.issues["code"]) == ["in_other_batch"]
    assert len(living(kit)) == 1
    assert kit.verify("B").ok
    assert kit.rerun("B").counts == {"present": 1, "missing": 0, "changed": 0}


def test_what_joined_a_batch_is_looked_at_before_the_batch_is_made(kit):
    """Un-posted, planned again, then voided as the list asked: it does not enter the batch unposted."""
    (place,) = pushed(kit, INVOICE, "A").documents["place"]
    kit.unpost("A")
    plan = kit.plan(choose(kit, INVOICE), batch="B")
    kit.company.void(place, on=date(2026, 10, 31))
    report = kit.push(plan, dry_run=False)

    assert report.status == "failed"
    assert kit.connectwise.find_batch("B") is None
    assert kit.log.verify() == []
    assert pushed(kit, INVOICE, "B").status.startswith("completed")
    assert len(living(kit)) == 1


def test_what_joined_a_batch_and_was_lost_is_missing_in_it(kit):
    """Deleted in Sage after it joined: re-run, verify and drift of the later batch say so."""
    (place,) = pushed(kit, INVOICE, "A").documents["place"]
    kit.unpost("A")
    pushed(kit, INVOICE, "B")
    kit.company.delete(place)

    assert not kit.verify("B").ok
    assert codes(kit.verify_all()) == {INVOICE[0]: "deleted_in_sage"}
    assert kit.rerun("B", dry_run=False).counts["missing"] == 1
    assert (len(living(kit)), kit.verify("B").ok) == (1, True)


def test_a_batch_of_somebody_else_is_not_deleted(kit):
    """Ours was deleted by hand and another one made under its number: it is left alone."""
    pushed(kit, INVOICE, "A")
    unbatch(kit, "A")
    foreign = [int(entry) for entry in choose(kit, TRANSFER)["entry_ids"].iloc[0].split(",")]
    kit.connectwise.create_batch("A", kinds={"transfer"}, entry_ids=foreign)
    undone = kit.unpost("A")

    assert list(undone.issues["code"]) == ["batch_not_ours"]
    assert kit.connectwise.find_batch("A") is not None


def test_silence_while_voiding_names_the_document(kit):
    """Sage does not answer: the document is named, and the same command goes on."""
    pushed(kit, INVOICE, "A")
    company = kit.company

    def silent(place: str, *, on: date) -> None:
        raise CompanyUnavailable("locked")

    kit.company = Wrapped(company, void=silent)
    with pytest.raises(InDoubt, match=INVOICE[0]):
        kit.unpost("A", void=True)
    kit.company = company
    assert kit.unpost("A", void=True).exit_code == 0


# --- one document ---


def test_an_order_leaves_every_batch_that_has_a_receipt_of_it(kit):
    """Two packing slips of one order in two batches: both are unposted, and both are told."""
    slips = ["receipt:702-DH-1-purchase", "receipt:702-DH-2-purchase"]
    pushed(kit, slips[:1], "A")
    pushed(kit, slips[1:], "B")
    undone = kit.unpost(document=slips[0])

    assert sorted(undone.documents["label"]) == slips
    assert {row.state for batch in "AB" for row in kit.log.documents(batch)} == {"unbatched"}
    pushed(kit, slips, "C")
    assert (len(living(kit)), kit.verify("C").ok) == (2, True)


def test_a_receipt_whose_batch_is_hidden_is_a_finding(kit):
    """Nothing was un-batched: it is said, and nothing is marked."""
    pushed(kit, WAITING, "A")
    kit.connectwise = Wrapped(kit.connectwise, find_batch=lambda _: None)
    undone = kit.unpost(document=WAITING[0])

    assert (undone.done, list(undone.issues["code"])) == (False, ["batch_missing"])
    assert kit.log.documents("A")[0].state == "posted"


def test_a_receipt_of_an_unfinished_batch_is_resumed_first(kit):
    """It was posted and never batched: nothing can be taken out."""
    connectwise = kit.connectwise

    def away(*_: Any, **__: Any) -> None:
        raise ConnectWiseUnavailable("down")

    kit.connectwise = Wrapped(connectwise, create_batch=away)
    with pytest.raises(InDoubt):
        pushed(kit, WAITING, "A")
    kit.connectwise = connectwise
    with pytest.raises(InDoubt, match="sage50kit resume"):
        kit.unpost(document=WAITING[0])


def test_a_document_of_two_parts_is_voided_whole(kit):
    """Both documents of an adjustment are cancelled by its key; one alone by its label."""
    key = "adjustment:82-adjustment"
    pushed(kit, [key], "A")
    undone = kit.void(key)

    assert len(undone.documents) == 2
    assert living(kit) == []
    with pytest.raises(UsageError, match="no posted document"):
        kit.void(f"{key}/3")


def test_a_receipt_is_unbatched_over_rest(kit):
    """Its purchase order leaves the batch; the receipt is unposted, its purchase stands in Sage."""
    pushed(kit, [*WAITING, *TRANSFER], "A")
    undone = kit.unpost(document=WAITING[0])

    assert undone.done
    assert WAITING[0] in set(kit.fetch()["key"])
    assert kit.log.state_of(kit.log.documents("A")[0].document, batch="A") in (
        "unbatched",
        "posted",
    )
    assert len(living(kit)) == 2
    assert kit.verify("A").ok
    again = kit.unpost(document=WAITING[0])  # it is out already: the same answer, nothing is sent
    assert (again.done, list(again.documents["label"])) == (True, WAITING)
    report = pushed(kit, WAITING, "B")
    assert (list(report.cleared["key"]), len(living(kit))) == (WAITING, 2)


def test_a_receipt_without_an_answer_is_looked_up(kit):
    """Silence about the un-batching: the entries that are left decide."""
    pushed(kit, WAITING, "A")
    connectwise = kit.connectwise

    def away(_: int) -> None:
        raise ConnectWiseUnavailable("no answer")

    kit.connectwise = Wrapped(connectwise, unbatch_order=away)
    with pytest.raises(InDoubt, match="still in batch A"):
        kit.unpost(document=WAITING[0])

    def refused(_: int) -> None:
        raise ConnectWiseRejected("not allowed")

    kit.connectwise = Wrapped(connectwise, unbatch_order=refused)
    with pytest.raises(ConnectWiseRejected, match="not allowed"):
        kit.unpost(document=WAITING[0])
    kit.connectwise = connectwise
    assert kit.unpost(document=WAITING[0], void=True).exit_code == 0
    assert living(kit) == []


def test_an_invoice_is_unbatched_by_hand(kit):
    """ConnectWise cannot over REST: where to click is said, exit code 3, nothing is changed."""
    pushed(kit, [*INVOICE, *EXPENSES, *TRANSFER], "A")
    for key, words in ((INVOICE[0], "More > Un-batch"), (EXPENSES[0], "More > Un-batch")):
        undone = kit.unpost(document=key)
        assert (undone.done, undone.exit_code) == (False, 3)
        assert words in undone.issues.loc[0, "fix"]
    assert "unpost --batch A" in kit.unpost(document=TRANSFER[0]).issues.loc[0, "fix"]
    assert kit.verify("A").ok


def test_an_unknown_document_is_refused(kit):
    """Nothing of this key was ever posted."""
    with pytest.raises(UsageError, match="no posted document of invoice:1"):
        kit.unpost(document="invoice:1")


def test_voiding_one_document(kit):
    """It is cancelled in the books, and still batched: that is said until its batch is un-posted."""
    pushed(kit, INVOICE, "A")
    undone = kit.void(INVOICE[0], on="2026-10-31")
    assert (list(undone.issues["code"]), undone.exit_code) == (["still_batched"], 3)
    assert undone.headline == f"{INVOICE[0]}: 1 of 1 documents are cancelled in Sage 50."
    assert living(kit) == []
    assert codes(kit.verify_all()) == {INVOICE[0]: "voided_in_sage"}
    assert "voided_in_books" in set(kit.verify("A").findings["code"])
    assert kit.unpost("A").exit_code == 0
    assert kit.void(INVOICE[0]).exit_code == 0
    assert kit.verify_all().findings.empty


def test_what_was_undone_is_shown_as_a_page(kit):
    """The sentence and every document, in the notebook and in the terminal."""
    pushed(kit, INVOICE, "A")
    undone = kit.unpost("A")

    assert repr(undone).startswith("<Undone Batch A: un-posted in ConnectWise.")
    assert undone.headline in undone._repr_html_()
    assert undone.status == "completed_with_errors"


# --- clearing ---


def test_clearing_batches_without_posting(kit):
    """The transactions leave the unposted list, nothing stands in Sage, the reason is in the log."""
    keys = [*INVOICE, *TRANSFER, *WAITING, *EXPENSES, "adjustment:81-adjustment"]
    keys = [key for key in keys if key in set(kit.fetch()["key"])]
    report = kit.clear(keys, batch="CLEARED", reason="entered by hand in May", dry_run=False)

    assert report.exit_code == 0
    assert set(report.cleared["key"]) == set(keys)
    assert set(report.cleared["reason"]) == {"entered by hand in May"}
    assert not set(kit.fetch()["key"]) & set(keys)
    assert living(kit) == []
    assert kit.verify("CLEARED").ok


def test_a_dry_run_of_clearing_writes_nothing(kit):
    """It says what it would do."""
    report = kit.clear(choose(kit, INVOICE), batch="C", reason="x")

    assert report.dry_run
    assert (kit.log.history(), kit.connectwise.find_batch("C")) == ([], None)


def test_what_stands_in_the_books_is_not_cleared_by_mistake(kit):
    """Un-posted in ConnectWise, still in Sage: refused with key and place, cleared only on purpose."""
    pushed(kit, [*INVOICE, *TRANSFER], "A")
    kit.unpost("A")
    rows = {row.key: row for row in kit.log.documents("A")}
    kit.company.void(rows[TRANSFER[0]].place, on=date(2026, 10, 31))
    words = {"batch": "C", "reason": "x", "dry_run": False}

    with pytest.raises(UsageError, match=f"{INVOICE[0]} at {rows[INVOICE[0]].place}") as refusal:
        kit.clear([*INVOICE, *TRANSFER], **words)
    assert TRANSFER[0] not in str(refusal.value)
    assert kit.connectwise.find_batch("C") is None
    report = kit.clear([*INVOICE, *TRANSFER], anyway=True, **words)
    assert len(report.cleared) == 2


def test_what_nobody_can_look_up_is_cleared_only_on_purpose(kit):
    """The company tells nothing, the log has it posted: refused."""
    pushed(kit, INVOICE, "A")
    kit.unpost("A")
    kit.company = Blind(kit.company)

    with pytest.raises(UsageError, match=INVOICE[0]):
        kit.clear(INVOICE, batch="C", reason="x")


def test_clearing_needs_a_reason_and_unposted_transactions(kit):
    """No reason, an unknown key, or one of an unfinished batch: refused with what to do."""
    with pytest.raises(UsageError, match="reason"):
        kit.clear(INVOICE, batch="C", reason=" ")
    with pytest.raises(UsageError, match="invoice:1 is not unposted"):
        kit.clear(["invoice:1"], batch="C", reason="x")
    with interrupted(kit):
        pushed(kit, INVOICE, "A")
    with pytest.raises(InDoubt, match="sage50kit resume"):
        kit.clear(INVOICE, batch="C", reason="x")


# --- drift ---


def codes(drift: Any) -> dict[str, str]:
    return dict(zip(drift.findings["document"], drift.findings["code"], strict=True))


def place_of(kit: Kit, key: str) -> str:
    return next(row.place for rows in kit.log.of_transactions([key]).values() for row in rows)


def test_what_changed_in_sage_is_told_once_for_each_document(kit):
    """Voided, renumbered, deleted: one finding each, with the first time it was noticed."""
    pushed(kit, [*TWO, *INVOICE, *TRANSFER], "A")
    assert kit.verify_all().findings.empty
    kit.company.void(place_of(kit, TRANSFER[0]), on=date(2026, 10, 31))
    kit.company.renumber(place_of(kit, INVOICE[0]), "X-1")
    kit.company.void(place_of(kit, TWO[1]), on=date(2026, 10, 31))
    drift = kit.verify_all()

    assert codes(drift) == {
        TRANSFER[0]: "voided_in_sage",
        INVOICE[0]: "renumbered_in_sage",
        TWO[1]: "voided_in_sage",
    }
    assert drift.exit_code == 3
    again = kit.verify_all()
    assert list(again.findings["since"]) == list(drift.findings["since"])
    noted = list(kit.log.events(kinds=["drift"]))
    assert len(noted) == 3


def test_a_drift_counts_from_the_first_note_of_it(kit):
    """Renumbered twice, each noted: since stays the first time, until the document is right again."""
    pushed(kit, INVOICE, "A")
    place, number = place_of(kit, INVOICE[0]), kit.company.documents()[-1].reference
    kit.company.renumber(place, "X-1")
    (first,) = kit.verify_all().findings["since"]
    kit.company.renumber(place, "X-2")
    (second,) = kit.verify_all().findings["since"]
    kit.company.renumber(place, number)
    kit.verify_all()
    kit.company.renumber(place, "X-2")
    (third,) = kit.verify_all().findings["since"]

    notes = [event["at"] for event in kit.log.events(kinds=["drift"])]
    assert [first, second, third] == [notes[0], notes[0], notes[2]]


def test_a_drift_that_ends_is_written_down(kit):
    """Renumbered and back: no finding is left, and the log has its end."""
    pushed(kit, INVOICE, "A")
    place = place_of(kit, INVOICE[0])
    number = kit.company.documents()[-1].reference
    kit.company.renumber(place, "X-1")
    kit.verify_all()
    kit.company.renumber(place, number)

    assert kit.verify_all().findings.empty
    assert [row["kind"] for row in kit.log.events(kinds=["drift", "drift_ended"])] == [
        "drift",
        "drift_ended",
    ]


def test_a_deleted_and_an_edited_document(kit):
    """Erased in Sage; erased and entered again with another date under our key."""
    pushed(kit, [*INVOICE, *TRANSFER], "A")
    rows = {row.key: row for row in kit.log.documents("A")}
    kit.company.delete(rows[INVOICE[0]].place)
    kit.company.delete(rows[TRANSFER[0]].place)
    document = rows[TRANSFER[0]].document
    kit.company.post(replace(document, posting_date=date(2026, 10, 2)))

    assert codes(kit.verify_all()) == {
        INVOICE[0]: "deleted_in_sage",
        TRANSFER[0]: "edited_in_sage",
    }


def test_what_left_its_batch_in_connectwise(kit):
    """Deleted there by hand: unposted again, and still in Sage."""
    pushed(kit, INVOICE, "A")
    unbatch(kit, "A")

    assert codes(kit.verify_all()) == {INVOICE[0]: "unbatched_in_connectwise"}


def test_what_is_nowhere_in_connectwise(kit):
    """Neither in its batch nor unposted: it was deleted there, or the batch is hidden."""
    pushed(kit, INVOICE, "A")
    kit.connectwise = Wrapped(kit.connectwise, find_batch=lambda _: None)

    assert codes(kit.verify_all()) == {INVOICE[0]: "deleted_in_connectwise"}


def test_what_was_edited_in_connectwise(kit):
    """Another account in the batch's export than was posted."""
    pushed(kit, INVOICE, "A")
    connectwise = kit.connectwise

    def edited(*words: Any, **more: Any) -> Any:
        export = connectwise.batch_export(*words, **more)
        (header,) = export.transactions
        lines = tuple(
            row.model_copy(update={"account_number": "4000"})
            if row.account_number == "4950"
            else row
            for row in header.detail
        )
        changed = header.model_copy(update={"detail": lines})
        return export.model_copy(update={"transactions": (changed,)})

    kit.connectwise = Wrapped(connectwise, batch_export=edited)
    drift = kit.verify_all()

    assert codes(drift) == {INVOICE[0]: "edited_in_connectwise"}
    assert "4950" in drift.findings.loc[0, "message"]


def test_the_bill_that_came_is_no_drift(kit):
    """A purchase that waited has its number and date now (9.7)."""
    pushed(kit, WAITING, "A")
    kit.company.fill_bill(place_of(kit, WAITING[0]), "DH-55", date(2026, 10, 31))

    assert kit.verify_all().findings.empty


def test_drift_is_shown_as_a_page(kit):
    """The sentence, and a row for what changed."""
    pushed(kit, INVOICE, "A")
    same = kit.verify_all()
    kit.company.renumber(place_of(kit, INVOICE[0]), "X-1")
    drift = kit.verify_all()

    assert repr(same) == "<Drift 1 documents: all as they were posted, in both systems.>"
    assert drift.headline in drift._repr_html_()
    assert "X-1" in drift._repr_html_()


def test_an_unfinished_batch_is_told(kit):
    """What waits for its batch is not called well."""
    with interrupted(kit):
        pushed(kit, INVOICE, "A")

    assert codes(kit.verify_all()) == {"A": "unfinished_batch"}


def test_a_batch_deleted_by_hand_and_pushed_again_is_no_drift(kit):
    """Its document is in the later batch: nobody is asked to void it."""
    pushed(kit, INVOICE, "A")
    unbatch(kit, "A")
    pushed(kit, INVOICE, "B")

    assert kit.verify_all().findings.empty
    assert kit.verify("B").ok
