"""Imports go one way, and what is pure stays pure."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

import pytest
from importlinter.cli import lint_imports

from tests.stage import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PURE = [
    "model/__init__",
    "model/content",
    "model/lists",
    "money",
    "issues",
    "connectwise/frames",
    "batch/mapping",
    "batch/validation",
    "batch/drafting",
    "batch/planning",
    "batch/proof",
]
CLOCKS = {
    "now",
    "today",
    "utcnow",
    "time",
    "time_ns",
    "monotonic",
    "getenv",
    "environ",
    "open",
    "read_text",
}


def test_the_contracts_of_pyproject_hold(capsys: pytest.CaptureFixture[str]):
    """The layers, the purity and the independence that pyproject.toml draws."""
    code = lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_logo=True)

    assert code == 0, capsys.readouterr().out


@pytest.mark.parametrize("name", PURE)
def test_pure_files_read_neither_clock_nor_disk(name):
    """The same input gives the same output, today and tomorrow."""
    tree = ast.parse((ROOT / "sage50kit" / f"{name}.py").read_text(encoding="utf-8"))
    called = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    names = {
        func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "") for func in called
    }

    assert not names & CLOCKS


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """Each function of a file, with how many lines its body has below the docstring."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.end_lineno:
            first = node.body[1:2] if ast.get_docstring(node) else node.body
            yield (
                f"{path.stem}.{node.name}",
                node.end_lineno - min([n.lineno for n in first] or [node.end_lineno]) + 1,
            )


def test_functions_stay_short():
    """No body passes sixty lines; ten is the aim."""
    found = [one for path in (ROOT / "sage50kit").rglob("*.py") for one in functions(path)]

    assert len(found) > 300
    assert [one for one in found if one[1] > 60] == []


def test_statements_take_their_values_by_name_or_by_position():
    """A numbered placeholder with values in order warns from Python 3.12, and fails from 3.14."""
    numbered = [
        path.name
        for path in (ROOT / "sage50kit").rglob("*.py")
        if re.search(r"[=(, ]\?[0-9]", path.read_text(encoding="utf-8"))
    ]

    assert numbered == []
