"""Compare one batch in three places: ConnectWise's entries, the push log, the books.

The batch's documents are read back from ConnectWise and drafted anew, so that every document, every
distribution and every total is compared with what the log says was posted and what the books hold.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sage50kit.batch.compare import (
    account_differences,
    by_account,
    entry_findings,
    expected_total,
)
from sage50kit.batch.mapping import amount_words
from sage50kit.batch.proof import money_frame
from sage50kit.batch.report import lasting
from sage50kit.issues import Issue, finding, issues_frame, worst
from sage50kit.model import IN_BATCH, Document, StoredDocument, fold
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
    in_connectwise: bool = True,
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
        in_connectwise: whether ConnectWise shows the batch at all.
    """
    posted = [row for row in lasting(logged) if row.state in IN_BATCH]
    issues = (
        entry_findings(transactions, batch_entry_ids)
        if in_connectwise
        else [finding("batch_missing", key="", number="", field="batch", value=batch)]
    )
    issues += [
        finding("still_unposted", key=row.key, number=row.number)
        for row in transactions
        if row.key in still_unposted
    ]
    rows = []
    for row in posted:
        there = stored.get(row.document.label)
        source = exported.get(row.document.plain_label)
        issues += _document_findings(row, there, source)
        rows.append(_row(row, there, source))
    silent = [_silent(row, set(batch_entry_ids)) for row in transactions if _posts_nothing(row)]
    columns = ["document", "number", "connectwise", "log", "books", "equal"]
    columns += ["without_posting"] if silent else []
    frame = money_frame([*rows, *silent], columns, columns[2:5])
    return Verification(
        batch=batch,
        findings=issues_frame(issues),
        documents=frame,
        totals={
            "documents": len(rows),
            "equal": sum(row["equal"] for row in rows),
            "connectwise": total(row["connectwise"] or ZERO for row in [*rows, *silent]),
            "log": total(row["log"] for row in rows),
            "books": total(row["books"] or ZERO for row in rows),
            **_of_silent(silent),
        },
        ok=worst(issues) not in ("block", "refuse") and all(row["equal"] for row in rows),
    )


def _document_findings(
    row: LoggedDocument, stored: StoredDocument | None, source: Document | None
) -> list[Issue]:
    document = row.document
    words: dict[str, Any] = {"key": row.key, "number": document.number}
    if stored is None:
        return [finding("not_in_books", value=row.place, **words)]
    if stored.voided:
        return [finding("voided_in_books", value=stored.place, **words)]
    issues = changed_in_books(document, stored, words)
    return issues + (changed_in_connectwise(document, source, words) if source else [])


def changed_in_books(
    document: Document, stored: StoredDocument, words: dict[str, Any]
) -> list[Issue]:
    """What the books hold otherwise than it was sent: total, date, party, number, accounts.

    A bill that came in later gives a waiting purchase its number and date (design 9.7).
    """
    pairs = [("total", amount_words(expected_total(document, stored)), amount_words(stored.total))]
    pairs.append(("date", document.posting_date.isoformat(), stored.posting_date.isoformat()))
    pairs.append(("party", document.party_id, stored.party_id))
    if not (document.waiting_on_bill and not stored.waiting_on_bill):
        pairs.append(("number", document.reference, stored.reference))
    else:
        pairs.pop(1)
    issues = [
        finding("books_differ", field=name, value=there, wanted=sent, **words)
        for name, sent, there in pairs
        if fold(sent) != fold(there)
    ]
    issues += [
        finding(
            "books_differ",
            field=f"account {account}",
            value=amount_words(there),
            wanted=amount_words(sent),
            **words,
        )
        for account, sent, there in account_differences(document, stored)
    ]
    return issues


def changed_in_connectwise(
    document: Document, source: Document, words: dict[str, Any]
) -> list[Issue]:
    """How ConnectWise's document is another one than was posted."""
    if source.fingerprint == document.fingerprint:
        return []
    pairs = [("total in ConnectWise", amount_words(document.total), amount_words(source.total))]
    pairs.append(("date in ConnectWise", str(document.posting_date), str(source.posting_date)))
    pairs.append(("party in ConnectWise", document.party_id, source.party_id))
    sent, there = by_account(document), by_account(source)
    for account in sorted(set(sent) | set(there)):
        name = f"account {account} in ConnectWise"
        pairs.append((name, amount_words(sent[account]), amount_words(there[account])))
    return [
        finding("books_differ", field=name, value=now, wanted=then, **words)
        for name, then, now in pairs
        if fold(then) != fold(now)
    ]


def _row(
    row: LoggedDocument, stored: StoredDocument | None, source: Document | None
) -> dict[str, Any]:
    document = row.document
    books = None if stored is None or stored.voided else stored.total
    expected = document.total if stored is None else expected_total(document, stored)
    connectwise = None if source is None else source.total
    return {
        "document": document.label,
        "number": document.number,
        "connectwise": connectwise,
        "log": document.total,
        "books": books,
        "equal": books == expected and connectwise == document.total,
        "without_posting": "",
    }


def _of_silent(rows: Sequence[dict[str, Any]]) -> dict[str, Decimal | int]:
    """How many are batched without a posting, and how much of ConnectWise's figure they are."""
    if not rows:
        return {}
    amount = total(row["connectwise"] or ZERO for row in rows)
    return {"batched_without_posting": len(rows), "of_which_not_posted": amount}


def _posts_nothing(row: Transaction) -> bool:
    return row.disposition != "post"


def _silent(row: Transaction, held: Collection[int]) -> dict[str, Any]:
    """A transaction that is in the batch on purpose without a document: ConnectWise alone has an amount.

    Its GL entries are frozen: as long as the batch holds them, the amount is the one that was listed.
    """
    there = set(row.entry_ids) <= set(held)
    return {
        "document": row.key,
        "number": row.number,
        "connectwise": row.total if there else None,
        "log": None,
        "books": None,
        "equal": there,
        "without_posting": row.reason,
    }
