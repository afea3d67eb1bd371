"""Clients written the way other projects write theirs: how they page, ask, sign in, change and read refusals."""

from __future__ import annotations

import base64
from urllib.parse import quote_plus

import httpx
import pytest

from sage50kit.sandbox.serve import running
from sage50kit.sandbox.state import Site
from tests.small_site import UNPOSTED, SmallSite

BASE = "/v4_6_release/apis/3.0"


@pytest.fixture(scope="module")
def server():
    with running(Site.fixtures()) as found:
        yield found


@pytest.fixture(scope="module")
def many():
    """A site with a list of 2,500 rows."""
    with running(SmallSite(2500)) as found:
        yield found


def basic(server):
    plain = f"{server.company}+{server.public_key}:{server.private_key}"
    return "Basic " + base64.b64encode(plain.encode()).decode()


# --- a module of PowerShell: forward-only, the first link is the next page ---


def forward_only(server, path, **query):
    """Every row, as that module reads them: 999 at a time, until `Link` is there and empty."""
    headers = {
        "Authorization": basic(server),
        "ClientID": server.client_id,
        "Cache-Control": "no-cache",
        "Accept": "application/vnd.connectwise.com+json",
        "pagination-type": "forward-only",
    }
    parts = [f"{name}={quote_plus(value)}" for name, value in query.items()]
    address = f"{server.url}{BASE}{path}?{'&'.join([*parts, 'pageSize=999'])}"
    rows = []
    while address:
        answer = httpx.get(address, headers=headers)
        assert "link" in answer.headers
        rows += answer.json()
        address = answer.headers["link"].split(";")[0].lstrip("<").rstrip(">")
    return rows


def test_forward_only_by_the_first_link(many):
    """All rows once, in three pages; conditions go along."""
    rows = forward_only(many, UNPOSTED)
    assert [row["id"] for row in rows] == [9000 + number for number in range(1, 2501)]
    some = forward_only(many, UNPOSTED, conditions='invoiceNumber like "CW-1*" and total > 1000')
    assert {row["invoiceNumber"] for row in some} == {
        f"CW-{number}" for number in range(1000, 2000)
    }


# --- a package of Node: no discovery, pages until one is empty ---


@pytest.mark.parametrize("start", [1, 2])
def test_pages_until_one_is_empty(many, start):
    """It wants two media types and asks one page too many."""
    headers = {
        "Accept": "application/vnd.connectwise.com+json; version=2021.1, application/json",
        "Authorization": basic(many),
        "clientId": many.client_id,
    }
    rows, page = [], start
    with httpx.Client(base_url=many.url + BASE, headers=headers) as client:
        while True:
            query = {"conditions": "id > 0", "page": page, "pageSize": 1000}
            found = client.get(UNPOSTED, params=query).json()
            if not found:
                break
            rows += found
            page += 1
    assert len(rows) == 2500 - 1000 * (start - 1)


# --- an old package of Python: a slash at the end, empty parameters, a content type on GET ---


def test_slashes_at_the_end_and_empty_parameters(server):
    """Lists, counts, records and patches of that package."""
    headers = {
        "Content-Type": "application/json",
        "Authorization": basic(server),
        "clientId": server.client_id,
    }
    empty = dict.fromkeys(
        ("conditions", "orderBy", "childconditions", "customfieldconditions", "page", "pageSize"),
        "",
    )
    root = f"{server.url}{BASE}/company/companies/"
    rows = httpx.get(root, headers=headers, params=empty).json()
    assert httpx.get(root + "count", headers=headers).json() == {"count": len(rows)}
    one = f"{root}{rows[0]['id']}"
    assert httpx.get(one, headers=headers).json() == rows[0]
    body = '[{"op":"replace","path":"city","value":"Ocala"}]'
    changed = httpx.patch(one, headers=headers, content=body)
    assert (changed.status_code, changed.json()["city"]) == (200, "Ocala")


# --- a package for Django: blanks as plus, the company id may be unknown, 404 asks for the codebase again ---


def test_blanks_as_plus_and_an_unknown_company(server):
    """Conditions in parentheses with `+`, and `null` for a company that nobody knows."""
    info = f"{server.url}/login/companyinfo/"
    assert httpx.get(f"{info}nobody").json() is None
    found = httpx.get(f"{info}{server.company}").json()
    root = f"{server.url}/{found['Codebase']}apis/3.0/"
    keys = (f"{server.company}+{server.public_key}", server.private_key)
    conditions = "conditions=(deletedFlag=false+and+isVendorFlag=true)"
    address = f"{root}company/companies?pageSize=1000&page=1&{conditions}"
    answer = httpx.get(address, auth=keys, headers={"clientId": server.client_id})
    assert answer.json()
    assert all(row["isVendorFlag"] for row in answer.json())
    gone = httpx.get(
        f"{root}company/companies/4", auth=keys, headers={"clientId": server.client_id}
    )
    assert (gone.status_code, gone.json()["message"]) == (404, "companies 4 not found")


# --- an integration product: the requests it is known to send ---

ASKED = {
    "/company/companies?childconditions=types/id=1&conditions="
    "lastUpdated>=[2021-06-01T15:25:41Z] and deletedFlag=false": True,
    "/company/companies?conditions=lastUpdated>=[2021-06-01T15:25:41Z] and isVendorFlag=true": True,
    "/system/members?fields=id,identifier&conditions=inactiveFlag=false"
    " and lastUpdated>=[2023-04-20T09:23:46Z]": True,
    "/procurement/catalog?conditions=lastUpdated>=[2021-06-01T15:25:41Z]": True,
    "/procurement/catalog?conditions=lastUpdated>=[2031-06-01T15:25:41Z]": False,
    "/procurement/adjustments?conditions=closedFlag = true and closedDate >= [2021-06-01T15:25:41Z]": True,
    "/procurement/warehouseBins?fields=id,name,warehouse/id,warehouse/name,defaultFlag": True,
    "/finance/accounting/unpostedexpenses?conditions=classification='Reimbursable'": True,
    "/finance/accounting/unpostedprocurement?conditions=procurementType='Purchase'": True,
    "/finance/accounting/unpostedprocurement?fields=id,unpostedProductId,description&conditions="
    "procurementType='Adjustment' and unpostedProductId in (1-adjustment,)": False,
    "/finance/accounting/batches?orderBy=id desc": True,
    "/finance/invoices?Conditions=status/name='Closed' and id in (1,2,55)": False,
    "/finance/taxcodes": True,
    "/procurement/unitOfMeasures": True,
}


@pytest.mark.parametrize(("path", "some"), ASKED.items(), ids=range(len(ASKED)))
def test_the_requests_of_an_integration_product(server, path, some):
    """Each is understood as it is written, with its `version` header that is no part of the contract."""
    headers = {"ClientId": server.client_id, "version": "2020.2", "Authorization": basic(server)}
    answer = httpx.get(f"{server.url}{BASE}{path}", headers=headers)
    assert answer.status_code == 200, answer.text
    assert bool(answer.json()) == some
    assert answer.headers["content-type"] == "application/json; charset=utf-8"


def test_an_export_and_a_batch_as_that_product_sends_them(server):
    """Location 0 is every location, the id of a new batch may be 0, and both identifiers are the same text."""
    headers = {"ClientId": server.client_id, "Authorization": basic(server)}
    with httpx.Client(base_url=server.url + BASE, headers=headers) as client:
        asked = {
            "batchIdentifier": "SC-1",
            "glInterfaceIdentifier": "SC-1",
            "locationId": 0,
            "summarizeInvoices": "Default",
            "exportProductsFlag": True,
        }
        export = client.post("/finance/accounting/export", json=asked).json()
        assert export["exportSettings"]["glBatchID"] == "SC-1"
        assert export["exportSettings"]["exportInventory"]
        ids = [line["id"] for line in export["purchaseTransactions"][0]["purchaseDetail"]]
        made = {
            "id": 0,
            "batchIdentifier": "SC-1",
            "glInterfaceIdentifier": "SC-1",
            "exportInvoicesFlag": False,
            "exportExpensesFlag": False,
            "exportProductsFlag": True,
            "processedRecordIds": ids,
        }
        assert client.post("/finance/accounting/batches", json=made).status_code == 201
        newest = client.get("/finance/accounting/batches?orderBy=id desc").json()[0]
        assert newest["batchIdentifier"] == "SC-1"
        entries = client.get(f"/finance/accounting/batches/{newest['id']}/entries").json()
        assert {row["id"] for row in entries} == set(ids)


# --- acting as another member ---


@pytest.mark.parametrize("caller", ["member", "integrator"])
def test_a_token_by_the_keys_of_a_member_or_of_an_integrator(server, caller):
    """`x-cw-usertype` says whose login it is; the token then works as an API key."""
    login, password = server.gate.integrator
    if caller == "member":
        login, password = server.public_key, server.private_key
    headers = {"x-cw-usertype": caller, "clientId": server.client_id}
    token = httpx.post(
        f"{server.url}{BASE}/system/members/jdoe/tokens",
        json={"memberIdentifier": "jdoe"},
        auth=(f"{server.company}+{login}", password),
        headers=headers,
    )
    assert token.status_code == 200, token.text
    keys = token.json()
    answer = httpx.get(
        f"{server.url}{BASE}/system/info",
        auth=(f"{server.company}+{keys['publicKey']}", keys["privateKey"]),
        headers={"clientId": server.client_id},
    )
    assert answer.status_code == 200
