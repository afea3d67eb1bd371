"""The verbs of the kit from a terminal.

Every verb returns an `Answer`; `main` prints it and gives its exit code (design 7): 0 clean, 1 crash, 2 wrong
usage or profile, 3 completed but something needs a person, 4 blocked, 5 in doubt, 6 another push holds the
company. Ctrl-C is 5 in a verb that sends, 1 in one that only reads, 2 at a question. An error is one sentence on
stderr. Heavy packages are imported inside the verbs.
"""

from __future__ import annotations

import os
import sys
import traceback
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from sage50kit.cli import batches, corrections, golive, payments, receivables, verbs
from sage50kit.cli.options import app
from sage50kit.errors import Sage50KitError
from sage50kit.terminal import Answer, about_the_disk, complain, failed, join_lists, say

if TYPE_CHECKING:
    from collections.abc import Sequence

_CODES = {1: "crash", 2: "usage_error", 5: "in_doubt"}  # of what is no error of ours
_CTRL_C = 130  # what typer makes of a KeyboardInterrupt
_SENDING = frozenset({"push", "resume", "run", "rerun", "unpost", "clear", "void", "sync-payments"})

__all__ = ["app", "batches", "corrections", "golive", "main", "payments", "receivables", "verbs"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb; returns the exit code."""
    words = join_lists(list(sys.argv[1:] if arguments is None else arguments)) or ["--help"]
    try:
        code = app(words, prog_name="sage50kit", standalone_mode=False)
    except Sage50KitError as error:
        return _told(words, failed(error, batch=_batch(words)))
    except KeyboardInterrupt:
        code = _CTRL_C
    except BrokenPipeError:  # the reader of our output has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        return _failed(words, *about_the_disk(error))
    except Exception as error:  # noqa: BLE001  # a person must never read a traceback
        told = getattr(error, "format_message", None)
        if told is not None:
            sentence = str(told()).replace("Value error, ", "")  # pydantic's word, not a person's
            return _failed(words, f"{sentence} See: sage50kit --help", 2)
        return _failed(words, _fault(error), 1)
    if code == _CTRL_C:
        return _failed(words, *_stopped(words[0]))
    return code if isinstance(code, int) else 0


def _stopped(verb: str) -> tuple[str, int]:
    """Sentence and exit code of Ctrl-C: only where something may have been sent is anything in doubt."""
    if verb in _SENDING:
        return "stopped. If a push was under way, run: sage50kit resume", 5
    return "stopped. Nothing was written to Sage 50 or ConnectWise.", 1


def _fault(error: Exception) -> str:
    """A sentence for an error that nobody foresaw, with the place that helps to find it."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    what = f"{type(error).__name__} in {Path(place.filename).name}:{place.lineno}: {error}"
    return f"this is a fault of sage50kit, please report it ({what})."


def _batch(words: Sequence[str]) -> str:
    """The batch that was named: who reads the one line wants to know which one is in doubt."""
    named = [after for word, after in pairwise(words) if word == "--batch"]
    return named[-1] if named else ""


def _failed(words: Sequence[str], sentence: str, code: int) -> int:
    failure = {"code": _CODES[code]}
    return _told(
        words, Answer(exit_code=code, error=sentence, batch=_batch(words), failure=failure)
    )


def _told(words: Sequence[str], answer: Answer) -> int:
    if "--json" in words:
        say(answer, as_json=True)
    else:
        complain(answer.error)
    return answer.exit_code
