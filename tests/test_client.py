"""The client finds the API and signs in."""

from __future__ import annotations

import base64
import json
import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from starlette.responses import Response

from sage50kit.connectwise.access import Access, Credentials
from sage50kit.connectwise.discovery import discover, origin
from sage50kit.errors import (
    ConfigError,
    ConnectWiseUnavailable,
    ConnectWiseUnreadable,
    NotAuthorized,
    NotFound,
)
from tests.client_site import INVOICES, Site, serving, told

if TYPE_CHECKING:
    from collections.abc import Iterator

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


# --- where the API is ---


@pytest.mark.parametrize(
    ("named", "found"),
    [
        ("na.myconnectwise.net", "https://api-na.myconnectwise.net"),
        ("EU.myconnectwise.net", "https://api-eu.myconnectwise.net"),
        ("api-na.myconnectwise.net", "https://api-na.myconnectwise.net"),
        ("staging.connectwisedev.com", "https://api-staging.connectwisedev.com"),
        ("https://cw.example.com:8443/", "https://cw.example.com:8443"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://[::1]:8080", "http://[::1]:8080"),
    ],
)
def test_a_site_becomes_an_origin(named: str, found: str) -> None:
    """Cloud hosts get `api-`; plain HTTP stays on this machine."""
    assert origin(named) == found


@pytest.mark.parametrize(
    "named",
    [
        "http://cw.example.com",
        "",
        "ftp://cw.example.com",
        "cw.example.com/v4",
        "a@cw.example.com",
        "http://127.0.0.1.example.com",
        "cw.example.com:port",
        "cw.example.com?x=1",
    ],
)
def test_a_site_that_would_leak_the_keys_is_refused(named: str) -> None:
    """Anything but a host, or plain HTTP to another machine, is a mistake in the profile."""
    with pytest.raises(ConfigError):
        origin(named)


def test_discovery_is_asked_once_and_without_keys(site: Site) -> None:
    """Company info is cached, and its request carries no Authorization."""
    site.lists[INVOICES] = [{"id": 1}]
    with site.client() as client:
        client.rows(INVOICES)
        client.rows(INVOICES)
        assert client.base_url == f"{site.url}/v4_6_release/apis/3.0"
    (asked,) = site.asked(INFO)
    assert "authorization" not in asked.headers


def test_the_site_may_name_another_host_for_its_api(site: Site) -> None:
    """SiteUrl wins over the host that was asked, and cloud hosts there get their prefix too."""
    asked = Response(json.dumps({"Codebase": "v2026_1/", "SiteUrl": "na.myconnectwise.net"}))

    def get(url: str) -> object:
        import httpx

        return httpx.Response(200, content=asked.body)

    found = discover(get, "https://na.example.com", "acme")  # type: ignore[arg-type]
    assert found == "https://api-na.myconnectwise.net/v2026_1/apis/3.0"


def test_a_site_on_this_machine_cannot_send_the_keys_elsewhere(site: Site) -> None:
    """A SiteUrl that would carry the keys over plain HTTP to another host is refused."""
    site.company_info = {"SiteUrl": "evil.example.com"}
    with site.client() as client, pytest.raises(ConnectWiseUnreadable, match="keys must not"):
        client.get(INVOICES)


def test_a_codebase_that_moved_is_found_again_once(site: Site) -> None:
    """After a release the old path is gone: company info is asked again and the GET repeated."""
    site.lists[INVOICES] = [{"id": 1}]
    with site.client() as client:
        client.get(INVOICES)
        site.codebase = "v2026_4/"
        assert client.get(INVOICES) == [{"id": 1}]
    assert len(site.asked(INFO)) == 2


def test_many_threads_survive_a_codebase_that_moves(site: Site) -> None:
    """Every request that was under way when the codebase moved is repeated, not only the first."""
    site.lists[INVOICES] = [{"id": number} for number in range(1, 41)]
    with site.client() as client:
        client.get(INVOICES)
        site.codebase = "v2026_4/"
        assert len(list(client.pages(INVOICES, page_size=2))) == 20


def test_a_404_names_both_causes(site: Site) -> None:
    """A record that is gone and wrong keys look the same in the cloud."""
    with site.client() as client, pytest.raises(NotFound, match=r"gone.*company id or the keys"):
        client.get(ONE)
    assert len(site.asked(ONE)) == 1  # nothing has moved, so nothing is repeated


@pytest.mark.parametrize("answer", ["null", "{}"])
def test_an_unknown_company_is_named(site: Site, answer: str) -> None:
    """A company id the site does not know is a matter of the profile."""
    site.next_answers[INFO] = [Response(answer)]
    with site.client() as client, pytest.raises(NotFound, match="no company id 'acme'"):
        client.get(INVOICES)


def test_something_else_than_connectwise_is_noticed(site: Site) -> None:
    """A web page where company info belongs names the site as the thing to check."""
    site.next_answers[INFO] = [Response("<html>Welcome</html>")]
    with site.client() as client, pytest.raises(ConnectWiseUnreadable, match="Check the site"):
        client.get(INVOICES)


# --- signing in ---


def test_every_request_is_signed_and_versioned(site: Site) -> None:
    """API key, clientId and the version of the models are on every call."""
    site.lists[INVOICES] = []
    with site.client() as client:
        client.get(INVOICES)
    headers = site.asked(INVOICES)[0].headers
    plain = base64.b64decode(headers["authorization"].removeprefix("Basic ")).decode()
    assert plain == "acme+public1:private-hush"
    assert headers["clientid"] == "guid-1"
    assert headers["accept"] == "application/vnd.connectwise.com+json; version=2025.1"


def test_a_member_is_impersonated(site: Site) -> None:
    """The integrator login gets a token, and the token's keys sign the calls."""
    site.lists[INVOICES] = []
    site.next_answers[TOKENS] = [_token("t1", "2999-01-01T00:00:00Z")]
    with site.client(auth="impersonation", member="jd") as client:
        client.get(INVOICES)
        client.get(INVOICES)
    (asked,) = site.asked(TOKENS)
    assert asked.headers["x-cw-usertype"] == "integrator"
    assert json.loads(asked.body) == {"memberIdentifier": "jd"}
    assert {_user(seen.headers) for seen in site.asked(INVOICES)} == {"acme+t1"}


def test_a_member_may_act_as_another_one(site: Site) -> None:
    """With an API key and a member the token is asked for as a member, not as an integrator."""
    site.lists[INVOICES] = []
    site.next_answers[TOKENS] = [_token("t1", "2999-01-01")]
    with site.client(member="jd") as client:
        assert client.get(INVOICES) == []
    (asked,) = site.asked(TOKENS)
    assert asked.headers["x-cw-usertype"] == "member"
    assert _user(asked.headers) == "acme+public1"
    assert [_user(seen.headers) for seen in site.asked(INVOICES)] == ["acme+t1"]


def test_proxies_of_the_environment_do_not_see_the_keys(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy that does not exist is not noticed, because nobody asks it."""
    site.lists[INVOICES] = []
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    with site.client() as client:
        assert client.get(INVOICES) == []


def test_a_token_is_renewed_before_it_ends(site: Site) -> None:
    """Shortly before `expiration` a new token is asked for; the clock is an argument."""
    clock = [datetime(2026, 10, 31, 12, tzinfo=UTC)]
    given = iter(["2026-10-31T13:00:00Z", "2026-10-31T14:00:00Z"])
    access = _access(
        lambda *_: {"publicKey": "p", "privateKey": "s", "expiration": next(given)}, clock
    )
    access.header()
    clock[0] += timedelta(minutes=57)
    access.header()
    assert next(given) == "2026-10-31T14:00:00Z"
    clock[0] += timedelta(minutes=2)
    with pytest.raises(StopIteration):
        access.header()


def test_only_one_thread_renews(site: Site) -> None:
    """Many threads that find the token at its end cause one renewal."""
    asked: list[int] = []
    together = threading.Barrier(8)

    def post(*_: object) -> dict[str, str]:
        asked.append(1)
        return {"publicKey": "p", "privateKey": "s", "expiration": "2999-01-01T00:00:00Z"}

    access = _access(post, [datetime(2026, 10, 31, tzinfo=UTC)])

    def sign() -> None:
        together.wait()
        access.header()

    threads = [threading.Thread(target=sign) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(asked) == 1


def test_a_token_renewed_by_another_thread_is_not_thrown_away() -> None:
    """A late 401 to the old token leaves the new one alone."""
    names = iter("abc")
    access = _access(
        lambda *_: {"publicKey": next(names), "privateKey": "s", "expiration": "2999-01-01"},
        [datetime(2026, 10, 31, tzinfo=UTC)],
    )
    old = access.header()
    assert access.forget(old)
    new = access.header()
    assert access.forget(old)
    assert access.header() == new


def test_a_revoked_token_is_renewed_for_a_get(site: Site) -> None:
    """A 401 to a token means asking for another one, once."""
    site.lists[INVOICES] = []
    site.next_answers[TOKENS] = [_token("t1", "2999-01-01"), _token("t2", "2999-01-01")]
    site.next_answers[INVOICES] = [told(401)]
    with site.client(auth="impersonation", member="jd") as client:
        assert client.get(INVOICES) == []
    assert [_user(seen.headers) for seen in site.asked(INVOICES)] == ["acme+t1", "acme+t2"]


def test_a_refused_key_stops_at_once(site: Site) -> None:
    """A 401 to an API key is not repeated, and names keys and clientId."""
    site.next_answers[INVOICES] = [told(401, {"code": "Unauthorized", "message": "no"})]
    with site.client() as client, pytest.raises(NotAuthorized, match=r"private key.*clientId"):
        client.get(INVOICES)
    assert len(site.asked(INVOICES)) == 1


def test_impersonation_needs_a_member(site: Site) -> None:
    """Without a member the profile is wrong before anything is sent."""
    with pytest.raises(ConfigError, match="member"):
        site.client(auth="impersonation")


def test_a_token_nobody_got_is_no_write_in_doubt(site: Site) -> None:
    """A dead token service makes the batch not sent, not in doubt."""
    site.next_answers[TOKENS] = [told(503)]
    client = site.client(auth="impersonation", member="jd")
    with client, pytest.raises(ConnectWiseUnavailable) as caught:
        client.post(BATCHES, {})
    assert caught.value.sent is False
    assert site.asked(BATCHES) == []


def _token(name: str, expiration: str) -> Response:
    return told(201, {"publicKey": name, "privateKey": "s", "expiration": expiration})


def _user(headers: dict[str, str]) -> str:
    plain = base64.b64decode(headers["authorization"].removeprefix("Basic ")).decode()
    return plain.partition(":")[0]


def _access(post: object, clock: list[datetime]) -> Access:
    from pydantic import SecretStr

    from sage50kit.profile import ConnectWiseSettings

    settings = ConnectWiseSettings(
        site="cw.example.com", company="acme", client_id="g", auth="impersonation", member="jd"
    )
    login = Credentials("integrator", SecretStr("hush"))
    return Access(login, settings, post, now=lambda: clock[0])  # type: ignore[arg-type]
