"""A Sage 50 company in one SQLite file, behind the connector contract.

It keeps Sage's limits and refusals, posts as balanced double entry into the journals, and makes its own
cost of sales. Demo, rehearsal of a real batch and tests share it.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self

from sage50kit.connectors.base import Capabilities
from sage50kit.connectors.embedded import (
    applications,
    audit,
    corrections,
    inventory,
    maintenance,
    openitems,
    posting,
    reading,
    receipts,
    receivables,
    records,
)
from sage50kit.connectors.embedded.creation import write_company
from sage50kit.connectors.embedded.lookup import Kept, Lookup
from sage50kit.connectors.embedded.storage import BUSY_SECONDS, CompanyFile
from sage50kit.errors import CompanyError
from sage50kit.model import (
    Account,
    Books,
    Customer,
    Defaults,
    Item,
    Period,
    Posted,
    TaxAgency,
    TaxCode,
    Vendor,
)

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from datetime import date
    from decimal import Decimal
    from pathlib import Path

    from sage50kit.connectors.embedded.creation import OpeningStock
    from sage50kit.connectors.embedded.reading import JournalTransaction
    from sage50kit.connectors.embedded.records import Listed
    from sage50kit.model import (
        Application,
        Document,
        DocumentType,
        GLEntry,
        Master,
        OpenItem,
        Receipt,
        Receivable,
        StoredDocument,
    )

_KINDS: frozenset[DocumentType] = frozenset(
    {"sales_invoice", "credit_memo", "purchase", "journal_entry", "inventory_adjustment"}
)


def create_company(
    path: Path, books: Books, *, name: str, opening_stock: Iterable[OpeningStock] = ()
) -> EmbeddedCompany:
    """Write a new company file from its lists and open it.

    Raises:
        ConfigError: the file exists already, or the lists are not ones that Sage would take.
    """
    write_company(path, books, name=name, opening_stock=opening_stock)
    return EmbeddedCompany(path)


class EmbeddedCompany:
    """A company file; it is opened on first use and closed by `close()` or the end of a `with` block."""

    capabilities = Capabilities(
        kinds=_KINDS,
        confirms=True,
        carries_key=_KINDS,
        tax="given",
        creates=frozenset({"customer", "vendor", "item"}),
        voids=True,
        reads_receipts=True,
        follows_receipts=True,
        posts_receipts=True,
    )

    def __init__(self, path: Path, *, busy_seconds: float = BUSY_SECONDS) -> None:
        """Open the file; a write waits `busy_seconds` for another program to finish its own."""
        self.path = path
        self._file = CompanyFile(path, busy_seconds=busy_seconds)
        self._kept = Kept()
        with self._file.reading() as db:
            self.name: str = db.execute("SELECT name FROM company").fetchone()[0]

    def __repr__(self) -> str:
        return f"<EmbeddedCompany {self.name} in {self.path}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    @contextmanager
    def session(self) -> Iterator[None]:
        """Hold the company open.

        Raises:
            CompanyUnavailable: it is busy or cannot be written.
        """
        with self._file.writing():
            pass  # whoever can begin a transaction now can write
        yield

    def books(self) -> Books:
        """The lists of the company, as they are now."""
        with self._file.reading() as db:
            return Books(
                accounts=records.all_of(db, Account),
                customers=records.all_of(db, Customer),
                vendors=records.all_of(db, Vendor),
                items=records.all_of(db, Item),
                tax_codes=records.all_of(db, TaxCode),
                agencies=records.all_of(db, TaxAgency),
                periods=records.all_of(db, Period),
                defaults=records.all_of(db, Defaults)[0],
            )

    def find_many(self, documents: Sequence[Document]) -> list[tuple[StoredDocument, ...]]:
        """For each document, what the company holds under its key, or its type, party and reference."""
        with self._file.reading() as db:
            return reading.find_many(db, documents)

    def post(self, document: Document) -> Posted:
        """Write one document, whole or not at all.

        Raises:
            DocumentRefused: with every reason, in Sage's words; nothing was written.
        """
        with self._file.writing() as db:
            lists = Lookup(db, self._kept.records(db))
            row, warnings = posting.post(document, lists)
            self._kept.posted(db)
            return _posted(db, row, warnings)

    def create(self, master: Master) -> str:
        """Create a customer, vendor or item unless its id exists; returns the id in the books.

        Raises:
            DocumentRefused: with every reason; nothing was written.
        """
        with self._file.writing() as db:
            return maintenance.create(db, master)

    def add(self, record: Listed) -> str:
        """Add any list record, as a bookkeeper does under Maintain; refused when its id exists."""
        with self._file.writing() as db:
            return maintenance.add(db, record)

    def change(self, record: Listed) -> None:
        """Overwrite a list record; its id and a customer's balance stay."""
        with self._file.writing() as db:
            maintenance.change(db, record)

    def documents(self, *, since: date | None = None) -> list[StoredDocument]:
        """Every document posted on or after a day, voided ones and their reversals marked."""
        with self._file.reading() as db:
            return reading.documents(db, since)

    def gl_entries(
        self,
        *,
        places: Sequence[str] | None = None,
        since: date | None = None,
        until: date | None = None,
    ) -> list[GLEntry]:
        """GL entries, of some documents or of a span of posting dates (both days included)."""
        with self._file.reading() as db:
            return reading.gl_entries(db, places, since, until)

    def trial_balance(self, as_of: date | None = None) -> dict[str, Decimal]:
        """The balance of every account at the end of a day, debit positive; all of it without a day."""
        with self._file.reading() as db:
            return reading.trial_balance(db, as_of)

    def inventory(self, as_of: date | None = None) -> dict[str, tuple[Decimal, Decimal]]:
        """Quantity on hand and value in dollars of every stock item that moved, at the end of a day."""
        with self._file.reading() as db:
            return inventory.values(db, as_of)

    def void(self, place: str, *, on: date) -> Posted:
        """Cancel a document the way Sage does: returns the reversal, `<reference>V`.

        Raises:
            DocumentRefused: voided already, paid, before its own date or in a closed year.
        """
        with self._file.writing() as db:
            row = reading.row_of(db, place)
            reversal, warnings = corrections.void(db, row, on)
            return _posted(db, reversal, warnings)

    def delete(self, place: str) -> None:
        """Erase a document, as a bookkeeper can.

        Raises:
            DocumentRefused: voided already, paid, in a closed year, or it moved stock.
        """
        with self._file.writing() as db:
            corrections.delete(db, reading.row_of(db, place))

    def renumber(self, place: str, reference: str) -> Posted:
        """Give a document another number.

        Raises:
            DocumentRefused: voided, in a closed year, or the number is not one Sage takes.
        """
        with self._file.writing() as db:
            row = reading.row_of(db, place)
            corrections.renumber(db, row, reference)
            return _posted(db, row)

    def fill_bill(self, place: str, reference: str, date: date) -> Posted:
        """Fill in number and date of the bill that a purchase waited for, and untick the box (9.7).

        Raises:
            DocumentRefused: it does not wait for a bill, or Sage would not take number or date.
        """
        with self._file.writing() as db:
            row = reading.row_of(db, place)
            corrections.fill_bill(db, row, reference, date)
            return _posted(db, row)

    def enter_receipt(self, customer_id: str, **words: Any) -> Receipt:
        """Enter money from a customer, as a bookkeeper does; its amount is what is applied or left over.

        Args:
            customer_id: who paid.
            words: `reference`, `date`, `applied` and the rest of `receipts.Entry`.

        Raises:
            DocumentRefused: with every reason; nothing was written.
        """
        with self._file.writing() as db:
            row = receipts.enter(db, receipts.Entry(customer_id=customer_id, **words))
            return applications.one(db, row)

    def edit_receipt(self, place: str, customer_id: str, **words: Any) -> Receipt:
        """Change a receipt: from now on it is what `enter_receipt` would have written.

        Raises:
            DocumentRefused: with every reason, also when it was voided or has bounced.
        """
        with self._file.writing() as db:
            row = reading.row_of(db, place)
            receipts.enter(db, receipts.Entry(customer_id=customer_id, **words), instead_of=row)
            return applications.one(db, row)

    def delete_receipt(self, place: str) -> None:
        """Erase a receipt; its invoices are open again.

        Raises:
            DocumentRefused: it is no receipt, was voided or has bounced, or its year is closed.
        """
        with self._file.writing() as db:
            receipts.delete(db, reading.row_of(db, place))

    def post_receipt(self, receipt: Receipt, *, cash_account_id: str = "") -> Receipt:
        """Write a receipt that came from elsewhere, as a bookkeeper would have entered it.

        Raises:
            DocumentRefused: with every reason; nothing was written.
        """
        return self.enter_receipt(
            receipt.customer_id,
            reference=receipt.reference,
            date=receipt.date,
            applied={row.invoice: row.amount for row in receipt.applications},
            unapplied=receipt.unapplied,
            cash_account_id=cash_account_id,
        )

    def find_receipts(self, references: Sequence[str]) -> list[Receipt]:
        """The receipts of these references, voided ones too."""
        with self._file.reading() as db:
            return applications.of_references(db, references)

    def void_receipt(self, place: str, *, on: date) -> Receipt:
        """Take a receipt back on a day; its invoices are open again.

        Raises:
            DocumentRefused: it is no receipt, voided already, or Sage would not take the day.
        """
        with self._file.writing() as db:
            row = reading.row_of(db, place)
            receipts.void(db, row, on)
            return applications.one(db, row)

    def bounce_receipt(self, place: str, *, reference: str, on: date) -> Receipt:
        """Enter that a check came back (NSF): a negative receipt for the same invoices, on a day.

        Raises:
            DocumentRefused: it is no receipt, taken back already, or Sage would not take the day.
        """
        with self._file.writing() as db:
            row = receipts.bounce(db, reading.row_of(db, place), reference, on)
            return applications.one(db, row)

    def apply_credit(self, place: str, *, applied: Mapping[str, Decimal], on: date) -> Receipt:
        """Apply a credit memo by itself: from now on to these invoices, dollars by number; none: undo.

        Raises:
            DocumentRefused: it is no credit memo, or there is not so much left of it or of an invoice.
        """
        with self._file.writing() as db:
            row = reading.row_of(db, place)
            receipts.apply_credit(db, row, applied, on)
            return applications.one(db, row)

    def receipts(
        self, cursor: str, *, since: date | None = None
    ) -> tuple[list[Receipt], str, bool]:
        """Receipts and applied credit memos, the next cursor, and that all were read.

        Args:
            cursor: those entered, changed, voided or deleted after it; "" for all that stand.
            since: instead of the cursor, those dated or saved on or after a day.
        """
        with self._file.reading() as db:
            latest = applications.cursor_of(db)
            if since is not None:
                return applications.saved_since(db, since), latest, True
            rows = applications.changed(db, cursor) if cursor else applications.standing(db)
            return rows, latest, True

    def knows_cursor(self, cursor: str) -> bool:
        """Whether the company still has what it had at a cursor: not after a restored backup."""
        with self._file.reading() as db:
            return applications.knows(db, cursor)

    def applications(
        self,
        *,
        as_of: date | None = None,
        invoices: Collection[tuple[str, str]] | None = None,
    ) -> list[Application]:
        """What pays sales invoices at the end of a day, reversals as rows of their own."""
        with self._file.reading() as db:
            return applications.applications(db, as_of, invoices)

    def open_items(self, *, as_of: date) -> list[OpenItem]:
        """What customers owe and vendors are owed at the end of a day."""
        with self._file.reading() as db:
            return openitems.open_items(db, as_of)

    def receivables(self) -> list[Receivable]:
        """Every sales invoice, credit memo and receipt, with what was settled of it and when."""
        with self._file.reading() as db:
            return receivables.receivables(db)

    def differences(self) -> list[str]:
        """What does not agree within the books: unbalanced documents, sub-ledgers against the GL."""
        with self._file.reading() as db:
            return audit.differences(db)

    def journal_transactions(self) -> list[JournalTransaction]:
        """Everything in the journals by date: documents, receipts and beginning balances."""
        with self._file.reading() as db:
            return reading.journal_transactions(db)

    def log_id(self) -> str:
        """The id of the push log this company belongs to; "" while it belongs to none."""
        with self._file.reading() as db:
            return str(db.execute("SELECT log_id FROM company").fetchone()[0])

    def log_mark(self) -> tuple[int, str]:
        """Number and hash of the last event of its log that the company was told of; (0, "") if of none."""
        with self._file.reading() as db:
            events, head = db.execute("SELECT log_events, log_head FROM company").fetchone()
            return int(events), str(head)

    def adopt_log(
        self, log_id: str, *, mark: tuple[int, str] | None = None, instead_of: str = ""
    ) -> None:
        """Bind the company to a push log, and remember how far it is.

        Args:
            log_id: of the log.
            mark: number and hash of its last event; None leaves what is remembered.
            instead_of: the log that a person gives up for this one.

        Raises:
            CompanyError: it belongs to another one.
        """
        with self._file.writing() as db:
            owner = db.execute("SELECT log_id FROM company").fetchone()[0]
            if owner not in {"", log_id, instead_of}:
                raise CompanyError(
                    f"company {self.name} belongs to the push log {owner}, not to {log_id}. Put that "
                    "log back; two logs on one company would post documents twice."
                )
            db.execute("UPDATE company SET log_id = ?", (log_id,))
            if mark is not None:
                db.execute("UPDATE company SET log_events = ?, log_head = ?", mark)


def _posted(db: sqlite3.Connection, row: int, warnings: Iterable[str] = ()) -> Posted:
    document = reading.stored_one(db, row)
    return Posted(place=document.place, stored=document, warnings=tuple(warnings))
