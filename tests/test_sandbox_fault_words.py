"""Trouble in words, as a tester gives it to `sandbox serve`."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from contextlib import nullcontext
from datetime import datetime

import httpx
import pytest

from sage50kit.errors import UsageError
from sage50kit.sandbox import faults
from sage50kit.sandbox.faults import Seen
from sage50kit.sandbox.faultwords import read_faults
from sage50kit.sandbox.refusal import Switches
from sage50kit.sandbox.serve import default_gate, running
from tests.small_site import BATCHES, UNPOSTED, SmallSite
from tests.stage import ROOT, finished

BASE = "/v4_6_release/apis/3.0"


@pytest.mark.parametrize(
    ("words", "answers"),
    [
        ("500 GET /unpostedinvoices on 2", [200, 500, 200]),
        ("503 /unpostedinvoices?page=1 on every", [200, 200, 200]),
        ("404 /unpostedinvoices?pageSize=2 on every", [404, 404, 404]),
        ("html on 1,3", [502, 200, 502]),
        ("html:504", [504, 200, 200]),
        ("429:7", [429, 200, 200]),
        ("garbage", [200, 200, 200]),
        ("empty get", [200, 200, 200]),
        ("reorder", [200, 200, 200]),
        ("expire", [200, 200, 200]),
        ("slow:0", [200, 200, 200]),
        ("limit:2 on every", [200, 200, 429]),
        ("500 POST /unpostedinvoices on every", [200, 200, 200]),
    ],
)
def test_words_become_the_trouble_they_name(words, answers):
    """Fault, method, path and count; without `on` it is the first request that fits."""
    assert [answer.status_code for answer in _three(words)] == answers


def _three(words):
    gate = default_gate()
    with running(SmallSite(), gate=gate, faults=read_faults([words], gate)) as server:
        keys = (f"{server.company}+{server.public_key}", server.private_key)
        headers = {"clientId": server.client_id}
        with httpx.Client(base_url=server.url + BASE, auth=keys, headers=headers) as client:
            return [client.get(UNPOSTED, params={"pageSize": 2}) for _ in range(3)]


def test_arguments_arrive():
    """Seconds of a 429, and the body that each kind of trouble sends."""
    assert _three("429:7")[0].headers["retry-after"] == "7"
    assert _three("garbage")[0].text.startswith('[{"id": 1')
    assert _three("empty")[0].content == b""
    first, second, _ = (answer.json() for answer in _three("reorder"))
    assert first[0]["id"] > second[0]["id"]


@pytest.mark.parametrize(
    ("words", "applied"),
    [
        ("500", 0),
        ("500-after", 1),
        ("html-after", 1),
        ("429-after", 1),
        ("drop", 0),
        ("drop-after", 1),
        ("stall", 0),
        ("stall-after", 1),
        ("cut:0.2", 1),
        ("twice", 2),
        ("twice:first", 2),
    ],
)
def test_the_work_is_done_before_or_not_at_all(words, applied):
    """`-after` is after the effect, and `twice` has two of them."""
    gate, site = default_gate(), SmallSite()
    trouble = read_faults([f"{words} POST /batches"], gate)
    with running(site, gate=gate, faults=trouble) as server:
        keys = (f"{server.company}+{server.public_key}", server.private_key)
        body = {"batchIdentifier": "N", "processedRecordIds": [1]}
        silent = words.split("-")[0] in {"drop", "stall", "cut:0.2"}
        with pytest.raises(httpx.TransportError) if silent else nullcontext():
            httpx.post(
                server.url + BASE + BATCHES,
                json=body,
                auth=keys,
                headers={"clientId": server.client_id},
                timeout=0.5,
            )
        assert len(site.calls) == applied


@pytest.mark.parametrize(
    "words",
    [
        "",
        "teapot",
        "200",
        "600",
        "500:3",
        "drop:1",
        "twice:third",
        "twice-after",
        "slow",
        "cut:half",
        "429:soon",
        "html:x",
        "expire:now",
        "limit:0 on every",
        "limit on every",
        "500 FETCH /batches",
        "500 POST batches",
        "500 POST /batches 1",
        "500 on",
        "500 on 0",
        "500 on 1, 2",
        "500 on never",
        "500 GET /batches on 1 please",
    ],
)
def test_what_is_not_understood_says_how_it_is_written(words):
    """No guessing: the sentence quotes the words and shows an example."""
    with pytest.raises(UsageError, match=re.escape(repr(words))) as caught:
        read_faults([words], default_gate())
    assert "500 POST /finance/accounting/batches on 1" in str(caught.value)


def test_the_example_in_the_sentence_is_understood():
    """What the error shows can be copied."""
    trouble = read_faults(["500 POST /finance/accounting/batches on 1"], default_gate())
    assert isinstance(trouble, faults.Faults)
    (rule,) = trouble.rules
    assert not rule.strikes(Seen("GET", f"{BASE}{BATCHES}", ""))
    assert rule.strikes(Seen("POST", f"{BASE}{BATCHES}", ""))
    assert not rule.strikes(Seen("POST", f"{BASE}{BATCHES}", ""))


def test_a_served_site_has_the_trouble(tmp_path):
    """Two `--fault` on the command line, one site."""
    command = [sys.executable, "-m", "sage50kit", "sandbox", "serve", "--workdir", str(tmp_path)]
    command += ["--fault", "html:502 /batches", "--fault", "429:9 /unpostedinvoices on 2"]
    command += ["--switch", "iso_dates"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            line = json.loads(process.stdout.readline())
            keys = (f"{line['company']}+{line['public_key']}", line["private_key"])
            headers = {"clientId": line["client_id"]}
            with httpx.Client(base_url=line["url"] + BASE, auth=keys, headers=headers) as client:
                codes = [
                    client.get(path).status_code for path in (BATCHES, BATCHES, UNPOSTED, UNPOSTED)
                ]
                asked = {"batchIdentifier": "x", "exportProductsFlag": True}
                export = client.post("/finance/accounting/export", json=asked).json()
        finally:
            process.kill()
    assert codes == [502, 200, 200, 429]
    (line, *_) = export["purchaseTransactions"][0]["purchaseDetail"]
    assert datetime.fromisoformat(line["documentDate"])


def test_switches_are_read_by_name():
    """With and without an answer, with dashes for underscores; the others stay as decided."""
    chosen = Switches.read(["iso-dates", "second_payment=overwrite", "account_delimiter=:"])
    assert chosen == Switches(iso_dates=True, second_payment="overwrite")


@pytest.mark.parametrize(
    "words", ["iso", "iso_dates=yes", "second_payment", "second_payment=no", ""]
)
def test_a_switch_that_is_none_names_those_there_are(words):
    """The sentence can be copied from."""
    with pytest.raises(UsageError, match=r"iso_dates.*second_payment=refuse\|overwrite"):
        Switches.read([words])


def test_a_wrong_fault_ends_the_command_at_once(tmp_path):
    """Exit 2 and one sentence; nothing was made."""
    done = finished("sandbox", "serve", "--workdir", str(tmp_path / "new"), "--fault", "teapot")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("sage50kit: the fault 'teapot' is not understood.")
    assert not (tmp_path / "new").exists()
