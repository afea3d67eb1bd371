"""What every part of a page has: a static twin, and a place where errors are told.

In a live page (JupyterLab, Voilà) a part is a widget. Elsewhere (papermill, nbconvert, a test) it is its static
twin: an HTML table that needs neither kernel nor script. A notebook that is saved from a live page has both: the
twin as it was when the cell ran.
"""

from __future__ import annotations

import json
import logging
import os
import traceback
from datetime import UTC, datetime
from functools import cache, wraps
from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import ipywidgets

from sage50kit import outcome
from sage50kit.errors import Sage50KitError
from sage50kit.reports.page import clean

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

Tone: TypeAlias = Literal["plain", "good", "warn", "bad"]
SIGNS = {"block": "✖", "refuse": "⊘", "warn": "▲", "note": "●"}  # as in rows.js
WORDS = {"block": "blocked", "refuse": "refused", "warn": "warning", "note": "note"}
TONE_SIGNS: dict[Tone, str] = {"plain": "", "good": "✔ ", "warn": "▲ ", "bad": "✖ "}
RESUME = "On the page “Run a batch” press “Finish what is in doubt”"
_logger = logging.getLogger("sage50kit.widgets")


def live_page() -> bool:
    """Whether a person has this page open: the kernel was started by JupyterLab or Voilà, not by a runner."""
    if outcome.VARIABLE in os.environ:
        return False
    served = os.environ.get("SERVER_SOFTWARE", "").startswith("voila")
    return served or "JPY_SESSION_NAME" in os.environ or "VSCODE_PID" in os.environ


class Panel(ipywidgets.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """A part of a page.

    Args:
        workdir: where errors of the page are logged.
    """

    def __init__(self, workdir: Path) -> None:
        self._workdir = workdir
        self.message = html()
        super().__init__()
        self.add_class("s50")

    def static(self) -> str:
        """The same part as HTML without a script."""
        raise NotImplementedError

    def _repr_mimebundle_(self, **more: Any) -> Any:
        if live_page():
            return {**super()._repr_mimebundle_(**more), "text/html": self._kept()}
        return {"text/plain": repr(self), "text/html": self.static()}

    def _kept(self) -> str:
        """What a saved notebook shows of a live page, and from when it is."""
        at = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
        words = f"As it was at {at}, when this cell ran. What was chosen or written later is not in here; the files in {self._workdir} have it."
        return styled(message(words)) + self.static()

    def __repr__(self) -> str:
        """Short, for logs."""
        return f"<{type(self).__name__}>"

    def say(self, words: str, tone: Tone = "plain") -> None:
        """Tell something in one sentence; an empty one takes the last away."""
        self.message.value = message(words, tone)

    def fail(self, error: Exception) -> None:
        """Tell an error where the eye is, with its details folded, and log it."""
        details = "".join(traceback.format_exception(error))
        sentence = sentence_of(error)
        self.message.value = message(sentence, "bad", details)
        _logger.error("%s: %s", type(self).__name__, sentence)
        event = {"at": datetime.now(UTC).isoformat(), "part": type(self).__name__}
        line = json.dumps(event | {"error": sentence, "details": details}, ensure_ascii=False)
        with (self._workdir / "page-errors.jsonl").open("a", encoding="utf-8") as file:
            file.write(line + "\n")


def told(method: Callable[..., None]) -> Callable[..., None]:
    """A callback whose exception is told in the page; nothing else of the page changes by it."""

    @wraps(method)
    def run(panel: Panel, *arguments: Any) -> None:
        try:
            method(panel, *arguments)
        except Exception as error:  # noqa: BLE001  # whatever it was, a person must read it
            panel.fail(error)

    return run


def sentence_of(error: Exception) -> str:
    """An error in one sentence, for somebody who has the page and no terminal."""
    if not isinstance(error, Sage50KitError):
        return _fault(error)
    return str(error).replace("Run: sage50kit resume", RESUME)


def _fault(error: Exception) -> str:
    """A sentence for an error that nobody foresaw."""
    return (
        f"this is a fault of sage50kit, please report it ({type(error).__name__}: {error}). "
        "Run the page again."
    )


# --- pieces of HTML ---------------------------------------------------------------------------


def text(value: object) -> str:
    """`value` as text of an HTML page: nothing in it can act."""
    return escape(clean(str(value)))


def html(value: str = "") -> ipywidgets.HTML:
    """A widget of finished HTML."""
    return ipywidgets.HTML(value)


def message(words: str, tone: Tone = "plain", details: str = "") -> str:
    """A sentence in a box, as HTML; spoken by screen readers when it changes."""
    if not words:
        return '<div role="status"></div>'
    role = "alert" if tone == "bad" else "status"
    folded = (
        f"<details><summary>Details</summary><pre>{escape(details)}</pre></details>"
        if details
        else ""
    )
    sentence = words[:1].upper() + words[1:]
    return f'<div class="s50-message s50-{tone}" role="{role}">{TONE_SIGNS[tone]}{text(sentence)}{folded}</div>'


def labelled(words: str, control: Any) -> Any:
    """A control under its label."""
    control.description = words
    control.style.description_width = "initial"
    control.layout.width = "auto"
    return control


def heading(words: str) -> ipywidgets.HTML:
    """A small heading inside a part."""
    return html(f'<h3 class="s50-heading">{text(words)}</h3>')


def row(*children: Any) -> ipywidgets.HBox:
    """Controls beside each other, in as many lines as the page is wide."""
    box = ipywidgets.HBox(children)
    box.add_class("s50-line")
    return box


def replace_children(box: Any, children: Sequence[Any]) -> None:
    """Show other parts in a box; the old ones are closed, because a kernel keeps every part that is not."""
    old, box.children = box.children, children
    for part in old:
        part.close()


@cache
def stylesheet() -> str:
    """The looks of all parts, live and static."""
    folder = files("sage50kit.widgets")
    names = ("grid.css", "looks.css")
    return "".join(folder.joinpath(name).read_text("utf-8") for name in names)


def styled(content: str) -> str:
    """A static twin with its looks."""
    return f'<div class="s50 s50-static"><style>{stylesheet()}</style>{content}</div>'


def style() -> ipywidgets.HTML:
    """The looks of a live part."""
    return html(f"<style>{stylesheet()}</style>")
