"""A bug is planted into a module as it is imported, in a process of its own; the simulator must see it.

    python -m tests.planted "no settle"

prints the first seed that shows it, and what was wrong. The product knows nothing of this: its source is
changed on the way from the file to the interpreter, and a change that no longer fits is an error.
"""

from __future__ import annotations

import importlib
import json
import sys
from dataclasses import dataclass
from importlib.machinery import PathFinder, SourceFileLoader
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

MOST_SEEDS = 200
BATCHING = "sage50kit.batch.batching"
POSTING = "sage50kit.batch.posting"
PUSH = "sage50kit.batch.push"
SETTLING = "sage50kit.batch.settling"
COMPARE = "sage50kit.batch.compare"
RERUN = "sage50kit.batch.rerun"
UNPOST = "sage50kit.batch.unpost"
VALIDATION = "sage50kit.batch.validation"


@dataclass(frozen=True)
class Bug:
    """Other words for some words of a module; they must stand there exactly once."""

    module: str
    words: str
    instead: str


BUGS = {
    "nothing is settled: what was sent is sent again": Bug(
        SETTLING,
        "    alive = [stored for stored in found if not stored.voided]\n    if holds",
        "    alive = found = []\n    if holds",
    ),
    "what was sent is believed to be posted": Bug(
        SETTLING,
        """    else:
        log.mark(document, "planned", batch=row.batch, **why_settled)""",
        """    else:
        log.mark(document, "posted", batch=row.batch, place="SJ-1", **why_settled)""",
    ),
    "the intent is not written before the effect": Bug(
        POSTING,
        '    log.mark(document, "sending", batch=plan.batch)\n    try:\n        posted = company.post(document)\n',
        '    try:\n        posted = company.post(document)\n        log.mark(document, "sending", batch=plan.batch)\n',
    ),
    "the outcome is written before the effect": Bug(
        POSTING,
        "    try:\n        posted = company.post(document)\n",
        '    log.mark(document, "posted", batch=plan.batch, place="SJ-1")\n'
        "    try:\n        posted = company.post(document)\n",
    ),
    "the batch is tried again blindly, under another number": Bug(
        BATCHING,
        """    except ConnectWiseError as error:
        return error
    return None
""",
        """    except ConnectWiseError:
        connectwise.create_batch(f"{batch}-1", kinds={row.kind for row in members}, entry_ids=ids)
    return None
""",
    ),
    "the batch holds a refused document": Bug(
        BATCHING,
        "if row.state not in states for key",
        'if row.state not in {*states, "refused"} for key',
    ),
    "the batch is forgotten": Bug(
        PUSH,
        "        create_batch(plan, connectwise, log)\n",
        '        log.mark_batch(plan.batch, "created")\n',
    ),
    "the claim is not taken": Bug(
        PUSH,
        "    with log.claim(), company.session():",
        "    with company.session():",
    ),
    "the generation stays the same": Bug(
        VALIDATION,
        "again = replace(document, generation=last + 1)",
        "again = replace(document, generation=max(last, 1))",
    ),
    "what stands in the books is posted again": Bug(
        VALIDATION,
        "            there[document.label] = f",
        "            there[document.label[:0]] = f",
    ),
    "a re-run posts nothing of what is missing": Bug(
        RERUN,
        'if state == "missing"}',
        'if state == "changed"}',
    ),
    "settling does not look at the total": Bug(
        COMPARE,
        "        and stored.total == expected_total(document, stored)\n",
        "",
    ),
    "an un-posted batch is not written down": Bug(
        UNPOST,
        '    log.mark_batch(batch, "unposted")\n',
        "",
    ),
}


# Looking before posting would hide most of them from the judge, so it is taken away with each.
UNFENCED = Bug(
    SETTLING,
    "            standing = living(row.document, holds or (), company.capabilities)\n",
    "            standing: list[StoredDocument] = []\n",
)


class Planter(PathFinder):
    """Finds the modules and changes them."""

    bug: Bug

    @classmethod
    def find_spec(
        cls, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name not in (cls.bug.module, UNFENCED.module):
            return None
        spec = super().find_spec(name, path, target)
        assert spec is not None
        assert spec.origin is not None
        spec.loader = Changed(name, spec.origin)
        return spec


class Changed(SourceFileLoader):
    """Loads a module with the bug in it, and nothing of it is kept on the disk."""

    def get_code(self, fullname: str) -> Any:
        source = self.get_data(self.path).decode()
        for bug in (one for one in (UNFENCED, Planter.bug) if one.module == self.name):
            times = source.count(bug.words)
            assert times == 1, f"{bug.words!r} stands {times} times"
            source = source.replace(bug.words, bug.instead)
        return compile(source, self.path, "exec")


def main(name: str) -> None:
    """Plant one bug, and run seeds until it shows."""
    Planter.bug = BUGS[name]
    sys.meta_path.insert(0, Planter)
    importlib.import_module(Planter.bug.module)  # what does not fit fails here
    from sage50kit.simulator.simulate import Stand, history_of, play

    found: dict[str, Any] = {"seed": 0, "problem": "not caught"}
    with Stand() as stand:
        for seed in range(1, MOST_SEEDS + 1):
            failure = play(stand, seed, history_of(seed))
            if failure is not None:
                found = {"seed": seed, "problem": failure.problems[0]}
                break
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1])
