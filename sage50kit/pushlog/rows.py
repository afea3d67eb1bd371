"""What the log knows of documents and batches: the states, and rows as frozen objects."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

import msgspec

from sage50kit.issues import Issue
from sage50kit.model import (
    Customer,
    Document,
    DocumentState,
    Item,
    LeftOut,
    Master,
    Transaction,
    Vendor,
    canonical,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    import sqlalchemy as sa

BatchState: TypeAlias = Literal["planned", "creating", "created", "rerunning", "unposted", "failed"]
UNSENT: frozenset[DocumentState] = frozenset(
    {"planned", "joining", "refused", "unbatched"}
)  # nothing of it was sent under its batch
ENDED: tuple[BatchState, ...] = ("created", "unposted", "failed")
# The kinds of events about a batch, and the state each leads to.
BATCH_EVENTS: dict[str, BatchState] = {f"batch_{state}": state for state in get_args(BatchState)}


@dataclass(frozen=True, slots=True)
class _Held:
    """Of the content of a document what it holds; the rest is passed over."""

    transactions: tuple[str, ...]


_DOCUMENT = msgspec.json.Decoder(Document, strict=False)
_HELD = msgspec.json.Decoder(_Held)
_MASTERS: dict[str, type[Master]] = {"Customer": Customer, "Vendor": Vendor, "Item": Item}


@dataclass(frozen=True, kw_only=True)  # no slots: what was read from the content is kept
class LoggedDocument:
    """The current state of one document; its content is read when somebody asks for it."""

    key: str
    generation: int
    part: int
    batch: str
    state: DocumentState
    fingerprint: str
    place: str
    reason: str
    content: str  # canonical JSON
    held: Document | None = None  # the same content, where the reader had it already

    @cached_property
    def document(self) -> Document:
        """The document as it was recorded."""
        return self.held or _DOCUMENT.decode(self.content)

    @cached_property
    def transactions(self) -> tuple[str, ...]:
        """The keys of the transactions it holds."""
        return (self.held or _HELD.decode(self.content)).transactions


@dataclass(frozen=True, kw_only=True)  # no slots: what was read from the content is kept
class LoggedBatch:
    """The current state of one batch; what its plan held besides documents is read when somebody asks for it."""

    batch: str
    state: BatchState
    batch_id: int | None
    fingerprint: str
    started: str
    actor: str
    content: str  # canonical JSON

    @cached_property
    def transactions(self) -> tuple[Transaction, ...]:
        """All that enter the batch, posted or not."""
        return msgspec.convert(self._read["transactions"], tuple[Transaction, ...], strict=False)

    @cached_property
    def left_out(self) -> tuple[LeftOut, ...]:
        """What was left out of it, and why."""
        return msgspec.convert(self._read["left_out"], tuple[LeftOut, ...], strict=False)

    @cached_property
    def masters(self) -> tuple[Master, ...]:
        """The records that it creates."""
        return tuple(
            msgspec.convert(values, _MASTERS[name], strict=False)
            for name, values in self._read["masters"]
        )

    @cached_property
    def issues(self) -> tuple[Issue, ...]:
        """The findings of its plan."""
        return msgspec.convert(self._read["issues"], tuple[Issue, ...], strict=False)

    @cached_property
    def _read(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(self.content)
        return content


def logged_document(row: sa.Row[Any], held: Document | None = None) -> LoggedDocument:
    """A row of the table of documents; `held` is taken for its content where the fingerprints agree."""
    same = held is not None and held.fingerprint == row.fingerprint
    return LoggedDocument(
        key=row.key,
        generation=row.generation,
        part=row.part,
        batch=row.batch,
        state=row.state,
        fingerprint=row.fingerprint,
        place=row.place,
        reason=row.reason,
        content=row.content,
        held=held if same else None,
    )


def logged_batch(row: sa.Row[Any]) -> LoggedBatch:
    """A row of the table of batches."""
    return LoggedBatch(
        batch=row.batch,
        state=row.state,
        batch_id=row.batch_id,
        fingerprint=row.fingerprint,
        started=row.at,
        actor=row.actor,
        content=row.content,
    )


def content_of(
    transactions: Sequence[Transaction],
    left_out: Sequence[LeftOut],
    masters: Sequence[Master],
    issues: Sequence[Issue],
) -> dict[str, Any]:
    """What a batch holds besides documents, as plain data."""
    return {
        "transactions": canonical(transactions),
        "left_out": canonical(left_out),
        "masters": [[type(row).__name__, canonical(row)] for row in masters],
        "issues": canonical(issues),
    }
