"""How many requests and how much time a payment sync takes, against the bare requests.

    python benchmarks/payments.py [--invoices 10000] [--changed 300] [--rounds 3]

A site is served by a process of its own, which counts the requests. All invoices are open and partly
paid; before each round some of them are paid further in Sage. Then *kit* runs a full pass: it looks
every invoice up, plans and writes. *bare* sends the same number of requests of the same kind, as many at a time,
and only takes the answers: the same invoices by a hundred ids, the same payments with their amounts.
"""

from __future__ import annotations

import argparse
import json
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
from pydantic import SecretStr

from sage50kit.connectors.embedded import EmbeddedCompany, create_company, read_lists
from sage50kit.connectwise.access import Credentials
from sage50kit.connectwise.client import Client
from sage50kit.connectwise.payments import FIELDS, InvoicePayments
from sage50kit.model import Distribution, Document
from sage50kit.payments import apply, planning, receipts
from sage50kit.payments.record import PaymentRecord
from sage50kit.profile import ConnectWiseSettings
from sage50kit.pushlog import PushLog
from sage50kit.sandbox.dataset import fixtures_folder

FIRST_ID, FIRST_NUMBER, DAY = 100_000, 20_000, date(2026, 10, 1)
CUSTOMER, CUSTOMER_AT_SITE = "HILLSCHOOL", 103
AT_ONCE, TOGETHER = 8, 100
TIME_LIMIT = 1.5
MEMORY = Path("/dev/shm")


def serve(invoices: int) -> None:
    """Serve the invoices; each line on standard input is answered with the requests since the last."""
    from sage50kit.sandbox import dataset
    from sage50kit.sandbox.faults import Faults
    from sage50kit.sandbox.serve import running
    from sage50kit.sandbox.state import Site

    content = dataset.read(fixtures_folder() / "connectwise.json")
    line = {"kind": "time", "price": "100.00", "description": "Visit"}
    content = {name: content[name] for name in ("format", "name", "loginCompany", "tables")}
    content["invoices"] = [
        {
            "id": FIRST_ID + place,
            "invoiceNumber": str(FIRST_NUMBER + place),
            "type": "Standard",
            "company": CUSTOMER_AT_SITE,
            "date": DAY.isoformat(),
            "lines": [line],
            "taxable": False,
        }
        for place in range(invoices)
    ]
    faults = Faults()
    with running(Site.load(content), faults=faults) as server:
        words = {"site": server.site, "company": server.company, "client_id": server.client_id}
        keys = {"user": server.public_key, "secret": server.private_key}
        print(json.dumps({"settings": words, "keys": keys}), flush=True)
        while sys.stdin.readline():
            seen = [row for row in faults.seen if "/login/" not in row.path]
            writes = sum(row.method != "GET" for row in seen)
            faults.seen.clear()
            print(json.dumps({"reads": len(seen) - writes, "writes": writes}), flush=True)


class Server:
    """The process that serves."""

    def __init__(self, invoices: int) -> None:
        command = [sys.executable, __file__, "--role", "serve", "--invoices", str(invoices)]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        self.where = json.loads(self._process.stdout.readline())

    def counted(self) -> dict[str, int]:
        """Reads and writes since the last time."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return dict(json.loads(self._process.stdout.readline()))

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


def books(folder: Path, invoices: int) -> EmbeddedCompany:
    """The company with all invoices; it is filled in memory where there is a folder for that."""
    path = folder / "a.company"
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as name:
        fill(Path(name) / "a.company", invoices)
        shutil.copy(Path(name) / "a.company", path)
    return EmbeddedCompany(path)


def fill(path: Path, invoices: int) -> None:
    """Post every invoice."""
    lists, stock = read_lists(fixtures_folder() / "company")
    company = create_company(path, lists, name="Benchmark", opening_stock=stock)
    for place in range(invoices):
        number = str(FIRST_NUMBER + place)
        key = f"invoice:{FIRST_ID + place}"
        company.post(
            Document(
                type="sales_invoice",
                key=key,
                transactions=(key,),
                number=number,
                reference=number,
                posting_date=DAY,
                document_date=DAY,
                distributions=(Distribution(account_id="4000", amount=Decimal(-100)),),
                control_account_id="1100",
                control_amount=Decimal(100),
                party_id=CUSTOMER,
            )
        )
    company.close()


def pay(company: Any, name: str, places: range) -> None:
    """A dollar for each of some invoices, a hundred on a check."""
    for start in range(places.start, places.stop, TOGETHER):
        part = range(start, min(start + TOGETHER, places.stop))
        applied = {str(FIRST_NUMBER + place): Decimal(1) for place in part}
        company.enter_receipt(CUSTOMER, reference=f"{name} {start}", date=DAY, applied=applied)


def sync(company: Any, client: Client, log: PushLog, *, full: bool) -> Any:
    """One run of the sync."""
    record = PaymentRecord(log, company.name)
    known = record.known()
    connectwise = InvoicePayments(client)
    ends = {"connectwise": connectwise, "site": client.name, "company": company.name}
    reading = receipts.read(company, known, full=full, today=DAY)
    plan = planning.plan(reading, known, currency="USD", **ends)
    return apply.apply(plan, company=company, connectwise=connectwise, log=log, record=record)


def bare(
    where: dict[str, Any], base: str, ids: list[int], payments: list[tuple[int, int]]
) -> float:
    """Seconds of the same requests, answers taken and forgotten."""
    keys, settings = where["keys"], ConnectWiseSettings(**where["settings"])
    with httpx.Client(
        auth=(f"{settings.company}+{keys['user']}", keys["secret"]),
        headers={"clientId": settings.client_id},
        limits=httpx.Limits(max_connections=AT_ONCE),
        timeout=120,
    ) as http:

        def read(part: list[int]) -> None:
            conditions = f"id in ({','.join(map(str, part))})"
            words = {"conditions": conditions, "fields": FIELDS, "pageSize": 1000, "page": 1}
            http.get(f"{base}/finance/invoices", params=words).raise_for_status()

        def write(one: tuple[int, int]) -> None:
            change = [{"op": "replace", "path": "amount", "value": 1}]
            path = f"{base}/finance/invoices/{one[0]}/payments/{one[1]}"
            http.patch(path, json=change).raise_for_status()

        parts = [ids[start : start + TOGETHER] for start in range(0, len(ids), TOGETHER)]
        started = time.perf_counter()
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(read, parts))
            list(pool.map(write, payments))
        return time.perf_counter() - started


def compare(invoices: int, changed: int, rounds: int) -> None:
    """Print requests and ratio of each round."""
    server = Server(invoices)
    settings = ConnectWiseSettings(**server.where["settings"])
    keys = server.where["keys"]
    print(f"python {platform.python_version()} on {platform.machine()}, {sys.platform}")
    ratios = []
    with (
        tempfile.TemporaryDirectory() as name,
        Client(settings, Credentials(keys["user"], SecretStr(keys["secret"]))) as client,
    ):
        folder = Path(name)
        company = books(folder, invoices)
        log = PushLog(folder / "a.pushlog", site=client.name, actor="benchmark")
        pay(company, "first", range(invoices))
        sync(company, client, log, full=False)
        first = server.counted()
        print(
            f"{invoices} open invoices; first run: {first['writes']} writes, {first['reads']} reads"
        )
        written = {row.invoice_id: row for row in PaymentRecord(log, company.name).known().written}
        rows = [(row.invoice_id, row.payment_id or 0) for row in list(written.values())[:changed]]
        for turn in range(rounds):
            pay(company, f"turn {turn}", range(changed))
            server.counted()
            started = time.perf_counter()
            report = sync(company, client, log, full=True)
            seconds = time.perf_counter() - started
            sent = server.counted()
            assert report.counts["change"] == changed, report.sentence
            floor = bare(server.where, client.base_url, sorted(written), rows)
            alone = server.counted()
            # As many requests as the kit sent; the site is put back afterwards.
            assert abs(sum(sent.values()) - sum(alone.values())) <= 10, (sent, alone)
            ratios.append(seconds / floor)
            print(
                f"  {sent['writes']} writes, {sent['reads']} reads (at most {changed} and "
                f"{invoices // 100 + 10})   bare {floor:6.2f} s   kit {seconds:6.2f} s   "
                f"ratio {seconds / floor:5.2f}"
            )
            restore(client, report)
        log.close()
        company.close()
    server.close()
    print(f"time ratio {statistics.median(ratios):5.2f}  (at most {TIME_LIMIT})")


def restore(client: Client, report: Any) -> None:
    """Write what the kit had written, which the bare requests overwrote."""
    connectwise = InvoicePayments(client)
    for row in report.outcomes:
        after = row.written
        connectwise.change(after.invoice_id, after.payment_id, after.amount, after.on)


def main() -> None:
    """Compare, or be the process that serves."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--invoices", type=int, default=10_000)
    parser.add_argument("--changed", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--role", choices=["serve"], help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.role == "serve":
        serve(chosen.invoices)
    else:
        compare(chosen.invoices, chosen.changed, chosen.rounds)


if __name__ == "__main__":
    main()
