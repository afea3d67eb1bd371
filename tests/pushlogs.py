"""Logs of both kinds, and short plans to record in them."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sage50kit.model import Customer, Distribution, Document, Plan, Transaction
from sage50kit.pushlog import PushLog

if TYPE_CHECKING:
    import pytest
    import sqlalchemy as sa

    from tests.postgres import Postgres


@dataclass(frozen=True)
class Place:
    """Where a log is kept."""

    at: Path | sa.URL
    server: Postgres | None = None

    @property
    def address(self) -> str:
        """The place as text, for another process."""
        return str(self.at) if isinstance(self.at, Path) else self.at.render_as_string(False)

    def open(self, **more: Any) -> PushLog:
        """The log there, as a program would open it."""
        return PushLog(self.at, **{"site": "site", "actor": "tester", "company": "Acme", **more})

    def run(self, statement: str) -> list[Any]:
        """Run a statement behind the log's back."""
        if self.server is not None and not isinstance(self.at, Path):
            return self.server.run(self.at, statement)
        with closing(sqlite3.connect(str(self.at), isolation_level=None)) as db:
            return db.execute(statement).fetchall()


def place_of(request: pytest.FixtureRequest, folder: Path) -> Place:
    """A new place of the kind that a fixture's parameter names."""
    if request.param == "sqlite":
        return Place(folder / "company.pushlog")
    server: Postgres = request.getfixturevalue("postgres")
    return Place(server.database(), server)


def invoice(number: int, amount: str = "10.00", **more: Any) -> Document:
    """An invoice of one line."""
    values: dict[str, Any] = {
        "type": "sales_invoice",
        "key": f"invoice:{number}",
        "transactions": (f"invoice:{number}",),
        "number": str(number),
        "reference": str(number),
        "posting_date": date(2026, 10, 5),
        "document_date": date(2026, 10, 5),
        "distributions": (
            Distribution(account_id="4000", amount=-Decimal(amount), entry_ids=(number * 10,)),
        ),
        "control_account_id": "1100",
        "control_amount": Decimal(amount),
        "party_id": "ACME",
        "entry_ids": (number * 10, number * 10 + 1),
    }
    return Document(**{**values, **more})


def plan(batch: str, *documents: Document) -> Plan:
    """A plan of some documents, with a customer to create."""
    return Plan(
        batch=batch,
        site="site",
        company="company",
        documents=documents,
        masters=(Customer(customer_id="ACME", name="Acme"),),
        transactions=tuple(
            Transaction(
                key=key,
                kind="invoice",
                type="Standard",
                number=row.number,
                date=row.posting_date,
                party="Acme",
                party_id="ACME",
                total=row.total,
                entry_ids=row.entry_ids,
            )
            for row in documents
            for key in row.transactions
        ),
    )
