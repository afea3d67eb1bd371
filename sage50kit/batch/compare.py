"""Whether the books hold what was sent: per account, for what the kit posted and nothing of Sage's own."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from sage50kit.batch.mapping import amount_words
from sage50kit.issues import finding
from sage50kit.model import fold, token
from sage50kit.money import ZERO

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from decimal import Decimal

    from sage50kit.connectors.base import Capabilities
    from sage50kit.issues import Issue
    from sage50kit.model import Document, StoredDocument, Transaction


def by_account(document: Document) -> dict[str, Decimal]:
    """What a document posts to each account, debit positive; the control account included."""
    sums: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for line in document.distributions:
        sums[line.account_id] += line.amount
    if document.control_account_id:
        sums[document.control_account_id] += document.control_amount
    return sums


def account_differences(
    document: Document, stored: StoredDocument
) -> list[tuple[str, Decimal, Decimal]]:
    """(account, amount sent, amount in the books) where they differ.

    Nothing for a decrease, which Sage values, nor where the company does not tell its entries.
    """
    if document.is_decrease or not stored.entries:
        return []
    sent = by_account(document)
    there: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for row in stored.entries:
        if row.made_by == "kit":
            there[row.account_id] += row.debit - row.credit
    return [
        (account, sent[account], there[account])
        for account in sorted(set(sent) | set(there))
        if sent[account] != there[account]
    ]


def is_this(document: Document, stored: StoredDocument, can: Capabilities) -> bool:
    """Whether the company's document, living or voided, is ours.

    By our key, else by party, reference, date and total.
    """
    if document.type in can.carries_key:
        return stored.token == document.token
    return (
        fold(stored.party_id) == fold(document.party_id)
        and fold(stored.reference) == fold(document.reference)
        and stored.posting_date == document.posting_date
        and stored.total == expected_total(document, stored)
    )


def living(
    document: Document, holds: Sequence[StoredDocument], can: Capabilities
) -> list[StoredDocument]:
    """What stands of a document under our key, of whatever generation; nothing where no key is carried."""
    if document.type not in can.carries_key:
        return []
    return [row for row in holds if not row.voided and carries_key_of(document, row)]


def carries_key_of(document: Document, stored: StoredDocument) -> bool:
    """Whether the company's document carries our key, of whatever generation."""
    mine = token(document.key, part=document.part)
    return stored.token == mine or stored.token.startswith(f"{mine}.")


def differences(document: Document, stored: StoredDocument) -> list[Issue]:
    """What the company stored otherwise than it was sent; Sage values decreases itself."""
    pairs = [
        ("party", document.party_id, stored.party_id),
        ("number", document.reference, stored.reference),
        ("date", document.posting_date.isoformat(), stored.posting_date.isoformat()),
    ]
    if stored.total != expected_total(document, stored):
        pairs.append(("total", amount_words(document.total), amount_words(stored.total)))
    pairs += [
        (f"account {account}", amount_words(sent), amount_words(there))
        for account, sent, there in account_differences(document, stored)
    ]
    return [
        finding(
            "stored_differs",
            key=document.key,
            number=document.number,
            field=name,
            value=there,
            wanted=sent,
        )
        for name, sent, there in pairs
        if fold(sent) != fold(there)
    ]


def expected_total(document: Document, stored: StoredDocument) -> Decimal:
    """Sage values decreases itself: there is nothing to compare."""
    return stored.total if document.is_decrease else document.total


def same_content(document: Document, stored: StoredDocument) -> bool:
    """Party, number, date, total and every account agree.

    Sage values decreases itself, and a bill that came in later gives a waiting purchase its number and
    date (design 9.7). Journals and adjustments have our key as their number.
    """
    if fold(document.party_id) != fold(stored.party_id) or document.type != stored.type:
        return False
    if not document.is_decrease and document.total != stored.total:
        return False
    if account_differences(document, stored):
        return False
    if document.waiting_on_bill and not stored.waiting_on_bill:
        return True
    numbered = document.type not in ("journal_entry", "inventory_adjustment")
    same_number = fold(document.reference) == fold(stored.reference)
    return document.posting_date == stored.posting_date and (same_number or not numbered)


def entry_findings(
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
