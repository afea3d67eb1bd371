"""One company file: opening it, reading it in one snapshot, writing it whole or not at all."""

from __future__ import annotations

import os
import sqlite3
from contextlib import contextmanager
from threading import RLock
from typing import TYPE_CHECKING

from sage50kit.connectors.embedded.schema import APPLICATION_ID, SCHEMA_VERSION, upgrade
from sage50kit.errors import CompanyError, CompanyUnavailable, ConfigError, OutcomeUnknown

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BUSY_SECONDS = 10.0


class CompanyFile:
    """The SQLite file behind a company; opened on first use, usable from several threads in turn."""

    def __init__(self, path: Path, *, busy_seconds: float = BUSY_SECONDS) -> None:
        self.path = path
        self._busy_seconds = busy_seconds
        self._db: sqlite3.Connection | None = None
        self._opened: tuple[int, int] | None = None  # which file it is, whatever its name
        self._turn = RLock()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """One snapshot: what other programs write meanwhile is not seen."""
        with self._turn:
            db = self._open()
            try:
                db.execute("BEGIN")
                yield db
            except sqlite3.Error as error:
                raise self._unavailable(error) from error
            finally:
                if db.in_transaction:
                    db.execute("ROLLBACK")

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction: durable when the block ends, gone without a trace when it raises.

        Raises:
            CompanyUnavailable: the file is busy or cannot be written; nothing was written.
            OutcomeUnknown: the disk failed while the transaction was being made durable.
        """
        with self._turn:
            db = self._open()
            self._begin(db)
            try:
                yield db
            except BaseException as error:
                if db.in_transaction:  # a full or failing disk takes the transaction back by itself
                    db.execute("ROLLBACK")
                if isinstance(error, sqlite3.Error):
                    raise self._unavailable(error) from error
                raise
            self._commit(db)

    def close(self) -> None:
        """Let go of the file; the next use opens it again."""
        with self._turn:
            if self._db is not None:
                self._db.close()
                self._db = None

    def _open(self) -> sqlite3.Connection:
        if self._db is None:
            if not self.path.is_file():
                raise ConfigError(
                    f"there is no company file {self.path}. Correct company_file in the profile."
                )
            db = connect(self.path, busy_seconds=self._busy_seconds)
            try:
                if check_version(db, self.path) < SCHEMA_VERSION:
                    _bring_forward(db)
            except BaseException:
                db.close()
                raise
            self._db, self._opened = db, self._identity()
        elif self._identity() != self._opened:
            raise CompanyUnavailable(
                f"company file {self.path} was moved or replaced while it was open here, as by restoring a "
                "backup; nothing was written. Restart this program or notebook, then try again."
            )
        return self._db

    def _identity(self) -> tuple[int, int] | None:
        try:
            found = os.stat(self.path)  # noqa: PTH116  # a Path costs more than the look
        except OSError:
            return None
        return found.st_dev, found.st_ino

    def _begin(self, db: sqlite3.Connection) -> None:
        try:
            db.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            raise self._unavailable(error) from error

    def _commit(self, db: sqlite3.Connection) -> None:
        try:
            db.execute("COMMIT")
        except sqlite3.Error as error:
            # Still inside the transaction: it can be taken back, so the outcome is known after all.
            if db.in_transaction:
                db.execute("ROLLBACK")
                raise self._unavailable(error) from error
            raise OutcomeUnknown(
                f"company file {self.path}: the disk failed while a change was saved ({error}). "
                "Look whether it is in the company, then run resume."
            ) from error

    def _unavailable(self, error: sqlite3.Error) -> CompanyUnavailable:
        return CompanyUnavailable(
            f"company file {self.path} cannot be used now ({error}); nothing was written. "
            "Close other programs that have it open and check the disk, then try again."
        )


def connect(path: Path, *, busy_seconds: float = BUSY_SECONDS) -> sqlite3.Connection:
    """A connection with the settings that money needs: every commit reaches the disk."""
    db = sqlite3.connect(path, timeout=busy_seconds, isolation_level=None, check_same_thread=False)
    try:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA foreign_keys = ON")
    except sqlite3.DatabaseError as error:
        db.close()
        raise ConfigError(
            f"{path} is not a company file of sage50kit ({error}). Correct company_file in the profile."
        ) from error
    return db


def _bring_forward(db: sqlite3.Connection) -> None:
    """Whole or not at all; another program may have been faster."""
    with db:
        db.execute("BEGIN IMMEDIATE")
        if db.execute("PRAGMA user_version").fetchone()[0] < SCHEMA_VERSION:
            upgrade(db)


def check_version(db: sqlite3.Connection, path: Path) -> int:
    """The version of a company file; a file that is none is refused, and one that a newer program made.

    Raises:
        ConfigError: it is some other SQLite file.
        CompanyError: its version is not the one of this program.
    """
    if db.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
        raise ConfigError(f"{path} is not a company file of sage50kit. Check company_file.")
    version = db.execute("PRAGMA user_version").fetchone()[0]
    if version > SCHEMA_VERSION:
        raise CompanyError(
            f"company file {path} was written by a newer sage50kit (file version {version}, this "
            f"program knows {SCHEMA_VERSION}). Update sage50kit; the file was not touched."
        )
    return int(version)
