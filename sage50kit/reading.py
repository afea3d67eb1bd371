"""What planning and comparing go by, read from both systems, each thing once.

ConnectWise says what a transaction is, the company what stands in the books, the log what was done before.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any

from sage50kit.batch.batching import batch_members
from sage50kit.batch.drafting import Detail, ExpenseGroup, Prepared, draft
from sage50kit.batch.drift import Batch, find_drift
from sage50kit.batch.foreign import detail_of_members, members_of
from sage50kit.batch.mapping import Setup
from sage50kit.batch.pending import is_unsent, refuse_unfinished, unsent_finding
from sage50kit.batch.planning import check, prepare
from sage50kit.batch.readback import batch_detail, with_all_entries
from sage50kit.batch.report import lasting
from sage50kit.batch.rerun import review
from sage50kit.batch.settling import look, look_up
from sage50kit.batch.verify import compare
from sage50kit.errors import UsageError
from sage50kit.model import IN_BATCH, KINDS, Transaction, fold
from sage50kit.money import exact

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from decimal import Decimal

    import pandas as pd

    from sage50kit.batch.drift import Drift
    from sage50kit.batch.rerun import Rerun
    from sage50kit.batch.verify import Verification
    from sage50kit.connectwise import wire
    from sage50kit.kit.ends import Ends
    from sage50kit.model import Books, Document, Plan, StoredDocument
    from sage50kit.pushlog import LoggedBatch, LoggedDocument

COLUMNS = [
    "key",
    "kind",
    "type",
    "number",
    "date",
    "party",
    "party_id",
    "total",
    "entry_ids",
    "description",
    "left_out",
]
_PREVIEW = "preview"  # the export wants a batch number and makes no batch of it (connectwise 5.1)


def prepared(
    kit: Ends,
    transactions: Sequence[Transaction],
    *,
    batch: str = "",
    leave_out_blocked: bool = False,
    repost: Collection[str] = (),
) -> Prepared:
    """Read the detail, the setup, the books and the past of transactions; then plan, purely."""
    return _prepared(
        kit,
        transactions,
        detail_of(kit, transactions),
        unfinished=kit.log.unfinished(but=batch),
        leave_out_blocked=leave_out_blocked,
        repost=repost,
    )


def review_of(kit: Ends, batch: str, *, repost: Collection[str] = ()) -> Rerun:
    """A batch of the log beside the books; ConnectWise's own export of it, or the log where it hides it.

    Raises:
        PlanBlocked: a missing document cannot be posted as the books are now.
        InDoubt: the batch is not finished.
    """
    found = kit.connectwise.find_batch(batch)
    if found is not None and not _known_as(kit, batch):
        return _review_unknown(kit, batch, found.id, repost)
    plan, logged = _of_log(kit, batch)
    members = _to_post(batch_members(plan, logged, states=IN_BATCH), logged)
    rows = [row.document for row in lasting(logged) if row.state in IN_BATCH]
    if found is None or not members:
        drafted = Prepared(documents=tuple(rows), masters=plan.masters, transactions=tuple(members))
        prepared, documents = _checked(kit, drafted, repost), rows
    else:
        detail = _detail_of_batch(kit, found.id, members, logged)
        prepared = _prepared(kit, members, detail, repost=repost)
        documents = list(_drafted(kit, members, detail, lists_of(kit)).documents)
        drafted_labels = {row.plain_label for row in documents}
        # What the export lacks, or nobody can draft as the books are now, is compared all the same.
        documents += [row for row in rows if row.plain_label not in drafted_labels]
    holds = [there or () for there in look_up([*documents, *rows], kit.company)]
    by_label: dict[str, list[StoredDocument]] = defaultdict(list)
    for document, there in zip([*documents, *rows], holds, strict=True):
        by_label[document.plain_label] += there
    return review(
        batch,
        prepared,
        documents=[replace(row, generation=1) for row in documents],
        holds=by_label,
        can=kit.company.capabilities,
        repost=repost,
        site=kit.connectwise.name,
        company=kit.company.name,
        places={row.document.plain_label: row.place for row in logged if row.state == "joined"},
    )


def _known_as(kit: Ends, batch: str) -> bool:
    """Whether the log knows a batch number, in whatever letters: ConnectWise tells no difference."""
    return batch.casefold() in {row["batch"].casefold() for row in kit.log.history()}


def _review_unknown(kit: Ends, batch: str, batch_id: int, repost: Collection[str]) -> Rerun:
    """A batch that the log does not know, made by another program or before the log was lost."""
    level = kit.profile.push.invoice_detail
    export = kit.connectwise.batch_export(batch_id, kinds=KINDS, detail=level)
    members = members_of(export, kit.connectwise.batch_entries(batch_id))
    detail = detail_of_members(export, members)
    prepared = _prepared(kit, members, detail, repost=repost)
    documents = _drafted(kit, members, detail, lists_of(kit)).documents
    holds = [there or () for there in look_up(documents, kit.company)]
    return review(
        batch,
        prepared,
        documents=documents,
        holds={row.plain_label: there for row, there in zip(documents, holds, strict=True)},
        can=kit.company.capabilities,
        repost=repost,
        site=kit.connectwise.name,
        company=kit.company.name,
        unknown_batch_id=batch_id,
    )


def _to_post(members: Sequence[Transaction], logged: Sequence[LoggedDocument]) -> list[Transaction]:
    """The members of a batch as if all that stands in the books for them had been posted by it."""
    joined = {key for row in logged if row.state in IN_BATCH for key in row.document.transactions}
    return [
        replace(row, disposition="post", reason="") if row.key in joined else row for row in members
    ]


def _checked(kit: Ends, drafted: Prepared, repost: Collection[str]) -> Prepared:
    """Documents of the log, checked against the books as planned ones are."""
    lists = lists_of(kit)
    history = kit.log.of_transactions([row.key for row in drafted.transactions])
    return check(
        drafted,
        books=lists.books,
        setup=_setup(kit, Detail(), lists),
        push=kit.profile.push,
        found=[there or () for there in look_up(drafted.documents, kit.company)],
        history=history,
        standing=_standing(kit, history),
        repost=repost,
    )


def _of_log(kit: Ends, batch: str) -> tuple[Plan, list[LoggedDocument]]:
    """What the log holds of a finished batch.

    Raises:
        UsageError: it knows no such batch, or the batch was un-posted.
        PushInProgress: a push is at work on it.
        InDoubt: the batch is not finished.
    """
    known, plan = kit.log.batch(batch), kit.log.plan_of(batch, company=kit.company.name)
    if known is None or plan is None:
        others = ", ".join(row["batch"] for row in kit.log.history()[:5]) or "none"
        raise UsageError(f"the push log knows no batch {batch}. Known: {others}.")
    if known.state == "unposted":
        raise UsageError(
            f"batch {batch} was un-posted. What was pushed again since is in a later batch; the rest is "
            "unposted."
        )
    if batch in kit.log.unfinished_batches():
        refuse_unfinished(f"batch {batch}", kit.log)
    if known.state == "planned":
        raise UsageError(_nothing_of(known, kit))
    return plan, kit.log.documents(batch)


def _nothing_of(known: LoggedBatch, kit: Ends) -> str:
    """Why there is nothing to compare of a batch that is in neither system."""
    if is_unsent(known, kit.log):
        issue = unsent_finding(known)
        return f"{issue.message}. To go on, {issue.fix}."
    return (
        f"batch {known.batch} failed: nothing of it was posted or batched, and its number is free."
    )


# --- a batch in both systems ---


def verification_of(kit: Ends, batch: str) -> Verification:
    """Both systems and the log, compared document by document.

    Raises:
        UsageError: the log knows no such batch, or it was un-posted.
    """
    plan, logged = _of_log(kit, batch)
    members = _to_post(batch_members(plan, logged, states=IN_BATCH), logged)
    found = kit.connectwise.find_batch(batch)
    unposted = kit.connectwise.unposted_entries({row.kind for row in members})
    return compare(
        batch,
        transactions=members,
        logged=logged,
        stored=stored_at(kit, logged),
        in_connectwise=found is not None,
        exported=exported(kit, found.id, members, logged, lists_of(kit))
        if found and members
        else {},
        batch_entry_ids=_entry_ids(kit, found),
        still_unposted=unposted.keys() & {row.key for row in members},
    )


def drift_of(kit: Ends) -> Drift:
    """Every posted document of every batch, compared with both systems as they are now."""
    unposted = kit.connectwise.unposted_entries(KINDS)
    names = [row["batch"] for row in kit.log.history() if row["state"] == "created"]
    lists = lists_of(kit)
    batches = [_batch_of(kit, batch, lists) for batch in names]
    unfinished = kit.log.unfinished_batches()
    return find_drift(batches, unposted.keys(), kit.company.capabilities, unfinished=unfinished)


def _batch_of(kit: Ends, batch: str, lists: Lists) -> Batch:
    plan, logged = _of_log(kit, batch)
    members = _to_post(batch_members(plan, logged, states=IN_BATCH), logged)
    rows = lasting(logged)
    found = kit.connectwise.find_batch(batch)
    holds = [there or () for there in look(rows, kit.company)]
    return Batch(
        batch=batch,
        logged=logged,
        holds={row.document.label: there for row, there in zip(rows, holds, strict=True)},
        exported=exported(kit, found.id, members, logged, lists) if found and members else {},
        entry_ids=_entry_ids(kit, found),
        silent=[row for row in members if row.disposition != "post"],
    )


def _entry_ids(kit: Ends, found: wire.AccountingBatch | None) -> set[int]:
    return {row.id for row in kit.connectwise.batch_entries(found.id)} if found else set()


def _prepared(
    kit: Ends, transactions: Sequence[Transaction], detail: Detail, **words: Any
) -> Prepared:
    lists = lists_of(kit)
    history = kit.log.of_transactions([row.key for row in transactions])
    return prepare(
        transactions,
        detail,
        setup=_setup(kit, detail, lists),
        found=lambda documents: look_up(documents, kit.company),
        history=history,
        standing=_standing(kit, history),
        **_settings(kit, lists.books),
        **words,
    )


def exported(
    kit: Ends,
    batch_id: int,
    members: Sequence[Transaction],
    logged: Sequence[LoggedDocument],
    lists: Lists,
) -> dict[str, Document]:
    """The documents of a batch, read back from ConnectWise and drafted anew, by label."""
    drafted = _drafted(kit, members, _detail_of_batch(kit, batch_id, members, logged), lists)
    return {row.label: row for row in drafted.documents}


def _drafted(kit: Ends, members: Sequence[Transaction], detail: Detail, lists: Lists) -> Prepared:
    setup = _setup(kit, detail, lists)
    return draft(members, detail, setup=setup, **_settings(kit, lists.books))


def cleared_of(kit: Ends, frame: pd.DataFrame, reason: str) -> tuple[Transaction, ...]:
    """Selected rows as transactions that are batched without a posting, with all their GL entries."""
    rows = [replace(row, disposition="post") for row in transactions_of(frame)]
    whole = with_all_entries(rows, detail_of(kit, rows))
    return tuple(replace(row, disposition="clear", reason=reason) for row in whole)


def _settings(kit: Ends, books: Books) -> dict[str, Any]:
    """What planning goes by besides the transactions: the books and the profile."""
    return {
        "books": books,
        "push": kit.profile.push,
        "delimiter": kit.profile.connectwise.account_delimiter,
        "drop_trailing": kit.profile.sage.drop_trailing_segments,
    }


# --- what ConnectWise says ---


def detail_of(kit: Ends, transactions: Sequence[Transaction]) -> Detail:
    """The export of the chosen transactions that are to be posted."""
    by_kind: dict[str, list[Transaction]] = defaultdict(list)
    for row in (row for row in transactions if row.disposition == "post"):
        by_kind["procurement" if row.kind not in ("invoice", "expense") else row.kind].append(row)
    invoices = [int(_id(row.key)) for row in by_kind["invoice"]]
    procurement = [_id(row.key) for row in by_kind["procurement"]]
    words: dict[str, Any] = {"batch": _PREVIEW, "progress": kit.step("export")}
    level = kit.profile.push.invoice_detail
    return Detail(
        invoices=kit.connectwise.export_invoices(invoices, detail=level, **words)
        if invoices
        else None,
        expenses=_expense_groups(kit, by_kind["expense"]),
        procurement=kit.connectwise.export_procurement(procurement, **words)
        if procurement
        else None,
    )


def _expense_groups(kit: Ends, rows: Sequence[Transaction]) -> tuple[ExpenseGroup, ...]:
    """One export for each member's report, so that bill and rows can be tied (design 9.1)."""
    if not rows:
        return ()
    reports = kit.connectwise.expense_reports([int(_id(row.key)) for row in rows])
    groups: dict[Any, list[str]] = defaultdict(list)
    for row in rows:
        groups[reports.get(int(_id(row.key)), row.key)].append(row.key)
    keys = [tuple(group) for group in groups.values()]
    exports = kit.connectwise.export_expenses(
        [[int(_id(key)) for key in group] for group in keys],
        batch=_PREVIEW,
        progress=kit.step("export"),
    )
    return tuple(
        ExpenseGroup(keys=group, export=export) for group, export in zip(keys, exports, strict=True)
    )


def _detail_of_batch(
    kit: Ends, batch_id: int, members: Sequence[Transaction], logged: Sequence[LoggedDocument]
) -> Detail:
    export = kit.connectwise.batch_export(
        batch_id, kinds={row.kind for row in members}, detail=kit.profile.push.invoice_detail
    )
    return batch_detail(export, [row.document for row in lasting(logged)])


@dataclass(frozen=True, slots=True, kw_only=True)
class Lists:
    """The lists of both systems that any number of batches are drafted by."""

    books: Books
    tax_codes: tuple[wire.TaxCode, ...]
    package: wire.AccountingPackageSetup | None


def lists_of(kit: Ends) -> Lists:
    """The lists as they are now, read once."""
    return Lists(
        books=kit.company.books(),
        tax_codes=tuple(kit.connectwise.tax_codes()),
        package=kit.connectwise.package_setup(),
    )


def _setup(kit: Ends, detail: Detail, lists: Lists) -> Setup:
    """ConnectWise's setup tables, and the companies and members that the books do not know."""
    books = lists.books
    invoices, procurement = detail.invoices, detail.procurement
    companies = {
        row.company.id
        for row in (invoices.transactions if invoices else ())
        if row.company and fold(row.company_account_number or "") not in books.customer
    } | {
        row.company.id
        for row in (procurement.purchase_transactions if procurement else ())
        if row.company and fold(row.vendor_number or "") not in books.vendor
    }
    members = {
        bill.member.id
        for group in detail.expenses
        for bill in group.export.expense_bills
        if bill.member and fold(bill.vendor_number or "") not in books.vendor
    }
    return Setup(
        tax_codes=lists.tax_codes,
        package=lists.package,
        companies=kit.connectwise.companies(sorted(filter(None, companies))),
        members=kit.connectwise.members(sorted(filter(None, members))),
    )


# --- what the books hold ---


def _standing(
    kit: Ends, history: dict[str, list[LoggedDocument]]
) -> dict[str, list[StoredDocument]]:
    """What the company still holds of what the log says was posted, by transaction."""
    # A place may be in the log twice: a restored company gives it to another document.
    past = {row.document.label: row for rows in history.values() for row in rows}
    standing: dict[str, list[StoredDocument]] = defaultdict(list)
    for row, stored in _at_places(kit, past.values()):
        for key in row.document.transactions if not stored.voided else ():
            standing[key].append(stored)
    return standing


def stored_at(kit: Ends, logged: Iterable[LoggedDocument]) -> dict[str, StoredDocument]:
    """What the books hold at the places the log names, by label."""
    return {row.document.label: stored for row, stored in _at_places(kit, logged)}


def _at_places(
    kit: Ends, logged: Iterable[LoggedDocument]
) -> Iterator[tuple[LoggedDocument, StoredDocument]]:
    """What the company holds where the log says that a document is."""
    placed = [row for row in logged if row.place]
    for row, found in zip(placed, look(placed, kit.company), strict=True):
        yield from ((row, stored) for stored in found or () if _is_at(row, stored))


def _is_at(row: LoggedDocument, stored: StoredDocument) -> bool:
    """Whether the company's document is the one of a row; by our key where it carries one."""
    if stored.token:
        return stored.token == row.document.token
    return stored.place == row.place


# --- what a person selected ---


def transactions_of(frame: pd.DataFrame) -> list[Transaction]:
    """The rows of a fetched frame as frozen transactions.

    Raises:
        UsageError: a total is no exact amount of money, or beyond ten trillion.
    """
    rows: Iterable[Any] = zip(*(frame[name] for name in COLUMNS), strict=True)
    return [
        Transaction(
            key=key,
            kind=kind,
            type=kind_type,
            number=number,
            date=day if isinstance(day, date) else None,
            party=_text(party),
            party_id=_text(party_id),
            total=_money(amount, key),
            entry_ids=tuple(int(entry) for entry in _text(ids).split(",") if entry),
            description=_text(description),
            disposition="clear" if kind == "expense" and left_out else "post",
            reason=f"{left_out}; cleared by the profile" if kind == "expense" and left_out else "",
        )
        for key, kind, kind_type, number, day, party, party_id, amount, ids, description, left_out in rows
    ]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _money(amount: Any, key: str) -> Decimal:
    """The amount of a selected row, which a person may have edited."""
    try:
        return exact(amount)
    except (TypeError, ValueError) as error:
        raise UsageError(
            f"{key} has a total that cannot be posted: {error}. Fetch again and select its row "
            "unchanged, or leave it out."
        ) from None


def _id(key: str) -> str:
    return key.partition(":")[2]
