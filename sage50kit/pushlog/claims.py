"""Who holds a company: one push at a time; the operating system lets go when the holder dies."""

from __future__ import annotations

import json
import os
import socket
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from sage50kit.errors import PushInProgress

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def claim(path: Path, actor: str) -> Iterator[None]:
    """Hold the company of the log at `path`.

    Raises:
        PushInProgress: another push holds it.
    """
    lock = FileLock(path.with_name(path.name + ".lock"))
    holder = path.with_name(path.name + ".holder")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise PushInProgress(
            f"another push holds this company: {_holder(holder)}. Wait until it has ended."
        ) from None
    try:
        who = {"actor": actor, "machine": socket.gethostname(), "process": os.getpid()}
        since = datetime.now(UTC).isoformat(timespec="seconds")
        holder.write_text(json.dumps({**who, "since": since}), encoding="utf-8")
        yield
    finally:
        lock.release()


def _holder(path: Path) -> str:
    try:
        who = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):  # it has just been claimed and not yet signed
        return "it has just begun"
    return "{actor} on {machine} (process {process}) since {since}".format_map(who)
