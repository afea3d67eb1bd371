"""What planning and comparing go by, read from both systems, each thing once.

ConnectWise says what a transaction is, the company what stands in the books, the log what was done before.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from typing import TYPE_CHECKING, Any

from sage50kit.batch.drafting import Detail, ExpenseGroup, draft
from sage50kit.batch.mapping import Setup
from sage50kit.batch.planning import prepare
from sage50kit.batch.readback import batch_detail
from sage50kit.batch.report import current
from sage50kit.errors import UsageError
from sage50kit.model import Transaction, fold
from sage50kit.money import exact

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from decimal import Decimal

    import pandas as pd

    from sage50kit.batch.drafting import Prepared
    from sage50kit.kit import Kit
    from sage50kit.model import Books, Document, StoredDocument
    from sage50kit.pushlog import LoggedDocument

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
    kit: Kit,
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


def prepared_again(
    kit: Kit,
    batch_id: int,
    members: Sequence[Transaction],
    logged: Sequence[LoggedDocument],
    *,
    repost: Collection[str] = (),
) -> Prepared:
    """The same for the transactions of a batch that exists, from its own export."""
    return _prepared(kit, members, _detail_of_batch(kit, batch_id, members, logged), repost=repost)


def _prepared(
    kit: Kit, transactions: Sequence[Transaction], detail: Detail, **words: Any
) -> Prepared:
    books = kit.company.books()
    history = kit.log.of_transactions([row.key for row in transactions])
    return prepare(
        transactions,
        detail,
        setup=_setup(kit, detail, books),
        found=kit.company.find_many,
        history=history,
        standing=_standing(kit, history),
        **_settings(kit, books),
        **words,
    )


def exported(
    kit: Kit, batch_id: int, members: Sequence[Transaction], logged: Sequence[LoggedDocument]
) -> dict[str, Document]:
    """The documents of a batch, read back from ConnectWise and drafted anew, by label."""
    detail, books = _detail_of_batch(kit, batch_id, members, logged), kit.company.books()
    drafted = draft(members, detail, setup=_setup(kit, detail, books), **_settings(kit, books))
    return {row.label: row for row in drafted.documents}


def _settings(kit: Kit, books: Books) -> dict[str, Any]:
    """What planning goes by besides the transactions: the books and the profile."""
    return {
        "books": books,
        "push": kit.profile.push,
        "delimiter": kit.profile.connectwise.account_delimiter,
        "drop_trailing": kit.profile.sage.drop_trailing_segments,
    }


# --- what ConnectWise says ---


def detail_of(kit: Kit, transactions: Sequence[Transaction]) -> Detail:
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


def _expense_groups(kit: Kit, rows: Sequence[Transaction]) -> tuple[ExpenseGroup, ...]:
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
    kit: Kit, batch_id: int, members: Sequence[Transaction], logged: Sequence[LoggedDocument]
) -> Detail:
    export = kit.connectwise.batch_export(
        batch_id, kinds={row.kind for row in members}, detail=kit.profile.push.invoice_detail
    )
    return batch_detail(export, [row.document for row in current(logged)])


def _setup(kit: Kit, detail: Detail, books: Books) -> Setup:
    """ConnectWise's setup tables, and the companies and members that the books do not know."""
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
        tax_codes=tuple(kit.connectwise.tax_codes()),
        package=kit.connectwise.package_setup(),
        companies=kit.connectwise.companies(sorted(filter(None, companies))),
        members=kit.connectwise.members(sorted(filter(None, members))),
    )


# --- what the books hold ---


def _standing(
    kit: Kit, history: dict[str, list[LoggedDocument]]
) -> dict[str, list[StoredDocument]]:
    """What the company still holds of what the log says was posted, by transaction."""
    past = {row.place: row for rows in history.values() for row in rows}
    standing: dict[str, list[StoredDocument]] = defaultdict(list)
    for row, stored in _at_places(kit, past.values()):
        for key in row.document.transactions if not stored.voided else ():
            standing[key].append(stored)
    return standing


def stored_at(kit: Kit, logged: Iterable[LoggedDocument]) -> dict[str, StoredDocument]:
    """What the books hold at the places the log names, by label."""
    return {row.document.label: stored for row, stored in _at_places(kit, logged)}


def _at_places(
    kit: Kit, logged: Iterable[LoggedDocument]
) -> Iterator[tuple[LoggedDocument, StoredDocument]]:
    """What the company holds where the log says that a document is."""
    placed = [row for row in logged if row.place]
    holds = kit.company.find_many([row.document for row in placed])
    for row, found in zip(placed, holds, strict=True):
        yield from ((row, stored) for stored in found if stored.place == row.place)


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
