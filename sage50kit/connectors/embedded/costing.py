"""What stock costs when it leaves: FIFO, LIFO and average over cost layers (pure).

A layer is goods that came in together: a quantity and the dollars paid for it. The dollars are the
truth, not a unit cost, so what is left always adds up to the cent to the inventory account. Goods
sold below zero leave a layer without goods (quantity <= 0) that the next receipt absorbs as it is:
nothing is re-costed. There is at most one such layer, and then no other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from sage50kit.money import ZERO, cents, multiply

if TYPE_CHECKING:
    from datetime import date
    from decimal import Decimal

Method: TypeAlias = Literal["fifo", "lifo", "average"]


@dataclass(slots=True)
class Layer:
    """Goods on hand that came in together; `value` is dollars and cents, `id` its row (0 = new)."""

    received: date
    quantity: Decimal
    value: Decimal
    document_id: int = 0
    id: int = 0


@dataclass(frozen=True, slots=True)
class Issue:
    """What goods cost on their way out, and how many of them were not there (costed at last cost)."""

    cost: Decimal
    short: Decimal


def receive(layers: list[Layer], incoming: Layer, method: Method) -> None:
    """Put goods on the shelf: into the pool of an average item, else as a layer of their own."""
    if method == "average" and layers:
        _merge(layers[0], incoming)
        layers[0].received = min(layers[0].received, incoming.received)
    else:
        layers.append(incoming)
        layers.sort(key=lambda layer: layer.received)
    _settle(layers)


def issue(
    layers: list[Layer], quantity: Decimal, method: Method, *, on: date, last_cost: Decimal
) -> Issue:
    """Take goods off the shelf on a day; what was not there by then goes out at the last unit cost."""
    missing, cost = quantity, ZERO
    there = [layer for layer in layers if layer.quantity > 0 and layer.received <= on]
    for layer in reversed(there) if method == "lifo" else there:
        if not missing:
            break
        taken = min(layer.quantity, missing)
        part = (
            layer.value if taken == layer.quantity else cents(layer.value * taken / layer.quantity)
        )
        layer.quantity -= taken
        layer.value -= part
        missing -= taken
        cost += part
    layers[:] = [layer for layer in layers if layer.quantity or layer.value]
    if missing:
        guess = multiply(missing, last_cost)
        layers.append(Layer(on, -missing, -guess))
        _settle(layers)
        cost += guess
    return Issue(cost, missing)


def withdraw(layers: list[Layer], outgoing: Layer) -> None:
    """Take goods back out at a value that the document states: returns to a vendor, voided receipts.

    They leave the layer of `outgoing.document_id` where that is still there, else the newest one.
    """
    mine = [layer for layer in layers if layer.document_id == outgoing.document_id]
    rest = Layer(outgoing.received, -outgoing.quantity, -outgoing.value)
    if layers:
        _merge((mine or layers)[-1], rest)
    else:
        layers.append(rest)
    _settle(layers)


def on_hand(layers: list[Layer]) -> Decimal:
    """The quantity on hand, negative when more was sold than came in."""
    return sum((layer.quantity for layer in layers), ZERO)


def _merge(into: Layer, other: Layer) -> None:
    into.quantity += other.quantity
    into.value += other.value


def _settle(layers: list[Layer]) -> None:
    """Let the oldest goods absorb a layer without goods; drop what is empty and worth nothing."""
    while True:
        empty = next((layer for layer in layers if layer.quantity <= 0), None)
        if empty is None:
            return
        others = [layer for layer in layers if layer is not empty]
        if not others:
            break
        _merge(others[0], empty)
        layers[:] = others
    layers[:] = [layer for layer in layers if layer.quantity or layer.value]
