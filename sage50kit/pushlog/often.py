"""Statements that run for every document: compiled once, and on SQLite handed to the driver itself.

SQLAlchemy's way from a statement to the driver takes as long as the driver and the disk together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import sqlalchemy as sa


class Often:
    """A statement with named parameters."""

    def __init__(self, statement: sa.Select[Any] | sa.Insert | sa.Update) -> None:
        self._statement = statement
        self._text = ""
        self._names: Sequence[str] = ()

    def run(self, connection: sa.Connection, words: Mapping[str, Any]) -> Any:
        """Run it; the result has `fetchone` and `rowcount`."""
        if connection.dialect.name != "sqlite":
            return connection.execute(self._statement, words)
        self._compile(connection.dialect)
        return self._driver(connection).execute(self._text, [words[name] for name in self._names])

    def run_all(self, connection: sa.Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        """Run it once for each row."""
        if connection.dialect.name != "sqlite":
            connection.execute(self._statement, rows)
            return
        self._compile(connection.dialect)
        values = [[words[name] for name in self._names] for words in rows]
        self._driver(connection).executemany(self._text, values)

    def _compile(self, dialect: sa.Dialect) -> None:
        if not self._text:
            compiled: Any = self._statement.compile(dialect=dialect)
            self._names = compiled.positiontup
            self._text = str(compiled)

    def _driver(self, connection: sa.Connection) -> Any:
        return connection.connection.dbapi_connection
