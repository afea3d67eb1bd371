"""Several requests at a time, or one after the other where only one is allowed."""

from __future__ import annotations

from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


class InTurn(Executor):
    """Work is done where it is asked for: a thread for one request at a time costs more than the request."""

    def submit(self, work: Callable[..., Any], /, *words: Any, **named: Any) -> Future[Any]:
        """Do it now; what it raises is raised where the result is asked for."""
        done: Future[Any] = Future()
        try:
            done.set_result(work(*words, **named))
        except BaseException as error:  # noqa: BLE001  # as a pool of threads does
            done.set_exception(error)
        return done


def workers(at_once: int) -> Executor:
    """Who sends so many requests at a time."""
    if at_once == 1:
        return InTurn()
    return ThreadPoolExecutor(at_once, thread_name_prefix="connectwise")
