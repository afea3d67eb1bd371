"""A push that runs in a process of its own and dies at a fault point, and what stands afterwards."""

from __future__ import annotations

import multiprocessing
import signal
import sqlite3
from collections import Counter
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa

import sage50kit.batch.planning
import sage50kit.batch.push
import sage50kit.connectwise.frames
import sage50kit.connectwise.unposted  # noqa: F401  # children find all this loaded
from sage50kit.connectors.embedded.reading import place_of
from sage50kit.kit import Kit
from sage50kit.sandbox.serve import running
from sage50kit.simulator.ground import (
    COMPANY_FILE,
    ChangingSite,
    copy_company,
    new_company,
    records_of,
    world_profile,
)
from sage50kit.simulator.points import Points, Strike, kill
from tests.imported_company import ImportedCompany

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sage50kit.profile import Profile
    from sage50kit.sandbox.state import Site
    from sage50kit.simulator.points import Point

BATCH = "20261031JD-IEP"
LIVING = "SELECT label, type, id FROM document WHERE label <> '' AND voided_by IS NULL AND void_of IS NULL"
HELD = "invoice:48118"  # Palmetto is always on hold: refused
# A credit memo, an invoice of a customer and an item to be created, one that is refused, a bill with two
# rows that are cleared, a receipt that waits on its bill, an adjustment of two parts, a journal entry.
RECORDS = {
    "invoices": {48110, 48116, 48118},
    "expenseReports": {303},
    "expenses": {5031, 5032, 5033},
    "purchaseOrders": {706},
    "adjustments": {82},
    "transfers": {91},
}
KILLED = -getattr(signal, "SIGKILL", -15)  # Windows: TerminateProcess with the number of SIGTERM
STATUS_LOST = 255
METHODS = multiprocessing.get_all_start_methods()
CONTEXT: Any = multiprocessing.get_context("forkserver" if "forkserver" in METHODS else "spawn")
CONTEXT.set_forkserver_preload([__name__])


@dataclass(frozen=True)
class Way:
    """How a process opens the kit: which profile, and whether the company answers as import files do."""

    profile: Profile
    imports: bool = False

    @property
    def folder(self) -> Path:
        """Where the company and its log are."""
        return self.profile.workdir.parent

    def open(self, points: Points | None = None) -> Kit:
        kit = Kit(self.profile)
        if self.imports:
            kit.company = ImportedCompany(kit.company)
        return points.around(kit) if points else kit


def push(kit: Kit) -> Any:
    """The whole way, from the lists to the report."""
    return kit.push(kit.plan(kit.fetch(), batch=BATCH), dry_run=False)


def resume(kit: Kit) -> Any:
    """What `sage50kit resume` does, and then a person's look at what nobody else can tell."""
    kit.resume()
    there = living_places(kit.company.path)
    for batch in kit.log.unfinished_batches():
        for row in kit.log.documents(batch):
            if row.state == "in_doubt":
                place = there.get(row.document.label)
                kit.resume(row.document.label, posted=place, not_posted=place is None)


def rerun(kit: Kit) -> Any:
    """Post what a restored backup lost."""
    return kit.rerun(BATCH, dry_run=False)


def unpost(kit: Kit) -> Any:
    """Delete the batch, and cancel its documents."""
    return kit.unpost(BATCH, void=True)


def clear(kit: Kit) -> Any:
    """Batch everything without posting it, unless that is done."""
    known = kit.log.batch(BATCH)
    if known is not None and known.state == "created":
        return None
    return kit.clear(kit.fetch(), batch=BATCH, reason="paid in cash", dry_run=False)


def die(way: Way, act: Callable[[Kit], Any], point: Point) -> None:
    """What runs in the process that is killed."""
    with way.open(Points(Strike(point.name, point.number, kill))) as kit:
        act(kit)


class CrashStage:
    """One served site and one address; each case begins with fresh records and a fresh company."""

    def __init__(self, folder: Path, server: Any, site: ChangingSite) -> None:
        self._folder = folder
        self._server = server
        self._site = site
        self._content = records_of(RECORDS)
        self._original = new_company(folder)
        self._cases = 0

    @property
    def site(self) -> Site:
        """The site of this case."""
        return self._site.now

    def fresh(self, *, imports: bool = False) -> Way:
        """Everything as it was before anybody pushed."""
        self._cases += 1
        folder = self._folder / str(self._cases)
        copy_company(self._original, folder)
        self._site.replace(self._content)
        return Way(world_profile(self._server, folder), imports)

    def restored(self, way: Way) -> None:
        """Put the company back as it was before the push."""
        copy_company(self._original, way.folder)

    def killed(self, way: Way, act: Callable[[Kit], Any], point: Point) -> bool:
        """Let a process run until it dies; whether it did die there."""
        process = CONTEXT.Process(target=die, args=(way, act, point))
        process.start()
        process.join()
        # 255 is what the fork server says when a start in another thread has read the status first; a
        # process that lived to its end says 0, one that raised says 1.
        return process.exitcode in (KILLED, STATUS_LOST)

    def batched(self, batch: str) -> set[int]:
        """The GL entries that the batch of this number holds in ConnectWise."""
        found = self.site.ledger.named(batch)
        return {entry.id for _, entry in self.site.ledger.batched(found.id)} if found else set()


def living(way: Way) -> Counter[str]:
    """How often each document stands in the company file, by plain SQL, whatever its generation."""
    with closing(sqlite3.connect(way.folder / COMPANY_FILE)) as db:
        return Counter(label.partition("#")[0] for label, _, _ in db.execute(LIVING))


def living_places(file: Path) -> dict[str, str]:
    """Where each document of the books stands, as a person reads it there."""
    with closing(sqlite3.connect(file)) as db:
        return {label: place_of(kind, row) for label, kind, row in db.execute(LIVING)}


@contextmanager
def crash_stage(folder: Path) -> Iterator[CrashStage]:
    """A stage on a port, until the block ends."""
    site = ChangingSite(records_of(RECORDS))
    with running(site) as server:  # type: ignore[arg-type]  # it answers as a site
        yield CrashStage(folder, server, site)


_ = (pd, pa)  # loaded once in the process that all children are forked from
