"""Each chosen transaction becomes its documents: sales, purchases, expenses, inventory.

Findings name what does not fit, a reason what is not posted. Pure: what the outside says comes in as arguments.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from sage50kit.batch.expenses import (
    bill_document,
    bill_entry_ids,
    bill_sum,
    is_paid_back,
    journal_document,
    journal_entry_ids,
)
from sage50kit.batch.inventory import (
    adjustment_documents,
    transfer_document,
    transfer_entry_ids,
)
from sage50kit.batch.mapping import Mapper, Setup, amount_words
from sage50kit.batch.purchases import purchase_document, purchase_rows
from sage50kit.batch.sales import invoice_entry_ids, nothing_but_zeros, sales_document
from sage50kit.collector import collector_paused
from sage50kit.connectwise.assumptions import product_number
from sage50kit.model import Document, Joined, LeftOut, Master, Transaction, fold
from sage50kit.money import ZERO, cents, total

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from decimal import Decimal

    from sage50kit.connectwise import wire
    from sage50kit.issues import Issue
    from sage50kit.model import Books
    from sage50kit.profile import PushSettings

ZERO_REASON = "all amounts are zero"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpenseGroup:
    """The export of one member's report: the transactions asked for, and the answer."""

    keys: tuple[str, ...]
    export: wire.GLExport


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """The exported detail of the chosen transactions."""

    invoices: wire.GLExport | None = None
    expenses: tuple[ExpenseGroup, ...] = ()
    procurement: wire.GLExport | None = None


def without(detail: Detail, gone: Sequence[Transaction]) -> Detail:
    """The detail without the bills and expenses of some transactions, which nothing else would claim."""
    ids = {entry for row in gone for entry in row.entry_ids}
    return replace(detail, expenses=tuple(_group_without(group, ids) for group in detail.expenses))


def _group_without(group: ExpenseGroup, ids: set[int]) -> ExpenseGroup:
    export = group.export
    bills = [row for row in export.expense_bills if not ids & bill_entry_ids(row)]
    expenses = [row for row in export.expenses if not ids & set(journal_entry_ids(row))]
    if len(bills) + len(expenses) == len(export.expense_bills) + len(export.expenses):
        return group
    rest = {"expense_bills": tuple(bills), "expenses": tuple(expenses)}
    return replace(group, export=export.model_copy(update=rest))


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """What planning made of the chosen transactions, before anybody said yes."""

    documents: tuple[Document, ...] = ()
    masters: tuple[Master, ...] = ()
    transactions: tuple[Transaction, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    issues: tuple[Issue, ...] = ()
    joined: tuple[Joined, ...] = ()
    together: tuple[tuple[str, ...], ...] = ()  # the transactions of each expense bill


@dataclass(slots=True)
class _Draft:
    """Documents and reasons under construction."""

    mapper: Mapper
    documents: list[Document] = field(default_factory=list)
    silent: dict[str, str] = field(default_factory=dict)  # key -> why nothing is posted
    entry_ids: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    together: list[tuple[str, ...]] = field(default_factory=list)

    def say_nothing(
        self, transaction: Transaction, reason: str, entry_ids: Iterable[int] = ()
    ) -> None:
        """Nothing is posted for a transaction; its GL entries join the batch all the same."""
        self.silent[transaction.key] = reason
        self.entry_ids[transaction.key] += entry_ids


def draft(
    transactions: Sequence[Transaction],
    detail: Detail,
    *,
    books: Books,
    setup: Setup,
    push: PushSettings,
    delimiter: str = ":",
    drop_trailing: bool = True,
) -> Prepared:
    """Turn each transaction into its documents; findings name what does not fit."""
    mapper = Mapper(books, setup, push, delimiter=delimiter, drop_trailing=drop_trailing)
    with collector_paused():
        return _drafted(transactions, detail, mapper)


def _drafted(transactions: Sequence[Transaction], detail: Detail, mapper: Mapper) -> Prepared:
    work = _Draft(mapper)
    by_kind: dict[str, list[Transaction]] = defaultdict(list)
    for transaction in transactions:
        if transaction.disposition == "post":
            by_kind[transaction.kind].append(transaction)
    _draft_invoices(work, by_kind["invoice"], detail.invoices)
    _draft_expenses(work, by_kind["expense"], detail.expenses)
    _draft_receipts(work, by_kind["receipt"], detail.procurement)
    _draft_adjustments(work, by_kind["adjustment"], detail.procurement)
    _draft_transfers(work, by_kind["transfer"], detail.procurement)
    if mapper.push.same_vendor_invoice == "suffix":
        _suffix_vendor_invoices(work)
    entries = _entry_ids(work)
    return Prepared(
        documents=tuple(work.documents),
        masters=tuple(mapper.masters.values()),
        transactions=tuple(
            _with_disposition(row, work.silent.get(row.key), entries.get(row.key, ()))
            for row in transactions
        ),
        issues=tuple(mapper.issues),
        together=tuple(work.together),
    )


def _compare_listed(mapper: Mapper, listed: Decimal, exported: Decimal) -> None:
    """The detail of a transaction adds up to what the unposted list says of it."""
    if cents(listed) != cents(exported):
        mapper.report(
            "listed_differs",
            field="total",
            value=amount_words(exported),
            wanted=amount_words(listed),
        )


def _suffix_vendor_invoices(work: _Draft) -> None:
    """Two packing slips with one vendor invoice number: the later ones get `-2`, `-3` (design 9.7)."""
    counts: dict[tuple[str, str], int] = defaultdict(int)
    for index, document in enumerate(work.documents):
        if not document.key.startswith("receipt:") or not document.reference:
            continue
        place = fold(document.party_id), fold(document.reference)
        counts[place] += 1
        if counts[place] > 1:
            suffix = f"-{counts[place]}"
            reference = document.reference[: 20 - len(suffix)] + suffix
            work.mapper.at(document.key, document.number)
            words = {"field": "number", "value": document.reference}
            work.mapper.report("suffix_added", wanted=reference, **words)
            work.documents[index] = replace(document, reference=reference)


def _entry_ids(work: _Draft) -> dict[str, tuple[int, ...]]:
    """GL-entry ids by transaction; the documents of several transactions give theirs to the first."""
    ids: dict[str, dict[int, None]] = defaultdict(dict)
    for document in work.documents:
        ids[document.transactions[0]].update(dict.fromkeys(document.entry_ids))
    for key, more in work.entry_ids.items():
        ids[key].update(dict.fromkeys(more))
    return {key: tuple(found) for key, found in ids.items()}


def _with_disposition(
    row: Transaction, silent: str | None, entry_ids: tuple[int, ...]
) -> Transaction:
    merged = tuple(dict.fromkeys([*row.entry_ids, *entry_ids]))
    if silent is None:
        return row if merged == row.entry_ids else replace(row, entry_ids=merged)
    return replace(row, entry_ids=merged, disposition="nothing_to_post", reason=silent)


# --- one kind after the other ---


def _draft_invoices(
    work: _Draft, transactions: Sequence[Transaction], export: wire.GLExport | None
) -> None:
    headers = {row.id: row for row in export.transactions} if export else {}
    customers = {row.account_number or "": row for row in export.customers} if export else {}
    for transaction in transactions:
        work.mapper.at(transaction.key, transaction.number)
        header = headers.get(int(transaction.key.partition(":")[2]))
        if header is None:
            work.mapper.report("not_exported", field="export")
        elif not header.detail:
            work.mapper.report("document_empty", field="lines")
        elif nothing_but_zeros(header):
            work.mapper.report("zero_document", field="total", value="0.00")
            work.say_nothing(transaction, ZERO_REASON, invoice_entry_ids(header))
        else:
            _compare_listed(work.mapper, transaction.total, header.total or ZERO)
            document = sales_document(work.mapper, transaction, header, customers)
            work.documents += [document] if document else []


def _draft_expenses(
    work: _Draft, transactions: Sequence[Transaction], groups: Sequence[ExpenseGroup]
) -> None:
    wanted = {row.key: row for row in transactions}
    answered: set[str] = set()
    for group in groups:
        members = [wanted[key] for key in group.keys if key in wanted]
        if members:
            work.mapper.at(members[0].key, members[0].number)
            answered |= _draft_bills(work, members, group.export.expense_bills)
            answered |= _draft_journals(work, members, group.export.expenses)
    for transaction in transactions:
        if transaction.key not in answered:
            work.mapper.at(transaction.key, transaction.number)
            work.mapper.report("not_exported", field="export")


def _draft_bills(
    work: _Draft, members: Sequence[Transaction], bills: Sequence[wire.GLExportExpenseBill]
) -> set[str]:
    """The bills of one group; the transactions they answer."""
    answered: set[str] = set()
    for bill in bills:
        own = _tied(members, bill, alone=len(bills) == 1)
        if not own:
            work.mapper.report("cannot_tie", field="export", value=bill.document_number or "")
            continue
        answered |= {row.key for row in own}
        work.together.append(tuple(row.key for row in own))
        work.mapper.at(own[0].key, own[0].number)
        if not any(row.total for row in bill.detail):
            work.mapper.report("zero_document", field="total", value="0.00")
            _silence_bill(work, own, bill, ZERO_REASON)
            continue
        paid_back = [row for row in bill.detail if is_paid_back(work.mapper, row)]
        if not paid_back:
            work.mapper.report("nothing_to_post", value="nothing on the bill is owed to the member")
            _silence_bill(work, own, bill, "nothing on the bill is owed to the member")
            continue
        _compare_listed(work.mapper, total(row.total for row in own), bill_sum(bill))
        document = bill_document(work.mapper, own, bill, paid_back)
        work.documents += [document] if document else []
    return answered


def _silence_bill(
    work: _Draft, own: Sequence[Transaction], bill: wire.GLExportExpenseBill, reason: str
) -> None:
    """The first transaction takes the entries of the bill, as its document would have."""
    for row in own:
        work.say_nothing(row, reason)
    work.entry_ids[own[0].key] += [entry for row in bill.detail for entry in row.entry_ids]


def _tied(
    members: Sequence[Transaction], bill: wire.GLExportExpenseBill, *, alone: bool
) -> list[Transaction]:
    """The transactions whose GL entries the bill names.

    A row may be listed under an entry that the bill does not name (connectwise reference, 5.1), so the
    only bill of a group answers all of it where the amounts say so.
    """
    ids = bill_entry_ids(bill)
    tied = [row for row in members if ids & set(row.entry_ids)]
    listed = total(row.total for row in members)
    return list(members) if alone and listed == bill_sum(bill) else tied


def _draft_journals(
    work: _Draft, members: Sequence[Transaction], expenses: Sequence[wire.GLExportExpense]
) -> set[str]:
    answered: set[str] = set()
    by_entry = {entry: row for row in members for entry in row.entry_ids}
    for expense in expenses:
        ids = journal_entry_ids(expense)
        own = next((by_entry[entry] for entry in ids if entry in by_entry), None)
        own = own or (members[0] if len(members) == len(expenses) == 1 else None)
        if own is None:
            work.mapper.report("cannot_tie", field="export", value=expense.memo or "")
            continue
        answered.add(own.key)
        work.mapper.at(own.key, own.number)
        if not expense.total and not own.total:
            work.mapper.report("zero_document", field="total", value="0.00")
            work.say_nothing(own, ZERO_REASON, ids)
            continue
        _compare_listed(work.mapper, own.total, expense.total or ZERO)
        document = journal_document(work.mapper, own, expense)
        work.documents += [document] if document else []
    return answered


def _draft_receipts(
    work: _Draft, transactions: Sequence[Transaction], export: wire.GLExport | None
) -> None:
    """Receipts are tied by GL-entry ids: the export names them by text (connectwise reference, 5.1)."""
    by_entry: dict[int, wire.GLExportPurchaseTransaction] = {}
    for header in export.purchase_transactions if export else ():
        for row in purchase_rows(header):
            by_entry.update(dict.fromkeys(row.entry_ids, header))
    taken: set[int] = set()
    for transaction in transactions:
        work.mapper.at(transaction.key, transaction.number)
        tied = {id(by_entry[i]): by_entry[i] for i in transaction.entry_ids if i in by_entry}
        if not tied:
            work.mapper.report("not_exported", field="export")
        elif len(tied) > 1 or taken & set(tied):
            work.mapper.report("cannot_tie", field="export", value=transaction.key)
        else:
            taken |= set(tied)
            _draft_receipt(work, transaction, next(iter(tied.values())))


def _draft_receipt(
    work: _Draft, transaction: Transaction, header: wire.GLExportPurchaseTransaction
) -> None:
    rows = purchase_rows(header)
    if not header.total and not any(row.total or row.quantity for row in rows):
        work.mapper.report("zero_document", field="total", value="0.00")
        work.say_nothing(
            transaction, ZERO_REASON, (entry for row in rows for entry in row.entry_ids)
        )
        return
    _compare_listed(work.mapper, transaction.total, header.total or ZERO)
    document = purchase_document(work.mapper, transaction, header)
    work.documents += [document] if document else []


def _draft_adjustments(
    work: _Draft, transactions: Sequence[Transaction], export: wire.GLExport | None
) -> None:
    exported = {row.number: row for row in export.adjustment_transactions} if export else {}
    for transaction in transactions:
        work.mapper.at(transaction.key, transaction.number)
        adjustment = exported.get(product_number(transaction.key.partition(":")[2]))
        if adjustment is None:
            work.mapper.report("not_exported", field="export")
            continue
        documents = adjustment_documents(work.mapper, transaction, adjustment)
        work.documents += documents
        if not documents and not work.mapper.is_blocked(transaction.key):
            work.mapper.report("zero_document", field="total", value="0.00")
            work.say_nothing(transaction, "all quantities are zero")


def _draft_transfers(
    work: _Draft, transactions: Sequence[Transaction], export: wire.GLExport | None
) -> None:
    exported: dict[str, list[wire.GLExportInventoryTransfer]] = defaultdict(list)
    for row in export.inventory_transfers if export else ():
        exported[str(row.transfer_id)].append(row)
    for transaction in transactions:
        work.mapper.at(transaction.key, transaction.number)
        rows = exported.get(product_number(transaction.key.partition(":")[2]), [])
        if not rows:
            work.mapper.report("not_exported", field="export")
            continue
        document, reason = transfer_document(work.mapper, transaction, rows)
        work.documents += [document] if document else []
        if reason:
            work.mapper.report("nothing_to_post", field="accounts", value=reason)
            ids = (entry for row in rows for entry in transfer_entry_ids(row))
            work.say_nothing(transaction, reason, ids)
