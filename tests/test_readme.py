"""The README tells the truth: its commands, settings, code and links are those of the kit."""

from __future__ import annotations

import ast
import re
import tomllib

import typer.main

from sage50kit.cli import app
from sage50kit.profile import Profile
from tests.stage import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """The code blocks of a language."""
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_the_first_two_commands_are_the_two_commands():
    """Demo, then all tests."""
    assert blocks("console")[0].splitlines() == ["python3 run.py demo", "python3 run.py test"]


def test_every_verb_is_explained_and_no_other():
    """The table of verbs is the list of verbs."""
    command = typer.main.get_command(app)
    verbs = set(command.commands)  # type: ignore[attr-defined]
    told = set(re.findall(r"^\| `sage50kit ([\w-]+)", README, re.MULTILINE))

    assert told == verbs


def test_the_profile_is_a_profile():
    """It can be loaded as it stands."""
    profile = Profile.parse(tomllib.loads(blocks("toml")[0]), folder=ROOT)

    assert profile.name == "acme"


def test_the_cells_are_python_and_call_verbs_of_the_kit():
    """Every method of `kit` in the README exists."""
    from sage50kit import Kit

    cells = blocks("python")
    calls = {
        node.func.attr
        for cell in cells
        for node in ast.walk(ast.parse(cell))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }

    assert len(cells) == 5
    assert calls
    assert all(hasattr(Kit, name) for name in calls)


def test_links_and_files_exist():
    """Every relative link, and every file of the repository that is named, is there."""
    links = [link for link in re.findall(r"\]\(([^)]+)\)", README) if "://" not in link]
    named = re.findall(r"`((?:data|notebooks|tests)/[\w/.-]+|\d\d_\w+\.ipynb)`", README)
    paths = [
        f"notebooks/{name}" if name.endswith(".ipynb") and "/" not in name else name
        for name in named
    ]

    assert links
    assert [path for path in links + paths if not (ROOT / path).exists()] == []


def test_the_exit_codes_are_all_told():
    """0 to 6."""
    told = README[README.index("Exit codes:") :].split("Without a terminal")[0]

    assert [number for number in "0123456" if not re.search(rf"\b{number}\b", told)] == []
