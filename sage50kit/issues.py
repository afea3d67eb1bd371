"""The catalogue of findings about data: what was found, how bad it is, where it is put right.

A finding is a row, not an exception. `block` stops the whole batch before anything is posted; `refuse`
is shown, tried, and refused for that document alone; `warn` and `note` are shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

Severity: TypeAlias = Literal["block", "refuse", "warn", "note"]
SEVERITIES: tuple[Severity, ...] = ("block", "refuse", "warn", "note")
COLUMNS = ("severity", "code", "key", "number", "field", "value", "message", "fix")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One entry of the catalogue: the usual severity, the sentence and the cure of a code.

    `message` and `fix` are templates over the fields of the issue (`{number}`, `{field}`, `{value}`)
    and whatever else the check passes.
    """

    severity: Severity
    message: str
    fix: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """One finding about one record: who (`number`, `key`), what (`field`, `value`), and the cure."""

    severity: Severity
    code: str
    key: str
    number: str
    field: str
    value: str
    message: str
    fix: str


CATALOGUE: dict[str, Finding] = {}


def finding(code: str, *, key: str, number: str, field: str = "", value: object = "", **more: object) -> Issue:
    """Make the issue of a code from the catalogue; an unknown code is a bug and raises KeyError."""
    kind = CATALOGUE[code]
    words = {"key": key, "number": number, "field": field, "value": str(value), **more}
    return Issue(
        severity=kind.severity,
        code=code,
        key=key,
        number=number,
        field=field,
        value=str(value),
        message=kind.message.format_map(words),
        fix=kind.fix.format_map(words),
    )


def issues_frame(issues: Iterable[Issue]) -> pd.DataFrame:
    """The findings as a frame of text columns, worst first, in the order they were found."""
    import pandas as pd

    rows = sorted(issues, key=lambda issue: SEVERITIES.index(issue.severity))
    return pd.DataFrame(
        [[getattr(row, column) for column in COLUMNS] for row in rows], columns=list(COLUMNS), dtype="str"
    )


def worst(issues: Iterable[Issue]) -> Severity | None:
    """The most severe of the findings; None if there are none."""
    found = {issue.severity for issue in issues}
    return next((severity for severity in SEVERITIES if severity in found), None)
