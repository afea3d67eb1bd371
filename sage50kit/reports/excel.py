"""A page as an Excel workbook.

Totals are formulas, so that they follow an edit; they carry their value for whoever only reads. Excel
counts in binary fractions, so every amount that is a control stands beside its number as exact text. Text is written as text: a name that begins like a formula stays a name, also after an edit.
"""

from __future__ import annotations

import io
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sage50kit.reports.csv import is_formula
from sage50kit.reports.page import cell_text
from sage50kit.reports.text import exact

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sage50kit.reports.page import Cell, Column, Page, Table

LONGEST = 32_767  # characters of a cell, a limit of Excel
FORMATS = {
    "money": {"num_format": "#,##0.00;(#,##0.00)"},
    "sum": {"num_format": "#,##0.00;(#,##0.00)", "bold": True, "top": 1},
    "count": {"num_format": "#,##0"},
    "date": {"num_format": "yyyy-mm-dd"},
    "head": {"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"},
    "bold": {"bold": True},
    "title": {"bold": True, "font_size": 14},
    "exact": {"font_color": "#4C555F", "align": "right"},
    "quoted": {"quote_prefix": True},
}


def workbook(page: Page) -> bytes:
    """The workbook: a summary sheet, then one sheet for each table."""
    import xlsxwriter

    content = io.BytesIO()
    book = xlsxwriter.Workbook(
        content, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    )
    book.set_properties({"title": page.title})
    drawing = _Drawing(book)
    drawing.summary(page)
    for table in page.tables:
        drawing.table(table)
    book.close()
    return content.getvalue()


class _Drawing:
    """One workbook being written."""

    def __init__(self, book: Any) -> None:
        self.book = book
        self.formats = {name: book.add_format(look) for name, look in FORMATS.items()}
        self.taken: set[str] = set()

    def summary(self, page: Page) -> None:
        sheet = self._sheet("Summary")
        sheet.set_column(0, 0, 34)
        sheet.set_column(1, 2, 24)
        self._text(sheet, 0, 0, page.headline, "bold")
        self._text(sheet, 1, 0, page.title, "title")
        for row, (name, value) in enumerate(page.facts, start=3):
            self._text(sheet, row, 0, name)
            self._cell(sheet, row, 1, value)
            if isinstance(value, Decimal):
                self._text(sheet, row, 2, exact(value), "exact")

    def table(self, table: Table) -> None:
        sheet = self._sheet(table.title)
        if not table.rows:
            self._text(sheet, 0, 0, table.title, "bold")
            self._text(sheet, 1, 0, table.empty)
            return
        for place, column in enumerate(table.columns):
            self._text(sheet, 0, place, column.title, "head")
            sheet.set_column(place, place, _width(column, (row[place] for row in table.rows)))
        for number, row in enumerate(table.rows, start=1):
            for place, cell in enumerate(row):
                self._cell(sheet, number, place, cell)
            self._across(sheet, table, number)
        sheet.freeze_panes(1, 0)
        sheet.autofilter(0, 0, len(table.rows), len(table.columns) - 1)
        self._sums(sheet, table, len(table.rows) + 1)
        if table.note:
            self._text(sheet, len(table.rows) + 4, 0, table.note)
        self._paper(sheet, table)

    def _sums(self, sheet: Any, table: Table, row: int) -> None:
        """Totals as formulas, and under them the same amounts as exact text."""
        for name, value in table.sums.items():
            place = table.index(name)
            self._sum(sheet, (row, place), (1, place, row - 1, place), value, "sum")
            self._text(sheet, row + 1, place, exact(value), "exact")
        if table.sums and table.columns[0].name not in table.sums:
            self._text(sheet, row, 0, "Total", "bold")
            self._text(sheet, row + 1, 0, "Total, exact", "bold")

    def _across(self, sheet: Any, table: Table, number: int) -> None:
        """The total of a row, where the table has such a column."""
        if table.across:
            places = [table.index(name) for name in table.sums if name != table.across]
            place, span = table.index(table.across), (number, min(places), number, max(places))
            value = table.rows[number - 1][place]
            if isinstance(value, Decimal):
                self._sum(sheet, (number, place), span, value, "money")

    def _sum(
        self,
        sheet: Any,
        at: tuple[int, int],
        span: tuple[int, int, int, int],
        value: Decimal,
        look: str,
    ) -> None:
        from xlsxwriter.utility import xl_range

        sheet.write_formula(*at, f"=SUM({xl_range(*span)})", self.formats[look], float(value))

    def _paper(self, sheet: Any, table: Table) -> None:
        sheet.set_landscape()
        sheet.repeat_rows(0)
        sheet.fit_to_pages(1, 0)
        sheet.set_header(f"&L{table.title.replace('&', '&&')}&RPage &P of &N")

    def _sheet(self, title: str) -> Any:
        """A sheet under a name that Excel takes: at most 31 characters, none twice."""
        name = "".join(" " if mark in "[]:*?/\\'" else mark for mark in title)[:31].strip()
        stem, number = name[:28], 1
        while name.casefold() in self.taken:
            number += 1
            name = f"{stem} {number}"
        self.taken.add(name.casefold())
        return self.book.add_worksheet(name)

    def _cell(self, sheet: Any, row: int, place: int, cell: Cell, look: str = "") -> None:
        if isinstance(cell, Decimal):
            sheet.write_number(row, place, float(cell), self.formats[look or "money"])
        elif isinstance(cell, int):
            sheet.write_number(row, place, cell, self.formats[look or "count"])
        elif isinstance(cell, date):
            sheet.write_datetime(row, place, cell, self.formats[look or "date"])
        elif cell:
            self._text(sheet, row, place, cell)

    def _text(self, sheet: Any, row: int, place: int, text: str, look: str = "") -> None:
        look = look or ("quoted" if is_formula(text) else "")
        sheet.write_string(row, place, text[:LONGEST], self.formats.get(look))


def _width(column: Column, cells: Iterable[Cell]) -> int:
    longest = max((len(cell_text(cell)) for cell in cells), default=0)
    return max(8, min(60, max(longest, len(column.title)) + 2))
