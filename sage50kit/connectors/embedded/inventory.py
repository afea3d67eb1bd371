"""Perpetual inventory of one document: layers are read, changed in memory, then saved with it.

Every change is also kept as a stock move, so quantity and value of an item can be told for any day.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING, Literal, TypeAlias

from sage50kit.connectors.embedded import costing
from sage50kit.connectors.embedded.costing import Layer
from sage50kit.connectors.embedded.records import one_of
from sage50kit.connectors.embedded.schema import MONEY_PLACES, UNIT_PLACES
from sage50kit.model import Item, fold
from sage50kit.money import ZERO, cents, from_scaled, multiply, to_scaled, unit_price

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable
    from decimal import Decimal

_LAST_SALE = "SELECT quantity, value FROM stock_move WHERE item_key = ? AND kind = 'sale'"
_NEWEST = " ORDER BY id DESC LIMIT 1"

_LAYER = "SELECT id, document_id, received, quantity, value FROM layer WHERE item_key = ?"
_LAYERS = f"{_LAYER} ORDER BY received, id"
_OLDEST_LAYERS = f"{_LAYER} AND received <= ? ORDER BY received, id"
_NEWEST_LAYERS = f"{_LAYER} AND received <= ? ORDER BY received DESC, id DESC"
_LayerRow: TypeAlias = tuple[int, int, str, int, int]
_NEW = 2**62  # a layer that has no row yet comes after those of the same day

MoveKind: TypeAlias = Literal["purchase", "sale", "return", "adjustment", "void"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """Goods that came in (positive) or went out (negative), with their dollars."""

    item_key: str
    kind: MoveKind
    party_key: str
    quantity: Decimal
    value: Decimal


@dataclass(slots=True)
class _Shelf:
    """One item's layers as they are now, and as they were read."""

    item: Item
    last_cost: Decimal
    layers: list[Layer] = field(default_factory=list)
    before: dict[int, Layer] = field(default_factory=dict)
    whole: bool = False  # whether every layer was read

    def take(self, rows: Iterable[_LayerRow], enough: Decimal | None = None) -> None:
        """Add layers that are not here yet, until there is enough; without a limit all of them."""
        for row, document_id, received, quantity, value in rows:
            if enough is not None and enough <= 0:
                break
            if row in self.before:
                continue
            amount, worth = from_scaled(quantity, UNIT_PLACES), from_scaled(value, MONEY_PLACES)
            layer = Layer(date.fromisoformat(received), amount, worth, document_id, row)
            self.layers.append(layer)
            self.before[row] = replace(layer)
            enough = None if enough is None else enough - max(amount, ZERO)
        self.whole = self.whole or enough is None
        self.layers.sort(key=lambda layer: (layer.received, layer.id or _NEW))


@dataclass(slots=True)
class Stock:
    """The stock that one document moves."""

    db: sqlite3.Connection
    on: date
    party_key: str = ""
    warnings: list[str] = field(default_factory=list)
    _moves: list[Move] = field(default_factory=list)
    _shelves: dict[str, _Shelf] = field(default_factory=dict)

    def sell(self, item: Item, quantity: Decimal, kind: MoveKind = "sale") -> Decimal:
        """Take goods out; returns their cost in dollars and cents."""
        shelf = self._shelf(item, quantity)
        out = costing.issue(
            shelf.layers, quantity, item.costing_method, on=self.on, last_cost=shelf.last_cost
        )
        if out.short:
            self.warnings.append(
                f"Item {item.item_id}: {plain(out.short)} of {plain(quantity)} were not in stock on "
                f"{self.on}; costed at the last cost {plain(shelf.last_cost)}. The cost is not "
                "recalculated later."
            )
        self._move(item, kind, -quantity, -out.cost)
        return out.cost

    def give_back(self, item: Item, quantity: Decimal) -> Decimal:
        """Take back goods that a customer returns; returns what they cost when they were sold."""
        cost = self._sold_at(item, quantity)
        self._put(item, quantity, cost)
        self._move(item, "return", quantity, cost)
        return cost

    def receive(
        self, item: Item, quantity: Decimal, value: Decimal, kind: MoveKind = "purchase"
    ) -> None:
        """Put goods on the shelf at the value of their document; it becomes the last cost."""
        self._put(item, quantity, value)
        if value > 0:
            self._shelves[fold(item.item_id)].last_cost = unit_price(value, quantity)
        self._move(item, kind, quantity, value)

    def withdraw(
        self,
        item: Item,
        quantity: Decimal,
        value: Decimal,
        *,
        kind: MoveKind = "purchase",
        of: int = 0,
    ) -> None:
        """Take goods out at a stated value, those of document `of` first."""
        layers = self._shelf(item).layers
        costing.withdraw(layers, Layer(self.on, quantity, value, of))
        self._move(item, kind, -quantity, -value)

    def undo(self, document_id: int) -> None:
        """Take back every move of a document at exactly its value."""
        for item_key, quantity, value in self.db.execute(
            "SELECT item_key, quantity, value FROM stock_move WHERE document_id = ? ORDER BY id DESC",
            (document_id,),
        ).fetchall():
            item = _item(self.db, item_key)
            moved, worth = from_scaled(quantity, UNIT_PLACES), from_scaled(value, MONEY_PLACES)
            if moved > 0:
                self.withdraw(item, moved, worth, kind="void", of=document_id)
            else:
                self._put(item, -moved, -worth)
                self._move(item, "void", -moved, -worth)

    def save(self, document_id: int) -> bool:
        """Write the moves and the changed layers, as the work of a document; returns whether a cost changed."""
        for key, shelf in self._shelves.items():
            self._save_layers(key, shelf, document_id)
        self.db.executemany(
            "INSERT INTO stock_move (item_key, document_id, kind, party_key, quantity, value) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            [
                (move.item_key, document_id, move.kind, move.party_key, *_scaled(move))
                for move in self._moves
            ],
        )
        return any(row.last_cost != row.item.last_unit_cost for row in self._shelves.values())

    def _save_layers(self, key: str, shelf: _Shelf, document_id: int) -> None:
        kept = {layer.id for layer in shelf.layers}
        self.db.executemany(
            "DELETE FROM layer WHERE id = ?", [(old,) for old in shelf.before if old not in kept]
        )
        for layer in shelf.layers:
            if not layer.id:
                self.db.execute(
                    "INSERT INTO layer (item_key, document_id, received, quantity, value) "
                    "VALUES (?, ?, ?, ?, ?)",
                    (key, document_id, layer.received.isoformat(), *_scaled(layer)),
                )
            elif layer != shelf.before[layer.id]:
                self.db.execute(
                    "UPDATE layer SET received = ?, quantity = ?, value = ? WHERE id = ?",
                    (layer.received.isoformat(), *_scaled(layer), layer.id),
                )
        if shelf.last_cost != shelf.item.last_unit_cost:
            self.db.execute(
                "UPDATE item SET last_unit_cost = ? WHERE key = ?",
                (to_scaled(shelf.last_cost, UNIT_PLACES), key),
            )

    def _put(self, item: Item, quantity: Decimal, value: Decimal) -> None:
        shelf = self._shelf_to_fill(item)
        costing.receive(shelf.layers, Layer(self.on, quantity, value), item.costing_method)

    def _move(self, item: Item, kind: MoveKind, quantity: Decimal, value: Decimal) -> None:
        self._moves.append(
            Move(
                item_key=fold(item.item_id),
                kind=kind,
                party_key=self.party_key,
                quantity=quantity,
                value=value,
            )
        )

    def _shelf(self, item: Item, out: Decimal | None = None) -> _Shelf:
        """The shelf of an item with the layers that it takes to sell `out` of it (None: all of them).

        An item that is bought and sold all year has hundreds of layers, and one sale touches a few.
        """
        key = fold(item.item_id)
        if key in self._shelves:
            shelf = self._shelves[key]
            if not shelf.whole:
                shelf.take(self.db.execute(_LAYERS, (key,)))
            return shelf
        shelf = self._shelves[key] = _Shelf(item, item.last_unit_cost)
        if out is not None:
            ordered = _NEWEST_LAYERS if item.costing_method == "lifo" else _OLDEST_LAYERS
            shelf.take(self.db.execute(ordered, (key, self.on.isoformat())), out)
        if out is None or costing.on_hand(shelf.layers) < out:
            shelf.take(self.db.execute(_LAYERS, (key,)))
        return shelf

    def _shelf_to_fill(self, item: Item) -> _Shelf:
        """The shelf with its oldest layer only: a pool, goods sold below zero, or one of many."""
        key = fold(item.item_id)
        if key in self._shelves:
            return self._shelf(item)
        shelf = self._shelves[key] = _Shelf(item, item.last_unit_cost)
        shelf.take(self.db.execute(f"{_LAYERS} LIMIT 1", (key,)))
        shelf.whole = False
        return shelf

    def _sold_at(self, item: Item, quantity: Decimal) -> Decimal:
        """What these goods cost when this customer last bought them; else any customer; else last cost."""
        key = fold(item.item_id)
        row = (
            self.db.execute(
                f"{_LAST_SALE} AND party_key = ?{_NEWEST}", (key, self.party_key)
            ).fetchone()
            or self.db.execute(f"{_LAST_SALE}{_NEWEST}", (key,)).fetchone()
        )
        if row is not None:
            sold, cost = from_scaled(row[0], UNIT_PLACES), from_scaled(row[1], MONEY_PLACES)
            return cents(cost * quantity / sold)
        return multiply(quantity, self._shelf(item).last_cost)


def plain(number: Decimal) -> str:
    """A quantity or cost as people write it: no trailing zeros."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def values(db: sqlite3.Connection, as_of: date | None = None) -> dict[str, tuple[Decimal, Decimal]]:
    """Quantity and value of every item that ever moved, by item id, at the end of a day."""
    rows = db.execute(
        "SELECT i.item_id, SUM(m.quantity), SUM(m.value) FROM stock_move m "
        "JOIN item i ON i.key = m.item_key JOIN document d ON d.id = m.document_id "
        "WHERE d.posting_date <= ? GROUP BY i.key ORDER BY i.key",
        ((as_of or date.max).isoformat(),),
    )
    return {
        item_id: (from_scaled(quantity, UNIT_PLACES), from_scaled(value, MONEY_PLACES))
        for item_id, quantity, value in rows
    }


def _item(db: sqlite3.Connection, key: str) -> Item:
    item = one_of(db, Item, key)
    if item is None:
        raise LookupError(f"no item {key}")
    return item


def _scaled(what: Move | Layer) -> tuple[int, int]:
    return to_scaled(what.quantity + ZERO, UNIT_PLACES), to_scaled(what.value, MONEY_PLACES)
