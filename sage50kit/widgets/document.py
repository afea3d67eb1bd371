"""One document as Sage 50 will hold it, as HTML."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

from sage50kit.money import ZERO, money_series
from sage50kit.widgets import twin
from sage50kit.widgets.grid import GridColumn
from sage50kit.widgets.panel import text

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

    from sage50kit.model import Books, Document

TYPES = {
    "sales_invoice": "Sales invoice",
    "credit_memo": "Customer credit memo",
    "purchase": "Purchase",
    "journal_entry": "General journal entry",
    "inventory_adjustment": "Inventory adjustment",
}
LINES = (
    GridColumn(name="account_id", title="Account"),
    GridColumn(name="account", title="Account name"),
    GridColumn(name="description", title="Description"),
    GridColumn(name="item_id", title="Item"),
    GridColumn(name="item_class", title="Item class"),
    GridColumn(name="quantity", title="Quantity", kind="money"),
    GridColumn(name="unit_price", title="Unit price", kind="money"),
    GridColumn(name="tax_agency_id", title="Tax agency"),
    GridColumn(name="amount", title="Amount (debit +)", kind="money", sum=True),
)


def document_html(document: Document, books: Books) -> str:
    """Its fields as Sage names them, and its distributions."""
    lines = twin.table(lines_of(document, books), LINES, caption="Distributions")
    kind = TYPES[document.type]
    return (
        f'<h3 class="s50-heading">{kind} {text(document.number)}: {text(document.party_name)}</h3>'
        f"{facts(_fields(document))}{lines}"
    )


def facts(pairs: Iterable[tuple[str, object]]) -> str:
    """Names and values in columns; empty values are left out."""
    items = "".join(
        f"<div><span>{text(name)}</span> <b><bdi>{text(value)}</bdi></b></div>"
        for name, value in pairs
        if value not in ("", None)
    )
    return f'<div class="s50-facts">{items}</div>'


def _fields(document: Document) -> list[tuple[str, object]]:
    is_sale = document.type in ("sales_invoice", "credit_memo")
    party = {True: "Customer ID", False: "Vendor ID"}[is_sale]
    control = twin.amount(document.control_amount) if document.control_account_id else ""
    return [
        (party, document.party_id),
        ("Reference", "" if document.waiting_on_bill else document.reference),
        ("Waiting on bill", "yes" if document.waiting_on_bill else ""),
        ("Date", document.posting_date),
        ("Due", document.due_date),
        ("Terms", document.terms),
        ("Sales tax code", document.tax_code),
        ("Customer PO" if is_sale else "Customer Invoice No.", document.purchase_order),
        ("Ship to", _address(document)),
        ("Memo", document.memo),
        ("Our key in Sage 50", document.token),
        ("Control account", document.control_account_id),
        ("On the control account (debit +)", control),
        ("Total", twin.amount(document.total) or "0.00"),
        ("Total in ConnectWise", twin.amount(document.source_total) or "0.00"),
        ("Becomes of", ", ".join(document.transactions)),
    ]


def _address(document: Document) -> str:
    place = document.ship_to
    if place is None:
        return ""
    return ", ".join(part for one in fields(place) if (part := getattr(place, one.name)))


def lines_of(document: Document, books: Books) -> pd.DataFrame:
    """The distributions of a document, one row each, the control account left out."""
    import pandas as pd

    names = ("account_id", "description", "item_id", "item_class", "tax_agency_id")
    rows = document.distributions
    content: dict[str, object] = {name: [getattr(row, name) for row in rows] for name in names}
    known = books.account
    content["account"] = [
        known[key].description if (key := row.account_id.strip().casefold()) in known else ""
        for row in rows
    ]
    frame = pd.DataFrame(content)
    for name in ("quantity", "unit_price", "amount"):
        frame[name] = money_series(getattr(row, name) + ZERO for row in rows)
    return frame
