"""What durability costs: a push to the embedded company against the same rows written by plain sqlite3.

    python benchmarks/push.py [documents ...]

Timed is the whole push of invoices of six lines and a tax line: claim, checks, intents, three durable commits
a document (sending, the company's own, outcome), batch and report. ConnectWise is a stand-in that answers at
once. The floor, in the same run, writes the very rows that the push left, prepared beforehand, into
copies of the files it began with: intents in one commit, then the same three commits a document.
"""

from __future__ import annotations

import argparse
import platform
import shutil
import sqlite3
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
from plan import export

from sage50kit.batch.mapping import Setup
from sage50kit.batch.planning import Detail, freeze, prepare
from sage50kit.batch.push import push
from sage50kit.connectors.embedded import EmbeddedCompany, create_company, read_lists
from sage50kit.connectwise import wire
from sage50kit.profile import PushSettings
from sage50kit.pushlog import PushLog

if TYPE_CHECKING:
    from sage50kit.model import Plan

LISTS = Path(__file__).parents[1] / "data" / "fixtures" / "company"


class AtOnce:
    """A ConnectWise that takes no time: what it answers is made beforehand."""

    name = "site"

    def __init__(self, plan: Plan) -> None:
        self._unposted = {row.key: frozenset(row.entry_ids) for row in plan.transactions}
        ids = [entry for row in plan.transactions for entry in row.entry_ids]
        self._entries = [wire.BatchEntry(id=entry) for entry in ids]
        self._batch: wire.AccountingBatch | None = None

    def find_batch(self, _batch: str) -> wire.AccountingBatch | None:
        return self._batch

    def unposted_entries(self, _kinds: object) -> dict[str, frozenset[int]]:
        return self._unposted

    def create_batch(self, batch: str, *, kinds: object, entry_ids: object) -> None:
        del kinds, entry_ids
        self._batch = wire.AccountingBatch(id=1, batch_identifier=batch)

    def batch_entries(self, _batch_id: int) -> list[wire.BatchEntry]:
        return self._entries


def made(count: int) -> Plan:
    """A plan of `count` invoices."""
    books, _ = read_lists(LISTS)
    transactions, payload = export(count)
    words = {"books": books, "setup": Setup(), "push": PushSettings()}
    prepared = prepare(transactions, Detail(invoices=payload), **words)
    return freeze(prepared, batch="BENCH-I", site="site", company="Bench")


def pushed(plan: Plan, folder: Path) -> float:
    """Seconds of a push into new files; copies of the empty ones stay beside them."""
    books, _ = read_lists(LISTS)
    create_company(folder / "company", books, name="Bench").close()
    PushLog(folder / "log", site="site", actor="bench", company="Bench").close()
    for name in ("company", "log"):
        shutil.copy(folder / name, folder / f"{name}.floor")
    company = EmbeddedCompany(folder / "company")
    log = PushLog(folder / "log", site="site", actor="bench", company="Bench")
    connectwise: Any = AtOnce(plan)
    started = time.perf_counter()
    done = push(plan, company=company, connectwise=connectwise, log=log)
    seconds = time.perf_counter() - started
    company.close()
    log.close()
    assert done.counts["posted"] == len(plan.documents), done
    return seconds


def rows(path: Path, query: str) -> list[tuple[Any, ...]]:
    """What a file holds."""
    with closing(sqlite3.connect(path)) as db:
        return db.execute(query).fetchall()


def by_document(path: Path, table: str) -> dict[int, list[tuple[Any, ...]]]:
    """What a table of the company holds of each document."""
    at = [row[1] for row in rows(path, f"PRAGMA table_info({table})")].index("document_id")
    found: dict[int, list[tuple[Any, ...]]] = {}
    for row in rows(path, f"SELECT * FROM {table}"):
        found.setdefault(row[at], []).append(row)
    return found


def insert(table: str, example: tuple[Any, ...]) -> str:
    """The statement that writes a row."""
    return f"INSERT INTO {table} VALUES ({','.join('?' * len(example))})"


def floor(folder: Path) -> float:
    """Seconds that plain sqlite3 needs for the same rows and the same commits."""
    log_rows = {
        name: rows(folder / "log", f"SELECT * FROM {name}")
        for name in ("documents", "transactions", "batches")
    }
    names = [row[1] for row in rows(folder / "log", "PRAGMA table_info(events)")]
    kind, seq, head = names.index("kind"), names.index("seq"), names.index("hash")
    events = rows(folder / "log", "SELECT * FROM events ORDER BY seq")
    intents = [row for row in events if row[kind] in ("plan", "planned")]
    sendings = [row for row in events if row[kind] == "sending"]
    outcomes = [row for row in events if row[kind] == "posted"]
    places = rows(folder / "log", "SELECT place, key, batch FROM documents ORDER BY position")
    documents = rows(folder / "company", "SELECT * FROM document ORDER BY id")
    entries = by_document(folder / "company", "entry")
    moves = by_document(folder / "company", "stock_move")
    columns = [row[1] for row in rows(folder / "company", "PRAGMA table_info(document)")]
    amount, party = columns.index("control_amount"), columns.index("party_key")
    with (
        closing(opened(folder / "log.floor")) as log,
        closing(opened(folder / "company.floor")) as db,
    ):
        for table in ("customer", "item"):  # those that the push created are not timed
            lists = rows(folder / "company", f"SELECT * FROM {table}")
            db.executemany(insert(table, lists[0]).replace("INSERT", "INSERT OR IGNORE"), lists)
        add_event, add_document = insert("events", events[0]), insert("document", documents[0])
        first = documents[0][0]
        add_entry = insert("entry", entries[first][0])
        add_move = insert("stock_move", moves[first][0])
        mark = (
            "UPDATE documents SET state = ?, place = ? WHERE company = 'Bench' AND site = 'site' "
            "AND batch = ? AND key = ? AND generation = 1 AND part = 1"
        )
        move = "UPDATE logs SET events = ?, head = ? WHERE company = 'Bench'"
        balance = "UPDATE customer SET balance = balance + ? WHERE key = ?"
        started = time.perf_counter()
        log.execute("BEGIN IMMEDIATE")
        log.executemany(add_event, intents)
        for name, content in log_rows.items():
            log.executemany(insert(name, content[0]), content)
        log.execute("COMMIT")
        for sending, outcome, (place, key, batch), document in zip(
            sendings, outcomes, places, documents, strict=True
        ):
            log.execute("BEGIN IMMEDIATE")
            log.execute(add_event, sending)
            log.execute(mark, ("sending", "", batch, key))
            log.execute(move, (sending[seq], sending[head]))
            log.execute("COMMIT")
            db.execute("BEGIN IMMEDIATE")
            db.execute(add_document, document)
            db.executemany(add_entry, entries[document[0]])
            db.executemany(add_move, moves[document[0]])
            db.execute(balance, (document[amount], document[party]))
            db.execute("COMMIT")
            log.execute("BEGIN IMMEDIATE")
            log.execute(add_event, outcome)
            log.execute(mark, ("posted", place, batch, key))
            log.execute(move, (outcome[seq], outcome[head]))
            log.execute("COMMIT")
        return time.perf_counter() - started


def opened(path: Path) -> sqlite3.Connection:
    """A file with the settings of the push."""
    db = sqlite3.connect(path, isolation_level=None)
    settings = (
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
        "cache_size = -32000",
    )
    for setting in settings:
        db.execute(f"PRAGMA {setting}")
    return db


def main() -> None:
    """Print seconds of both, best of some rounds, and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("documents", nargs="*", type=int, default=[2_000, 20_000])
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    # The report's pandas is loaded before anything is timed.
    versions = f"python {platform.python_version()}, sqlite {sqlite3.sqlite_version}, pandas {pd.__version__}"
    print(f"{versions} on {platform.machine()}, {sys.platform}")
    for size in options.documents:
        plan = made(size)
        times = list[tuple[float, float]]()
        for _ in range(options.rounds):
            with tempfile.TemporaryDirectory() as folder:
                times.append((pushed(plan, Path(folder)), floor(Path(folder))))
        ours, base = min(one for one, _ in times), min(one for _, one in times)
        ratios = ", ".join(f"{one / other:.2f}" for one, other in times)
        print(
            f"{size:>8} documents: push {ours:7.2f} s, {1000 * ours / size:5.2f} ms a document; floor "
            f"{base:7.2f} s; {ours / base:5.2f} x the floor (rounds: {ratios})"
        )


if __name__ == "__main__":
    main()
