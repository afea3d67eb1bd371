"""Two deliberate steps: a button that asks, and another one, in another place, that does it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipywidgets

from sage50kit.widgets.panel import html, message, row

if TYPE_CHECKING:
    from collections.abc import Callable


def button(words: str, act: Callable[[Any], None]) -> ipywidgets.Button:
    """A button as wide as its words."""
    made = ipywidgets.Button(description=words, layout={"width": "auto"})
    made.on_click(act)
    return made


class Confirm(ipywidgets.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """A first button; then a sentence, with a way back and a way on.

    The question ends when what it was about changes, so that nobody answers an old one.

    The way back has the focus, and stands where the pointer is not: a key or a click too many writes nothing.

    Args:
        words: on the first button.
        yes: on the one that does it.
        ask: what the first button does; it calls `question` when there is something to confirm.
        act: what the second one does; called at most once for each question.
    """

    def __init__(
        self, words: str, yes: str, *, ask: Callable[[Any], None], act: Callable[[], None]
    ) -> None:
        self.first = button(words, self._first)
        self.no = button("No, not yet", self._no)
        self.yes = button(yes, self._yes)
        self.yes.add_class("s50-yes")
        self.sentence = html()
        self._ask, self._act = ask, act
        self._open = False
        super().__init__()
        self.close_question()

    @property
    def is_open(self) -> bool:
        """Whether a question waits for its answer."""
        return self._open

    def depends_on(self, source: Any, *names: str) -> None:
        """End the question when one of these traits of a control changes."""
        source.observe(self._withdraw, list(names))

    def _withdraw(self, _change: Any) -> None:
        if self._open:
            self.close_question()
            words = f"What was asked about has changed. Nothing was written; press “{self.first.description}” again."
            self.sentence.value = message(words, "warn")
            self._offer(row(self.first), self.sentence)

    def _first(self, button: Any) -> None:
        self.close_question()
        self._ask(button)

    def question(self, sentence: str) -> None:
        """Ask for the second step."""
        self._open = True
        self.sentence.value = message(sentence, "warn")
        self._offer(row(self.first), self.sentence, row(self.no, self.yes))
        self.no.focus()

    def close_question(self) -> None:
        """Back to the first step."""
        self._open = False
        self._offer(row(self.first))

    def _offer(self, *parts: Any) -> None:
        self.first.disabled = self._open
        self.children = parts

    def _no(self, _button: Any) -> None:
        self.close_question()

    def _yes(self, _button: Any) -> None:
        if self._open:  # a second click on the same button does nothing
            self.close_question()
            self._act()
