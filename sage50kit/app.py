"""The pages without code, for people who do not program: Voilà on this machine, behind a token, with no other host.

The notebooks are copied with the profile filled in, and the copies are shown. A page that is closed gives its
kernel back after a minute; one that is writing then ends what it writes first.
"""

from __future__ import annotations

import os
import re
import secrets
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sage50kit.errors import MissingDependency, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

_HERE = Path(__file__).resolve().parent
SECONDS_TILL_CULLED = 60
SECONDS_TO_END = 12 * 3600  # that a kernel may go on writing after its page was closed
TEMPLATE = "sage50kit"


def notebooks_folder() -> Path:
    """The notebooks: inside an installed package, at the top of a checkout."""
    installed = _HERE / "notebooks"
    return installed if installed.is_dir() else _HERE.parent / "notebooks"


def run_app(profile: str, *, port: int = 8866, theme: str = "light", token: str = "") -> None:
    """Show the pages until somebody stops the program; prints their address first.

    Args:
        profile: path of a profile, or `demo`.
        port: on loopback.
        theme: light or dark.
        token: who knows it may look; a new one by default.

    Raises:
        MissingDependency: the extra `notebooks` is not installed.
        UsageError: there is no such profile.
    """
    try:
        from voila.app import Voila
    except ImportError as error:
        raise MissingDependency("voila", needed_by="sage50kit app", extra="notebooks") from error
    token = token or secrets.token_urlsafe(24)
    with pages(profile) as folder:
        _offer_template()
        print(f"http://127.0.0.1:{port}/?token={token}", flush=True)  # noqa: T201  # who starts it needs it
        Voila.launch_instance(arguments(folder, port=port, theme=theme, token=token))


def arguments(folder: Path, *, port: int, theme: str, token: str) -> list[str]:
    """The command line of Voilà."""
    return [
        str(folder),
        "--no-browser",
        "--Voila.ip=127.0.0.1",
        f"--port={port}",
        f"--token={token}",
        f"--template={TEMPLATE}",
        f"--theme={theme}",
        "--classic-tree",
        "--VoilaConfiguration.allow_template_override=NO",
        "--VoilaConfiguration.allow_theme_override=YES",
        # What a cell raises is told by the page itself; this is for what comes before that.
        "--VoilaConfiguration.show_tracebacks=False",
        "--VoilaExecutor.cell_error_instruction=The window in which sage50kit app runs says why.",
        # After half of it Jupyter terminates a kernel, at the end it kills it.
        f"--KernelManager.shutdown_wait_time={2 * SECONDS_TO_END}",
        "--MappingKernelManager.cull_interval=20",
        f"--MappingKernelManager.cull_idle_timeout={SECONDS_TILL_CULLED}",
    ]


def _offer_template() -> None:
    """Let Voilà find our template, which loads nothing from another host."""
    own = str(_HERE / "share" / "jupyter")
    known = os.environ.get("JUPYTER_PATH")
    os.environ["JUPYTER_PATH"] = os.pathsep.join([own, known] if known else [own])


@contextmanager
def pages(profile: str) -> Iterator[Path]:
    """A folder with copies of the notebooks in which the profile is filled in."""
    from papermill.iorw import load_notebook_node, write_ipynb
    from papermill.parameterize import parameterize_notebook

    if profile != "demo" and not Path(profile).is_file():
        raise UsageError(f"there is no profile {profile}. Check the path after --profile.")
    named = profile if profile == "demo" else str(Path(profile).resolve())
    with tempfile.TemporaryDirectory(prefix="sage50kit-pages-") as name:
        for path in sorted(notebooks_folder().glob("*.ipynb")):
            filled = parameterize_notebook(load_notebook_node(str(path)), {"profile": named})
            write_ipynb(_without_code(filled), str(Path(name) / path.name))
        yield Path(name)


def _without_code(notebook: Any) -> Any:
    """The same page for people who see no code: nothing of parameters, and no numbers of steps."""
    words = [cell for cell in notebook.cells if cell.cell_type == "markdown"]
    for cell in words:
        cell.source = re.sub(r"^## \d+\. ", "## ", cell.source)
    hidden = [cell for cell in words if cell.source.startswith("## Parameters")]
    notebook.cells = [cell for cell in notebook.cells if cell not in hidden]
    return notebook
