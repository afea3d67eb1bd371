"""Where a push log is kept: an SQLite file, or a PostgreSQL database; and what goes wrong with either.

Every write is one transaction that is on the disk when its block ends, and gone without a trace when it
raises. Whatever the database says becomes one sentence.
"""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sage50kit.errors import LogCorrupt, LogUnavailable, MissingDependency

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sage50kit.pushlog.claims import Claim

BUSY_SECONDS = 30.0  # how long a write waits for that of another process
_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_CAUSES = {
    sqlite3.SQLITE_FULL: "the disk is full. Free some space",
    sqlite3.SQLITE_READONLY: "it is read-only. Allow this user to write the file and its folder",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened. Allow this user to write the file and its folder",
    sqlite3.SQLITE_BUSY: "another program keeps it locked. Close that program",
    sqlite3.SQLITE_LOCKED: "another program keeps it locked. Close that program",
}
# A server must not let a commit wait for the disk, nor end an idle push, nor keep that of a dead machine.
_SERVER_OPTIONS = " ".join(
    f"-c {name}={value}"
    for name, value in {
        "synchronous_commit": "on",
        "idle_session_timeout": 0,
        "idle_in_transaction_session_timeout": 0,
        "tcp_keepalives_idle": 30,
        "tcp_keepalives_interval": 10,
        "tcp_keepalives_count": 3,
    }.items()
)

_COMPILED: dict[Any, Any] = {}  # statements by dialect


class Store:
    """One database.

    Args:
        place: the SQLite file, made when it does not exist, or the URL of a PostgreSQL database.

    Raises:
        LogUnavailable: the folder of the file cannot be made.
        MissingDependency: the driver of PostgreSQL is not installed.
    """

    def __init__(self, place: Path | sa.URL) -> None:
        self.file = place if isinstance(place, Path) else None
        self.claimed: Claim | None = (
            None  # writes go through it while this process holds the company
        )
        if isinstance(place, Path):
            self.name = str(place)
            self._make_folder(place.parent)
            self._engine = _sqlite(place)
            self._reader: sa.Engine = self._engine
        else:
            self.name = f"{place.host or 'this machine'}/{place.database}"
            self._engine = _postgresql(place)
            self._reader = self._engine.execution_options(isolation_level="REPEATABLE READ")
        self._writer = self._engine.execution_options(writes=True)

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    def connect(self) -> sa.Connection:
        """A connection of one's own, to write with; to be closed."""
        return self._writer.connect()

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """One snapshot: what others write meanwhile is not seen."""
        with self.trouble(), self._reader.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """One transaction, over the connection of the claim if there is one.

        Raises:
            LogUnavailable: the database cannot be written now, or the claim was lost.
            LogCorrupt: the file is damaged.
        """
        with self.trouble():
            if self.claimed is None:
                with self._writer.begin() as connection:
                    yield connection
                return
            self.claimed.check()
            with self.claimed.connection.begin():
                yield self.claimed.connection

    def damage(self, connection: sa.Connection) -> str:
        """What is wrong with the file itself; a server looks after its own."""
        if self.file is None:
            return ""
        said = str(connection.exec_driver_sql("PRAGMA integrity_check(1)").scalar())
        return "" if said == "ok" else f"the file is damaged: {' '.join(said.split())}"

    @contextmanager
    def trouble(self) -> Iterator[None]:
        """Turn what the database complains of into a sentence."""
        try:
            yield
        except (sa.exc.DBAPIError, sqlite3.Error) as error:
            cause = error.orig if isinstance(error, sa.exc.DBAPIError) else error
            raise self._sentence(cause) from error

    def _sentence(self, error: BaseException | None) -> LogCorrupt | LogUnavailable:
        said = str(error).strip().splitlines()[0]
        if self.file is None:
            return LogUnavailable(
                f"the push log in PostgreSQL ({self.name}) did not answer: {said}. What was recorded "
                "stays. When the server answers again, run the command again."
            )
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in _DAMAGED:
            return LogCorrupt(
                f"the push log {self.name} cannot be read ({said}). Restore it from a backup; nothing "
                "more was sent."
            )
        cause = _CAUSES.get(code, f"{said}. Check the disk")
        return LogUnavailable(
            f"the push log {self.name} cannot be used: {cause}, then run the command again. What was "
            "recorded stays."
        )

    def _make_folder(self, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise LogUnavailable(
                f"the folder {folder} of the push log cannot be made ({error.strerror}). Correct the "
                "path or its rights; nothing was sent."
            ) from error


def _sqlite(path: Path) -> sa.Engine:
    """An SQLite engine that locks where a write begins: a plain BEGIN loses updates between writers."""
    engine = sa.create_engine(
        sa.URL.create("sqlite", database=str(path)),
        connect_args={"timeout": BUSY_SECONDS},
        execution_options={"compiled_cache": _COMPILED},
        hide_parameters=True,
    )
    engine.dialect = _dialect()

    @sa.event.listens_for(engine, "connect")
    def _settings(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "cache_size=-32000",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        writes = connection.get_execution_options().get("writes")
        driver: Any = connection.connection.dbapi_connection
        driver.execute("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


@cache
def _dialect() -> sa.Dialect:
    """One for all files: what SQLAlchemy has compiled for one it need not compile for the next."""
    engine = sa.create_engine("sqlite://")
    engine.connect().close()  # it asks the library what it can do
    engine.dispose()
    return engine.dialect


def _postgresql(url: sa.URL) -> sa.Engine:
    """A PostgreSQL engine whose commits are on the disk when they return."""
    try:
        import psycopg  # noqa: F401
    except ImportError:
        raise MissingDependency(
            "psycopg", needed_by="a push log in PostgreSQL", extra="postgresql"
        ) from None
    return sa.create_engine(
        url.set(drivername="postgresql+psycopg"),
        connect_args={"connect_timeout": 10, "options": _SERVER_OPTIONS},
        pool_pre_ping=True,
        hide_parameters=True,
    )
