"""How long validating and planning takes, and whether it grows in proportion to the documents.

    python benchmarks/plan.py [documents ...]

Exports of six lines and a tax line a document are parsed beforehand; what is timed is drafting the
documents, all checks, and freezing the plan with its fingerprint; the proof's entries and totals beside it.
The floor, in the same run, is building the same number of Decimal line amounts and summing them.
"""

from __future__ import annotations

import argparse
import copy
import json
import platform
import sys
import time
from datetime import date
from decimal import Decimal
from pathlib import Path

from sage50kit.batch.mapping import Setup
from sage50kit.batch.planning import Detail, freeze, prepare
from sage50kit.batch.proof import Proof
from sage50kit.connectors.embedded import read_lists
from sage50kit.connectwise import wire
from sage50kit.model import Transaction
from sage50kit.profile import PushSettings

LINES = 6
SAMPLE = Path(__file__).parent / "data" / "invoice.json"


def export(count: int) -> tuple[list[Transaction], wire.GLExport]:
    """`count` invoices of six lines and one tax line, ids in a row."""
    template = json.loads(SAMPLE.read_text(encoding="utf-8"), parse_float=Decimal)
    invoices, transactions, entry = [], [], 1_000_000
    for number in range(1, count + 1):
        invoice = copy.deepcopy(template)
        invoice["id"], invoice["documentNumber"] = number, str(40_000 + number)
        invoice["glEntryIds"] = str(entry)
        for row in invoice["detail"]:
            entry += 1
            row["id"] = entry
        entry += 1
        invoices.append(invoice)
        transactions.append(
            Transaction(
                key=f"invoice:{number}",
                kind="invoice",
                type="Standard",
                number=str(40_000 + number),
                date=date(2026, 10, 5),
                party="Customer",
                party_id="C",
                total=invoice["total"],
                entry_ids=(entry,),
            )
        )
    return transactions, wire.GLExport.model_validate({"transactions": invoices})


def main() -> None:
    """Print the seconds for each size and their ratio to the floor."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("documents", nargs="*", type=int, default=[1_000, 10_000, 100_000])
    sizes = parser.parse_args().documents
    books, _ = read_lists(Path(__file__).parents[1] / "data" / "fixtures" / "company")
    print(f"python {platform.python_version()} on {platform.machine()}, {sys.platform}")
    for size in sizes:
        transactions, payload = export(size)
        started, used = time.perf_counter(), time.process_time()
        words = {"books": books, "setup": Setup(), "push": PushSettings()}
        prepared = prepare(transactions, Detail(invoices=payload), **words)
        plan = freeze(prepared, batch="BENCH-I", site="site", company="company")
        digest = plan.fingerprint[:8]
        seconds, cpu = time.perf_counter() - started, time.process_time() - used
        started = time.perf_counter()
        totals = Proof(plan=plan, books=books).totals
        proof_seconds = time.perf_counter() - started
        print(
            f"{size:>8} documents: {seconds:6.2f} s ({cpu:6.2f} s of CPU), {size / seconds:6.0f} documents/s, "
            f"{seconds / floor(size):5.0f} x the floor; proof {proof_seconds:5.2f} s, "
            f"debits {totals['debits']}, plan {digest}"
        )


def floor(size: int) -> float:
    """Seconds to build and sum the line amounts alone, the best of five."""
    seconds = []
    for _ in range(5):
        started = time.perf_counter()
        sum((Decimal("12.34") for _ in range(size * LINES)), Decimal(0))
        seconds.append(time.perf_counter() - started)
    return min(seconds)


if __name__ == "__main__":
    main()
