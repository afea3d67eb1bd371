"""The claim: one push at a time per company; it dies with the process that holds it.

With a file it is a lock of the operating system beside the log. With PostgreSQL it is an advisory lock of
a session, and that session also writes the log: when it ends, the push cannot write on, because somebody
else may hold the company by then.
"""

from __future__ import annotations

import json
import os
import socket
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NoReturn

import sqlalchemy as sa
from filelock import FileLock, Timeout

from sage50kit.errors import LogUnavailable, PushInProgress
from sage50kit.model import digest
from sage50kit.pushlog.tables import claims

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sage50kit.pushlog.store import Store


class Claim:
    """A company that this process holds.

    Args:
        connection: writes the log as long as the company is held.
        ask: whether it is still held.
        lost: whether it is known to be lost; cheap, because it is asked before every write.
    """

    def __init__(
        self, connection: sa.Connection, *, ask: Callable[[], bool], lost: Callable[[], bool]
    ) -> None:
        self.connection = connection
        self._ask = ask
        self._lost = lost
        self._ended = False

    def still_held(self) -> bool:
        """Whether nobody else can have taken the company since."""
        return not self._ended and self._ask()

    def end(self) -> None:
        """It is given back."""
        self._ended = True

    def check(self) -> None:
        """Go on only while the company is held.

        Raises:
            LogUnavailable: the claim was lost.
        """
        if self._lost():
            raise LogUnavailable(
                "the claim on this company was lost in mid-push; somebody else may push now. Nothing "
                "more was sent. Run resume: what was done is not done twice."
            )


@contextmanager
def claim(store: Store, company: str, actor: str) -> Iterator[Claim]:
    """Hold a company of a log.

    Raises:
        PushInProgress: another push holds it.
        LogUnavailable: the claim cannot be written.
    """
    who = {
        "actor": actor,
        "machine": socket.gethostname(),
        "process": os.getpid(),
        "since": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    take = (
        _by_session(store, company, who) if store.file is None else _by_file(store, store.file, who)
    )
    with take as held:
        store.claimed = held
        try:
            yield held
        finally:
            store.claimed = None
            held.end()


@contextmanager
def _by_file(store: Store, path: Path, who: dict[str, Any]) -> Iterator[Claim]:
    lock = FileLock(path.with_name(path.name + ".lock"))
    holder = path.with_name(path.name + ".holder")
    try:
        lock.acquire(timeout=0)
        holder.write_text(json.dumps(who), encoding="utf-8")
    except Timeout:
        _refuse(_signed(holder))
    except OSError as error:
        lock.release()
        raise LogUnavailable(
            f"the claim beside {path} cannot be written ({error.strerror}). Allow this user to write "
            "that folder, or free some space; nothing was sent."
        ) from error
    file = _identity(lock.lock_file)

    def lost() -> bool:
        return _identity(lock.lock_file) != file

    try:
        with store.trouble():
            connection = store.connect()
        with connection:
            yield Claim(connection, ask=lambda: not lost(), lost=lost)
    finally:
        with suppress(OSError):
            holder.unlink()
        lock.release()


def _identity(path: str) -> tuple[int, int] | None:
    """Which file it is: one that was deleted and made anew is another one, and locks nothing."""
    try:
        found = os.stat(path)  # noqa: PTH116  # a Path costs more than the look
    except OSError:
        return None
    return found.st_dev, found.st_ino


@contextmanager
def _by_session(store: Store, company: str, who: dict[str, Any]) -> Iterator[Claim]:
    lock = int(digest(["claim", company])[:15], 16)
    with store.trouble():
        connection = store.connect()
    with connection:
        with store.trouble():
            _sign(connection, lock, company, who)
        try:
            yield Claim(
                connection, ask=lambda: _answers(connection), lost=lambda: connection.invalidated
            )
        finally:
            _let_go(connection, lock)


def _sign(connection: sa.Connection, lock: int, company: str, who: dict[str, Any]) -> None:
    """Take the lock, and say who has it."""
    if not connection.scalar(sa.select(sa.func.pg_try_advisory_lock(lock))):
        _refuse(_holder(connection, company))
    session = connection.scalar(sa.select(sa.func.pg_backend_pid()))
    connection.execute(claims.delete().where(claims.c.company == company))
    connection.execute(claims.insert().values(company=company, session=session, **who))
    connection.commit()


def _let_go(connection: sa.Connection, lock: int) -> None:
    """Give the lock back now: the next push must not find a session that is still ending."""
    if connection.invalidated:
        return
    try:
        connection.scalar(sa.select(sa.func.pg_advisory_unlock(lock)))
        connection.commit()
    except sa.exc.SQLAlchemyError:
        connection.invalidate()  # the session ends, and its lock with it


def _answers(connection: sa.Connection) -> bool:
    """Whether the session that took the lock is still there."""
    if connection.invalidated:
        return False
    try:
        with connection.begin():
            return bool(connection.scalar(sa.select(sa.literal(1))))
    except sa.exc.DBAPIError:
        return False


def _holder(connection: sa.Connection, company: str) -> dict[str, Any] | None:
    """Who signed, if that session still holds a lock."""
    locks = sa.table("pg_locks", sa.column("pid"), sa.column("locktype"))
    held = sa.exists().where(locks.c.pid == claims.c.session, locks.c.locktype == "advisory")
    row = connection.execute(sa.select(claims).where(claims.c.company == company, held)).first()
    return None if row is None else dict(row._mapping)  # noqa: SLF001


def _signed(path: Path) -> dict[str, Any] | None:
    try:
        who: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):  # it has just been claimed and not yet signed
        return None
    return who


def _refuse(who: dict[str, Any] | None) -> NoReturn:
    words = "{actor} on {machine} (process {process}) since {since}"
    holder = "it has just begun" if who is None else words.format_map(who)
    raise PushInProgress(
        f"another push holds this company: {holder}. Wait until it has ended.", holder=who
    ) from None
