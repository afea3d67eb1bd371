"""What the grid makes of a filter, a sort and a sum: rows.js alone in a real browser, without a server."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from sage50kit.money import money_series
from sage50kit.widgets import Grid
from sage50kit.widgets.grid import GridColumn
from tests.pages import browser, browser_path
from tests.stage import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(browser_path() is None, reason="no browser; run.py says so aloud"),
]
COLUMNS = (
    GridColumn(name="number", title="Number"),
    GridColumn(name="kind", title="Kind", kind="choice"),
    GridColumn(name="date", title="Date", kind="date"),
    GridColumn(name="total", title="Total", kind="money", sum=True),
    GridColumn(name="finding", title="Finding", kind="finding"),
)
AMOUNTS = ["-150.00", "0.00", "0.1", "0.2", "9999999999999.9999"]
SOURCE = (ROOT / "sage50kit" / "widgets" / "rows.js").read_text(encoding="utf-8")
MODEL = """
const bytes = (list) => new DataView(new Uint8Array(list).buffer);
const model = {get: (name) => Array.isArray(state[name]) && name !== "columns" ? bytes(state[name]) : state[name]};
const rows = new Rows(model);
"""


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    """An empty page."""
    with browser() as chromium:
        yield chromium.new_page()


def state() -> dict[str, Any]:
    """What Python sends to the browser of five rows, the first of them blocked."""
    numbers = ["CW-9", "CW-10", "CW-11", "cw-9-B", "X"]
    frame = pd.DataFrame(
        {
            "number": numbers,
            "kind": ["invoice", "invoice", "expense", "expense", ""],
            "date": [date(2026, 9, 30), date(2026, 10, 1), date(2026, 10, 31), None, date(2026, 11, 1)],
            "total": money_series(map(Decimal, AMOUNTS)),
        }
    )  # fmt: skip
    grid = Grid(frame, COLUMNS, included=[True, False, True, False, True])
    grid.mark({0: ("block", "no account"), 3: ("note", "rounded")})
    sent = grid.get_state(["columns", "data", "notes", "mask", "turn"])
    return {
        name: list(value) if isinstance(value, bytes) else value for name, value in sent.items()
    }


def ask(page: Page, question: str, value: object = None) -> Any:
    """The answer of rows.js to a question about those rows."""
    return page.evaluate(
        f"([state, value]) => {{ {SOURCE}\n{MODEL}\n{question} }}", [state(), value]
    )


@pytest.mark.parametrize(
    ("column", "text", "passes"),
    [
        ("number", "cw-9", [0, 3]),
        ("number", "=cw-9", [0]),
        ("number", "!cw", [4]),
        ("kind", "=expense", [2, 3]),
        ("kind", "=", [4]),
        ("date", ">=2026-10-01", [1, 2, 4]),
        ("date", "2026-10", [1, 2]),
        ("date", "2026-09-30..2026-10-01", [0, 1]),
        ("total", "<0", [0]),
        ("total", "(150)", [0]),
        ("total", "0.1..0.2", [2, 3]),
        ("total", "=0", [1]),
        ("total", ">9,999,999,999,999.9998", [4]),
        ("finding", "blocked", [0]),
        ("finding", "", [0, 1, 2, 3, 4]),
    ],
)
def test_a_filter_passes_what_it_says(page: Page, column: str, text: str, passes: list[int]):
    """Words, exact words, their absence, comparisons and spans; amounts exactly."""
    assert ask(page, "rows.filter('', value); return rows.shown;", {column: text}) == passes


def test_a_choice_of_the_list_passes_its_rows_whatever_blanks_it_has(page: Page):
    """What ConnectWise has with a blank at its end can be chosen, too."""
    words = "rows.lists.kind[1] = 'stock '; rows.filter('', {kind: '=stock '}); return rows.shown;"

    assert ask(page, words) == [1]


def test_a_choice_among_other_rows_is_not_drawn(page: Page):
    """It may come back as an echo of what another window sent; its number says of which rows it is."""
    words = """
      const chosen = () => rows.included(rows.order_free());
      const before = chosen();
      state.mask = [0, 0, 0, 9, 0];
      rows.load_mask();
      const stale = chosen();
      state.mask = [0, 0, 0, 0, 128];
      rows.load_mask();
      return [before, stale, chosen()];
    """
    assert ask(page, words) == [3, 3, 1]


def test_whole_numbers_are_amounts_too(page: Page):
    """With fewer decimals an amount is not a smaller one."""
    assert ask(page, "return ['5', '-0.5', '', '12.3400'].map((t) => amount(scaled(t)));") == [
        "5.00", "(0.50)", "0.00", "12.34",
    ]  # fmt: skip


def test_all_words_of_a_search_must_be_somewhere_in_the_row(page: Page):
    """In any column, in any order, findings too."""
    assert ask(page, "rows.filter('ACCOUNT cw', {}); return rows.shown;") == [0]


def test_numbers_in_texts_and_findings_sort_as_people_sort_them(page: Page):
    """CW-9 before CW-10; the worst finding last, so first when turned round; equal ones as they came."""
    sort = "rows.sort(rows.columns.find(c => c.name === value), 1); rows.filter('', {}); return rows.shown;"

    assert ask(page, sort, "number") == [0, 3, 1, 2, 4]
    assert ask(page, sort, "total") == [0, 1, 2, 3, 4]
    assert ask(page, sort, "finding") == [1, 2, 4, 3, 0]


def test_sums_lose_no_cent(page: Page):
    """Beyond what a floating number holds, of all rows and of the included ones."""
    words = "return [amount(rows.sum('total', rows.order_free())), amount(rows.sum('total', rows.order_free(), true))];"

    assert ask(page, words) == ["9,999,999,999,850.2999", "9,999,999,999,850.0999"]


def test_amounts_look_like_those_of_the_reports(page: Page):
    """Thousands, parentheses, nothing for zero, digits beyond the cent shown."""
    words = "return rows.order_free().map((i) => rows.text(rows.columns[3], i));"

    assert ask(page, words) == ["(150.00)", "", "0.10", "0.20", "9,999,999,999,999.9999"]
