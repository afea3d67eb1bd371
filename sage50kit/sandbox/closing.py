"""A closed record becomes GL entries: accounts looked up once and frozen, ids fresh and growing.

Ids of a record are one run, in the order of the published samples: lines, then the receivable side, then
one entry per tax level. Reopening a record deletes its entries; closing it again makes new ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

from sage50kit.money import ZERO, cents, multiply, total

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping

    from sage50kit.sandbox.records import (
        Adjustment,
        Expense,
        Invoice,
        Line,
        PurchaseLine,
        PurchaseOrder,
        Transfer,
    )
    from sage50kit.sandbox.setup import Setup
    from sage50kit.sandbox.tables import Row

ClosedKind: TypeAlias = Literal["invoice", "expense", "purchase", "adjustment", "transfer"]

GL_TYPES = {
    "time": "R",
    "expense": "RE",
    "product": "RP",
    "agreement": "RA",
    "agreement_product": "AP",
    "down_payment": "RD",
    "discount": "SD",
}
# The receivable side has one entry per component of the invoice (samples: several ids in glEntryIds).
COMPONENTS = {
    "R": "time",
    "RE": "expenses",
    "RP": "products",
    "SD": "products",
    "RA": "agreement",
    "AP": "agreement",
    "RD": "deposit",
}
LEVELS = ("One", "Two", "Three", "Four", "Five", "Six")
TAXED_AS = {
    "time": "Services",
    "agreement": "Services",
    "down_payment": "Services",
    "expense": "Expenses",
}


class Account(NamedTuple):
    """One row of the GL account table as an entry freezes it. A segment may be empty: `4001:`."""

    segments: tuple[str, ...] = ()
    cogs: tuple[str, ...] = ()
    inventory: str = ""
    sales_code: str = ""
    product_id: str = ""


NOTHING = Account()


@dataclass(slots=True)
class Entry:
    """One GL entry; `amount` in dollars, debit positive. `line` and `level` say what it was made from."""

    id: int
    gl_type: str
    amount: Decimal
    account: Account
    line: int = -1
    level: int = 0
    cost: Decimal = ZERO
    batch: int = 0


class TaxLevel(NamedTuple):
    """One level of a tax code; `rate` is a fraction (0.07) or an amount."""

    level: int
    rate: Decimal
    rate_type: str
    tax_xref: str
    agency_xref: str
    level_id: int
    kinds: frozenset[str]


@dataclass(slots=True)
class Closed:
    """A closed record with its GL entries; the first entry of `rows` is the id in the unposted list."""

    kind: ClosedKind
    key: str
    record: Any
    entries: list[Entry]
    total: Decimal
    row_id: int
    taxes: tuple[tuple[TaxLevel, Decimal, Decimal], ...] = ()  # level, taxable dollars, tax dollars
    lines: tuple[
        Any, ...
    ] = ()  # what the entries' `line` counts: the received lines of a packing slip
    slip: str = ""
    payable: Account = NOTHING  # of a receipt: the header's account, frozen with the lines'

    @property
    def is_batched(self) -> bool:
        """Whether every entry is in a batch; a record without entries never is."""
        return bool(self.entries) and all(entry.batch for entry in self.entries)


@dataclass
class Numbers:
    """The counter of GL entry ids of a site."""

    following: int = 1001

    def take(self) -> int:
        """A fresh id, higher than any before."""
        taken = self.following
        self.following += 1
        return taken


class Accounts:
    """The GL account table: the account of a GL type for what a record is about, most specific first."""

    def __init__(self, setup: Setup) -> None:
        self._rows: dict[tuple[str, str, int], Account] = {}
        self._order: dict[str, list[str]] = {}
        for kind in sorted(
            setup.tables["mappedTypes"].values(), key=lambda row: row.get("sortOrder", 0)
        ):
            self._order.setdefault(kind["glType"], []).append(kind["name"])
        for row in setup.tables["glAccounts"].values():
            name = setup.row("mappedTypes", row["mappedType"])["name"]
            self._rows[row["glType"], name, row["mappedRecord"]["id"]] = frozen(row)

    def find(self, gl_type: str, about: Mapping[str, int]) -> Account:
        """The account of a GL type; an empty one where nothing is mapped, as ConnectWise does."""
        for name in self._order.get(gl_type, ()):
            found = self._rows.get((gl_type, name, about.get(name, 0)))
            if found is not None:
                return found
        return NOTHING


def frozen(row: Row) -> Account:
    """The part of a GL account row that an entry keeps."""
    return Account(
        segments=tuple(
            row[f"segment{n}"] for n in range(1, 11) if row.get(f"segment{n}") is not None
        ),
        cogs=tuple(row[f"cogs{n}"] for n in range(1, 11) if row.get(f"cogs{n}") is not None),
        inventory=row.get("inventory") or "",
        sales_code=row.get("salesCode") or "",
        product_id=row.get("productId") or "",
    )


class Closing:
    """Makes GL entries out of closed records."""

    def __init__(self, setup: Setup, *, first_id: int) -> None:
        self.setup = setup
        self.numbers = Numbers(first_id)
        self.accounts = Accounts(setup)
        self.items = {row["identifier"]: row for row in setup.tables["catalog"].values()}
        self._levels: dict[int, tuple[TaxLevel, ...]] = {}

    @property
    def package(self) -> Row:
        """The accounting package setup: its flags decide which entries are made."""
        return next(iter(self.setup.tables["accountingPackageSetup"].values()), {})

    def refresh(self) -> None:
        """Read the setup again after it changed; entries made before stay as they are."""
        self.accounts = Accounts(self.setup)
        self.items = {row["identifier"]: row for row in self.setup.tables["catalog"].values()}
        self._levels.clear()

    def _entry(self, gl_type: str, amount: Decimal, about: Mapping[str, int], **more: Any) -> Entry:
        account = self.accounts.find(gl_type, about)
        return Entry(self.numbers.take(), gl_type, amount, account, **more)

    def about_item(self, identifier: str) -> dict[str, int]:
        """What the GL account table may know an item by."""
        row = self.items.get(identifier)
        if row is None:
            return {}
        about = {"Product": row["id"], "Product Type": row["type"]}
        if "subcategory" in row:
            about["SubCategory"] = row["subcategory"]
        return about

    # --- invoices

    def tax_levels(self, tax_code: int) -> tuple[TaxLevel, ...]:
        """The levels of a tax code, none for 0."""
        if tax_code not in self._levels:
            row = self.setup.row("taxCodes", tax_code) if tax_code else {}
            self._levels[tax_code] = tuple(_levels(row))
        return self._levels[tax_code]

    def tax_code(self, invoice: Invoice) -> int:
        """The tax code of an invoice: its own, else its company's, else 0."""
        company = self.setup.row("companies", invoice.bill_to or invoice.company)
        return int(invoice.tax_code or company.get("taxCode") or 0)

    def measured(self, invoice: Invoice) -> Closed:
        """An invoice with its taxes and total, without GL entries."""
        taxes = tuple(self._taxes(invoice))
        whole = invoice.total
        if whole is None:
            tax = total(amount for _, _, amount in taxes)
            whole = cents(total(line.amount for line in invoice.lines) + tax)
        lines = tuple(invoice.lines)
        return Closed("invoice", f"invoice:{invoice.id}", invoice, [], whole, 0, taxes, lines)

    def invoice(self, invoice: Invoice) -> Closed:
        """Close an invoice."""
        closed = self.measured(invoice)
        if invoice.gl_entries:
            closed.entries = list(self._invoice_entries(invoice, closed))
            closed.row_id = next(entry.id for entry in closed.entries if entry.gl_type == "AR")
        else:
            closed.row_id = self.numbers.take()
        return closed

    def _invoice_entries(self, invoice: Invoice, closed: Closed) -> Iterator[Entry]:
        place = {
            "Location": invoice.location,
            "Department": invoice.department,
            "Company": invoice.company,
        }
        components: dict[str, Decimal] = {}
        for number, line in enumerate(invoice.lines):
            gl_type = GL_TYPES[line.kind]
            about = place | self.about_item(line.item) | {"Expense Type": line.expense_type}
            cost = multiply(line.quantity, line.cost)
            yield self._entry(gl_type, -line.amount, about, line=number, cost=cost)
            component = COMPONENTS[gl_type]
            components[component] = components.get(component, ZERO) + line.amount
        if tax := total(amount for _, _, amount in closed.taxes):
            components["tax"] = tax
        for amount in _in_cents(components.values(), closed.total):
            yield self._entry("AR", amount, place)
        for level, _, amount in closed.taxes:
            yield self._entry(
                "ST", -amount, place | {"Tax Code Level": level.level_id}, level=level.level
            )

    def _taxes(self, invoice: Invoice) -> Iterator[tuple[TaxLevel, Decimal, Decimal]]:
        if not self.package.get("includeSalesTaxFlag", True):
            return
        for number, level in enumerate(self.tax_levels(self.tax_code(invoice))):
            base = (
                total(line.amount for line in invoice.lines if _is_taxed(line, level))
                if invoice.taxable
                else ZERO
            )
            if invoice.taxes is not None:
                tax = invoice.taxes[number] if number < len(invoice.taxes) else ZERO
            else:
                tax = (
                    multiply(base, level.rate)
                    if level.rate_type == "Percent"
                    else (level.rate if base else ZERO)
                )
            if tax or base or self.package.get("zeroDollarTaxAmountsFlag"):
                yield level, base, tax

    # --- expenses

    def expense(self, expense: Expense) -> Closed:
        """Close an expense. One that nobody is paid back for has no offset (it can only be cleared)."""
        closed = Closed("expense", f"expense:{expense.id}", expense, [], expense.amount, 0)
        place = {
            "Location": expense.location,
            "Department": expense.department,
            "Expense Type": expense.type,
        }
        about = place | {"Payment Type": expense.payment_method}
        if expense.gl_entries:
            closed.entries.append(
                self._entry("EE" if expense.company else "EI", expense.amount, about, line=0)
            )
            if expense.classification == "Reimbursable":
                closed.entries.append(self._entry("EO", -expense.amount, about))
        closed.row_id = closed.entries[0].id if closed.entries else self.numbers.take()
        return closed

    # --- procurement

    def receipts(self, order: PurchaseOrder, *, without: Container[str] = ()) -> Iterator[Closed]:
        """Close the received lines of a purchase order, one packing slip after the other."""
        slips: dict[str, list[PurchaseLine]] = {}
        for line in order.lines:
            if line.closed and line.received:
                slips.setdefault(line.packing_slip or order.po_number, []).append(line)
        for number, (slip, lines) in enumerate(slips.items()):
            freighted = slip == order.freight_packing_slip or (
                not order.freight_packing_slip and number == 0
            )
            if slip not in without:
                yield self._receipt(order, slip, lines, order.freight if freighted else ZERO)

    def _receipt(
        self, order: PurchaseOrder, slip: str, lines: list[PurchaseLine], freight: Decimal
    ) -> Closed:
        closed = Closed(
            "purchase",
            f"receipt:{order.id}-{slip}-purchase",
            order,
            [],
            ZERO,
            0,
            (),
            tuple(lines),
            slip,
        )
        if not order.gl_entries:
            closed.row_id = self.numbers.take()
            closed.total = (
                total(multiply(line.received, line.unit_cost) for line in lines) + freight
            )
            return closed
        place = {
            "Location": order.location,
            "Department": order.department,
            "Warehouse": order.warehouse,
        }
        closed.payable = self.accounts.find("P", place | {"Company": order.vendor})
        levels = self.tax_levels(order.tax_code)
        for number, line in enumerate(lines):
            amount = multiply(line.received, line.unit_cost)
            about = place | self.about_item(line.item)
            closed.entries.append(self._entry("RP", amount, about, line=number, cost=amount))
        if freight:
            closed.entries.append(self._entry("PF", freight, place, cost=freight))
        if order.tax_po:
            closed.entries += self._purchase_taxes(lines, levels, place)
        if order.tax_freight and freight:
            for level in levels:
                tax = multiply(freight, level.rate)
                about = place | {"Tax Code Level": level.level_id}
                closed.entries.append(self._entry("FT", tax, about, level=level.level, cost=tax))
        closed.total = total(entry.amount for entry in closed.entries)
        closed.row_id = closed.entries[0].id
        return closed

    def _purchase_taxes(
        self, lines: list[PurchaseLine], levels: Iterable[TaxLevel], place: Mapping[str, int]
    ) -> Iterator[Entry]:
        for number, line in enumerate(lines):
            for level in levels:
                tax = multiply(multiply(line.received, line.unit_cost), level.rate)
                about = {**place, "Tax Code Level": level.level_id}
                yield self._entry("PT", tax, about, line=number, level=level.level, cost=tax)

    def adjustment(self, adjustment: Adjustment) -> Closed:
        """Close an inventory adjustment: one entry an item, a debit where stock comes in."""
        key = f"adjustment:{adjustment.id}-adjustment"
        closed = Closed("adjustment", key, adjustment, [], ZERO, 0, (), tuple(adjustment.lines))
        for number, line in enumerate(adjustment.lines if adjustment.gl_entries else ()):
            amount = multiply(Decimal(line.quantity), line.unit_cost)
            warehouse = self.setup.row("warehouses", line.warehouse)
            about = self.about_item(line.item) | {
                "Warehouse": line.warehouse,
                "Location": warehouse["location"],
            }
            closed.entries.append(self._entry("IA", amount, about, line=number, cost=abs(amount)))
        closed.total = total(
            multiply(Decimal(line.quantity), line.unit_cost) for line in adjustment.lines
        )
        closed.row_id = closed.entries[0].id if closed.entries else self.numbers.take()
        return closed

    def transfer(self, transfer: Transfer) -> Closed:
        """Close an inventory transfer: for each item an entry where it goes and its offset where it was."""
        key = f"transfer:{transfer.id}-transfer"
        closed = Closed("transfer", key, transfer, [], ZERO, 0, (), tuple(transfer.lines))
        for number, line in enumerate(transfer.lines if transfer.gl_entries else ()):
            amount = multiply(Decimal(line.quantity), line.unit_cost)
            item = self.about_item(line.item)
            for place, signed in ((line.to_bin, amount), (line.from_bin, -amount)):
                about = item | self._about_bin(place)
                closed.entries.append(self._entry("IT", signed, about, line=number, cost=amount))
        closed.total = total(
            multiply(Decimal(line.quantity), line.unit_cost) for line in transfer.lines
        )
        closed.row_id = closed.entries[0].id if closed.entries else self.numbers.take()
        return closed

    def _about_bin(self, place: int) -> dict[str, int]:
        warehouse = self.setup.row(
            "warehouses", self.setup.row("warehouseBins", place)["warehouse"]
        )
        return {"Warehouse": warehouse["id"], "Location": warehouse["location"]}


def _levels(row: Row) -> Iterator[TaxLevel]:
    for number, word in enumerate(LEVELS, start=1):
        rate = row.get(f"level{word}Rate")
        if rate is None:
            continue
        kinds = frozenset(
            kind
            for kind in ("Services", "Expenses", "Products")
            if row.get(f"level{word}{kind}Flag", True)
        )
        yield TaxLevel(
            number,
            Decimal(rate),
            row.get(f"level{word}RateType", "Percent"),
            row.get(f"level{word}TaxCodeXref") or "",
            row.get(f"level{word}AgencyXref") or "",
            row["id"] * 10 + number,
            kinds,
        )


def _is_taxed(line: Line, level: TaxLevel) -> bool:
    return line.taxable and TAXED_AS.get(line.kind, "Products") in level.kinds


def _in_cents(amounts: Iterable[Decimal], whole: Decimal) -> list[Decimal]:
    """The components in cents, adding up to the invoice's total (the first one takes the difference)."""
    parts = [cents(amount) for amount in amounts] or [ZERO]
    parts[0] += whole - total(parts)
    return parts
