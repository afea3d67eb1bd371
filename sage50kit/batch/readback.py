"""A batch read back from ConnectWise, in the shape in which chosen transactions are exported.

The log says which transactions an expense bill was made of, so each bill is tied to just these.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sage50kit.batch.drafting import Detail, ExpenseGroup
from sage50kit.batch.expenses import bill_sum
from sage50kit.batch.inventory import transfer_entry_ids
from sage50kit.batch.purchases import purchase_rows
from sage50kit.batch.sales import invoice_entry_ids
from sage50kit.money import cents

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sage50kit.connectwise import wire
    from sage50kit.model import Document, Transaction


def batch_detail(export: wire.GLExport, documents: Iterable[Document]) -> Detail:
    """The export of a batch as the detail of its transactions.

    Args:
        export: of the whole batch.
        documents: those the log has for it.
    """
    groups = tuple(
        ExpenseGroup(keys=row.transactions, export=_bills_of(export, set(row.entry_ids)))
        for row in documents
        if row.key.startswith("expense:")
    )
    return Detail(invoices=export, expenses=groups, procurement=export)


def _bills_of(export: wire.GLExport, entry_ids: set[int]) -> wire.GLExport:
    """The bills and journals of an export that these GL entries belong to, and nothing else of them."""
    found = (_bill_of(bill, entry_ids) for bill in export.expense_bills)
    bills = tuple(bill for bill in found if bill.detail)
    journals = tuple(row for row in export.expenses if entry_ids & set(_journal_ids(row)))
    return export.model_copy(update={"expense_bills": bills, "expenses": journals})


def _bill_of(bill: wire.GLExportExpenseBill, entry_ids: set[int]) -> wire.GLExportExpenseBill:
    """A bill without the lines of expenses that were cleared, which are in the same batch."""
    lines = tuple(row for row in bill.detail if entry_ids & set(row.entry_ids))
    if len(lines) == len(bill.detail):
        return bill
    mine = bill.model_copy(update={"detail": lines})
    counts_all = bill.total is not None and cents(bill.total) == bill_sum(bill)
    return mine.model_copy(update={"total": bill_sum(mine)}) if counts_all else mine


def with_all_entries(transactions: Sequence[Transaction], detail: Detail) -> list[Transaction]:
    """Transactions with every GL entry that the export has for them, whatever it says otherwise.

    A transaction leaves ConnectWise's unposted lists when all its entries are in a batch.
    """
    groups = list(_groups(detail))
    found = []
    for row in transactions:
        mine = set(row.entry_ids)
        more = [ids for key, ids in groups if key == row.key or mine & set(ids)]
        ids = dict.fromkeys([*row.entry_ids, *(entry for part in more for entry in part)])
        found.append(replace(row, entry_ids=tuple(ids)))
    return found


def _groups(detail: Detail) -> Iterator[tuple[str, tuple[int, ...]]]:
    """The GL entries that belong together, and the key of their transaction where the export has it."""
    for invoice in detail.invoices.transactions if detail.invoices else ():
        yield f"invoice:{invoice.id}", invoice_entry_ids(invoice)
    for group in detail.expenses:
        for bill in group.export.expense_bills:
            for line in bill.detail:
                yield "", line.entry_ids
        for expense in group.export.expenses:
            yield "", _journal_ids(expense)
    if detail.procurement is None:
        return
    for receipt in detail.procurement.purchase_transactions:
        yield "", tuple(entry for row in purchase_rows(receipt) for entry in row.entry_ids)
    for transfer in detail.procurement.inventory_transfers:
        yield "", transfer_entry_ids(transfer)


def _journal_ids(expense: wire.GLExportExpense) -> tuple[int, ...]:
    return (*expense.entry_ids, *(expense.offset.entry_ids if expense.offset else ()))
