"""What the company answers: a document as it stands in the books."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sage50kit.model.documents import DocumentType, GLEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredDocument:
    """A document as the company holds it; `place` finds it again."""

    place: str
    type: DocumentType
    party_id: str
    reference: str
    posting_date: date
    due_date: date | None
    total: Decimal
    token: str = ""  # our key, where the kind can carry it
    waiting_on_bill: bool = False
    voided: bool = False
    entries: tuple[GLEntry, ...] = ()  # every GL entry it made, Sage's own ones marked


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """The company's yes: where the document is, what the company warned of, how it stands there."""

    place: str
    stored: StoredDocument
    warnings: tuple[str, ...] = ()
