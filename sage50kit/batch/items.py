"""Products of the lines: the item of the books, or the one that would be created."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from sage50kit.batch.mapping import Mapper, item_class
from sage50kit.model import Item, fold
from sage50kit.money import UNIT, ZERO, multiply, round_to, unit_price

if TYPE_CHECKING:
    from decimal import Decimal

    from sage50kit.connectwise import wire
    from sage50kit.model import ItemClass

    ProductRow: TypeAlias = wire.GLExportTransactionDetail | wire.GLExportPurchaseTransactionDetail


def item_id_of(row: ProductRow) -> str:
    """The product id of a line, which is Sage's item id; "" where it has none."""
    return ((row.item.identifier if row.item else "") or row.gl_item_id or "").strip()


def item_of(
    mapper: Mapper, row: ProductRow, *, sales_account: str, taxable: bool
) -> tuple[str, ItemClass, Item | None]:
    """(item id, its class, the item of the books or None) of a product line.

    Args:
        mapper: maps and collects findings.
        row: the line.
        sales_account: of the item to be created, if the books do not have it.
        taxable: likewise.
    """
    identity = item_id_of(row)
    its_class = item_class(row.item_type_xref)
    accounts = ("", "", "")
    if mapper.is_new_item(identity) and its_class != "description_only":
        accounts = _accounts(mapper, row, its_class, sales_account)
    new = Item(
        item_id=identity,
        description=row.item_description or row.sales_description or identity,
        item_class=its_class,
        sales_description=row.sales_description or row.item_description or "",
        purchase_description=row.item_description or "",
        sales_account_id=accounts[0],
        inventory_account_id=accounts[1],
        cogs_account_id=accounts[2],
        price=round_to(row.item_price or ZERO, UNIT),
        last_unit_cost=round_to(row.item_cost or ZERO, UNIT),
        unit=(row.unit_of_measure.name or "") if row.unit_of_measure else "",
        taxable=taxable,
    )
    return mapper.item(new, serialized=bool(row.serialized_flag))


def _accounts(
    mapper: Mapper, row: ProductRow, its_class: ItemClass, sales_account: str
) -> tuple[str, str, str]:
    """Sales, inventory (or salaries/wages) and cost of sales account of a new item, all in the chart."""
    sales = mapper.account(sales_account, "sales account of the new item")
    cost = mapper.account(row.cost_account_number, "cost of sales account of the new item")
    if its_class != "stock":
        return sales, cost, cost
    return sales, mapper.account(row.inventory_account_number, "inventory account"), cost


def compare_inventory_account(mapper: Mapper, text: str | None, known: Item | None) -> None:
    """Sage moves stock on the item's own inventory account, whatever ConnectWise says."""
    if known is None or known.item_class != "stock" or not (text or "").strip("0:- "):
        return
    account = mapper.account(text, "inventory account")
    if account and fold(account) != fold(known.inventory_account_id):
        mapper.report(
            "inventory_account_differs",
            field="inventory account",
            value=account,
            item=known.item_id,
            wanted=known.inventory_account_id,
        )


def price_of(amount: Decimal, quantity: Decimal, listed: Decimal | None) -> Decimal:
    """ConnectWise's price where it gives the line total, else total by quantity (Sage wants both)."""
    if listed is not None and abs(multiply(quantity, listed)) == abs(amount):
        return abs(listed) if amount * quantity >= 0 else -abs(listed)
    return unit_price(amount, quantity) if quantity else ZERO
