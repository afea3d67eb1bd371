"""The static twin of a grid: an HTML table with all rows up to a number that is said, the rest counted, and totals."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sage50kit.money import text as money_text
from sage50kit.money import total
from sage50kit.widgets.panel import SIGNS, WORDS, text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from sage50kit.widgets.grid import GridColumn

MOST_ROWS = 200  # that a static table shows


def table(
    frame: pd.DataFrame,
    columns: Sequence[GridColumn],
    *,
    caption: str,
    findings: Mapping[int, tuple[str, str]] | None = None,
    most: int = MOST_ROWS,
) -> str:
    """Rows of a frame as HTML.

    Args:
        frame: amounts as money.
        columns: the same as of the grid.
        caption: what the rows are; how many there are is added.
        findings: row number -> (severity, sentence), for a column of kind `finding`.
        most: rows shown; the others are counted and added up in a line of their own.
    """
    marks = findings or {}
    known = [column for column in columns if column.kind != "finding" or marks]
    values = [_values(frame, column, marks) for column in known]
    zeros = [column.zero for column in known]
    rows = list(zip(*values, strict=True)) if len(frame) else []
    heads = "".join(f'<th scope="col"{_class(row)}>{text(row.title)}</th>' for row in known)
    shown = "".join(_line(row, zeros) for row in rows[:most])
    words = f"{caption}: {len(rows[:most]):,} of {len(rows):,} rows"
    return (
        f'<div class="s50-wide"><table class="s50-table"><caption>{text(words)}</caption>'
        f"<thead><tr>{heads}</tr></thead><tbody>{shown}{_rest(rows[most:], known)}</tbody>"
        f"<tfoot>{_sums(rows, known, 'Total of all rows')}</tfoot></table></div>"
    )


def finding_words(severity: str, sentence: str) -> str:
    """A finding with its sign and its severity in words."""
    return f"{SIGNS[severity]} {WORDS[severity]}: {sentence}"


def amount(value: Decimal) -> str:
    """An amount in a table: a zero is left blank, digits beyond the cent are shown."""
    if not value:
        return ""
    if value == value.quantize(Decimal("0.01")):
        return money_text(value)
    exact = value.normalize()
    return f"({-exact:,f})" if exact < 0 else f"{exact:,f}"


def _values(
    frame: pd.DataFrame, column: GridColumn, marks: Mapping[int, tuple[str, str]]
) -> list[Any]:
    import pandas as pd

    if column.kind == "finding":
        return [finding_words(*marks[i]) if i in marks else "" for i in range(len(frame))]
    return [None if pd.isna(value) else value for value in frame[column.name].array]


def _line(values: Sequence[Any], zeros: Sequence[bool]) -> str:
    cells = (_cell(value, zero=zero) for value, zero in zip(values, zeros, strict=True))
    return f"<tr>{''.join(cells)}</tr>"


def _cell(value: Any, *, zero: bool) -> str:
    if isinstance(value, Decimal):
        shown = amount(value) or ("0.00" if zero else "")
        return f'<td class="s50-figure{" s50-negative" if value < 0 else ""}">{shown}</td>'
    if isinstance(value, date):
        return f'<td class="s50-day">{value:%Y-%m-%d}</td>'
    if isinstance(value, int):
        return f'<td class="s50-figure">{value:,}</td>'
    return f"<td><bdi>{text(value or '')}</bdi></td>"


def _class(column: GridColumn) -> str:
    return ' class="s50-figure"' if column.kind in ("money", "count") else ""


def _rest(rows: Sequence[Sequence[Any]], columns: Sequence[GridColumn]) -> str:
    """What is not shown, counted and added up."""
    if not rows:
        return ""
    return _sums(rows, columns, f"{len(rows):,} more rows that are not shown here", css="s50-rest")


def _sums(
    rows: Sequence[Sequence[Any]], columns: Sequence[GridColumn], words: str, css: str = "s50-sum"
) -> str:
    summed = {place: column for place, column in enumerate(columns) if column.sum}
    if not summed:
        return f'<tr class="{css}"><td colspan="{len(columns)}">{words}</td></tr>' if rows else ""
    first = min(summed)
    cells = "".join(
        _sum(rows, place) if place in summed else "<td></td>"
        for place in range(first, len(columns))
    )
    label = f'<th scope="row" colspan="{first}">{words}</th>' if first else ""
    return f'<tr class="{css}">{label}{cells}</tr>'


def _sum(rows: Sequence[Sequence[Any]], place: int) -> str:
    value = total(row[place] for row in rows if row[place] is not None)
    return f'<td class="s50-figure">{money_text(value)}</td>'
