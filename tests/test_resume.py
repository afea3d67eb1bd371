"""What an interrupted push left is finished, by itself or by a person's word, and never twice."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from sage50kit.batch.push import finish_recorded
from sage50kit.errors import (
    CompanyUnavailable,
    ConnectWiseRejected,
    ConnectWiseUnavailable,
    DocumentRefused,
    InDoubt,
    UsageError,
)
from sage50kit.model import canonical
from sage50kit.model.content import text
from tests.pushing import (
    HELD,
    INVOICE,
    TRANSFER,
    WAITING,
    Blind,
    Keyless,
    Wrapped,
    choose,
    interrupted,
    kit_in,
    living,
    pushed,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sage50kit.kit import Kit

TWO = ["invoice:48101", "invoice:48102"]


@pytest.fixture
def kit(tmp_path) -> Iterator[Kit]:
    with kit_in(tmp_path) as kit:
        yield kit


@contextmanager
def unanswered(kit: Kit) -> Iterator[None]:
    """The company takes nothing and does not say so: what is pushed is in doubt."""
    company = kit.company

    def silent(document: Any) -> None:
        raise CompanyUnavailable("no answer")

    kit.company = Wrapped(company, post=silent)
    with pytest.raises(InDoubt):
        yield
    kit.company = company


@contextmanager
def blind(kit: Kit) -> Iterator[None]:
    """Nobody can ask the company until the block ends."""
    company = kit.company
    kit.company = Blind(company)
    try:
        yield
    finally:
        kit.company = company


def test_resume_finishes_what_was_cut_off(kit):
    """Exactly once, batched, and the second resume finds nothing to do."""
    with interrupted(kit):
        pushed(kit, TWO, "A")
    (report,) = kit.resume()

    assert report.status.startswith("completed")
    assert len(living(kit)) == 2
    assert kit.verify("A").ok
    assert kit.resume() == []


def test_the_next_push_finishes_the_earlier_one_first_and_says_so(kit):
    """Two batches, each document once; the report of the second names the first."""
    with interrupted(kit):
        pushed(kit, INVOICE, "A")
    report = pushed(kit, TRANSFER, "B")

    assert list(report.issues["code"]).count("finished_first") == 1
    assert "Batch A" in report.issues.set_index("code").loc["finished_first", "message"]
    assert (kit.verify("A").ok, kit.verify("B").ok) == (True, True)
    assert len(living(kit)) == 2


def test_an_earlier_batch_with_a_refusal_needs_a_person(kit):
    """What was finished first ended with errors: exit code 3, and where to look."""
    with interrupted(kit):
        pushed(kit, [HELD, *INVOICE], "A")
    report = pushed(kit, TRANSFER, "B")

    assert report.exit_code == 3
    assert "finished_first_errors" in set(report.issues["code"])


def test_silence_of_the_company_is_looked_up(kit):
    """The company takes a document and does not answer: resume finds it by our key."""
    company = kit.company

    def silent(document: Any) -> None:
        company.post(document)
        raise CompanyUnavailable("the connection was lost")

    kit.company = Wrapped(company, post=silent)
    with pytest.raises(InDoubt, match="sage50kit resume"):
        pushed(kit, INVOICE, "A")
    kit.company = company
    (report,) = kit.resume()

    assert report.status == "completed"
    assert len(living(kit)) == 1


def test_silence_before_anything_was_written_posts_later(kit):
    """Not there: it is posted by resume, once."""
    company = kit.company

    def silent(document: Any) -> None:
        raise CompanyUnavailable("locked")

    kit.company = Wrapped(company, post=silent)
    with pytest.raises(InDoubt):
        pushed(kit, INVOICE, "A")
    kit.company = company

    assert living(kit) == []
    (report,) = kit.resume()
    assert (report.status, len(living(kit))) == ("completed", 1)


def test_a_company_that_cannot_tell_leaves_the_document_in_doubt(kit):
    """It is named, resume says so as often as it is asked, and one event is written, not one each time."""
    with interrupted(kit):
        pushed(kit, INVOICE, "A")
    with blind(kit):
        (first,) = kit.resume()
        (second,) = kit.resume()

    assert (first.status, first.exit_code) == ("in_doubt", 5)
    assert INVOICE[0] in second.headline
    assert "--posted NUMBER" in second.headline
    marks = [event for event in kit.log.events("A") if event["kind"] == "in_doubt"]
    assert len(marks) == 1


def test_a_push_stops_before_a_batch_in_doubt(kit):
    """Nothing of the new batch is posted while an older one is in doubt."""
    with interrupted(kit):
        pushed(kit, INVOICE, "A")
    plan = kit.plan(choose(kit, TRANSFER), batch="B")
    with blind(kit), pytest.raises(InDoubt, match=INVOICE[0]):
        kit.push(plan, dry_run=False)

    assert len(living(kit)) == 1
    assert kit.log.batch("B") is None


def test_a_person_says_that_it_was_posted(kit):
    """The word ends the doubt; nothing is posted again, and the log keeps who said it."""
    with interrupted(kit):
        pushed(kit, INVOICE, "A")
    with blind(kit):
        (report,) = kit.resume(INVOICE[0], posted="10119")

    assert report.counts["exported"] == 1
    assert len(living(kit)) == 1
    last = [event for event in kit.log.events("A") if event["kind"] == "exported"][-1]
    assert last["payload"]["place"] == "10119"
    assert last["actor"]


def test_a_person_says_that_it_was_not_posted(kit):
    """It is posted then, and the batch is made."""
    company = kit.company

    def silent(document: Any) -> None:
        raise CompanyUnavailable("no answer")

    kit.company = Wrapped(company, post=silent)
    with pytest.raises(InDoubt):
        pushed(kit, INVOICE, "A")
    kit.company = Blind(company)
    (report,) = kit.resume(INVOICE[0], not_posted=True)

    assert report.counts["exported"] == 1
    assert len(living(kit)) == 1


def test_a_word_that_the_company_contradicts_is_refused(kit):
    """Not posted, says a person; the company shows it under our key."""
    with interrupted(kit):
        pushed(kit, INVOICE, "A")
    (place,) = living(kit)

    with pytest.raises(UsageError, match=place):
        kit.resume(INVOICE[0], not_posted=True)
    with pytest.raises(UsageError, match="no such document"):
        kit.resume(INVOICE[0], posted="99999")
    (report,) = kit.resume(INVOICE[0], posted=place)
    assert report.status == "completed"


@pytest.mark.parametrize("end", [lambda company: company, Keyless], ids=["keys", "no keys"])
def test_another_document_of_ours_is_no_answer(kit, end):
    """A person points at the invoice of an earlier batch: refused, and the document stays in doubt."""
    pushed(kit, TWO[:1], "A")
    (place,) = living(kit)
    with unanswered(kit):
        pushed(kit, INVOICE, "B")
    (row,) = kit.log.documents("B")
    kit.company = end(kit.company)

    with pytest.raises(UsageError, match=f"{INVOICE[0]}.*cannot be the document at {place}"):
        kit.resume(INVOICE[0], posted=place)
    assert kit.log.state_of(row.document, batch="B") == "sending"


def test_a_document_of_ours_without_a_key_is_known_by_the_log(kit):
    """Two waiting receipts of one vendor: what the log has for the one is no answer for the other."""
    kit.company = Keyless(kit.company)
    pushed(kit, WAITING, "A")
    (place,) = living(kit)
    with unanswered(kit):
        pushed(kit, ["receipt:702-DH-2-purchase"], "B")

    with pytest.raises(UsageError, match=f"at {place}: that one is {WAITING[0]}"):
        kit.resume("receipt:702-DH-2-purchase", posted=place)


def test_what_a_person_entered_by_hand_is_taken_with_its_differences(kit):
    """Entered in Sage without our key and with another number: taken, and the number is a finding."""
    with interrupted(kit):
        pushed(kit, INVOICE, "A")
    (there,) = [row for row in kit.company.documents() if not row.voided]
    kit.company.renumber(there.place, "BY-HAND")
    documents = kit.company.documents
    kit.company = Wrapped(
        kit.company,
        find_many=lambda rows: [() for _ in rows],
        documents=lambda: [replace(row, token="") for row in documents()],
    )
    (report,) = kit.resume(INVOICE[0], posted=there.place)

    assert list(report.issues["code"]) == ["stored_differs"]
    assert "BY-HAND" in report.issues.iloc[0]["message"]


def test_a_voided_document_is_decided_by_a_person(kit):
    """Cut off, then voided in Sage: not posted, says a person, and it is posted once more."""
    with interrupted(kit):
        pushed(kit, INVOICE, "A")
    (place,) = living(kit)
    kit.company.void(place, on=date(2026, 10, 31))

    (doubt,) = kit.resume()
    assert (doubt.status, "voided" in doubt.headline) == ("in_doubt", True)
    (report,) = kit.resume(INVOICE[0], not_posted=True)
    assert report.status == "completed"
    assert len(living(kit)) == 1


def test_a_voided_document_without_our_key_is_decided_by_a_person_too(kit):
    """Cut off, then voided in a company that holds no keys: it is not posted again by itself."""
    with interrupted(kit):
        pushed(kit, INVOICE, "A")
    (place,) = living(kit)
    kit.company.void(place, on=date(2026, 10, 31))
    kit.company = Keyless(kit.company)

    (doubt,) = kit.resume()
    assert (doubt.status, f"{place} were voided" in doubt.headline) == ("in_doubt", True)
    assert living(kit) == []


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ("", {"posted": "1"}),
        ("invoice:1", {}),
        ("invoice:1", {"posted": "1", "not_posted": True}),
    ],
)
def test_an_answer_names_a_document_and_one_outcome(kit, document, words):
    """Half an answer is refused."""
    with pytest.raises(UsageError, match="one document"):
        kit.resume(document, **words)


def test_only_what_is_in_doubt_can_be_answered(kit):
    """A document that was posted and answered needs no word."""
    pushed(kit, INVOICE, "A")

    with pytest.raises(UsageError, match="not in doubt"):
        kit.resume(INVOICE[0], not_posted=True)


def test_several_documents_of_one_key_are_told_apart(kit):
    """An adjustment of two items is two documents: the word must name one of them."""
    adjustment = ["adjustment:82-adjustment"]
    with interrupted(kit):
        pushed(kit, adjustment, "A")
    first, second = (row.document for row in kit.log.documents("A"))
    kit.log.mark(
        second, "sending", batch="A"
    )  # as a connector leaves them that writes many at once
    with blind(kit):
        kit.resume(first.label, posted="CW-A82")
        states = [kit.log.state_of(row, batch="A") for row in (first, second)]
        kit.resume(second.label, posted="CW-A82-2")

    assert states == ["exported", "in_doubt"]
    assert [row.state for row in kit.log.documents("A")] == ["exported", "exported"]


def test_a_key_that_is_no_label_must_name_its_part(kit):
    """Its second and third part are in doubt, and both have the key: it is not guessed which is meant."""
    with interrupted(kit):
        pushed(kit, ["adjustment:82-adjustment"], "A")
    (_, second) = (row.document for row in kit.log.documents("A"))
    kit.log.mark(second, "sending", batch="A")
    rows = kit.log.documents("A")
    content = text(canonical(replace(second, part=3)))
    third = replace(rows[1], part=3, content=content)
    kit.log = Wrapped(kit.log, documents=lambda _: [rows[1], third])

    with pytest.raises(UsageError, match=f"{second.label}, {third.document.label}"):
        kit.resume(second.key, not_posted=True)


def test_several_in_doubt_are_all_named(kit):
    """A company that cannot tell of two documents: both are in one sentence."""
    with interrupted(kit):
        pushed(kit, TWO, "A")
    for row in kit.log.documents("A"):
        kit.log.mark(row.document, "sending", batch="A")
    with blind(kit):
        (report,) = kit.resume()

    assert all(key in report.headline for key in TWO)


def test_any_trouble_after_something_was_sent_is_said_as_doubt(kit):
    """An error of another kind, between the documents and the batch: exit code 5, and resume ends it."""
    connectwise = kit.connectwise

    def broken(*_: Any, **__: Any) -> None:
        raise OSError("the disk is full")

    kit.connectwise = Wrapped(connectwise, create_batch=broken)
    with pytest.raises(InDoubt, match="the disk is full") as caught:
        pushed(kit, INVOICE, "A")
    kit.connectwise = connectwise

    assert caught.value.exit_code == 5
    assert [report.status for report in kit.resume()] == ["completed"]


def test_trouble_before_anything_was_sent_is_the_trouble_itself(kit):
    """The lists cannot be read again: nothing was written, and the number is free."""
    plan = kit.plan(choose(kit, INVOICE), batch="A")
    connectwise = kit.connectwise

    def away(_: Any) -> None:
        raise ConnectWiseUnavailable("down")

    kit.connectwise = Wrapped(connectwise, unposted_entries=away)
    with pytest.raises(ConnectWiseUnavailable, match="down"):
        kit.push(plan, dry_run=False)
    kit.connectwise = connectwise

    assert (living(kit), kit.resume()) == ([], [])
    assert kit.push(plan, dry_run=False).status == "completed"


def test_a_customer_is_created_once_however_often_it_is_resumed(kit):
    """Cut off after the customer was created: resume creates nothing again and posts the invoice once."""
    with interrupted(kit):
        pushed(kit, ["invoice:48116"], "A")
    company = kit.company
    created = []

    def create(master: Any) -> str:
        created.append(master)
        return company.create(master)

    with_doubt = Wrapped(company, create=create)
    kit.company.void(living(kit)[0], on=date(2026, 10, 31))
    kit.company = with_doubt
    kit.resume("invoice:48116", not_posted=True)

    assert created == []
    assert len(living(kit)) == 1


def test_a_customer_that_is_refused_takes_its_invoice_along(kit):
    """Sage does not take the customer: its invoice is refused, and both reasons are in the report."""
    company = kit.company

    def create(master: Any) -> str:
        raise DocumentRefused("the customer list is locked")

    kit.company = Wrapped(company, create=create)
    report = pushed(kit, ["invoice:48116", *INVOICE], "A")

    said = " ".join(report.errors["message"])
    assert "the customer list is locked" in said
    assert dict(zip(report.documents["label"], report.documents["state"], strict=True)) == {
        "invoice:48116": "refused",
        INVOICE[0]: "posted",
    }


def test_only_recorded_batches_are_finished(kit):
    """A number that the log does not know is a wrong call."""
    with pytest.raises(UsageError, match="no batch X"):
        finish_recorded("X", company=kit.company, connectwise=kit.connectwise, log=kit.log)


# --- planning under the number of an unfinished batch ---


def test_what_has_come_up_since_is_left_out_of_an_unfinished_batch_and_named(kit):
    """The recorded plan comes back, with the new transaction and the reason; pushing it finishes the batch."""
    with interrupted(kit):
        pushed(kit, INVOICE, "A")
    plan = kit.plan(choose(kit, [*INVOICE, *TRANSFER]), batch="A")

    assert [row.key for row in plan.transactions] == INVOICE
    assert [(row.key, row.reason) for row in plan.left_out] == [
        (TRANSFER[0], "batch A is finished first")
    ]
    assert kit.log.holds(plan)
    report = kit.push(plan, dry_run=False)
    assert TRANSFER[0] in set(report.left_out["key"])
    assert len(living(kit)) == 1


def test_a_key_to_post_again_must_be_selected(kit):
    """A mistyped key is named; one of a batch that was begun is known by it."""
    with pytest.raises(UsageError, match="invoice:99999 is not among the selected"):
        kit.plan(choose(kit, INVOICE), batch="A", repost=["invoice:99999"])
    with interrupted(kit):
        pushed(kit, INVOICE, "A")
    plan = kit.plan(choose(kit, TRANSFER), batch="A", repost=INVOICE)
    assert [row.key for row in plan.transactions] == INVOICE


# --- ConnectWise ---


def test_a_create_call_without_an_answer_is_looked_up(kit):
    """The batch was made and the answer lost: it is found by its number and not made again."""
    connectwise = kit.connectwise
    calls = []

    def lost(*words: Any, **more: Any) -> None:
        calls.append(words)
        connectwise.create_batch(*words, **more)
        error = ConnectWiseUnavailable("no answer")
        error.sent = True
        raise error

    kit.connectwise = Wrapped(connectwise, create_batch=lost)
    report = pushed(kit, INVOICE, "A")

    assert (report.status, len(calls)) == ("completed", 1)
    assert kit.verify("A").ok


def test_a_create_call_that_never_arrived_is_sent_by_resume(kit):
    """Nothing listed: in doubt, documents posted, and resume makes the batch."""
    connectwise = kit.connectwise

    def away(*_: Any, **__: Any) -> None:
        raise ConnectWiseUnavailable("down")

    kit.connectwise = Wrapped(connectwise, create_batch=away)
    with pytest.raises(InDoubt, match="documents are posted"):
        pushed(kit, INVOICE, "A")
    kit.connectwise = connectwise
    (report,) = kit.resume()

    assert report.status == "completed"
    assert (len(living(kit)), kit.verify("A").ok) == (1, True)


def test_what_somebody_else_batched_meanwhile_is_not_posted(kit):
    """Between plan and push one of two invoices was batched: the other is pushed, and it is said."""
    plan = kit.plan(choose(kit, TWO), batch="A")
    (gone,) = [row for row in plan.transactions if row.key == TWO[0]]
    kit.connectwise.create_batch("THEIRS", kinds={"invoice"}, entry_ids=gone.entry_ids)
    report = kit.push(plan, dry_run=False)

    states = dict(zip(report.documents["label"], report.documents["state"], strict=True))
    assert states == {TWO[0]: "refused", TWO[1]: "posted"}
    assert "no longer lists it" in report.issues.set_index("key").loc[TWO[0], "message"]
    assert len(living(kit)) == 1
    assert kit.verify("A").ok


def test_what_was_batched_after_it_was_posted_stays_out_and_is_reported(kit):
    """ConnectWise refuses the batch as a whole: it is sent again without the one, which is a finding."""
    connectwise = kit.connectwise
    plan = kit.plan(choose(kit, TWO), batch="A")
    (gone,) = [row for row in plan.transactions if row.key == TWO[0]]

    def late(*words: Any, **more: Any) -> None:
        if connectwise.find_batch("THEIRS") is None:
            connectwise.create_batch("THEIRS", kinds={"invoice"}, entry_ids=gone.entry_ids)
        connectwise.create_batch(*words, **more)

    kit.connectwise = Wrapped(connectwise, create_batch=late)
    report = kit.push(plan, dry_run=False)

    assert report.exit_code == 3
    assert set(report.issues.query("code == 'batch_entry_missing'")["key"]) == {TWO[0]}
    assert len(living(kit)) == 2


def test_a_batch_that_connectwise_refuses_for_good_is_in_doubt(kit):
    """Nothing of it was batched by others: the refusal itself is said, and nothing is sent in circles."""
    connectwise = kit.connectwise
    calls = []

    def never(*_: Any, **__: Any) -> None:
        calls.append(1)
        raise ConnectWiseRejected("the GL interface is switched off")

    kit.connectwise = Wrapped(connectwise, create_batch=never)
    with pytest.raises(InDoubt, match="switched off"):
        pushed(kit, INVOICE, "A")
    assert len(calls) == 1


def test_a_number_that_a_hidden_batch_holds_is_said_with_its_cure(kit):
    """Refused and not listed: the sentence says whom to ask, for no resume can end it."""

    def taken(*_: Any, **__: Any) -> None:
        raise ConnectWiseRejected("the batch identifier is used")

    kit.connectwise = Wrapped(kit.connectwise, create_batch=taken)
    with pytest.raises(InDoubt, match="support to restore or rename that batch"):
        pushed(kit, INVOICE, "A")


def test_waiting_receipts_are_finished_like_all_others(kit):
    """A purchase without a number is found by our key."""
    with interrupted(kit):
        pushed(kit, WAITING, "A")
    (report,) = kit.resume()

    assert report.status == "completed"
    assert len(living(kit)) == 1


# --- what the batch relies on ---


def away(*_: Any, **__: Any) -> None:
    raise ConnectWiseUnavailable("down")


def test_a_batch_that_was_made_before_the_cut_is_read_by_resume(kit):
    """The batch is there and its entries could not be read: resume reads them and ends it."""
    connectwise = kit.connectwise
    kit.connectwise = Wrapped(connectwise, batch_entries=away)
    with pytest.raises(InDoubt):
        pushed(kit, INVOICE, "A")
    kit.connectwise = connectwise

    assert [report.status for report in kit.resume()] == ["completed"]
    assert kit.verify("A").ok


def test_what_a_company_cannot_show_is_batched_on_its_word(kit):
    """It took the document and can show nothing: the batch is made all the same, once ConnectWise answers."""
    connectwise, company = kit.connectwise, kit.company
    kit.company = Blind(company)
    kit.connectwise = Wrapped(connectwise, create_batch=away)
    with pytest.raises(InDoubt):
        pushed(kit, INVOICE, "A")
    kit.connectwise = connectwise

    assert [report.counts["exported"] for report in kit.resume()] == [1]
    assert kit.connectwise.find_batch("A") is not None


def test_what_was_voided_before_its_batch_was_made_stays_out(kit):
    """The only document is gone when ConnectWise answers again: the number is free, and it is told."""
    connectwise = kit.connectwise
    kit.connectwise = Wrapped(connectwise, create_batch=away)
    with pytest.raises(InDoubt):
        pushed(kit, INVOICE, "A")
    kit.connectwise = connectwise
    kit.company.void(living(kit)[0], on=date(2026, 10, 31))
    (report,) = kit.resume()

    assert (report.status, "gone_since" in set(report.issues["code"])) == ("failed", True)
    assert (kit.log.unfinished_batches(), kit.connectwise.find_batch("A")) == ([], None)
    assert pushed(kit, INVOICE, "A").status.startswith("completed")
    assert len(living(kit)) == 1


def test_a_transaction_of_which_one_part_was_refused_is_partly_posted(kit):
    """It is in no batch and always told; the next push posts only the part that is missing."""
    key, company = "adjustment:82-adjustment", kit.company

    def post(document: Any) -> Any:
        if document.part == 2:
            raise DocumentRefused("the item is locked")
        return company.post(document)

    kit.company = Wrapped(company, post=post)
    report = pushed(kit, [key], "A")
    kit.company = company

    assert (report.status, report.exit_code) == ("completed_with_errors", 3)
    assert "partly_posted" in set(report.issues["code"])
    assert (kit.log.batch("A").state, kit.connectwise.find_batch("A")) == ("failed", None)
    assert report.next_batch in report.headline
    assert pushed(kit, [key], report.next_batch).status.startswith("completed")
    assert (len(living(kit)), kit.verify(report.next_batch).ok) == (2, True)


def test_what_joins_and_was_changed_since_stays_out(kit):
    """Un-posted, planned again, then renumbered in Sage: it is not batched on the word of the plan."""
    (place,) = pushed(kit, INVOICE, "A").documents["place"]
    kit.unpost("A")
    plan = kit.plan(choose(kit, INVOICE), batch="B")
    kit.company.renumber(place, "X-1")

    assert kit.push(plan, dry_run=False).status == "failed"
    assert kit.connectwise.find_batch("B") is None


def test_what_joins_and_is_batched_by_others_at_the_last_moment_is_given_up(kit):
    """ConnectWise refuses, and nothing is left to batch: no doubt, no batch, and the log is whole."""
    pushed(kit, INVOICE, "A")
    kit.unpost("A")
    plan = kit.plan(choose(kit, INVOICE), batch="B")
    connectwise = kit.connectwise

    def late(*words: Any, **more: Any) -> None:
        connectwise.create_batch("THEIRS", kinds={"invoice"}, entry_ids=more["entry_ids"])
        connectwise.create_batch(*words, **more)

    kit.connectwise = Wrapped(connectwise, create_batch=late)
    report = kit.push(plan, dry_run=False)

    assert (report.status, kit.log.unfinished_batches(), kit.log.verify()) == ("failed", [], [])
    assert len(living(kit)) == 1


def test_the_same_plan_pushed_twice_joins_once(kit):
    """What stands in the books joins the batch; pushing again repeats the report."""
    pushed(kit, INVOICE, "A")
    kit.unpost("A")
    plan = kit.plan(choose(kit, INVOICE), batch="B")
    first, second = kit.push(plan, dry_run=False), kit.push(plan, dry_run=False)

    assert first.headline == second.headline
    assert [row.state for row in kit.log.documents("B")] == ["joined"]


def test_a_document_without_our_key_must_be_of_the_same_customer(kit):
    """A person points at the invoice of somebody else, which carries no key: refused."""
    pushed(kit, [*TWO, "invoice:48103"], "A")
    party = kit.plan(choose(kit, INVOICE), batch="B").documents[0].party_id
    theirs = next(row for row in kit.company.documents() if row.party_id != party)
    with interrupted(kit):
        pushed(kit, INVOICE, "B")
    kit.company.delete(
        next(row.place for row in kit.company.documents() if row.token.endswith("48119"))
    )
    documents = kit.company.documents
    kit.company = Wrapped(
        kit.company,
        find_many=lambda rows: [() for _ in rows],
        documents=lambda: [replace(row, token="") for row in documents()],
    )

    with pytest.raises(UsageError, match=theirs.party_id):
        kit.resume(INVOICE[0], posted=theirs.place)
