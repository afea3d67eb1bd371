"""Item receipts: `GLExportPurchaseTransaction` -> purchase invoice, or purchase waiting on the bill.

Header total positive, lines negative. The `accountNumber` of a product line is the *revenue* account and
is never debited (design 9.6): stock goes to its inventory account, a description-only item to its cost
account, non-stock and service to the item's salaries/wages account. Freight and tax lines carry their own.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

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
from sage50kit.batch.mapping import ACCOUNTS_PAYABLE, INVENTORY, MEMO_LENGTH, Mapper, amount_words
from sage50kit.batch.sales import check_currency
from sage50kit.model import Distribution, Document, Item
from sage50kit.money import ZERO, cents, total

if TYPE_CHECKING:
    from datetime import date

    from sage50kit.connectwise import wire
    from sage50kit.model import ItemClass, Transaction

FREIGHT_LINE = "PF"
TAX_LINES = frozenset({"PT", "FT"})


def purchase_document(
    mapper: Mapper, transaction: Transaction, header: wire.GLExportPurchaseTransaction
) -> Document | None:
    """The purchase of one packing slip; None, with findings, when there can be none."""
    purchase_total = cents(header.total if header.total is not None else ZERO)
    lines = [_line(mapper, row) for row in header.purchase_detail]
    lines += [_tax_line(mapper, row) for row in header.purchase_detail_tax]
    _check_freight(mapper, header, lines)
    check_currency(mapper, header.currency)
    if without := [row for row in purchase_rows(header) if not row.entry_ids]:
        mapper.report("entries_missing", field="GL entries", value=len(without))
    if purchase_total < 0:
        mapper.report("negative_purchase", field="total", value=amount_words(purchase_total))
    due_days = header.due_days or 0
    vendor_id = mapper.vendor(
        header.vendor_number, mapper.new_vendor(header.company, due_days=due_days)
    )
    payable = mapper.account(header.ap_account_number, "accounts payable account")
    mapper.expect_type(payable, ACCOUNTS_PAYABLE, "accounts payable")
    reference = (header.vendor_invoice_number or "").strip()
    if reference:
        reference = check_reference(mapper, reference)
    day = _posting_date(header, waiting=not reference)
    open_day = check_day(mapper, day, "receipt date")
    kept = [line for line in lines if line.amount or (line.item_id and line.quantity)]
    distributions = balanced(mapper, -purchase_total, kept)
    if distributions is None or day is None or not open_day or purchase_total < 0:
        return None
    return Document(
        type="purchase",
        key=transaction.key,
        transactions=(transaction.key,),
        number=transaction.number,
        reference=reference,
        posting_date=day,
        document_date=header.document_date or day,
        due_date=due_date(day, None, due_days),
        distributions=distributions,
        control_account_id=payable,
        control_amount=-purchase_total,
        source_total=purchase_total,
        party_id=vendor_id,
        party_name=transaction.party,
        terms=(header.billing_terms_xref or "")[:20],
        purchase_order=mapper.cut(header.document_number, 20, "PO number"),
        waiting_on_bill=not reference,
        memo=mapper.cut(header.memo, MEMO_LENGTH, "memo"),
        entry_ids=unique(
            [*(i for row in purchase_rows(header) for i in row.entry_ids), *transaction.entry_ids]
        ),
    )


def purchase_rows(
    header: wire.GLExportPurchaseTransaction,
) -> tuple[wire.GLExportPurchaseTransactionDetail | wire.GLExportPurchaseTransactionDetailTax, ...]:
    """Product, freight and tax lines of a receipt."""
    return (*header.purchase_detail, *header.purchase_detail_tax)


def _posting_date(header: wire.GLExportPurchaseTransaction, *, waiting: bool) -> date | None:
    """The bill's date where there is a bill, else the receipt's (design 9.8)."""
    received = header.document_date or header.purchase_date
    return received if waiting else header.vendor_invoice_date or received


def _line(mapper: Mapper, row: wire.GLExportPurchaseTransactionDetail) -> Distribution:
    amount = -line_amount(mapper, row.total)
    text = line_text(mapper, row.memo, row.item_description, row.description)
    plain = Distribution(account_id="", amount=amount, description=text, entry_ids=row.entry_ids)
    if row.gl_type_id == FREIGHT_LINE:
        account = mapper.account(row.account_number, "freight account", unknown="freight_account")
        return replace(plain, account_id=account, role="freight")
    if row.gl_type_id in TAX_LINES:
        return replace(
            plain, account_id=mapper.account(row.account_number, "purchase tax account"), role="tax"
        )
    if not item_id_of(row):
        return replace(plain, account_id=mapper.account(row.cost_account_number, "cost account"))
    return _item_line(mapper, row, plain)


def _item_line(
    mapper: Mapper, row: wire.GLExportPurchaseTransactionDetail, plain: Distribution
) -> Distribution:
    item_id, its_class, known = item_of(
        mapper, row, sales_account=row.account_number or "", taxable=bool(row.taxable)
    )
    quantity = -(row.quantity or ZERO)
    return replace(
        plain,
        account_id=_debit_account(mapper, row, its_class, known),
        item_id=item_id,
        item_class=its_class,
        quantity=quantity,
        unit_price=price_of(plain.amount, quantity, row.item_cost),
        cost=abs(cents(row.cost or ZERO)),
    )


def _debit_account(
    mapper: Mapper,
    row: wire.GLExportPurchaseTransactionDetail,
    its_class: ItemClass,
    known: Item | None,
) -> str:
    """Where a product line is debited (design 9.6)."""
    if its_class == "stock":
        account = mapper.account(row.inventory_account_number, "inventory account")
        mapper.expect_type(account, INVENTORY, "inventory")
        compare_inventory_account(mapper, row.inventory_account_number, known)
        return account
    if its_class in ("non_stock", "service") and known is not None and known.inventory_account_id:
        return mapper.account(known.inventory_account_id, "salaries/wages account of the item")
    return mapper.account(row.cost_account_number, "cost account")


def _tax_line(mapper: Mapper, row: wire.GLExportPurchaseTransactionDetailTax) -> Distribution:
    """Purchase tax is a distribution of its own; the stock cost excludes it."""
    amount = -line_amount(mapper, row.total)
    account = mapper.account(row.account_number, "purchase tax account") if amount else ""
    return Distribution(
        account_id=account,
        amount=amount,
        description=line_text(mapper, row.memo, row.item_description, "Tax"),
        role="tax",
        entry_ids=row.entry_ids,
    )


def _check_freight(
    mapper: Mapper, header: wire.GLExportPurchaseTransaction, lines: list[Distribution]
) -> None:
    """`freightAmount` of the header is only a check on the freight line."""
    posted = total(line.amount for line in lines if line.role == "freight")
    said = cents(header.freight_amount or ZERO)
    if said != posted and said:
        mapper.report(
            "freight_differs", field="freight", value=amount_words(said), lines=amount_words(posted)
        )
