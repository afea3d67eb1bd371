"""An error of a cell, told in a live page as an error of a button is: one sentence, the details folded."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING, Any

from sage50kit.widgets.panel import live_page, message, sentence_of, styled

if TYPE_CHECKING:
    from types import TracebackType


def tell_errors() -> None:
    """From now on, in a live page, errors of cells are told this way; elsewhere nothing changes."""
    from IPython.core.getipython import get_ipython

    shell = get_ipython()
    if shell is not None and live_page():
        shell.set_custom_exc((Exception,), _tell)  # type: ignore[no-untyped-call]


def _tell(
    _shell: Any, kind: type[Exception], error: Exception, trace: TracebackType, **_more: Any
) -> list[str]:
    """Called by IPython; the cells below do not run, and the server logs what is returned."""
    from IPython.core.display_functions import publish_display_data

    sentence = sentence_of(error)
    details = "".join(traceback.format_exception(kind, error, trace))
    publish_display_data(  # type: ignore[no-untyped-call]
        {"text/html": styled(message(sentence, "bad", details)), "text/plain": sentence}
    )
    return details.splitlines()
