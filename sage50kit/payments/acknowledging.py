"""A person's word on a difference that is as it should be: kept in the push log, with reason and name.

It holds for one document and one class of difference, and only while the amount is the one that was looked
at: a difference that grows needs a person again. What stands in Sage 50 alone is known by its total, so
that it stays acknowledged while it is paid.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, TypeAlias

from sage50kit.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sage50kit.payments.reconcile import Reconciliation
    from sage50kit.pushlog import PushLog
    from sage50kit.pushlog.log import Note

NOT_COMPARED = "not_compared"  # an invoice that is left out of the comparison
ACKNOWLEDGED, TAKEN_BACK = "acknowledged", "acknowledgement_taken_back"  # kinds of events
About: TypeAlias = tuple[str, str]  # place or key of the document, class of the difference


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """What was said of a difference of so many dollars, by whom and when."""

    document: str
    what: str
    amount: Decimal
    reason: str
    actor: str
    on: str

    @property
    def told(self) -> str:
        """For people."""
        return f"{self.reason} ({self.actor}, {self.on})"


def words(log: PushLog) -> dict[About, Word]:
    """Every word that stands."""
    said: dict[About, Word] = {}
    for row in log.events(kinds=(ACKNOWLEDGED, TAKEN_BACK)):
        payload = row["payload"]
        about = (row["key"], payload["what"])
        if row["kind"] == TAKEN_BACK:
            said.pop(about, None)
            continue
        said[about] = Word(
            document=row["key"],
            what=payload["what"],
            amount=Decimal(payload["amount"]),
            reason=payload["reason"],
            actor=row["actor"],
            on=row["at"][:10],
        )
    return said


def word_on(
    said: Mapping[About, Word], documents: Sequence[str], what: str, amount: Decimal
) -> str:
    """The word on a difference, as people read it; "" where there is none for this amount."""
    for document in filter(None, documents):
        word = said.get((document, what))
        if word is not None and word.amount == amount:
            return word.told
    return ""


def acknowledge(found: Reconciliation, log: PushLog, documents: Sequence[str], reason: str) -> int:
    """Record that the differences of some documents are as they should be; returns how many.

    Args:
        found: the reconciliation that shows them.
        log: where it is kept.
        documents: places in Sage 50, or keys.
        reason: why nobody has to do anything.

    Raises:
        UsageError: no reason, or a document without a difference that needs a person.
    """
    if not reason.strip():
        raise UsageError("give the reason why nobody has to do anything about it.")
    notes = [note for document in documents for note in _notes(found, document, reason.strip())]
    with log.together() as (_, append):
        append(notes)
    return len(notes)


def take_back(log: PushLog, documents: Sequence[str]) -> int:
    """Take words back; returns how many.

    Raises:
        UsageError: there is none on a document.
    """
    said = words(log)
    notes: list[Note] = []
    for document in documents:
        mine = [about for about in said if about[0] == document]
        if not mine:
            raise UsageError(f"nothing about {document} is acknowledged.")
        notes += [(TAKEN_BACK, document, {"what": what}) for _, what in mine]
    with log.together() as (_, append):
        append(notes)
    return len(notes)


def _notes(found: Reconciliation, document: str, reason: str) -> Iterator[Note]:
    rows = [row for row in found.lines if document in (row.place, row.key)]
    told = [
        (ACKNOWLEDGED, document, {"what": cause.what, "amount": cause.bound, "reason": reason})
        for row in rows
        for cause in row.causes
        if cause.needs_a_person
    ]
    told += [
        (ACKNOWLEDGED, document, {"what": NOT_COMPARED, "amount": row.total, "reason": reason})
        for row in found.left_out
        if row.key == document
    ]
    if not told:
        raise UsageError(
            f"{document} has no difference that needs a person at the end of {found.as_of}. Name it by its "
            "place in Sage 50 (SJ-17) or its key, as the reconciliation shows them."
        )
    yield from told
