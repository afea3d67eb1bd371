"""Expenses: `GLExportExpenseBill` -> purchase of the member's vendor; not as bill -> general journal entry.

Header and details of a bill are both positive and the header is their sum (design 9.6). Lines paid by the
company, or not paid back, never credit the member.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sage50kit.batch.lines import (
    balanced,
    check_day,
    check_offset,
    check_reference,
    line_amount,
    line_text,
    unique,
)
from sage50kit.batch.mapping import ACCOUNTS_PAYABLE, MEMO_LENGTH, Mapper, amount_words
from sage50kit.batch.sales import ONE, check_currency
from sage50kit.model import Distribution, Document, token
from sage50kit.money import ZERO, cents, total

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from sage50kit.connectwise import wire
    from sage50kit.model import Transaction


TAX_LINE = "ET"


def bill_document(
    mapper: Mapper,
    transactions: Sequence[Transaction],
    bill: wire.GLExportExpenseBill,
    paid_back: Sequence[wire.GLExportExpenseBillDetail],
) -> Document | None:
    """The purchase of one member's bill; None, with findings, when there can be none.

    Args:
        mapper: maps and collects findings.
        transactions: the expenses on the bill.
        bill: as exported.
        paid_back: those of its lines that the member is owed.
    """
    lines = [_bill_line(mapper, row) for row in paid_back]
    owed = total(line.amount for line in lines)
    said = cents(bill.total if bill.total is not None else ZERO)
    everything = bill_sum(bill)
    # ConnectWise's header may count the lines that nobody owes the member, or leave them out.
    bill_total = owed if said == everything else said
    check_currency(mapper, bill.currency)
    vendor_id = mapper.vendor(bill.vendor_number, mapper.new_member(bill.member))
    payable = mapper.account(bill.ap_account_number, "accounts payable account")
    mapper.expect_type(payable, ACCOUNTS_PAYABLE, "accounts payable")
    open_day = check_day(mapper, bill.document_date, "bill date")
    reference = check_reference(mapper, bill.document_number or "")
    if bill_total < 0:
        mapper.report("negative_purchase", field="total", value=amount_words(bill_total))
    distributions = balanced(mapper, -bill_total, [line for line in lines if line.amount])
    if distributions is None or bill.document_date is None or not open_day or bill_total < 0:
        return None
    return Document(
        type="purchase",
        key=transactions[0].key,
        transactions=tuple(row.key for row in transactions),
        number=reference,
        reference=reference,
        posting_date=bill.document_date,
        document_date=bill.document_date,
        due_date=bill.document_date,
        distributions=distributions,
        control_account_id=payable,
        control_amount=-bill_total,
        source_total=said,
        party_id=vendor_id,
        party_name=transactions[0].party,
        memo=mapper.cut(bill.memo, MEMO_LENGTH, "memo"),
        entry_ids=unique(i for row in bill.detail for i in row.entry_ids),
    )


def bill_sum(bill: wire.GLExportExpenseBill) -> Decimal:
    """All lines of a bill, those that nobody owes the member included."""
    return total(cents(row.total or ZERO) for row in bill.detail)


def bill_entry_ids(bill: wire.GLExportExpenseBill) -> set[int]:
    """Every GL entry that a bill names; its own id may be one (connectwise reference, 5.1)."""
    return {entry for row in bill.detail for entry in row.entry_ids} | {bill.id or 0}


def is_paid_back(mapper: Mapper, row: wire.GLExportExpenseBillDetail) -> bool:
    """Whether the member is owed a line; one that is not is noted."""
    if row.company_advance:
        mapper.report(
            "company_advance_line",
            field="line",
            value=f"{row.memo} {amount_words(row.total or ZERO)}",
        )
        return False
    if row.reimbursable is False:
        mapper.report(
            "not_reimbursable_line",
            field="line",
            value=f"{row.memo} {amount_words(row.total or ZERO)}",
        )
        return False
    return True


def _bill_line(mapper: Mapper, row: wire.GLExportExpenseBillDetail) -> Distribution:
    """An expense, or its tax (ET) on an account of its own."""
    amount = line_amount(mapper, row.total)
    is_tax = row.gl_type_id == TAX_LINE
    what = "expense tax account" if is_tax else "expense account"
    return Distribution(
        account_id=mapper.account(row.account_number, what),
        amount=amount,
        description=line_text(mapper, row.memo),
        role="tax" if is_tax else "line",
        quantity=ONE,
        unit_price=amount,
        entry_ids=row.entry_ids,
    )


def journal_entry_ids(expense: wire.GLExportExpense) -> tuple[int, ...]:
    """The GL entries of an expense that is no bill, its offset included."""
    return unique([*expense.entry_ids, *(expense.offset.entry_ids if expense.offset else ())])


def journal_document(
    mapper: Mapper, transaction: Transaction, expense: wire.GLExportExpense
) -> Document | None:
    """The general journal entry of one expense that is not transferred as a bill."""
    amount = line_amount(mapper, expense.total)
    check_currency(mapper, expense.currency)
    debit = mapper.account(expense.account_number, "expense account")
    offset = expense.offset
    credit = mapper.account(
        (offset.account_number if offset else None) or expense.ap_account_number, "offset account"
    )
    check_offset(mapper, amount, offset.total if offset else None)
    text = line_text(mapper, expense.memo, expense.description)
    if (
        not check_day(mapper, expense.document_date, "expense date")
        or expense.document_date is None
    ):
        return None
    ids = journal_entry_ids(expense)
    return Document(
        type="journal_entry",
        key=transaction.key,
        transactions=(transaction.key,),
        number=transaction.number,
        reference=token(transaction.key),
        posting_date=expense.document_date,
        document_date=expense.document_date,
        distributions=(
            Distribution(account_id=debit, amount=amount, description=text, entry_ids=ids[:1]),
            Distribution(account_id=credit, amount=-amount, description=text, entry_ids=ids[1:]),
        ),
        source_total=amount,
        party_name=transaction.party,
        entry_ids=ids,
    )
