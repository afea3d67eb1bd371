"""What a ConnectWise site keeps, before accounting looks at it: the records of a data set.

Amounts are `Decimal`, dates are days. References to setup tables are ids. A record becomes GL entries in
`closing.py`; what a client sees are projections of both.
"""

from __future__ import annotations

from datetime import date, datetime  # msgspec reads the annotations
from decimal import Decimal
from typing import Annotated, Any, Literal, TypeAlias

from msgspec import Meta, Struct, field

LineKind: TypeAlias = Literal[
    "time", "expense", "product", "agreement", "agreement_product", "down_payment", "discount"
]
InvoiceType: TypeAlias = Literal[
    "Standard", "Agreement", "Miscellaneous", "Progress", "DownPayment", "CreditMemo"
]
Classification: TypeAlias = Literal["Reimbursable", "NonReimbursable", "Personal"]

Day: TypeAlias = date  # fields called `date` would hide the class
Id: TypeAlias = Annotated[int, Meta(ge=1)]
ONE = Decimal(1)
ZERO = Decimal(0)


class _Record(Struct, forbid_unknown_fields=True, rename="camel", omit_defaults=True, kw_only=True):
    """A record of a data set; names on disk are in camel case, unknown ones are refused."""


class Line(_Record):
    """One line of an invoice. Price and cost are dollars a unit; a credit has a negative price or quantity."""

    kind: LineKind
    description: str = ""
    quantity: Decimal = ONE
    price: Decimal = ZERO
    cost: Decimal = ZERO
    item: str = ""  # catalogue identifier
    taxable: bool = False
    expense_type: int = 0
    drop_ship: bool = False
    serial_numbers: str = ""
    notes: str = ""  # what a Detailed export adds

    @property
    def amount(self) -> Decimal:
        """Dollars of the line, unrounded, as ConnectWise keeps it."""
        return self.quantity * self.price


class Invoice(_Record):
    """An invoice or credit memo (its lines are negative)."""

    id: Id
    invoice_number: Annotated[str, Meta(min_length=1, max_length=15)]
    type: InvoiceType
    company: Id
    date: Day
    lines: list[Line]
    status: int = 0  # billing status; 0 is the default closed one
    bill_to: int = 0  # company; 0 is the company itself
    ship_to: int = 0
    location: Id = 2
    department: Id = 10
    billing_terms: int = 0  # 0 is the company's
    due_date: Day | None = None
    tax_code: int = 0  # 0 is the company's
    taxable: bool = True
    taxes: list[Decimal] | None = None  # per level, where ConnectWise differs from rate times base
    total: Decimal | None = None  # where ConnectWise's own total differs from its lines
    attention: str = ""
    customer_po: str = field(default="", name="customerPO")
    agreement: int = 0
    project: str = ""
    top_comment: str = ""
    closed_at: datetime | None = None
    closed_by: str = "Admin1"
    gl_entries: bool = (
        True  # False: ConnectWise failed to make them (it happens, and cannot be batched)
    )
    batch: str = ""  # already in this batch
    credits: Decimal = ZERO  # applied in ConnectWise itself


class Payment(_Record):
    """Money recorded against an invoice."""

    id: Id
    invoice: Id
    amount: Decimal
    payment_date: datetime | None = None
    type: str = "P"
    source: str = ""
    applied_by: str = ""
    wise_pay_reference: str = ""  # a portal payment
    batch: str = ""


class Report(_Record):
    """An expense report of one member and one week; approved ones show their expenses."""

    id: Id
    member: Id
    date_start: Day
    date_end: Day
    status: str = "ApprovedByTierTwo"


class Expense(_Record):
    """One expense of a member."""

    id: Id
    report: Id
    type: Id
    amount: Decimal
    date: Day
    company: int = 0  # 0 is our own company
    payment_method: Id = 2
    classification: Classification = "Reimbursable"
    billable: bool = True
    location: Id = 2
    department: Id = 10
    notes: str = ""
    charge_closed: bool = True  # its ticket, project or charge code is closed
    closed_at: datetime | None = None
    gl_entries: bool = True
    batch: str = ""


class PurchaseLine(_Record):
    """One line of a purchase order; it is listed once received and closed, under its packing slip."""

    id: Id
    item: str
    quantity: Decimal
    unit_cost: Decimal
    description: str = ""
    received: Decimal = ZERO
    packing_slip: str = ""
    date_received: datetime | None = None
    closed: bool = False
    serial_numbers: str = ""


class PurchaseOrder(_Record):
    """A purchase order; without `vendor_invoice_number` its receipts wait on the bill."""

    id: Id
    po_number: Annotated[str, Meta(min_length=1, max_length=50)]
    vendor: Id
    date: Day
    lines: list[PurchaseLine]
    location: Id = 2
    department: Id = 10
    terms: int = 0
    status: int = 0
    warehouse: int = 1
    tax_code: int = 0
    tax_po: bool = False
    tax_freight: bool = False
    freight: Decimal = ZERO
    freight_packing_slip: str = ""
    vendor_invoice_number: str = ""
    vendor_invoice_date: Day | None = None
    ship_to: int = 0  # customer of a drop shipment
    shipment_method: str = ""
    gl_entries: bool = True
    batch: str = ""


class AdjustmentLine(_Record):
    """One item of an inventory adjustment; a positive quantity comes in."""

    id: Id
    item: str
    quantity: Annotated[int, Meta(ge=-100_000, le=100_000)]
    unit_cost: Decimal
    description: str = ""
    warehouse: Id = 1
    bin: Id = 1
    serial_number: str = ""


class Adjustment(_Record):
    """An inventory adjustment; closed ones are listed."""

    id: Id
    identifier: str
    lines: list[AdjustmentLine]
    date: Day
    type: Id = 1
    reason: str = ""
    closed: bool = True
    closed_by: str = "Admin1"
    gl_entries: bool = True
    batch: str = ""


class TransferLine(_Record):
    """One item moved from a bin to another."""

    item: str
    quantity: Annotated[int, Meta(ge=1)]
    unit_cost: Decimal
    from_bin: Id
    to_bin: Id
    serial_numbers: str = ""


class Transfer(_Record):
    """A complete inventory transfer."""

    id: Id
    lines: list[TransferLine]
    date: Day
    notes: str = ""
    gl_entries: bool = True
    batch: str = ""


class Records(_Record):
    """A whole data set: setup tables as ConnectWise shows them (references are ids), then records."""

    format: Literal[1]
    name: str  # of the company that owns the site
    login_company: str  # the id people sign in with
    tables: dict[str, list[dict[str, Any]]]
    invoices: list[Invoice] = []
    payments: list[Payment] = []
    expense_reports: list[Report] = []
    expenses: list[Expense] = []
    purchase_orders: list[PurchaseOrder] = []
    adjustments: list[Adjustment] = []
    transfers: list[Transfer] = []
    first_entry_id: Id = 1001  # GL entry ids count from here
