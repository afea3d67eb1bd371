"""Batch numbers follow the seed's convention and are never proposed twice."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sage50kit.batch.numbers import check_number, next_number, propose_number
from sage50kit.errors import BatchTaken

DAY = date(2013, 1, 1)


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        ({"invoice"}, "20130101JD-I"),
        ({"expense"}, "20130101JD-E"),
        ({"receipt", "adjustment", "transfer"}, "20130101JD-P"),
        ({"transfer", "invoice", "expense"}, "20130101JD-IEP"),
    ],
)
def test_the_convention(kinds, expected):
    """Day, initials and a letter per kind, as in the seed's example of John Doe."""
    assert propose_number(DAY, "JD", kinds, ()) == expected


def test_the_next_free_suffix():
    """Taken numbers are skipped, whatever their case."""
    taken = ["20130101jd-i", "20130101JD-I-1"]
    assert propose_number(DAY, "JD", {"invoice"}, taken) == "20130101JD-I-2"


def test_the_rest_of_a_batch_gets_the_next_number():
    """`-I` is followed by `-I-1`, that by `-I-2`."""
    assert next_number("20130101JD-I", ()) == "20130101JD-I-1"
    assert next_number("20130101JD-I-1", ()) == "20130101JD-I-2"
    assert next_number("October", ()) == "October-1"


@given(st.lists(st.integers(0, 9), max_size=12))
def test_a_proposal_is_always_free(suffixes):
    """No proposal is among the numbers that are taken."""
    taken = [f"20130101JD-I-{n}" if n else "20130101JD-I" for n in suffixes]
    assert propose_number(DAY, "JD", {"invoice"}, taken) not in taken


@pytest.mark.parametrize("batch", [" A", "A ", "A\n"])
def test_a_number_with_blanks_around_it_is_refused(batch):
    """ConnectWise may cut them, and then the batch is not found under its number."""
    with pytest.raises(BatchTaken, match="begins or ends with a space"):
        check_number(batch)
