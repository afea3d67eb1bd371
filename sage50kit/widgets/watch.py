"""What is being written goes on beside the page, and is watched from it."""

from __future__ import annotations

import threading
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import anywidget
import traitlets

from sage50kit.errors import UsageError
from sage50kit.widgets.panel import Panel

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

LOST = (
    "Python does not answer: this page shows how far it was then. If it stays so, what was being written was "
    "cut off. Open the page again: it says what is in doubt, and finishing that posts nothing twice."
)


class Watch(anywidget.AnyWidget):
    """Runs what writes in a thread, and tells the page whether it runs.

    A kernel that is shut down ends only when that thread has ended, so a page that is closed cuts nothing off.
    """

    _esm = files("sage50kit.widgets").joinpath("watch.js").read_text("utf-8")
    running = traitlets.Bool(default_value=False).tag(sync=True)
    patience = traitlets.Int(15_000).tag(sync=True)
    words = traitlets.Unicode(LOST).tag(sync=True)

    def __init__(self, **words: Any) -> None:
        super().__init__(**words)
        self._thread: threading.Thread | None = None
        self.on_msg(self._answer)

    def begin(self, act: Callable[..., None], *arguments: Any) -> None:
        """Run `act` beside the page.

        Raises:
            UsageError: something else is being written from this part.
        """
        if self._thread is not None and self._thread.is_alive():
            raise UsageError("something is still being written here. Wait until it has ended.")
        self.running = True
        self._thread = threading.Thread(target=self._run, args=(act, arguments))
        self._thread.start()

    def wait(self) -> None:
        """Wait until it has ended."""
        if self._thread is not None:
            self._thread.join()

    def _run(self, act: Callable[..., None], arguments: tuple[Any, ...]) -> None:
        try:
            act(*arguments)
        finally:
            self.running = False

    def _answer(self, _widget: Any, content: Mapping[str, Any], _buffers: Any) -> None:
        """Tell the page that Python is alive."""
        if content.get("ask"):
            self.send({"answer": True})


class WritingPanel(Panel):
    """A part of a page that writes, after two steps, beside the page."""

    def __init__(self, workdir: Path) -> None:
        super().__init__(workdir)
        self._watch = Watch()

    def wait(self) -> None:
        """Wait until what is being written has ended."""
        self._watch.wait()


def closing() -> bool:
    """Whether the kernel was told to end and only waits for its threads."""
    return not threading.main_thread().is_alive()
