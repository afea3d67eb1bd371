"""The judge: a plain model of both ledgers, and what must hold between them whatever happened.

It shares no code with the push. The books are read by plain SQL, the log likewise, ConnectWise from the
records of its site; what a record should have become is written here once more, from the rules.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections import Counter, defaultdict
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sage50kit.sandbox.closing import Closed
    from sage50kit.simulator.world import World

RECEIVABLES = "1100"
COMPANY_CARD = 3  # payment method: the member is owed nothing
CENT = Decimal("0.01")


@dataclass(frozen=True)
class Booked:
    """A document as it stands in the books."""

    label: str
    type: str
    total: Decimal
    control: Decimal
    lives: bool

    @property
    def base(self) -> str:
        """The document in every generation: `adjustment:82-adjustment/2`."""
        return self.label.partition("#")[0]

    @property
    def key(self) -> str:
        """The transaction: `adjustment:82-adjustment`."""
        return self.base.partition("/")[0]


@dataclass(frozen=True)
class Due:
    """What a ConnectWise record should have become: one document; `total` None where Sage values it."""

    base: str
    total: Decimal | None


def judge(world: World) -> list[str]:
    """Everything that is wrong at the end, one sentence each."""
    books, entries = read_books(world.file)
    log = Log(world.log_file)
    return [
        *_twice(books),
        *_batches(world, books, log),
        *_unbatched(world, books, log),
        *_expense_bills(world, books, log),
        *_ledger(books, entries, read_books(world.original)[1]),
        *_log(world, books, log),
    ]


# --- reading ----------------------------------------------------------------------------------


def read_books(file: Path) -> tuple[list[Booked], list[tuple[int, str, int]]]:
    """The documents that came from ConnectWise, and every entry (document, account, cents)."""
    with closing(sqlite3.connect(file)) as db:
        rows = db.execute(
            "SELECT label, type, total, control_amount, voided_by IS NULL FROM document "
            "WHERE label <> '' AND void_of IS NULL ORDER BY id"
        )
        documents = [
            Booked(label, kind, Decimal(total) / 100, Decimal(control) / 100, bool(lives))
            for label, kind, total, control, lives in rows
        ]
        entries = db.execute("SELECT document_id, account_id, amount FROM entry").fetchall()
    return documents, entries


# What was never sent, or was found gone before its batch was made.
NOT_SENT = ("planned", "joining", "refused", "unbatched")


class Log:
    """The push log as it lies on the disk."""

    def __init__(self, file: Path) -> None:
        self.events: list[dict[str, Any]] = []
        self.states: dict[str, set[str]] = defaultdict(set)  # by label, of all batches
        self.older: set[str] = set()  # labels that a later generation has taken the place of
        self.sent: set[str] = set()  # batches of which something has left the machine
        self.batches: dict[str, str] = {}
        self.end: tuple[int, str] = (0, "")  # how many events there are, and the hash of the last
        self.transactions: dict[str, set[str]] = defaultdict(set)  # by batch
        if not file.exists():
            return
        with closing(sqlite3.connect(file)) as db:
            db.row_factory = sqlite3.Row
            self.events = [dict(row) for row in db.execute("SELECT * FROM events ORDER BY seq")]
            self.end = tuple(db.execute("SELECT events, head FROM logs").fetchone() or (0, ""))
            self.batches = dict(db.execute("SELECT batch, state FROM batches").fetchall())
            query = "SELECT key, part, generation, state, batch FROM documents ORDER BY rowid"
            for row in db.execute(query):
                label = _label(row["key"], row["part"], row["generation"])
                self.states[label].add(row["state"])
                before = range(1, row["generation"])
                self.older |= {_label(row["key"], row["part"], number) for number in before}
                self.sent |= {row["batch"]} if row["state"] not in NOT_SENT else set()
            for batch, content in db.execute("SELECT batch, content FROM batches"):
                keys = {row["key"] for row in json.loads(content)["transactions"]}
                self.transactions[batch] |= keys

    def open_batches(self) -> set[str]:
        """Batches of which something was sent and that have not come to their end."""
        begun = {batch for batch, state in self.batches.items() if state == "planned"} & self.sent
        halfway = ("creating", "rerunning")
        return begun | {batch for batch, state in self.batches.items() if state in halfway}

    def in_doubt(self) -> set[str]:
        """Keys of the transactions in open batches: shown, and waiting for somebody."""
        return {key for batch in self.open_batches() for key in self.transactions[batch]}


def _label(key: str, part: int, generation: int) -> str:
    return key + (f"/{part}" if part > 1 else "") + (f"#{generation}" if generation > 1 else "")


# --- what a record should have become ---------------------------------------------------------


def due(closed: Closed) -> list[Due]:
    """The documents of one record; bills of expenses are looked at together."""
    if closed.kind == "invoice":
        charged = [line for line in closed.record.lines if line.amount]
        return [Due(closed.key, abs(closed.total))] if charged else []
    if closed.kind == "purchase":
        return [Due(closed.key, closed.total)]
    if closed.kind == "adjustment":
        return [
            Due(
                closed.key + (f"/{part}" if part > 1 else ""),
                _cents(line.quantity * line.unit_cost) if line.quantity > 0 else None,
            )
            for part, line in enumerate(closed.record.lines, start=1)
        ]
    if closed.kind == "transfer" and len({entry.account.segments for entry in closed.entries}) > 1:
        worth = sum((line.quantity * line.unit_cost for line in closed.record.lines), Decimal(0))
        return [Due(closed.key, _cents(worth))]
    return []


def owed(closed: Closed) -> Decimal:
    """What a member is owed for an expense."""
    expense = closed.record
    paid_back = expense.classification == "Reimbursable"
    return expense.amount if paid_back and expense.payment_method != COMPANY_CARD else Decimal(0)


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(CENT)


# --- what must hold ---------------------------------------------------------------------------


def _twice(books: list[Booked]) -> Iterator[str]:
    living = Counter(row.base for row in books if row.lives)
    for base, count in living.items():
        if count > 1:
            yield f"{base} stands in the books {count} times"


def _batches(world: World, books: list[Booked], log: Log) -> Iterator[str]:
    """A batch holds whole records, and each of them stands in the books with ConnectWise's total."""
    living = {row.base: row for row in books if row.lives}
    for number in world.batches:
        found = world.site.ledger.named(number)
        if found is None:
            continue
        for key in world.members(number):
            closed = world.closed()[key]
            if any(entry.batch != found.id for entry in closed.entries):
                yield f"{number} holds a part of {key} only"
            if number not in world.deeds.cleared:
                yield from _stands(world, number, closed, living)
        if log.batches.get(number) != "created" and not world.members(number) & log.in_doubt():
            yield f"{number} exists in ConnectWise and is {log.batches.get(number)} in the log"


def _stands(world: World, number: str, closed: Closed, living: dict[str, Booked]) -> Iterator[str]:
    deeds = world.deeds
    excused = {label.partition("#")[0] for label in deeds.voided | deeds.lost}
    edited = {label.partition("#")[0] for label in deeds.changed}
    for wanted in due(closed):
        there = living.get(wanted.base)
        if there is None:
            if wanted.base not in excused:
                yield f"{number} holds {closed.key}, but {wanted.base} is not in the books"
        elif wanted.total is not None and there.total != wanted.total and wanted.base not in edited:
            yield f"{wanted.base} is {there.total} in the books and {wanted.total} in ConnectWise"


def _unbatched(world: World, books: list[Booked], log: Log) -> Iterator[str]:
    """What stands in the books is in a batch, unless somebody took it out or it waits for somebody."""
    waiting = log.in_doubt() | world.deeds.unbatched | world.deeds.reopened
    # One part voided or lost, the other stands: partly posted is shown and never batched.
    parted = {row.key for row in books if "/" in row.label}
    gone = {
        label.partition("#")[0].partition("/")[0] for label in world.deeds.voided | world.deeds.lost
    }
    waiting = waiting | (parted & gone)
    batched = {key for number in world.batches for key in world.members(number)}
    for row in books:
        by_hand = row.label in world.deeds.typed
        if row.lives and not by_hand and row.key not in batched | waiting:
            yield f"{row.label} is in the books, but in no batch"


def _expense_bills(world: World, books: list[Booked], log: Log) -> Iterator[str]:
    """Bills of expenses together are what the batched expenses are worth."""
    deeds = world.deeds
    touched = deeds.voided | deeds.lost | deeds.changed | deeds.unbatched | log.in_doubt()
    if any(label.startswith("expense:") for label in touched):
        return
    numbers = [number for number in world.batches if number not in deeds.cleared]
    batched = {key for number in numbers for key in world.members(number)}
    records = [world.closed()[key] for key in batched if key.startswith("expense:")]
    wanted = sum((owed(row) for row in records), Decimal(0))
    bills = [row for row in books if row.lives and row.key.startswith("expense:")]
    there = sum((row.total for row in bills if row.type == "purchase"), Decimal(0))
    if there != wanted:
        yield f"expense bills are {there} in the books and {wanted} in ConnectWise"


def _ledger(
    books: list[Booked],
    entries: list[tuple[int, str, int]],
    opening: list[tuple[int, str, int]],
) -> Iterator[str]:
    """Every document balances, and receivables are what the living documents say."""
    sums: Counter[int] = Counter()
    for document, _, amount in entries:
        sums[document] += amount
    for document, amount in sums.items():
        if amount:
            yield f"document {document} is out of balance by {amount} cents"
    change = _receivables(entries) - _receivables(opening)
    wanted = sum(row.control for row in books if row.lives and row.type in SALES)
    if change != wanted:
        yield f"receivables moved by {change}, the documents by {wanted}"


SALES = ("sales_invoice", "credit_memo")


def _receivables(entries: list[tuple[int, str, int]]) -> Decimal:
    return Decimal(sum(row[2] for row in entries if row[1] == RECEIVABLES)) / 100


def _log(world: World, books: list[Booked], log: Log) -> Iterator[str]:
    """The chain is whole, and the log says of each document what the books say."""
    yield from _chain(log)
    living = {row.label for row in books if row.lives}
    deeds = world.deeds
    for label, states in log.states.items():
        excused = label in deeds.voided | deeds.lost | log.older or "voided" in states
        excused |= label.partition("#")[0] in deeds.reopened  # it is listed again, and pushed again
        if "posted" in states and label not in living and not excused:
            yield f"the log says {label} is posted, but it is not in the books"
        if states <= {"planned", "refused"} and label in living:
            yield f"the log says {label} is {', '.join(states)}, but it is in the books"
        if states & {"sending", "in_doubt"} and label.partition("/")[0] not in log.in_doubt():
            yield f"{label} is left {', '.join(states)}"
    touched = {label.partition("#")[0].partition("/")[0] for label in deeds.voided}
    for batch in log.open_batches():
        if not log.transactions[batch] & (touched | deeds.reopened):
            yield f"{batch} is still in doubt, although somebody resumed"
    for batch in deeds.unposted:
        if log.batches.get(batch) != "unposted":
            yield f"{batch} was un-posted and is {log.batches.get(batch)} in the log"
    for label in living - set(log.states) - deeds.typed:
        yield f"{label} is in the books and not in the log"


def _chain(log: Log) -> Iterator[str]:
    previous = ""
    for number, event in enumerate(log.events, start=1):
        content = {name: event[name] for name in event.keys() - {"hash", "company"}}
        text = json.dumps(content, ensure_ascii=True, sort_keys=True, separators=(",", ":"))
        same = hashlib.sha256(text.encode()).hexdigest() == event["hash"]
        if event["seq"] != number or event["prev_hash"] != previous or not same:
            yield f"event {number} of the log is not in the chain"
        previous = event["hash"]
    if log.end != (len(log.events), previous):
        yield f"the log has {len(log.events)} events and says {log.end[0]}"
