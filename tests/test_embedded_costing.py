"""Random documents: the books balance, sub-ledgers agree, and stock costs what a naive model says."""

from __future__ import annotations

from collections import deque
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sage50kit.connectors.embedded import costing
from sage50kit.connectors.embedded.costing import Layer
from sage50kit.errors import DocumentRefused
from tests.embedded_company import (
    DAY,
    adjustment,
    credit_memo,
    invoice,
    journal,
    line,
    new_company,
    purchase,
)

QUANTITY = st.integers(1, 2_000).map(lambda n: Decimal(n) / 100)
CENTS = st.integers(0, 100_000).map(lambda n: Decimal(n) / 100)


def _cents(exactly: Fraction) -> Decimal:
    return (Decimal(exactly.numerator) / exactly.denominator).quantize(
        Decimal("0.01"), ROUND_HALF_UP
    )


class NaiveStock:
    """The textbook: a queue of [quantity, value], taken from one end, or one pool."""

    def __init__(self, method: str) -> None:
        self.method = method
        self.layers: deque[list[Decimal]] = deque()

    def receive(self, quantity: Decimal, value: Decimal) -> None:
        if self.method == "average" and self.layers:
            self.layers[0][0] += quantity
            self.layers[0][1] += value
        else:
            self.layers.append([quantity, value])

    def issue(self, quantity: Decimal) -> Decimal:
        cost = Decimal(0)
        while quantity:
            layer = self.layers[-1 if self.method == "lifo" else 0]
            taken = min(quantity, layer[0])
            part = (
                layer[1]
                if taken == layer[0]
                else _cents(Fraction(layer[1]) * Fraction(taken) / Fraction(layer[0]))
            )
            layer[0] -= taken
            layer[1] -= part
            if not layer[0]:
                self.layers.remove(layer)
            quantity -= taken
            cost += part
        return cost


@pytest.mark.parametrize("method", ["fifo", "lifo", "average"])
@given(steps=st.lists(st.tuples(st.booleans(), QUANTITY, CENTS), max_size=30))
def test_costs_are_those_of_the_textbook(method, steps):
    """As long as goods are there, every issue costs what the naive model says, to the cent."""
    layers: list[Layer] = []
    naive = NaiveStock(method)
    for incoming, quantity, value in steps:
        if incoming:
            costing.receive(layers, Layer(DAY, quantity, value), method)
            naive.receive(quantity, value)
        elif quantity <= costing.on_hand(layers):
            out = costing.issue(layers, quantity, method, on=DAY, last_cost=Decimal(1))
            assert (out.cost, out.short) == (naive.issue(quantity), 0)
    assert [(row.quantity, row.value) for row in layers] == [tuple(row) for row in naive.layers]


STEP = st.one_of(
    st.tuples(st.just("receive"), QUANTITY, CENTS, st.integers(1, 28)),
    st.tuples(st.just("issue"), QUANTITY, CENTS, st.integers(1, 28)),
    st.tuples(st.just("withdraw"), QUANTITY, CENTS, st.integers(1, 28)),
)


@pytest.mark.parametrize("method", ["fifo", "lifo", "average"])
@given(steps=st.lists(STEP, max_size=30))
def test_nothing_is_lost_below_zero_or_backdated(method, steps):
    """Whatever happens on whatever day, layers hold exactly what came in less what went out."""
    layers: list[Layer] = []
    quantity_left, value_left = Decimal(0), Decimal(0)
    for kind, quantity, stated, day in steps:
        value = stated
        on = date(2026, 10, day)
        if kind == "receive":
            costing.receive(layers, Layer(on, quantity, value), method)
        elif kind == "issue":
            value = costing.issue(
                layers, quantity, method, on=on, last_cost=Decimal("3.33333")
            ).cost
        else:
            costing.withdraw(layers, Layer(on, quantity, value, 7))
        sign = 1 if kind == "receive" else -1
        quantity_left += sign * quantity
        value_left += sign * value
        assert costing.on_hand(layers) == quantity_left
        assert sum((row.value for row in layers), Decimal(0)) == value_left
        assert len(layers) <= 1 or all(row.quantity > 0 for row in layers)


ITEMS = st.sampled_from(["SWITCH", "CABLE", "MOUSE"])
EVENT = st.one_of(
    st.tuples(st.just("buy"), ITEMS, QUANTITY, CENTS),
    st.tuples(st.just("sell"), ITEMS, QUANTITY, CENTS),
    st.tuples(st.just("take back"), ITEMS, QUANTITY, CENTS),
    st.tuples(st.just("adjust"), ITEMS, QUANTITY, CENTS),
    st.tuples(st.just("use up"), ITEMS, QUANTITY, CENTS),
    st.tuples(st.just("move"), ITEMS, QUANTITY, CENTS),
    st.tuples(st.just("void"), ITEMS, QUANTITY, CENTS),
    st.tuples(st.just("pay"), ITEMS, QUANTITY, CENTS),
)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(events=st.lists(st.tuples(EVENT, st.integers(1, 28)), min_size=5, max_size=30))
def test_the_books_always_agree(tmp_path_factory, events):
    """Random purchases, sales, returns, adjustments, voids and receipts leave no difference anywhere."""
    with new_company(tmp_path_factory.mktemp("random")) as company:
        places: list[str] = []
        for number, ((kind, item_id, quantity, amount), day) in enumerate(events):
            on = date(2026, 10, day)
            try:
                _act(company, kind, f"{number}", item_id, quantity, amount, on, places)
            except DocumentRefused as refusal:
                assert kind in {"void", "pay"}, refusal  # noqa: PT017  # only these may meet a paid or void one
        assert company.differences() == []
        assert sum(company.trial_balance().values()) == 0
        assert (
            sum(value for _, value in company.inventory().values())
            == company.trial_balance()["1200"]
        )
        last = date(2027, 12, 31)
        owed = sum(
            row.open_amount for row in company.open_items(as_of=last) if row.type != "purchase"
        )
        assert owed == company.trial_balance(last)["1100"]


def _act(company, kind, number, item_id, quantity, amount, on, places):
    goods = {"item_id": item_id, "quantity": str(quantity)}
    more = {"posting_date": on, "key": f"x:{number}"}
    if kind == "void":
        if places:
            company.void(places[len(places) // 2], on=date(2026, 10, 28))
        return
    if kind == "pay":
        for row in company.open_items(as_of=on)[:1]:
            if row.type == "sales_invoice":
                company.enter_receipt(
                    "ACME", reference=number, date=on, applied={row.reference: row.open_amount}
                )
        return
    documents = {
        "buy": lambda: purchase(number, line("1200", f"{amount}", **goods), **more),
        "sell": lambda: invoice(number, line("4200", f"-{amount}", **goods), **more),
        "take back": lambda: credit_memo(number, line("4200", f"{amount}", **goods), **more),
        "adjust": lambda: adjustment(number, item_id, f"{quantity}", f"{amount}", **more),
        "use up": lambda: adjustment(number, item_id, f"-{quantity}", f"-{amount}", **more),
        "move": lambda: journal(
            number, line("6200", f"{amount}"), line("1000", f"-{amount}"), **more
        ),
    }
    places.append(company.post(documents[kind]()).place)
