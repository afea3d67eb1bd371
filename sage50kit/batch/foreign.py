"""A batch that the push log does not know, read back from ConnectWise: what its transactions are.

Another program made it, or the log was lost. The entries of a batch name their records, its export has the
amounts; together they give what the unposted lists said before.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from sage50kit.batch.drafting import Detail, ExpenseGroup
from sage50kit.batch.expenses import bill_entry_ids, journal_entry_ids
from sage50kit.batch.inventory import transfer_entry_ids
from sage50kit.batch.purchases import purchase_rows
from sage50kit.batch.sales import invoice_entry_ids
from sage50kit.connectwise.assumptions import product_key
from sage50kit.model import Transaction
from sage50kit.money import ZERO, exact, total

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from decimal import Decimal

    from sage50kit.connectwise import wire
    from sage50kit.model import Kind


def members_of(export: wire.GLExport, entries: Sequence[wire.BatchEntry]) -> list[Transaction]:
    """The transactions of a batch.

    Args:
        export: of the whole batch, all kinds.
        entries: the GL entries of the batch.
    """
    return [
        *_invoices(export),
        *_expenses(export, entries),
        *_receipts(export, entries),
        *_adjustments(export, entries),
        *_transfers(export),
    ]


def detail_of_members(export: wire.GLExport, members: Sequence[Transaction]) -> Detail:
    """The export as the detail of these transactions, each expense bill tied to its own."""
    groups = [
        ExpenseGroup(keys=_named(members, bill_entry_ids(bill)), export=_only(export, bill=bill))
        for bill in export.expense_bills
    ]
    groups += [
        ExpenseGroup(keys=_named(members, journal_entry_ids(row)), export=_only(export, row=row))
        for row in export.expenses
    ]
    return Detail(invoices=export, expenses=tuple(groups), procurement=export)


def _only(
    export: wire.GLExport,
    *,
    bill: wire.GLExportExpenseBill | None = None,
    row: wire.GLExportExpense | None = None,
) -> wire.GLExport:
    words = {"expense_bills": (bill,) if bill else (), "expenses": (row,) if row else ()}
    return export.model_copy(update=words)


def _named(members: Sequence[Transaction], ids: Iterable[int]) -> tuple[str, ...]:
    wanted = set(ids)
    return tuple(row.key for row in members if row.kind == "expense" and wanted & {*row.entry_ids})


def _transaction(
    kind: Kind,
    identity: object,
    entry_ids: Iterable[int],
    amount: Decimal,
    *,
    number: str = "",
    type: str = "",  # noqa: A002  # the field of a transaction
    party: str = "",
    party_id: str = "",
) -> Transaction:
    return Transaction(
        key=f"{kind}:{identity}",
        kind=kind,
        type=type or kind.capitalize(),
        number=number or str(identity),
        date=None,
        party=party,
        party_id=party_id,
        total=exact(amount),
        entry_ids=tuple(dict.fromkeys(entry_ids)),
    )


def _invoices(export: wire.GLExport) -> Iterator[Transaction]:
    for row in export.transactions:
        yield _transaction(
            "invoice",
            row.id,
            invoice_entry_ids(row),
            row.total or ZERO,
            number=row.document_number or "",
            type=row.billing_type or row.document_type or "",
            party=row.company.name or "" if row.company else "",
            party_id=row.company_account_number or "",
        )


def _expenses(export: wire.GLExport, entries: Sequence[wire.BatchEntry]) -> Iterator[Transaction]:
    """Each row of a bill, and each expense that is no bill, by the expense that its entries name."""
    expense = {row.id: row.expense.id for row in entries if row.expense}
    for bill in export.expense_bills:
        for line in bill.detail:
            yield from _expense(expense, line.entry_ids, line.total, bill.member)
    for row in export.expenses:
        yield from _expense(expense, journal_entry_ids(row), row.total, row.member)


def _expense(
    expense: dict[int, int | None],
    ids: Sequence[int],
    amount: Decimal | None,
    member: wire.Reference | None,
) -> Iterator[Transaction]:
    named = next((expense[one] for one in ids if expense.get(one) is not None), None)
    if named is not None:
        party = member.name or "" if member else ""
        yield _transaction("expense", named, ids, amount or ZERO, party=party)


def _receipts(export: wire.GLExport, entries: Sequence[wire.BatchEntry]) -> Iterator[Transaction]:
    order = {row.id: row.purchase_order.id for row in entries if row.purchase_order}
    for receipt in export.purchase_transactions:
        ids = [one for row in purchase_rows(receipt) for one in row.entry_ids]
        named = next((order[one] for one in ids if one in order), None)
        if named is not None:
            slip = receipt.packing_slip or ""
            yield _transaction(
                "receipt",
                product_key("receipt", str(named), slip),
                ids,
                receipt.total or ZERO,
                number=f"{receipt.document_number or named} / {slip}",
                type="Purchase",
                party=receipt.company.name or "" if receipt.company else "",
            )


def _adjustments(
    export: wire.GLExport, entries: Sequence[wire.BatchEntry]
) -> Iterator[Transaction]:
    """The export names no entry of an adjustment: the entries name its description."""
    ids: dict[str, list[int]] = defaultdict(list)
    for row in entries:
        if row.adjustment_detail:
            ids[row.adjustment_detail.name or ""].append(row.id)
    for adjustment in export.adjustment_transactions:
        name = (adjustment.adjustment_description or "").partition("-")[2].strip()
        amount = total(line.total or ZERO for line in adjustment.adjustment_detail)
        key = product_key("adjustment", adjustment.number)
        yield _transaction("adjustment", key, ids.pop(name, []), amount, number=adjustment.number)


def _transfers(export: wire.GLExport) -> Iterator[Transaction]:
    rows: dict[str, list[wire.GLExportInventoryTransfer]] = defaultdict(list)
    for row in export.inventory_transfers:
        rows[str(row.transfer_id)].append(row)
    for number, lines in rows.items():
        ids = [one for row in lines for one in transfer_entry_ids(row)]
        amount = total(row.total or ZERO for row in lines)
        yield _transaction("transfer", product_key("transfer", number), ids, amount, number=number)
