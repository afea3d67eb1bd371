"""Who and what a generated site trades with: customers, vendors, members, items, and their matching books."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sage50kit.model import Customer, Item, Vendor
from sage50kit.money import cents

if TYPE_CHECKING:
    from random import Random

    from sage50kit.model import CreditStatus, ItemClass

FIRST = (
    "Bay",
    "Cypress",
    "Harbor",
    "Lakeview",
    "Gulf",
    "Palm",
    "Summit",
    "Heritage",
    "Coral",
    "Pinnacle",
    "Magnolia",
    "Sunset",
)
SECOND = (
    "Dental",
    "Freight",
    "Logistics",
    "Roofing",
    "Charter Schools",
    "Family Vision",
    "Insurance",
    "Marine Supply",
    "Title",
    "Construction",
)
ENDINGS = ("LLC", "Inc.", "Group", "& Sons", "Co.", "Partners")
INTERNATIONAL = (
    "Müller & Söhne Maschinenbau GmbH",
    "Société Générale d'Électricité du Midi",
    "Østersund Fiskeri A/S",
    "日本ソリューションズ株式会社",
    "Ελληνική Ναυτιλιακή Α.Ε.",
    "Żółw i Spółka Sp. z o.o.",
    "مؤسسة النور للتقنية",
)
LONG = "The Greater Tampa Bay Association of Independent"  # with its number longer than a name in the books
CITIES = (
    ("Tampa", "FL", "33602"),
    ("Orlando", "FL", "32801"),
    ("Brandon", "FL", "33511"),
    ("Lakeland", "FL", "33801"),
)
TAX_CODES = (13, 12, 11, 14)  # three levels, two, one, none
CODE_NAMES = {11: "FL", 12: "FLHILL", 13: "FLTPA"}
# product type of the fixtures: words, class, price range in dollars, sales account
CLASSES: dict[int, tuple[str, ItemClass, int, int, str, str]] = {
    1: ("Switch", "stock", 40, 900, "4200", "HW"),
    2: ("Subscription", "non_stock", 5, 60, "4210", "SW"),
    3: ("Fee", "description_only", 20, 400, "", "FEE"),
    4: ("Labor hour", "service", 80, 200, "4000", "LAB"),
    5: ("Sundry", "description_only", 2, 90, "", "MISC"),
}
PRODUCT_CLASSES = {
    1: "Inventory",
    2: "NonInventory",
    3: "NonInventory",
    4: "Service",
    5: "NonInventory",
}


@dataclass(frozen=True, slots=True)
class Party:
    """A company of the site: its record id, its id in the books, its tax code."""

    id: int
    identity: str
    tax_code: int = 0


@dataclass(frozen=True, slots=True)
class Product:
    """A catalogue item: identifier, product type, dollars a unit."""

    identifier: str
    type: int
    price: Decimal
    cost: Decimal


@dataclass
class Population:
    """Everybody and everything, as tables of the site and as lists of the books."""

    tables: dict[str, list[dict[str, Any]]]
    customers: list[Party] = field(default_factory=list)
    vendors: list[Party] = field(default_factory=list)
    members: list[int] = field(default_factory=list)
    products: list[Product] = field(default_factory=list)
    book_customers: list[Customer] = field(default_factory=list)
    book_vendors: list[Vendor] = field(default_factory=list)
    book_items: list[Item] = field(default_factory=list)

    def add_company(self, number: int, name: str, **fields: Any) -> dict[str, Any]:
        """Add a company with its site and contact; returns its row."""
        city, state, code = CITIES[number % len(CITIES)]
        address = {
            "addressLine1": f"{100 + number} Main St",
            "city": city,
            "state": state,
            "zip": code,
        }
        row = {
            "id": number,
            "identifier": f"CO{number}",
            "name": name[:50],
            **address,
            "country": {"id": 1, "identifier": "US", "name": "United States"},
            "phoneNumber": f"813555{number % 10000:04}",
            "site": number,
            "defaultContact": number,
            "billToCompany": number,
            "currency": 1,
            "territory": 2,
            "deletedFlag": False,
            **fields,
        }
        self.tables["companies"].append(row)
        self.tables["sites"].append(
            {
                "id": number,
                "name": "Main",
                "company": number,
                **{k: address[k] for k in ("addressLine1", "city", "zip")},
            }
        )
        self.tables["contacts"].append(
            {
                "id": number,
                "firstName": "Pat",
                "lastName": f"Contact {number}",
                "company": number,
                "site": number,
            }
        )
        return row

    def item(self, number: int) -> Product:
        """One of the items, any number."""
        return self.products[number % len(self.products)]


def populate(tables: dict[str, list[dict[str, Any]]], size: int, dice: Random) -> Population:
    """The people and things of a site with about `size` invoices; `tables` are the setup of the fixtures."""
    made = Population(
        tables
        | {
            name: []
            for name in (
                "sites",
                "contacts",
                "catalog",
                "companyFinance",
                "agreements",
                "additions",
            )
        }
    )
    owner = [row for row in tables["companies"] if row["id"] == 1]
    made.tables["companies"] = []
    made.add_company(1, owner[0]["name"], types=[7])
    made.tables["members"] = list(tables["members"])
    for number in range(max(25, min(2000, size // 20))):
        _customer(made, number)
    for number in range(max(8, min(200, size // 200))):
        _vendor(made, number)
    for number in range(max(4, min(150, size // 300))):
        _member(made, number)
    for number in range(max(30, min(500, size // 50))):
        _product(made, number, dice)
    return made


def customer_name(number: int) -> str:
    """Names of every sort: plain, international, too long for the books."""
    if number % 12 == 5:
        return f"{INTERNATIONAL[number // 12 % len(INTERNATIONAL)]} {number}"
    if number % 15 == 7:
        return LONG[: 49 - len(str(number))] + f" {number}"
    return f"{FIRST[number % 12]} {SECOND[number // 12 % 10]} {ENDINGS[number % 6]} {number}"


def _customer(made: Population, number: int) -> None:
    identity = f"C{10000 + number}"
    party = Party(1001 + number, identity, TAX_CODES[number % 4])
    made.customers.append(party)
    terms = 2 + number % 3
    row = made.add_company(
        party.id,
        customer_name(number),
        accountNumber=identity,
        taxCode=party.tax_code,
        billingTerms=terms,
        types=[1],
        invoiceToEmailAddress=f"ap{number}@customer.example",
    )
    if number % 20 == 13:
        return  # the books do not know it: created by the push
    days = {2: 10, 3: 30, 4: 45}[terms]
    status: CreditStatus = "no_limit"
    if number % 25 in (3, 9):
        status = "always_notify" if number % 25 == 3 else "notify_over_limit"
    if number == 17:
        status = "always_hold"
    made.book_customers.append(
        Customer(
            customer_id=identity,
            name=row["name"][:39],
            due_days=days,
            terms=f"Net {days} Days",
            tax_code=CODE_NAMES.get(party.tax_code, ""),
            sales_account_id="4000",
            credit_status=status,
            credit_limit=Decimal(500),
        )
    )


def _vendor(made: Population, number: int) -> None:
    identity = f"V{1000 + number}"
    party = Party(5001 + number, identity)
    made.vendors.append(party)
    row = made.add_company(
        party.id,
        f"{FIRST[-1 - number % 12]} Supply {number}",
        accountNumber="",
        vendorIdentifier=identity,
        billingTerms=2 + number % 3,
        types=[6],
        isVendorFlag=True,
    )
    if number % 8 != 5:
        made.book_vendors.append(
            Vendor(vendor_id=identity, name=row["name"], expense_account_id="5100")
        )


def _member(made: Population, number: int) -> None:
    pattern = next(row for row in made.tables["members"] if row["identifier"] == "jdoe")
    key, identity = 2001 + number, f"E{100 + number}"
    made.members.append(key)
    made.tables["members"].append(
        {
            **pattern,
            "id": key,
            "identifier": f"member{number}",
            "firstName": FIRST[number % 12],
            "lastName": f"Technician {number}",
            "vendorNumber": identity,
        }
    )
    made.book_vendors.append(
        Vendor(
            vendor_id=identity,
            name=f"{FIRST[number % 12]} Technician {number}",
            expense_account_id="6100",
            is_member=True,
        )
    )


def _product(made: Population, number: int, dice: Random) -> None:
    kind = 1 + number % 5
    words, item_class, low, high, sales, prefix = CLASSES[kind]
    price = Decimal(dice.randrange(low * 100, high * 100)) / 100
    product = Product(f"{prefix}-{number:04}", kind, price, cents(price * Decimal("0.65")))
    made.products.append(product)
    made.tables["catalog"].append(
        {
            "id": 3001 + number,
            "identifier": product.identifier,
            "description": f"{words} {number}",
            "subcategory": 24 + number % 3,
            "category": 1,
            "type": kind,
            "productClass": PRODUCT_CLASSES[kind],
            "serializedFlag": kind == 1 and number % 25 == 10,
            "unitOfMeasure": 13,
            "price": product.price,
            "cost": product.cost,
            "customerDescription": f"{words} {number}, as ordered",
            "inactiveFlag": False,
        }
    )
    if number % 29 == 20:
        return  # unknown to the books
    plain = Item(
        item_id=product.identifier,
        description=f"{words} {number}",
        item_class=item_class,
        price=price,
    )
    if item_class != "description_only":
        second = "1200" if item_class == "stock" else "6000"
        plain = replace(
            plain,
            sales_account_id=sales,
            inventory_account_id=second,
            cogs_account_id="5000",
            last_unit_cost=product.cost,
        )
    made.book_items.append(plain)
