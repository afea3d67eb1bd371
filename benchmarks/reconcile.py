"""How long reconciling open invoices takes, against bare reading of the same pages of ConnectWise.

    python benchmarks/reconcile.py [--invoices 10000] [--rounds 3]

A site with so many open invoices is served by a process of its own; the company holds each of them, some with
another total, some paid, some missing. Timed is `reconcile`: reading ConnectWise, open items and general
ledger, matching, classes, roll-forward. *bare* asks for the same pages, as many at a time, and parses
each with `json.loads`; *ageing* and the *page* with its workbook are timed beside it.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from sage50kit import Kit
from sage50kit.connectors.embedded import create_company, read_lists
from sage50kit.connectwise.client import LARGEST_PAGE
from sage50kit.connectwise.invoices import FIELDS, INVOICES
from sage50kit.demo import DemoProfile
from sage50kit.model import Distribution, Document
from sage50kit.reports import excel
from sage50kit.reports.receivables import reconciliation_page
from sage50kit.sandbox import dataset

if TYPE_CHECKING:
    from pydantic import SecretStr

AS_OF = date(2026, 10, 31)


def amount_of(number: int) -> Decimal:
    return Decimal(10_000 + number * 7 % 90_000).scaleb(-2)


def day_of(number: int) -> date:
    return AS_OF - timedelta(days=number % 28)


def serve(invoices: int) -> None:
    """Serve a site of open invoices until standard input ends."""
    from sage50kit.sandbox.serve import running
    from sage50kit.sandbox.state import Site

    content = dataset.read(dataset.fixtures_folder() / "connectwise.json")
    words = {name: content[name] for name in ("format", "name", "loginCompany", "tables")}
    made = [
        {
            "id": number,
            "invoiceNumber": f"N{number}",
            "type": "Standard",
            "company": 103,
            "date": day_of(number).isoformat(),
            "lines": [{"kind": "time", "quantity": "1", "price": str(amount_of(number))}],
            "taxable": False,
        }
        for number in range(1, invoices + 1)
    ]
    with running(Site.load({**words, "invoices": made})) as server:
        where = {"site": server.site, "company": server.company, "client_id": server.client_id}
        keys = {"public_key": server.public_key, "private_key": server.private_key}
        print(json.dumps({"connectwise": where, "keys": keys}), flush=True)
        sys.stdin.read()


def fill(folder: Path, invoices: int) -> None:
    """Enter the same invoices: each hundredth with another total, each fiftieth not at all."""
    books, stock = read_lists(dataset.fixtures_folder() / "company")
    with create_company(folder / "c", books, name="Bench", opening_stock=stock) as company:
        for number in range(1, invoices + 1):
            if number % 50 == 49:
                continue
            amount = amount_of(number) + (1 if number % 100 == 1 else 0)
            company.post(
                Document(
                    type="sales_invoice",
                    key=f"invoice:{number}",
                    transactions=(),
                    number=f"N{number}",
                    reference=f"N{number}",
                    posting_date=day_of(number),
                    document_date=day_of(number),
                    distributions=(Distribution(account_id="4000", amount=-amount),),
                    control_account_id="1100",
                    control_amount=amount,
                    party_id="HILLSCHOOL",
                )
            )


def profile_of(where: dict[str, Any], folder: Path) -> DemoProfile:
    sections = {"sage": {"company_file": "c"}, "push": {"initials": "JD"}, "workdir": "work"}
    made = DemoProfile.parse({"name": "bench", **where, **sections}, folder=folder)
    assert isinstance(made, DemoProfile)
    return made


def bare(profile: DemoProfile, url: str, invoices: int) -> float:
    """Seconds for the same pages, as many at a time, each parsed and forgotten."""
    settings = profile.connectwise
    pages = range(1, -(-invoices // LARGEST_PAGE) + 1)
    secret: SecretStr = profile.keys["private_key"]
    user = f"{settings.company}+{profile.keys['public_key'].get_secret_value()}"
    with httpx.Client(
        auth=(user, secret.get_secret_value()),
        headers={"clientId": settings.client_id},
        timeout=120,
    ) as http:
        query = {"pageSize": LARGEST_PAGE, "fields": FIELDS}

        def read(page: int) -> int:
            return len(json.loads(http.get(url, params={**query, "page": page}).content))

        started = time.perf_counter()
        with ThreadPoolExecutor(settings.requests_at_once) as pool:
            rows = sum(pool.map(read, pages))
        assert rows == invoices, "not the same rows"
        return time.perf_counter() - started


def measure(profile: DemoProfile, invoices: int) -> dict[str, float]:
    """Seconds of each step in one turn."""
    with Kit(profile) as kit:
        url = kit.connectwise.client.base_url + INVOICES
        alone = bare(profile, url, invoices)
        started = time.perf_counter()
        found = kit.reconcile(as_of=AS_OF)
        reconciled = time.perf_counter()
        kit.ageing(as_of=AS_OF)
        aged = time.perf_counter()
        excel.workbook(reconciliation_page(found))
        drawn = time.perf_counter()
    assert found.is_proven
    assert found.counts["amount_differs"] == invoices // 100
    assert found.counts["only_in_connectwise"] == invoices // 50
    return {
        "bare": alone,
        "reconcile": reconciled - started,
        "ageing": aged - reconciled,
        "page": drawn - aged,
    }


def main() -> None:
    """Print seconds and the ratio of each turn."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--invoices", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.serve:
        serve(chosen.invoices)
        return
    command = [sys.executable, __file__, "--serve", "--invoices", str(chosen.invoices)]
    with (
        tempfile.TemporaryDirectory() as name,
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as server,
    ):
        assert server.stdin is not None
        assert server.stdout is not None
        try:
            where = json.loads(server.stdout.readline())
            fill(Path(name), chosen.invoices)
            profile = profile_of(where, Path(name))
            measure(profile, chosen.invoices)  # the site works out its rows once
            turns = [measure(profile, chosen.invoices) for _ in range(chosen.rounds)]
        finally:
            server.stdin.close()
    print(f"python {platform.python_version()} on {platform.machine()}, {sys.platform}")
    print(f"{chosen.invoices} open invoices")
    for turn in turns:
        print("  " + "   ".join(f"{name} {seconds:5.2f} s" for name, seconds in turn.items()))
    ratio = statistics.median(turn["reconcile"] / turn["bare"] for turn in turns)
    print(f"reconcile takes {ratio:.1f} times the bare reading of the same pages")


if __name__ == "__main__":
    main()
