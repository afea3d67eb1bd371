"""The pages in a real browser, as a person uses them; afterwards the books and the site are read."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.request import Request, urlopen

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from sage50kit import Kit
from sage50kit.app import pages
from sage50kit.sandbox.faults import Faults, Rule
from sage50kit.sandbox.serve import default_gate
from tests.pages import PATIENCE, browser, browser_path, lab, notebook, open_in_lab, served
from tests.stage import staged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, Locator, Page

    from sage50kit.sandbox.faults import Line
    from tests.pages import Server
    from tests.stage import Stage

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(browser_path() is None, reason="no browser; run.py says so aloud"),
]
NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
GATE = default_gate("a-private-key-of-the-tests")
KEYS = {
    "SAGE50KIT_STAGE_PUBLIC_KEY": GATE.accounts[0].public_key,
    "SAGE50KIT_STAGE_PRIVATE_KEY": GATE.accounts[0].private_key,
}
TAKEN = ("20260930JD-I", "20260930JD-E", "20260930JD-P")  # batches of the fixtures
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
def line() -> Faults:
    """The trouble on the line of a test's own pair: none at first."""
    return Faults()


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: Faults) -> Iterator[Stage]:
    """A pair of a test's own, whose keys the servers know."""
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    with staged(tmp_path, GATE, faults=line) as made:
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

    page.get_by_role("button", name="Show this choice").click()
    code = page.locator(".s50-code")
    expect(code).to_contain_text("'without': [")
    left_out = set(re.findall(r"expense:\d+", code.inner_text()))
    assert left_out == {"expense:5011", "expense:5021", "expense:5022", "expense:5031"}


def test_after_a_click_on_a_box_the_keys_go_on_in_the_grid(
    jupyter: Server, page: Page, stage: Stage
):
    """The box is drawn anew; were the focus lost, letters would be commands of the notebook."""
    grid = picker_page(jupyter, page, stage)
    status = page.get_by_role("status").filter(has_text="rows shown")
    grid.get_by_role("checkbox").nth(1).click()
    expect(status).to_contain_text("42 of 43 included")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")

    expect(status).to_contain_text("41 of 43 included")
    expect(grid).to_be_focused()


def test_keys_do_everything_the_mouse_does(jupyter: Server, page: Page, stage: Stage):
    """Arrows, Space, Enter, Ctrl+A and / inside JupyterLab; a finding is a sign, a word, and its cure when opened."""
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

    page.get_by_role("button", name="Clear filters").click()
    grid.get_by_label("Filter Finding").fill("blocked")
    expect(status).to_contain_text("1 of 43 rows shown")
    expect(grid.get_by_text("✖ blocked: GL account 4950")).to_be_visible()
    grid.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("To do: add 4950 under Maintain > Chart of Accounts")).to_be_visible()


def test_hostile_text_neither_runs_nor_turns_its_row(jupyter: Server, page: Page):
    """Markup, a formula and a right-to-left mark in every text field: shown as text, in grid and message."""
    name, asked = "hostile.ipynb", list[str]()
    hostile = '<img src="http://192.0.2.1/x" onerror="alert(1)">=HYPERLINK("x")\u202eabc'
    columns = "[GridColumn(name=n, title=n, kind=k) for n, k in {'number': 'text', 'kind': 'choice', 'date': 'date'}.items()]"
    notebook(
        jupyter.folder / name,
        "import pandas as pd\nfrom sage50kit.widgets.grid import Grid, GridColumn\n"
        "from sage50kit.widgets.panel import html, message\n"
        f"text = {hostile!r}\nframe = pd.DataFrame({{'number': [text], 'kind': [text], 'date': [text]}})\n"
        f"grid = Grid(frame, {columns}, label=text, include_title='Include', patience=500)\n"
        "grid.mark({0: ('warn', text)})\ngrid",
        "html(message(text, 'warn', text))",
    )
    page.on("dialog", lambda dialog: asked.append(dialog.message))
    page.on("request", lambda request: asked.append(request.url))
    open_in_lab(page, jupyter, name)
    expect(page.locator(".s50-body .s50-row")).to_have_count(1)
    expect(page.locator(".s50-warn")).to_be_visible()

    shown = page.locator(".s50-body").inner_text()
    assert shown.count('<img src="http://192.0.2.1/x" onerror="alert(1)">=HYPERLINK("x") abc') == 3
    assert page.locator(".s50-grid img, .s50-warn img").count() == 0
    assert [what for what in asked if "192.0.2.1" in what or what == "1"] == []


def test_a_lost_kernel_is_said(jupyter: Server, page: Page):
    """A choice that Python never hears of is not shown as if it had."""
    name = "lost.ipynb"
    notebook(
        jupyter.folder / name,
        "import os\nimport pandas as pd\nfrom sage50kit.widgets.grid import Grid, GridColumn\n"
        "frame = pd.DataFrame({'number': ['1', '2']})\n"
        "Grid(frame, [GridColumn(name='number', title='Number')], include_title='Include', patience=500)",
        "import threading\nthreading.Timer(1, os._exit, [1]).start()",
    )
    open_in_lab(page, jupyter, name)
    expect(page.locator(".s50-body .s50-row")).to_have_count(2)
    page.get_by_text("Kernel Restarting").or_(page.get_by_text("has died")).first.wait_for()
    page.keyboard.press("Escape")
    page.locator(".s50-body input").first.evaluate("box => box.click()")

    expect(page.locator(".s50-lost")).to_contain_text("Python does not answer")


# --- the whole push ---


def batch_page(jupyter: Server, page: Page, stage: Stage) -> None:
    """The batch notebook over the pair of a test, all cells run."""
    name = f"{stage.folder.name}.ipynb"
    with pages(str(stage.profile)) as folder:
        shutil.copy(folder / "20_run_batch.ipynb", jupyter.folder / name)
    open_in_lab(page, jupyter, name)
    expect(page.get_by_role("button", name="Push …")).to_be_visible()


def written(stage: Stage) -> tuple[list[str], int, int]:
    """What both ends hold: batches of the site, how often it was changed, documents of the company."""
    with stage.company as company:
        return stage.batches(), stage.site.revision, len(company.documents())


def both_ends_agree(stage: Stage, batch: str) -> set[str]:
    """Site, log and books are read and compared; the keys of what was posted."""
    with Kit(stage.profile) as kit:
        verification = kit.verify(batch)
        assert verification.ok, verification.findings
        return {row.key for row in kit.log.documents(batch) if row.state == "posted"}


def test_every_notebook_run_in_jupyterlab_with_its_defaults_writes_nothing(
    jupyter: Server, page: Page, stage: Stage
):
    """Every cell has run, none failed, and both ends hold what they held."""
    before = written(stage)
    with pages(str(stage.profile)) as folder:
        found = sorted(folder.glob("*.ipynb"))
        for path in found:
            name = f"{stage.folder.name}-{path.name}"
            shutil.copy(path, jupyter.folder / name)
            open_in_lab(page, jupyter, name)
            prompts = page.locator(".jp-CodeCell .jp-InputPrompt")
            expect(prompts.last).to_have_text(re.compile(r"\[\d+\]"))
            expect(page.get_by_text("Python 3 (ipykernel) | Idle")).to_be_visible()
            expect(page.locator(".jp-RenderedText[data-mime-type*=stderr]")).to_have_count(0)

    assert len(found) == len(list(NOTEBOOKS.glob("*.ipynb")))
    assert written(stage) == before


def test_from_choosing_to_the_saved_log_in_jupyterlab(jupyter: Server, page: Page, stage: Stage):
    """Location, filter, all that is filtered, one less; a mapping broken and mended; pushed; both ends agree."""
    before = written(stage)
    batch_page(jupyter, page, stage)
    tampa = page.get_by_label("Location", exact=True).get_by_role("option", name="Tampa")
    page.get_by_label("Location", exact=True).select_option(tampa.inner_text())
    page.get_by_role("button", name="Fetch").click()
    status = page.get_by_role("status").filter(has_text="rows shown").first
    expect(status).to_contain_text("36 of 36 rows shown")
    picker = page.get_by_role("grid", name="Unposted transactions")
    page.get_by_role("button", name="Leave out all 36").click()
    picker.get_by_label("Filter Kind").select_option("invoice")
    page.get_by_role("button", name=re.compile(r"Include the \d+ shown")).click()
    picker.get_by_label("Include 10432").uncheck()

    page.get_by_label("Leave out what is blocked").uncheck()
    page.get_by_role("button", name="Check and preview again").click()
    expect(page.get_by_text("findings block the batch")).to_be_visible()
    cure = page.get_by_text("To do: add 4950 under Maintain").last
    expect(cure).to_be_visible()
    stage.correct()
    page.get_by_role("button", name="Check and preview again").click()
    expect(page.get_by_text("Nothing is written yet").last).to_be_visible()
    documents = page.get_by_role("grid", name="Documents in posting order")
    documents.get_by_label("Filter Number").fill("10431")
    documents.get_by_text("10431", exact=True).click()
    expect(page.get_by_text("8 of 8 rows shown")).to_be_visible()
    assert written(stage) == before

    page.get_by_label("Batch number").fill("20260930JD-I")
    expect(page.get_by_text("is taken in ConnectWise")).to_be_visible()
    page.get_by_label("Batch number").fill("20261031JD-I")
    expect(page.get_by_text("20261031JD-I is free")).to_be_visible()
    page.get_by_role("button", name="Push …").dblclick()
    expect(page.get_by_text("then create batch 20261031JD-I")).to_be_visible()
    assert written(stage) == before
    page.get_by_role("button", name="Yes, write it now").click()
    expect(page.get_by_text("completed, but some transactions contained errors")).to_be_visible()
    page.get_by_role("button", name="Save full log").click()
    with page.expect_download() as saved:
        page.get_by_role("button", name="log.jsonl").click()

    lines = Path(saved.value.path()).read_text(encoding="utf-8").splitlines()
    posted = {json.loads(line)["key"] for line in lines if json.loads(line)["kind"] == "posted"}
    assert posted == both_ends_agree(stage, "20261031JD-I")
    assert "invoice:48102" not in posted
    assert stage.batches().count("20261031JD-I") == 1
    assert serious(page) == []


# --- without code ---


@pytest.fixture
def controller(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The pages without code over the pair of a test."""
    folder = tmp_path_factory.mktemp("app") / "app"
    folder.mkdir()
    words = ["-m", "sage50kit", "app", "--profile", str(stage.profile), "--port", "{port}"]
    with served([*words, "--token", "{token}"], folder, KEYS) as server:
        yield server


def tab_to(page: Page, place: Locator) -> None:
    """Press Tab until a control has the focus, as somebody without a mouse does."""
    expect(place).to_be_visible()
    for _ in range(80):
        if place.evaluate("node => node === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"no number of Tabs reaches {place}")


def serious(page: Page) -> list[str]:
    """What axe holds against our parts of a page."""
    found = Axe().run(page, context={"include": [[".s50, main"]]}).response["violations"]
    return [
        f"{row['id']}: {row['nodes'][0]['html'][:200]}"
        for row in found
        if row["impact"] in ("serious", "critical")
    ]


def test_the_whole_push_without_a_mouse_and_without_code(
    controller: Server, page: Page, stage: Stage
):
    """From the start page to the ending by keys alone; axe has nothing serious; no other host is asked."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(controller.page(""))
    assert serious(page) == []
    link = page.get_by_role("link", name="Run batch Choose")
    tab_to(page, link)
    page.keyboard.press("Enter")

    grid = page.get_by_role("grid", name="Unposted transactions")
    tab_to(page, grid)
    page.keyboard.press("Control+Shift+a")
    page.keyboard.press("/")
    page.keyboard.type("expense")
    status = page.get_by_role("status").filter(has_text="rows shown").first
    expect(status).to_contain_text("5 of 43 rows shown, 0 of 43 included")
    tab_to(page, grid)
    page.keyboard.press("Control+a")
    expect(status).to_contain_text("5 of 43 included")
    tab_to(page, page.get_by_role("button", name="Check and preview again"))
    page.keyboard.press("Enter")
    expect(page.get_by_text("Nothing is written yet: 3 documents")).to_be_visible()
    tab_to(page, page.get_by_role("button", name="Push …"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="No, not yet")).to_be_focused()
    assert serious(page) == []
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_text("completed successfully")).to_be_visible()

    assert serious(page) == []
    for name in ("Rerun batch", "Sync payments", "Reconcile receivables", "History"):
        page.goto(controller.page(""))
        page.get_by_role("link", name=name).click()
        expect(page.locator(".s50-grid").first).to_be_visible()
        assert serious(page) == []
    (batch,) = set(stage.batches()) - set(TAKEN)
    assert len(both_ends_agree(stage, batch)) == 3
    assert [url for url in asked if not url.startswith((controller.url, "data:", "blob:"))] == []


class Held:
    """A line on which the first matching request waits until the test lets it go."""

    def __init__(self) -> None:
        self.arrived, self.free = threading.Event(), threading.Event()

    async def __call__(self, line: Line) -> None:
        """Hold the request."""
        self.arrived.set()
        await asyncio.to_thread(self.free.wait, PATIENCE / 1000)
        await line.app(line.scope, line.receive, line.send)


@pytest.fixture
def held(stage: Stage, line: Faults) -> Iterator[Held]:
    """The creation of the batch waits; let go at the end, whatever happens."""
    made = Held()
    line.rules.append(Rule(made, path="/accounting/batches", method="POST"))
    yield made
    made.free.set()


def push_of_the_app(controller: Server, page: Page) -> str:
    """Begin a push of the expenses in the pages without code; returns the id of its kernel."""
    kernels = list[str]()
    page.on(
        "websocket", lambda socket: kernels.append(socket.url.split("/kernels/")[1].split("/")[0])
    )
    page.goto(controller.page("voila/render/20_run_batch.ipynb"))
    page.get_by_role("button", name="Push …").click()
    page.get_by_role("button", name="Yes, write it now").click()
    return kernels[0]


def test_a_page_closed_in_the_middle_of_a_push_cuts_nothing_off(
    controller: Server, page: Page, stage: Stage, held: Held, chromium: Browser
):
    """The browser asks; the kernel ends after the push only; the page opened meanwhile says who is at it."""
    kernel = push_of_the_app(controller, page)
    assert held.arrived.wait(PATIENCE / 1000)
    expect(
        page.get_by_text("Leave this page open").or_(page.get_by_text("documents; last"))
    ).to_be_visible()
    asked = list[str]()
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    page.goto("about:blank")
    shut = Request(
        controller.page(f"voila/api/shutdown/{kernel}"), method="POST"
    )  # as culling does
    with pytest.raises(TimeoutError):  # Jupyter kills after five seconds
        urlopen(shut, timeout=7)
    other = chromium.new_page()
    other.goto(controller.page("voila/render/20_run_batch.ipynb"))
    expect(
        other.get_by_text("is being pushed now: another push holds this company")
    ).to_be_visible()
    expect(other.get_by_role("button", name="Finish what is in doubt")).to_have_count(0)
    other.close()
    held.free.set()

    with Kit(stage.profile) as kit:
        until(lambda: not kit.log.unfinished_batches())
    (batch,) = set(stage.batches()) - set(TAKEN)
    assert asked == ["beforeunload"]
    assert len(both_ends_agree(stage, batch)) == 37  # of 38 documents


def test_a_kernel_lost_in_the_middle_of_a_push_is_said_and_finished(
    controller: Server, page: Page, stage: Stage, held: Held
):
    """The page does not just stand still; the next one offers to finish, and nothing is posted twice."""
    push_of_the_app(controller, page)
    assert held.arrived.wait(PATIENCE / 1000)
    with Kit(stage.profile) as kit:
        holder = json.loads(next(stage.folder.rglob("*.holder")).read_text(encoding="utf-8"))
        os.kill(holder["process"], signal.SIGTERM if os.name == "nt" else signal.SIGKILL)
        expect(page.get_by_text("Python does not answer: this page shows")).to_be_visible()
        held.free.set()
        (batch,) = kit.log.unfinished_batches()
        page.on("dialog", lambda dialog: dialog.accept())
        page.goto(controller.page("voila/render/20_run_batch.ipynb"))
        page.get_by_role("button", name="Finish what is in doubt").click()
        expect(page.get_by_text(f"Batch {batch} completed").last).to_be_visible()

    assert len(both_ends_agree(stage, batch)) == 37  # of 38 documents
    assert stage.batches().count(batch) == 1


def until(true: Callable[[], bool]) -> None:
    """Ask until it is so."""
    for _ in range(PATIENCE // 100):
        if true():
            return
        threading.Event().wait(0.1)
    raise AssertionError("it has not become so")
