"""Compare one batch in three places: ConnectWise's entries, the push log, the books.

The batch's documents are read back from ConnectWise and drafted anew, so that every document, every
distribution and every total is compared with what the log says was posted and what the books hold.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sage50kit.batch.mapping import amount_words
from sage50kit.batch.proof import money_frame
from sage50kit.issues import Issue, finding, issues_frame, worst
from sage50kit.model import Document, StoredDocument, fold
from sage50kit.money import ZERO, total

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from decimal import Decimal

    import pandas as pd

    from sage50kit.model import Transaction
    from sage50kit.pushlog import LoggedDocument


@dataclass(frozen=True, kw_only=True)
class Verification:
    """Whether a batch stands equal in both systems and the log, and where it does not."""

    batch: str
    findings: pd.DataFrame
    documents: pd.DataFrame
    totals: dict[str, Decimal | int]
    ok: bool

    def __repr__(self) -> str:
        """Short, for notebooks and logs."""
        return f"<Verification {self.batch}: {'equal' if self.ok else f'{len(self.findings)} findings'}>"

    def _repr_html_(self) -> str:
        from sage50kit.reports.html import verification_html

        return verification_html(self, fragment=True)


def compare(
    batch: str,
    *,
    transactions: Sequence[Transaction],
    logged: Sequence[LoggedDocument],
    stored: Mapping[str, StoredDocument],
    exported: Mapping[str, Document],
    batch_entry_ids: Collection[int],
    still_unposted: Collection[str],
) -> Verification:
    """Compare what was read of one batch.

    Args:
        batch: its number.
        transactions: those the log says are in the batch.
        logged: the documents of the batch, by the log.
        stored: what the books hold, by the label of the document.
        exported: the documents drafted from ConnectWise's export of the batch, by label without
            generation.
        batch_entry_ids: ids of the GL entries in the ConnectWise batch.
        still_unposted: keys of the transactions that ConnectWise still lists.
    """
    posted = [row for row in logged if row.state in ("posted", "exported")]
    issues = _entry_findings(transactions, batch_entry_ids)
    issues += [
        finding("still_unposted", key=row.key, number=row.number)
        for row in transactions
        if row.key in still_unposted
    ]
    rows = []
    for row in posted:
        there = stored.get(row.document.label)
        source = exported.get(_plain_label(row.document))
        issues += _document_findings(row, there, source)
        rows.append(_row(row, there, source))
    columns = ["document", "number", "connectwise", "log", "books", "equal"]
    frame = money_frame(rows, columns, columns[2:5])
    return Verification(
        batch=batch,
        findings=issues_frame(issues),
        documents=frame,
        totals={
            "documents": len(rows),
            "equal": sum(row["equal"] for row in rows),
            "connectwise": total(row["connectwise"] or ZERO for row in rows),
            "log": total(row["log"] for row in rows),
            "books": total(row["books"] or ZERO for row in rows),
        },
        ok=worst(issues) not in ("block", "refuse") and all(row["equal"] for row in rows),
    )


def _plain_label(document: Document) -> str:
    return document.label.partition("#")[0]


def _entry_findings(
    transactions: Sequence[Transaction], batch_entry_ids: Collection[int]
) -> list[Issue]:
    """GL entries that should be in the batch and are not, and the other way round."""
    held = set(batch_entry_ids)
    expected = {entry: row for row in transactions for entry in row.entry_ids}
    issues = [
        finding(
            "batch_entry_missing", key=row.key, number=row.number, field="GL entry", value=entry
        )
        for entry, row in expected.items()
        if entry not in held
    ]
    issues += [
        finding("batch_entry_foreign", key="", number="", field="GL entry", value=entry)
        for entry in sorted(held - set(expected))
    ]
    return issues


def _document_findings(
    row: LoggedDocument, stored: StoredDocument | None, source: Document | None
) -> list[Issue]:
    document = row.document
    words: dict[str, Any] = {"key": row.key, "number": document.number}
    if stored is None:
        return [finding("not_in_books", value=row.place, **words)]
    if stored.voided:
        return [finding("voided_in_books", value=stored.place, **words)]
    pairs = [("total", amount_words(_expected_total(document, stored)), amount_words(stored.total))]
    pairs.append(("date", document.posting_date.isoformat(), stored.posting_date.isoformat()))
    pairs.append(("party", document.party_id, stored.party_id))
    if not (document.waiting_on_bill and not stored.waiting_on_bill):
        pairs.append(("number", document.reference, stored.reference))
    else:
        pairs.pop(1)  # billed since: number and date are the bill's (design 9.7)
    pairs += _account_pairs(document, stored)
    issues = [
        finding("books_differ", field=name, value=there, wanted=sent, **words)
        for name, sent, there in pairs
        if fold(sent) != fold(there)
    ]
    if source is not None and source.fingerprint != document.fingerprint:
        issues += _changed_since(document, source, words)
    return issues


def _changed_since(document: Document, source: Document, words: dict[str, Any]) -> list[Issue]:
    """ConnectWise's document is another one than was posted."""
    pairs = [("total in ConnectWise", amount_words(document.total), amount_words(source.total))]
    pairs.append(("date in ConnectWise", str(document.posting_date), str(source.posting_date)))
    pairs.append(("party in ConnectWise", document.party_id, source.party_id))
    sent, there = _by_account(document), _by_account(source)
    for account in sorted(set(sent) | set(there)):
        name = f"account {account} in ConnectWise"
        pairs.append((name, amount_words(sent[account]), amount_words(there[account])))
    return [
        finding("books_differ", field=name, value=now, wanted=then, **words)
        for name, then, now in pairs
        if fold(then) != fold(now)
    ]


def _by_account(document: Document) -> dict[str, Decimal]:
    sums: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for line in document.distributions:
        sums[line.account_id] += line.amount
    return sums


def _expected_total(document: Document, stored: StoredDocument) -> Decimal:
    """Sage values decreases itself: there is nothing to compare."""
    decrease = document.type == "inventory_adjustment" and document.distributions[0].quantity < 0
    return stored.total if decrease else document.total


def _account_pairs(document: Document, stored: StoredDocument) -> list[tuple[str, str, str]]:
    """(account, amount sent, amount in the books) for what the kit posted; Sage's own is not ours."""
    if document.type == "inventory_adjustment" and document.distributions[0].quantity < 0:
        return []
    sent: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for line in document.distributions:
        sent[line.account_id] += line.amount
    sent[document.control_account_id] += document.control_amount
    there: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for row in stored.entries:
        if row.made_by == "kit":
            there[row.account_id] += row.debit - row.credit
    return [
        (f"account {account}", amount_words(sent[account]), amount_words(there[account]))
        for account in sorted(set(sent) | set(there))
        if account
    ]


def _row(
    row: LoggedDocument, stored: StoredDocument | None, source: Document | None
) -> dict[str, Any]:
    document = row.document
    books = None if stored is None or stored.voided else stored.total
    expected = document.total if stored is None else _expected_total(document, stored)
    connectwise = None if source is None else source.total
    return {
        "document": document.label,
        "number": document.number,
        "connectwise": connectwise,
        "log": document.total,
        "books": books,
        "equal": books == expected and connectwise == document.total,
    }
