"""The query language of the local site: what each condition keeps, and what is no condition."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from sage50kit.sandbox.conditions import compiled
from sage50kit.sandbox.fields import BadQuery, order, select, selection

MODEL = "Invoice"
ROWS: list[dict[str, Any]] = [
    {
        "id": 1,
        "invoiceNumber": "CW-1",
        "type": "Standard",
        "total": Decimal("100.10"),
        "date": datetime(2026, 10, 1, tzinfo=UTC),
        "taxableFlag": True,
        "company": {"id": 7, "identifier": "Bayshore", "name": 'The "Bay" [North]'},
        "customFields": [
            {"id": 1, "caption": "Region", "value": "South"},
            {"id": 2, "caption": "Tier", "value": "1"},
        ],
    },
    {
        "id": 2,
        "invoiceNumber": "ab*c",
        "type": "CreditMemo",
        "total": Decimal("-20.00"),
        "date": date(2026, 10, 31),
        "taxableFlag": False,
        "company": {"id": 8, "identifier": "Müller", "name": "O'Brien & Söhne"},
        "reference": "PO 5%",
        "customFields": [{"id": 1, "caption": "Region", "value": "1"}],
    },
    {
        "id": 3,
        "invoiceNumber": "10",
        "type": "Standard",
        "date": "2026-11-01T00:00:00Z",
        "company": {"id": 9},
    },
]


def ids(conditions: str, parameter: str = "conditions") -> list[int]:
    test = compiled(conditions, MODEL, parameter)
    return [row["id"] for row in ROWS if test(row)]


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ("", [1, 2, 3]),
        ("id = 2", [2]),
        ("id=2", [2]),
        ("id != 2", [1, 3]),
        ("id < 2 or id>2", [1, 3]),
        ("id <= 2 AND id >= 2", [2]),
        ("(id = 1 or id = 2) and type = 'CreditMemo'", [2]),
        ("id = 1 or id = 2 and type = 'Standard'", [1]),
        ("id in (1, 3)", [1, 3]),
        ("id not in (1,3)", [2]),
        ("invoiceNumber in ('CW-1',\"10\")", [1, 3]),
        ("invoiceNumber in (CW-1,)", [1]),
        ("INVOICENUMBER = 'cw-1'", [1]),
        ("company/identifier = 'müller'", [2]),
        ("company/id in (7,9)", [1, 3]),
        ("company/name = null", [3]),
        ("company/name != null", [1, 2]),
        ("total = null", [3]),
        ("total > 100.1", []),
        ("total >= 100.1", [1]),
        ("total < 0", [2]),
        ("taxableFlag = TRUE", [1]),
        ("taxableFlag=false", [2]),
        ("taxableFlag != true", [2]),
        ("date > [2026-10-01T00:00:00Z]", [2, 3]),
        ("date >= [2026-10-31]", [2, 3]),
        ("date = [2026-10-31T00:00:00Z]", [2]),
        ("date < [2026-10-01T02:00:00+03:00]", []),
        ("date <= [2026-10-01T03:00:00+03:00]", [1]),
        ("invoiceNumber like 'cw%'", [1]),
        ("invoiceNumber like '*1*'", [1, 3]),
        ("invoiceNumber like 'CW'", []),
        ("invoiceNumber not like 'cw*'", [2, 3]),
        ("invoiceNumber contains 'W-'", [1]),
        ("reference not contains 'PO'", []),
        ("invoiceNumber = 'ab*'", [2]),
        ("company/name contains '[[]North]'", [1]),
        ("company/name = 'The \"Bay\" [[]North]'", [1]),
        ('company/name = "O\'Brien & Söhne"', [2]),
        ("reference = 'PO 5%'", [2]),
        ("invoiceNumber = 10", [3]),
    ],
)
def test_a_condition_keeps_exactly_the_rows_that_meet_it(conditions, expected):
    """Every form of the documented grammar, on rows with texts, amounts, dates, references and gaps."""
    assert ids(conditions) == expected


@pytest.mark.parametrize(
    ("conditions", "complaint"),
    [
        ("foo = 1", "'foo' is not a field of Invoice"),
        ("company/foo = 1", "'company/foo' is not a field"),
        ("id", "an operator"),
        ("id =", "a value"),
        ("= 1", "a field"),
        ("id = 1 and", "a field"),
        ("id = 1 id = 2", "AND, OR or the end"),
        ("(id = 1", "')'"),
        ("id = 1)", "AND, OR or the end"),
        ("id in 1", "'('"),
        ("id in ()", "a value"),
        ("id in (1", "')'"),
        ("id = 'one'", "does not fit the field id (int)"),
        ("total = true", "does not fit the field total"),
        ("date = [yesterday]", "is not a date"),
        ("date = 2026-10-01", "is not a value"),
        ("invoiceNumber = CW", "texts stand in quotes"),
        ("invoiceNumber like CW", "a text in quotes"),
        ("invoiceNumber = 'CW", "is not expected here"),
        ("id > null", "= and != only"),
        ("not id = 1", "a field"),
        ("customFields/value = 'x'", "use childConditions"),
        ("company = 1", "does not fit"),
        ("id ! 1", "is not expected here"),
        ("(" * 60 + "id = 1" + ")" * 60, "too many parentheses"),
    ],
)
def test_what_is_no_condition_is_refused_with_the_place_and_the_reason(conditions, complaint):
    """A 400 of the site says what was found and what was expected."""
    with pytest.raises(BadQuery) as caught:
        ids(conditions)

    assert complaint in str(caught.value)


def test_child_conditions_want_one_element_that_meets_everything():
    """Region South and Region 1 exist, but `Region` with value `1` is on the second invoice only."""
    assert ids("customFields/caption = 'Region'", "childConditions") == [1, 2]
    assert ids(
        "customFields/caption = 'Region' and customFields/value = '1'", "childConditions"
    ) == [2]


def test_custom_field_conditions_look_at_caption_and_value_of_one_field():
    """As in the developer guide: caption and value of the same custom field."""
    assert ids('caption = "Region" and value = "1"', "customFieldConditions") == [2]
    assert ids('caption = "Tier"', "customFieldConditions") == [1]


def test_rows_are_ordered_by_several_fields_and_missing_values_come_first():
    """`orderBy=type desc, total` sorts within the type; the invoice without a total leads."""
    assert [row["id"] for row in order(ROWS, "type desc, total", MODEL)] == [3, 1, 2]
    assert [row["id"] for row in order(ROWS, "company/identifier", MODEL)] == [3, 1, 2]
    with pytest.raises(BadQuery, match="asc or desc"):
        order(ROWS, "id upwards", MODEL)


def test_fields_keep_what_is_named_and_nothing_else():
    """A part of a reference may be named; a name that does not exist is refused."""
    tree = selection("id, Company/Name,customFields/value", MODEL)

    assert select(ROWS[0], tree) == {
        "id": 1,
        "company": {"name": 'The "Bay" [North]'},
        "customFields": [{"value": "South"}, {"value": "1"}],
    }
    assert select(ROWS[2], tree) == {"id": 3, "company": {}}
    with pytest.raises(BadQuery, match="'nothing' is not a field"):
        selection("id,nothing", MODEL)


@given(st.text())
def test_any_text_is_a_condition_or_refused(text):
    """No input ends in anything but a test or a refusal."""
    try:
        test = compiled(text, MODEL)
    except BadQuery:
        return
    for row in ROWS:
        assert test(row) in (True, False)


_FIELDS = ("id", "total", "type", "company/id", "date", "customFields/id")
_SIGNS = ("=", "!=", "<", "(", ")", ",", '"')
_REST = ("in", "not", "like", "contains", "and", "or", "1", "'a*'", "null", "true", "[2026-10-01]")
WORDS = st.sampled_from((*_FIELDS, *_SIGNS, *_REST))


@given(st.lists(WORDS, max_size=12).map(" ".join))
def test_any_order_of_known_words_is_a_condition_or_refused(text):
    """Words that belong to the grammar, in senseless order."""
    test_any_text_is_a_condition_or_refused.hypothesis.inner_test(text)


@given(
    st.text(alphabet=st.characters(exclude_characters="*", exclude_categories=("Cs",)), max_size=30)
)
def test_a_quoted_text_finds_exactly_itself(text):
    """Every text without both kinds of quotes can be looked up, brackets written as documented."""
    mark = "'" if '"' in text else '"'
    assume(mark not in text)
    test = compiled(f"invoiceNumber = {mark}{text.replace('[', '[[]')}{mark}", MODEL)

    assert test({"invoiceNumber": text})
    assert not test({"invoiceNumber": text + "x"})


@given(st.lists(st.integers(0, 20), min_size=1), st.integers(0, 20))
def test_in_and_its_opposite_share_the_rows_out(members, number):
    """Every row with a value is in one of the two lists and not in both."""
    listed = ",".join(map(str, members))
    row = {"id": number}

    assert compiled(f"id in ({listed})", MODEL)(row) == (number in members)
    assert compiled(f"id not in ({listed})", MODEL)(row) == (number not in members)


@given(
    st.decimals(allow_nan=False, allow_infinity=False, places=4),
    st.decimals(allow_nan=False, allow_infinity=False, places=4),
)
def test_amounts_compare_exactly(left, right):
    """Digits beyond those of a float count."""
    row = {"total": left}

    assert compiled(f"total < {right:f}", MODEL)(row) == (left < right)
    assert compiled(f"total = {left:f}", MODEL)(row)
