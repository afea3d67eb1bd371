"""A site and a company with chosen invoices, for tests of what is owed: pushed, paid and changed for real."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sage50kit.connectors.embedded import create_company, read_lists
from sage50kit.demo import DemoProfile
from sage50kit.kit import Kit
from sage50kit.model import Account, Distribution, Document
from sage50kit.money import ZERO
from sage50kit.sandbox import dataset
from sage50kit.sandbox.serve import running
from sage50kit.sandbox.state import Site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CUSTOMER = "HILLSCHOOL"
OTHER_RECEIVABLES = "1150"
DAY = date(2026, 10, 15)


def invoice(number: int, amount: str, **more: Any) -> dict[str, Any]:
    """An invoice of one hour for a school without tax; negative amounts make a credit memo."""
    kind = "CreditMemo" if amount.startswith("-") else "Standard"
    line = {"kind": "time", "quantity": "1", "price": amount, "description": "Support"}
    words = {"id": number, "invoiceNumber": f"R-{number}", "type": kind, "company": 103}
    return {**words, "date": DAY.isoformat(), "lines": [line], "taxable": False, **more}


@dataclass(frozen=True)
class Stage:
    """The pair, and short ways to work on both sides of it."""

    kit: Kit
    site: Site

    def push(self, *numbers: int, batch: str) -> None:
        """Push some invoices as a batch."""
        keys = [f"invoice:{number}" for number in numbers]
        unposted = self.kit.fetch(kinds=["invoice"])
        plan = self.kit.plan(unposted[unposted["key"].isin(keys)], batch=batch)
        report = self.kit.push(plan, dry_run=False)
        assert report.exit_code == 0, report.headline

    def place(self, number: str) -> str:
        """Where the company has an invoice."""
        return next(row.place for row in self.company.receivables() if row.reference == number)

    def enter(self, number: str, amount: str, **more: Any) -> str:
        """Enter an invoice in Sage 50 by hand; returns its place."""
        whole, account = Decimal(amount), more.pop("account", "1100")
        day = more.pop("day", DAY)
        posted = self.company.post(
            Document(
                type="sales_invoice" if whole >= 0 else "credit_memo",
                key=f"hand:{number}",
                transactions=(),
                number=number,
                reference=number,
                posting_date=day,
                document_date=day,
                due_date=day,
                distributions=(Distribution(account_id="4000", amount=-whole),),
                control_account_id=account,
                control_amount=whole,
                party_id=more.pop("customer", CUSTOMER),
            )
        )
        return posted.place

    def journal(self, number: str, account: str, amount: str) -> str:
        """Enter a general journal entry against revenue; returns its place."""
        whole = Decimal(amount)
        lines = (
            Distribution(account_id=account, amount=whole),
            Distribution(account_id="4000", amount=ZERO - whole),
        )
        return self.company.post(
            Document(
                type="journal_entry",
                key=f"transfer:{number}",
                transactions=(),
                number=number,
                reference=number,
                posting_date=DAY,
                document_date=DAY,
                distributions=lines,
            )
        ).place

    def receive(self, reference: str, day: date, **words: Any) -> Any:
        """Enter a receipt of the school."""
        return self.company.enter_receipt(CUSTOMER, reference=reference, date=day, **words)

    def pay(self, number: int, amount: str, day: date) -> None:
        """Record a payment in ConnectWise by its REST API."""
        body = {"type": "P", "amount": Decimal(amount), "paymentDate": f"{day}T00:00:00Z"}
        self.kit.connectwise.client.post(f"/finance/invoices/{number}/payments", body)

    @property
    def company(self) -> Any:
        """The embedded company, with what only a bookkeeper does."""
        return self.kit.company


@contextmanager
def receivables_stage(
    folder: Path,
    invoices: list[dict[str, Any]],
    *,
    cut_over: date | None = None,
    accounts: tuple[str, ...] = (),
) -> Iterator[Stage]:
    """The fixtures' lists with these invoices over HTTP, and their company new in `folder`."""
    content = dataset.read(dataset.fixtures_folder() / "connectwise.json")
    words = {name: content[name] for name in ("format", "name", "loginCompany", "tables")}
    site = Site.load({**words, "invoices": invoices})
    books, stock = read_lists(dataset.fixtures_folder() / "company")
    create_company(folder / "c.company", books, name="Lakeside", opening_stock=stock).close()
    with running(site) as server:
        profile = DemoProfile.parse(_settings(server, cut_over, accounts), folder=folder)
        with Kit(profile) as kit:
            company: Any = kit.company
            company.add(Account(account_id=OTHER_RECEIVABLES, description="Old A/R", type=1))
            yield Stage(kit, site)


def _settings(server: Any, cut_over: date | None, accounts: tuple[str, ...]) -> dict[str, Any]:
    site = {"site": server.site, "company": server.company, "client_id": server.client_id}
    return {
        "name": "receivables",
        "workdir": "work",
        "connectwise": site,
        "sage": {"company_file": "c.company", "receivable_accounts": accounts},
        "push": {"initials": "JD", "rounding_account": "6900", "cut_over": cut_over},
        "keys": {"public_key": server.public_key, "private_key": server.private_key},
    }
