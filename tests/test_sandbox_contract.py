"""The fixtures' site against the whole published contract, and under a client that nobody here wrote."""

from __future__ import annotations

import os
import re
from contextlib import contextmanager
from decimal import Decimal

import httpx
import pytest

from sage50kit.sandbox.app import modelled
from sage50kit.sandbox.contract import contract
from sage50kit.sandbox.serve import running
from sage50kit.sandbox.state import Site, Switches
from tests.published import complaints, filled

BASE = "/v4_6_release/apis/3.0"
BODIES = {  # of operations that take one: right in shape, about records that do not exist
    "[PatchOperation]": [],
    "CreateAccountingBatchRequest": {
        "batchIdentifier": "WALK",
        "exportInvoicesFlag": True,
        "processedRecordIds": [1],
    },
    "ExportAccountingBatchRequest": {"batchIdentifier": "WALK", "exportInvoicesFlag": True},
    "InvoicePayment": {"type": "P", "amount": 1, "invoice": {"id": 1}},
}
REFUSALS = {400, 404}  # what a modelled operation may answer about records that do not exist


@pytest.fixture(scope="module")
def site():
    """The site of the fixtures."""
    return Site.fixtures()


@pytest.fixture(scope="module")
def client(site):
    """Signed in as the member who may do everything."""
    with running(site) as server:
        keys = (f"{server.company}+{server.public_key}", server.private_key)
        headers = {"clientId": server.client_id}
        with httpx.Client(base_url=server.url + BASE, auth=keys, headers=headers) as found:
            yield found


def test_the_contract_is_complete():
    """As many paths, methods and models as the published description has, each model known by its fields."""
    published = contract()

    assert len(published.paths) == 182
    assert len(list(published)) == 202
    assert len(published.models) == 201
    for operation in published:
        for model in filter(None, (operation.request.strip("[]"), operation.answer_model)):
            assert model == "pdf" or published.fields(model) is not None
    for model in published.models:
        for field in published.fields(model).values():
            assert not field.type.is_model or field.type.name in published.models


def test_every_path_and_method_is_modelled_or_501(site, client):
    """Nothing else: no empty list, no 500, no silence; the two counts are printed."""
    answered = modelled(site)
    counts = {True: 0, False: 0}
    for operation in contract():
        is_modelled = (operation.method, operation.template) in answered
        counts[is_modelled] += 1
        if is_modelled and operation.method != "GET":
            path = re.sub(
                r"\{\w+\}", "2147483647", operation.template
            )  # no such record: nothing is changed
            answer = client.request(operation.method, path, json=BODIES.get(operation.request, {}))
            allowed = {operation.status, *REFUSALS}
        else:
            answer = client.request(operation.method, filled(operation.template, site), json=None)
            allowed = {200, 404} if is_modelled else {501}
        assert answer.status_code in allowed, (
            f"{operation.method} {operation.template}: {answer.text}"
        )
        if answer.status_code >= 400:
            assert set(answer.json()) == {"code", "message", "errors"}
    print(f"contract: {counts[True]} operations modelled, {counts[False]} answered with 501")
    assert sum(counts.values()) == 202
    assert counts[True] >= 100


def test_answers_of_modelled_paths_are_as_the_contract_says(site, client):
    """Every list, count and record that is modelled, held against its model: types, enums, lengths, required fields."""
    answered, seen, wrong = modelled(site), 0, []
    for operation in contract():
        if operation.method != "GET" or (operation.method, operation.template) not in answered:
            continue
        answer = client.get(filled(operation.template, site), params={"pageSize": 1000})
        if answer.status_code != 200 or operation.answer == "pdf":
            continue
        seen += 1
        wrong += [
            f"{operation.template} {text}" for text in complaints(answer.json(), operation.answer)
        ]

    print(f"contract: {seen} answers validated")
    assert wrong == []
    assert seen >= 160


@pytest.mark.parametrize(
    ("kind", "flag"),
    [
        ("invoices", "exportInvoicesFlag"),
        ("expenses", "exportExpensesFlag"),
        ("procurement", "exportProductsFlag"),
    ],
)
def test_exports_are_as_the_contract_says(client, kind, flag):
    """The detail of everything unposted of a kind, held against the models of the export."""
    answer = client.post("/finance/accounting/export", json={"batchIdentifier": kind, flag: True})

    assert answer.status_code == 200
    assert any(answer.json().get(name) for name in EXPORTED[kind])
    assert complaints(answer.json(), "GLExport") == []


def test_rights_are_those_of_the_members_roles(site):
    """`reader` sees every modelled list and writes nothing; `norights` sees the server's own information only."""
    with running(site) as server:
        for member, may_read in (("reader", True), ("norights", False)):
            account = server.account(member)
            keys = (f"{server.company}+{account.public_key}", account.private_key)
            with httpx.Client(
                base_url=server.url + BASE, auth=keys, headers={"clientId": server.client_id}
            ) as client:
                lists = [one for one in contract() if one.is_list and "{" not in one.template]
                seen = {
                    client.get(one.template, params={"pageSize": 1}).status_code for one in lists
                }
                assert seen == ({200} if may_read else {200, 403})
                assert client.get("/system/info").status_code == 200
                assert client.get("/finance/invoices").status_code == (200 if may_read else 403)
                batch = {
                    "batchIdentifier": "R",
                    "exportInvoicesFlag": True,
                    "processedRecordIds": [1],
                }
                assert client.post("/finance/accounting/batches", json=batch).status_code == 403


EXPORTED = {
    "invoices": ["transactions"],
    "expenses": ["expenseBills", "expenses"],
    "procurement": ["purchaseTransactions", "adjustmentTransactions", "inventoryTransfers"],
}


@pytest.mark.filterwarnings("ignore::DeprecationWarning:pyconnectwise")
@pytest.mark.filterwarnings("ignore::pydantic.warnings.PydanticDeprecatedSince20")
def test_a_client_of_others_reads_and_writes():
    """`pyconnectwise` finds the site, pages through its lists, batches an invoice and looks at payments.

    It parses the dates of the export, so the site sends ISO dates (connectwise.md 13).
    """
    from pyconnectwise import ConnectWiseManageAPIClient

    site = Site.fixtures(switches=Switches(iso_dates=True))
    with running(site, tls=True) as server, trusting(server.ca_file):
        api = ConnectWiseManageAPIClient(
            server.company, server.site, server.client_id, server.public_key, server.private_key
        )
        accounting = api.finance.accounting
        invoices = list(accounting.unpostedinvoices.paginated(1, 5).all())
        assert len(invoices) == accounting.unpostedinvoices.count.get().count
        assert len({row.id for row in invoices}) == len(invoices) > 5
        assert list(accounting.unpostedexpenses.paginated(1, 1000).all())
        assert list(accounting.unpostedprocurement.paginated(1, 3).all())
        one = accounting.unpostedinvoices.id(invoices[0].id).get()
        assert one.billing_log_id == invoices[0].billing_log_id
        batch_an_invoice(accounting, next(row for row in invoices if row.description))
        pay_an_invoice(api, invoices[1].billing_log_id)


@contextmanager
def trusting(ca_file):
    """The one way to tell that client whom to trust."""
    before = os.environ.get("REQUESTS_CA_BUNDLE")
    os.environ["REQUESTS_CA_BUNDLE"] = str(ca_file)
    try:
        yield
    finally:
        del os.environ["REQUESTS_CA_BUNDLE"]
        if before is not None:
            os.environ["REQUESTS_CA_BUNDLE"] = before


def batch_an_invoice(accounting, invoice):
    """Export, batch, find the batch, delete it."""
    wanted = {
        "batchIdentifier": "PYC-1",
        "exportInvoicesFlag": True,
        "includedInvoiceIds": [invoice.billing_log_id],
    }
    export = accounting.export.post(wanted)
    transaction = export.transactions[0]
    ids = [int(number) for number in transaction.gl_entry_ids.split(",")] + [
        line.id for line in transaction.detail
    ]
    accounting.batches.post(
        {"batchIdentifier": "PYC-1", "exportInvoicesFlag": True, "processedRecordIds": ids}
    )
    found = accounting.batches.get(params={"conditions": "batchIdentifier='PYC-1'"})
    assert [batch.batch_identifier for batch in found] == ["PYC-1"]
    assert len(accounting.batches.id(found[0].id).entries.get(params={"pageSize": 1000})) == len(
        ids
    )
    accounting.batches.id(found[0].id).delete()
    assert accounting.batches.get(params={"conditions": "batchIdentifier='PYC-1'"}) == []


def pay_an_invoice(api, invoice_id):
    """List, create and change the payment of an invoice."""
    payments = api.finance.invoices.id(invoice_id).payments
    assert payments.get() == []
    created = payments.post(
        {
            "type": "P",
            "amount": 5.0,
            "paymentDate": "2026-11-02T00:00:00Z",
            "invoice": {"id": invoice_id},
        }
    )
    payments.id(created.id).patch([{"op": "replace", "path": "/amount", "value": 6.5}])
    assert [Decimal(str(payment.amount)) for payment in payments.get()] == [Decimal("6.5")]
