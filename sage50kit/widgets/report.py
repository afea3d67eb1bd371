"""A page of a report in the looks of the notebooks: a sentence, facts, and tables up to a number of rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sage50kit.reports.page import cell_text
from sage50kit.widgets import twin
from sage50kit.widgets.document import facts
from sage50kit.widgets.grid import GridColumn
from sage50kit.widgets.panel import message, text

if TYPE_CHECKING:
    from sage50kit.reports.page import Page, Table


def page_html(page: Page) -> str:
    """The page as HTML without a script."""
    counted = facts((name, cell_text(value)) for name, value in page.facts)
    return message(page.headline, page.tone) + counted + "".join(map(table_html, page.tables))


def table_html(table: Table) -> str:
    """A table of a report, or what it says when it is empty."""
    import pandas as pd

    if not table.rows:
        return f"<p>{text(table.title)}: {text(table.empty)}</p>"
    names = [column.name for column in table.columns]
    content: dict[str, Any] = dict(zip(names, zip(*table.rows, strict=True), strict=True))
    frame = pd.DataFrame(
        {name: pd.Series(values, dtype="object") for name, values in content.items()}
    )
    columns = [
        GridColumn(
            name=column.name,
            title=column.title,
            kind="money" if column.figures else "text",
            sum=column.name in table.sums,
        )
        for column in table.columns
    ]
    return twin.table(frame, columns, caption=table.title)
