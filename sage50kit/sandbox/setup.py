"""The setup tables of a running site, and the references other records show of their rows."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from sage50kit.sandbox.contract import contract
from sage50kit.sandbox.tables import HIDDEN, TABLES, Row, label

if TYPE_CHECKING:
    from collections.abc import Mapping

STAMPS = {  # of rows that nobody has changed since the site was made
    "lastUpdated": datetime(2026, 10, 1, 12, 0, tzinfo=UTC),
    "updatedBy": "Admin1",
    "dateEntered": datetime(2020, 1, 6, 9, 30, tzinfo=UTC),
    "enteredBy": "Admin1",
}
EXTRA_LABELS = {"billingStatuses": {"isClosed": "closedFlag"}}


@cache
def _is_stamped(table: str) -> bool:
    """Whether rows of a table say when and by whom they were written; not every published model can."""
    listed = contract().paths.get(TABLES[table].path, {}).get("GET")
    return listed is not None and "_info" in contract().fields(listed.answer_model)


class Setup:
    """Setup tables by name and id; `base_url` is what links in `_info` start with."""

    def __init__(self, tables: Mapping[str, list[Row]], *, base_url: str = "") -> None:
        self.tables = {name: {row["id"]: row for row in tables.get(name, [])} for name in TABLES}
        self.base_url = base_url
        self._references: dict[tuple[str, int, bool], Row] = {}
        self._changed: dict[tuple[str, int], datetime] = {}

    def row(self, table: str, wanted: int) -> Row:
        """One row of a table; KeyError names what is missing."""
        return self.tables[table][wanted]

    def changed(self, table: str, wanted: int) -> None:
        """Note that a row was written, and drop the references made so far."""
        self._changed[table, wanted] = datetime.now(UTC).replace(microsecond=0)
        self._references.clear()

    def reference(self, table: str, wanted: int) -> Row:
        """The reference a list shows: id, labels and a link. Shared, never to be changed."""
        key = (table, wanted, True)
        if key not in self._references:
            self._references[key] = self._make(table, wanted)
        return self._references[key]

    def short(self, table: str, wanted: int) -> Row:
        """The reference the export shows: id and one label (samples: a company's identifier, else a name)."""
        key = (table, wanted, False)
        if key not in self._references:
            found = self.row(table, wanted)
            names = TABLES[table].labels
            name = "identifier" if "identifier" in names else "name"
            self._references[key] = {"id": wanted, name: label(table, found, name)}
        return self._references[key]

    def _make(self, table: str, wanted: int) -> Row:
        found, spec = self.row(table, wanted), TABLES[table]
        made: Row = {"id": wanted}
        for name in spec.labels:
            value = label(table, found, name)
            if value is not None:
                made[name] = value
        for name, source in EXTRA_LABELS.get(table, {}).items():
            made[name] = bool(found.get(source))
        if table == "currencies":
            made["currencyCode"] = found["currencyIdentifier"]
        if spec.lead:
            made["_info"] = {f"{spec.lead}_href": self.link(table, found)}
        return made

    def link(self, table: str, row: Row) -> str:
        """Where a row is published."""
        path = TABLES[table].path.rstrip("/")
        parent = row.get("company") or row.get("taxCode") or row.get("role") or 0
        return f"{self.base_url}{path.replace('{parentId}', str(parent))}/{row['id']}"

    def wire(self, table: str, row: Row) -> Row:
        """A row as the table's own collection shows it: references written out, nulls left out."""
        refers = dict(TABLES[table].refers)
        hidden = HIDDEN.get(table, ())
        made: dict[str, Any] = {}
        if _is_stamped(table):
            moment = self._changed.get((table, row["id"]), STAMPS["lastUpdated"])
            made["_info"] = {**STAMPS, "lastUpdated": moment}
        for name, value in row.items():
            if value is None or name in hidden:
                continue
            made[name] = self._written_out(refers[name], value) if name in refers else value
        return made

    def _written_out(self, table: str, value: Any) -> Any:
        if isinstance(value, list):
            return [self.reference(table, wanted) for wanted in value]
        return self.reference(table, value) if isinstance(value, int) else value

    def rows(self, table: str) -> list[Row]:
        """All rows of a table as its collection shows them, by id."""
        return [self.wire(table, row) for _, row in sorted(self.tables[table].items())]

    def first(self, table: str, flag: str, *, default: int = 0) -> int:
        """The id of the first row with a flag set, such as `closedFlag`; `default` if there is none."""
        return next((key for key, row in self.tables[table].items() if row.get(flag)), default)
