"""The unit price of a line: quantity times price is its amount, whatever signs ConnectWise gives."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sage50kit.batch.items import price_of
from sage50kit.money import CENT, ZERO, multiply

AMOUNTS = st.decimals("-5000", "5000", places=2)
QUANTITIES = st.decimals("-200", "200", places=1).filter(bool)


@given(AMOUNTS, QUANTITIES, st.none() | st.decimals("-500", "500", places=2))
def test_quantity_times_price_is_the_amount(
    amount: Decimal, quantity: Decimal, listed: Decimal | None
):
    """Sage shows all three, so they agree to the cent for every quantity that five places can price."""
    assert abs(multiply(quantity, price_of(amount, quantity, listed)) - amount) <= CENT


@pytest.mark.parametrize(
    ("amount", "quantity", "price"), [("20", "2", "10"), ("-20", "-2", "10"), ("-20", "2", "-10")]
)
def test_the_listed_price_keeps_its_digits_and_takes_the_sign_of_the_line(
    amount: str, quantity: str, price: str
):
    """A price that ConnectWise names is used as it is; against its quantity it is negative."""
    assert price_of(Decimal(amount), Decimal(quantity), Decimal(10)) == Decimal(price)


def test_goods_without_a_quantity_have_no_price():
    """Nothing is divided by zero."""
    assert price_of(Decimal(5), ZERO, None) == ZERO
