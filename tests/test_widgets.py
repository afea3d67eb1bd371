"""What the parts of a page hold, and their static twins, without a browser."""

from __future__ import annotations

import inspect
import json
import re
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

import nbformat
import numpy as np
import pandas as pd
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbconvert import HTMLExporter

from sage50kit import Kit
from sage50kit.app import pages
from sage50kit.errors import UsageError
from sage50kit.money import money_series
from sage50kit.widgets import Grid, Picker
from sage50kit.widgets import twin as static_twin
from sage50kit.widgets.grid import GridColumn, columnar, pack, texts
from sage50kit.widgets.panel import Panel
from tests.stage import staged

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.stage import Stage

HOSTILE = '<script>alert(1)</script>=HYPERLINK("x")\u202eabc'
COLUMNS = (
    GridColumn(name="number", title="Number"),
    GridColumn(name="kind", title="Kind", kind="choice"),
    GridColumn(name="date", title="Date", kind="date"),
    GridColumn(name="total", title="Total", kind="money", sum=True),
    GridColumn(name="finding", title="Finding", kind="finding"),
)


def frame(count: int = 3) -> pd.DataFrame:
    """Rows of the columns above."""
    numbers = [f"CW-{number}" for number in range(count)]
    totals = money_series(Decimal(number) - Decimal("0.01") for number in range(count))
    days = [date(2026, 10, 1)] * count
    return pd.DataFrame({"number": numbers, "kind": "invoice", "date": days, "total": totals})


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """A pair of a test's own, whose keys are in the environment."""
    with staged(tmp_path) as made:
        for name, value in made.environment.items():
            monkeypatch.setenv(name, value)
        yield made


@pytest.fixture
def kit(stage: Stage) -> Iterator[Kit]:
    """The pair, opened."""
    with Kit(stage.profile) as opened:
        yield opened


@pytest.fixture
def live(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if somebody had the page open."""
    monkeypatch.setenv("JPY_SESSION_NAME", "page.ipynb")


# --- the grid ---


def test_columns_travel_as_text():
    """Amounts keep all their decimals, dates are ISO, what is missing is empty."""
    rows = frame(2)
    rows.loc[1, "date"] = None
    sent = json.loads(columnar(rows, ["number", "date", "total"]))

    assert sent == {
        "number": ["CW-0", "CW-1"],
        "date": ["2026-10-01", ""],
        "total": ["-0.0100", "0.9900"],
    }


def test_a_float_is_refused():
    """It may have lost a cent before it came here."""
    with pytest.raises(TypeError, match="exact"):
        texts(pd.Series([0.1], name="total"))


@pytest.mark.parametrize("count", [0, 1, 7, 8, 9, 50_000])
def test_the_choice_is_one_bit_a_row(count):
    """What the browser sends as bits is the selection, whatever the number of rows."""
    grid = Grid(frame(count), COLUMNS)
    wanted = np.arange(count) % 3 == 0
    grid.set_state({"mask": memoryview(pack(wanted))})

    assert len(grid.mask) == 4 + (count + 7) // 8
    assert list(grid.included) == list(wanted)
    assert list(grid.selected["number"]) == [f"CW-{number}" for number in range(0, count, 3)]


def test_new_rows_forget_the_old_choice():
    """Bits of one list are never read as bits of another."""
    grid = Grid(frame(9), COLUMNS, included=[False] * 9)
    grid.current = 8
    grid.show(frame(2))

    assert list(grid.included) == [True, True]
    assert grid.current == -1


def test_a_choice_among_other_rows_counts_for_nothing():
    """Ticked while Python was fetching: it arrives when other rows are there, and is none of theirs."""
    grid = Grid(frame(9), COLUMNS)
    late = grid.get_state(["mask"])["mask"][:4] + bytes(2)
    heard: list[int] = []
    grid.observe(lambda _change: heard.append(int(grid.included.sum())), ["current", "mask"])
    grid.current = 8
    for rows in (frame(9), frame(1), frame(9)):
        grid.show(rows)
        grid.set_state({"mask": memoryview(late)})
        assert grid.included.all()

    assert len(grid.included) == 9
    assert set(heard) == {9, 1}


def test_amounts_travel_with_four_decimals_whatever_they_came_with():
    """The page counts ten-thousandths; what has more decimals is refused, not cut."""
    plain = pd.Series([Decimal("12.5"), Decimal(-3)], dtype="object")

    assert texts(plain) == ["12.5000", "-3.0000"]
    with pytest.raises(ValueError, match="data loss"):
        texts(pd.Series([Decimal("0.00001")], dtype="object"))


def test_a_column_of_many_values_is_filtered_by_words():
    """A list of thousands to choose from helps nobody."""
    many = frame(20).assign(kind=[str(number) for number in range(20)])

    assert Grid(frame(), COLUMNS).columns[1]["kind"] == "choice"
    assert Grid(many, COLUMNS).columns[1]["kind"] == "text"


# --- static tables ---


def test_a_static_table_says_what_it_does_not_show():
    """Some rows, the rest counted and added up, and the total of all: the three agree."""
    shown = static_twin.table(frame(5), COLUMNS, caption="Rows", most=2)

    assert "Rows: 2 of 5 rows" in shown
    assert "3 more rows that are not shown here" in shown
    assert ">8.97<" in shown
    assert ">9.95<" in shown


def test_amounts_are_set_as_bookkeepers_set_them():
    """Parentheses for less than zero, nothing for zero, thousands, no digit lost."""
    amounts = [Decimal("-1234.5"), Decimal(0), Decimal("1234567.8"), Decimal("0.0050")]

    assert [static_twin.amount(value) for value in amounts] == [
        "(1,234.50)", "", "1,234,567.80", "0.005"
    ]  # fmt: skip


def test_hostile_text_is_text():
    """A name from ConnectWise acts neither on the page nor on the direction of its line."""
    rows = frame(1).assign(number=HOSTILE)
    shown = static_twin.table(rows, COLUMNS, caption=HOSTILE, findings={0: ("warn", HOSTILE)})

    assert "<script" not in shown
    assert "\u202e" not in shown
    assert shown.count("&lt;script&gt;alert(1)&lt;/script&gt;=HYPERLINK(&quot;x&quot;)") == 3


# --- the picker ---


def test_everything_is_included_at_first(kit: Kit):
    """Fetched = included; the parameters say so without naming each."""
    picker = Picker(kit)

    assert list(picker.selected["key"]) == list(kit.fetch()["key"])
    assert picker.parameters["keys"] == picker.parameters["without"] == []


def test_the_parameters_make_the_same_choice_again(kit: Kit):
    """A choice made by hand, pasted into the unattended notebook, chooses the same rows."""
    for count in (1, 41):
        first = Picker(kit, location="Tampa", kinds=["invoice", "receipt"])
        first.grid.included = np.arange(len(first.grid.frame)) < count
        again = Picker(kit, **first.parameters)

        assert list(again.selected["key"]) == list(first.selected["key"])
        assert set(again.selected["location"]) == {"Tampa"}


def test_what_is_asked_for_and_gone_is_named(kit: Kit):
    """A transaction that somebody has batched meanwhile is not silently missing."""
    picker = Picker(kit, keys=["invoice:999999999"])

    assert picker.missing == ["invoice:999999999"]
    assert len(picker.selected) == 0
    assert "no longer unposted: invoice:999999999" in picker.static()


def test_every_row_has_its_worst_finding(kit: Kit):
    """The blocked invoice of the fixtures is marked, in words and with what to do."""
    picker = Picker(kit, kinds=["invoice"])
    picker.check()
    marked = {picker.grid.frame["number"][row]: mark for row, mark in picker._marks().items()}

    assert [number for number, mark in marked.items() if mark[0] == "block"]
    assert "✖ blocked: GL account 4950" in picker.static()
    assert "add 4950 under Maintain" in picker.static()


def test_the_twin_has_the_figures_of_the_frame(kit: Kit):
    """The total at its foot is the total of what is selected."""
    picker = Picker(kit)
    total = static_twin.amount(picker.selected["total"].sum())

    assert f'<td class="s50-figure">{total}</td>' in picker.static()


def test_no_transactions(kit: Kit):
    """An empty list is a page that says so."""
    picker = Picker(kit, thru_date="2001-01-01")

    assert len(picker.selected) == 0
    assert "0 unposted transactions" in picker.static()
    assert "0 of 0 rows" in picker.static()


def test_a_wrong_parameter_stops_an_unattended_run(kit: Kit):
    """Nobody is there to read a message in the page."""
    with pytest.raises(UsageError, match="no unposted transaction is at location"):
        Picker(kit, location="Atlantis")


def test_in_a_live_page_the_error_is_told_there(kit: Kit, monkeypatch: pytest.MonkeyPatch):
    """One sentence, the details folded, and a line in the log of the page."""
    monkeypatch.setenv("JPY_SESSION_NAME", "page.ipynb")
    picker = Picker(kit, location="Atlantis")
    logged = (kit.workdir / "page-errors.jsonl").read_text(encoding="utf-8").splitlines()

    assert "No unposted transaction is at location" in picker.message.value
    assert "<details>" in picker.message.value
    assert "Atlantis" in json.loads(logged[-1])["error"]


def test_an_error_in_a_cell_is_one_sentence():
    """A notebook shows the sentence and its fix, not where in the kit it was raised."""
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell()
    done = shell.run_cell("from sage50kit import Kit\nKit('nowhere.toml')", store_history=False)
    shown = done.error_in_exec._render_traceback_()

    assert shown == [
        "ConfigError: there is no profile nowhere.toml. Check the path after --profile."
    ]


@pytest.mark.usefixtures("live")
@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("Kit('nowhere.toml')", "There is no profile nowhere.toml. Check the path"),
        (
            "1 / 0",
            "This is a fault of sage50kit, please report it (ZeroDivisionError: division by zero)",
        ),
    ],
)
def test_an_error_in_a_cell_of_a_live_page_is_told_like_that_of_a_button(source: str, words: str):
    """One sentence, the details folded; the cells below do not run."""
    cells = [f"from sage50kit import Kit\nimport sage50kit.widgets\n{source}", "print('below')"]
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    with pytest.raises(CellExecutionError):
        NotebookClient(book, kernel_name="python3").execute()

    (output,) = book.cells[0].outputs
    assert f"✖ {words}" in output["data"]["text/html"]
    assert "<details><summary>Details</summary>" in output["data"]["text/html"]
    assert book.cells[1].outputs == []


def test_outside_a_live_page_a_part_is_its_static_twin(kit: Kit):
    """Papermill and nbconvert get HTML, and nothing that needs a kernel."""
    bundle = Picker(kit)._repr_mimebundle_()

    assert set(bundle) == {"text/plain", "text/html"}
    assert "<table" in bundle["text/html"]


def test_a_total_of_zero_is_said(kit: Kit):
    """Blank would read as not known; debits and credits of zero stay blank."""
    picker = Picker(kit, kinds=["invoice"])
    (place,) = np.flatnonzero(picker.grid.frame["number"] == "10443")
    column = GridColumn(name="total", title="Total", kind="money", zero=True)
    row = picker.grid.frame.iloc[[place]]

    assert '<td class="s50-figure">0.00</td>' in static_twin.table(row, [column], caption="")
    assert [one["zero"] for one in picker.grid.columns if one["name"] == "total"] == [True]


@pytest.mark.usefixtures("live")
def test_the_page_says_whether_findings_were_looked_for(kit: Kit):
    """However many rows there are; an empty column is never taken for a clean one."""
    picker = Picker(kit)
    before = picker._checked.value
    picker.wait()

    assert "Looking for findings on 43 transactions" in before or "are checked" in before
    assert (
        "All 43 transactions are checked: ✖ 1 blocked, ⊘ 1 refused, ▲ 4 warnings"
        in picker._checked.value
    )


@pytest.mark.usefixtures("live")
def test_the_choice_in_words_is_never_an_old_one(kit: Kit):
    """It is made when somebody asks, and goes when a box is ticked."""
    picker = Picker(kit)
    assert picker._copy.value == ""
    picker._ask_copy.click()
    assert "choice = {" in picker._copy.value
    picker.grid.included = [False] * len(picker.grid.frame)
    assert picker._copy.value == ""
    picker.wait()


def test_a_notebook_saved_from_a_live_page_keeps_its_figures(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
):
    """Converted or printed without the kernel it shows the twin, and says from when it is."""
    monkeypatch.setenv("JPY_SESSION_NAME", "page.ipynb")
    source = f"from sage50kit import Kit\nfrom sage50kit.widgets import Picker\nPicker(Kit({str(stage.profile)!r}))"
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])
    NotebookClient(book, kernel_name="python3", store_widget_state=False).execute()
    page, _ = HTMLExporter().from_notebook_node(book)

    assert "application/vnd.jupyter.widget-view+json" in book.cells[0].outputs[-1]["data"]
    assert "45,159.16" in page
    assert "when this cell ran" in page


def test_the_pages_without_code_say_nothing_of_parameters(tmp_path: Path):
    """No heading stands over what the controller does not see, and no step is missing from the count."""
    profile = tmp_path / "a.toml"
    profile.touch()
    with pages(str(profile)) as folder:
        books = [nbformat.read(path, 4) for path in sorted(folder.glob("*.ipynb"))]
    words = [cell.source for book in books for cell in book.cells if cell.cell_type == "markdown"]

    assert len(books) >= 5
    assert [source for source in words if re.search(r"^## (\d|Parameters)", source)] == []


@pytest.mark.usefixtures("live")
def test_the_choice_is_of_the_rows_that_are_shown(kit: Kit):
    """What the controls say counts when it was fetched, and not when fetching failed."""
    picker = Picker(kit, kinds=["expense"])
    picker.wait()
    before = picker.parameters
    picker._boxes["expense"].value = False
    picker._boxes["invoice"].value = True
    picker._detail.value = "Condensed"
    assert picker.parameters == before
    assert picker.gone() == []

    picker._day.value = "some day"
    picker._button.click()
    assert "some day" in picker.message.value
    assert picker.parameters == before
    assert kit.profile.push.invoice_detail == before["detail"]

    picker._day.value = "2026-10-31"
    picker._button.click()
    picker.wait()
    assert (picker.parameters["kinds"], picker.parameters["detail"]) == (["invoice"], "Condensed")
    assert kit.profile.push.invoice_detail == "Condensed"


@pytest.mark.usefixtures("live")
def test_no_choice_is_not_the_choice_of_everything(kit: Kit):
    """Empty parameters mean all: pasted into the unattended notebook they would push what nobody chose."""
    picker = Picker(kit, kinds=["expense"])
    picker.wait()
    picker.grid.included = [False] * len(picker.grid.frame)

    with pytest.raises(UsageError, match="nothing is included"):
        _ = picker.parameters
    picker._ask_copy.click()
    assert "Nothing is included" in picker.message.value
    assert picker._copy.value == ""


def test_every_callback_of_a_page_tells_its_error_there():
    """Whatever a person ticks, opens or presses: an exception in it is a sentence in the page."""
    found = [
        (panel, name)
        for panel in _panels(Panel)
        for name in re.findall(
            r"(?:observe|on_click|button)\((?:\"[^\"]*\", )?self\.(\w+)", inspect.getsource(panel)
        )
    ]

    assert len(found) > 20
    assert [f"{panel.__name__}.{name}" for panel, name in found if not _is_told(panel, name)] == []


def _panels(kind: type[Panel]) -> list[type[Panel]]:
    """Every kind of panel below one."""
    return [one for below in kind.__subclasses__() for one in (below, *_panels(below))]


def _is_told(panel: type[Panel], name: str) -> bool:
    return hasattr(getattr(panel, name), "__wrapped__")
