"""The push log: append-only, chained, and a projection that follows every event."""

from __future__ import annotations

import sqlite3
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from sage50kit.errors import BatchTaken, ContentChanged, InDoubt, LogCorrupt
from sage50kit.model import Customer, Distribution, Document, Plan, Transaction
from sage50kit.pushlog import PushLog

if TYPE_CHECKING:
    from pathlib import Path


def invoice(number: int, amount: str = "10.00") -> Document:
    return Document(
        type="sales_invoice",
        key=f"invoice:{number}",
        transactions=(f"invoice:{number}",),
        number=str(number),
        reference=str(number),
        posting_date=date(2026, 10, 5),
        document_date=date(2026, 10, 5),
        distributions=(
            Distribution(account_id="4000", amount=-Decimal(amount), entry_ids=(number * 10,)),
        ),
        control_account_id="1100",
        control_amount=Decimal(amount),
        party_id="ACME",
        entry_ids=(number * 10, number * 10 + 1),
    )


def plan(batch: str, *documents: Document) -> Plan:
    return Plan(
        batch=batch,
        site="site",
        company="company",
        documents=documents,
        masters=(Customer(customer_id="ACME", name="Acme"),),
        transactions=tuple(
            Transaction(
                key=row.key,
                kind="invoice",
                type="Standard",
                number=row.number,
                date=row.posting_date,
                party="Acme",
                party_id="ACME",
                total=row.total,
                entry_ids=row.entry_ids,
            )
            for row in documents
        ),
    )


@pytest.fixture
def log(tmp_path: Path):
    log = PushLog(tmp_path / "company.pushlog", site="site", actor="tester")
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
        ("delete from events where seq = 3", "events after 2 are missing"),
        ("update events set seq = 99 where seq = 2", "event 2 is missing"),
        ("update events set actor = 'other' where seq = 1", "event 1 was changed"),
    ],
)
def test_tampering_shows(tmp_path, statement, complaint):
    """A byte changed, an event dropped, cut off or moved is found."""
    log = PushLog(tmp_path / "company.pushlog", site="site", actor="tester")
    log.record(plan("B-I", invoice(1)))
    log.mark(invoice(1), "sending", batch="B-I")
    log.close()
    with sqlite3.connect(tmp_path / "company.pushlog") as other:
        other.execute(statement)
    other.close()
    again = PushLog(tmp_path / "company.pushlog", site="site", actor="tester")

    assert any(complaint in problem for problem in again.verify())
    again.close()


def test_a_file_that_is_no_log_is_refused(tmp_path):
    """Garbage is named as such before anything is pushed."""
    path = tmp_path / "company.pushlog"
    path.write_bytes(b"this is not a database at all, and long enough to look like one" * 20)

    with pytest.raises(LogCorrupt, match="cannot be read"):
        PushLog(path, site="site", actor="tester")


def test_a_newer_log_is_refused(tmp_path):
    """A log of a later schema says: update."""
    path = tmp_path / "company.pushlog"
    PushLog(path, site="site", actor="tester").close()
    with sqlite3.connect(path) as other:
        other.execute("update meta set value = '99' where name = 'schema'")
    other.close()

    with pytest.raises(LogCorrupt, match="newer version"):
        PushLog(path, site="site", actor="tester")


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
