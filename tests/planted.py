"""A bug is planted into a module as it is imported, in a process of its own; the simulator must see it.

    python -m tests.planted "no settle"

prints the first seed that shows it, and what was wrong. The product knows nothing of this: its source is
changed on the way from the file to the interpreter, and a change that no longer fits is an error.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from importlib.machinery import PathFinder, SourceFileLoader
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

MOST_SEEDS = 200
PUSH = "sage50kit.batch.push"


@dataclass(frozen=True)
class Bug:
    """Other words for some words of a module; they must stand there exactly once."""

    module: str
    words: str
    instead: str


BUGS = {
    "nothing is settled: what was sent is sent again": Bug(
        PUSH,
        "    holds: Sequence[StoredDocument], company: Connector, log: PushLog\n) -> None:\n",
        "    holds: Sequence[StoredDocument], company: Connector, log: PushLog\n) -> None:\n    holds = ()\n",
    ),
    "the outcome is written before the effect": Bug(
        PUSH,
        "    try:\n        posted = company.post(document)",
        '    log.mark(document, "posted", batch=plan.batch, place="SJ-1")\n'
        "    try:\n        posted = company.post(document)",
    ),
    "the batch is created without looking": Bug(
        PUSH,
        "    found = connectwise.find_batch(plan.batch)\n    if found is None:\n",
        "    found = None\n    if found is None:\n",
    ),
    "the batch holds a refused document": Bug(
        PUSH,
        'if row.state not in ("posted", "exported")',
        'if row.state not in ("posted", "exported", "refused")',
    ),
    "the claim is not taken": Bug(
        PUSH,
        "    with claim(log), company.session():",
        "    with company.session():",
    ),
    "the intent is not written before the effect": Bug(
        PUSH,
        '    log.mark(document, "sending", batch=plan.batch)\n',
        "",
    ),
    "silence is taken for a refusal": Bug(
        PUSH,
        "except DocumentRefused as error:\n        log.mark(document",
        "except Sage50KitError as error:\n        log.mark(document",
    ),
    "what stands in the books is posted again": Bug(
        "sage50kit.batch.validation",
        "STANDING",
        "",
    ),
}


class Planter(PathFinder):
    """Finds one module and changes it."""

    bug: Bug

    @classmethod
    def find_spec(
        cls, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name != cls.bug.module:
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
        bug = Planter.bug
        assert source.count(bug.words) == 1, f"{bug.words!r} stands {source.count(bug.words)} times"
        return compile(source.replace(bug.words, bug.instead), self.path, "exec")


def main(name: str) -> None:
    """Plant one bug, and run seeds until it shows."""
    Planter.bug = BUGS[name]
    sys.meta_path.insert(0, Planter)
    from random import Random

    from sage50kit.simulator.simulate import Stand, play, some_steps

    with Stand() as stand:
        for seed in range(1, MOST_SEEDS + 1):
            failure = play(stand, seed, some_steps(Random(f"steps {seed}")))
            if failure is not None:
                print(f"caught by seed {seed}: {failure.problems[0]}")
                return
    print("not caught")


if __name__ == "__main__":
    main(sys.argv[1])
