"""Money: one way to make an amount, exact from end to end."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sage50kit import money

AMOUNTS = st.decimals(min_value=-(10**9), max_value=10**9, places=2)
WEIGHTS = st.lists(st.decimals(min_value=0, max_value=10**6, places=4), min_size=1, max_size=20)


@pytest.mark.parametrize("value", [0.1, True, None, float("nan")])
def test_what_may_have_lost_a_cent_is_refused(value):
    """Floats, truth values and nothing are no amounts."""
    with pytest.raises(TypeError, match="must be exact"):
        money.exact(value)


@pytest.mark.parametrize("value", ["", "abc", "NaN", "Infinity", "1e13", "1,234.50"])
def test_what_is_no_amount_is_refused(value):
    """Text that is no finite number of a sensible size is no amount."""
    with pytest.raises(ValueError, match="not an amount"):
        money.exact(value)


@pytest.mark.parametrize(
    ("value", "rounded"),
    [
        ("0.005", "0.01"),
        ("-0.005", "-0.01"),
        ("0.285", "0.29"),
        ("1.0049", "1.00"),
        ("-0.004", "0.00"),
    ],
)
def test_cents_round_half_up_as_the_books_do(value, rounded):
    """Half a cent goes away from zero, and there is no minus zero."""
    assert str(money.cents(value)) == rounded


@given(AMOUNTS, WEIGHTS)
def test_an_allocation_adds_up(amount, weights):
    """The parts of an amount add up to it, whatever the weights are."""
    if not sum(weights):
        with pytest.raises(ValueError, match="sum to zero"):
            money.allocate(amount, weights)
        return
    parts = money.allocate(amount, weights)

    assert sum(parts) == amount
    assert all(part == money.cents(part) for part in parts)


def test_the_cent_left_over_goes_to_whom_rounding_favoured_most():
    """Five cents over weights 1, 1, 1 and 3 round to six: the fourth part, rounded up most, gives one back."""
    parts = money.allocate(Decimal("0.05"), [Decimal(1), Decimal(1), Decimal(1), Decimal(3)])

    assert [str(part) for part in parts] == ["0.01", "0.01", "0.01", "0.02"]


@given(AMOUNTS)
def test_scaled_integers_come_back(amount):
    """An amount survives the way into a database and back."""
    assert money.from_scaled(money.to_scaled(amount, 4), 4) == amount


def test_a_digit_too_many_is_not_lost():
    """Scaling refuses to cut a digit."""
    with pytest.raises(ValueError, match="more than 2 decimals"):
        money.to_scaled(Decimal("0.001"), 2)


def test_people_read_negative_amounts_in_parentheses():
    """1,234.50 and (1,234.50)."""
    assert [money.text(Decimal(value)) for value in ("1234.5", "-1234.5", "0")] == [
        "1,234.50", "(1,234.50)", "0.00"
    ]  # fmt: skip


def test_a_frame_column_of_money_is_exact():
    """Sums of a money column are Decimals to the last digit, of an empty one too."""
    column = money.money_series(["0.10"] * 10 + [None, 3])

    assert column.sum() == Decimal("4.00")
    assert isinstance(money.money_series([]).sum(), Decimal)


def test_a_float_is_no_money_of_a_column_either():
    """A float among the amounts of a column is refused where it enters."""
    with pytest.raises(TypeError, match="must be exact"):
        money.money_series([Decimal(1), 1.0])


def test_a_unit_price_keeps_five_places():
    """10.00 for 3 is 3.33333 each, as Sage keeps it."""
    assert money.unit_price(Decimal("10.00"), Decimal(3)) == Decimal("3.33333")


def test_programs_read_two_decimals():
    """Whatever an amount was made from, a program sees it in one form, and no digit is lost."""
    exact = ["749.0000", "1173.3", "0", "-0.01", "12345678.9", "0.125"]

    assert [money.plain(Decimal(value)) for value in exact] == [
        "749.00",
        "1173.30",
        "0.00",
        "-0.01",
        "12345678.90",
        "0.125",
    ]
