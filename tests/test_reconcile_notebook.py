"""Notebook 50: opened and run as it is, it changes nothing; told to save, it leaves the reports."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.stage import ROOT, finished, staged

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

NOTEBOOK = ROOT / "notebooks" / "50_reconcile_receivables.ipynb"


def test_the_defaults_write_nothing(tmp_path: Path):
    """Run All on the demo: September matches, October is not pushed yet, nobody is needed; no report."""
    words = ["run", str(NOTEBOOK), "-o", str(tmp_path / "runs"), "--json"]
    folders = {"XDG_DATA_HOME": str(tmp_path), "LOCALAPPDATA": str(tmp_path)}

    done = finished(*words, environment=folders)

    assert done.code == 0, done.err
    assert [step["step"] for step in done.json["steps"]] == ["reconcile"]
    assert not [path for path in tmp_path.rglob("receivables") if path.is_dir()]


def test_it_saves_when_told_to(tmp_path: Path):
    """With dry_run False text, HTML and workbook of both stand in the workdir; the books are as before."""
    with staged(tmp_path) as stage:
        words = ["run", str(NOTEBOOK), "-o", str(tmp_path / "runs"), "--json"]
        words += ["-p", "profile", str(stage.profile), "-p", "dry_run", "False"]
        before = stage.company.journal_transactions()

        done = stage.run(*words)

        assert done.code == 3, done.err
        assert stage.company.journal_transactions() == before
    saved = sorted(path.name for path in (tmp_path / "work" / "receivables").iterdir())
    assert saved == [
        f"{name}.{ending}"
        for name in ("ageing-2026-10-31-by-due-date", "reconciliation-2026-10-31")
        for ending in ("html", "txt", "xlsx")
    ]
