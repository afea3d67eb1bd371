"""A value written into conditions is read back as the same value, and never as syntax."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sage50kit.connectwise.conditions import OPERATORS, all_of, chunks, condition, quote
from sage50kit.errors import UsageError

# The published grammar of literals (reference, 2.1), read strictly.
TOKEN = re.compile(
    r"""\s*(?:(?P<text>"[^"]*"|'[^']*') | \[(?P<moment>[^\[\]]*)\] | (?P<sign><=|>=|!=|=|<|>)
      | (?P<mark>[(),]) | (?P<number>-?\d+(?:\.\d+)?) | (?P<word>[A-Za-z_][\w/]*))""",
    re.VERBOSE,
)
WRITABLE = st.text(st.characters(min_codepoint=32, exclude_categories=["Cs"]), max_size=30).filter(
    lambda text: not ('"' in text and "'" in text)
)
MOMENTS = st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=-5))])).filter(
    lambda moment: 1000 < moment.year < 9000
)
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.decimals(allow_nan=False, allow_infinity=False),
    st.dates(min_value=date(1000, 1, 1)),
    MOMENTS,
    WRITABLE,
)


def read(condition_text: str) -> list[tuple[str, Any]]:
    """The words of a condition with the values they mean."""
    words, at = [], 0
    while at < len(condition_text):
        found = TOKEN.match(condition_text, at)
        assert found, condition_text[at:]
        kind = str(found.lastgroup)
        words.append((kind, meant(kind, found[kind])))
        at = found.end()
    return words


def meant(kind: str, text: str) -> Any:
    if kind == "text":
        inner = text[1:-1]
        assert "[" not in inner.replace("[[]", ""), "a bracket that is not written as [[]"
        return inner.replace("[[]", "[")
    if kind == "moment":
        return datetime.fromisoformat(text)
    if kind == "number":
        return Decimal(text)
    constants = {"True": True, "False": False, "null": None}
    return constants.get(text, text)


def expected(value: Any) -> tuple[str, Any]:
    if isinstance(value, datetime):
        return "moment", value.replace(microsecond=0).astimezone(UTC)
    if isinstance(value, date):
        return "moment", datetime(value.year, value.month, value.day, tzinfo=UTC)
    if value is None or isinstance(value, bool):
        return "word", value
    return ("text", value) if isinstance(value, str) else ("number", Decimal(value))


@given(VALUES)
def test_a_literal_is_read_back_as_the_value(value: Any) -> None:
    """One token, of the right kind, with the value that went in."""
    assert read(quote(value)) == [expected(value)]


@given(
    st.lists(st.tuples(st.sampled_from(sorted(OPERATORS - {"in", "not in"})), WRITABLE), min_size=1)
)
def test_no_text_breaks_out_of_its_condition(pairs: list[tuple[str, str]]) -> None:
    """However many conditions are joined, the texts in them stay texts, in their order."""
    joined = all_of(*(condition("company/identifier", op, text) for op, text in pairs))
    words = read(joined)
    assert [word for kind, word in words if kind == "text"] == [text for _, text in pairs]
    assert words.count(("word", "and")) == len(pairs) - 1
    assert words.count(("mark", "(")) == words.count(("mark", ")"))


@given(st.lists(st.one_of(st.integers(), WRITABLE), min_size=1, max_size=300))
def test_chunks_lose_nothing(values: list[int | str]) -> None:
    """Joined again they are the list, and none is too long."""
    literals = [quote(value) for value in values]
    parts = list(chunks(literals, characters=600, at_most=100))
    assert [literal for part in parts for literal in part] == literals
    assert all(0 < len(part) <= 100 for part in parts)


@pytest.mark.parametrize(
    ("made", "written"),
    [
        (condition("id", "in", [1, 2, 3]), "id in (1,2,3)"),
        (condition("name", "not in", ("a", "b")), 'name not in ("a","b")'),
        (condition("name", "=", 'a "b"'), "name = 'a \"b\"'"),
        (condition("name", "=", "O'Neil [x]"), 'name = "O\'Neil [[]x]"'),
        (condition("closedFlag", "=", False), "closedFlag = False"),
        (condition("batch/id", "!=", None), "batch/id != null"),
        (condition("total", ">", Decimal("1E+3")), "total > 1000"),
        (condition("date", "<=", date(2026, 10, 31)), "date <= [2026-10-31T00:00:00Z]"),
        (all_of("", "a = 1"), "a = 1"),
        (all_of(), ""),
        (all_of("a = 1 or b = 2", "c = 3"), "(a = 1 or b = 2) and (c = 3)"),
    ],
)
def test_conditions_as_published(made: str, written: str) -> None:
    """The forms of the published guide."""
    assert made == written


@pytest.mark.parametrize(
    "value",
    ["both \" and '", "line\nbreak", 1.5, Decimal("NaN"), datetime(2026, 1, 1), object()],  # noqa: DTZ001
)
def test_what_cannot_be_written_is_refused(value: Any) -> None:
    """Better no question than another one."""
    with pytest.raises(UsageError):
        quote(value)


@pytest.mark.parametrize(
    ("field", "op", "value"),
    [
        ("id", "==", 1),
        ("id or 1", "=", 1),
        ("", "=", 1),
        ("id", "in", 1),
        ("id", "in", []),
        ("id", "=", [1]),
        ("id", "<", None),
        ("id/", "=", 1),
    ],
)
def test_what_is_no_comparison_is_refused(field: str, op: str, value: Any) -> None:
    """A mistake of the caller is not sent to the server."""
    with pytest.raises(UsageError):
        condition(field, op, value)
