"""The push log: append-only, chained, and a projection that follows every event."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from sage50kit.errors import BatchTaken, ContentChanged, InDoubt, LogCorrupt, UsageError
from sage50kit.model import Joined
from tests.pushlogs import Place, invoice, place_of, plan

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sage50kit.pushlog import PushLog


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """A log's place of either kind; every test of it says the same of both."""
    return place_of(request, tmp_path)


@pytest.fixture
def log(place: Place) -> Iterator[PushLog]:
    """A new log."""
    log = place.open()
    yield log
    log.close()


def test_a_recorded_plan_comes_back_as_it_was(log):
    """Documents, masters and transactions read back equal to what was recorded."""
    recorded = plan("B-I", invoice(1), invoice(2))
    log.record(recorded)

    assert log.plan_of("B-I", company="company") == recorded
    assert log.plan_of("B-I", company="company").fingerprint == recorded.fingerprint


def test_the_state_follows_the_events(log):
    """Marking a document changes its state and place; recording again changes nothing."""
    first = invoice(1)
    log.record(plan("B-I", first))
    log.mark(first, "sending", batch="B-I")
    log.mark(first, "posted", batch="B-I", place="S-1")
    log.record(plan("B-I", first))

    (row,) = log.documents("B-I")
    assert (row.state, row.place) == ("posted", "S-1")
    assert [event["kind"] for event in log.events("B-I")] == [
        "plan",
        "planned",
        "sending",
        "posted",
    ]


def test_what_the_reader_holds_stands_in_for_the_record_only_where_it_is_the_same(log):
    """Of two documents held, one was changed since: what was recorded of it is what counts."""
    first, second = invoice(1), invoice(2)
    log.record(plan("B-I", first, second))
    changed = replace(second, memo="changed since")

    one, other = log.documents("B-I", held=(first, changed))

    assert one.document is first
    assert other.document == second


def test_tables_beside_the_log_are_written_with_their_events_or_not_at_all(log):
    """One transaction for both: what fails half-way leaves neither; no events is no event."""
    with log.together() as (_, append):
        append([("paid", "invoice:1", {"amount": "5.00"})])
        append([])
    with suppress(RuntimeError), log.together() as (_, append):
        append([("paid", "invoice:2", {"amount": "6.00"})])
        raise RuntimeError

    assert [event["key"] for event in log.events(kinds=["paid"])] == ["invoice:1"]
    assert log.verify() == []


def test_what_is_in_doubt_joins_no_other_batch(log):
    """Sent in one batch and not answered: no other batch takes it from there."""
    document = invoice(1)
    log.record(plan("A", document))
    log.mark(document, "sending", batch="A")
    joining = replace(
        plan("B", document), documents=(), joined=(Joined(document=document, place="S-1"),)
    )

    with pytest.raises(InDoubt, match="since batch A"):
        log.record(joining)


def test_a_whole_chain_verifies(log):
    """Nothing to complain of after ordinary use."""
    log.record(plan("B-I", invoice(1)))
    log.mark_batch("B-I", "created", batch_id=7)

    assert log.verify() == []


@pytest.mark.parametrize(
    ("statement", "complaint"),
    [
        (
            "update events set payload = replace(payload, 'a', 'b') where seq = 2",
            "event 2 was changed",
        ),
        ("delete from events where seq = 2", "event 2 is missing"),
        ("update events set company = 'Other' where seq = 2", "event 2 is missing"),
        ("update events set actor = 'other' where seq = 1", "event 1 was changed"),
        ("update events set prev_hash = 'x' where seq = 3", "event 3 was changed or moved"),
        ("update documents set state = 'planned'", "document invoice:1 of batch B-I is not in"),
        ("update documents set place = 'S-9'", "document invoice:1 of batch B-I is not in"),
        ("delete from documents", "document invoice:1 of batch B-I is missing"),
        ("update transactions set batch = 'C'", "transaction invoice:1 is not in the state"),
        ("update transactions set generation = 2", "no event speaks of it"),
        ("update batches set state = 'created'", "batch B-I is not in the state"),
    ],
)
def test_tampering_shows_and_stops_the_next_push(place, statement, complaint):
    """A byte changed, an event dropped or moved, a state edited: found by verify, and before a push."""
    log = place.open()
    log.record(plan("B-I", invoice(1)))
    log.mark(invoice(1), "sending", batch="B-I")
    log.note("verified", batch="B-I", ok=True)
    log.close()
    place.run(statement)
    again = place.open()

    assert any(complaint in problem for problem in again.verify())
    with pytest.raises(LogCorrupt, match="Restore it from a backup"), again.claim():
        pass
    again.close()


@pytest.mark.parametrize(
    "statement",
    [
        "delete from events where seq = 3",
        "delete from events",
        "update events set seq = 99 where seq = 2",
        "update events set payload = '[]' where seq = 3",
        "update logs set events = 2",
    ],
)
def test_a_cut_tail_is_found_when_the_log_is_opened(place, statement):
    """The last event, its number and the count outside the chain are looked at every time."""
    log = place.open()
    log.record(plan("B-I", invoice(1)))
    log.mark(invoice(1), "sending", batch="B-I")
    log.close()
    place.run(statement)

    with pytest.raises(LogCorrupt, match="cut off"):
        place.open()


def test_a_tail_that_is_cut_off_in_use_shows(log, place):
    """The count stands outside the chain."""
    log.record(plan("B-I", invoice(1)))
    place.run("delete from events where seq = 2")

    assert log.verify() == ["events after 1 are missing; there were 2"]


def test_events_put_behind_the_last_one_show(log, place):
    """Somebody who writes into an open log is found out too."""
    log.record(plan("B-I", invoice(1)))
    place.run("update logs set events = 1")

    assert log.verify() == ["events were added after 1, or the last one was exchanged"]


def test_a_newer_log_is_refused(place):
    """A log of a later schema says: update."""
    place.open().close()
    place.run("update meta set value = '99' where name = 'schema'")

    with pytest.raises(LogCorrupt, match="newer version"):
        place.open()


def test_other_tables_are_no_log(place):
    """A database of something else is not written into."""
    place.run("create table events (id integer)")

    with pytest.raises(LogCorrupt, match="holds other tables"):
        place.open()


def test_a_batch_of_which_nothing_was_sent_gives_its_number_free(log):
    """A corrected plan may take the number of a batch that failed before anything was posted."""
    log.record(plan("B-I", invoice(1), invoice(2)))
    log.mark(invoice(1), "refused", batch="B-I", reason="on hold")
    log.record(plan("B-I", invoice(1)))

    assert [row.key for row in log.documents("B-I")] == ["invoice:1"]
    assert log.documents("B-I")[0].state == "planned"
    assert log.verify() == []


def test_a_used_number_is_not_given_to_other_documents(log):
    """Once something was sent, the number belongs to its plan."""
    log.record(plan("B-I", invoice(1)))
    log.mark(invoice(1), "sending", batch="B-I")

    with pytest.raises(BatchTaken):
        log.record(plan("B-I", invoice(2)))


def test_a_refused_document_may_join_a_later_batch(log):
    """The refused invoice of one batch is planned in the next, and stays refused in the report of the first."""
    log.record(plan("B-I", invoice(1), invoice(2)))
    log.mark(invoice(1), "posted", batch="B-I", place="S-1")
    log.mark(invoice(2), "refused", batch="B-I", reason="on hold")
    log.record(plan("B-I-1", invoice(2)))

    assert [row.key for row in log.documents("B-I-1")] == ["invoice:2"]
    assert [(row.key, row.state) for row in log.documents("B-I")] == [
        ("invoice:1", "posted"),
        ("invoice:2", "refused"),
    ]


@pytest.mark.parametrize(("state", "error"), [("posted", ContentChanged), ("sending", InDoubt)])
def test_a_sent_document_never_joins_another_batch(log, state, error):
    """Posted or in doubt elsewhere: refused before anything is sent."""
    log.record(plan("B-I", invoice(1)))
    log.mark(invoice(1), state, batch="B-I")

    with pytest.raises(error):
        log.record(plan("B-2", invoice(1)))
    assert log.batch("B-2") is None


def test_history_counts_states(log):
    """One row per batch with the number of documents in each state."""
    log.record(plan("B-I", invoice(1), invoice(2)))
    log.mark(invoice(1), "posted", batch="B-I", place="S-1")

    (row,) = log.history()
    assert (row["batch"], row["posted"], row["planned"]) == ("B-I", 1, 1)


def test_transactions_are_found_in_every_generation(log):
    """The past of a transaction is every document that ever held it."""
    log.record(plan("B-I", invoice(1)))

    assert [row.batch for row in log.of_transactions(["invoice:1"])["invoice:1"]] == ["B-I"]
    assert log.of_transactions(["invoice:2"]) == {}


def test_an_unfinished_batch_is_one_of_which_something_was_sent(log):
    """Oldest first, until it is created in ConnectWise; one that was un-posted has ended."""
    for number, batch in enumerate(("D", "C", "B", "A"), 1):
        log.record(plan(batch, invoice(number)))
    for number, batch in enumerate(("D", "C", "B"), 1):
        log.mark(invoice(number), "posted", batch=batch, place=f"S-{number}")
    log.mark_batch("C", "created", batch_id=7)
    both = log.unfinished_batches()
    log.mark_batch("D", "created", batch_id=8)
    log.mark_batch("D", "unposted", reason="wrong month")

    assert both == ["D", "B"]
    assert log.unfinished_batches() == ["B"]
    assert log.unfinished(but="") == {"invoice:3": "B"}
    assert log.unfinished(but="B") == {}
    assert log.verify() == []


def test_a_document_of_an_unposted_batch_may_be_voided_and_planned_again(log):
    """The past stays, and a new generation joins a new batch."""
    log.record(plan("A", invoice(1)))
    log.mark(invoice(1), "posted", batch="A", place="S-1")
    log.mark_batch("A", "created", batch_id=7)
    log.mark_batch("A", "unposted")
    log.mark(invoice(1), "voided", batch="A", reason="wrong account")
    log.record(plan("B", invoice(1, generation=2)))

    past = log.of_transactions(["invoice:1"])["invoice:1"]
    assert [(row.batch, row.state) for row in past] == [("A", "voided"), ("B", "planned")]
    assert log.verify() == []


@pytest.mark.parametrize("state", ["posted", "planned"])
def test_a_person_settles_what_the_kit_could_not(log, state):
    """Their word is an event under their name."""
    log.record(plan("A", invoice(1)))
    log.mark(invoice(1), "in_doubt", batch="A", reason="two look like it")
    log.mark(invoice(1), state, batch="A", place="S-1", reason="looked in Sage")

    *_, event = log.events("A")
    assert (event["actor"], event["payload"]["reason"]) == ("tester", "looked in Sage")
    assert log.state_of(invoice(1), batch="A") == state
    assert log.verify() == []


def test_what_the_log_does_not_know_cannot_be_marked(log):
    """A mark without a row would be an event that leads nowhere."""
    with pytest.raises(UsageError, match="no invoice:1 in batch A"):
        log.mark(invoice(1), "posted", batch="A")
    with pytest.raises(UsageError, match="no batch A"):
        log.mark_batch("A", "created")
    with pytest.raises(UsageError, match="not a note"):
        log.note("released", batch="A")
    assert (log.count(), log.state_of(invoice(1), batch="A")) == (0, None)


def test_an_invoice_of_a_refused_bill_may_be_planned_alone(log):
    """A bill of two rows is refused; one row is then posted under its own key."""
    bill = invoice(1, transactions=("expense:1", "expense:2"))
    log.record(plan("A", bill))
    log.mark(bill, "refused", batch="A", reason="on hold")
    log.record(plan("B", invoice(2, transactions=("expense:2",))))

    assert [row.batch for row in log.of_transactions(["expense:2"])["expense:2"]] == ["B"]
    assert [row.batch for row in log.of_transactions(["expense:1"])["expense:1"]] == ["A"]
    assert log.verify() == []


def test_a_bill_without_the_row_that_another_took_is_recorded_again(log):
    """The row stays where it went."""
    bill = invoice(1, transactions=("expense:1", "expense:2"))
    log.record(plan("A", bill))
    log.mark(bill, "refused", batch="A", reason="on hold")
    log.record(plan("B", invoice(2, transactions=("expense:2",))))
    log.record(plan("C", invoice(1, transactions=("expense:1",))))

    past = log.of_transactions(["expense:1", "expense:2"])
    assert [row.batch for rows in past.values() for row in rows] == ["C", "B"]
    assert log.verify() == []


def test_an_unknown_batch_is_none(log):
    """Nothing of it was recorded or sent."""
    assert log.plan_of("A", company="company") is None
    assert not log.was_sent("A")


def test_a_transaction_is_in_one_document_of_a_generation(log):
    """A plan that holds one twice is refused, and nothing of it is recorded."""
    twice = plan("A", invoice(1), invoice(2, transactions=("invoice:1",)))

    with pytest.raises(ContentChanged, match="two documents hold the same transaction"):
        log.record(twice)
    assert (log.count(), log.batch("A")) == (0, None)


def test_a_refused_document_taken_up_twice_leaves_no_trace_that_verify_minds(log):
    """Refused in A, taken up and refused in B, taken up with fewer rows after B was given free."""
    bill = invoice(1, transactions=("expense:1", "expense:2"))
    log.record(plan("A", bill, invoice(3)))
    log.mark(bill, "refused", batch="A")
    log.record(plan("B", bill))
    log.mark(bill, "refused", batch="B")
    log.record(plan("B", invoice(1, transactions=("expense:1",))))

    assert log.of_transactions(["expense:2"]) == {}
    assert log.verify() == []


def test_the_order_is_not_that_of_the_clock(log, place):
    """A clock that was set back changes neither the newest batch nor what is verified."""
    log.record(plan("A", invoice(1)))
    place.run("update batches set at = '2030-01-01T00:00:00.000+00:00'")
    log.record(plan("B", invoice(2)))

    assert [row["batch"] for row in log.history()] == ["B", "A"]


def test_one_database_holds_the_logs_of_several_companies(postgres):
    """Each has its own chain, its own id and its own batches."""
    place = Place(postgres.database(), postgres)
    first, second = place.open(), place.open(company="Other")
    first.record(plan("A", invoice(1)))
    second.record(plan("A", invoice(1), invoice(2)))

    assert first.log_id != second.log_id
    assert (len(first.documents("A")), len(second.documents("A"))) == (1, 2)
    assert first.verify() == second.verify() == []
    assert [event["seq"] for event in second.events()] == [1, 2, 3]
    first.close()
    second.close()


def test_a_company_that_was_renamed_keeps_its_log(place):
    """It is known by the id that the company remembers."""
    log = place.open()
    log.record(plan("A", invoice(1)))
    renamed = place.open(company="Acme & Sons", remembered=log.log_id)

    assert renamed.batch("A") is not None
    log.close()
    renamed.close()


def test_a_lost_log_is_not_begun_anew(place):
    """The company remembers its log: the sentence says to restore it, and no empty one is made."""
    with pytest.raises(LogCorrupt, match=r"belongs to the push log 1234.*Restore it"):
        place.open(remembered="1234")
    log = place.open()

    assert log.history() == []
    log.close()


def test_documents_of_a_batch_are_recorded_again_as_a_later_generation(log):
    """They stand behind the first ones; the batch is open again until it is created once more."""
    log.record(plan("A", invoice(1), invoice(2)))
    log.mark(invoice(1), "posted", batch="A", place="S-1")
    log.mark(invoice(2), "posted", batch="A", place="S-2")
    log.mark_batch("A", "created", batch_id=7)
    again = plan("A", invoice(2, generation=2))
    log.record_again(again)

    assert [row.document.label for row in log.documents("A")] == [
        "invoice:1",
        "invoice:2",
        "invoice:2#2",
    ]
    assert log.unfinished_batches() == ["A"]
    assert log.batch("A").transactions == plan("A", invoice(1), invoice(2)).transactions
    assert log.holds(log.plan_of("A", company="company"))
    assert not log.holds(again)
    assert not log.holds(plan("B", invoice(1)))
    assert log.verify() == []
    with pytest.raises(UsageError, match="no batch B"):
        log.record_again(plan("B", invoice(1)))
