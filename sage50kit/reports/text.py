"""A page as plain text: for a log, a mail, or a screen reader."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len

from sage50kit.money import CENT
from sage50kit.reports.page import cell_text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from sage50kit.reports.page import Page, Row, Table

GAP = "  "


def render(page: Page) -> str:
    """The whole page; the first line is the headline."""
    parts = [page.headline, "", page.title, "=" * cell_len(page.title), ""]
    width = max((cell_len(name) for name, _ in page.facts), default=0)
    parts += [f"{_pad(name, width)}{GAP}{cell_text(value)}".rstrip() for name, value in page.facts]
    for table in page.tables:
        parts += ["", *_table(table)]
    return "\n".join(parts) + "\n"


def _table(table: Table) -> list[str]:
    title = [table.title, "-" * cell_len(table.title)]
    if not table.rows:
        return [*title, table.empty]
    shown = [place for place, column in enumerate(table.columns) if column.name != table.group]
    body = list[list[str] | str]()
    for label, rows in table.groups():
        body += [label] if table.group else []
        body += [[cell_text(row[place]) for place in shown] for row in rows]
        body += [_sums(table, shown, rows, "Total")] if table.group and table.sums else []
    if table.sums:
        body.append(_sums(table, shown, table.rows, "Total of all" if table.group else "Total"))
    note = [table.note] if table.note else []
    return [*title, *note, *_lines(table, shown, body)]


def _sums(table: Table, shown: Sequence[int], rows: Sequence[Row], word: str) -> list[str]:
    sums = table.sums_of(rows)
    names = [table.columns[place].name for place in shown]
    cells = [cell_text(sums[name]) if name in sums else "" for name in names]
    free = next((place for place, cell in enumerate(cells) if not cell), None)
    if free is not None:
        cells[free] = word
    return cells


def _lines(table: Table, shown: Sequence[int], body: Sequence[list[str] | str]) -> list[str]:
    heads = [table.columns[place].title for place in shown]
    rows = [heads, *(line for line in body if isinstance(line, list))]
    widths = [max(cell_len(row[place]) for row in rows) for place in range(len(heads))]
    right = [table.columns[place].figures for place in shown]

    def line(cells: Sequence[str]) -> str:
        pads = [
            _pad(cell, width, right=flag)
            for cell, width, flag in zip(cells, widths, right, strict=True)
        ]
        return GAP.join(pads).rstrip()

    rule = GAP.join("-" * width for width in widths)
    return [line(heads), rule, *(part if isinstance(part, str) else line(part) for part in body)]


def _pad(text: str, width: int, *, right: bool = False) -> str:
    blanks = " " * (width - cell_len(text))
    return blanks + text if right else text + blanks


def exact(value: Decimal) -> str:
    """An amount as exact text for machines: `-1234.50`, with more digits only where it has them."""
    short = value.quantize(CENT)
    return format(short if short == value else value.normalize(), "f")
