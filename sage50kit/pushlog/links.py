"""Links of go-live: what was in the books before the kit, and is therefore never posted by it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sage50kit.pushlog.log import PushLog

LINKED, UNLINKED = "linked", "unlinked"  # kinds of events


def linked(log: PushLog) -> dict[str, str]:
    """Where invoices stand that were in Sage 50 before the kit, by key."""
    links: dict[str, str] = {}
    for row in log.events(kinds=(LINKED, UNLINKED)):
        if row["kind"] == LINKED:
            links[row["key"]] = row["payload"]["place"]
        else:
            links.pop(row["key"], None)
    return links
