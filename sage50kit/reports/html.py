"""A page as one HTML file: no script, no outside reference, readable on screen, on paper and aloud."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from functools import cache
from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING

from sage50kit.reports.listings import proof_page, push_page, verification_page
from sage50kit.reports.page import cell_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sage50kit.reports.listings import ProofLike, PushReportLike, VerificationLike
    from sage50kit.reports.page import Cell, Column, Page, Row, Table

# Nothing of the page may run or load, even if a name of ConnectWise slipped through the escaping.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def document(page: Page) -> str:
    """A complete file."""
    head = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(page.title)}</title><style>{_stylesheet()}</style></head>"
    )
    return f'{head}<body><main class="sage50kit">{_content(page)}</main></body></html>\n'


def part(page: Page) -> str:
    """The same page inside a notebook cell."""
    return f'<div class="sage50kit"><style>{_stylesheet()}</style>{_content(page)}</div>'


def proof_html(proof: ProofLike, *, fragment: bool = False) -> str:
    """The proof listing, as a file or for a notebook cell."""
    return _html(proof_page(proof), fragment=fragment)


def report_html(report: PushReportLike, *, fragment: bool = False) -> str:
    """The report of a push, as a file or for a notebook cell."""
    return _html(push_page(report), fragment=fragment)


def verification_html(verification: VerificationLike, *, fragment: bool = False) -> str:
    """The comparison of both systems, as a file or for a notebook cell."""
    return _html(verification_page(verification), fragment=fragment)


def _html(page: Page, *, fragment: bool) -> str:
    return part(page) if fragment else document(page)


def _content(page: Page) -> str:
    facts = "".join(
        f"<div><dt>{escape(name)}</dt><dd{_class(value)}>{escape(cell_text(value))}</dd></div>"
        for name, value in page.facts
    )
    tables = "".join(_table(table) for table in page.tables)
    picture = f"<figure>{page.picture}</figure>" if page.picture else ""
    return (
        f'<p class="headline {page.tone}">{escape(page.headline)}</p><h1>{escape(page.title)}</h1>'
        f"<dl>{facts}</dl>{picture}{tables}"
    )


def _table(table: Table) -> str:
    if not table.rows:
        return f"<h2>{escape(table.title)}</h2><p>{escape(table.empty)}</p>"
    columns = [column for column in table.columns if column.name != table.group]
    heads = "".join(
        f'<th scope="col"{" class=figure" if column.figures else ""}>{escape(column.title)}</th>'
        for column in columns
    )
    bodies = "".join(_group(table, columns, label, rows) for label, rows in table.groups())
    foot = ""
    if table.sums:
        word = "Total of all" if table.group else "Total"
        foot = f"<tfoot>{_sums(table, columns, table.rows, word)}</tfoot>"
    note = f"<p>{escape(table.note)}</p>" if table.note else ""
    return (
        f'<h2>{escape(table.title)}</h2>{note}<div class="wide"><table>'
        f'<caption class="hidden">{escape(table.title)}</caption>'
        f"<thead><tr>{heads}</tr></thead>{bodies}{foot}</table></div>"
    )


def _group(table: Table, columns: Sequence[Column], label: str, rows: Sequence[Row]) -> str:
    places = [table.index(column.name) for column in columns]
    lines = "".join(f"<tr>{''.join(_cell(row[place]) for place in places)}</tr>" for row in rows)
    if not table.group:
        return f"<tbody>{lines}</tbody>"
    span = (
        f'<tr class="group"><th scope="rowgroup" colspan="{len(columns)}">{escape(label)}</th></tr>'
    )
    sums = _sums(table, columns, rows, "Total") if table.sums else ""
    return f"<tbody>{span}{lines}{sums}</tbody>"


def _sums(table: Table, columns: Sequence[Column], rows: Sequence[Row], word: str) -> str:
    """A row of totals: the word spans the columns before the first amount."""
    sums = table.sums_of(rows)
    first = next(place for place, column in enumerate(columns) if column.name in sums)
    cells = "".join(_cell(sums.get(column.name)) for column in columns[first:])
    label = f'<th scope="row" colspan="{first}">{word}</th>' if first else ""
    return f'<tr class="sum">{label}{cells}</tr>'


def _cell(cell: Cell) -> str:
    return f"<td{_class(cell)}>{escape(cell_text(cell))}</td>"


def _class(cell: Cell) -> str:
    if isinstance(cell, Decimal):
        return ' class="figure negative"' if cell < 0 else ' class="figure"'
    if isinstance(cell, int):
        return ' class="figure"'
    return ' class="date"' if isinstance(cell, date) else ""


@cache
def _stylesheet() -> str:
    return files("sage50kit.reports").joinpath("report.css").read_text(encoding="utf-8")
