"""What people and schedules do in a simulated world, one deed after the other.

A step carries its own dice, so that it chooses the same whatever was left out before it.
"""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING

from sage50kit.connectors.embedded import EmbeddedCompany
from sage50kit.errors import Sage50KitError
from sage50kit.model import document_label
from sage50kit.simulator.trouble import Trouble, some_trouble

if TYPE_CHECKING:
    from collections.abc import Callable

    from sage50kit.simulator.world import World

VOID_DAY = date(2026, 11, 30)
BATCHES = "/finance/accounting/batches/{id}"
INVOICE = "/finance/invoices/{id}"


@dataclass(frozen=True)
class Step:
    """One deed: what, with which dice, and what goes wrong meanwhile."""

    deed: str
    seed: int
    trouble: Trouble = field(default_factory=Trouble)

    def __str__(self) -> str:
        trouble = str(self.trouble)
        return f"{self.deed}{f' ({trouble})' if trouble else ''}"

    def run(self, world: World) -> None:
        """Do it."""
        DEEDS[self.deed](world, Random(self.seed), self.trouble)


def push(world: World, dice: Random, trouble: Trouble) -> None:
    """Push some of the list under a new number."""
    with world.kit(trouble) as kit:
        plan = world.plan(kit, dice)
        world.say(f"  {plan.batch}: {', '.join(row.label for row in plan.documents) or 'nothing'}")
        world.say(f"  {kit.push(plan, dry_run=False).headline}")


def resume(world: World, dice: Random, trouble: Trouble) -> None:
    """Finish what was interrupted; a person looks for what nobody can tell."""
    del dice
    before = set(world.living())
    with world.kit(trouble) as kit:
        world.planned()
        for report in kit.resume():
            world.say(f"  {report.headline}")
        for label in doubtful(world):
            place = world.places().get(label)
            world.say(f"  a person says: {label} is {place or 'not there'}")
            for report in kit.resume(label, posted=place, not_posted=place is None):
                world.say(f"  {report.headline}")
    world.deeds.voided |= before - set(world.living())  # by an un-posting that had been cut off


def doubtful(world: World) -> list[str]:
    """The documents of which only a person can tell."""
    with closing(sqlite3.connect(world.log_file)) as db:
        rows = db.execute("SELECT key, part, generation FROM documents WHERE state = 'in_doubt'")
        return [document_label(key, part=part, generation=again) for key, part, again in rows]


def rerun(world: World, dice: Random, trouble: Trouble) -> None:
    """Compare a batch with the books, and post what is missing."""
    there = [number for number in world.batches if world.site.ledger.named(number)]
    if not there:
        return
    number = dice.choice(there)
    with world.kit(trouble) as kit:
        kit.rerun(number)
        world.planned()
        world.say(f"  {kit.rerun(number, dry_run=False).headline}")


def unpost(world: World, dice: Random, trouble: Trouble) -> None:
    """Delete a batch in ConnectWise, sometimes with its documents in Sage."""
    there = [number for number in world.batches if world.site.ledger.named(number)]
    if not there:
        return
    number, voids = dice.choice(there), dice.random() < 0.4
    world.deeds.unbatched |= world.members(number)
    before = set(world.living())
    with world.kit(trouble) as kit:
        world.planned()
        undone = kit.unpost(number, void=voids, on=VOID_DAY)
        world.say(f"  {undone.headline}")
        world.deeds.unposted |= {number} if undone.done else set()
    world.deeds.voided |= before - set(world.living())


def clear(world: World, dice: Random, trouble: Trouble) -> None:
    """Batch a transaction or two without posting them."""
    with world.kit(trouble) as kit:
        keys = [key for key in kit.fetch()["key"] if dice.random() < 0.3]
        world.planned()
        if not keys:
            return
        world.say(f"  {', '.join(keys)}")
        number = world.next_batch()
        world.deeds.cleared.add(number)
        report = kit.clear(keys, batch=number, reason="paid in cash", anyway=True, dry_run=False)
        world.say(f"  {report.headline}")


def back_up(world: World, dice: Random, trouble: Trouble) -> None:
    """Copy the company file."""
    del dice, trouble
    world.backup = shutil.copyfile(world.file, world.folder / "backup")


def restore(world: World, dice: Random, trouble: Trouble) -> None:
    """Put the last copy of the company file back: what came later is lost."""
    del dice, trouble
    before = set(world.living())
    shutil.copyfile(world.backup, world.file)
    lost = before - set(world.living())
    world.deeds.lost |= lost
    world.say(f"  lost: {', '.join(sorted(lost)) or 'nothing'}")


def void(world: World, dice: Random, trouble: Trouble) -> None:
    """A bookkeeper voids a document in Sage."""
    del trouble
    label, place = world.pick(dice) or ("", "")
    if not label:
        return
    with EmbeddedCompany(world.file) as company:
        try:
            company.void(place, on=VOID_DAY)
        except Sage50KitError as error:
            world.say(f"  {error}")
            return
    world.deeds.voided.add(label)
    world.say(f"  {label}")


def change(world: World, dice: Random, trouble: Trouble) -> None:
    """A bookkeeper moves a line of an invoice to another account."""
    del trouble
    label, place = world.pick(dice, "sales_invoice") or ("", "")
    if not label:
        return
    row = int(place.rpartition("-")[2])
    with closing(sqlite3.connect(world.file)) as db, db:
        db.execute(
            "UPDATE entry SET account_id = '4100' WHERE document_id = ? AND made_by = 'kit' AND "
            "role = 'line'",
            (row,),
        )
    world.deeds.changed.add(label)
    world.say(f"  {label}")


def delete_batch(world: World, dice: Random, trouble: Trouble) -> None:
    """An analyst deletes a batch in ConnectWise by hand."""
    del trouble
    there = [number for number in world.batches if world.site.ledger.named(number)]
    if not there:
        return
    number = dice.choice(there)
    world.deeds.unbatched |= world.members(number)
    found = world.site.ledger.named(number)
    world.site.call("DELETE", BATCHES, {"id": str(found.id if found else 0)}, None)
    world.say(f"  {number}")


def reopen(world: World, dice: Random, trouble: Trouble) -> None:
    """An analyst reopens an unbatched invoice, changes an amount and closes it again."""
    del trouble
    there = [row for row in world.closed().values() if row.kind == "invoice"]
    unbatched = [row for row in there if not any(entry.batch for entry in row.entries)]
    if not unbatched:
        return
    closed = dice.choice(unbatched)
    invoice = closed.record
    statuses = world.site.setup.tables["billingStatuses"].values()
    for wants_closed in (False, True):
        if wants_closed:
            invoice.lines[0].price += Decimal(dice.randrange(1, 900)) / 100
        status = next(row["id"] for row in statuses if bool(row.get("closedFlag")) is wants_closed)
        body = [{"op": "replace", "path": "status", "value": {"id": status}}]
        world.site.call("PATCH", INVOICE, {"id": str(invoice.id)}, body)
    world.deeds.reopened.add(closed.key)
    world.say(f"  {closed.key}")


DEEDS: dict[str, Callable[[World, Random, Trouble], None]] = {
    "push": push,
    "resume": resume,
    "re-run a batch": rerun,
    "un-post a batch": unpost,
    "clear": clear,
    "back up": back_up,
    "restore the backup": restore,
    "void in Sage": void,
    "change in Sage": change,
    "delete a batch in ConnectWise": delete_batch,
    "reopen an invoice in ConnectWise": reopen,
}
# How often each deed comes, after the first push.
WEIGHTS = {
    "push": 6,
    "resume": 4,
    "re-run a batch": 2,
    "un-post a batch": 2,
    "clear": 1,
    "back up": 1,
    "restore the backup": 1,
    "void in Sage": 1,
    "change in Sage": 1,
    "delete a batch in ConnectWise": 2,
    "reopen an invoice in ConnectWise": 1,
}
UNBATCHING = ("delete a batch in ConnectWise", "un-post a batch")
TROUBLED = ("push", "resume", "re-run a batch", "un-post a batch", "clear")


def recover(world: World) -> None:
    """After a restored backup every batch is run again: lost stays only what is in no batch, so unposted."""
    there = [number for number in world.batches if world.site.ledger.named(number)]
    for number in there:
        with world.kit() as kit:
            world.say(f"  {kit.rerun(number, dry_run=False).headline}")
    batched = {key for number in there for key in world.members(number)} - world.deeds.unbatched
    world.deeds.lost = {
        label
        for label in world.deeds.lost
        if label.partition("#")[0].partition("/")[0] not in batched
    }


def verify(world: World) -> None:
    """Where nobody did anything by hand, the kit itself finds nothing wrong."""
    with world.kit() as kit:
        for number in kit.log.history():
            if number["state"] == "created" and not kit.verify(number["batch"]).ok:
                world.problems.append(f"{number['batch']} does not verify")


def some_steps(dice: Random) -> list[Step]:
    """A first push and a few deeds after it."""
    names = ["push"]
    for name in dice.choices(list(WEIGHTS), list(WEIGHTS.values()), k=dice.randrange(4)):
        # What was taken out of its batch is usually pushed again.
        names += [name, "push"] if name in UNBATCHING and dice.random() < 0.7 else [name]
    return [
        Step(
            name,
            dice.randrange(10**6),
            some_trouble(dice) if name in TROUBLED else Trouble(),
        )
        for name in names
    ]
