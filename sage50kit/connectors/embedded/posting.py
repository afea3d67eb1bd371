"""A document becomes GL entries, a sub-ledger balance and stock moves, all in one transaction.

Cost of sales is the company's own: Dr the item's cost of sales account, Cr its inventory account, on
the date of the sale (the seed, "GL Entries"). Decreases of stock are valued by the company too.
"""

from __future__ import annotations

import json
from dataclasses import astuple
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

from sage50kit.connectors.embedded.checks import SALES, Findings, check_document, note_of
from sage50kit.connectors.embedded.inventory import Stock
from sage50kit.connectors.embedded.limits import cut_address
from sage50kit.connectors.embedded.schema import MONEY_PLACES, UNIT_PLACES
from sage50kit.errors import DocumentRefused, UnbalancedDocument
from sage50kit.model import fold
from sage50kit.money import UNIT, ZERO, round_to, to_scaled, total

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping, Sequence
    from decimal import Decimal

    from sage50kit.connectors.embedded.lookup import Lookup
    from sage50kit.model import Distribution, Document, DocumentType, Item

Journal: TypeAlias = Literal["SJ", "PJ", "GENJ", "INAJ", "COGS", "CRJ", "BEG"]
JOURNALS: Mapping[str, Journal] = {
    "sales_invoice": "SJ",
    "credit_memo": "SJ",
    "purchase": "PJ",
    "journal_entry": "GENJ",
    "inventory_adjustment": "INAJ",
    "receipt": "CRJ",
}
# These have no internal note: their reference carries our token (design 9.2).
_TOKEN_IS_REFERENCE: frozenset[str] = frozenset({"journal_entry", "inventory_adjustment"})


class Row(NamedTuple):
    """One GL entry as it is stored: signed dollars, debit positive."""

    journal: Journal
    account_id: str
    amount: Decimal
    description: str = ""
    role: str = "line"
    made_by: Literal["kit", "sage"] = "kit"
    item_id: str = ""
    quantity: Decimal = ZERO
    unit_price: Decimal = ZERO
    tax_agency_id: str = ""
    taxable: bool = False


def post(document: Document, lists: Lookup) -> tuple[int, list[str]]:
    """Check and write a document inside the open transaction; returns its row and the warnings.

    Args:
        document: what to post.
        lists: the lists of the company, over the connection that writes.

    Raises:
        DocumentRefused: with every reason; nothing was written.
    """
    db = lists.db
    findings = check_document(document, lists)
    _check_token(db, document, findings)
    if findings.refusals:
        raise DocumentRefused(
            f"{document.number} ({document.label}): " + " ".join(findings.refusals)
        )
    stock = Stock(db, document.posting_date, fold(document.party_id))
    rows = _rows(document, lists, stock)
    header = header_of(document, lists)
    if document.type == "inventory_adjustment":
        header["control_amount"] = to_scaled(rows[0].amount, MONEY_PLACES)
        header["total"] = abs(header["control_amount"])
    document_id = write(db, header, rows)
    if stock.save(document_id):
        lists.forget_items()
    add_to_balance(db, document.type, document.party_id, header["control_amount"])
    return document_id, [*findings.warnings, *stock.warnings, *_cut_warnings(document)]


def token_of(document: Document) -> str:
    """Our key where this kind of document carries it."""
    return document.reference if document.type in _TOKEN_IS_REFERENCE else document.token


def _check_token(db: sqlite3.Connection, document: Document, findings: Findings) -> None:
    """What stands under our key is not posted again: the last fence, should a claim have been lost."""
    token = token_of(document)
    there = db.execute(
        "SELECT type, id FROM document WHERE token = ? AND token <> '' AND voided_by IS NULL "
        "AND void_of IS NULL",
        (token,),
    ).fetchone()
    if there is not None:
        findings.refuse(
            f"It stands in the company already, at {JOURNALS[there[0]]}-{there[1]} under our key "
            f"{token}. Void it there before it is posted again."
        )


def header_of(document: Document, lists: Lookup) -> dict[str, Any]:
    """The columns of a document's header."""
    control = to_scaled(document.control_amount, MONEY_PLACES)
    return {
        "type": document.type,
        "label": document.label,
        "number": document.number,
        "party_id": document.party_id,
        "party_key": fold(document.party_id),
        "party_name": document.party_name,
        "reference": document.reference,
        "reference_key": fold(document.reference),
        "note": note_of(document),
        "token": token_of(document),
        "posting_date": document.posting_date.isoformat(),
        "document_date": document.document_date.isoformat(),
        "due_date": _due_date(document, lists),
        "control_account_id": _account_id(document.control_account_id, lists),
        "control_amount": control,
        "total": to_scaled(document.total, MONEY_PLACES),
        "tax_code": document.tax_code,
        "terms": document.terms,
        "purchase_order": document.purchase_order,
        "ship_to": json.dumps(astuple(cut_address(document.ship_to))) if document.ship_to else "",
        "waiting_on_bill": int(document.waiting_on_bill),
    }


def write(db: sqlite3.Connection, header: Mapping[str, Any], rows: Sequence[Row]) -> int:
    """Write a document's header and entries; returns its row."""
    document_id = db.execute(_insert(tuple(header)), tuple(header.values())).lastrowid
    if document_id is None:
        raise LookupError("the company gave the document no row")
    write_entries(db, document_id, header, rows)
    return document_id


@cache
def _insert(names: tuple[str, ...]) -> str:
    marks = ", ".join("?" * len(names))
    return f"INSERT INTO document ({', '.join(names)}) VALUES ({marks})"  # noqa: S608  # our own names


def write_entries(
    db: sqlite3.Connection, document_id: int, header: Mapping[str, Any], rows: Sequence[Row]
) -> None:
    """Write the entries of a document that has none.

    Raises:
        UnbalancedDocument: they do not add up to zero, which no check may let through.
    """
    if difference := total(row.amount for row in rows):
        raise UnbalancedDocument(
            f"{header['number']} ({header['label']}): out of balance by {difference}"
        )
    db.executemany(
        "INSERT INTO entry (document_id, row, journal, account_id, amount, description, role, made_by, "
        "item_id, quantity, unit_price, tax_agency_id, taxable) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)",
        [(document_id, number, *_stored(row)) for number, row in enumerate(rows)],
    )


def add_to_balance(db: sqlite3.Connection, kind: str, party_id: str, cents: int) -> None:
    """Carry a receivable into the customer's balance."""
    if kind in SALES or kind == "receipt":
        db.execute(
            "UPDATE customer SET balance = balance + ? WHERE key = ?", (cents, fold(party_id))
        )


def cost_rows(item: Item, cost: Decimal, lists: Lookup) -> list[Row]:
    """Sage's own pair: debit cost of sales, credit inventory; a negative cost the other way round."""
    pair = ((item.cogs_account_id, cost), (item.inventory_account_id, -cost))
    return [
        Row(
            journal="COGS",
            account_id=_account_id(account, lists),
            amount=amount,
            description=item.description,
            made_by="sage",
            item_id=item.item_id,
        )
        for account, amount in pair
        if amount
    ]


def _rows(document: Document, lists: Lookup, stock: Stock) -> list[Row]:
    if document.type == "inventory_adjustment":
        return _adjustment_rows(document, lists, stock)
    journal = JOURNALS[document.type]
    rows = [_row(journal, line, lists) for line in document.distributions]
    if document.control_account_id:
        control = Row(
            journal=journal,
            account_id=_account_id(document.control_account_id, lists),
            amount=document.control_amount,
            description=document.party_name,
            role="control",
        )
        rows.insert(0, control)
    for line in document.distributions:
        rows += _stock_rows(document.type, line, lists, stock)
    return rows


def _stock_rows(kind: DocumentType, line: Distribution, lists: Lookup, stock: Stock) -> list[Row]:
    """Move the goods of a line; returns the entries that Sage makes for them."""
    item = lists.stock_item(line.item_id)
    quantity = round_to(line.quantity, UNIT)
    if item is None or not quantity or line.role != "line" or kind == "journal_entry":
        return []
    if kind == "purchase":
        if quantity > 0:
            stock.receive(item, quantity, line.amount)
        else:
            stock.withdraw(item, -quantity, -line.amount)
        return []
    sold = quantity if kind == "sales_invoice" else -quantity
    cost = stock.sell(item, sold) if sold > 0 else -stock.give_back(item, -sold)
    return cost_rows(item, cost, lists)


def _adjustment_rows(document: Document, lists: Lookup, stock: Stock) -> list[Row]:
    """An increase at the given value; a decrease at Sage's own cost, whatever the document says."""
    line = document.distributions[0]
    item = lists.stock_item(line.item_id)
    if item is None:
        raise LookupError(f"{document.number}: no stock item {line.item_id}")
    quantity = round_to(line.quantity, UNIT)
    made_by: Literal["kit", "sage"] = "kit" if quantity > 0 else "sage"
    if quantity > 0:
        value = document.control_amount
        stock.receive(item, quantity, value, "adjustment")
    else:
        value = -stock.sell(item, -quantity, "adjustment")
    source = _row("INAJ", line, lists)._replace(amount=-value, made_by=made_by)
    return [
        Row(
            journal="INAJ",
            account_id=_account_id(document.control_account_id, lists),
            amount=value,
            description=document.memo or line.description,
            role="control",
            made_by=made_by,
            item_id=item.item_id,
        ),
        source,
    ]


def _row(journal: Journal, line: Distribution, lists: Lookup) -> Row:
    item = lists.item(line.item_id) if line.item_id else None
    return Row(
        journal=journal,
        account_id=_account_id(line.account_id, lists),
        amount=line.amount,
        description=line.description,
        role=line.role,
        item_id=item.item_id if item else "",
        quantity=round_to(line.quantity, UNIT),
        unit_price=round_to(line.unit_price, UNIT),
        tax_agency_id=line.tax_agency_id,
        taxable=line.taxable,
    )


def _stored(row: Row) -> tuple[object, ...]:
    return (
        row.journal,
        row.account_id,
        to_scaled(row.amount, MONEY_PLACES),
        row.description,
        row.role,
        row.made_by,
        row.item_id,
        to_scaled(row.quantity, UNIT_PLACES),
        to_scaled(row.unit_price, UNIT_PLACES),
        row.tax_agency_id,
        int(row.taxable),
    )


def _account_id(account_id: str, lists: Lookup) -> str:
    """The id as the chart writes it, whatever case the document used."""
    account = lists.account(account_id) if account_id else None
    return account.account_id if account else account_id


def _due_date(document: Document, lists: Lookup) -> str | None:
    if document.due_date is not None:
        return document.due_date.isoformat()
    party = (
        lists.customer(document.party_id)
        if document.type in SALES
        else lists.vendor(document.party_id)
        if document.type == "purchase"
        else None
    )
    if party is None:
        return None
    return (document.posting_date + timedelta(days=party.due_days)).isoformat()


def _cut_warnings(document: Document) -> list[str]:
    if document.ship_to is None or cut_address(document.ship_to) == document.ship_to:
        return []
    return ["The ship-to address was cut to the lengths of Sage 50."]
