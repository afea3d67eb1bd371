"""Chosen transactions -> documents in posting order, with every finding about them.

    draft      each transaction becomes its documents (drafting)
    check      the documents together, against the books and against what was posted before
    freeze     a plan, if nothing blocks

All of it is pure: what the outside says comes in as arguments.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sage50kit.batch.drafting import Detail, ExpenseGroup, Prepared, draft, without
from sage50kit.batch.mapping import Setup
from sage50kit.batch.validation import CHECKS, Checked, check_package, posting_order
from sage50kit.errors import PlanBlocked
from sage50kit.issues import worst
from sage50kit.model import BLOCKED, LeftOut, Plan

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from sage50kit.model import Books, Document, StoredDocument, Transaction
    from sage50kit.profile import PushSettings
    from sage50kit.pushlog import LoggedDocument

__all__ = ["Detail", "ExpenseGroup", "Prepared", "Setup", "check", "draft", "freeze", "prepare"]


def prepare(
    transactions: Sequence[Transaction],
    detail: Detail,
    *,
    books: Books,
    setup: Setup,
    push: PushSettings,
    delimiter: str = ":",
    drop_trailing: bool = True,
    found: Callable[[Sequence[Document]], Sequence[tuple[StoredDocument, ...] | None]]
    | None = None,
    history: Mapping[str, Sequence[LoggedDocument]] | None = None,
    standing: Mapping[str, Sequence[StoredDocument]] | None = None,
    unfinished: Mapping[str, str] | None = None,
    leave_out_blocked: bool = False,
    repost: Collection[str] = (),
) -> Prepared:
    """Draft and check in one step.

    Args:
        transactions: the chosen ones.
        detail: their export.
        books: the lists of the company.
        setup: ConnectWise's setup tables.
        push: the settings of the profile.
        delimiter: between account segments in the export.
        drop_trailing: whether `4001:` is account 4001.
        found: asks the company what it holds for each document; None where it cannot tell.
        history: what the push log knows of the transactions.
        standing: what the company still holds of what the log says was posted, by transaction.
        unfinished: the batch that has begun a transaction and not ended, by transaction.
        leave_out_blocked: drop blocked transactions and name them in `left_out`.
        repost: transactions to post again although they stand in the books.
    """
    look = _looked_up_once(found) if found else lambda documents: [()] * len(documents)

    def once(rows: Sequence[Transaction], detail: Detail) -> Prepared:
        drafted = draft(
            rows,
            detail,
            books=books,
            setup=setup,
            push=push,
            delimiter=delimiter,
            drop_trailing=drop_trailing,
        )
        looked = list(zip(drafted.documents, look(drafted.documents), strict=True))
        return check(
            drafted,
            books=books,
            setup=setup,
            push=push,
            found=[holds or () for _, holds in looked],
            untold=[row.label for row, holds in looked if holds is None],
            history=history or {},
            standing=standing,
            unfinished=unfinished,
            repost=repost,
        )

    prepared = once(transactions, detail)
    return _without_blocked(prepared, transactions, detail, once) if leave_out_blocked else prepared


def _looked_up_once(
    found: Callable[[Sequence[Document]], Sequence[tuple[StoredDocument, ...] | None]],
) -> Callable[[Sequence[Document]], list[tuple[StoredDocument, ...] | None]]:
    """`found`, which asks about no document twice."""
    known: dict[str, tuple[StoredDocument, ...] | None] = {}

    def look(documents: Sequence[Document]) -> list[tuple[StoredDocument, ...] | None]:
        new = [row for row in documents if row.fingerprint not in known]
        known.update(zip((row.fingerprint for row in new), found(new), strict=True))
        return [known[row.fingerprint] for row in documents]

    return look


def _without_blocked(
    prepared: Prepared,
    transactions: Sequence[Transaction],
    detail: Detail,
    once: Callable[[Sequence[Transaction], Detail], Prepared],
) -> Prepared:
    """The same without the blocked transactions, which are named in `left_out`.

    What is left is looked at again, because a finding may move on to the next document.
    """
    left: list[LeftOut] = []
    while reasons := _blocked(prepared):
        gone = [row for row in prepared.transactions if row.key in reasons]
        left += [
            LeftOut(
                key=row.key,
                kind=row.kind,
                number=row.number,
                reason=reasons[row.key],
                total=row.total,
            )
            for row in gone
        ]
        transactions = [row for row in transactions if row.key not in reasons]
        detail = without(detail, gone)
        prepared = once(transactions, detail)
    return replace(prepared, left_out=tuple(left))


def _blocked(prepared: Prepared) -> dict[str, str]:
    """Why a transaction cannot be posted, by key; those of one document stand or fall together."""
    reasons: dict[str, str] = {}
    for issue in prepared.issues:
        if issue.severity == "block":
            reasons.setdefault(issue.key, f"{BLOCKED}{issue.message}")
    for keys in prepared.together:
        first = next((reasons[key] for key in keys if key in reasons), None)
        if first is not None:
            reasons |= {key: first for key in keys if key not in reasons}
    return {row.key: reasons[row.key] for row in prepared.transactions if row.key in reasons}


def check(
    drafted: Prepared,
    *,
    books: Books,
    setup: Setup,
    push: PushSettings,
    found: Sequence[tuple[StoredDocument, ...]],
    history: Mapping[str, Sequence[LoggedDocument]],
    standing: Mapping[str, Sequence[StoredDocument]] | None = None,
    unfinished: Mapping[str, str] | None = None,
    repost: Collection[str] = (),
    untold: Collection[str] = (),
) -> Prepared:
    """Check the documents together, against the books and the log; sort them for posting.

    Args:
        drafted: from `draft`.
        books: the lists of the company.
        setup: ConnectWise's setup tables.
        push: the settings of the profile.
        found: what the company holds for each drafted document.
        history: what the push log knows, by transaction.
        standing: what the company still holds of what the log says was posted, by transaction.
        unfinished: the batch that has begun a transaction and not ended, by transaction.
        repost: transactions to post again although they stand in the books.
        untold: labels of the documents that the company cannot tell of.
    """
    checked = Checked(
        documents=list(drafted.documents),
        transactions=list(drafted.transactions),
        issues=list(drafted.issues),
        books=books,
        push=push,
        found={row.label: holds for row, holds in zip(drafted.documents, found, strict=True)},
        history=history,
        standing=standing or {},
        unfinished=unfinished or {},
        together=drafted.together,
        repost=frozenset(repost),
        untold=frozenset(untold),
    )
    checked.issues += check_package(setup.package, {row.kind for row in drafted.transactions})
    for one in CHECKS:
        one(checked)
    return replace(
        drafted,
        documents=tuple(sorted(checked.documents, key=posting_order)),
        transactions=tuple(checked.transactions),
        issues=tuple(checked.issues),
        joined=tuple(checked.joined),
    )


def freeze(
    prepared: Prepared,
    *,
    batch: str,
    site: str,
    company: str,
    left_out: Sequence[LeftOut] = (),
) -> Plan:
    """The plan of what was prepared.

    Raises:
        PlanBlocked: a finding blocks; all findings are in `.issues`.
    """
    blocked = [issue for issue in prepared.issues if issue.severity == "block"]
    if worst(prepared.issues) == "block":
        first = blocked[0]
        more = f" ({len(blocked) - 1} more)" if len(blocked) > 1 else ""
        who = f"{first.key.partition(':')[0]} {first.number}".strip()
        cure = f"{first.fix[:1].upper()}{first.fix[1:]}"
        raise PlanBlocked(
            f"{who}: {first.message}. {cure}.{more} Nothing was written.",
            issues=prepared.issues,
        )
    return Plan(
        batch=batch,
        site=site,
        company=company,
        documents=prepared.documents,
        masters=prepared.masters,
        transactions=prepared.transactions,
        left_out=(*prepared.left_out, *left_out),
        issues=prepared.issues,
        joined=prepared.joined,
    )
