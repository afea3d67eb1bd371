"""Trouble that the site makes on purpose, and what the client makes of it."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import SecretStr

from sage50kit.connectwise.access import Credentials
from sage50kit.connectwise.client import Client
from sage50kit.errors import (
    ConnectWiseError,
    ConnectWiseRejected,
    ConnectWiseUnavailable,
    NotAuthorized,
)
from sage50kit.profile import ConnectWiseSettings
from sage50kit.sandbox import auth, faults
from sage50kit.sandbox.faults import Faults, Rule
from sage50kit.sandbox.serve import default_gate, running
from tests.small_site import BATCHES, UNPOSTED, SmallSite

if TYPE_CHECKING:
    from collections.abc import Iterator

BATCH = {"batchIdentifier": "N", "processedRecordIds": [1]}
EVERY = ()


@contextmanager
def troubled(
    *rules: Rule, site: SmallSite | None = None, gate: auth.Gate | None = None, **words: Any
) -> Iterator[tuple[Client, Faults]]:
    """Our client on a site with trouble; it does not wait between attempts."""
    trouble = Faults(list(rules))
    with running(site or SmallSite(), faults=trouble, gate=gate) as server:
        settings = {"site": server.site, "company": server.company, "client_id": server.client_id}
        keys = Credentials(server.public_key, SecretStr(server.private_key))
        if words.pop("impersonating", False):
            settings |= {"auth": "impersonation", "member": "jdoe"}
            keys = Credentials(server.gate.integrator[0], SecretStr(server.gate.integrator[1]))
        made = ConnectWiseSettings.model_validate(settings)
        with Client(made, keys, **{"pause": lambda seconds: None, **words}) as client:
            yield client, trouble


def asked(trouble: Faults, method: str, path: str) -> int:
    """How many requests of that kind arrived."""
    return sum(seen.method == method and seen.path.endswith(path) for seen in trouble.seen)


def batches(site: SmallSite) -> list[str]:
    return [row["batchIdentifier"] for row in site.rows(BATCHES)]


PASSING = {
    "429": faults.too_many(retry_after=1),
    "500": faults.failing(500),
    "502 as a web page": faults.page(502),
    "503 after the work": faults.failing(503, after_effect=True),
    "an answer cut half-way": faults.cut(),
    "no answer": faults.dropped(),
    "an answer lost": faults.dropped(after_effect=True),
    "garbage": faults.garbage(),
}


@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING)
def test_a_list_is_read_whole_through_passing_trouble(fault):
    """A GET changes nothing, so it is asked again, and nothing is missing or double."""
    with troubled(Rule(fault, path=UNPOSTED, on=(2, 4))) as (client, trouble):
        rows = client.rows(UNPOSTED, page_size=20)

    assert [row["id"] for row in rows] == [9000 + number for number in range(1, 61)]
    assert asked(trouble, "GET", UNPOSTED) > 3


SILENT = {
    "500 before the work": (faults.failing(500), 0),
    "500 after the work": (faults.failing(500, after_effect=True), 1),
    "502 as a web page": (faults.page(502), 0),
    "502 as a web page after the work": (faults.page(502, after_effect=True), 1),
    "no answer": (faults.dropped(), 0),
    "an answer lost": (faults.dropped(after_effect=True), 1),
    "an answer cut half-way": (faults.cut(), 1),
    "an answer that is garbage": (faults.garbage(201, after_effect=True), 1),
}


@pytest.mark.parametrize(("fault", "applied"), SILENT.values(), ids=SILENT)
def test_a_write_is_sent_once_and_silence_is_doubt(fault, applied):
    """Whether the work was done cannot be told from outside, so it is never sent again and said to be open."""
    site = SmallSite()
    rule = Rule(fault, path=BATCHES, method="POST", on=EVERY)
    with (
        troubled(rule, site=site) as (client, trouble),
        pytest.raises(ConnectWiseUnavailable) as caught,
    ):
        client.post(BATCHES, BATCH)

    assert caught.value.sent
    assert asked(trouble, "POST", BATCHES) == 1
    assert batches(site).count("N") == applied


def test_a_refused_write_is_not_in_doubt():
    """429 is an answer: nothing was done, and nothing is sent again."""
    site = SmallSite()
    with (
        troubled(Rule(faults.too_many(), method="POST"), site=site) as (client, trouble),
        pytest.raises(ConnectWiseUnavailable) as caught,
    ):
        client.post(BATCHES, BATCH)

    assert not caught.value.sent
    assert asked(trouble, "POST", BATCHES) == 1
    assert batches(site).count("N") == 0


@pytest.mark.parametrize("told", ["first", "second"])
def test_a_write_that_a_proxy_sends_twice_stands_once(told):
    """The second one finds the batch number taken; a client that hears only of it must look before it believes."""
    site = SmallSite()
    refused = pytest.raises(ConnectWiseRejected, match="exists")
    with (
        troubled(Rule(faults.twice(told=told), method="POST"), site=site) as (client, trouble),
        refused if told == "second" else nullcontext(),
    ):
        client.post(BATCHES, BATCH)

    assert [(call[0], call[3]) for call in site.calls] == [("POST", BATCH)] * 2
    assert asked(trouble, "POST", BATCHES) == 1
    assert batches(site).count("N") == 1


@pytest.mark.parametrize("page", [1, 2, 3])
def test_rows_that_move_between_pages_are_noticed(page):
    """A page in another order brings rows twice and hides others: the whole list is read again."""
    rule = Rule(faults.reordered(), path=UNPOSTED, query=f"page={page}")
    with troubled(rule) as (client, _):
        pages = []
        rows = client.whole(UNPOSTED, _collected(pages), order_by="id asc", page_size=25)

    assert len(pages) == 2
    assert sorted(row["id"] for row in rows) == [9000 + number for number in range(1, 61)]


def _collected(readings):
    def consume(pages):
        rows = [row for page in pages for row in json.loads(page)]
        readings.append(rows)
        return rows

    return consume


def test_a_list_that_never_keeps_still_is_given_up():
    """Nobody gets a list that may be wrong."""
    rule = Rule(faults.reordered(), path=UNPOSTED, query="page=1", on=EVERY)
    with (
        troubled(rule) as (client, _),
        pytest.raises(ConnectWiseUnavailable, match="kept changing"),
    ):
        client.rows(UNPOSTED, order_by="id asc", page_size=25)


def test_an_expired_token_is_renewed_for_what_may_be_repeated():
    """The member's token ends under a reading: a new one is asked for, and the reading goes on."""
    gate = default_gate()
    rule = Rule(faults.expired(gate), path=UNPOSTED, on=(2,))
    with troubled(rule, gate=gate, impersonating=True) as (client, trouble):
        assert client.count(UNPOSTED) == 60
        assert len(client.rows(UNPOSTED)) == 60

    assert asked(trouble, "POST", "/tokens") == 2


def test_an_expired_token_under_a_write_is_said_and_renewed_for_the_next():
    """A 401 is an answer, so nothing is in doubt; the write is not sent again, and the next one is let in."""
    site, gate = SmallSite(), default_gate()
    rule = Rule(faults.expired(gate), path=BATCHES, method="POST")
    with troubled(rule, site=site, gate=gate, impersonating=True) as (client, trouble):
        with pytest.raises(NotAuthorized):
            client.post(BATCHES, BATCH)
        assert batches(site).count("N") == 0
        client.post(BATCHES, BATCH)

    assert asked(trouble, "POST", "/tokens") == 2
    assert batches(site).count("N") == 1


@pytest.mark.parametrize(("after_effect", "applied"), [(True, 1), (False, 0)])
def test_a_write_that_stalls_is_in_doubt(after_effect, applied):
    """The client's patience ends and the request is given up; what became of it only looking tells."""
    site = SmallSite()
    stall = faults.Stall(after_effect=after_effect)
    with troubled(Rule(stall, method="POST"), site=site) as (client, trouble):
        with pytest.raises(ConnectWiseUnavailable) as caught:
            client.post(BATCHES, BATCH, read_timeout=0.2)
        assert client.count(BATCHES) == 1 + applied

    assert caught.value.sent
    assert asked(trouble, "POST", BATCHES) == 1
    assert batches(site).count("N") == applied


def test_a_stalled_list_is_asked_for_again():
    """The second attempt passes while the first one still hangs."""
    stall = faults.Stall()
    with troubled(Rule(stall, path=UNPOSTED), read_timeout=0.2) as (client, trouble):
        assert len(client.rows(UNPOSTED)) == 60
        stall.release()

    assert asked(trouble, "GET", UNPOSTED) == 2


@pytest.mark.parametrize("after_effect", [True, False])
def test_a_stall_ends_when_it_is_released(after_effect):
    """The request is held until somebody lets it go, then it is answered; what comes later is not held."""
    site, answers = SmallSite(), []
    stall = faults.Stall(after_effect=after_effect)
    with troubled(Rule(stall, method="POST", on=EVERY), site=site) as (client, _):
        held = threading.Thread(target=lambda: answers.append(client.post(BATCHES, BATCH)))
        held.start()
        assert stall.arrived.wait(10)
        assert batches(site).count("N") == after_effect
        assert answers == []
        stall.release()
        held.join(10)
        client.post(BATCHES, {**BATCH, "batchIdentifier": "M"})

    assert len(answers) == 1
    assert batches(site)[-2:] == ["N", "M"]


class Clock:
    """A clock that only waiting moves; several threads may wait."""

    def __init__(self):
        self.now = 0.0
        self.waits = []
        self._lock = threading.Lock()

    def __call__(self):
        return self.now

    def wait(self, seconds):
        with self._lock:
            self.waits.append(seconds)
            self.now += seconds


def test_the_limit_of_a_minute_is_obeyed():
    """More requests than are allowed: the client waits as long as it is told, and misses nothing."""
    clock = Clock()
    limit = Rule(faults.limited(3, clock), path="/finance", on=EVERY)
    with troubled(limit, pause=clock.wait) as (client, trouble):
        rows = [client.rows(UNPOSTED) for _ in range(5)]

    assert [len(found) for found in rows] == [60] * 5
    assert (
        clock.waits == [60.0] * 3
    )  # each list is its page and its count: 10 requests, and 3 refused
    assert sum("/finance" in seen.path for seen in trouble.seen) == 13


def test_rules_can_be_added_while_the_site_runs():
    """A simulation makes its trouble as it goes."""
    with troubled() as (client, trouble):
        assert client.count(UNPOSTED) == 60
        trouble.rules.append(Rule(faults.failing(404), path=UNPOSTED, on=EVERY))
        with pytest.raises(ConnectWiseError):
            client.count(UNPOSTED)
