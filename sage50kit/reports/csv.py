"""A frame as a CSV file that a spreadsheet opens without running any of it."""

from __future__ import annotations

import csv
import io
from decimal import Decimal
from typing import TYPE_CHECKING

from sage50kit.reports.page import table
from sage50kit.reports.text import exact

if TYPE_CHECKING:
    import pandas as pd

    from sage50kit.reports.page import Cell


# The wide forms are commands too where Excel is set to Japanese, Chinese or Korean.
_COMMANDS = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")


def render(frame: pd.DataFrame) -> bytes:
    """All columns under their own names, amounts exact; UTF-8 with the mark that Excel looks for."""
    lines = io.StringIO()
    writer = csv.writer(lines)
    writer.writerow(frame.columns)
    for row in table(frame, "").rows:
        writer.writerow([_cell(cell) for cell in row])
    return lines.getvalue().encode("utf-8-sig")


def is_formula(text: str) -> bool:
    """Whether a spreadsheet would read `text` as a formula or a command."""
    return text.startswith(_COMMANDS)


def neutral(text: str) -> str:
    """`text` with an apostrophe before it where a spreadsheet would run it."""
    return f"'{text}" if is_formula(text) else text


def _cell(cell: Cell) -> str:
    if isinstance(cell, Decimal):
        return exact(cell)
    if isinstance(cell, int):
        return str(cell)
    if isinstance(cell, str):
        return neutral(cell)
    return "" if cell is None else cell.isoformat()
