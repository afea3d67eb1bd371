"""One world: a small site, its company, its log, and the kit that joins them until the power is cut.

Everything happens in one process and one folder, so that a world costs milliseconds: the site answers
without a network, a crash closes what the operating system would close, and what is left are the files.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Self

import msgspec

from sage50kit.connectors.embedded import EmbeddedCompany
from sage50kit.connectors.embedded.reading import place_of
from sage50kit.connectwise.access import Credentials
from sage50kit.connectwise.client import Client
from sage50kit.connectwise.site import ConnectWise
from sage50kit.errors import ContentChanged, LogCorrupt, Sage50KitError
from sage50kit.kit import Kit
from sage50kit.model import Document
from sage50kit.sandbox.app import make_app
from sage50kit.sandbox.faults import Faults
from sage50kit.sandbox.pairing import COMPANY_NAME
from sage50kit.sandbox.serve import default_gate
from sage50kit.simulator import ground
from sage50kit.simulator.points import Points, PowerCut, power_cut
from sage50kit.simulator.trouble import Trouble
from sage50kit.simulator.wire import Wire

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from random import Random

    from sage50kit.model import Plan, StoredDocument
    from sage50kit.sandbox.closing import Closed
    from sage50kit.sandbox.state import Site
    from sage50kit.simulator.points import Point

MEMORY = Path("/dev/shm")  # Linux has it  # noqa: S108  # made by tempfile, for us alone
ADDRESS = "http://127.0.0.1:1"  # nobody listens there; the wire does not ask
LIVING = "SELECT label FROM document WHERE label <> '' AND voided_by IS NULL AND void_of IS NULL"


class Keyless:
    """A company whose documents cannot carry our key, as with some connectors."""

    def __init__(self, company: Any) -> None:
        self._company = company
        self.capabilities = replace(company.capabilities, carries_key=frozenset())

    def __getattr__(self, name: str) -> Any:
        return getattr(self._company, name)

    def find_many(self, documents: Sequence[Document]) -> list[tuple[StoredDocument, ...]]:
        """What the company holds, without the keys."""
        found = self._company.find_many(documents)
        return [tuple(replace(row, token="") for row in holds) for holds in found]


@dataclass
class Deeds:
    """What people did by hand, which explains why books and batches differ."""

    voided: set[str] = field(default_factory=set)  # labels, in Sage
    changed: set[str] = field(default_factory=set)  # labels, in Sage
    lost: set[str] = field(default_factory=set)  # labels, by a restored backup
    unbatched: set[str] = field(default_factory=set)  # keys, in ConnectWise
    cleared: set[str] = field(default_factory=set)  # batches that were made without documents
    reopened: set[str] = field(default_factory=set)  # keys, in ConnectWise, with another amount
    typed: set[str] = field(default_factory=set)  # labels, entered in Sage by hand
    unposted: set[str] = field(default_factory=set)  # batches, by the kit, to the end

    @property
    def none(self) -> bool:
        """Whether nobody did anything by hand."""
        return self == Deeds()


def _in_memory() -> str | None:
    """A folder without a disk behind it, where the system has one: no power cut here reaches a disk."""
    return str(MEMORY) if os.access(MEMORY, os.W_OK) else None


class Stand:
    """Where the worlds of one process are set up, one after the other."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(
            prefix="sage50kit-", dir=_in_memory(), ignore_cleanup_errors=True
        )
        self.folder = Path(self._folder.name)
        self.original = ground.new_company(self.folder / "original")
        gate = default_gate()
        self.site = ground.ChangingSite(ground.records_of({}))
        self.wire = Wire(make_app(self.site, gate, company_name=COMPANY_NAME))  # type: ignore[arg-type]  # it answers as a site
        account = gate.accounts[0]
        server = SimpleNamespace(
            site=ADDRESS,
            company=gate.company,
            client_id=gate.client_ids[0],
            public_key=account.public_key,
            private_key=account.private_key,
        )
        self.profile = profile = ground.world_profile(server, self.folder / "world")
        self.client = Client(
            profile.connectwise,
            Credentials.of(profile),
            transport=self.wire,
            pause=lambda seconds: None,  # noqa: ARG005  # nobody waits in a simulated world
        )

    def __enter__(self) -> Self:
        """Use as a context manager; the folder is removed at the end."""
        return self

    def __exit__(self, *_: object) -> None:
        """Remove the folder."""
        self.client.close()
        self._folder.cleanup()


class World:
    """One site, one company, one log, from the beginning.

    Args:
        stand: where it is set up; what stood there before is gone.
        content: the records of the site.
        keyless: whether the company cannot carry our key.
    """

    def __init__(self, stand: Stand, content: dict[str, Any], *, keyless: bool = False) -> None:
        self._stand = stand
        self._keyless = keyless
        self.folder = stand.folder / "world"
        shutil.rmtree(self.folder, ignore_errors=True)
        self.file = ground.copy_company(stand.original, self.folder)
        self.original = self.backup = stand.original
        self.site: Site = stand.site.replace(content)
        self.first = len(self.site.ledger.batches)
        self.deeds = Deeds()
        self.batches: list[str] = []
        self.history: list[str] = []
        self.problems: list[str] = []  # what was wrong on the way
        self.trouble = Trouble()
        self.points = Points()

    # --- the kit and its end ---

    @contextmanager
    def kit(self, trouble: Trouble | None = None) -> Iterator[Kit]:
        """A kit in this world; when its power is cut, it is gone, and the block ends there."""
        self.trouble = trouble or Trouble()
        self.points = points = Points(*self.trouble.strikes(self))
        self._stand.wire.suffer(Faults(self.trouble.rules()))
        with Kit(self._stand.profile) as kit:
            kit.connectwise = ConnectWise(self._stand.client)
            if self._keyless:
                kit.company = Keyless(kit.company)
            try:
                yield points.around(kit) if points.strikes else kit
            except PowerCut:
                self.say(f"  the power is cut at {points.struck[-1]}")
            except Sage50KitError as error:
                self._look_at(error)
                self.say(f"  {type(error).__name__}: {str(error).splitlines()[0]}")
            finally:
                self._stand.wire.suffer(Faults())

    def _look_at(self, error: Exception) -> None:
        """Some errors have no excuse: a fresh plan always fits the log, and the log is never damaged."""
        stale = self.trouble.kind == "second push"
        if isinstance(error, LogCorrupt) or (isinstance(error, ContentChanged) and not stale):
            self.problems.append(str(error))

    def planned(self) -> None:
        """The plan is made: the work begins, and most trouble with it."""
        if not self.trouble.early:
            self.points.arm()

    def say(self, line: str) -> None:
        """Write a line of the history."""
        self.history.append(line)

    @property
    def log_file(self) -> Path:
        """The push log beside the company."""
        return self.file.with_name(self.file.name + ".pushlog")

    # --- what stands there, by plain SQL and the site's own rows ---

    def living(self) -> list[str]:
        """The labels of the documents that stand in the books."""
        with closing(sqlite3.connect(self.file)) as db:
            return [label for (label,) in db.execute(LIVING)]

    def closed(self) -> dict[str, Closed]:
        """ConnectWise's closed records by key."""
        return self.site.ledger.closed

    def members(self, batch: str) -> set[str]:
        """The keys of the records that a batch holds."""
        found = self.site.ledger.named(batch)
        return {closed.key for closed, _ in self.site.ledger.batched(found.id)} if found else set()

    def places(self, kind: str = "") -> dict[str, str]:
        """Where each pushed document of the books stands, by label; of one type, if it is named."""
        with closing(sqlite3.connect(self.file)) as db:
            rows = db.execute(LIVING.replace("SELECT label", "SELECT label, type, id")).fetchall()
        pushed = [row for row in rows if row[0] not in self.deeds.typed]
        there = [row for row in pushed if kind in ("", row[1])]
        return {label: place_of(type_, number) for label, type_, number in there}

    def pick(self, dice: Random, kind: str = "") -> tuple[str, str] | None:
        """Label and place of one of the documents that stand in the books."""
        there = sorted(self.places(kind).items())
        return dice.choice(there) if there else None

    def next_batch(self) -> str:
        """A number that nobody has used yet."""
        self.batches.append(f"S-I-{len(self.batches) + 1}")
        return self.batches[-1]

    def push_beside(self, point: Point) -> None:
        """Somebody else pushes the whole list at the same moment."""
        self.say(f"  a second push begins at {point}")
        trouble, points = self.trouble, self.points
        with self.kit() as kit:
            plan = kit.plan(kit.fetch(), batch=self.next_batch(), leave_out_blocked=True)
            self.say(f"  second push: {kit.push(plan, dry_run=False).headline}")
        self.trouble, self.points = trouble, points

    def type_in(self, point: Point) -> None:
        """The power is cut before a document is posted; a person enters it by hand, and misreads the amount."""
        row = self.sending()
        if row is not None:
            self._enter(row)
        power_cut(point)

    def sending(self) -> Document | None:
        """The document that was to be posted next, if it has a number that a person would type."""
        with closing(sqlite3.connect(self.log_file)) as db:
            query = "SELECT content FROM documents WHERE state = 'sending' ORDER BY position"
            rows = [msgspec.json.decode(text, type=Document) for (text,) in db.execute(query)]
        # What leaves the stock is valued by Sage: nobody could misread its amount. And nobody types our key.
        numbered = (row for row in rows if row.reference and row.reference != row.token)
        typed = (row for row in numbered if row.control_account_id)
        return next((row for row in typed if not row.is_decrease), None)

    def _enter(self, document: Document) -> None:
        first, *others = document.distributions
        more = Decimal(1).copy_sign(first.amount)
        by_hand = replace(
            document,
            key=f"hand:{document.key}",
            distributions=(replace(first, amount=first.amount + more), *others),
            control_amount=document.control_amount - more,
        )
        with EmbeddedCompany(self.file) as company:
            try:
                company.post(by_hand)
            except Sage50KitError as error:
                self.say(f"  by hand: {error}")
                return
        self.deeds.typed.add(by_hand.label)
        self.say(f"  a person enters {document.number} by hand, {more} off")

    def choose(self, kit: Kit, dice: Random) -> Any:
        """Some of the unposted transactions, most of them."""
        frame = kit.fetch()
        keys = [key for key in frame["key"] if dice.random() < 0.8]
        return frame[frame["key"].isin(keys)]

    def plan(self, kit: Kit, dice: Random) -> Plan:
        """A plan of some transactions; blocked ones are left out."""
        frame = self.choose(kit, dice)
        plan = kit.plan(frame, batch=self.next_batch(), leave_out_blocked=True)
        self.planned()
        return plan
