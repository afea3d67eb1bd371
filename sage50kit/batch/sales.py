"""Invoices and credit memos: `GLExportTransaction` -> sales invoice or customer credit memo.

Header total positive, lines negative for an invoice; the other way round for a credit memo. One tax line
(ST) per level, zero ones included (connectwise reference, 8.2). Cost of sales is Sage's own.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

from sage50kit.batch.items import compare_inventory_account, item_id_of, item_of, price_of
from sage50kit.batch.lines import (
    balanced,
    check_day,
    check_reference,
    due_date,
    line_amount,
    line_text,
    unique,
)
from sage50kit.batch.mapping import ACCOUNTS_RECEIVABLE, MEMO_LENGTH, Mapper, amount_words
from sage50kit.batch.taxes import sales_taxes
from sage50kit.model import Distribution, Document
from sage50kit.money import ZERO, cents

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sage50kit.connectwise import wire
    from sage50kit.model import Transaction

ONE = Decimal(1)
ITEM_LINES = frozenset({"RP", "AP"})  # product lines, whose quantity means something

# The accounts of the GL types that lines of an invoice have (connectwise reference, 8.4).
ACCOUNT_OF = {
    "R": "service revenue account",
    "RP": "product revenue account",
    "RA": "agreement revenue account",
    "AP": "agreement product account",
    "RE": "rebilled expense account",
    "RD": "deferred revenue account",
    "SD": "product discount account",
}


def sales_document(
    mapper: Mapper,
    transaction: Transaction,
    header: wire.GLExportTransaction,
    customers: Mapping[str, wire.GLExportCustomer],
) -> Document | None:
    """The document of an invoice or credit memo; None, with findings, when there can be none."""
    invoice_total = cents(header.total if header.total is not None else ZERO)
    kind = _document_type(mapper, header, invoice_total)
    direction = (
        1 if kind == "credit_memo" else -1
    )  # of quantities: ConnectWise signs a sale negative
    lines = [_line(mapper, row, direction) for row in header.detail if row.gl_type_id != "ST"]
    tax_code, tax_lines = sales_taxes(mapper, header, customers)
    check_currency(mapper, header.currency)
    without = [row for row in header.detail if not row.entry_ids]
    if without or not (header.entry_ids or transaction.entry_ids):
        mapper.report("entries_missing", field="GL entries", value=max(len(without), 1))
    customer = customers.get(header.company_account_number or "")
    due_days = (
        header.due_days if header.due_days is not None else (customer and customer.due_days) or 0
    )
    party_id = mapper.customer(
        header.company_account_number,
        mapper.new_customer(header.company, due_days=due_days, tax_code=tax_code),
    )
    receivable = mapper.account(header.account_number, "accounts receivable account")
    mapper.expect_type(receivable, ACCOUNTS_RECEIVABLE, "accounts receivable")
    open_day = check_day(mapper, header.document_date, "invoice date")
    reference = check_reference(mapper, header.document_number or transaction.number)
    kept = [line for line in lines if line.amount or (line.item_id and line.quantity)]
    distributions = balanced(mapper, invoice_total, [*kept, *tax_lines])
    if distributions is None or header.document_date is None or not open_day:
        return None
    return Document(
        type=kind,
        key=transaction.key,
        transactions=(transaction.key,),
        number=reference,
        reference=reference,
        posting_date=header.document_date,
        document_date=header.document_date,
        due_date=due_date(header.document_date, header.due_date, due_days),
        distributions=distributions,
        control_account_id=receivable,
        control_amount=invoice_total,
        source_total=invoice_total,
        party_id=party_id,
        party_name=transaction.party,
        tax_code=tax_code,
        terms=_terms(header),
        purchase_order=mapper.cut(
            header.purchase_order.name if header.purchase_order else "", 20, "customer PO"
        ),
        memo=mapper.cut(header.memo, MEMO_LENGTH, "memo"),
        entry_ids=invoice_entry_ids(header),
    )


def _terms(header: wire.GLExportTransaction) -> str:
    """The terms as Sage displays them, at most 20 characters."""
    name = header.billing_terms.name if header.billing_terms else ""
    return (header.billing_terms_xref or name or "")[:20]


def invoice_entry_ids(header: wire.GLExportTransaction) -> tuple[int, ...]:
    """Every GL entry of an invoice, header side and lines, tax lines included (reference, 5.2)."""
    return unique([*header.entry_ids, *(i for row in header.detail for i in row.entry_ids)])


def nothing_but_zeros(header: wire.GLExportTransaction) -> bool:
    """Whether no line moves an amount or goods (design 9.10: nothing to post)."""
    moves_goods = any(
        row.gl_type_id in ITEM_LINES and row.quantity and item_id_of(row) for row in header.detail
    )
    return not header.total and not any(row.total for row in header.detail) and not moves_goods


def _document_type(
    mapper: Mapper, header: wire.GLExportTransaction, invoice_total: Decimal
) -> Literal["sales_invoice", "credit_memo"]:
    called_credit = (
        "CREDIT" in (header.document_type or "").upper() or header.billing_type == "CreditMemo"
    )
    if called_credit and invoice_total > 0:
        mapper.report("credit_memo_sign", field="total", value=amount_words(invoice_total))
    return "credit_memo" if called_credit or invoice_total < 0 else "sales_invoice"


def _line(mapper: Mapper, row: wire.GLExportTransactionDetail, direction: int) -> Distribution:
    """One revenue line; a product line has its item, quantity and price."""
    amount = line_amount(mapper, row.total)
    account_id = mapper.account(row.account_number, ACCOUNT_OF.get(row.gl_type_id or "", "account"))
    text = line_text(mapper, row.memo, row.sales_description, row.item_description, row.description)
    goods: dict[str, Any] = {"quantity": ONE, "unit_price": amount * direction}
    if row.gl_type_id in ITEM_LINES and item_id_of(row):
        goods = _goods(mapper, row, account_id, amount * direction, direction)
    return Distribution(
        account_id=account_id,
        amount=amount,
        description=text,
        taxable=bool(row.item_taxable_flag or row.taxable_flag),
        entry_ids=row.entry_ids,
        **goods,
    )


def _goods(
    mapper: Mapper,
    row: wire.GLExportTransactionDetail,
    account_id: str,
    worth: Decimal,
    direction: int,
) -> dict[str, Any]:
    """The item of a product line, its quantity and price in the direction of the document."""
    item_id, its_class, known = item_of(
        mapper, row, sales_account=account_id, taxable=bool(row.item_taxable_flag)
    )
    if its_class == "stock":
        compare_inventory_account(mapper, row.inventory_account_number, known)
    quantity = _in_direction((row.quantity or ZERO) * direction, worth)
    return {
        "item_id": item_id,
        "item_class": its_class,
        "quantity": quantity,
        "unit_price": price_of(worth, quantity, row.item_price),
        "cost": abs(cents(row.cost or ZERO)),
    }


def _in_direction(quantity: Decimal, amount: Decimal) -> Decimal:
    """The quantity with the sign of its amount: goods sold on an invoice, returned on a credit memo.

    ConnectWise turns the price of a credit memo and may leave the quantity (connectwise reference, 8.2).
    """
    if not amount:
        return quantity
    return abs(quantity) if amount > 0 else -abs(quantity)


def check_currency(mapper: Mapper, currency: wire.Currency | None) -> None:
    """Sage 50 US keeps books in one currency."""
    code = (currency.currency_code or currency.currency_identifier or "") if currency else ""
    wanted = mapper.books.defaults.currency
    if code and code.upper() != wanted.upper():
        mapper.report("currency_differs", field="currency", value=code, wanted=wanted)
