"""What a report says, before anyone decides how it looks.

Text, HTML and workbook are three drawings of one `Page`, so they cannot show different totals. Every
amount is a `Decimal`; every text is stripped of what could act on a terminal or a printer.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from sage50kit.money import text as money_text
from sage50kit.money import total

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

Cell: TypeAlias = str | int | Decimal | date | None
Tone: TypeAlias = Literal["plain", "good", "warn", "bad"]
Row: TypeAlias = tuple[Cell, ...]

# Control characters, and those that turn the direction of a line: a name must not rewrite its row.
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]+")

WORDS = {
    "account_id": "Account",
    "batched_without_posting": "Batched without a posting",
    "books": "Sage 50",
    "connectwise": "ConnectWise",
    "control_total": "Control total",
    "credits": "Credits that the kit posts",
    "debits": "Debits that the kit posts",
    "due_date": "Due",
    "gl_entries": "GL entries",
    "hash_total": "Hash total",
    "id": "ID",
    "log": "Push log",
    "made_by": "Made by",
    "net": "Net by the kit",
    "of_which_not_posted": "ConnectWise, without a posting",
    "new_masters": "Records to create first",
    "payables_change": "Expected change of payables",
    "party_id": "ID",
    "party": "Customer or vendor",
    "posting_date": "Posting date",
    "receivables_change": "Expected change of receivables",
    "sage_credit": "Sage's own credit",
    "sage_debit": "Sage's own debit",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column: its name in the frame, its heading, and whether it is set as a figure."""

    name: str
    title: str
    figures: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows under a caption.

    `sums` are the totals of its money columns by column name. `group` names the column whose equal
    neighbours stand together under one heading with their own sums. `across` names the column that adds
    up the other summed columns of its row.
    """

    title: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    note: str = ""
    empty: str = "None."
    group: str = ""
    sums: Mapping[str, Decimal] = field(default_factory=dict)
    across: str = ""

    def index(self, name: str) -> int:
        """Where a column stands."""
        return next(place for place, column in enumerate(self.columns) if column.name == name)

    def groups(self) -> list[tuple[str, tuple[Row, ...]]]:
        """The rows cut at every change of the group column; one group without one."""
        if not self.group:
            return [("", self.rows)]
        place, found = self.index(self.group), list[tuple[str, list[Row]]]()
        for row in self.rows:
            label = cell_text(row[place])
            if not found or found[-1][0] != label:
                found.append((label, []))
            found[-1][1].append(row)
        return [(label, tuple(rows)) for label, rows in found]

    def sums_of(self, rows: Sequence[Row]) -> dict[str, Decimal]:
        """The sums of some of the rows, over the columns that are summed at all."""
        return {name: _column_sum(rows, self.index(name)) for name in self.sums}


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A whole report: the first line says how it ended, the facts count it, the tables prove it.

    `picture` is an SVG element that the kit drew itself; only HTML shows it.
    """

    title: str
    headline: str
    tone: Tone = "plain"
    facts: tuple[tuple[str, Cell], ...] = ()
    tables: tuple[Table, ...] = ()
    picture: str = ""


def table(
    frame: pd.DataFrame,
    title: str,
    *,
    columns: Mapping[str, str] | None = None,
    sums: Sequence[str] = (),
    blank_zeros: Sequence[str] = (),
    group: str = "",
    note: str = "",
    empty: str = "None.",
    across: str = "",
) -> Table:
    """A table of a frame.

    Args:
        frame: amounts as money, dates as dates; a float is refused.
        title: the caption.
        columns: column name -> heading, in order; columns the frame lacks are passed over. Without it,
            every column of the frame.
        sums: money columns to add up.
        blank_zeros: columns where a zero is left blank, as in debit and credit.
        group: the column whose equal neighbours stand together.
        note: a sentence above the rows.
        empty: what is said when there are no rows.
        across: the column that adds up the other summed columns of its row.
    """
    wanted = {name: heading(name) for name in frame.columns} if columns is None else dict(columns)
    names = [name for name in wanted if name in frame.columns]
    lists = [_cells(frame[name], blank_zeros=name in blank_zeros) for name in names]
    rows = tuple(zip(*lists, strict=True))
    heads = tuple(
        Column(name=name, title=wanted[name], figures=name in sums or _is_figures(values))
        for name, values in zip(names, lists, strict=True)
    )
    added = {name: _column_sum(rows, names.index(name)) for name in sums if name in names}
    group = group if group in names else ""
    return Table(
        title=title,
        columns=heads,
        rows=rows,
        note=note,
        empty=empty,
        group=group,
        sums=added,
        across=across,
    )


def heading(name: str) -> str:
    """How a column or a total is called on paper."""
    if name.startswith("documents_"):
        return f"Documents: {name.removeprefix('documents_').replace('_', ' ')}"
    return WORDS.get(name) or name[:1].upper() + name[1:].replace("_", " ")


def cell_text(cell: Cell) -> str:
    """A cell as people read it."""
    if isinstance(cell, Decimal):
        return money_text(cell)
    if isinstance(cell, int):
        return f"{cell:,}"
    if isinstance(cell, date):
        return cell.isoformat()
    return cell or ""


def clean(text: str) -> str:
    """`text` on one line, without control characters."""
    return _UNSAFE.sub(" ", text).strip()


def _cells(series: pd.Series[Any], *, blank_zeros: bool) -> tuple[Cell, ...]:
    import pandas as pd

    cells = (None if pd.isna(value) else _cell(value) for value in series.array)
    return tuple(None if blank_zeros and cell == 0 else cell for cell in cells)


def _cell(value: object) -> Cell:
    """A value of a frame as a cell; floats are refused, because they may have lost a cent."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (Decimal, int)):
        return value
    if isinstance(value, date):
        return date(value.year, value.month, value.day)
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, float):
        raise TypeError(f"a report shows exact amounts only, not the float {float(value)!r}")
    item = getattr(value, "item", None)  # numpy's own integers and truth values
    return _cell(item()) if item is not None else clean(str(value))


def _is_figures(values: Sequence[Cell]) -> bool:
    return any(isinstance(value, (Decimal, int)) for value in values)


def _column_sum(rows: Sequence[Row], place: int) -> Decimal:
    return total(cell for row in rows if isinstance(cell := row[place], Decimal))
