"""What will be done: the frozen plan, what stays out of it, and the states the push log knows."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Literal, TypeAlias

from sage50kit.model.content import digest
from sage50kit.model.documents import Document, Transaction
from sage50kit.model.lists import Master
from sage50kit.money import ZERO

if TYPE_CHECKING:
    from sage50kit.issues import Issue

DocumentState: TypeAlias = Literal[
    "planned",
    "sending",
    "posted",
    "exported",
    "joining",
    "joined",
    "refused",
    "in_doubt",
    "unbatched",
    "voided",
]
# In the books, and of its batch: posted by it, or joined to it because it stood there.
ARRIVED: frozenset[DocumentState] = frozenset({"posted", "exported", "joined"})
IN_BATCH: frozenset[DocumentState] = ARRIVED | {
    "voided"
}  # its transaction is in the batch, whatever became of it in Sage
ONCE_POSTED: frozenset[DocumentState] = IN_BATCH | {
    "unbatched"
}  # a later posting is another generation

BLOCKED = (
    "blocked: "  # begins the reason of a transaction that was left out because a finding blocks it
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A transaction that stays unposted, and why."""

    key: str
    kind: str
    number: str
    reason: str
    total: Decimal = ZERO


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """A document that stands in the books already and enters a batch without being posted again."""

    document: Document
    place: str


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Frozen intent: the documents in posting order, and the batch they will form.

    `transactions` are all that enter the batch; those with a disposition other than `post` enter it
    without a document, with their reason. `joined` are the documents that some of these rely on.
    """

    batch: str
    site: str
    company: str
    documents: tuple[Document, ...] = ()
    masters: tuple[Master, ...] = ()
    transactions: tuple[Transaction, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    issues: tuple[Issue, ...] = ()
    joined: tuple[Joined, ...] = ()

    @cached_property
    def fingerprint(self) -> str:
        """A digest of batch number, documents and cleared transactions."""
        parts = [self.batch, self.site, self.company]
        parts += [f"{document.label} {document.fingerprint}" for document in self.documents]
        parts += [f"{row.key} {row.disposition} {row.entry_ids}" for row in self.transactions]
        parts += [f"{row.document.label} at {row.place}" for row in self.joined]
        return digest(parts)

    def __repr__(self) -> str:
        """Short, for notebooks and logs."""
        counts = f"{len(self.documents)} documents, {len(self.transactions)} transactions"
        return f"<Plan {self.batch}: {counts}, {len(self.issues)} findings>"
