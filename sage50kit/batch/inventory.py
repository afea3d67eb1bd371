"""Inventory adjustments and transfers.

A **negative** `quantity` of an adjustment takes goods in, a positive one takes them out (connectwise
reference, 8.2). Sage has one item per adjustment, so a ConnectWise adjustment becomes one document per
detail. Sage values decreases itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sage50kit.batch.items import compare_inventory_account
from sage50kit.batch.lines import check_day, check_offset, line_amount, line_text, unique
from sage50kit.batch.mapping import Mapper, amount_words
from sage50kit.batch.sales import check_currency
from sage50kit.model import Distribution, Document, Item, fold, token
from sage50kit.money import ZERO, total, unit_price

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from sage50kit.connectwise import wire
    from sage50kit.model import Transaction

REASON_LENGTH = 30


def adjustment_documents(
    mapper: Mapper, transaction: Transaction, adjustment: wire.GLExportAdjustmentTransaction
) -> list[Document]:
    """One inventory adjustment per detail, numbered as parts of the transaction."""
    source = mapper.account(adjustment.account_number, "adjustment account")
    day = adjustment.document_date
    open_day = check_day(mapper, day, "adjustment date")
    if not adjustment.adjustment_detail:
        mapper.report("document_empty", field="lines")
    documents = []
    for part, row in enumerate(adjustment.adjustment_detail, start=1):
        line = _adjusted(mapper, row, source)
        if line is not None and day is not None and open_day:
            documents.append(
                _adjustment(mapper, transaction, adjustment, row, line, part=part, day=day)
            )
    return documents


def _adjusted(
    mapper: Mapper, row: wire.GLExportAdjustmentTransactionDetail, source: str
) -> Distribution | None:
    """The line on the source account: a credit when goods come in, a debit when they go out."""
    name = (row.item.identifier or "") if row.item else ""
    quantity = -(row.quantity or ZERO)
    value = abs(line_amount(mapper, row.total or row.cost))
    if not quantity:
        if value:
            mapper.report("adjustment_quantity", field="quantity", value=name)
        return None
    item_id = _stock_item(mapper, row, name)
    if quantity < 0:
        mapper.report("decrease_value", field="value", value=name, amount=amount_words(value))
    return Distribution(
        account_id=source,
        amount=-value if quantity > 0 else value,
        description=line_text(mapper, row.memo, row.description),
        item_id=item_id,
        item_class="stock",
        quantity=quantity,
        unit_price=unit_price(value, abs(quantity)),
        cost=value,
    )


def _stock_item(mapper: Mapper, row: wire.GLExportAdjustmentTransactionDetail, name: str) -> str:
    """The item of the books; an unknown one is created as stock, the only class that is adjusted."""
    known = mapper.books.item.get(fold(name))
    if known is not None and known.item_class != "stock":
        mapper.report(
            "item_not_stock",
            field="item ID",
            value=known.item_id,
            books_class=known.item_class.replace("_", " "),
        )
        return known.item_id
    accounts = ("", "", "")
    if mapper.is_new_item(name):
        defaults = mapper.books.defaults
        accounts = (
            mapper.account(
                row.product_account_number or defaults.sales_account_id,
                "sales account of the new item",
            ),
            mapper.account(row.inventory_account_number, "inventory account"),
            mapper.account(
                row.cost_account_number or defaults.cogs_account_id,
                "cost of sales account of the new item",
            ),
        )
    new = Item(
        item_id=name,
        description=row.description or row.memo or name,
        item_class="stock",
        sales_account_id=accounts[0],
        inventory_account_id=accounts[1],
        cogs_account_id=accounts[2],
    )
    return mapper.item(new)[0]


def _adjustment(
    mapper: Mapper,
    transaction: Transaction,
    adjustment: wire.GLExportAdjustmentTransaction,
    row: wire.GLExportAdjustmentTransactionDetail,
    line: Distribution,
    *,
    part: int,
    day: date,
) -> Document:
    inventory = mapper.account(row.inventory_account_number, "inventory account")
    known = mapper.books.item.get(fold(line.item_id))
    compare_inventory_account(mapper, row.inventory_account_number, known)
    reason = _reason(adjustment)
    return Document(
        type="inventory_adjustment",
        key=transaction.key,
        transactions=(transaction.key,),
        number=transaction.number,
        reference=token(transaction.key, part=part),
        posting_date=day,
        document_date=day,
        distributions=(line,),
        control_account_id=inventory,
        control_amount=-line.amount,
        source_total=-line.amount,
        memo=mapper.cut(reason, REASON_LENGTH, "reason to adjust"),
        entry_ids=transaction.entry_ids,
        part=part,
    )


def _reason(adjustment: wire.GLExportAdjustmentTransaction) -> str:
    """The text after the `<adjustment id>-` that ConnectWise puts in front."""
    text = adjustment.adjustment_description or adjustment.memo or ""
    return text.partition("-")[2].strip() or text


def transfer_document(
    mapper: Mapper, transaction: Transaction, rows: Sequence[wire.GLExportInventoryTransfer]
) -> tuple[Document | None, str]:
    """(one journal entry, "") or (None, why nothing is posted): only accounts that differ need one.

    A row's total is the debit side when positive, its offset the credit side [A: no public sample of a
    transfer shows the sign].
    """
    pairs = [_transferred(mapper, row) for row in rows]
    lines = tuple(line for pair in pairs for line in pair)
    day = rows[0].document_date
    open_day = check_day(mapper, day, "transfer date")
    if not lines:
        if not any(row.total for row in rows):
            return None, "all amounts are zero"
        account = mapper.account(rows[0].account_number, "account of the receiving warehouse")
        return None, f"both warehouses keep their stock on account {account}"
    if not open_day or day is None:
        return None, ""
    document = Document(
        type="journal_entry",
        key=transaction.key,
        transactions=(transaction.key,),
        number=transaction.number,
        reference=token(transaction.key),
        posting_date=day,
        document_date=day,
        distributions=lines,
        source_total=total(line.amount for line in lines if line.amount > 0),
        entry_ids=unique(
            [*transaction.entry_ids, *(i for row in rows for i in transfer_entry_ids(row))]
        ),
    )
    return document, ""


def transfer_entry_ids(row: wire.GLExportInventoryTransfer) -> tuple[int, ...]:
    """The GL entries of a transferred item, its offset included."""
    return (*row.entry_ids, *(row.offset.entry_ids if row.offset else ()))


def _transferred(mapper: Mapper, row: wire.GLExportInventoryTransfer) -> tuple[Distribution, ...]:
    """Debit and credit of one transferred item; nothing where both sides have one account."""
    amount = line_amount(mapper, row.total)
    check_currency(mapper, row.currency)
    offset = row.offset
    check_offset(mapper, amount, offset.total if offset else None)
    to_account = mapper.account(row.account_number, "account of the receiving warehouse")
    from_account = mapper.account(
        offset.account_number if offset else None, "account of the sending warehouse"
    )
    if (to_account and fold(to_account) == fold(from_account)) or not amount:
        return ()
    text = line_text(mapper, row.memo, row.description, row.item_description)
    debit = Distribution(
        account_id=to_account, amount=amount, description=text, entry_ids=row.entry_ids
    )
    credit = Distribution(
        account_id=from_account,
        amount=-amount,
        description=text,
        entry_ids=offset.entry_ids if offset else (),
    )
    return debit, credit
