"""How a run tells the process that started it how it ended.

A notebook runs in a kernel, whose exit code says nothing, and whose own metadata says "completed" even
after the kernel was killed. So the runner names a file of its own to the kernel, and each push or
verification appends one line to it. Without that file nothing is recorded.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

VARIABLE = "SAGE50KIT_OUTCOME_FILE"  # set by the runner for its own kernel, never by a person
# What needs a person soonest comes last: blocked, busy, usage, crash, in doubt.
_GRAVITY = (0, 3, 4, 6, 2, 1, 5)


def record(step: str, *, batch: str, status: str, exit_code: int) -> None:
    """Append how a step ended, if a runner asked for it.

    Args:
        step: `push`, `verify` or another verb; `dry run` for a push that wrote nothing.
        batch: the batch number.
        status: of the step, such as `completed`.
        exit_code: of design 7.
    """
    path = os.environ.get(VARIABLE)
    if path:
        line = {"step": step, "batch": batch, "status": status, "exit_code": exit_code}
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")


def read(path: Path) -> list[dict[str, object]]:
    """What was recorded; nothing when nothing was. A line that a killed kernel did not finish is none."""
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    return [json.loads(line) for line in lines if line.endswith("\n")]


def gravest(codes: list[int]) -> int:
    """The exit code that needs a person soonest; 0 of none."""
    return max(codes, key=lambda code: _GRAVITY.index(code) if code in _GRAVITY else 0, default=0)
