"""The one place for what nobody could verify about ConnectWise: keys and ties."""

from __future__ import annotations

import pytest

from sage50kit.connectwise import assumptions


@pytest.mark.parametrize(
    ("key", "kind", "number", "slip"),
    [
        ("3-Test123-purchase", "receipt", "3", "Test123"),
        ("3-A-12-B-purchase", "receipt", "3", "A-12-B"),
        ("3--purchase", "receipt", "3", ""),
        ("1-adjustment", "adjustment", "1", ""),
        ("91-transfer", "transfer", "91", ""),
        ("91-Transfer", "transfer", "91", ""),
        ("91-return", None, "91", ""),
        ("", None, "", ""),
    ],
)
def test_parts_of_a_product_key(key: str, kind: str | None, number: str, slip: str):
    """A key says its record, packing slip and kind; an unknown kind is not guessed."""
    assert assumptions.kind_of_product(key) == kind
    assert assumptions.product_number(key) == number
    assert assumptions.packing_slip(key) == slip
