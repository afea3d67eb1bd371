"""The unposted transactions as one typed frame, and what of it is chosen.

Procurement rows are GL entries, so those of one packing slip, adjustment or transfer are joined.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa

from sage50kit.connectwise.unposted import (
    NO_ACCOUNT,
    NO_ENTRIES,
    NOT_PAID_BACK,
    PATHS,
    SCHEMA,
    ListKind,
    read_list,
    unreadable,
)
from sage50kit.errors import UsageError
from sage50kit.frame import Frame
from sage50kit.money import ZERO, exact, money_series

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date
    from decimal import Decimal

    from sage50kit.model import Kind

__all__ = [
    "LINKED",
    "NOT_PAID_BACK",
    "NO_ACCOUNT",
    "NO_ENTRIES",
    "PATHS",
    "SCHEMA",
    "ListKind",
    "locations",
    "read_list",
    "select",
    "unposted_frame",
]


LINKED = "it was in Sage 50 before the kit: matched at go-live"


def unposted_frame(*lists: pa.Table, locations: dict[int, str] | None = None) -> pd.DataFrame:
    """Lists of `read_list` as one frame, sorted by kind, date and number; one row per transaction.

    Args:
        lists: in any order; rows that share a key are joined.
        locations: names by id, for the lists that do not carry them.
    """
    table = pa.concat_tables([SCHEMA.empty_table(), *(_joined(table) for table in lists)])
    table = table.sort_by([("kind", "ascending"), ("date", "ascending"), ("number", "ascending")])
    frame = Frame(table.to_pandas(types_mapper=pd.ArrowDtype))
    if locations and len(frame):
        names = frame["location_id"].map(locations).astype(frame["location"].dtype)
        frame["location"] = frame["location"].where(frame["location"] != "", names.fillna(""))
    return frame


def _joined(procurement: pa.Table) -> pa.Table:
    """One row per unposted-product id: amounts added, GL-entry ids joined, the rest of the first row."""
    if len(procurement["key"].unique()) == procurement.num_rows:
        return procurement
    first: dict[str, dict[str, Any]] = {}
    for row in procurement.to_pylist():
        known = first.setdefault(row["key"], row)
        if known is not row:
            if row["kind"] in ("invoice", "expense"):
                what = f"{row['key']} is listed twice"
                raise unreadable(row["kind"], what)
            known["total"] = _added(known, row["total"])
            ids = [part for part in (known["entry_ids"], row["entry_ids"]) if part]
            known["entry_ids"] = ",".join(ids)
            known["left_out"] = (
                known["left_out"] and row["left_out"]
            )  # one row with entries is enough
    return pa.Table.from_pylist(list(first.values()), schema=SCHEMA)


def _added(known: dict[str, Any], amount: Decimal) -> Decimal:
    """The sum of two rows of one record, which must be an amount of money too."""
    try:
        return exact(known["total"] + amount)
    except ValueError as error:
        raise unreadable("procurement", f"the rows of {known['key']} add up: {error}") from error


def select(
    frame: pd.DataFrame,
    *,
    location: int | str | None = None,
    thru_date: date | None = None,
    kinds: Sequence[Kind] | None = None,
    clear_non_reimbursable: bool = False,
    cut_over: date | None = None,
    linked: Mapping[str, str] | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(what is kept, what is left out with its `reason`); together they are the whole frame.

    Args:
        frame: from `unposted_frame`.
        location: id or name; None for all.
        thru_date: the last day included; None for all. Rows without a date are kept for validation.
        kinds: None for all.
        clear_non_reimbursable: keep what nobody is paid back for, to be cleared (design 9.11).
        cut_over: rows dated before it are kept out for good; None for none.
        linked: where transactions stand that were in the books before the kit, by key.

    Raises:
        UsageError: no transaction is at that location; those that have some are named.
    """
    reason = frame["left_out"].astype("object").fillna("")
    if clear_non_reimbursable:
        reason = reason.where((frame["kind"] != "expense") | (reason == NO_ENTRIES), "")
    checks: list[tuple[Callable[[], Any], str]] = []
    if linked:
        checks.append((lambda: frame["key"].isin(list(linked)), LINKED))
    if cut_over is not None:
        early = (frame["date"] < cut_over).fillna(False)  # noqa: FBT003
        checks.append((lambda: early, f"it is dated before the cut-over of {cut_over}"))
    if kinds is not None:
        checks.append((lambda: ~frame["kind"].isin(list(kinds)), "its kind is not chosen"))
    if location is not None:
        at = _at_location(frame, location)
        checks.append((lambda: ~at, f"it is not at location {location}"))
    if thru_date is not None:
        late = (frame["date"] > thru_date).fillna(False)  # noqa: FBT003
        checks.append((lambda: late, f"it is dated after {thru_date.isoformat()}"))
    for check, words in checks:
        reason = reason.mask(check().astype(bool) & (reason == ""), words)
    kept = frame[(reason == "").to_numpy()].reset_index(drop=True)
    gone = (reason != "").to_numpy()
    left = frame[gone].assign(reason=reason[gone].to_numpy()).reset_index(drop=True)
    return kept, left


def _at_location(frame: pd.DataFrame, location: int | str) -> pd.Series[bool]:
    by_id = frame["location_id"].astype("string") == str(location)
    by_name = frame["location"].str.casefold() == str(location).casefold()
    found = (by_id.fillna(False) | by_name.fillna(False)).astype(bool)  # noqa: FBT003
    if len(frame) and not found.any():
        known = ", ".join(
            f"{row.location} ({row.location_id})" for row in locations(frame).itertuples()
        )
        raise UsageError(
            f"no unposted transaction is at location {location!r}. Locations that have some: {known}."
        )
    return found


def locations(frame: pd.DataFrame) -> pd.DataFrame:
    """The locations that have transactions, with how many and how much (dollars)."""
    found = frame[frame["location_id"].notna()]
    groups = [
        {
            "location_id": int(str(key)),
            "location": rows["location"].iloc[0],
            "transactions": len(rows),
        }
        | {"total": sum(rows["total"], ZERO)}
        for key, rows in found.groupby("location_id")
    ]
    listed = Frame(groups, columns=["location_id", "location", "transactions", "total"])
    listed["total"] = money_series([row["total"] for row in groups])
    return listed
