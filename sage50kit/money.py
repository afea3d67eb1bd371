"""The only way to make an amount.

Money is exact from the wire to the books: `Decimal` in models, `decimal128(19,4)` in frames, scaled
integers in databases. A float is refused here, so it is refused everywhere. Every rounding is half up,
as the books do it (half to even is for statistics).
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pandas as pd

ZERO = Decimal(0)
CENT = Decimal("0.01")
UNIT = Decimal("0.00001")  # Sage keeps up to five places of a unit price (reference: COM users)
LIMIT = Decimal(10) ** 13  # more than any amount of a company; catches a shifted decimal point
# The amounts of a batch repeat (quantity one, no cost, the same price), and working them out again costs more.
# By type, so that a float does not pass as the equal Decimal that came before it.
_kept = lru_cache(65_536, typed=True)


def exact(value: Decimal | int | str) -> Decimal:
    """Return `value` as a finite Decimal, unrounded.

    Args:
        value: Decimal, int, or text with a decimal point; "" and None count as missing and are refused.

    Raises:
        TypeError: a float or bool, which may already have lost a cent.
        ValueError: no number, not finite, or beyond ten trillion.
    """
    number = value if isinstance(value, Decimal) else _read(value)
    if not number.is_finite():
        raise ValueError(f"not an amount of money: {value!r}")
    if not -LIMIT < number < LIMIT:
        raise ValueError(f"not an amount of money: {number:,f} is beyond ten trillion")
    return number


def _read(value: object) -> Decimal:
    if isinstance(value, (float, bool)) or not isinstance(value, (int, str)):
        raise TypeError(f"an amount must be exact, not {type(value).__name__}: {value!r}")
    try:
        return Decimal(value)
    except InvalidOperation as error:
        raise ValueError(f"not an amount: {value!r}") from error


def cents(value: Decimal | int | str) -> Decimal:
    """Return `value` in dollars with two decimals, rounded half up (away from zero)."""
    return round_to(exact(value), CENT)


@_kept
def round_to(value: Decimal, step: Decimal) -> Decimal:
    """Round half up (away from zero) to a power of ten such as 0.01; never returns minus zero."""
    return value.quantize(step, rounding=ROUND_HALF_UP) + ZERO


def multiply(quantity: Decimal, price: Decimal) -> Decimal:
    """Quantity times unit price, in dollars and cents."""
    return cents(quantity * price)


def unit_price(amount: Decimal, quantity: Decimal) -> Decimal:
    """Amount divided by quantity, to five places, as Sage keeps unit prices."""
    return round_to(amount / quantity, UNIT)


def total(amounts: Iterable[Decimal]) -> Decimal:
    """The sum; of nothing, 0 as a Decimal."""
    return sum(amounts, ZERO)


def allocate(amount: Decimal, weights: Sequence[Decimal]) -> list[Decimal]:
    """Split `amount` (dollars and cents) over `weights` so that the parts add up to it exactly.

    The cents that rounding leaves over go to the largest remainders, first come first served.

    Raises:
        ValueError: no weights, or weights that sum to zero.
    """
    whole = total(weights)
    if not whole:
        raise ValueError("cannot allocate over weights that sum to zero")
    shares = [amount * weight / whole for weight in weights]
    parts = [cents(share) for share in shares]
    rest = int((cents(amount) - total(parts)) / CENT)
    step = CENT if rest > 0 else -CENT
    order = sorted(range(len(parts)), key=lambda i: (parts[i] - shares[i]) * step)
    for index in range(abs(rest)):
        parts[order[index % len(order)]] += step
    return parts


def text(amount: Decimal) -> str:
    """Dollars as people read them: `1,234.50`, negative in parentheses; digits beyond the cent stay."""
    size = abs(amount)
    words = f"{size:,.2f}" if size == size.quantize(CENT) else f"{size.normalize():,f}"
    return f"({words})" if amount < 0 else words


def plain(amount: Decimal) -> str:
    """Dollars as programs read them: `1234.50`, `-0.01`; two decimals, and more only where they are not zero."""
    return f"{amount:.2f}" if amount == amount.quantize(CENT) else f"{amount.normalize():f}"


@_kept
def to_scaled(amount: Decimal, places: int) -> int:
    """An integer of 10**-places units, for databases; refuses to lose a digit."""
    scaled = amount.scaleb(places)
    if scaled != scaled.to_integral_value():
        raise ValueError(f"{amount} has more than {places} decimals")
    return int(scaled)


@_kept
def from_scaled(scaled: int, places: int) -> Decimal:
    """The reverse of `to_scaled`."""
    return Decimal(scaled).scaleb(-places)


def money_dtype() -> pd.ArrowDtype:
    """The dtype of every amount in a frame: decimal128(19, 4)."""
    import pandas as pd
    import pyarrow as pa

    return pd.ArrowDtype(pa.decimal128(19, 4))


def money_series(values: Iterable[Any]) -> pd.Series[Any]:
    """A frame column of money; missing values stay missing, floats are refused."""
    import pandas as pd
    import pyarrow as pa

    exactly = [
        None if value is None else round_to(exact(value), Decimal("0.0001")) for value in values
    ]
    return pd.Series(pd.arrays.ArrowExtensionArray(pa.array(exactly, pa.decimal128(19, 4))))
