"""What was taken out of its batch in ConnectWise, and which of its documents stand in Sage 50."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from sage50kit.batch.compare import is_this
from sage50kit.batch.mapping import amount_words
from sage50kit.batch.proof import money_frame
from sage50kit.batch.settling import look
from sage50kit.issues import Issue, finding, issues_frame
from sage50kit.model import SAGE_SCREENS

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from sage50kit.batch.report import Status
    from sage50kit.connectors.base import Connector
    from sage50kit.model import Document, StoredDocument
    from sage50kit.pushlog import LoggedDocument

There: TypeAlias = "StoredDocument | Literal['unknown'] | None"
NOT_IN_SAGE = "not in Sage 50"
_COLUMNS = [
    "label",
    "number",
    "party_id",
    "date",
    "total",
    "place",
    "state",
    "screen",
    "transactions",
]
# Where the seed's "Validating a Batch" looks purchases up, by what they came from.
_PURCHASES = {
    "receipt": "Inventory & Services > Receive Inventory > View and Edit Purchases",
    "expense": "Vendors & Purchases > Enter Bills > View and Edit Bills",
}


@dataclass(frozen=True, kw_only=True)
class Undone:
    """What was taken out of ConnectWise, and what stands in Sage 50 because of it.

    `documents` has one row for each document: number, date, total in dollars, where it is, whether it
    stands there still, and the screen where it is cancelled.
    """

    batch: str
    headline: str
    documents: pd.DataFrame
    issues: pd.DataFrame
    done: bool
    dry_run: bool = False

    @property
    def status(self) -> Status:
        """As in the answers of the terminal."""
        if not self.done and not self.dry_run:
            return "failed"
        return "completed_with_errors" if len(self.issues) else "completed"

    @property
    def exit_code(self) -> int:
        """3 while a person has something to do."""
        return 3 if len(self.issues) or not (self.done or self.dry_run) else 0

    def __repr__(self) -> str:
        """The headline."""
        return f"<Undone {self.headline}>"

    def _repr_html_(self) -> str:
        from sage50kit.reports.corrections import undone_page
        from sage50kit.reports.html import part

        return part(undone_page(self))


def not_yet(shown: Undone, would: str) -> Undone:
    """The same before anything is done; `would` says what would be."""
    there = int((shown.documents["state"] != NOT_IN_SAGE).sum())
    headline = f"{would}; documents of it in Sage 50: {there}. Nothing was written yet."
    return replace(shown, headline=headline, dry_run=True)


def standing(
    rows: Sequence[LoggedDocument], company: Connector
) -> list[StoredDocument | Literal["unknown"] | None]:
    """The living document of each row; None where it is cancelled or gone."""
    found: list[StoredDocument | Literal["unknown"] | None] = []
    for row, holds in zip(rows, look(rows, company), strict=True):
        if holds is None:
            found.append("unknown")
            continue
        ours = (one for one in holds if is_this(row.document, one, company.capabilities))
        found.append(next((one for one in ours if not one.voided), None))
    return found


def undone_of(
    batch: str,
    rows: Sequence[LoggedDocument],
    issues: Sequence[Issue],
    company: Connector,
    *,
    done: bool,
) -> Undone:
    """The outcome of an un-posting, with what the company shows of each document now."""
    there = dict(zip((row.document.label for row in rows), standing(rows, company), strict=True))
    left = [row for row in rows if there[row.document.label] is not None]
    by_hand = [_undo_by_hand(row) for row in left] if done else []
    return Undone(
        batch=batch,
        headline=_headline(batch, len(left), done=done),
        documents=money_frame(
            [_row(row, there[row.document.label]) for row in rows], _COLUMNS, ("total",)
        ),
        issues=issues_frame([*issues, *by_hand]),
        done=done,
    )


def _headline(batch: str, standing: int, *, done: bool) -> str:
    if not done:
        return f"Batch {batch}: nothing was changed in ConnectWise or in Sage 50."
    undo = f" {standing} of its documents stand in Sage 50 and must be undone there."
    return f"Batch {batch}: un-posted in ConnectWise.{undo if standing else ''}"


def _undo_by_hand(row: LoggedDocument) -> Issue:
    document = row.document
    return finding(
        "stands_in_books",
        key=document.key,
        number=document.number,
        field="document",
        value=row.place,
        date=document.posting_date,
        total=amount_words(document.total),
        screen=screen_of(document),
    )


def _row(row: LoggedDocument, there: StoredDocument | Literal["unknown"] | None) -> dict[str, Any]:
    document, several = row.document, row.document.transactions
    state = NOT_IN_SAGE if there is None else "stands in Sage 50"
    return {
        "label": document.label,
        "number": document.number,
        "party_id": document.party_id,
        "date": document.posting_date,
        "total": document.total,
        "place": row.place,
        "state": "cannot be told: look there" if there == "unknown" else state,
        "screen": screen_of(document),
        "transactions": ", ".join(several) if len(several) > 1 else "",
    }


def screen_of(document: Document) -> str:
    """The screen of Sage 50 where a document is voided or deleted."""
    kind = document.key.partition(":")[0]
    screen = SAGE_SCREENS[document.type]
    return _PURCHASES.get(kind, screen) if document.type == "purchase" else screen
