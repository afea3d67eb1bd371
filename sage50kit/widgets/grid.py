"""A grid of any number of rows: columns go to the browser as bytes, the choice comes back as one bit a row.

Filtering, sorting, choosing and totalling happen in the browser (`rows.js`, `grid.js`), so that 50,000 rows stay
fluid. Python holds the frame, and which of its rows are included.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import anywidget
import msgspec
import numpy as np
import traitlets

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import pandas as pd

ColumnKind: TypeAlias = Literal["text", "choice", "date", "count", "money", "finding"]
TURN = 4  # bytes in front of the bits of a choice: of which rows they are
CHOICES = 12  # a column of at most so many values is filtered by a list of them
_HERE = files("sage50kit.widgets")


@dataclass(frozen=True, slots=True, kw_only=True)
class GridColumn:
    """One column of the grid.

    `width` is in characters; `grow` lets it take the room that is left; `sum` shows its totals; `zero` shows an
    amount of zero, which is blank otherwise. A column of kind `finding` is not in the frame: it shows the worst
    finding of the row.
    """

    name: str
    title: str
    kind: ColumnKind = "text"
    width: int = 12
    grow: bool = False
    sum: bool = False
    zero: bool = False


def _choice(value: Any, grid: Any) -> bytes:
    """A choice from the browser; one that was made among other rows, before `show`, changes nothing."""
    sent, held = bytes(value), grid.mask
    is_of_these_rows = len(sent) == len(held) and sent[:TURN] == held[:TURN]
    return sent if is_of_these_rows else held


class Grid(anywidget.AnyWidget):
    """Every row of a frame, with a box to include it.

    Args:
        frame: amounts as money; read again with `show`.
        columns: what of it is shown, in order.
        label: what the rows are, for those who do not see the page.
        include_title: heading of the boxes; empty for a grid without them. `exclude_title` and
            `included_word` are what else is said of them.
        included: which rows are included at first; all of them by default.
        height: rows that are seen at once.
        name_column: the column that names a row aloud.
        empty: what is said when there are no rows.
        patience: milliseconds in which Python must answer a choice, before the page says that it does not.
    """

    _esm = _HERE.joinpath("rows.js").read_text("utf-8") + _HERE.joinpath("grid.js").read_text(
        "utf-8"
    )
    _css = _HERE.joinpath("grid.css").read_text("utf-8")
    data = traitlets.Bytes(b"").tag(sync=True)
    columns: traitlets.List[dict[str, Any]] = traitlets.List().tag(sync=True)
    notes = traitlets.Bytes(b"").tag(sync=True)
    mask = traitlets.Bytes(b"").tag(sync=True, from_json=_choice)
    turn = traitlets.Int(0).tag(sync=True)
    current = traitlets.Int(-1).tag(sync=True)
    label = traitlets.Unicode().tag(sync=True)
    include_title = traitlets.Unicode().tag(sync=True)
    exclude_title = traitlets.Unicode("Leave out").tag(sync=True)
    included_word = traitlets.Unicode("included").tag(sync=True)
    name_column = traitlets.Unicode().tag(sync=True)
    height = traitlets.Int(14).tag(sync=True)
    patience = traitlets.Int(15_000).tag(sync=True)
    empty = traitlets.Unicode("Nothing here.").tag(sync=True)

    def __init__(
        self,
        frame: pd.DataFrame,
        columns: Sequence[GridColumn],
        *,
        included: Sequence[bool] | None = None,
        **words: Any,
    ) -> None:
        self.frame = frame
        self._columns = tuple(columns)
        super().__init__(**self._content(frame, included), **words)
        self.on_msg(self._answer)

    def show(
        self, frame: pd.DataFrame, included: Sequence[bool] | None = None, notes: bytes = b""
    ) -> None:
        """Show other rows; all are included unless `included` says which."""
        self.frame = frame
        content = self._content(frame, included, self.turn + 1)
        # Who listens, here or in the page, sees all of the new rows, and never their bits with an old number.
        with self.hold_sync(), self.hold_trait_notifications():
            self.set_trait("current", -1)
            self.notes = notes
            for name, value in content.items():
                self.set_trait(name, value)

    def mark(self, findings: Mapping[int, tuple[str, str]]) -> None:
        """Show a finding on each of some rows: row number -> (severity, sentence)."""
        self.notes = msgspec.json.encode({str(row): pair for row, pair in findings.items()})

    @property
    def included(self) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """One truth value per row of the frame."""
        bits = np.unpackbits(np.frombuffer(self.mask, np.uint8, offset=TURN))
        return bits[: len(self.frame)].astype(bool)

    @included.setter
    def included(self, values: Sequence[bool]) -> None:
        self.mask = pack(values, self.turn)

    @property
    def selected(self) -> pd.DataFrame:
        """The included rows, with all columns of the frame."""
        return self.frame[self.included].reset_index(drop=True)

    def _content(
        self, frame: pd.DataFrame, included: Sequence[bool] | None, turn: int = 0
    ) -> dict[str, Any]:
        chosen = np.ones(len(frame), bool) if included is None else included
        return {
            "columns": [_described(column, frame) for column in self._columns],
            "data": columnar(frame, [row.name for row in self._columns if row.kind != "finding"]),
            "mask": pack(chosen, turn),
            "turn": turn,
        }

    def _answer(self, _widget: Any, content: Mapping[str, Any], _buffers: Any) -> None:
        """Tell the page that Python is alive."""
        if content.get("ask"):
            self.send({"answer": True})


def pack(included: Sequence[bool] | np.ndarray[Any, Any], turn: int = 0) -> bytes:
    """One bit a row, behind the number of the rows that they are of."""
    return turn.to_bytes(TURN, "big") + np.packbits(np.asarray(included, dtype=bool)).tobytes()


def columnar(frame: pd.DataFrame, names: Iterable[str]) -> bytes:
    """Columns of a frame as JSON lists of text; amounts with all four decimals."""
    return msgspec.json.encode({name: texts(frame[name]) for name in names})


def texts(series: pd.Series[Any]) -> list[str]:
    """The values as text, missing ones empty; a float is refused, because it may have lost a cent."""
    import pyarrow as pa

    values = pa.array(series, from_pandas=True)
    if values.null_count == len(values):
        return [""] * len(values)
    if pa.types.is_floating(values.type):
        raise TypeError(f"column {series.name} holds floats; amounts must be exact.")
    if pa.types.is_decimal(values.type):
        values = values.cast(pa.decimal128(38, 4))  # the page counts ten-thousandths
    found: list[str] = values.cast(pa.string()).fill_null("").to_pylist()
    return found


def _described(column: GridColumn, frame: pd.DataFrame) -> dict[str, Any]:
    """A column as the browser needs it; a text column of few values becomes a list to choose from."""
    described = msgspec.to_builtins(column)
    if column.kind == "choice" and frame[column.name].nunique(dropna=False) > CHOICES:
        described["kind"] = "text"
    return dict(described)
