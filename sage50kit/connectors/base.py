"""The contract between the kit and a Sage 50 company; one contract test runs against every connector.

Three answers to `post` are outcomes: it returns `Posted` (here it is, perhaps not quite as sent),
or raises `DocumentRefused` (nothing was written). Anything else is silence, and silence is settled
by `find_many`, never by sending again. A connector that cannot look raises `OutcomeUnknown`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from contextlib import AbstractContextManager
    from datetime import date

    from sage50kit.model import (
        Application,
        Books,
        Document,
        DocumentType,
        GLEntry,
        Master,
        OpenItem,
        Posted,
        Receipt,
        Receivable,
        StoredDocument,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a connector can promise; the push reads it, nobody asks for its class."""

    kinds: frozenset[DocumentType]
    confirms: bool  # whether a returned `post` means the document is in the books
    carries_key: frozenset[DocumentType]  # which documents can hold our token
    tax: Literal["given", "computed"]  # whether ConnectWise's tax amount can be written
    creates: frozenset[Literal["customer", "vendor", "item"]]
    voids: bool = False
    reads_receipts: bool = False  # all of them, at least
    follows_receipts: bool = False  # those changed since a cursor or a day
    posts_receipts: bool = False  # money that came through the payment portal


class Connector(Protocol):
    """A Sage 50 company that documents can be posted to."""

    name: str  # names the company in the log
    capabilities: Capabilities

    def session(self) -> AbstractContextManager[None]:
        """Hold the company open; raises `CompanyUnavailable`."""
        ...

    def books(self) -> Books:
        """The lists of the company, read once."""
        ...

    def find_many(self, documents: Sequence[Document]) -> list[tuple[StoredDocument, ...]]:
        """For each document, what the company holds under its key, of whatever generation, or under the
        same type, party and reference (no case); voided ones too. Raises `OutcomeUnknown` if it cannot tell.
        """
        ...

    def post(self, document: Document) -> Posted:
        """Write one document, whole or not at all; raises `DocumentRefused`."""
        ...

    def create(self, master: Master) -> str:
        """Create a customer, vendor or item unless its id (no case) exists; returns the id in the books.

        Raises `DocumentRefused` with the reason.
        """
        ...

    def void(self, place: str, *, on: date) -> Posted:
        """Cancel a document the way Sage does; raises `DocumentRefused`."""
        ...

    def documents(self, *, since: date | None = None) -> list[StoredDocument]:
        """Every document posted on or after a day (all of them without one), voided ones marked."""
        ...

    def receipts(
        self, cursor: str, *, since: date | None = None
    ) -> tuple[list[Receipt], str, bool]:
        """Receipts and applied credit memos: rows, the next cursor, whether all were read.

        Args:
            cursor: what an earlier call gave: those entered, changed, voided or (where the company
                can tell) deleted since; "" for all that stand.
            since: instead of the cursor, those dated or saved on or after a day.
        """
        ...

    def knows_cursor(self, cursor: str) -> bool:
        """Whether the company still has all that it had at a cursor; not where a backup was restored."""
        ...

    def applications(
        self,
        *,
        as_of: date | None = None,
        invoices: Collection[tuple[str, str]] | None = None,
    ) -> list[Application]:
        """What pays sales invoices, reversals as rows of their own, oldest first.

        Args:
            as_of: at the end of that day; None for all that the books hold.
            invoices: (customer ID, invoice number) of those asked about; None for all.
        """
        ...

    def find_receipts(self, references: Sequence[str]) -> list[Receipt]:
        """The receipts of these references (no case), voided ones too. Raises `OutcomeUnknown`."""
        ...

    def post_receipt(self, receipt: Receipt, *, cash_account_id: str = "") -> Receipt:
        """Write one receipt, whole or not at all; raises `DocumentRefused`.

        Args:
            receipt: without a place; it is applied to the invoices of its applications.
            cash_account_id: debited; without it the company's usual one.
        """
        ...

    def open_items(self, *, as_of: date) -> list[OpenItem]:
        """What customers owe and vendors are owed at the end of a day; unapplied receipts among them."""
        ...

    def receivables(self) -> list[Receivable]:
        """Every sales invoice, credit memo and receipt, with what was settled of it and when."""
        ...

    def gl_entries(
        self,
        *,
        places: Sequence[str] | None = None,
        since: date | None = None,
        until: date | None = None,
    ) -> list[GLEntry]:
        """GL entries, of some documents or of a span of posting dates (both days included)."""
        ...

    def close(self) -> None:
        """Let go of the company; nothing is called afterwards."""
        ...

    def log_id(self) -> str:
        """The id of the push log this company belongs to; "" while it belongs to none."""
        ...

    def log_mark(self) -> tuple[int, str]:
        """Number and hash of the last event of its log that the company was told of.

        (0, "") if of none, or where the company has no place to keep it: an older log is not noticed then.
        """
        ...

    def adopt_log(
        self, log_id: str, *, mark: tuple[int, str] | None = None, instead_of: str = ""
    ) -> None:
        """Bind the company to a push log; raises `CompanyError` if it belongs to another one.

        Args:
            log_id: of the log.
            mark: number and hash of its last event, to be remembered.
            instead_of: the log that a person gives up for this one.
        """
        ...
