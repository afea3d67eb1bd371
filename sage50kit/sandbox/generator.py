"""A seeded site of any size with the books it is posted to: every kind, item class and tax shape in a hundred.

The pair has no blocking finding; warnings, missing masters and refusals occur. `dirty` also plants blocking
ones and lists them.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sage50kit.errors import UsageError
from sage50kit.money import cents
from sage50kit.sandbox import dataset
from sage50kit.sandbox.planting import plant
from sage50kit.sandbox.population import populate

if TYPE_CHECKING:
    from sage50kit.connectors.embedded import OpeningStock
    from sage50kit.model import Books
    from sage50kit.sandbox.population import Population, Product

START = date(2026, 10, 1)
DAYS = 31
TYPES = (
    "Standard",
    "Standard",
    "Agreement",
    "Standard",
    "Miscellaneous",
    "Progress",
    "Standard",
    "DownPayment",
    "Standard",
    "CreditMemo",
)
SHAPES = ("none", "one", "two", "three", "exempt")
SHAPE_CODES = {"none": 14, "one": 11, "two": 12, "three": 13, "exempt": 12}
STOCK_TYPE = 1
SERVICES = (
    "Remote support",
    "On-site visit",
    "Project work",
    "Server maintenance",
    "Consultation – après-vente",
)
EXPENSES_OF_A_REPORT = 5


@dataclass
class Generated:
    """A generated site and company.

    `planted` are the blocking findings of a dirty pair: key of the transaction, code, and what was done.
    """

    dataset: dict[str, Any]
    books: Books
    opening_stock: list[OpeningStock]
    planted: list[dict[str, str]] = field(default_factory=list)


def generate(invoices: int, seed: int, *, dirty: bool = False) -> Generated:
    """Make a pair of site and books; the same arguments always make the same pair.

    Args:
        invoices: how many unposted invoices, exactly; a tenth of it of each other kind.
        seed: of the dice.
        dirty: plant blocking findings too.

    Raises:
        UsageError: fewer than none.
    """
    if invoices < 0:
        raise UsageError(f"{invoices} is no number of invoices to generate.")
    dice = random.Random(seed)
    tenth = invoices // 10
    content = dataset.read(dataset.fixtures_folder() / "connectwise.json")
    people = populate(content["tables"], invoices, dice)
    reports, expenses = _expenses(people, tenth, dice)
    made = {
        "format": 1,
        "name": "Lakeside Managed IT, Inc.",
        "loginCompany": "lakeside",
        "tables": people.tables,
        "invoices": [_invoice(number, people, dice) for number in range(invoices)],
        "expenseReports": reports,
        "expenses": expenses,
        "purchaseOrders": _orders(people, tenth, dice),
        "adjustments": [_adjustment(number, people, dice) for number in range(tenth)],
        "transfers": [_transfer(number, people, dice) for number in range(tenth)],
    }
    planted = plant(made) if dirty else []
    books, stock = _books(people)
    return Generated(made, books, stock, planted)


def _day(number: int) -> str:
    return (START + timedelta(days=number % DAYS)).isoformat()


# --- invoices


def _invoice(number: int, people: Population, dice: random.Random) -> dict[str, Any]:
    kind = TYPES[number % len(TYPES)]
    shape = SHAPES[number // len(TYPES) % len(SHAPES)]
    customer = people.customers[number * 7 % len(people.customers)]
    lines = _lines(number, kind, shape, people, dice)
    made: dict[str, Any] = {
        "id": 40001 + number,
        "invoiceNumber": f"CW-{10001 + number}" if number % 13 == 4 else str(10001 + number),
        "type": kind,
        "company": customer.id,
        "date": _day(number),
        "lines": lines,
        "taxCode": SHAPE_CODES[shape],
        "taxable": shape not in ("none", "exempt") or number % 2 == 1,
        "location": 11 if number % 4 == 3 else 2,
        "attention": f"Contact {customer.id}",
    }
    if number % 9 == 2:
        made["customerPO"] = f"PO {number}"
    if number % 25 == 6:
        _round(made, number)
    return made


def _lines(
    number: int, kind: str, shape: str, people: Population, dice: random.Random
) -> list[dict[str, Any]]:
    """The lines of one invoice; its place in the hundred decides the special cases."""
    place = number % 100
    if place == 16:
        return [_time(number, "0.00", taxed=False)]  # nothing to post
    if place == 36:
        return [_time(number, "90.00", taxed=False), _time(number, "-90.00", taxed=False)]
    if kind == "DownPayment":
        return [
            {
                "kind": "down_payment",
                "price": f"{dice.randrange(100, 5000)}.00",
                "description": "Down payment",
            }
        ]
    if kind == "CreditMemo":
        return _credits(number, shape, people, dice)
    lines = [
        _product_line(people.item(number + step), number + step, shape, dice)
        for step in range(1 + number % 4)
    ]
    lines.append(
        _time(
            number,
            f"{dice.randrange(80, 220)}.{dice.randrange(100):02}",
            taxed=shape != "exempt" and number % 3 == 0,
        )
    )
    if kind == "Agreement":
        lines.append(
            {
                "kind": "agreement",
                "price": f"{dice.randrange(200, 4000)}.00",
                "description": "Managed services",
            }
        )
        lines.append(
            _product_line(people.item(number * 5 + 1), 0, shape, dice)
            | {"kind": "agreement_product"}
        )
    lines += _extras(number, people)
    return lines


def _extras(number: int, people: Population) -> list[dict[str, Any]]:
    """Negative lines, discounts, down payments applied, rebilled expenses."""
    extras: list[dict[str, Any]] = []
    if number % 20 == 3:
        item = people.item(number)
        extras.append(
            {
                "kind": "product",
                "item": item.identifier,
                "quantity": "-1",
                "price": str(item.price),
                "cost": str(item.cost),
            }
        )
    if number % 50 == 11:
        extras.append({"kind": "discount", "price": "-5.00", "description": "Volume discount"})
    if number % 50 == 21:
        extras.append(
            {"kind": "down_payment", "price": "-10.00", "description": "Down payment applied"}
        )
    if number % 10 == 8:
        extras.append(
            {"kind": "expense", "price": "37.45", "description": "Travel", "expenseType": 2}
        )
    if sum(_amount(line) for line in extras) < 0:
        extras.append(
            {"kind": "time", "quantity": "10", "price": "125.00", "description": "Project work"}
        )
    return extras


def _amount(line: dict[str, Any]) -> Decimal:
    return Decimal(line.get("quantity", "1")) * Decimal(line["price"])


def _time(number: int, price: str, *, taxed: bool) -> dict[str, Any]:
    hours = ("1", "2.5", "0.75", "4")[number % 4]
    words = SERVICES[number % len(SERVICES)]
    return {
        "kind": "time",
        "quantity": hours,
        "price": price,
        "description": f"{words} {number}",
        "taxable": taxed,
    }


def _product_line(item: Product, number: int, shape: str, dice: random.Random) -> dict[str, Any]:
    return {
        "kind": "product",
        "item": item.identifier,
        "quantity": str(dice.randrange(1, 8)),
        "price": str(item.price),
        "cost": str(item.cost),
        "taxable": shape not in ("none", "exempt") or number % 2 == 0,
        "dropShip": number % 40 == 9,
    }


def _credits(
    number: int, shape: str, people: Population, dice: random.Random
) -> list[dict[str, Any]]:
    """A credit memo: prices negative."""
    lines = [_time(number, f"-{dice.randrange(20, 150)}.00", taxed=False)]
    if number % 20 == 9:
        line = _product_line(people.item(number // 10), number, shape, dice)
        lines.append(line | {"price": f"-{line['price']}", "dropShip": False})
    return lines


def _round(made: dict[str, Any], number: int) -> None:
    """Lines of a third of a cent: the invoice's own total is a penny off their rounded sum."""
    taxed = made["taxable"]
    made["taxable"] = False
    count = 3 if taxed else 4
    made["lines"] = [
        {"kind": "time", "price": "33.333", "description": f"Visit {n} of {number}"}
        for n in range(count)
    ]
    made["total"] = str(cents(Decimal("33.333") * count) + (Decimal("0.01") if count == 4 else 0))


# --- expenses


def _expenses(
    people: Population, wanted: int, dice: random.Random
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    reports: list[dict[str, Any]] = []
    expenses: list[dict[str, Any]] = []
    for number in range(wanted):
        place = number % EXPENSES_OF_A_REPORT
        if place == 0:
            week = START + timedelta(days=7 * (len(reports) // len(people.members) % 4))
            member = people.members[len(reports) % len(people.members)]
            reports.append(
                {
                    "id": 6001 + len(reports),
                    "member": member,
                    "dateStart": week.isoformat(),
                    "dateEnd": (week + timedelta(days=6)).isoformat(),
                }
            )
        expenses.append(_expense(number, place, reports[-1], people, dice))
    return reports, expenses


def _expense(
    number: int, place: int, report: dict[str, Any], people: Population, dice: random.Random
) -> dict[str, Any]:
    made: dict[str, Any] = {
        "id": 7001 + number,
        "report": report["id"],
        "type": 1 + number % 4,
        "amount": f"{dice.randrange(3, 600)}.{dice.randrange(100):02}",
        "date": report["dateStart"],
        "notes": f"Expense {number}",
        "location": 11 if report["id"] % 3 == 0 else 2,
    }
    if number % 3:
        made["company"] = people.customers[number % len(people.customers)].id
    if place == 2:  # never the first of a report: a bill owes its member something
        made["paymentMethod"] = 3
    if place == 4:
        made["classification"] = "NonReimbursable" if number % 10 == 4 else "Personal"
        made["billable"] = False
    return made


# --- procurement


def _orders(people: Population, receipts: int, dice: random.Random) -> list[dict[str, Any]]:
    """Purchase orders with exactly this many packing slips together."""
    orders: list[dict[str, Any]] = []
    left = receipts
    while left:
        slips = 2 if len(orders) % 6 == 5 and left > 1 else 1
        orders.append(_order(len(orders), slips, people, dice))
        left -= slips
    return orders


def _order(number: int, slips: int, people: Population, dice: random.Random) -> dict[str, Any]:
    received = f"{_day(number)}T{9 + number % 9:02}:21:58Z"
    lines = [
        {
            "id": number * 10 + slip * 4 + step + 1,
            "item": item.identifier,
            "quantity": str(quantity := dice.randrange(1, 12)),
            "received": str(quantity),
            "unitCost": str(item.cost),
            "packingSlip": f"PS{number}-{slip + 1}",
            "dateReceived": received,
            "closed": True,
        }
        for slip in range(slips)
        for step in range(1 + number % 3)
        for item in (people.item(number * 3 + step + slip),)
    ]
    made: dict[str, Any] = {
        "id": 8001 + number,
        "poNumber": str(20001 + number),
        "vendor": people.vendors[number % len(people.vendors)].id,
        "date": _day(number),
        "lines": lines,
        "location": 11 if number % 5 == 3 else 2,
        "warehouse": 2 if number % 5 == 3 else 1,
    }
    if slips == 1 and number % 3:
        made |= {"vendorInvoiceNumber": f"VI-{30001 + number}", "vendorInvoiceDate": _day(number)}
    if number % 4 == 2:
        made |= {"freight": "18.75", "freightPackingSlip": f"PS{number}-1"}
    if number % 5 == 2:
        made |= {"taxCode": 11 + number % 3, "taxPo": True, "taxFreight": number % 2 == 0}
    return made


def _stock(people: Population, number: int) -> Product:
    goods = [item for item in people.products if item.type == STOCK_TYPE]
    return goods[number % len(goods)]


def _adjustment(number: int, people: Population, dice: random.Random) -> dict[str, Any]:
    sign = -1 if number % 2 else 1
    lines = []
    for step in range(1 + number % 2):
        item = _stock(people, number + step)
        lines.append(
            {
                "id": number * 2 + step + 1,
                "item": item.identifier,
                "quantity": sign * dice.randrange(1, 5),
                "unitCost": str(item.cost),
            }
        )
    return {
        "id": 9001 + number,
        "identifier": f"Count {number}",
        "date": _day(number),
        "reason": "Stock count",
        "lines": lines,
    }


def _transfer(number: int, people: Population, dice: random.Random) -> dict[str, Any]:
    item = _stock(people, number)
    line = {
        "item": item.identifier,
        "quantity": dice.randrange(1, 5),
        "unitCost": str(item.cost),
        "fromBin": 1,
        "toBin": 2 if number % 3 == 1 else 3,
    }
    return {
        "id": 9501 + number,
        "date": _day(number),
        "lines": [line],
        "notes": f"Transfer {number}",
    }


# --- books


def _books(people: Population) -> tuple[Books, list[OpeningStock]]:
    """The chart, tax codes and periods of the fixtures with the generated customers, vendors and items."""
    from sage50kit.connectors.embedded import OpeningStock, read_lists

    lists, _ = read_lists(dataset.fixtures_folder() / "company")
    books = replace(
        lists,
        customers=tuple(people.book_customers),
        vendors=tuple(people.book_vendors),
        items=tuple(people.book_items),
    )
    cost = {item.identifier: item.cost for item in people.products}
    stock = [
        OpeningStock(
            item_id=item.item_id,
            quantity=Decimal(100_000),
            unit_cost=cost[item.item_id],
            date=date(2026, 1, 1),
        )
        for item in people.book_items
        if item.item_class == "stock"
    ]
    return books, stock
