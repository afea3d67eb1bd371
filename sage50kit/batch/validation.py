"""Checks that need all documents, the books and the past at once.

`CHECKS` is the table of contents: each takes what is being checked, adds findings, and may take a document
out or give it a new generation. Findings about single documents are made while they are drafted.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from sage50kit.batch.compare import account_differences, carries_key_of, same_content
from sage50kit.batch.mapping import amount_words
from sage50kit.issues import Issue, finding
from sage50kit.model import (
    ONCE_POSTED,
    Document,
    Joined,
    StoredDocument,
    Transaction,
    fold,
    generation_of,
    part_of,
)
from sage50kit.money import ZERO

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from collections.abc import Set as AbstractSet
    from decimal import Decimal

    from sage50kit.connectwise import wire
    from sage50kit.model import Books, Customer
    from sage50kit.profile import PushSettings
    from sage50kit.pushlog import LoggedDocument


@dataclass(slots=True, kw_only=True)
class Checked:
    """What is being checked, and what was found so far."""

    documents: list[Document]
    transactions: list[Transaction]
    issues: list[Issue]
    books: Books
    push: PushSettings
    found: Mapping[str, Sequence[StoredDocument]] = field(default_factory=dict)
    history: Mapping[str, Sequence[LoggedDocument]] = field(default_factory=dict)
    standing: Mapping[str, Sequence[StoredDocument]] = field(default_factory=dict)
    unfinished: Mapping[str, str] = field(default_factory=dict)
    together: Sequence[tuple[str, ...]] = ()
    repost: frozenset[str] = frozenset()
    untold: frozenset[str] = frozenset()
    joined: list[Joined] = field(default_factory=list)

    def report(self, document: Document, code: str, **words: object) -> None:
        """Add a finding about a document."""
        issue = finding(code, key=document.key, number=document.number, **words)  # type: ignore[arg-type]
        self.issues.append(issue)

    def silence(self, reasons: Mapping[str, str]) -> None:
        """Take documents out by label: their transactions join the batch with the reason instead."""
        of_key = {
            key: reasons[document.label]
            for document in self.documents
            if document.label in reasons
            for key in document.transactions
        }
        self.documents = [row for row in self.documents if row.label not in reasons]
        kept = {key for document in self.documents for key in document.transactions}
        self.transactions = [
            replace(row, disposition="nothing_to_post", reason=of_key[row.key])
            if row.key in of_key and row.key not in kept
            else row
            for row in self.transactions
        ]


def check_unfinished(checked: Checked) -> None:
    """What another batch has begun is finished there, not taken from it."""
    for row in checked.transactions:
        batch = checked.unfinished.get(row.key)
        if batch is not None:
            words = {"field": "batch", "value": batch}
            checked.issues.append(
                finding("in_unfinished_batch", key=row.key, number=row.number, **words)
            )


def check_against_books(checked: Checked) -> None:
    """A document that stands in the books is not posted again; a number that is taken blocks."""
    there: dict[str, str] = {}
    for document in checked.documents:
        holds = [row for row in checked.found.get(document.label, ()) if not row.voided]
        own = [row for row in holds if carries_key_of(document, row)]
        # What the log knows to stand for a transaction counts, whatever number or key it has now.
        own += [row for key in document.transactions for row in checked.standing.get(key, ())]
        own = [row for row in own if _part_of(document, row, checked) in (0, document.part)]
        if own and checked.repost & set(document.transactions):
            checked.report(document, "posted_again", field="document", value=own[0].place)
        elif own and _already_there(checked, document, own[0]):
            there[document.label] = f"already in the books at {own[0].place}"
            checked.joined.append(_joined(document, own[0], checked))
        elif not own and holds and document.reference:
            _report_taken(checked, document, holds[0])
    if there:
        checked.silence(there)


def _row_of(document: Document, stored: StoredDocument, checked: Checked) -> LoggedDocument | None:
    """The company's document as the log has it: by our key, for a restored company gives places anew."""
    past = (row for key in document.transactions for row in checked.history.get(key, ()))
    if stored.token:
        return next((row for row in past if row.document.token == stored.token), None)
    return next((row for row in past if row.place == stored.place), None)


def _part_of(document: Document, stored: StoredDocument, checked: Checked) -> int:
    """Which part of a transaction the company's document is; 0 if nobody can say."""
    if stored.token:
        return part_of(stored.token)
    row = _row_of(document, stored, checked)
    return row.part if row else 0


def _joined(document: Document, stored: StoredDocument, checked: Checked) -> Joined:
    """The document as it was posted; as it would be, where the log does not know of it.

    Its transactions are those that were chosen: a row of a bill that nobody owes may be left out.
    """
    row = _row_of(document, stored, checked)
    there = row.document if row else replace(document, generation=generation_of(stored.token))
    joined = replace(there, transactions=document.transactions)
    return Joined(document=joined, place=stored.place)


def _report_taken(checked: Checked, document: Document, stored: StoredDocument) -> None:
    checked.report(
        document,
        "duplicate_number",
        field="number",
        value=document.reference,
        party=document.party_id,
        date=stored.posting_date.isoformat(),
        total=amount_words(stored.total),
    )


def _already_there(checked: Checked, document: Document, stored: StoredDocument) -> bool:
    """Design 9.5: same content joins the batch unposted, other content blocks."""
    if same_content(document, stored):
        checked.report(document, "already_in_books", field="document", value=stored.place)
        return True
    differ = ", ".join(account for account, _, _ in account_differences(document, stored))
    checked.report(
        document,
        "content_changed",
        field="document",
        value=stored.place,
        there=f"{stored.party_id} {stored.reference} {stored.posting_date} {amount_words(stored.total)}",
        here=f"{document.party_id} {document.reference} {document.posting_date} "
        f"{amount_words(document.total)}" + (f" (accounts {differ})" if differ else ""),
    )
    return False


def check_generations(checked: Checked) -> None:
    """A transaction that was posted before gets the next generation, if it is posted again at all."""
    for index, document in enumerate(checked.documents):
        past = {
            row.generation: row.place
            for key in document.transactions
            for row in checked.history.get(key, ())
            if row.state in ONCE_POSTED and row.part == document.part
        }
        again = bool(checked.repost & set(document.transactions))
        if again:  # the log may not know what stands in the books
            own = (
                row
                for row in checked.found.get(document.label, ())
                if carries_key_of(document, row)
            )
            past |= {generation_of(row.token): row.place for row in own}
        if past and document.label in checked.untold and not again:
            checked.report(document, "cannot_tell", field="document", value=past[max(past)])
        elif past:
            last = max(past)
            checked.documents[index] = next_generation(document, last)
            if not again:
                checked.report(document, "posted_before", field="document", value=past[last])


def next_generation(document: Document, last: int) -> Document:
    """The document as it is posted after generation `last`."""
    again = replace(document, generation=last + 1)
    if again.type in ("journal_entry", "inventory_adjustment"):
        return replace(again, reference=again.token)  # their number is our key (9.2)
    return again


def check_nothing_lost(checked: Checked) -> None:
    """Every transaction that is to be posted has a document, or a finding that blocks it."""
    known = {key for document in checked.documents for key in document.transactions}
    known |= {issue.key for issue in checked.issues if issue.severity == "block"}
    known |= {key for keys in checked.together if known & set(keys) for key in keys}
    for row in checked.transactions:
        if row.disposition == "post" and row.key not in known:
            checked.issues.append(finding("no_document", key=row.key, number=row.number))


def check_numbers_in_batch(checked: Checked) -> None:
    """Two documents of one party may not have one number (Sage refuses the second).

    All of them are named, because nobody here knows which one the number belongs to.
    """
    places: dict[tuple[str, str, str], list[int]] = defaultdict(list)
    for index, document in enumerate(checked.documents):
        if document.reference and document.party_id:
            places[document.type, fold(document.party_id), fold(document.reference)].append(index)
    for indexes in places.values():
        if len(indexes) > 1:
            documents = [checked.documents[index] for index in indexes]
            receipts = all(document.key.startswith("receipt:") for document in documents)
            code = "same_vendor_invoice" if receipts else "duplicate_in_batch"
            for document in documents:
                words = {"field": "number", "value": document.reference}
                checked.report(document, code, party=document.party_id, **words)


def check_credit(checked: Checked) -> None:
    """What Sage will say to each invoice under its customer's credit status (seed: Credit Limits).

    In posting order, because each invoice and credit memo moves what the customer owes.
    """
    owed: dict[str, Decimal] = {}
    for document in sorted(checked.documents, key=posting_order):
        if document.type not in ("sales_invoice", "credit_memo"):
            continue
        customer = checked.books.customer.get(fold(document.party_id))
        if customer is None or customer.credit_status == "no_limit":
            continue
        before = owed.get(customer.customer_id, customer.balance)
        after = before + document.control_amount
        invoice = document.type == "sales_invoice"
        refused = invoice and _credit_finding(checked, document, customer, after)
        owed[customer.customer_id] = before if refused else after


def _credit_finding(
    checked: Checked, document: Document, customer: Customer, owed: Decimal
) -> bool:
    """Report what the status says; whether Sage will refuse the invoice."""
    over = owed > customer.credit_limit
    code = {
        "notify_over_limit": "credit_over_limit" if over else "",
        "always_notify": "credit_notify",
        "hold_over_limit": "credit_over_hold" if over else "",
        "always_hold": "credit_hold",
    }.get(customer.credit_status, "")
    if code:
        checked.report(
            document,
            code,
            field="credit status",
            value=customer.customer_id,
            owed=amount_words(owed),
            limit=amount_words(customer.credit_limit or ZERO),
        )
    return code in ("credit_hold", "credit_over_hold")


def posting_order(document: Document) -> tuple[int, str, str, int]:
    """Purchases and increases, invoices and credit memos, decreases, journals (design 9.9)."""
    ranks = {"purchase": 1, "sales_invoice": 2, "credit_memo": 2, "journal_entry": 4}
    rank = ranks.get(document.type) or (3 if document.is_decrease else 1)
    return rank, document.posting_date.isoformat(), document.key, document.part


CHECKS: tuple[Callable[[Checked], None], ...] = (
    check_unfinished,
    check_against_books,
    check_generations,
    check_numbers_in_batch,
    check_credit,
    check_nothing_lost,
)

# Accounting Package settings: field, what it should be, for which kinds, and what to do (seed).
_PACKAGE = (
    ("include_sales_tax_flag", {"invoice"}, "check Include Sales Tax, or taxes are not exported"),
    ("transfer_expenses_as_bill_flag", {"expense"}, "expenses become journal entries, not bills"),
    ("inventory_soh_flag", {"receipt", "adjustment"}, "check Inventory SOH Option"),
    ("include_cogs_entries_flag", {"invoice"}, "check Include COGS Entries to see costs here"),
)


def check_package(
    package: wire.AccountingPackageSetup | None, kinds: AbstractSet[str]
) -> list[Issue]:
    """Settings of the Accounting Package that do not fit the chosen kinds."""
    if package is None:
        return []
    return [
        finding("package_setup", key="", number="", field=name, value="off", advice=advice)
        for name, matters_to, advice in _PACKAGE
        if kinds & matters_to and getattr(package, name) is False
    ]
