"""The picker: every unposted transaction, each with a box to include it, and what is wrong with it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

import ipywidgets
import numpy as np

from sage50kit.errors import UsageError
from sage50kit.model import KINDS
from sage50kit.widgets import twin
from sage50kit.widgets.confirm import button
from sage50kit.widgets.findings import finding_list
from sage50kit.widgets.grid import Grid, GridColumn
from sage50kit.widgets.panel import (
    SIGNS,
    WORDS,
    Panel,
    html,
    labelled,
    live_page,
    message,
    row,
    style,
    styled,
    text,
    told,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    import pandas as pd

    from sage50kit.kit import Kit

COLUMNS = (
    GridColumn(name="kind", title="Kind", kind="choice", width=11),
    GridColumn(name="type", title="Type", kind="choice", width=14),
    GridColumn(name="number", title="Number", width=13),
    GridColumn(name="date", title="Date", kind="date", width=12),
    GridColumn(name="party", title="Customer or vendor", width=20, grow=True),
    GridColumn(name="location", title="Location", kind="choice", width=11),
    GridColumn(name="total", title="Total", kind="money", width=13, sum=True, zero=True),
    GridColumn(name="finding", title="Finding", kind="finding", width=22, grow=True),
)
LEFT_OUT = (
    GridColumn(name="key", title="Key"),
    GridColumn(name="number", title="Number"),
    GridColumn(name="reason", title="Reason"),
    GridColumn(name="total", title="Total", kind="money", sum=True),
)
MINUTES = 10_000  # transactions whose check takes minutes: 50,000 took two over HTTP
PLURAL = ("warn", "note")  # severities whose word counts things
_shown: WeakValueDictionary[Path, Picker] = WeakValueDictionary()  # the newest one of each pair
DETAILS = ("Default", "Condensed", "Detailed")


class Picker(Panel):
    """Choose among the unposted transactions.

    Args:
        kit: the pair to fetch from.
        location: id or name of a ConnectWise location; empty for all, or the profile's.
        thru_date: the last day included; empty for all.
        kinds: which kinds; empty for the profile's.
        detail: detail level of invoices (Default, Condensed, Detailed); empty for the profile's.
        keys: only these transactions are included at first; empty for all.
        without: these are not.
        nothing: include nothing at first unless `keys` names it.

    Raises:
        UsageError: no such location, kind or date; in a live page it is told there.
    """

    def __init__(
        self,
        kit: Kit,
        *,
        location: str = "",
        thru_date: str = "",
        kinds: Sequence[str] = (),
        detail: str = "",
        keys: Sequence[str] = (),
        without: Sequence[str] = (),
        nothing: bool = False,
    ) -> None:
        super().__init__(kit.workdir)
        self.kit = kit
        self.missing: list[str] = []
        self.issues: pd.DataFrame | None = None
        # What the rows that are shown were fetched with; the controls may say something else by now.
        self._asked: dict[str, Any] = {
            "location": str(location),
            "thru_date": str(thru_date),
            "kinds": list(kinds or kit.profile.push.kinds),
            "detail": detail or kit.profile.push.invoice_detail,
        }
        self._chosen_at_first = (list(keys), set(without))
        self._nothing = nothing
        self._turn = 0
        self._checking: threading.Thread | None = None
        self._controls(self._asked["kinds"], self._asked["detail"])
        self._open()
        _shown[kit.workdir] = self

    # --- what a notebook reads ---

    def check_is_shown(self) -> None:
        """In a live page: that its cell was not run again, which leaves the cells below it on the old one.

        Raises:
            UsageError: a newer picker stands in the page.
        """
        if live_page() and _shown.get(self.kit.workdir) is not self:
            raise UsageError(
                "the picker above was made anew, and this part still has the old one. Run this cell, and "
                "those between, again."
            )

    @property
    def selected(self) -> pd.DataFrame:
        """The included transactions, as rows of `fetch`."""
        return self.grid.selected

    @property
    def parameters(self) -> dict[str, Any]:
        """The same choice for the unattended notebook: its parameters by name.

        Raises:
            UsageError: nothing is included; no keys would mean all of them.
        """
        included = self.grid.included
        if not included.any():
            raise UsageError("nothing is included: there is no choice to keep. Include something.")
        keys = self.grid.frame["key"].to_numpy()
        fewer = included.sum() <= len(keys) / 2
        return {
            **self._asked,
            "keys": [str(key) for key in keys[included]] if fewer else [],
            "without": [] if fewer else [str(key) for key in keys[~included]],
        }

    def gone(self) -> list[str]:
        """The numbers of included transactions that ConnectWise does not list any more; read anew."""
        listed = set(self._read(self._asked)["key"])
        rows = self.selected
        return [
            str(number)
            for key, number in zip(rows["key"], rows["number"], strict=True)
            if key not in listed
        ]

    def static(self) -> str:
        """The included transactions as a table, the others counted."""
        count = len(self.grid.frame) - len(self.selected)
        left = f"{count:,} of {len(self.grid.frame):,} fetched transactions are not included."
        included = np.flatnonzero(self.grid.included)
        marks = self._marks()
        findings = {new: marks[old] for new, old in enumerate(included.tolist()) if old in marks}
        table = twin.table(
            self.selected, COLUMNS, caption="Included transactions", findings=findings
        )
        rest = f"<p>{left}</p>" if count else ""
        return styled(self.message.value + table + rest + self._left_out_table())

    def check(self) -> None:
        """Look for findings on every transaction, and show them."""
        self.issues = self.kit.validate(self.grid.frame)
        self.grid.mark(self._marks())

    # --- the page ---

    def _controls(self, kinds: Iterable[str], detail: str) -> None:
        self._place = labelled("Location", ipywidgets.Dropdown(options=[("All locations", "")]))
        self._day = labelled("Through date", ipywidgets.Text(placeholder="2026-10-31"))
        self._day.value = self._asked["thru_date"]
        self._boxes = {
            kind: ipywidgets.Checkbox(
                value=kind in kinds, description=kind, indent=False, layout={"width": "auto"}
            )
            for kind in KINDS
        }
        self._detail = labelled(
            "Detail of invoices", ipywidgets.Dropdown(options=DETAILS, value=detail)
        )
        self._button = ipywidgets.Button(description="Fetch", tooltip="Read ConnectWise again")
        self._button.on_click(self._fetch_again)
        self._row = html()
        self._checked = html()
        self._left = html()
        self._ask_copy = button(
            "Show this choice for the unattended notebook", self._show_parameters
        )
        self._copy = html()

    @property
    def _children(self) -> tuple[Any, ...]:
        top = row(self._place, self._day, self._detail)
        kinds = row(*self._boxes.values(), self._button)
        below = (self._row, self._left, row(self._ask_copy), self._copy)
        return (style(), top, kinds, self.message, self._checked, self.grid, *below)

    def _open(self) -> None:
        self.grid = Grid(
            self._empty(),
            COLUMNS,
            label="Unposted transactions",
            include_title="Include",
            name_column="number",
            empty="No unposted transaction: ConnectWise has nothing for this location, date and kinds.",
        )
        self.grid.observe(self._show_row, "current")
        self.grid.observe(self._forget_parameters, "mask")
        if live_page():
            self._fetch_again()
        else:
            self._fetch(self._asked)
        self.children = self._children

    def _empty(self) -> pd.DataFrame:
        from sage50kit.connectwise.frames import unposted_frame

        return unposted_frame()

    @told
    def _fetch_again(self, _button: Any = None) -> None:
        asked = self._asked if _button is None else self._wanted()
        self._button.disabled = True
        self.say("Fetching from ConnectWise …")
        try:
            self._fetch(asked)
        finally:
            self._button.disabled = False
        self._start_check()

    def _fetch(self, asked: dict[str, Any]) -> None:
        """Read everything, then show it: what was there stays until all of the new is there."""
        frame = self._read(asked)
        self._asked = asked
        self._use_detail(asked["detail"])
        self._show_locations()
        included = self._included_at_first(frame)
        self._turn += 1
        self.issues = None
        self.grid.show(frame, included)
        self._say_fetched(frame)
        self._left.value = folded("Left out, and why", self._left_out_table())

    def _read(self, asked: dict[str, Any]) -> pd.DataFrame:
        where = {name: asked[name] for name in ("location", "thru_date", "kinds")}
        return self.kit.fetch(**where)

    def _use_detail(self, detail: str) -> None:
        """The chosen detail level becomes that of the profile in memory; the file stays as it is."""
        profile = self.kit.profile
        push = profile.push.model_copy(update={"invoice_detail": detail})
        self.kit.profile = profile.model_copy(update={"push": push})

    def _wanted(self) -> dict[str, Any]:
        """What the controls say now."""
        return {
            "location": self._place.value,
            "thru_date": self._day.value.strip(),
            "kinds": [kind for kind, box in self._boxes.items() if box.value],
            "detail": self._detail.value,
        }

    def _show_locations(self) -> None:
        rows = self.kit.locations()
        options = [("All locations", "")] + [
            (f"{name} ({count:,} transactions)", str(identity))
            for identity, name, count in zip(
                rows["location_id"], rows["location"], rows["transactions"], strict=True
            )
        ]
        asked = self._asked["location"].casefold()
        names = zip(rows["location_id"], rows["location"], strict=True)
        known = [str(i) for i, name in names if asked in (str(i), str(name).casefold())]
        self._place.options = options
        self._place.value = known[0] if known else ""

    def _included_at_first(self, frame: pd.DataFrame) -> Sequence[bool]:
        """What the parameters name, once; after that, a new list is included as a whole."""
        keys, without = self._chosen_at_first
        self._chosen_at_first = ([], set())
        listed = frame["key"].tolist()
        self.missing = [key for key in [*keys, *without] if key not in set(listed)]
        wanted = set(keys) if keys or self._nothing else set(listed)
        return [key in wanted and key not in without for key in listed]

    def _say_fetched(self, frame: pd.DataFrame) -> None:
        left = len(self.kit.left_out)
        words = f"{len(frame):,} unposted transactions; {left:,} more are left out, see below."
        if self.missing:
            names = ", ".join(self.missing[:5])
            words += (
                f" {len(self.missing)} that were asked for are no longer unposted: {names}."
                " Somebody may have batched them; ask: sage50kit why KEY."
            )
        self.say(words, "warn" if self.missing else "plain")

    # --- findings ---

    def _start_check(self) -> None:
        """Look for findings beside the page, so that it is usable at once."""
        count = len(self.grid.frame)
        self._checked.value = ""
        if not count:
            return
        long = " For so many it takes minutes." if count > MINUTES else ""
        words = (
            f"Looking for findings on {count:,} transactions; the page can be used meanwhile.{long}"
        )
        self._checked.value = message(words)
        self._checking = threading.Thread(
            target=self._check_beside, args=(self._turn,), daemon=True
        )
        self._checking.start()

    def wait(self) -> None:
        """Wait until the look for findings beside the page has ended."""
        if self._checking is not None:
            self._checking.join()

    @told
    def _check_beside(self, turn: int) -> None:
        try:
            issues = self.kit.validate(self.grid.frame)
        except Exception:
            self._checked.value = message("No findings are shown: looking for them failed.", "bad")
            raise
        if turn != self._turn:
            return  # another list is shown meanwhile
        self.issues = issues
        self._checked.value = message(counted(issues, len(self.grid.frame)))
        self.grid.mark(self._marks())
        self._show_row()

    def _marks(self) -> dict[int, tuple[str, str]]:
        """The worst finding of each row, by row number."""
        if self.issues is None:
            return {}
        place = {key: number for number, key in enumerate(self.grid.frame["key"])}
        marks: dict[int, tuple[str, str]] = {}
        columns = ("key", "severity", "message", "fix")
        rows = zip(*(self.issues[name] for name in columns), strict=True)
        for key, severity, sentence, fix in rows:
            if key in place:
                marks.setdefault(place[key], (severity, f"{sentence} → {fix}"))
        return marks

    @told
    def _show_row(self, _change: Any = None) -> None:
        number = self.grid.current
        if not 0 <= number < len(self.grid.frame):
            self._row.value = ""
            return
        found = self.grid.frame.iloc[number]
        words = f"{found['kind']} {found['number']} ({found['key']})"
        listed = finding_list(self.issues, [found["key"]])
        self._row.value = f'<h3 class="s50-heading">{text(words)}</h3>{listed}'

    @told
    def _show_parameters(self, _button: Any = None) -> None:
        """When somebody asks for them: of 50,000 transactions they are a megabyte."""
        lines = f"choice = {self.parameters!r}"
        self._copy.value = f'<pre class="s50-code" tabindex="0">{text(lines)}</pre>'

    @told
    def _forget_parameters(self, _change: Any = None) -> None:
        """What is shown is never another choice than the boxes show."""
        if self._copy.value:
            self._copy.value = ""

    def _left_out_table(self) -> str:
        left = self.kit.left_out
        return twin.table(left, LEFT_OUT, caption="Left out") if len(left) else ""


def counted(issues: pd.DataFrame, checked: int) -> str:
    """How many findings there are of each severity, worst first."""
    counts = issues["severity"].value_counts()
    found = [
        f"{SIGNS[name]} {counts[name]:,} {word}{'s' if name in PLURAL and counts[name] > 1 else ''}"
        for name, word in WORDS.items()
        if name in counts.index
    ]
    return f"All {checked:,} transactions are checked: {', '.join(found) or 'no findings'}."


def folded(words: str, content: str) -> str:
    """Content that is seen when somebody asks for it."""
    return f"<details><summary>{text(words)}</summary>{content}</details>" if content else ""
