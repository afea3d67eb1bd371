"""A generated provider, pushed whole: nothing is lost, everything balances, both systems agree."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from beancount import loader
from beancount.core import inventory, realization

from sage50kit.connectors.embedded import create_company
from sage50kit.connectors.ledger import export_ledger
from sage50kit.kit import Kit
from sage50kit.profile import Profile, secret_variable
from sage50kit.sandbox import generator
from sage50kit.sandbox.serve import running
from sage50kit.sandbox.state import Site

if TYPE_CHECKING:
    from collections.abc import Iterator


pytestmark = pytest.mark.slow

INVOICES = 400  # with a tenth of each other kind: more than 500 documents


@pytest.fixture(scope="module")
def pushed(tmp_path_factory) -> Iterator[tuple[Kit, object, object, object]]:
    """The kit, what was fetched, the plan and the report of one push of everything."""
    folder = tmp_path_factory.mktemp("generated")
    pair = generator.generate(INVOICES, 11)
    create_company(
        folder / "c.company", pair.books, name="Generated", opening_stock=pair.opening_stock
    ).close()
    patch = pytest.MonkeyPatch()
    with running(Site.load(pair.dataset)) as site:
        patch.setenv(secret_variable("generated", "public_key"), site.public_key)
        patch.setenv(secret_variable("generated", "private_key"), site.private_key)
        profile = Profile.parse(
            {
                "name": "generated",
                "connectwise": {
                    "site": site.site,
                    "company": site.company,
                    "client_id": site.client_id,
                },
                "sage": {"company_file": "c.company"},
                "push": {
                    "rounding_account": "6900",
                    "create": ["customer", "vendor", "item", "member"],
                },
            },
            folder=folder,
        )
        with Kit(profile) as kit:
            fetched = kit.fetch()
            plan = kit.plan(fetched, batch="GENERATED")
            yield kit, fetched, plan, kit.push(plan, dry_run=False)
    patch.undo()


def test_nothing_disappears(pushed):
    """Every fetched transaction is posted, refused, or batched with a reason."""
    _, fetched, plan, report = pushed
    documents = {key: row for row in plan.documents for key in row.transactions}
    silent = {row.key for row in plan.transactions if row.disposition != "post"}

    assert set(fetched["key"]) == set(documents) | silent
    assert not set(documents) & silent
    assert len(report.documents) == len(plan.documents) > 500
    assert set(report.documents["state"]) == {"posted", "refused"}


def test_every_document_balances_and_keeps_the_total_of_connectwise(pushed):
    """Each total is the one ConnectWise lists; stock decreases are valued by Sage."""
    _, fetched, plan, _ = pushed
    listed = dict(zip(fetched["key"], fetched["total"], strict=True))
    for document in plan.documents:
        if document.type in ("sales_invoice", "credit_memo") or document.key.startswith("receipt"):
            assert document.source_total == listed[document.key], document.number
        assert document.control_amount + sum(row.amount for row in document.distributions) == 0


def test_both_systems_agree(pushed):
    """Verification finds every posted document equal in ConnectWise, log and books."""
    kit, _, _, report = pushed
    verification = kit.verify("GENERATED")

    assert list(verification.findings["message"]) == []
    assert verification.ok
    assert verification.totals["documents"] == report.counts["posted"]
    assert kit.company.differences() == []


def test_what_was_refused_stays_unposted_and_nothing_else(pushed):
    """The unposted lists hold the refused transactions only."""
    kit, _, _, report = pushed
    refused = report.documents[report.documents["state"] == "refused"]

    assert set(kit.fetch()["key"]) == {label.partition("#")[0] for label in refused["label"]}


def test_pushing_the_same_plan_again_changes_nothing(pushed):
    """The second push repeats the report and posts nothing."""
    kit, _, plan, report = pushed
    before = len(kit.company.documents())
    again = kit.push(plan, dry_run=False)

    assert len(kit.company.documents()) == before
    assert (again.headline, again.counts, again.totals) == (
        report.headline,
        report.counts,
        report.totals,
    )


def test_the_log_is_whole(pushed):
    """The chain of the push log verifies after hundreds of documents."""
    assert pushed[0].log.verify() == []


def trial_balance(kit: Kit) -> dict[str, Decimal]:
    return {account: amount for account, amount in kit.company.trial_balance().items() if amount}


def test_hledger_agrees(pushed, tmp_path):
    """hledger accepts the journal of more than 500 documents and gives the same trial balance."""
    kit = pushed[0]
    program = shutil.which("hledger")
    assert program, "hledger is missing; run.py test installs it"
    journal = tmp_path / "company.journal"
    journal.write_text(export_ledger(kit.company, "hledger"), encoding="utf-8")
    subprocess.run([program, "-f", str(journal), "check"], check=True)
    command = [program, "-f", str(journal), "bal", "--flat", "--no-total", "-O", "csv"]
    lines = subprocess.run(command, check=True, capture_output=True, encoding="utf-8").stdout
    found = Counter()
    for account, amount in re.findall(r'^"\w+:(\S+) [^"]*","([^"]*)"$', lines, re.MULTILINE):
        found[account] += Decimal(re.sub(r"[^0-9.-]", "", amount))

    assert dict(found) == trial_balance(kit)


def test_beancount_agrees(pushed, tmp_path):
    """beancount accepts the same ledger without an error and gives the same trial balance."""
    kit = pushed[0]
    path = Path(tmp_path / "company.beancount")
    path.write_text(export_ledger(kit.company, "beancount"), encoding="utf-8")
    entries, errors, _ = loader.load_file(str(path))
    assert errors == []
    found = {}
    for account in realization.iter_children(realization.realize(entries)):
        if isinstance(account.balance, inventory.Inventory) and not account.balance.is_empty():
            found[account.account.rpartition(":")[2][2:]] = (
                account.balance.get_only_position().units.number
            )

    assert found == trial_balance(kit)
