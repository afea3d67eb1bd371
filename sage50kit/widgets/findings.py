"""Findings as people read them: the worst first, each with a sign, a sentence and its cure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sage50kit.issues import SEVERITIES
from sage50kit.widgets import twin
from sage50kit.widgets.panel import message, text

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

MOST_FINDINGS = 100  # that a list shows


def finding_list(
    issues: pd.DataFrame | None, keys: Sequence[str] | None = None, *, fold_notes: bool = False
) -> str:
    """Findings as an HTML list, worst first, each with its cure.

    Args:
        issues: a frame of findings; None: nobody has looked yet.
        keys: only those of these transactions.
        fold_notes: what needs nobody is counted, and seen when somebody asks.
    """
    if issues is None:
        return message("Not checked yet.")
    rows = issues if keys is None else issues[issues["key"].isin(list(keys))]
    if not len(rows):
        return message("No findings.", "good")
    rows = rows.sort_values("severity", key=lambda s: s.map(SEVERITIES.index), kind="stable")
    if not fold_notes:
        return _list(rows)
    is_note = rows["severity"] == "note"
    notes = rows[is_note]
    words = f"<summary>{len(notes):,} notes, for nobody to act on</summary>"
    folded = f"<details>{words}{_list(notes)}</details>" if len(notes) else ""
    return (_list(rows[~is_note]) if not is_note.all() else "") + folded


def _list(rows: pd.DataFrame) -> str:
    names = ("severity", "number", "message", "fix")
    rest = len(rows) - MOST_FINDINGS
    rows = rows.head(MOST_FINDINGS)
    items = "".join(
        f'<li class="s50-f-{severity}"><b>{text(number)}</b> {text(twin.finding_words(severity, sentence))}'
        f"{_cure(fix)}</li>"
        for severity, number, sentence, fix in zip(*(rows[name] for name in names), strict=True)
    )
    more = f"<li>{rest:,} more findings: see the saved list of errors.</li>" if rest > 0 else ""
    return f'<ul class="s50-findings">{items}{more}</ul>'


def _cure(fix: str) -> str:
    return "" if fix == "nothing to do" else f"<br>To do: {text(fix)}"
