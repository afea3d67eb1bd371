"""Take the README's pictures: the pages over the demo's fixtures, in a real browser.

    .venv/bin/python scripts/screenshots.py [FOLDER] [--all]

They are light and at 100 % zoom; with `--all` also at 200 %, and dark, for somebody to look at.
"""

from __future__ import annotations

import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from playwright.sync_api import TimeoutError  # noqa: A004

from sage50kit.sandbox.serve import default_gate
from tests.pages import PATIENCE, browser, served
from tests.stage import staged

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

OTHERS = {  # picture -> link of the start page, grid that stands there
    "rerun": ("Rerun batch", "Documents of the batch"),
    "payments": ("Sync payments", "Payments in ConnectWise"),
    "receivables": ("Reconcile receivables", "Differences"),
    "history": ("History", "Batches"),
}
WIDTH, HEIGHT = 1280, 2600  # pixels: no part is taller


def main(words: list[str]) -> None:
    """Write the pictures into a folder."""
    folder = Path(next((word for word in words if word != "--all"), ROOT / "pictures"))
    folder.mkdir(parents=True, exist_ok=True)
    looks = [("light", 1)]
    if "--all" in words:
        looks += [("light", 2), ("dark", 1), ("dark", 2)]
    with browser() as chromium:
        for theme, zoom in looks:
            take(chromium, folder, theme, zoom)


def take(chromium: Browser, folder: Path, theme: str, zoom: int) -> None:
    """The pages of one theme at one zoom: a zoomed window holds fewer and larger pixels."""
    gate = default_gate("a-private-key-for-pictures")
    keys = {
        "SAGE50KIT_STAGE_PUBLIC_KEY": gate.accounts[0].public_key,
        "SAGE50KIT_STAGE_PRIVATE_KEY": gate.accounts[0].private_key,
    }
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        stage_folder, app_folder = Path(name) / "stage", Path(name) / "app"
        stage_folder.mkdir()
        app_folder.mkdir()
        with staged(stage_folder, gate) as stage:
            words = ["-m", "sage50kit", "app", "--profile", str(stage.profile), "--theme", theme]
            words += ["--port", "{port}", "--token", "{token}"]
            with served(words, app_folder, keys) as server:
                size = {"width": WIDTH // zoom, "height": HEIGHT}
                page = chromium.new_page(viewport=size, device_scale_factor=zoom)
                page.set_default_timeout(PATIENCE)
                end = "" if (theme, zoom) == ("light", 1) else f"-{theme}-{zoom}00"
                pages(page, server.page(""), folder, end)
                page.close()


def pages(page: Page, address: str, folder: Path, end: str) -> None:
    """Start page, picker, preview, question, ending; then the pages that a batch does not pass."""
    page.goto(address)
    shot(page, page.locator("main"), folder / f"start{end}.png")
    page.get_by_role("link", name="Run batch Choose").click()
    page.get_by_role("grid", name="Documents in posting order").wait_for()
    picker = panel(page, page.get_by_role("grid", name="Unposted transactions"))
    picker.get_by_label("Filter Kind").select_option("invoice")
    picker.get_by_text("✖ blocked").or_(picker.get_by_text("▲ warning")).first.wait_for()
    picker.get_by_role("button", name="Finding").dblclick()
    picker.locator(".s50-body .s50-row").first.click()
    picker.get_by_text("To do:").first.wait_for()
    shot(page, picker, folder / f"picker{end}.png")
    preview = panel(page, page.get_by_role("button", name="Check and preview again"))
    preview.get_by_label("Filter Number").first.fill("10431")
    preview.get_by_text("10431", exact=True).first.click()
    preview.get_by_text("8 of 8 rows shown").wait_for()
    shot(page, preview, folder / f"preview{end}.png")
    preview.get_by_role("button", name="Picture").click()
    shot(page, preview, folder / f"picture{end}.png")
    page.get_by_role("button", name="Push …").click()
    page.get_by_role("button", name="Yes, write it now").wait_for()
    push = panel(page, page.get_by_label("Batch number"))
    shot(page, push, folder / f"question{end}.png")
    page.get_by_role("button", name="Yes, write it now").click()
    page.get_by_role("button", name="Save full log").wait_for()
    shot(page, push, folder / f"ending{end}.png")
    for name, (link, grid) in OTHERS.items():
        page.goto(address)
        page.get_by_role("link", name=link).click()
        inside = page.get_by_role("grid", name=grid)
        inside.wait_for()
        shot(page, panel(page, inside), folder / f"{name}{end}.png")


def panel(page: Page, inside: Locator) -> Locator:
    """The part of a page that holds something."""
    return page.locator(".s50.widget-vbox").filter(has=inside).first


def shot(page: Page, place: Locator, path: Path) -> None:
    """A picture of a part, when it has stopped moving."""
    with suppress(TimeoutError):
        page.wait_for_load_state("networkidle", timeout=2000)
    page.mouse.move(0, 0)
    place.screenshot(path=path, animations="disabled")


if __name__ == "__main__":
    main(sys.argv[1:])
