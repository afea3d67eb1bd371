"""Do the books of the company agree with themselves? Every difference is a sentence; none is the rule."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from typing import TYPE_CHECKING

from sage50kit.connectors.embedded.openitems import APPLIED
from sage50kit.connectors.embedded.schema import MONEY_PLACES
from sage50kit.money import from_scaled, text

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

_LAST_DAY = date.max.isoformat()
_APPLIED = "(SELECT COALESCE(SUM(amount), 0) FROM application WHERE document_id = d.id)"


def differences(db: sqlite3.Connection) -> list[str]:
    """Unbalanced documents, and sub-ledgers that differ from their control accounts."""
    return [*_unbalanced(db), *_receivables(db), *_payables(db), *_inventory(db), *_layers(db)]


def _unbalanced(db: sqlite3.Connection) -> Iterator[str]:
    for label, reference, cents in db.execute(
        "SELECT d.label, d.reference, SUM(e.amount) FROM document d JOIN entry e ON e.document_id = d.id "
        "GROUP BY d.id HAVING SUM(e.amount) <> 0"
    ):
        yield f"{label or reference} is out of balance by {_dollars(cents)}."


def _receivables(db: sqlite3.Connection) -> Iterator[str]:
    owed: dict[str, int] = defaultdict(int)
    for party, cents in db.execute(
        f"SELECT d.party_key, d.control_amount - COALESCE(a.amount, 0) FROM document d LEFT JOIN ({APPLIED}) "  # noqa: S608
        "a ON a.document_id = d.id WHERE d.type IN ('sales_invoice', 'credit_memo', 'receipt')",
        (_LAST_DAY, _LAST_DAY),
    ):
        owed[party] += cents
    for key, customer, balance in db.execute("SELECT key, customer_id, balance FROM customer"):
        if balance != owed[key]:
            yield (
                f"Customer {customer} has a balance of {_dollars(balance)} but open items of "
                f"{_dollars(owed[key])}."
            )
    yield from _control(db, "receivable", "'sales_invoice', 'credit_memo'")


def _payables(db: sqlite3.Connection) -> Iterator[str]:
    yield from _control(db, "payable", "'purchase'")


def _control(db: sqlite3.Connection, what: str, kinds: str) -> Iterator[str]:
    """The open items of each control account against its balance, money that pays nothing left aside."""
    for account, opened, balance in db.execute(
        "SELECT s.account, s.opened, (SELECT SUM(amount) FROM entry WHERE account_id = s.account "  # noqa: S608
        "AND role <> 'unapplied') "
        f"FROM (SELECT d.control_account_id AS account, SUM(d.control_amount - {_APPLIED}) AS opened "
        f"FROM document d WHERE d.type IN ({kinds}) GROUP BY d.control_account_id) s"
    ):
        if opened != balance:
            yield (
                f"The {what} account {account} has a balance of {_dollars(balance)} but open items "
                f"of {_dollars(opened)}."
            )


def _inventory(db: sqlite3.Connection) -> Iterator[str]:
    """The value of all stock against the balance of all inventory accounts (goods may change accounts)."""
    value = db.execute("SELECT COALESCE(SUM(value), 0) FROM stock_move").fetchone()[0]
    balance = db.execute(
        "SELECT COALESCE(SUM(e.amount), 0) FROM entry e JOIN account a ON a.account_id = e.account_id "
        "WHERE a.type = 2 OR a.account_id IN (SELECT inventory_account_id FROM item WHERE item_class = 'stock')"
    ).fetchone()[0]
    if value != balance:
        yield f"The stock is worth {_dollars(value)} but the inventory accounts hold {_dollars(balance)}."


def _layers(db: sqlite3.Connection) -> Iterator[str]:
    for item, quantity, value, left, worth in db.execute(
        "SELECT i.item_id, m.quantity, m.value, COALESCE(l.quantity, 0), COALESCE(l.value, 0) FROM ("
        "SELECT item_key, SUM(quantity) AS quantity, SUM(value) AS value FROM stock_move GROUP BY item_key) m "
        "JOIN item i ON i.key = m.item_key LEFT JOIN ("
        "SELECT item_key, SUM(quantity) AS quantity, SUM(value) AS value FROM layer GROUP BY item_key) l "
        "ON l.item_key = m.item_key"
    ):
        if (quantity, value) != (left, worth):
            yield f"Item {item}: moves are worth {_dollars(value)}, cost layers {_dollars(worth)}."


def _dollars(cents: int) -> str:
    return text(from_scaled(cents, MONEY_PLACES))
