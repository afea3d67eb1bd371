"""Files of a batch that a page offers: opened in the browser, wherever the kernel runs."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING, Any

import anywidget
import traitlets

from sage50kit.widgets.panel import text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_HERE = files("sage50kit.widgets")
WORDS = {
    "proof": "the proof listing",
    "push": "the report of the push",
    "errors": "the list of errors",
    "log": "the full log",
    "verification": "the comparison of both systems",
}
TYPES = {
    ".html": "text/html;charset=utf-8",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".csv": "text/csv;charset=utf-8",
    ".jsonl": "application/json;charset=utf-8",
}


class Files(anywidget.AnyWidget):
    """A list of files; each is sent to the browser when somebody asks for it."""

    _esm = _HERE.joinpath("files.js").read_text("utf-8")
    names: traitlets.List[str] = traitlets.List().tag(sync=True)
    words: traitlets.List[str] = traitlets.List().tag(sync=True)
    paths: traitlets.List[str] = traitlets.List().tag(sync=True)

    def __init__(self) -> None:
        super().__init__()
        self._offered: tuple[Path, ...] = ()  # not synced: a page cannot change it
        self.on_msg(self._deliver)

    def offer(self, paths: Sequence[Path]) -> None:
        """Offer other files; none takes the list away."""
        self._offered = tuple(paths)
        with self.hold_sync():
            self.words = [WORDS.get(path.stem, "") for path in paths]
            self.paths = [str(path) for path in paths]
            self.names = [path.name for path in paths]

    def _deliver(self, _widget: Any, content: Mapping[str, Any], _buffers: Any) -> None:
        """Send one of the files that are offered, and no other; say it when that cannot be."""
        path = dict(enumerate(self._offered)).get(content.get("open", -1))
        if path is None:
            self.send({"error": "This file is not offered any more. Run the page again."})
            return
        try:
            sent = path.read_bytes()
        except OSError as error:
            words = f"{path.name} cannot be read ({error.strerror}). It was moved or deleted; save it again."
            self.send({"error": words})
            return
        kind = TYPES.get(path.suffix, "text/plain;charset=utf-8")
        self.send({"name": path.name, "type": kind}, [sent])


def listed(paths: Sequence[Path]) -> str:
    """The same list for a static page: where the files are."""
    items = "".join(
        f"<li>{text(WORDS.get(path.stem, path.name))}: <code>{text(path)}</code></li>"
        for path in paths
    )
    return f"<ul>{items}</ul>" if items else ""
