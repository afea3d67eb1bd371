"""A difference that is as it should be is acknowledged with a reason, shown apart, and a clean month ends with 0."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from sage50kit.errors import UsageError
from sage50kit.reports import text
from sage50kit.reports.receivables import reconciliation_page
from tests.receivables_stage import OTHER_RECEIVABLES, invoice, receivables_stage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.receivables_stage import Stage

DAY = "2026-10-31"


@pytest.fixture
def stage(tmp_path) -> Iterator[Stage]:
    """One invoice pushed; Rent 7 was entered by hand, 5.00 of a check pay nothing yet."""
    with receivables_stage(tmp_path, [invoice(1, "100.00")]) as stage:
        stage.push(1, batch="A")
        stage.enter("Rent 7", "70.00")
        stage.receive(
            "CK 1", date(2026, 10, 16), applied={"Rent 7": Decimal(20)}, unapplied=Decimal(5)
        )
        yield stage


def told(stage: Stage) -> list[str]:
    """What is acknowledged at the end of October, as people read it."""
    frame = stage.kit.reconcile(as_of=DAY).differences
    return [word for word in frame["acknowledged"] if word]


def test_a_month_of_acknowledged_differences_is_clean(stage):
    """Exit code 3 without the word, 0 with it; reason, name and day are told apart from the differences."""
    receipt = next(row.place for row in stage.company.receivables() if row.reference == "CK 1")
    assert stage.kit.reconcile(as_of=DAY).exit_code == 3

    count = stage.kit.acknowledge(
        [stage.place("Rent 7"), receipt], reason="rent | deposit", as_of=DAY
    )

    found = stage.kit.reconcile(as_of=DAY)
    assert (count, found.exit_code, found.unexplained) == (2, 0, Decimal(0))
    page = text.render(reconciliation_page(found))
    assert "2 differences, 0 for a person, 2 acknowledged" in page
    assert page.index("\nAcknowledged\n") < page.index("rent | deposit (")
    assert stage.kit.log.verify() == []


def test_what_stands_in_sage_alone_stays_acknowledged_while_it_is_paid(stage):
    """Its total tells it from another; on days before it was paid the word counts as well."""
    stage.kit.acknowledge([stage.place("Rent 7")], reason="rent", as_of=DAY)
    stage.receive("CK 2", date(2026, 10, 20), applied={"Rent 7": Decimal(10)})

    assert len(told(stage)) == 1
    before = stage.kit.reconcile(as_of="2026-10-15").differences
    assert [bool(word) for word in before["acknowledged"]] == [True]


def test_another_amount_needs_a_person_again(stage):
    """A word is bound to the amount that was looked at."""
    stage.pay(1, "10.00", date(2026, 10, 20))
    stage.kit.acknowledge(["invoice:1"], reason="on its way", as_of=DAY)
    assert told(stage)[0].startswith("on its way (")

    stage.receive("CK 3", date(2026, 10, 21), applied={"R-1": Decimal(4)})

    assert told(stage) == []


def test_a_word_is_said_once_and_can_be_taken_back(stage):
    """What is acknowledged needs nobody any more; taken back, it does."""
    place = stage.journal("GJ 1", "1100", "9.00")
    stage.kit.acknowledge([place], reason="opening", as_of=DAY)
    with pytest.raises(UsageError, match="no difference that needs a person"):
        stage.kit.acknowledge([place], reason="opening", as_of=DAY)
    stage.kit.acknowledge([stage.place("Rent 7")], reason="rent", as_of=DAY)
    assert stage.kit.take_back([stage.place("Rent 7")]) == 1
    assert len(told(stage)) == 1


def test_a_word_about_nothing_is_refused(stage):
    """No reason, no such difference, nothing to take back: nothing is recorded."""
    events = stage.kit.log.count()
    for words in ({"documents": ["SJ-999"], "reason": "x"}, {"documents": ["SJ-1"], "reason": " "}):
        with pytest.raises(UsageError):
            stage.kit.acknowledge(words["documents"], reason=words["reason"], as_of=DAY)
    with pytest.raises(UsageError, match="nothing about SJ-1"):
        stage.kit.take_back(["SJ-1"])

    assert stage.kit.log.count() == events


def test_an_invoice_in_another_currency_is_acknowledged_by_its_key(stage):
    """It is not compared, and no longer needs a person."""
    currencies = stage.site.setup.tables["currencies"]
    code = {"id": 978, "name": "EUR"}
    currencies[9] = currencies[1] | {"id": 9, "currencyIdentifier": "EUR", "currencyCode": code}
    stage.site.setup.tables["companies"][103]["currency"] = 9
    stage.site.changed()
    stage.kit.acknowledge(["invoice:1"], reason="kept by hand", as_of=DAY)

    (left,) = stage.kit.reconcile(as_of=DAY).left_out

    assert left.acknowledged.startswith("kept by hand (")


def test_receivable_accounts_of_the_profile(tmp_path):
    """An item on a second receivable account is no difference once the profile names the account."""
    for accounts, classes in ((), ["wrong_account"]), (("1100", OTHER_RECEIVABLES), []):
        folder = tmp_path / str(len(accounts))
        folder.mkdir()
        with receivables_stage(folder, [invoice(1, "100.00")], accounts=accounts) as stage:
            stage.enter("R-1", "100.00", account=OTHER_RECEIVABLES)
            found = stage.kit.reconcile(as_of=DAY)
            assert [cause.what for row in found.lines for cause in row.causes] == classes
            assert stage.kit.ageing(as_of=DAY).difference == 0


@pytest.mark.parametrize("day", ["0001-01-01", "2020-01-01"])
def test_before_the_books_begin_nothing_agrees(stage, day):
    """A typing error in the year is refused, not answered with 0.00."""
    with pytest.raises(UsageError, match="before the first accounting period"):
        stage.kit.reconcile(as_of=day)
    with pytest.raises(UsageError, match="before the first accounting period"):
        stage.kit.ageing(as_of=day)


def test_a_day_to_come_is_said(stage):
    """More will be entered until then."""
    assert "is still to come" in text.render(
        reconciliation_page(stage.kit.reconcile(as_of="9999-12-31"))
    )
    assert "is still to come" not in text.render(
        reconciliation_page(stage.kit.reconcile(as_of=DAY))
    )
