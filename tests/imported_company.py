"""The smallest company that answers as import files do: it cannot confirm, and cannot always look.

A person imports each file at once (it goes into an embedded company), but the kit does not know. Only after
somebody has exported the books (`look`) does the company answer what stands in them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sage50kit.errors import OutcomeUnknown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sage50kit.model import Document, Posted, StoredDocument


class ImportedCompany:
    """An embedded company behind import files."""

    def __init__(self, company: Any) -> None:
        self._company = company
        self._begun = company.path.with_name("begun")
        self.capabilities = replace(
            company.capabilities, confirms=False, carries_key=frozenset(), voids=False
        )

    def __getattr__(self, name: str) -> Any:
        return getattr(self._company, name)

    def post(self, document: Document) -> Posted:
        """Hand out one file; from here on nobody knows until the books are exported."""
        with self._begun.open("a", encoding="utf-8") as file:
            file.write(f"{document.label}\n")
        return self._company.post(document)

    def find_many(self, documents: Sequence[Document]) -> list[tuple[StoredDocument, ...]]:
        """What the last export of the books holds; it is older than a file that was handed out."""
        begun = self._begun.read_text(encoding="utf-8").split() if self._begun.exists() else []
        unknown = [row.number for row in documents if row.label in begun]
        if unknown:
            raise OutcomeUnknown(f"import files were handed out for {', '.join(unknown)}.")
        found = self._company.find_many(documents)
        return [tuple(replace(row, token="") for row in holds) for holds in found]

    def look(self) -> None:
        """A person exports the books, so that everything in them is known."""
        self._begun.unlink(missing_ok=True)
