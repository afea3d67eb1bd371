"""Every answer of the site held against the published contract: all records, after writes, of generated data, refusals."""

from __future__ import annotations

from contextlib import contextmanager
from itertools import islice

import httpx
import pytest

from sage50kit.sandbox.app import modelled
from sage50kit.sandbox.contract import contract
from sage50kit.sandbox.generator import generate
from sage50kit.sandbox.serve import running
from sage50kit.sandbox.state import Site
from tests.published import complaints, ways_to

BASE = "/v4_6_release/apis/3.0"
ACCOUNTING = "/finance/accounting"
BATCHES = f"{ACCOUNTING}/batches"
FLAGS = {
    "exportInvoicesFlag": "unpostedinvoices",
    "exportExpensesFlag": "unpostedexpenses",
    "exportProductsFlag": "unpostedprocurement",
}


@contextmanager
def signed_in(site):
    """A client of the member who may do everything."""
    with running(site) as server:
        keys = (f"{server.company}+{server.public_key}", server.private_key)
        headers = {"clientId": server.client_id}
        with httpx.Client(
            base_url=server.url + BASE, auth=keys, headers=headers, timeout=120
        ) as client:
            yield client


def walked(client, site, *, at_most):
    """Validate every list whole, and of each path with ids so many; how many answers, and what is wrong."""
    answers, wrong = 0, []
    for operation in contract():
        if operation.method != "GET" or ("GET", operation.template) not in modelled(site):
            continue
        for path in islice(ways_to(operation.template, site), at_most):
            for answer in pages(client, path) if operation.is_list else [client.get(path)]:
                assert answer.status_code == 200, path
                answers += 1
                if operation.answer != "pdf":
                    found = complaints(answer.json(), operation.answer)
                    wrong += [f"{path} {complaint}" for complaint in found]
    return answers, wrong


def pages(client, path):
    """All pages of a list, by its links."""
    answer = client.get(path, params={"pageSize": 1000})
    yield answer
    while "next" in answer.links:
        answer = client.get(answer.links["next"]["url"])
        yield answer


def exported(client):
    """The export of everything unposted of each kind."""
    for flag in FLAGS:
        answer = client.post(f"{ACCOUNTING}/export", json={"batchIdentifier": "x", flag: True})
        assert answer.status_code == 200
        yield answer.json()


def test_every_answer_of_the_fixtures_is_of_its_model():
    """Types, enums, lengths, required fields, and no field that is not published."""
    site = Site.fixtures()
    with signed_in(site) as client:
        answers, wrong = walked(client, site, at_most=4)
        wrong += [text for export in exported(client) for text in complaints(export, "GLExport")]

    print(f"{answers} answers validated")
    assert wrong == []
    assert answers > 250


@pytest.mark.slow
@pytest.mark.parametrize("dirty", [False, True])
def test_every_answer_of_generated_data_is_of_its_model(dirty):
    """Hundreds of invoices of every kind, international names, planted trouble."""
    site = Site.load(generate(600, 7, dirty=dirty).dataset)
    with signed_in(site) as client:
        answers, wrong = walked(client, site, at_most=5)
        wrong += [text for export in exported(client) for text in complaints(export, "GLExport")]

    print(f"{answers} answers validated")
    assert wrong == []


def test_every_answer_after_writes_is_of_its_model():
    """Batches made, run again and deleted, a payment made and changed, a customer changed: answers and lists."""
    site = Site.fixtures()
    with signed_in(site) as client:
        wrong = [
            f"{method} {path}: {text}"
            for method, path, answer in written(client)
            for text in judged(method, path, answer)
        ]
        answers, more = walked(client, site, at_most=3)

    assert wrong + more == []
    assert answers > 200


def judged(method, path, answer):
    """Complaints about the answer to a write: its status and its body."""
    operation = contract().find(path).operations[method]
    assert answer.status_code == operation.status, f"{method} {path}: {answer.text}"
    if not operation.answer:
        return [] if answer.content == b"" else ["there is a body"]
    return complaints(answer.json(), operation.answer)


def written(client):
    """One write after the other, each with its answer."""

    def sent(method, path, body=None):
        return method, path, client.request(method, path, json=body)

    for number, (flag, listed) in enumerate(FLAGS.items()):
        ids = [row["id"] for row in client.get(f"{ACCOUNTING}/{listed}").json()]
        body = {"batchIdentifier": f"W-{number}", flag: True, "processedRecordIds": ids[:3]}
        yield sent("POST", BATCHES, body)
        made = client.get(BATCHES, params={"conditions": f'batchIdentifier="W-{number}"'}).json()
        again = {"batchIdentifier": f"W-{number}", flag: True}
        yield sent("POST", f"{BATCHES}/{made[0]['id']}/export", again)
        if number:
            yield sent("DELETE", f"{BATCHES}/{made[0]['id']}")
    invoice = client.get(f"{ACCOUNTING}/unpostedinvoices").json()[0]["billingLogId"]
    payments = f"/finance/invoices/{invoice}/payments"
    paid = {"type": "P", "amount": 5, "paymentDate": "2026-11-02T00:00:00Z"}
    yield sent("POST", payments, paid | {"invoice": {"id": invoice}})
    (payment,) = client.get(payments).json()
    change = [{"op": "replace", "path": "amount", "value": 6.5}]
    yield sent("PATCH", f"{payments}/{payment['id']}", change)
    yield sent("DELETE", f"{payments}/{payment['id']}")
    company = client.get("/company/companies").json()[0]["id"]
    yield sent("PATCH", f"/company/companies/{company}", [
        {"op": "replace", "path": "accountNumber", "value": "NEW-1"}
    ])  # fmt: skip


def test_what_was_written_has_a_new_stamp():
    """Readers of changes find a row by `lastUpdated` after it was changed."""
    with signed_in(Site.fixtures()) as client:
        before = client.get("/company/companies").json()
        stamp = max(row["_info"]["lastUpdated"] for row in before)
        newer = {"conditions": f"lastUpdated > [{stamp}]"}
        assert client.get("/company/companies", params=newer).json() == []
        change = [{"op": "replace", "path": "city", "value": "Ocala"}]
        client.patch(f"/company/companies/{before[2]['id']}", json=change)
        found = client.get("/company/companies", params=newer).json()

    assert [row["id"] for row in found] == [before[2]["id"]]


def test_the_id_of_a_deleted_batch_is_not_given_again():
    """A client that kept the old id must not meet another batch under it."""
    with signed_in(Site.fixtures()) as client:
        ids = []
        for name in ("A", "B"):
            entry = client.get(f"{ACCOUNTING}/unpostedinvoices").json()[0]["id"]
            body = {
                "batchIdentifier": name,
                "exportInvoicesFlag": True,
                "processedRecordIds": [entry],
            }
            client.post(BATCHES, json=body)
            wanted = {"conditions": f'batchIdentifier="{name}"'}
            ids += [row["id"] for row in client.get(BATCHES, params=wanted).json()]
            client.delete(f"{BATCHES}/{ids[-1]}")

    assert len(set(ids)) == 2


REFUSALS = {
    "a field that does not exist": ("GET", "/finance/invoices?conditions=nothing=1", None, 400),
    "a condition that is none": ("GET", "/finance/invoices?conditions=id is 1", None, 400),
    "an order that is none": ("GET", "/finance/invoices?orderBy=id up", None, 400),
    "a field to show that does not exist": ("GET", "/finance/invoices?fields=nothing", None, 400),
    "a page that is none": ("GET", "/finance/invoices?page=x", None, 400),
    "no such record": ("GET", "/finance/invoices/1", None, 404),
    "no such sub-list": ("GET", "/finance/invoices/48101/products", None, 403),
    "no such method": ("PUT", BATCHES, {}, 405),
    "no flag": ("POST", BATCHES, {"batchIdentifier": "X", "processedRecordIds": [1]}, 400),
    "no ids": ("POST", BATCHES, {"batchIdentifier": "X", "exportInvoicesFlag": True}, 400),
    "unknown ids": (
        "POST", BATCHES, {"batchIdentifier": "X", "exportInvoicesFlag": True, "processedRecordIds": [1]}, 400
    ),
    "a taken identifier": (
        "POST",
        BATCHES,
        {"batchIdentifier": "20260930JD-I", "exportInvoicesFlag": True, "processedRecordIds": [1]},
        400,
    ),
    "an identifier that is too long": (
        "POST", BATCHES, {"batchIdentifier": "X" * 51, "exportInvoicesFlag": True, "processedRecordIds": [1]}, 400
    ),
    "a wrong type": ("POST", f"{ACCOUNTING}/export", {"exportInvoicesFlag": "yes"}, 400),
    "a wrong enum": (
        "POST", f"{ACCOUNTING}/export", {"exportInvoicesFlag": True, "summarizeInvoices": "All"}, 400
    ),
    "not modelled": ("GET", "/service/tickets", None, 501),
}  # fmt: skip
ERROR = {"code", "message", "resource", "field"}


@pytest.fixture(scope="module")
def client():
    with signed_in(Site.fixtures()) as found:
        yield found


@pytest.mark.parametrize(("method", "path", "body", "status"), REFUSALS.values(), ids=REFUSALS)
def test_refusals_have_the_published_shape(client, method, path, body, status):
    """Code, message and inner errors, all of them texts; the inner ones name the field."""
    answer = client.request(method, path, json=body)
    told = answer.json()

    assert answer.status_code == status, answer.text
    assert set(told) == {"code", "message", "errors"}
    assert isinstance(told["code"], str)
    assert told["message"]
    for inner in told["errors"] or []:
        assert set(inner) >= ERROR
        assert all(isinstance(value, str) and value for value in inner.values())
    assert (status == 400) == bool(told["errors"])
    assert answer.headers["x-cw-request-id"]
