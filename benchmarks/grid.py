"""The grid in the browser, beside the best ready-made one: first usable paint, filter, select, arrival in Python.

    .venv/bin/python benchmarks/grid.py [ROWS ...]

A real Chromium drives JupyterLab. Each time is from the key or click to what a person sees, or to what Python holds.
ipydatagrid has no boxes and no filter field, so only its paint and its own way of selecting all can be timed.

The whole picker follows, over HTTP against a sandbox of about as many transactions: reading them is timed by itself,
then the same three, once while findings are still looked for beside the page and once after.
"""

from __future__ import annotations

import json
import platform
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.pages import browser, lab, notebook, open_in_lab

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

    from tests.pages import Server

GOALS = {"first usable paint": 1.5, "filter": 0.3, "select all filtered, in Python": 0.3}
RUNS = 3
FRAME = """
import datetime, ipywidgets, numpy as np, pandas as pd
from ipydatagrid import DataGrid
from sage50kit.widgets import Grid
from sage50kit.widgets.picker import COLUMNS
from decimal import Decimal
from sage50kit.money import money_series
dice = np.random.default_rng(1)
n = {rows}
kinds = np.array(["invoice", "expense", "receipt", "adjustment", "transfer"])
frame = pd.DataFrame({{
    "key": [f"invoice:{{i}}" for i in range(n)],
    "kind": kinds[dice.integers(0, 5, n)],
    "type": np.array(["Standard", "Agreement", "CreditMemo"])[dice.integers(0, 3, n)],
    "number": [f"CW-{{i}}" for i in range(n)],
    "date": [datetime.date(2026, 10, 1 + i % 28) for i in range(n)],
    "party": [f"Customer {{i}}" for i in dice.integers(0, 900, n)],
    "location": np.array(["Tampa", "Orlando"])[dice.integers(0, 2, n)],
    "total": money_series(Decimal(int(c)).scaleb(-2) for c in dice.integers(-100000, 5000000, n)),
}})
shown = frame.assign(total=frame["total"].astype(str), date=frame["date"].astype(str))
"""
OURS = """
grid = Grid(frame, COLUMNS, label="Bench", include_title="Include", included=[False] * n)
arrived = ipywidgets.Label("arrived 0")
grid.observe(lambda change: setattr(arrived, "value", f"arrived {int(grid.included.sum())}"), "mask")
ipywidgets.VBox([arrived, grid])
"""
PICKER = """
import ipywidgets, time
from sage50kit import Kit
from sage50kit.widgets import Picker
kit = Kit({profile!r})
begun = time.perf_counter()
picker = Picker(kit, nothing=True)
print(f"read {{len(picker.grid.frame)}} in {{time.perf_counter() - begun:.1f}}")
arrived = ipywidgets.Label("arrived 0")
picker.grid.observe(lambda change: setattr(arrived, "value", f"arrived {{int(picker.grid.included.sum())}}"), "mask")
"""
SHOW = "ipywidgets.VBox([arrived, picker])"
THEIRS = """
DataGrid(shown, selection_mode="row")
"""


def main(sizes: list[int]) -> None:
    """Print one table per size."""
    print(
        f"CPython {platform.python_version()}, {platform.system()} {platform.machine()}, best of {RUNS}"
    )
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name, browser() as chromium:
        folder = Path(name) / "notebooks"
        folder.mkdir()
        with lab(folder, {}) as server:
            print(f"Chromium {chromium.version}")
            for rows in sizes:
                page = chromium.new_page(viewport={"width": 1500, "height": 1000})
                report(f"{rows:,} rows", ours(page, server, rows), theirs(page, server, rows))
                page.close()
                for what, times in over_http(chromium, folder, rows).items():
                    report(what, times, {})


def report(title: str, own: dict[str, float], other: dict[str, float]) -> None:
    """One table."""
    print(f"\n{title} (seconds)\n{'':<34}   ours  goal  ipydatagrid")
    for what, seconds in own.items():
        goal = f"{GOALS[what]:.1f}" if what in GOALS else ""
        there = f"{other[what]:.2f}" if what in other else "-"
        print(f"  {what:<32} {seconds:6.2f}  {goal:>4}  {there:>8}")


def ours(page: Page, server: Server, rows: int) -> dict[str, float]:
    """The times of our grid."""
    name = f"ours-{rows}.ipynb"
    notebook(server.folder / name, FRAME.format(rows=rows), OURS)
    open_in_lab(page, server, name)
    status = page.locator(".s50-status")
    status.wait_for()
    page.get_by_label("Filter Total").wait_for()
    return steps(page, rows)


@contextmanager
def sandbox(folder: Path, rows: int) -> Iterator[dict[str, Any]]:
    """A site of about so many transactions in a process of its own, its company and its profile."""
    words = ["sandbox", "serve", "--port", "0", "--invoices", str(rows * 18 // 25), "--seed", "1"]
    command = [sys.executable, "-m", "sage50kit", *words, "--workdir", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, encoding="utf-8") as process:
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())
        finally:
            process.terminate()


def over_http(chromium: Any, folder: Path, rows: int) -> dict[str, dict[str, float]]:
    """The times of the picker, reading what a site has; by what went on meanwhile."""
    name = f"picker-{rows}.ipynb"
    with sandbox(folder.parent / f"site-{rows}", rows) as site, lab(folder, site["env"]) as server:
        page = chromium.new_page(viewport={"width": 1500, "height": 1000})
        notebook(folder / name, PICKER.format(profile=site["profile"]), SHOW)
        page.set_default_timeout(600_000)
        open_in_lab(page, server, name)
        page.set_default_timeout(600_000)
        page.get_by_label("Filter Total").wait_for()
        said = page.locator(".jp-OutputArea-output", has_text="read ").inner_text().split()
        count = int(said[1])
        busy = {f"read over HTTP, {count:,} rows": float(said[3]), **steps(page, count)}
        started = time.perf_counter()
        page.get_by_text("transactions are checked").wait_for()
        busy["until all findings are shown"] = time.perf_counter() - started
        calm = steps(page, count)
        page.close()
    return {
        f"picker, {count:,} rows, findings being looked for": busy,
        "the same, afterwards": calm,
    }


def steps(page: Page, rows: int) -> dict[str, float]:
    """Paint, filter, select: each the best of some runs."""
    found = {"first usable paint": min(paint(page, ".s50-body .s50-box") for _ in range(RUNS))}
    found["filter"] = min(filtered(page, rows) for _ in range(RUNS))
    found["select all filtered, in Python"] = min(selected(page) for _ in range(RUNS))
    return found


def paint(page: Page, drawn: str) -> float:
    """Run the second cell again: from Shift+Enter to the first row of the new view."""
    page.locator(".jp-Cell .jp-InputArea-editor").nth(1).click()
    # The old view is marked, so that only a new one counts.
    page.evaluate(
        "document.querySelectorAll('.jp-OutputArea-output').forEach(n => n.dataset.old = 1)"
    )
    started = time.perf_counter()
    page.keyboard.press("Control+Enter")
    page.locator(f".jp-OutputArea-output:not([data-old]) {drawn}").first.wait_for()
    return time.perf_counter() - started


def filtered(page: Page, rows: int) -> float:
    """From the last key of a filter to the number of rows that pass; the debounce is part of it."""
    status = page.locator(".s50-status")
    clear = page.get_by_role("button", name="Clear filters")
    if clear.is_enabled():
        clear.click()
    field = page.get_by_label("Filter Total")
    started = time.perf_counter()
    field.fill(">40000")
    page.wait_for_function(
        "text => !document.querySelector('.s50-status').textContent.startsWith(text)",
        arg=f"{rows:,} of",
    )
    assert status.inner_text()
    return time.perf_counter() - started


def selected(page: Page) -> float:
    """From the click on the button to Python's answer: how many rows it holds as included."""
    page.locator(".s50-bar button").nth(1).click()
    page.get_by_text("arrived 0", exact=True).wait_for()
    button = page.locator(".s50-bar button").first
    wanted = button.inner_text().split(" ")[2].replace(",", "")
    started = time.perf_counter()
    button.click()
    page.get_by_text(f"arrived {wanted}", exact=True).wait_for()
    return time.perf_counter() - started


def theirs(page: Page, server: Server, rows: int) -> dict[str, float]:
    """What can be timed of ipydatagrid."""
    name = f"theirs-{rows}.ipynb"
    notebook(server.folder / name, FRAME.format(rows=rows), THEIRS)
    open_in_lab(page, server, name)
    page.locator(".jp-OutputArea-output canvas").first.wait_for()
    return {"first usable paint": min(paint(page, "canvas") for _ in range(RUNS))}


if __name__ == "__main__":
    main([int(word) for word in sys.argv[1:]] or [10_000, 50_000])
