"""Trouble on the line, refusals and silence: what is repeated, what is not, and what the person is told."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from starlette.responses import RedirectResponse, Response

from sage50kit.connectwise.answers import module_of
from sage50kit.connectwise.payments import InvoicePayments
from sage50kit.errors import (
    ConfigError,
    ConnectWiseRejected,
    ConnectWiseUnavailable,
    ConnectWiseUnreadable,
    NotAuthorized,
    NotFound,
    UsageError,
)
from tests.client_site import INVOICES, Site, cut, serving, silent, told

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BATCHES = "/finance/accounting/batches"
INFO = "/login/companyinfo/acme"
ONE = f"{INVOICES}/1"
TOKENS = "/system/members/jd/tokens"


@pytest.fixture(scope="module")
def running() -> Iterator[Site]:
    with serving(Site()) as running:
        yield running


@pytest.fixture
def site(running: Site) -> Site:
    running.reset()
    return running


# --- errors ---


@pytest.mark.parametrize(
    ("path", "module"),
    [
        (BATCHES, "Finance > Accounting Interface"),
        ("/finance/invoices/7/payments", "Finance > Invoicing"),
        ("/finance/taxCodes", "General Ledger / GL Accounts"),
        ("/company/companies", "Companies > Company Maintenance"),
        ("/procurement/catalog", "Procurement > Product Catalog"),
        ("/procurement/purchaseorders/4/lineitems", "Procurement > Purchase Orders"),
        ("/expense/entries", "Time & Expense > Expense Report Entry"),
        ("/system/members", "System > Member Maintenance"),
        ("/schedule/entries", "this module"),
    ],
)
def test_a_403_names_the_module_of_the_security_role(site: Site, path: str, module: str) -> None:
    """Whoever reads the error knows which line of the security role to change."""
    site.next_answers[path] = [told(403, {"code": "Security", "message": "denied"})]
    with site.client() as client, pytest.raises(NotAuthorized) as caught:
        client.get(path)
    assert module in str(caught.value)
    assert module in module_of(path)
    assert caught.value.status == 403


def test_a_400_carries_every_inner_error(site: Site) -> None:
    """The fields that ConnectWise names reach the person."""
    inner = {"code": "ObjectExists", "message": "taken", "field": "batchIdentifier"}
    body = {"code": "InvalidObject", "message": "batch is invalid", "errors": [inner]}
    site.next_answers[BATCHES] = [told(400, body)]
    with site.client() as client, pytest.raises(ConnectWiseRejected) as caught:
        client.post(BATCHES, {})
    assert caught.value.detail == "batch is invalid; taken (batchIdentifier)"


def test_an_error_of_another_shape_is_told_all_the_same(site: Site) -> None:
    """A number where the list of inner errors belongs does not hide what ConnectWise says."""
    site.next_answers[BATCHES] = [told(400, {"message": "not today", "errors": 1})]
    with site.client() as client, pytest.raises(ConnectWiseRejected, match="not today"):
        client.get(BATCHES)


def test_a_web_page_as_error_is_read_as_text(site: Site) -> None:
    """A proxy's page does not hide the status; its words are shown without tags."""
    site.next_answers[INVOICES] = [Response("<html><b>Blocked</b> here</html>", 400)]
    with site.client() as client, pytest.raises(ConnectWiseRejected, match="Blocked here"):
        client.get(INVOICES)


def test_line_breaks_inside_json_are_survived(site: Site) -> None:
    """Raw line breaks inside a text are no reason to lose the answer or the error."""
    site.next_answers[ONE] = [Response(b'{"note": "a\r\nb", "total": 1.10}')]
    site.next_answers[BATCHES] = [Response(b'{"message": "two\r\nlines"}', 400)]
    with site.client() as client:
        assert client.get(ONE) == {"note": "a\r\nb", "total": Decimal("1.10")}
        with pytest.raises(ConnectWiseRejected, match="two"):
            client.get(BATCHES)


def test_amounts_arrive_exact(site: Site) -> None:
    """More digits than a float holds are kept."""
    site.next_answers[ONE] = [Response(b'{"total": 1234567890123456.78}')]
    with site.client() as client:
        assert client.get(ONE)["total"] == Decimal("1234567890123456.78")


@pytest.mark.parametrize("body", [b"<html>login</html>", b'{"id": ', b'{"id": NaN}', b"\xff\xfe"])
def test_garbage_is_unreadable(site: Site, body: bytes) -> None:
    """An answer that is not JSON, and stays so when asked again, is one sentence, whatever it is instead."""
    site.lists[ONE] = [{"id": 1}]
    site.next_answers[ONE] = [Response(body)] * 5
    with site.client() as client:
        with pytest.raises(ConnectWiseUnreadable, match="cannot be read"):
            client.get(ONE)
        assert client.get(ONE) == [{"id": 1}]


def test_a_dead_server_is_one_sentence(site: Site) -> None:
    """Nobody listens: a few attempts, then a sentence that names the site."""
    pauses: list[float] = []
    with serving(Site()) as gone:
        client = gone.client(pauses)
    with client, pytest.raises(ConnectWiseUnavailable, match="cannot be reached"):
        client.get(INVOICES)
    assert len(pauses) == 2
    assert pauses == sorted(pauses)


# --- limits, and what is repeated ---


def test_retry_after_is_kept(site: Site) -> None:
    """The seconds that the server names are waited."""
    pauses: list[float] = []
    site.lists[INVOICES] = []
    site.next_answers[INVOICES] = [
        told(429, None, retry_after="7"),
        told(429, None, retry_after="2"),
    ]
    with site.client(pauses) as client:
        client.get(INVOICES)
    assert pauses == [7, 2]


def test_retry_after_may_be_a_date(site: Site) -> None:
    """A date in the past means now."""
    pauses: list[float] = []
    site.lists[INVOICES] = []
    past = told(429, None, retry_after="Wed, 21 Oct 2015 07:28:00 GMT")
    site.next_answers[INVOICES] = [past]
    with site.client(pauses) as client:
        client.get(INVOICES)
    assert pauses == [0]


def test_without_retry_after_the_wait_doubles_from_thirty_seconds(site: Site) -> None:
    """The documented wait, and the body of 429 that has another shape than all others."""
    pauses: list[float] = []
    body = {"error": "ConnectWiseAPI", "message": "Too many requests."}
    site.next_answers[INVOICES] = [told(429, body) for _ in range(5)]
    with site.client(pauses) as client, pytest.raises(ConnectWiseUnavailable, match="Too many req"):
        client.get(INVOICES)
    assert pauses == [30, 60, 120, 240]


def test_a_server_that_wants_an_hour_is_left_alone(site: Site) -> None:
    """A wait beyond minutes is the person's decision."""
    pauses: list[float] = []
    site.next_answers[INVOICES] = [told(429, None, retry_after="3600")]
    with site.client(pauses) as client, pytest.raises(ConnectWiseUnavailable):
        client.get(INVOICES)
    assert pauses == []


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_get_survives_a_bad_moment(site: Site, status: int) -> None:
    """A web page with a 5xx is waited out."""
    pauses: list[float] = []
    site.lists[INVOICES] = [{"id": 1}]
    site.next_answers[INVOICES] = [Response("<html>oops</html>", status)] * 2
    with site.client(pauses) as client:
        assert client.get(INVOICES) == [{"id": 1}]
    assert len(pauses) == 2


def test_a_body_cut_half_way_is_asked_for_again(site: Site) -> None:
    """A connection that closes early is not taken for an answer."""
    site.lists[INVOICES] = [{"id": 1}]
    site.next_answers[INVOICES] = [cut(b'[{"id": 1'), cut(b'[{"id": 1}]')]
    with site.client() as client:
        assert client.get(INVOICES) == [{"id": 1}]
    assert len(site.asked(INVOICES)) == 3


def _writes(site: Site, method: str, **words: float) -> None:
    with site.client(**words) as client:
        if method == "DELETE":
            client.delete(BATCHES)
        elif method == "PATCH":
            client.patch(BATCHES, [])
        else:
            getattr(client, method.lower())(BATCHES, {})


@pytest.mark.parametrize("method", ["POST", "PATCH", "PUT", "DELETE"])
@pytest.mark.parametrize("answer", [silent, cut(b'{"id"'), told(500), told(504)])
def test_a_write_without_an_answer_is_sent_once_and_in_doubt(
    site: Site, method: str, answer: Response
) -> None:
    """Nobody knows what became of it: never repeated, `.sent` is set."""
    site.next_answers[BATCHES] = [answer]
    with pytest.raises(ConnectWiseUnavailable) as caught:
        _writes(site, method, read_timeout=0.2) if method != "POST" else _post_briefly(site)
    assert caught.value.sent is True
    assert len(site.asked(BATCHES)) == 1


@pytest.mark.parametrize("method", ["POST", "PATCH", "PUT", "DELETE"])
@pytest.mark.parametrize("status", [401, 404, 429])
def test_a_write_that_was_turned_away_is_not_repeated(site: Site, method: str, status: int) -> None:
    """Neither new keys nor a new codebase nor a wait sends a write again."""
    site.next_answers[BATCHES] = [told(status)]
    with pytest.raises((NotAuthorized, NotFound, ConnectWiseUnavailable)) as caught:
        _writes(site, method)
    assert getattr(caught.value, "sent", False) is False
    assert len(site.asked(BATCHES)) == 1


def test_a_write_that_never_left_is_not_in_doubt() -> None:
    """Nobody listened, so nothing was sent."""
    with serving(Site()) as gone:
        client = gone.client()
        assert client.base_url
    with client, pytest.raises(ConnectWiseUnavailable) as caught:
        client.post(BATCHES, {})
    assert caught.value.sent is False


def test_an_unreadable_answer_to_a_write_is_in_doubt(site: Site) -> None:
    """A 201 with a web page in it was accepted, and nobody knows what became of it."""
    site.next_answers[BATCHES] = [Response("<html>", 201)]
    with site.client() as client, pytest.raises(ConnectWiseUnavailable) as caught:
        client.post(BATCHES, {})
    assert caught.value.sent is True


@pytest.mark.parametrize("answer", [None, {"message": "created"}])
def test_a_payment_accepted_without_its_id_is_in_doubt(site: Site, answer: object) -> None:
    """The payment stands there, whatever the answer lacks: it is looked for, and not taken for refused."""
    path = "/finance/invoices/7/payments"
    site.next_answers[path] = [told(201, answer)]
    with site.client() as client, pytest.raises(ConnectWiseUnavailable) as caught:
        InvoicePayments(client).create(7, Decimal(5), date(2026, 10, 31))

    assert caught.value.sent
    assert [one.method for one in site.seen if one.path == path] == ["POST"]


def test_a_post_that_changes_nothing_may_be_repeated(site: Site) -> None:
    """The export is a POST that only reads; its caller says so."""
    site.next_answers[BATCHES] = [told(503), told(200, {"invoices": []})]
    with site.client() as client:
        assert client.post(BATCHES, {}, repeatable=True) == {"invoices": []}


def test_amounts_leave_exact(site: Site) -> None:
    """A Decimal becomes the same digits in JSON, a date its ISO text."""
    site.next_answers[BATCHES] = [told(201, {})]
    with site.client() as client:
        client.post(BATCHES, {"amount": Decimal("1234567890123456.70"), "on": date(2026, 10, 31)})
    (asked,) = site.asked(BATCHES)
    assert asked.body == b'{"amount":1234567890123456.70,"on":"2026-10-31"}'
    assert asked.headers["content-type"] == "application/json"


def test_what_is_no_json_is_not_sent(site: Site) -> None:
    """An object that JSON cannot hold is a mistake of the caller."""
    with site.client() as client, pytest.raises(UsageError):
        client.post(BATCHES, {"amount": object()})


def test_a_delete_answers_nothing(site: Site) -> None:
    """204 without a body is success."""
    site.next_answers[f"{BATCHES}/4"] = [Response(status_code=204)]
    with site.client() as client:
        client.delete(f"{BATCHES}/4")
    assert site.seen[-1].method == "DELETE"


# --- redirects, TLS, the log ---


def test_a_redirect_on_the_same_host_is_followed(site: Site) -> None:
    """A proxy that tidies the path does no harm."""
    site.lists[ONE] = [{"id": 1}]
    site.next_answers[INVOICES] = [RedirectResponse(f"/v4_6_release/apis/3.0{ONE}")]
    with site.client() as client:
        assert client.get(INVOICES) == [{"id": 1}]
    assert "authorization" in site.asked(ONE)[0].headers


def test_the_keys_never_follow_a_redirect_to_another_host(site: Site) -> None:
    """The other host is not asked at all, and the error names it."""
    with serving(Site()) as other, site.client() as client:
        site.next_answers[INVOICES] = [RedirectResponse(f"{other.url}/v4_6_release/apis/3.0{ONE}")]
        with pytest.raises(ConnectWiseUnreadable, match="never sent to another host"):
            client.get(INVOICES)
        assert other.seen == []


def test_redirects_in_a_circle_end(site: Site) -> None:
    """A path that redirects to itself is not followed for ever."""
    again = f"/v4_6_release/apis/3.0{INVOICES}"
    site.next_answers[INVOICES] = [RedirectResponse(again) for _ in range(9)]
    with site.client() as client, pytest.raises(ConnectWiseUnreadable, match="circle"):
        client.get(INVOICES)
    assert len(site.asked(INVOICES)) < 9


def test_a_write_is_not_redirected(site: Site) -> None:
    """Following would send it twice."""
    site.next_answers[BATCHES] = [RedirectResponse(f"/v4_6_release/apis/3.0{ONE}")]
    with site.client() as client, pytest.raises(ConnectWiseUnreadable):
        client.post(BATCHES, {})
    assert site.asked(ONE) == []


def test_tls_is_verified_and_a_private_authority_can_be_named(tmp_path: Path) -> None:
    """An unknown certificate stops at once; its authority in `ca_file` lets it through."""
    trustme = pytest.importorskip("trustme")
    authority = trustme.CA()
    pem = authority.issue_cert("127.0.0.1")
    chain, key, ca_file = tmp_path / "chain.pem", tmp_path / "key.pem", tmp_path / "ca.pem"
    pem.cert_chain_pems[0].write_to_path(chain)
    pem.private_key_pem.write_to_path(key)
    authority.cert_pem.write_to_path(ca_file)
    pauses: list[float] = []
    with serving(Site(), ssl_certfile=chain, ssl_keyfile=key) as site:
        site.lists[INVOICES] = [{"id": 1}]
        with site.client(pauses) as client, pytest.raises(ConnectWiseUnavailable, match="ca_file"):
            client.get(INVOICES)
        with site.client(ca_file=ca_file) as client:
            assert client.get(INVOICES) == [{"id": 1}]
    assert pauses == []


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_ca_file_that_is_none_is_a_sentence(
    site: Site, tmp_path: Path, content: str | None
) -> None:
    """A missing file, or one without a certificate, names the setting instead of ending in a traceback."""
    ca_file = tmp_path / "ca.pem"
    if content is not None:
        ca_file.write_text(content, encoding="utf-8")

    with pytest.raises(ConfigError, match=r"ca_file .*ca\.pem cannot be used"):
        site.client(ca_file=ca_file)


def test_the_request_log_tells_everything_but_secrets(site: Site, tmp_path: Path) -> None:
    """One JSON line for each request, also for one without answer; no key, no body."""
    log = tmp_path / "new" / "requests.jsonl"
    site.next_answers[INVOICES] = [cut(b"["), told(200, [], x_cw_request_id="r-1")]
    site.next_answers[BATCHES] = [told(201, {"secret": "body-hush"})]
    with site.client(request_log=log) as client:
        client.get(INVOICES, conditions='number = "A&B"')
        client.post(BATCHES, {"note": "body-hush"})
        assert "hush" not in repr(client)
    lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    assert [line.get("status") for line in lines] == [200, None, 200, 201]
    assert lines[1]["error"] == "RemoteProtocolError"
    assert lines[2]["request_id"] == "r-1"
    assert "number" in lines[2]["query"]
    text = log.read_text(encoding="utf-8")
    assert "hush" not in text
    assert "Basic" not in text


def _post_briefly(site: Site) -> None:
    with site.client() as client:
        client.post(BATCHES, {}, read_timeout=0.2)
