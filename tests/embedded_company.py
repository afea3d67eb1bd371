"""A small company and short ways to write its documents, shared by the tests of the embedded company."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from sage50kit.connectors.embedded import EmbeddedCompany, create_company, read_lists
from sage50kit.model import Distribution, Document, DocumentType

LISTS = Path(__file__).parent / "data" / "company"
DAY = date(2026, 10, 15)


def new_company(folder: Path, **more: Any) -> EmbeddedCompany:
    """The company of tests/data/company in a new file; opening stock unless told otherwise."""
    books, stock = read_lists(LISTS)
    more.setdefault("opening_stock", stock)
    return create_company(folder / "company.sqlite", books, name="Lists & Co.", **more)


def line(account_id: str, amount: str, **more: Any) -> Distribution:
    """A distribution; `amount` and `quantity` as text."""
    if "quantity" in more:
        more["quantity"] = Decimal(more["quantity"])
    return Distribution(account_id=account_id, amount=Decimal(amount), **more)


def document(kind: DocumentType, reference: str, *lines: Distribution, **more: Any) -> Document:
    """A document whose control amount is what its lines leave."""
    controls = {
        "sales_invoice": ("invoice", "1100", "ACME"),
        "credit_memo": ("invoice", "1100", "ACME"),
        "purchase": ("receipt", "2000", "DISTRI"),
        "journal_entry": ("transfer", "", ""),
        "inventory_adjustment": ("adjustment", "1200", ""),
    }
    key, control, party = controls[kind]
    more.setdefault("key", f"{key}:{reference or 'none'}")
    more.setdefault("posting_date", DAY)
    values = {
        "type": kind,
        "transactions": (more["key"],),
        "number": reference,
        "reference": reference,
        "document_date": more["posting_date"],
        "distributions": lines,
        "control_account_id": control,
        "control_amount": -sum((row.amount for row in lines), Decimal(0)),
        "party_id": party,
    }
    return Document(**{**values, **more})


def invoice(reference: str, *lines: Distribution, **more: Any) -> Document:
    """A sales invoice of ACME."""
    return document("sales_invoice", reference, *lines, **more)


def purchase(reference: str, *lines: Distribution, **more: Any) -> Document:
    """A purchase from DISTRI."""
    return document("purchase", reference, *lines, **more)


def credit_memo(reference: str, *lines: Distribution, **more: Any) -> Document:
    """A credit memo for ACME."""
    return document("credit_memo", reference, *lines, **more)


def adjustment(reference: str, item_id: str, quantity: str, amount: str, **more: Any) -> Document:
    """An inventory adjustment against 5900; a negative quantity takes goods out."""
    source = line("5900", str(-Decimal(amount)), item_id=item_id, quantity=quantity)
    return document("inventory_adjustment", reference, source, **more)


def journal(reference: str, *lines: Distribution, **more: Any) -> Document:
    """A general journal entry."""
    return document("journal_entry", reference, *lines, **more)


def entries(company: EmbeddedCompany, place: str) -> list[tuple[str, str, str]]:
    """The GL entries of a place as (account, signed amount, who made it)."""
    return [
        (row.account_id, f"{row.debit - row.credit:.2f}", row.made_by)
        for row in company.gl_entries(places=[place])
    ]


def content(path: Path) -> list[str]:
    """Everything in the company file, as SQL."""
    with closing(sqlite3.connect(path)) as db:
        return list(db.iterdump())
