"""A site and a company that hold the same invoices, and the sync between them, for tests of payments."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from sage50kit.connectors.embedded import EmbeddedCompany, create_company, read_lists
from sage50kit.connectwise.client import Client, Credentials
from sage50kit.connectwise.payments import InvoicePayments
from sage50kit.model import Distribution, Document
from sage50kit.payments import apply, planning, portal, receipts
from sage50kit.payments.record import PaymentRecord
from sage50kit.profile import ConnectWiseSettings
from sage50kit.pushlog import PushLog
from sage50kit.sandbox.dataset import fixtures_folder
from sage50kit.sandbox.faults import Faults
from sage50kit.sandbox.serve import running
from sage50kit.sandbox.state import Site
from tests.site_forms import content

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sage50kit.payments.model import PaymentPlan
    from sage50kit.payments.report import PaymentReport

CUSTOMERS = {"HILLSCHOOL": 103, "GULFCOAST": 102}
FIRST = date(2026, 10, 1)
TODAY = date(2026, 10, 31)


def dollars(value: str | int) -> Decimal:
    """An amount."""
    return Decimal(value)


def site_invoice(number: str, amount: str, customer: str, at: int, **more: Any) -> dict[str, Any]:
    """An invoice without tax, as the site keeps it."""
    line = {"kind": "time", "price": amount, "description": "Visit"}
    made = {"id": at, "invoiceNumber": number, "type": "Standard", "company": CUSTOMERS[customer]}
    return made | {"date": FIRST.isoformat(), "lines": [line], "taxable": False} | more


def book_invoice(number: str, amount: str, customer: str, *, credit: bool = False) -> Document:
    """The same invoice, or a credit memo, as it is posted."""
    sign = -1 if credit else 1
    return Document(
        type="credit_memo" if credit else "sales_invoice",
        key=f"invoice:{customer}{number}",
        transactions=(f"invoice:{customer}{number}",),
        number=number,
        reference=number,
        posting_date=FIRST,
        document_date=FIRST,
        distributions=(Distribution(account_id="4000", amount=-sign * Decimal(amount)),),
        control_account_id="1100",
        control_amount=sign * Decimal(amount),
        party_id=customer,
    )


@dataclass
class Stage:
    """Both ends, the log between them, and what was sent."""

    site: Site
    company: Any
    connectwise: InvoicePayments
    log: PushLog
    record: PaymentRecord
    faults: Faults
    waited: list[float] = field(default_factory=list)
    portal: bool = False  # whether payments of the portal are carried too

    def plan(self, since: str = "last", *, full: bool = False) -> PaymentPlan:
        """What a sync would do."""
        known = self.record.known()
        reading = receipts.read(self.company, known, since=since, full=full, today=TODAY)
        ends = {"company": self.company, "connectwise": self.connectwise}
        found = portal.listed(known, today=TODAY, **ends) if self.portal else planning.NOTHING
        return planning.plan(
            reading,
            known,
            connectwise=self.connectwise,
            site=self.connectwise.client.name,
            company=self.company.name,
            currency="USD",
            portal=found,
        )

    def apply(self, plan: PaymentPlan) -> PaymentReport:
        """Carry out a plan."""
        return apply.apply(
            plan,
            company=self.company,
            connectwise=self.connectwise,
            log=self.log,
            record=self.record,
        )

    def sync(self, since: str = "last", *, full: bool = False) -> PaymentReport:
        """Plan and apply."""
        return self.apply(self.plan(since, full=full))

    def shown(self) -> dict[str, tuple[Decimal, ...]]:
        """The amounts of all payment rows in ConnectWise by invoice number; invoices without left out."""
        names = {row.id: row.invoice_number for row in self.site.records.invoices}
        rows = self.site.views.payments.items()
        return {names[key]: tuple(row.amount for row in found) for key, found in rows if found}

    def dates(self, number: str) -> list[date]:
        """The payment dates that an invoice shows."""
        ids = {row.invoice_number: row.id for row in self.site.records.invoices}
        rows = self.site.views.payments.get(ids[number], [])
        return [row.payment_date.date() for row in rows if row.payment_date]

    def sent(self) -> tuple[int, int]:
        """How many (reads, writes) arrived since the last call, finding the site left aside."""
        seen = [row for row in self.faults.seen if "/login/" not in row.path]
        self.faults.seen.clear()
        writes = sum(row.method != "GET" for row in seen)
        return len(seen) - writes, writes

    def pay(self, reference: str, on: int, customer: str = "HILLSCHOOL", **more: Any) -> Any:
        """A receipt of a day in October; `applied` and the like as text."""
        words = {
            name: {number: Decimal(amount) for number, amount in value.items()}
            if isinstance(value, dict)
            else Decimal(value)
            if name == "unapplied"
            else value
            for name, value in more.items()
        }
        day = FIRST.replace(day=on)
        return self.company.enter_receipt(customer, reference=reference, date=day, **words)


@contextmanager
def staged(
    folder: Path,
    invoices: dict[str, str],
    *,
    others: dict[str, str] | None = None,
    **records: Any,
) -> Iterator[Stage]:
    """Serve a site with these invoices of HILLSCHOOL (and `others` of GULFCOAST), all in the books.

    Args:
        folder: for company and log.
        invoices: amount by number.
        others: amount by number.
        records: more records of the site, such as `payments`; `log_at` is where the log is.
    """
    owned = [(number, amount, "HILLSCHOOL") for number, amount in invoices.items()]
    owned += [(number, amount, "GULFCOAST") for number, amount in (others or {}).items()]
    switches = records.pop("switches", None)
    log_at = records.pop("log_at", folder / "lakeside.company.pushlog")
    kept = [site_invoice(*row, 50001 + place) for place, row in enumerate(owned)]
    site = Site.load(content(invoices=kept, **records), switches=switches)
    books, stock = read_lists(fixtures_folder() / "company")
    faults = Faults()
    with ExitStack() as stack:
        path = folder / "lakeside.company"
        company: EmbeddedCompany = stack.enter_context(
            create_company(path, books, name="Lakeside", opening_stock=stock)
        )
        for row in owned:
            company.post(book_invoice(*row))
        server = stack.enter_context(running(site, faults=faults))
        waited: list[float] = []
        settings = ConnectWiseSettings(
            site=server.site, company=server.company, client_id=server.client_id
        )
        keys = Credentials(server.public_key, SecretStr(server.private_key))
        client = stack.enter_context(Client(settings, keys, pause=waited.append))
        log = PushLog(log_at, site=client.name, actor="controller")
        stack.callback(log.close)
        record = PaymentRecord(log, company.name)
        yield Stage(site, company, InvoicePayments(client), log, record, faults, waited)
        assert company.differences() == []
        assert log.verify() == []
