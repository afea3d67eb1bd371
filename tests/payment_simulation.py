"""A small world of its own for the payment sync: books, a site, trouble on the line, and an oracle.

Everything follows from the seed: receipts that are entered, edited, moved, deleted, voided, bounced, credits,
books restored from their backup, people who type payments into ConnectWise or apply credits there, and
faults: a 500 on any page, a cut answer, a cut reading of receipts, silence before or after a write, a killed run. Amounts are whole cents here. Nothing is shared with
the code under test but the shapes it is spoken to with.
"""

from __future__ import annotations

import copy
import json
import re
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING, Any

import httpx
from pydantic import SecretStr

from sage50kit.connectors.base import Capabilities
from sage50kit.connectwise.client import Client, Credentials
from sage50kit.connectwise.payments import InvoicePayments
from sage50kit.errors import Sage50KitError
from sage50kit.model import Application, Receipt
from sage50kit.payments import apply, planning, receipts
from sage50kit.payments.record import PaymentRecord
from sage50kit.profile import ConnectWiseSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from sage50kit.pushlog import PushLog

FIRST = date(2026, 10, 1)
TODAY = date(2026, 12, 1)
BASE = "/v4_6_release/apis/3.0"
PAGE = 3  # rows; the site caps what is asked for


class Killed(BaseException):
    """The process was killed."""


class Wrong(AssertionError):
    """The world is not as the oracle says."""


@dataclass
class Source:
    """A receipt or credit memo of the books; `lines` are (cents, discount cents) by invoice number."""

    place: str
    kind: Any
    customer: str
    day: date
    lines: dict[str, tuple[int, int]]
    state: Any = "standing"
    taken_back: date | None = None  # voided on
    reverses: str = ""  # place of the receipt whose check came back
    bounced: bool = False  # it or its reversal: both stand and nothing is left of them


@dataclass
class Books:
    """The Sage company, as a connector: it keeps every change in a list; its cursor is a length and a mark."""

    dice: Random
    name: str
    owed: dict[tuple[str, str], int]
    sources: dict[str, Source] = field(default_factory=dict)
    changes: list[tuple[str, date, int]] = field(default_factory=list)
    marks: int = 0  # given ever, lost changes among them
    backup: Any = None
    cut: float = 0.0
    whole_through: int = 0
    touched: set[str] = field(default_factory=set)  # invoice numbers since the last sync

    def __post_init__(self) -> None:
        self.capabilities = Capabilities(
            kinds=frozenset(),
            confirms=True,
            carries_key=frozenset(),
            tax="given",
            creates=frozenset(),
            reads_receipts=True,
            follows_receipts=True,
        )

    # --- what the sync asks ---

    def session(self) -> Any:
        return nullcontext()

    def adopt_log(self, log_id: str, **words: Any) -> None:
        pass

    def log_id(self) -> str:
        return ""

    def log_mark(self) -> tuple[int, str]:
        return 0, ""

    def receipts(self, cursor: str, *, since: date | None = None) -> Any:
        if since is not None:
            places = {place for place, saved, _ in self.changes if saved >= since}
        else:
            places = {place for place, *_ in self.changes[length_of(cursor) :]}
        rows = [self._receipt(self.sources[place]) for place in sorted(places)]
        if not cursor and since is None:
            rows = [row for row in rows if row.state == "standing"]
        now = f"{len(self.changes)}-{self.changes[-1][2]}" if self.changes else "0"
        if self.dice.random() < self.cut:
            return rows[: self.dice.randint(0, len(rows))], now, False
        if since is None:
            self.whole_through = len(self.changes)
        return rows, now, True

    def knows_cursor(self, cursor: str) -> bool:
        length, mark = length_of(cursor), cursor.partition("-")[2]
        known = [str(row[2]) for row in self.changes[:length]]
        return len(known) == length and (not known or known[-1] == mark)

    def applications(
        self,
        *,
        as_of: date | None = None,
        invoices: Collection[tuple[str, str]] | None = None,
    ) -> list[Application]:
        del as_of
        rows = [row for source in self.sources.values() for row in self._applications(source)]
        rows.sort(key=lambda row: row.date)
        return [
            row for row in rows if invoices is None or (row.customer_id, row.invoice) in invoices
        ]

    def _applications(self, source: Source) -> list[Application]:
        if source.state == "deleted":
            return []
        made = [(1, source.day)] + ([(-1, source.taken_back)] if source.taken_back else [])
        return [
            Application(
                kind=source.kind,
                place=source.place,
                reference=source.place,
                customer_id=source.customer,
                invoice=number,
                date=day,
                amount=Decimal(sign * money) / 100,
                discount=Decimal(sign * discount) / 100,
                reverses=source.reverses,
            )
            for sign, day in made
            for number, (money, discount) in source.lines.items()
            if day is not None
        ]

    def _receipt(self, source: Source) -> Receipt:
        stands = source.state == "standing"
        return Receipt(
            place=source.place,
            kind=source.kind,
            customer_id=source.customer,
            reference=source.place,
            date=source.day,
            amount=Decimal(sum(money for money, _ in source.lines.values())) / 100,
            applications=tuple(self._applications(source)) if stands else (),
            state=source.state,
        )

    # --- what the bookkeeper does ---

    def alive(self) -> list[Source]:
        return [one for one in self.sources.values() if one.state == "standing" and not one.bounced]

    def paid(self, customer: str, number: str, *kinds: str) -> int:
        return sum(
            sum(one.lines[number])
            for one in self.alive()
            if one.customer == customer and number in one.lines and one.kind in kinds
        )

    def latest(self, customer: str, number: str) -> date | None:
        days = [one.day for one in self.alive() if one.customer == customer and number in one.lines]
        return max(days, default=None)

    def enter(self, today: date) -> None:
        customer = self.dice.choice(sorted({key[0] for key in self.owed}))
        kind = "credit_memo" if self.dice.random() < 0.25 else "receipt"
        source = Source(f"{kind[0]}{len(self.sources)}", kind, customer, today, {})
        source.lines = self._lines(source)
        self.sources[source.place] = source
        self._changed(source, today)

    def edit(self, today: date) -> None:
        if source := self._any():
            self.touched |= set(source.lines)
            source.lines = {}
            source.lines = self._lines(source)
            source.day = today if self.dice.random() < 0.5 else source.day
            self._changed(source, today)

    def delete(self, today: date) -> None:
        if source := self._any():
            source.state = "deleted"
            self._changed(source, today)

    def void(self, today: date) -> None:
        if source := self._any():
            source.state, source.taken_back = "voided", today
            self._changed(source, today)

    def bounce(self, today: date) -> None:
        source = self._any()
        if source is None or source.kind != "receipt":
            return
        lines = {number: (-money, -less) for number, (money, less) in source.lines.items()}
        back = Source(f"n{len(self.sources)}", "receipt", source.customer, today, lines)
        source.bounced = back.bounced = True
        back.reverses = source.place
        self.sources[back.place] = back
        self._changed(back, today)

    def _any(self) -> Source | None:
        alive = self.alive()
        return self.dice.choice(alive) if alive else None

    def _lines(self, source: Source) -> dict[str, tuple[int, int]]:
        numbers = sorted(number for customer, number in self.owed if customer == source.customer)
        lines = {}
        for number in self.dice.sample(numbers, self.dice.randint(0, min(3, len(numbers)))):
            paid = self.paid(source.customer, number, "receipt", "credit_memo")
            left = self.owed[source.customer, number] - paid
            if left > 1:
                money = self.dice.choice([left, self.dice.randint(1, left)])
                less = self.dice.randint(0, min(500, left - money))
                lines[number] = (money, less if source.kind == "receipt" else 0)
        return lines

    def _changed(self, source: Source, today: date) -> None:
        self.marks += 1
        self.changes.append((source.place, today, self.marks))
        self.touched |= set(source.lines)

    def save_or_restore(self) -> None:
        """A backup is made, or the last one takes the place of the books."""
        if self.backup is None or self.dice.random() < 0.5:
            self.backup = copy.deepcopy((self.sources, self.changes))
        else:
            self.sources, self.changes = copy.deepcopy(self.backup)
            self.whole_through = min(self.whole_through, len(self.changes))


def length_of(cursor: str) -> int:
    """How many changes a cursor stands after."""
    return int(cursor.partition("-")[0] or 0)


@dataclass
class Bill:
    """An invoice of the site: cents; `rows` are its payments."""

    id: int
    number: str
    account: str
    total: int
    credits: int = 0
    rows: list[dict[str, Any]] = field(default_factory=list)


class Site(httpx.BaseTransport):
    """The ConnectWise site behind the client: what it keeps, and the trouble on its line."""

    def __init__(self, dice: Random, bills: list[Bill], second_payment: str) -> None:
        self.dice = dice
        self.bills = {bill.id: bill for bill in bills}
        self.second_payment = second_payment
        self.trouble = 0.0
        self.writes = 0
        self.next_id = 100

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix(BASE)
        if path.startswith("/login/"):
            return httpx.Response(200, json={"Codebase": "v4_6_release/", "IsCloud": "True"})
        trouble = self.dice.random() < self.trouble and self.dice.choice(
            ["500", "500", "429", "gone", "after", "cut", "garbage"]
        )
        if trouble == "500":
            return httpx.Response(500, json={"code": "ConnectWiseApi", "message": "Error."})
        if trouble == "429":
            return httpx.Response(429, headers={"Retry-After": "1"}, json={"error": "busy"})
        if trouble == "gone":
            raise httpx.ConnectError("nobody listens", request=request)
        answer = self._answer(request, path)
        if trouble == "after":
            raise httpx.ReadTimeout("no answer", request=request)
        if trouble == "cut":
            raise httpx.RemoteProtocolError("the answer was cut", request=request)
        if trouble == "garbage" and answer.status_code < 300:
            return httpx.Response(200, content=b"<html>proxy</html>")
        return answer

    def _answer(self, request: httpx.Request, path: str) -> httpx.Response:
        words = re.fullmatch(r"/finance/invoices(?:/(\d+)/payments(?:/(\d+))?|(/count)?)", path)
        if words is None:
            return httpx.Response(404, json={"code": "NotFound", "message": path})
        bill, row, count = words.groups()
        if bill is None:
            return self._invoices(request, count=bool(count))
        if request.method == "GET":
            return httpx.Response(200, json=[_row(one) for one in self.bills[int(bill)].rows])
        self.writes += 1
        body = json.loads(request.content) if request.content else None
        if request.method == "POST":
            return self._post(self.bills[int(bill)], body)
        return self._change(self.bills[int(bill)], int(row), request.method, body)

    def _invoices(self, request: httpx.Request, *, count: bool) -> httpx.Response:
        conditions = request.url.params["conditions"]
        name, values = re.fullmatch(r"(\w+) in \((.*)\)", conditions).groups()  # type: ignore[union-attr]
        wanted = {value.strip('"') for value in values.split(",")}
        found = [
            bill
            for bill in self.bills.values()
            if str(bill.id if name == "id" else bill.number) in wanted
        ]
        if count:
            return httpx.Response(200, json={"count": len(found)})
        page = int(request.url.params.get("page", 1))
        last = max(1, -(-len(found) // PAGE))
        links = [f'<https://x/?page={page + 1}>; rel="next"'] if page < last else []
        links.append(f'<https://x/?page={last}>; rel="last"')
        rows = [_invoice(bill) for bill in found[(page - 1) * PAGE : page * PAGE]]
        return httpx.Response(200, json=rows, headers={"Link": ", ".join(links)})

    def _post(self, bill: Bill, body: Any) -> httpx.Response:
        if bill.rows and self.second_payment == "refuse":
            return _refused("it has a payment")
        row = {"id": self.next_id, "type": "P"}
        if bill.rows and self.second_payment == "overwrite":
            row = bill.rows.pop(0)
        self.next_id += 1
        row |= {"cents": _cents(body["amount"]), "day": body["paymentDate"][:10]}
        return self._kept(bill, row, at=len(bill.rows))

    def _change(self, bill: Bill, row_id: int, method: str, body: Any) -> httpx.Response:
        place = next((i for i, row in enumerate(bill.rows) if row["id"] == row_id), None)
        if place is None:
            return httpx.Response(404, json={"code": "NotFound", "message": "no payment"})
        row = bill.rows.pop(place)
        if method == "DELETE":
            return httpx.Response(204)
        for change in body:
            value = change["value"]
            name = "cents" if change["path"].strip("/") == "amount" else "day"
            row = row | {name: _cents(value) if name == "cents" else value[:10]}
        return self._kept(bill, row, at=place)

    def _kept(self, bill: Bill, row: dict[str, Any], *, at: int) -> httpx.Response:
        if sum(one["cents"] for one in bill.rows) + row["cents"] > bill.total - bill.credits:
            raise Wrong(f"{bill.number}: more than its total was sent")
        bill.rows.insert(at, row)
        return httpx.Response(200, json=_row(row))


def _invoice(bill: Bill) -> dict[str, Any]:
    paid = sum(row["cents"] for row in bill.rows)
    amounts = {"total": bill.total, "payments": paid, "credits": bill.credits}
    named = {"id": bill.id, "invoiceNumber": bill.number, "accountNumber": bill.account}
    return named | {name: cents / 100 for name, cents in amounts.items()}


def _row(row: dict[str, Any]) -> dict[str, Any]:
    made = {"id": row["id"], "type": "P", "amount": row["cents"] / 100}
    if row.get("portal"):
        made["wisePayPayment"] = {"wisePayReference": "WP"}
    return made | {"paymentDate": f"{row['day']}T00:00:00Z"}


def _cents(amount: Any) -> int:
    return round(float(amount) * 100)


def _refused(message: str) -> httpx.Response:
    return httpx.Response(400, json={"code": "InvalidObject", "message": message})


class Line(httpx.BaseTransport):
    """The client's way to the site of the world that is being played."""

    site: Site

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self.site.handle_request(request)


class Fused:
    """An object that is killed before or after one of its calls."""

    def __init__(self, inner: Any, fuse: list[int]) -> None:
        self._inner, self._fuse = inner, fuse

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        if not callable(found):
            return found

        def call(*values: Any, **words: Any) -> Any:
            self._burn()
            answer = found(*values, **words)
            self._burn()
            return answer

        return call

    def _burn(self) -> None:
        self._fuse[0] -= 1
        if self._fuse[0] == 0:
            raise Killed


@dataclass
class Bug:
    """How the code under test is wrapped; nothing by default."""

    company: Callable[[Any], Any] = lambda company: company
    record: type[PaymentRecord] = PaymentRecord
    connectwise: Callable[[InvoicePayments], Any] = lambda connectwise: connectwise


class World:
    """One seed: both systems, the people who use them, and the sync between."""

    def __init__(self, seed: int, line: Line, client: Client, log: PushLog, bug: Bug) -> None:
        self.dice = dice = Random(seed)
        numbers = [str(1001 + place) for place in range(dice.randint(2, 8))]
        bills = []
        owed = {}
        for place, number in enumerate(numbers):
            customer, cents = dice.choice("AB"), dice.randint(1000, 90000)
            owed[customer, number] = cents
            lower = cents - dice.randint(1, 900) if dice.random() < 0.1 else cents
            bills.append(Bill(50 + place, number, customer, lower))
        if dice.random() < 0.3:  # a number that two customers share
            owed[dice.choice("AB"), numbers[0]] = owed.get(("A", numbers[0]), 7000)
        self.books = Books(dice, f"seed {seed}", owed)
        mode = dice.choice(["refuse", "overwrite", "accept"])
        self.site = line.site = Site(dice, bills, mode)
        self.client, self.log = client, log
        self.company = bug.company(self.books)
        self.record = bug.record(log, self.books.name)
        self.connectwise = bug.connectwise(InvoicePayments(client))
        self.foreign: dict[int, list[dict[str, Any]]] = {}
        self.disturbed: set[int] = (
            set()
        )  # a person changed ConnectWise; only a full pass need see it

    def play(self) -> None:
        """Live through some weeks, then let the trouble end and look."""
        today = FIRST
        for _ in range(self.dice.randint(3, 7)):
            today += timedelta(days=self.dice.randint(1, 6))
            if self.dice.random() < 0.2:
                self.books.save_or_restore()
            for _ in range(self.dice.randint(0, 4)):
                self._bookkeeping(today)
            self._people(today)
            self._sync_in_trouble()
        for _ in range(2):
            self._sync()
        self._check(but=self.disturbed)
        self._sync(full=True)
        self._check(but=set())
        writes = self.site.writes
        self._sync(full=True)
        self._sync()
        if self.site.writes != writes:
            raise Wrong("a second run writes")

    def _bookkeeping(self, today: date) -> None:
        books = self.books
        acts = [books.enter, books.enter, books.edit, books.delete, books.void, books.bounce]
        self.dice.choice(acts)(today)

    def _people(self, today: date) -> None:
        """Somebody types a payment, a customer uses the portal, somebody deletes or changes a row."""
        bill = self.dice.choice(list(self.site.bills.values()))
        if self.dice.random() < 0.15 and not bill.rows:
            row = {"id": self.site.next_id, "cents": self.dice.randint(1, bill.total)}
            row |= {"day": today.isoformat(), "portal": self.dice.random() < 0.5}
            self.site.next_id += 1
            bill.rows.append(row)
            self.foreign[bill.id] = [dict(row)]
        elif self.dice.random() < 0.1 and bill.id in self.foreign:
            bill.rows = [row for row in bill.rows if row not in self.foreign[bill.id]]
            del self.foreign[bill.id]
            self.disturbed.add(bill.id)
        elif self.dice.random() < 0.1 and bill.rows and self.calm and bill.id not in self.foreign:
            # A row that nobody answered for and somebody changed is nobody's: that is a finding.
            bill.rows[0]["cents"] = self.dice.randint(1, bill.total)
            self.disturbed.add(bill.id)
        elif self.dice.random() < 0.1:
            self._credit(bill)

    def _credit(self, bill: Bill) -> None:
        """Somebody applies a credit in ConnectWise: the memo of the books, or another one."""
        applied = self.books.paid(bill.account, bill.number, "credit_memo")
        left = bill.total - bill.credits - sum(row["cents"] for row in bill.rows)
        bill.credits += min(left, self.dice.choice([applied, self.dice.randint(1, 5000)]))
        self.disturbed.add(bill.id)

    def _sync_in_trouble(self) -> None:
        self.site.trouble, self.books.cut = self.dice.choice([(0.0, 0.0), (0.1, 0.1), (0.3, 0.3)])
        fuse = [self.dice.randint(1, 12) if self.dice.random() < 0.25 else 0]
        since = self.dice.choice(["last", "last", "last", "2026-10-20"])
        self.calm = False
        try:
            self._sync(fuse, since=since, full=self.dice.random() < 0.05)
            self.calm = not self.site.trouble and not fuse[0]
        except (Killed, Sage50KitError):
            pass
        finally:
            self.site.trouble = self.books.cut = 0.0
            self._cursor_check()

    def _sync(
        self, fuse: list[int] | None = None, *, since: str = "last", full: bool = False
    ) -> None:
        known = self.record.known()
        reading = receipts.read(self.company, known, since=since, full=full, today=TODAY)
        plan = planning.plan(
            reading,
            known,
            connectwise=self.connectwise,
            site=self.client.name,
            company=self.books.name,
            currency="USD",
        )
        apply.apply(
            plan,
            company=self.company,
            connectwise=Fused(self.connectwise, fuse or [0]),
            log=self.log,
            record=Fused(self.record, fuse or [0]),
        )

    def _cursor_check(self) -> None:
        cursor = self.record.known().progress.cursor
        usable = self.books.knows_cursor(cursor)
        if usable and length_of(cursor) > self.books.whole_through:
            raise Wrong("the cursor is past unread data")

    def _check(self, *, but: set[int]) -> None:
        """Each invoice shows what the oracle says, and every foreign row is as it was."""
        for bill in self.site.bills.values():
            if bill.id in but:
                continue
            shown = [(row["cents"], row["day"]) for row in bill.rows]
            wanted = [(row["cents"], row["day"]) for row in self.foreign.get(bill.id, [])]
            if not wanted:
                wanted = self._ours(bill)
            if shown != wanted:
                raise Wrong(f"{bill.number} shows {shown}, Sage says {wanted}")

    def _ours(self, bill: Bill) -> list[tuple[int, str]]:
        money = self.books.paid(bill.account, bill.number, "receipt")
        credit = self.books.paid(bill.account, bill.number, "credit_memo")
        paid = money + max(credit - bill.credits, 0)  # what both credited counts once
        amount = min(paid, bill.total - bill.credits)
        day = self.books.latest(bill.account, bill.number)
        return [(amount, day.isoformat())] if amount > 0 and day else []


def made_client(line: Line) -> Client:
    """A client whose only way leads to `line`; it waits for nobody and asks one thing at a time."""
    settings = ConnectWiseSettings(
        site="https://simulated.example", company="lakeside", client_id="0" * 8, requests_at_once=1
    )
    keys = Credentials("public", SecretStr("private"))
    return Client(settings, keys, pause=lambda seconds: None, transport=line)
