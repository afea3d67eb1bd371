"""The frames that people look at: a DataFrame, shown with its amounts as people read them."""

from __future__ import annotations

from typing import Any

import pandas as pd

from sage50kit.money import money_dtype, text


class Frame(pd.DataFrame):
    """A DataFrame whose money is shown as `1,234.50`, negative in parentheses.

    Only the looks are its own: values stay exact, dtypes what they are, and what is chosen from it is one
    again. Pandas itself would show all four decimals of `decimal128(19, 4)`.
    """

    @property
    def _constructor(self) -> type[Frame]:
        return Frame

    def _repr_html_(self) -> str | None:
        if not pd.get_option("display.notebook_repr_html"):
            return None
        return str(self.to_html(notebook=True, show_dimensions=True, **_looks(self)))

    def __repr__(self) -> str:
        """Text for a terminal, with the same amounts."""
        if self.empty:
            return super().__repr__()
        return str(self.to_string(show_dimensions=True, **_looks(self)))


def _looks(frame: pd.DataFrame) -> dict[str, Any]:
    """How amounts are shown, and how many rows and columns, as pandas is set."""
    most, fewest = pd.get_option("display.max_rows"), pd.get_option("display.min_rows")
    cut = bool(most) and len(frame) > most
    return {
        "formatters": {
            name: text for name, dtype in frame.dtypes.items() if dtype == money_dtype()
        },
        "na_rep": "",
        "max_rows": fewest if cut and fewest else most,
        "max_cols": pd.get_option("display.max_columns"),
    }
