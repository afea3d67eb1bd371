"""The local ConnectWise site as a client meets it: addresses, sign-in, lists, writes, refusals, trouble."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import ssl
import subprocess
import sys
import tomllib
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import httpx
import pytest

from sage50kit.sandbox import auth, faults
from sage50kit.sandbox.app import make_app
from sage50kit.sandbox.serve import default_gate, running
from tests.small_site import BATCHES, INVOICES, UNPOSTED, SmallSite

BASE = "/v4_6_release/apis/3.0"
JSON = {"content-type": "application/json"}
PAYMENTS = "/finance/invoices/1/payments"


class Caller:
    """One member of the site, calling the application without a port."""

    def __init__(self, site=None, gate=None, member="api", **headers):
        self.site = site or SmallSite()
        self.gate = gate or default_gate()
        self.app = make_app(self.site, self.gate)
        account = next(one for one in self.gate.accounts if one.member == member)
        self.auth = (f"{self.gate.company}+{account.public_key}", account.private_key)
        self.headers = {"clientId": self.gate.client_ids[0], **headers}

    def send(self, method, path, *, base=BASE, keys=None, **options):
        async def exchange():
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(
                transport=transport, base_url="http://cw.example:8080"
            ) as client:
                headers = self.headers | options.pop("headers", {})
                sign_in = self.auth if keys is None else keys or None
                return await client.request(
                    method, base + path, auth=sign_in, headers=headers, **options
                )

        return asyncio.run(exchange())

    def get(self, path, *, headers=None, **params):
        return self.send("GET", path, params=params, headers=headers or {})


@pytest.fixture
def api():
    return Caller()


def refusal(response):
    """Status and code of an error answer, whose shape is checked on the way."""
    body = response.json()
    assert set(body) == {"code", "message", "errors"}
    assert body["message"]
    return response.status_code, body["code"]


def inner(response):
    """(code, field) of the inner errors of a 400."""
    assert refusal(response) == (400, "InvalidObject")
    return [(error["code"], error["field"]) for error in response.json()["errors"]]


# --- finding the site and signing in --------------------------------------------------------------


def test_company_info_needs_no_keys_and_names_codebase_and_host(api):
    """A client of any case of the company id finds the base address, with the port it used."""
    info = api.send("GET", "/login/companyinfo/LakeSide", base="", keys=()).json()

    assert info["Codebase"] == "v4_6_release/"
    assert info["SiteUrl"] == "cw.example:8080"
    assert info["IsCloud"] is False
    assert set(info) == {
        "CompanyName",
        "Codebase",
        "VersionCode",
        "VersionNumber",
        "CompanyID",
        "IsCloud",
        "SiteUrl",
    }
    nobody = api.send("GET", "/login/companyinfo/nobody", base="", keys=())
    assert (nobody.status_code, nobody.text) == (200, "null")


def test_the_cloud_has_a_codebase_of_its_own_and_hides_wrong_keys(api):
    """There wrong keys are 404; both codebases answer."""
    gate = auth.Gate("lakeside", auth.demo_accounts(), is_cloud=True)
    cloud = Caller(gate=gate)
    info = cloud.send("GET", "/login/companyinfo/lakeside", base="").json()

    assert (info["IsCloud"], info["Codebase"]) == (True, "v2025_1/")
    assert cloud.send("GET", UNPOSTED, base="/v2025_1/apis/3.0").status_code == 200
    assert cloud.get(UNPOSTED).status_code == 200
    assert refusal(cloud.send("GET", UNPOSTED, keys=("lakeside+demoPublicKey", "wrong"))) == (
        404,
        "NotFound",
    )
    assert api.send("GET", UNPOSTED, base="/v2025_1/apis/3.0").status_code == 404


@pytest.mark.parametrize(
    ("keys", "code"),
    [
        ((), "ConnectWiseApi"),
        (("lakeside+demoPublicKey", "wrong"), "Unauthorized"),
        (("lakeside+nobody", "wrong"), "Unauthorized"),
        (("other+demoPublicKey", "right"), "Unauthorized"),
        (("demoPublicKey", "right"), "ConnectWiseApi"),
    ],
)
def test_wrong_keys_are_401(keys, code):
    """No header, a wrong private key, an unknown public key, another company, a user without a company."""
    caller = Caller(gate=default_gate("right"))

    assert refusal(caller.send("GET", UNPOSTED, keys=keys)) == (401, code)


def test_a_broken_authorization_header_is_401(api):
    """Neither another scheme nor something that is not base64 gets in."""
    for header in ("Bearer x", "Basic ***", "Basic", "Basic Zm9v"):
        answer = api.send("GET", UNPOSTED, keys=(), headers={"authorization": header})
        assert refusal(answer) == (401, "ConnectWiseApi")


def test_a_call_without_client_id_is_403(api):
    """The header every vendor has to send; an unknown one is as bad as none."""
    for client_id in ("", "00000000-0000-0000-0000-000000000000"):
        assert refusal(api.send("GET", UNPOSTED, headers={"clientId": client_id})) == (
            403,
            "Security",
        )
    assert (
        api.send("GET", UNPOSTED, headers={"clientId": auth.CLIENT_ID.upper()}).status_code == 200
    )


def test_what_a_member_may_do_depends_on_the_role():
    """`reader` may look and preview, `norights` may only sign in; the 403 names the module."""
    reader, norights = Caller(member="reader"), Caller(member="norights")
    batch = {"batchIdentifier": "X", "exportInvoicesFlag": True, "processedRecordIds": [1]}

    assert reader.get(UNPOSTED).status_code == 200
    refused = reader.send("POST", BATCHES, json=batch)
    assert refusal(refused) == (403, "Security")
    assert "Add on Finance > Accounting Interface" in refused.json()["message"]
    assert refusal(reader.send("DELETE", BATCHES + "/4")) == (403, "Security")
    assert refusal(norights.get(UNPOSTED)) == (403, "Security")
    assert "Finance > Invoicing" in norights.get(INVOICES).json()["message"]
    assert reader.site.calls == []


def test_rights_come_from_the_settings_of_the_members_role():
    """The role's own rows decide, module by module."""
    members = [{"identifier": "Jane", "securityRole": {"id": 3, "name": "Bookkeeper"}}]
    settings = [{"moduleFunctionName": "Invoicing", "inquireLevel": "My", "addLevel": "None"}]
    rights = auth.rights_of("jane", members, lambda role: settings if role == 3 else [])

    assert rights.allows("Invoicing", "inquireLevel")
    assert not rights.allows("Invoicing", "addLevel")
    assert not rights.allows("Accounting Interface", "inquireLevel")


class Clock:
    """A clock that goes on when told to."""

    def __init__(self):
        self.now = datetime(2026, 10, 31, 12, tzinfo=UTC)

    def __call__(self):
        return self.now


def test_a_member_token_works_until_it_expires():
    """An integrator may make tokens and nothing else; the token's keys are the member's until they expire."""
    clock = Clock()
    gate = auth.Gate(
        "lakeside",
        auth.demo_accounts(),
        integrator=("Integrator", "secret"),
        token_lifetime=timedelta(minutes=5),
        clock=clock,
    )
    caller = Caller(gate=gate)
    login = {"keys": ("lakeside+integrator", "secret"), "headers": {"x-cw-usertype": "integrator"}}
    token = caller.send(
        "POST", "/system/members/JDOE/tokens", json={"memberIdentifier": "JDOE"}, **login
    )

    assert token.status_code == 200
    assert token.json()["expiration"] == "2026-10-31T12:05:00Z"
    keys = (f"lakeside+{token.json()['publicKey']}", token.json()["privateKey"])
    assert (
        caller.send("GET", UNPOSTED, keys=keys, headers={"x-cw-usertype": "member"}).status_code
        == 200
    )
    assert refusal(caller.send("GET", UNPOSTED, **login)) == (403, "Security")
    assert refusal(caller.send("POST", "/system/members/nobody/tokens", json={}, **login)) == (
        404,
        "NotFound",
    )
    clock.now += timedelta(minutes=5)
    expired = caller.send("GET", UNPOSTED, keys=keys)
    assert refusal(expired) == (401, "Unauthorized")
    assert "expired" in expired.json()["message"]


def test_an_integrator_login_needs_its_header_and_password():
    """Without `x-cw-usertype: integrator` the login is no key; a member's key is no integrator."""
    caller = Caller(
        gate=auth.Gate("lakeside", auth.demo_accounts(), integrator=("integrator", "secret"))
    )
    path = "/system/members/api/tokens"

    assert (
        caller.send("POST", path, json={}, keys=("lakeside+integrator", "secret")).status_code
        == 401
    )
    for keys in (("lakeside+integrator", "wrong"), caller.auth):
        answer = caller.send(
            "POST", path, json={}, keys=keys, headers={"x-cw-usertype": "integrator"}
        )
        assert answer.status_code == 401
    by_member = caller.send("POST", path, json={}, headers={"x-cw-usertype": "member"})
    assert by_member.status_code == 200


def test_no_key_shows_in_a_repr():
    """Neither accounts nor the gate print a private key or the integrator's password."""
    gate = auth.Gate(
        "lakeside", auth.demo_accounts("PRIVATE"), integrator=("integrator", "PASSWORD")
    )
    gate.issue("api")

    assert "PRIVATE" not in repr(gate)
    assert "PASSWORD" not in repr(gate)


# --- addresses ----------------------------------------------------------------------------------------


def test_paths_are_found_in_any_case_and_with_a_slash_at_the_end(api):
    """As on the server behind the real site."""
    for path in (
        UNPOSTED,
        UNPOSTED.upper(),
        UNPOSTED + "/",
        "/Finance/accounting/UnpostedInvoices/COUNT",
    ):
        assert api.get(path).status_code == 200
    assert api.send("GET", UNPOSTED, base="/V4_6_Release/APIs/3.0").status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nothing", 404, "NotFound"),
        ("GET", "/finance/accounting/nothing", 404, "NotFound"),
        ("GET", "/finance/invoices/99", 404, "NotFound"),
        ("GET", "/finance/invoices/abc", 404, "NotFound"),
        ("GET", "/finance/invoices/99999999999", 404, "NotFound"),
        ("GET", "/finance/invoices/9/payments", 404, "NotFound"),
        ("GET", "/finance/invoices/1/products", 403, "Security"),
        ("PUT", BATCHES, 405, "MethodNotAllowed"),
        ("PATCH", BATCHES + "/4", 405, "MethodNotAllowed"),
        ("DELETE", UNPOSTED, 405, "MethodNotAllowed"),
        ("GET", "/finance/taxCodes", 501, "NotImplemented"),
        ("GET", "/finance/taxCodes/count", 501, "NotImplemented"),
        ("GET", "/service/tickets", 501, "NotImplemented"),
        ("GET", "/company/countries", 501, "NotImplemented"),
        ("POST", "/company/companies", 501, "NotImplemented"),
        ("POST", "/finance/taxCodes/count", 405, "MethodNotAllowed"),
        ("DELETE", BATCHES + "/77", 404, "NotFound"),
    ],
)
def test_what_is_not_there_is_refused_in_the_usual_shape(api, method, path, status, code):
    """Unknown records, paths and methods, what is not modelled, and sub-resources that do not exist."""
    assert refusal(api.send(method, path)) == (status, code)


def test_a_method_that_is_not_allowed_names_those_that_are(api):
    """405 carries `Allow`."""
    assert api.send("PUT", BATCHES).headers["allow"] == "GET, POST"


def test_outside_the_interface_there_is_an_html_page(api):
    """A wrong codebase answers as a web server does."""
    answer = api.send("GET", "/v2011/apis/3.0/system/info", base="")

    assert answer.status_code == 404
    assert "text/html" in answer.headers["content-type"]


def test_every_answer_carries_version_and_request_id(api):
    """Errors and successes alike; two requests have two ids."""
    answers = [api.get(UNPOSTED), api.get(UNPOSTED), api.get("/finance/nothing")]

    assert {answer.headers["api-current-version"] for answer in answers} == {"2025.1"}
    assert len({answer.headers["x-cw-request-id"] for answer in answers}) == 3


def test_the_media_type_is_the_versioned_one_where_it_is_asked_for(api):
    """Both are JSON; live answers to callers without a wish are plain."""
    versioned = "application/vnd.connectwise.com+json; version=2025.1"
    plain = "application/json; charset=utf-8"

    assert api.get(UNPOSTED).headers["content-type"] == plain
    assert (
        api.get(UNPOSTED, headers={"accept": "application/json"}).headers["content-type"] == plain
    )
    for wish in (
        versioned,
        "application/vnd.connectwise.com+json; version=2021.1, application/json",
    ):
        assert api.get(UNPOSTED, headers={"accept": wish}).headers["content-type"] == versioned


# --- lists ----------------------------------------------------------------------------------------------


def links(response):
    """Numbers of the pages named in `Link`, by relation, and that each is the last parameter."""
    found = {}
    for part in filter(None, response.headers.get("link", "").split(", ")):
        url, rel = part.split("; rel=")
        name, _, number = url.strip("<>").rpartition("&" if "&" in url else "?")[2].partition("=")
        found[rel.strip('"')] = (name, int(number))
    return found


def test_pages_are_25_rows_and_at_most_1000(api):
    """The default that loses data silently, and the cap."""
    assert len(api.get(UNPOSTED).json()) == 25
    assert len(Caller(SmallSite(1200)).get(UNPOSTED, pageSize=5000).json()) == 1000


def test_navigable_links_lead_both_ways_and_end_with_page(api):
    """60 rows in pages of 25: next and last on the first, all four in the middle, first and prev on the last."""
    first, middle, last = (
        api.get(UNPOSTED, pageSize=25, page=page, orderBy="id desc") for page in (1, 2, 3)
    )

    assert links(first) == {"next": ("page", 2), "last": ("page", 3)}
    assert links(middle) == {
        "next": ("page", 3),
        "last": ("page", 3),
        "first": ("page", 1),
        "prev": ("page", 1),
    }
    assert links(last) == {"first": ("page", 1), "prev": ("page", 2)}
    assert "orderBy=id%20desc&pageSize=25&page=2>" in first.headers["link"]
    assert first.headers["link"].startswith(f"<http://cw.example:8080{BASE}{UNPOSTED}?")
    ids = [row["id"] for answer in (first, middle, last) for row in answer.json()]
    assert ids == sorted(ids, reverse=True)
    assert len(set(ids)) == 60


def test_links_can_be_followed(api):
    """A condition with all kinds of signs survives the way through the header."""
    first = api.get(
        UNPOSTED, pageSize=2, conditions="invoiceNumber like 'CW-%' and total<50 and id!=1"
    )
    url = first.headers["link"].split(">")[0].strip("<").partition(BASE)[2]

    assert [row["billingLogId"] for row in api.send("GET", url).json()] == [3, 4]


def test_page_zero_is_the_first(api):
    """There are clients that begin to count there."""
    assert api.get(UNPOSTED, page=0).json() == api.get(UNPOSTED, page=1).json()


def test_a_page_past_the_end_is_empty(api):
    """No error; and a list that fits one page has no links."""
    assert api.get(UNPOSTED, page=9).json() == []
    assert "link" not in api.get(UNPOSTED, pageSize=100).headers


def test_forward_only_goes_by_id_and_ends_with_an_empty_link(api):
    """`pageId` is the last id seen; the rows come in the order of their ids whatever the site's order."""
    headers = {"pagination-type": "forward-only"}
    seen, page_id = [], 0
    for _ in range(3):
        answer = api.get(UNPOSTED, headers=headers, pageSize=25, pageId=page_id)
        seen += [row["id"] for row in answer.json()]
        page_id = seen[-1]

    assert seen == list(range(9001, 9061))
    assert answer.headers["link"] == ""
    first = api.get(UNPOSTED, headers=headers, pageSize=25, page=3)
    assert links(first) == {"next": ("pageId", 9025)}
    assert inner(api.get(UNPOSTED, headers=headers, orderBy="id"))[0][1] == "orderBy"
    assert api.get(UNPOSTED, headers=headers, pageId=9999).json() == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("page", "-1"),
        ("page", "x"),
        ("pageSize", "-1"),
        ("pageSize", "1.5"),
        ("page", "99999999999"),
    ],
)
def test_numbers_of_pages_are_checked(api, name, value):
    """What is no number of a page is a 400 that names the parameter."""
    assert inner(api.get(UNPOSTED, **{name: value})) == [("InvalidField", name)]


def test_conditions_orders_and_fields_work_together_with_count(api):
    """The count knows the same conditions; parameter names are read without case."""
    conditions = "company/identifier='c1' and total>50"
    rows = api.get(
        UNPOSTED, Conditions=conditions, orderBy="total desc", fields="id,Total,company/name"
    ).json()

    assert rows[0] == {"id": 9058, "total": 58.1, "company": {"name": "Customer 1"}}
    assert api.get(UNPOSTED + "/count", conditions=conditions).json() == {"count": len(rows)}
    assert inner(api.get(UNPOSTED, conditions="total >")) == [("InvalidField", "conditions")]
    assert inner(api.get(UNPOSTED + "/count", conditions="foo=1")) == [
        ("InvalidField", "conditions")
    ]
    assert inner(api.get(UNPOSTED, fields="foo")) == [("InvalidField", "fields")]
    assert inner(api.get(UNPOSTED, orderBy="foo")) == [("InvalidField", "orderBy")]


def test_child_and_custom_field_conditions_are_evaluated(api):
    """Conditions on the elements of an array, and on custom fields by caption."""
    companies = api.get("/company/companies", childConditions="types/name='Vendor'").json()
    invoices = api.get(INVOICES, customFieldConditions="caption='Region' AND value='South'").json()

    assert [row["id"] for row in companies] == [1]
    assert [row["id"] for row in invoices] == [1]
    assert api.get(INVOICES, customFieldConditions="caption='Region' AND value='Gold'").json() == []


def test_nulls_are_left_out_and_links_are_in_info(api):
    """References link to their records; a record links to the lists below it."""
    row = api.get(UNPOSTED, conditions="billingLogId=5").json()[0]
    invoice = api.get(INVOICES + "/1").json()

    assert "description" not in row
    assert row["company"]["_info"] == {
        "company_href": f"http://cw.example:8080{BASE}/company/companies/2"
    }
    assert row["billToSite"]["_info"]["site_href"].endswith("/company/companies/2/sites/7")
    assert (
        invoice["_info"]["payments_href"]
        == f"http://cw.example:8080{BASE}/finance/invoices/1/payments"
    )
    assert invoice["_info"]["lastUpdated"] == "2026-10-20T09:39:56Z"


def test_fields_drop_info_unless_named(api):
    """`fields=` keeps exactly what it names."""
    assert api.get(INVOICES + "/1", fields="id").json() == {"id": 1}
    assert set(api.get(INVOICES, fields="id,_info").json()[0]) == {"id", "_info"}


def test_dates_of_lists_are_utc_moments(api):
    """A day is midnight UTC, a moment ends in Z."""
    row = api.get(UNPOSTED).json()[0]

    assert (row["invoiceDate"], row["dateClosed"]) == (
        "2026-10-02T00:00:00Z",
        "2026-10-20T09:39:56Z",
    )


def test_amounts_are_json_numbers_with_exactly_their_digits(api):
    """Eighteen digits, which no float holds, go over the wire unrounded."""
    answer = api.get(INVOICES + "/1")

    assert '"total":1234567890123456.78' in answer.text
    assert json.loads(answer.text, parse_float=Decimal)["total"] == Decimal("1234567890123456.78")
    assert '"total":1.10' in api.get(UNPOSTED).text


def test_lists_follow_a_write(api):
    """Nothing kept from before a write is served after it."""
    assert api.get(BATCHES + "/count").json() == {"count": 1}
    assert len(api.get(BATCHES).json()) == 1
    assert api.send("DELETE", BATCHES + "/4").status_code == 204
    assert api.get(BATCHES).json() == []
    assert api.get(BATCHES + "/count").json() == {"count": 0}
    assert api.get(BATCHES + "/4").status_code == 404


# --- writing ----------------------------------------------------------------------------------------------


def test_a_post_answers_201_with_the_record_and_a_delete_204_without_one(api):
    """The site is handed the checked body, without fields the contract does not know."""
    batch = {"batchIdentifier": "20261031JD-E", "processedRecordIds": [1, 2], "unknown": 1}
    created = api.send("POST", BATCHES, json=batch)
    deleted = api.send("DELETE", BATCHES + "/5")

    assert created.status_code == 201
    assert created.json()["transactions"] == [{"id": 1, "total": 10.0}]
    assert api.site.calls[0][3] == {"batchIdentifier": "20261031JD-E", "processedRecordIds": [1, 2]}
    assert (deleted.status_code, deleted.content) == (204, b"")


def test_a_refusal_of_the_site_keeps_its_errors(api):
    """The taken identifier arrives as `InvalidObject` with the inner `ObjectExists`."""
    taken = {"batchIdentifier": "20261031JD-I", "processedRecordIds": [1]}

    assert inner(api.send("POST", BATCHES, json=taken)) == [("ObjectExists", "batchIdentifier")]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, ("MissingField", "processedRecordIds")),
        ({"processedRecordIds": None}, ("MissingField", "processedRecordIds")),
        ({"processedRecordIds": 5}, ("InvalidField", "processedRecordIds")),
        ({"processedRecordIds": ["5"]}, ("InvalidField", "processedRecordIds")),
        ({"processedRecordIds": [2**31]}, ("OutOfRange", "processedRecordIds")),
        ({"processedRecordIds": [1.5]}, ("InvalidField", "processedRecordIds")),
        (
            {"processedRecordIds": [1], "batchIdentifier": "x" * 51},
            ("OutOfRange", "batchIdentifier"),
        ),
        ({"processedRecordIds": [1], "batchIdentifier": 7}, ("InvalidField", "batchIdentifier")),
        (
            {"processedRecordIds": [1], "exportInvoicesFlag": "yes"},
            ("InvalidField", "exportInvoicesFlag"),
        ),
        ([], ("InvalidField", "")),
    ],
)
def test_a_body_that_breaks_the_contract_is_400_and_changes_nothing(api, body, expected):
    """Required fields, types, ranges and lengths, each with the field in `errors`."""
    assert inner(api.send("POST", BATCHES, json=body)) == [expected]
    assert api.site.calls == []


def test_nested_objects_and_dates_of_a_body_are_checked(api):
    """A payment names its invoice as an object; its date must be one."""
    assert inner(api.send("POST", PAYMENTS, json={"invoice": 55})) == [("InvalidField", "invoice")]
    assert inner(api.send("POST", PAYMENTS, json={"invoice": {"id": "x"}})) == [
        ("InvalidField", "invoice/id")
    ]
    assert inner(api.send("POST", PAYMENTS, json={"paymentDate": "soon"})) == [
        ("InvalidField", "paymentDate")
    ]
    payment = {
        "type": "P",
        "amount": 500.0,
        "paymentDate": "2023-01-31T00:00:00.000Z",
        "invoice": {"id": 55},
    }
    created = api.send("POST", PAYMENTS, json=payment)
    assert created.status_code == 201
    assert isinstance(api.site.calls[0][3]["amount"], Decimal)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b'{"amount": NaN}', b"[" * 100_000])
def test_a_body_that_is_no_json_is_400(api, content):
    """Also numbers JSON does not know, and nesting without end."""
    assert inner(api.send("POST", PAYMENTS, content=content, headers=JSON)) == [("InvalidJson", "")]


def test_another_media_type_is_415(api):
    """Forms, XML and nothing at all are refused before they are read."""
    for headers in (
        {"content-type": "text/xml"},
        {"content-type": "application/x-www-form-urlencoded"},
        {},
    ):
        answer = api.send("POST", PAYMENTS, content=b"{}", headers=headers)
        assert refusal(answer) == (415, "UnsupportedMediaType")


def test_patch_takes_bare_and_slash_paths_and_numbers_as_text(api):
    """Both styles in use; the site gets plain names."""
    patches = [
        {"op": "replace", "path": "reference", "value": "A"},
        {"op": "Replace", "path": "/attention", "value": "B"},
        {"op": "replace", "path": "/total", "value": "450"},
        {"op": "remove", "path": "customerPO"},
    ]
    answer = api.send("PATCH", INVOICES + "/1", json=patches)

    assert answer.status_code == 200
    assert api.site.calls[0][3] == [
        {"op": "replace", "path": "reference", "value": "A"},
        {"op": "replace", "path": "attention", "value": "B"},
        {"op": "replace", "path": "total", "value": Decimal(450)},
        {"op": "remove", "path": "customerPO", "value": None},
    ]
    assert answer.json()["reference"] == "A"


def test_patching_inside_a_reference_is_a_false_success(api):
    """The documented trap: 200, and nothing changed."""
    before = api.get(INVOICES + "/1").json()
    patch = [{"op": "replace", "path": "company/identifier", "value": "C2"}]

    assert api.send("PATCH", INVOICES + "/1", json=patch).status_code == 200
    assert api.get(INVOICES + "/1").json() == before


@pytest.mark.parametrize(
    ("patch", "expected"),
    [
        ({"op": "replace", "path": "Reference", "value": "A"}, ("InvalidField", "Reference")),
        ({"op": "replace", "path": "nothing", "value": "A"}, ("InvalidField", "nothing")),
        ({"op": "replace", "path": "id", "value": 7}, ("InvalidField", "id")),
        ({"op": "move", "path": "reference", "value": "A"}, ("InvalidField", "reference")),
        ({"op": "replace", "path": "reference", "value": "x" * 51}, ("OutOfRange", "reference")),
        ({"op": "replace", "path": "type", "value": "Other"}, ("InvalidField", "type")),
        ({"op": "remove", "path": "type"}, ("MissingField", "type")),
        ({"op": "replace", "path": "company", "value": "C2"}, ("InvalidField", "company")),
        (
            {"op": "replace", "path": "customFields/0/value", "value": "C2"},
            ("InvalidField", "customFields/0/value"),
        ),
    ],
)
def test_a_patch_that_breaks_the_contract_is_400(api, patch, expected):
    """Paths are case sensitive; values are held to the model."""
    assert inner(api.send("PATCH", INVOICES + "/1", json=[patch])) == [expected]
    assert api.site.calls == []


def test_a_patch_that_is_no_array_or_of_no_record_is_refused(api):
    """A single operation must still stand in an array; the record must exist."""
    patch = {"op": "replace", "path": "reference", "value": "A"}

    assert inner(api.send("PATCH", INVOICES + "/1", json=patch)) == [("InvalidField", "")]
    assert refusal(api.send("PATCH", INVOICES + "/9", json=[patch])) == (404, "NotFound")


class BrokenSite(SmallSite):
    def rows(self, collection, parents=()):
        raise ZeroDivisionError


def test_a_fault_of_the_site_itself_is_a_500_without_inner_details():
    """A client sees the usual shape and nothing of the program."""
    answer = Caller(BrokenSite()).get(UNPOSTED)

    assert refusal(answer) == (500, "InternalServerError")
    assert "Zero" not in answer.text


# --- on a port ----------------------------------------------------------------------------------------------


@contextmanager
def calling(site=None, **options):
    """A running site and a client signed in to it."""
    with running(site or SmallSite(), **options) as server:
        verify = ssl.create_default_context(cafile=server.ca_file) if server.ca_file else True
        keys = (f"{server.company}+{server.public_key}", server.private_key)
        headers = {"clientId": server.client_id}
        with httpx.Client(
            base_url=server.url + BASE, auth=keys, headers=headers, verify=verify
        ) as client:
            yield server, client


def test_a_running_site_answers_and_is_gone_afterwards():
    """Up in a thread on a free port, down at the end of the block; no name of the server program is told."""
    with calling() as (server, client):
        answer = client.get(UNPOSTED)
        assert len(answer.json()) == 25
        assert "server" not in answer.headers
        assert server.site.startswith("http://127.0.0.1:")
        assert server.account("reader").member == "reader"
    with pytest.raises(httpx.ConnectError):
        httpx.get(server.url)


def test_tls_has_a_certificate_that_its_own_authority_vouches_for():
    """Trusted with `ca_file`, and not without."""
    with calling(tls=True) as (server, client):
        assert client.get(UNPOSTED).status_code == 200
        assert server.url == f"https://{server.site}"
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            httpx.get(server.url)


class CountingSite(SmallSite):
    """Counts how often its list is built."""

    def __init__(self, invoices):
        super().__init__(invoices)
        self.built = 0

    def rows(self, collection, parents=()):
        self.built += collection == UNPOSTED
        return super().rows(collection, parents)


def test_large_lists_are_built_once_however_many_pages_are_read():
    """Twenty pages of a filtered list, read twice: one look at the site, until something is written."""
    site = CountingSite(20_000)
    with calling(site) as (_, client):
        query = {"pageSize": 1000, "conditions": "total>0", "orderBy": "id desc"}
        reads = [
            [client.get(UNPOSTED, params=query | {"page": n}).content for n in range(1, 21)]
            for _ in "12"
        ]
        assert site.built == 1
        assert reads[0] == reads[1]
        assert sum(len(json.loads(page)) for page in reads[0]) == 20_000
        client.delete(BATCHES + "/4")
        client.get(UNPOSTED, params=query)
        assert site.built == 2


# --- trouble ----------------------------------------------------------------------------------------------


def troubled(*rules, site=None):
    return calling(site, faults=faults.Faults(list(rules)))


def test_the_second_matching_request_is_the_one_that_fails():
    """Rules count requests of their own method and path; all others pass."""
    rule = faults.Rule(
        faults.too_many(retry_after=7), path="/unpostedinvoices", method="GET", on=(2,)
    )
    with troubled(rule) as (server, client):
        answers = [
            client.get(UNPOSTED),
            client.get(BATCHES),
            client.get(UNPOSTED),
            client.get(UNPOSTED),
        ]

    assert [answer.status_code for answer in answers] == [200, 200, 429, 200]
    assert answers[2].headers["retry-after"] == "7"
    assert answers[2].json() == {
        "error": "ConnectWiseAPI",
        "message": "Too many requests. Please try again in 7 seconds.",
    }
    assert [seen.path.rpartition("/")[2] for seen in server.faults.seen] == [
        "unpostedinvoices",
        "batches",
        "unpostedinvoices",
        "unpostedinvoices",
    ]


@pytest.mark.parametrize(
    ("fault", "status", "kind", "starts"),
    [
        (faults.failing(500, "Execution timeout expired"), 500, "application/json", '{"code"'),
        (faults.failing(), 503, "application/json", '{"code"'),
        (faults.page(502), 502, "text/html", "<html>"),
        (faults.garbage(), 200, "application/json", '[{"id": 1'),
        (faults.empty(), 200, "application/json", ""),
        (faults.too_many(None), 429, "application/json", '{"error"'),
    ],
)
def test_wrong_answers_of_all_kinds(fault, status, kind, starts):
    """What servers and the proxies before them have been seen to send."""
    with troubled(faults.Rule(fault)) as (_, client):
        answer = client.get(UNPOSTED)

    assert (answer.status_code, answer.headers["content-type"]) == (status, kind)
    assert answer.text.startswith(starts)


def test_a_cut_body_is_noticed_as_such():
    """The connection closes before the announced length arrived."""
    with (
        troubled(faults.Rule(faults.cut())) as (_, client),
        pytest.raises(httpx.RemoteProtocolError),
    ):
        client.get(UNPOSTED)


@pytest.mark.parametrize(("after_effect", "batches"), [(False, 1), (True, 2)])
def test_a_dropped_connection_may_come_before_or_after_the_effect(after_effect, batches):
    """From the outside both look the same; only looking tells."""
    rule = faults.Rule(faults.dropped(after_effect=after_effect), method="POST")
    with troubled(rule) as (_, client):
        with pytest.raises(httpx.RemoteProtocolError):
            client.post(BATCHES, json={"batchIdentifier": "N", "processedRecordIds": [1]})
        assert client.get(BATCHES + "/count").json() == {"count": batches}


def test_a_slow_answer_runs_into_the_clients_patience():
    """The work is done although the client has left."""
    with troubled(faults.Rule(faults.slow(5), method="POST")) as (_, client):
        with pytest.raises(httpx.ReadTimeout):
            client.post(
                BATCHES, json={"batchIdentifier": "N", "processedRecordIds": [1]}, timeout=0.3
            )
        assert client.get(BATCHES + "/count").json() == {"count": 2}


# --- as a process ----------------------------------------------------------------------------------------------

START = (
    "import sys; from pathlib import Path; from sage50kit.sandbox.serve import serve_forever; "
    "serve_forever(workdir=Path(sys.argv[1]), tls=sys.argv[2] == 'tls')"
)


@contextmanager
def process(folder, *, tls=False):
    """The site as a program of its own, with the line it printed."""
    flags = subprocess.CREATE_NEW_PROCESS_GROUP if sys.platform == "win32" else 0
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
    command = [sys.executable, "-c", START, str(folder), "tls" if tls else ""]
    running = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        creationflags=flags,
    )
    try:
        yield running, json.loads(running.stdout.readline())
    finally:
        running.kill()
        running.communicate()


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_serve_prints_one_line_and_ends_cleanly(tmp_path, name):
    """All that a caller needs is in the line; a signal ends the process with 0 and nothing more on stdout."""
    with process(tmp_path) as (running, line):
        answer = httpx.get(
            line["url"] + BASE + UNPOSTED,
            auth=(f"{line['company']}+{line['public_key']}", line["private_key"]),
            headers={"clientId": line["client_id"]},
        )
        if sys.platform == "win32":
            running.send_signal(signal.CTRL_BREAK_EVENT)
        else:
            running.send_signal(getattr(signal, name))
        rest, errors = running.communicate(timeout=20)

    assert answer.status_code == 200
    assert (running.returncode, rest) == (0, "")
    assert "Traceback" not in errors
    keys = [
        "url",
        "site",
        "company",
        "client_id",
        "public_key",
        "private_key",
        "ca_file",
        "profile",
        "company_file",
        "env",
    ]
    assert list(line) == keys


def test_serve_writes_a_profile_and_a_company_that_fit(tmp_path):
    """The profile opens the company and names the running site; a second start keeps the company."""
    with process(tmp_path, tls=True) as (_, line):
        profile = tomllib.loads(Path(line["profile"]).read_text(encoding="utf-8"))
        assert profile["connectwise"]["site"] == line["site"]
        assert (
            Path(line["ca_file"]).read_text(encoding="utf-8").startswith("-----BEGIN CERTIFICATE")
        )
        assert line["private_key"] not in Path(line["profile"]).read_text(encoding="utf-8")
        assert line["env"]["SAGE50KIT_SANDBOX_PRIVATE_KEY"] == line["private_key"]
        members = json.loads((tmp_path / "members.json").read_text(encoding="utf-8"))
        assert set(members["members"]) == {"api", "reader", "norights"}
    size = Path(line["company_file"]).stat().st_size
    with process(tmp_path) as (_, again):
        assert again["company_file"] == line["company_file"]
        assert Path(again["company_file"]).stat().st_size == size
