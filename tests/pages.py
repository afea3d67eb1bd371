"""JupyterLab and Voilà as processes, and a real Chromium, for tests, benchmarks and pictures of the pages."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import nbformat
from playwright.sync_api import TimeoutError  # noqa: A004

from tests.stage import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from playwright.sync_api import Browser, Page

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "msedge")
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
PATIENCE = 60_000  # milliseconds a page may take on a busy machine


def browser_path() -> str | None:
    """The browser of this machine: the one that is named, else the first that is installed."""
    named = os.environ.get("SAGE50KIT_BROWSER")
    return named or next((found for name in PROGRAMS if (found := shutil.which(name))), None)


@contextmanager
def browser() -> Iterator[Browser]:
    """A real browser without a window."""
    from playwright.sync_api import sync_playwright

    path = browser_path()
    channel = {} if path else {"channel": "msedge" if os.name == "nt" else "chrome"}
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=path, args=FLAGS, **channel)
        try:
            yield launched
        finally:
            launched.close()


@dataclass(frozen=True)
class Server:
    """A server that answers, and the folder whose notebooks it shows."""

    url: str
    token: str
    folder: Path

    def page(self, path: str) -> str:
        """The address of one of its pages."""
        return f"{self.url}/{path}?token={self.token}"


@contextmanager
def served(words: Sequence[str], folder: Path, environment: dict[str, str]) -> Iterator[Server]:
    """A process that serves pages on a free port, with settings of its own.

    Args:
        words: of the command; `{port}` and `{token}` are filled in.
        folder: where it runs; its settings go into a folder beside.
        environment: what its kernels need.
    """
    port, token = _free_port(), "a-token-for-tests"
    home = folder.parent / f"{folder.name}-home"
    home.mkdir(exist_ok=True)
    own = {name: str(home / name.lower()) for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR", "XDG_DATA_HOME", "LOCALAPPDATA")}  # fmt: skip
    variables = {**os.environ, **own, "PYTHONPATH": str(ROOT), **environment}
    variables["PYTHONDONTWRITEBYTECODE"] = ""
    variables.pop("JPY_SESSION_NAME", None)
    command = [word.format(port=port, token=token) for word in words]
    with (home / "server.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, *command], cwd=folder, env=variables, stdout=log, stderr=log
        )
        try:
            server = Server(f"http://127.0.0.1:{port}", token, folder)
            _wait_until_up(server, process, home / "server.log")
            yield server
        finally:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(20)
            process.kill()


def lab(folder: Path, environment: dict[str, str], *, theme: str = "JupyterLab Light") -> Any:
    """JupyterLab over the notebooks of a folder; it asks nobody whether it may fetch news."""
    settings = folder.parent / f"{folder.name}-settings"
    own = settings / "@jupyterlab" / "apputils-extension"
    own.mkdir(parents=True, exist_ok=True)
    for name, content in (("notification", {"fetchNews": "false"}), ("themes", {"theme": theme})):
        (own / f"{name}.jupyterlab-settings").write_text(json.dumps(content), encoding="utf-8")
    environment = {**environment, "JUPYTERLAB_SETTINGS_DIR": str(settings)}
    words = ["-m", "jupyterlab", "--no-browser", "--allow-root", "--port={port}"]
    words += ["--IdentityProvider.token={token}", "--ServerApp.port_retries=0"]
    words += [
        "--LabApp.news_url=",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    ]
    return served(words, folder, environment)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _wait_until_up(server: Server, process: subprocess.Popen[bytes], log: Path) -> None:
    """Ask until it answers; a process that has ended is told with what it said."""
    for _ in range(PATIENCE // 100):
        if process.poll() is not None:
            break
        try:
            urllib.request.urlopen(server.page(""), timeout=10).close()
        except urllib.error.HTTPError:
            return
        except OSError:
            with suppress(subprocess.TimeoutExpired):
                process.wait(0.1)
        else:
            return
    raise RuntimeError(f"the server did not come up:\n{log.read_text(encoding='utf-8')}")


# --- notebooks and their pages ---


def notebook(path: Path, *sources: str) -> Path:
    """A notebook of code cells."""
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    spec = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=spec), path)
    return path


def open_in_lab(page: Page, server: Server, name: str) -> None:
    """Open a notebook alone in JupyterLab and run all of its cells, as a person does."""
    page.set_default_timeout(PATIENCE)
    page.goto(server.page(f"lab/workspaces/{name.replace('.', '-')}/tree/{name}"))
    page.locator(".jp-Notebook .jp-Cell").first.wait_for()
    page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()
    begun = page.locator(".jp-InputPrompt", has_text=re.compile(r"\[(\*|\d+)\]")).first
    for _ in range(10):  # the kernel says Idle a moment before it takes a cell
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.get_by_text("Run All Cells", exact=True).click()
        with suppress(TimeoutError):
            begun.wait_for(timeout=3000)
            return
