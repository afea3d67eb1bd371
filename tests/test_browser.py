"""The pages in a real browser, as a person uses them; afterwards the books and the site are read."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from sage50kit.sandbox.serve import default_gate
from tests.pages import PATIENCE, browser, browser_path, lab, notebook, open_in_lab
from tests.stage import staged

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Locator, Page

    from tests.pages import Server
    from tests.stage import Stage

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(browser_path() is None, reason="no browser; run.py says so aloud"),
]
GATE = default_gate("a-private-key-of-the-tests")
KEYS = {
    "SAGE50KIT_STAGE_PUBLIC_KEY": GATE.accounts[0].public_key,
    "SAGE50KIT_STAGE_PRIVATE_KEY": GATE.accounts[0].private_key,
}
expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One browser for all tests."""
    with browser() as launched:
        yield launched


@pytest.fixture(scope="module")
def jupyter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One JupyterLab for all tests."""
    folder = tmp_path_factory.mktemp("lab") / "notebooks"
    folder.mkdir()
    with lab(folder, KEYS) as server:
        yield server


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """A pair of a test's own, whose keys the servers know."""
    with staged(tmp_path, GATE) as made:
        yield made


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A window of a test's own."""
    opened = chromium.new_page(viewport={"width": 1500, "height": 1000})
    opened.set_default_timeout(PATIENCE)
    yield opened
    opened.close()


def picker_page(jupyter: Server, page: Page, stage: Stage) -> Locator:
    """A page with a picker alone; returns its grid."""
    name = f"{stage.folder.name}.ipynb"
    source = f"kit = Kit({str(stage.profile)!r})\npicker = Picker(kit)\npicker"
    notebook(jupyter.folder / name, "from sage50kit import Kit\nfrom sage50kit.widgets import Picker", source)  # fmt: skip
    open_in_lab(page, jupyter, name)
    grid = page.get_by_role("grid", name="Unposted transactions")
    expect(grid.get_by_role("row").nth(3)).to_be_visible()
    return grid


def test_the_choice_in_the_browser_is_the_choice_in_python(
    jupyter: Server, page: Page, stage: Stage
):
    """Filter, exclude what is shown, include one again: the parameters name exactly those rows."""
    grid = picker_page(jupyter, page, stage)
    status = page.get_by_role("status").filter(has_text="rows shown")
    expect(status).to_contain_text("43 of 43 rows shown, 43 of 43 included")

    grid.get_by_label("Filter Kind").select_option("expense")
    expect(status).to_contain_text("5 of 43 rows shown")
    page.get_by_role("button", name="Leave out the 5 shown").click()
    expect(status).to_contain_text(
        "Leave out: the 5 rows shown; the 38 filtered out stay as they were"
    )
    grid.get_by_label("Include 5012").check()
    expect(status).to_contain_text("39 of 43 included")
    page.get_by_role("button", name="Clear filters").click()
    expect(status).to_contain_text("43 of 43 rows shown, 39 of 43 included")

    page.get_by_text("This choice as parameters").click()
    code = page.locator(".s50-code")
    expect(code).to_contain_text("without = [")
    left_out = set(re.findall(r"expense:\d+", code.inner_text()))
    assert left_out == {"expense:5011", "expense:5021", "expense:5022", "expense:5031"}


def test_keys_do_everything_the_mouse_does(jupyter: Server, page: Page, stage: Stage):
    """Arrows, Space, Enter, Ctrl+A and / inside JupyterLab, which has shortcuts of its own."""
    grid = picker_page(jupyter, page, stage)
    status = page.get_by_role("status").filter(has_text="rows shown")
    grid.focus()
    for key in ("ArrowDown", "ArrowDown", "Space", "End", "Space"):
        page.keyboard.press(key)
    expect(status).to_contain_text("41 of 43 included")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=re.compile(r"transfer 92"))).to_be_visible()
    page.keyboard.press("Control+a")
    expect(status).to_contain_text("43 of 43 included")
    page.keyboard.press("/")
    page.keyboard.type("palmetto")
    expect(status).to_contain_text(re.compile(r"^\d of 43 rows shown"))


def test_the_blocked_invoice_is_marked_and_explained(jupyter: Server, page: Page, stage: Stage):
    """A sign and a word on the row; the sentence and the cure when it is opened."""
    grid = picker_page(jupyter, page, stage)
    marked = grid.get_by_role("row").filter(has_text="✖ blocked")
    grid.get_by_label("Filter Finding").fill("blocked")
    expect(marked).to_have_count(1)
    marked.get_by_text("invoice", exact=True).click()
    expect(page.get_by_text("To do: add 4950 under Maintain > Chart of Accounts")).to_be_visible()
