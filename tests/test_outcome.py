"""How a run tells its starter how it ended, even when it was killed while it wrote."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sage50kit import outcome

if TYPE_CHECKING:
    from pathlib import Path


def test_a_line_that_a_killed_kernel_left_half_is_passed_over(tmp_path: Path):
    """What was written whole counts; the rest of a line does not hide it."""
    file = tmp_path / "outcome.jsonl"
    file.write_text('{"step": "push", "exit_code": 0}\n{"step": "ver', encoding="utf-8")

    assert outcome.read(file) == [{"step": "push", "exit_code": 0}]


def test_without_a_file_nothing_was_recorded(tmp_path: Path):
    """A notebook that pushes nothing leaves no file."""
    assert outcome.read(tmp_path / "outcome.jsonl") == []


@pytest.mark.parametrize(
    ("codes", "worst"), [([], 0), ([0, 3], 3), ([3, 4], 4), ([5, 1], 5), ([2, 6], 2)]
)
def test_the_code_that_needs_a_person_soonest_counts(codes: list[int], worst: int):
    """Doubt comes before a crash, a crash before wrong usage, that before a busy company."""
    assert outcome.gravest(codes) == worst
