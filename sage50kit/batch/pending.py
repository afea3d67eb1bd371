"""What was begun and not ended besides the batches that `resume` finishes by sending.

an un-posting      its intent is in the log and its end is not: it is repeated, which finishes it
an unsent batch    its plan is recorded and nothing of it has left this machine: its number is free
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, NoReturn

from sage50kit.errors import InDoubt
from sage50kit.issues import finding
from sage50kit.pushlog import UNSENT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sage50kit.issues import Issue
    from sage50kit.pushlog import LoggedBatch, PushLog

_BEGUN, _ENDED = "unposting", "unposting_ended"
_WAITING = frozenset({"planned", "joining"})


@dataclass(frozen=True, kw_only=True)
class Unposting:
    """An un-posting as it was asked for: of a whole batch, or of the transaction `key`."""

    batch: str
    key: str = ""
    void: bool = False
    on: date | None = None

    @property
    def words(self) -> str:
        """What it is, for a sentence."""
        what = f"batch {self.batch}" if not self.key else f"{self.key} of batch {self.batch}"
        return f"un-posting {what}{' and voiding it in Sage 50' if self.void else ''}"

    def begin(self, log: PushLog) -> None:
        """Write the intent down, before anything is done."""
        on = self.on.isoformat() if self.on else ""
        log.note(_BEGUN, batch=self.batch, key=self.key, void=self.void, on=on)

    def end(self, log: PushLog) -> None:
        """Write down that nothing of it is left to do."""
        log.note(_ENDED, batch=self.batch, key=self.key)


def open_unpostings(log: PushLog) -> list[Unposting]:
    """The un-postings that were begun and not ended, oldest first."""
    begun: dict[tuple[str, str], Unposting] = {}
    for event in log.events(kinds={_BEGUN, _ENDED}):
        place = event["batch"], event["key"]
        begun.pop(place, None)
        if event["kind"] == _BEGUN:
            words = event["payload"]
            on = date.fromisoformat(words["on"]) if words["on"] else None
            begun[place] = Unposting(batch=place[0], key=place[1], void=words["void"], on=on)
    return list(begun.values())


def refuse_unfinished(what: str, log: PushLog) -> NoReturn:
    """Say of something that it is not finished: another push is at work on it, or was cut off.

    Raises:
        PushInProgress: it is at work.
        InDoubt: it was cut off.
    """
    log.refuse_held()
    raise InDoubt(f"{what} is not finished. Run first: sage50kit resume")


def refuse_open_unposting(log: PushLog) -> None:
    """Nothing is pushed while an un-posting is half done: what it voids must not join another batch.

    Raises:
        InDoubt: one is.
    """
    if begun := open_unpostings(log):
        said = ", ".join(one.words for one in begun)
        raise InDoubt(
            f"not finished yet: {said}. Run first: sage50kit resume. Nothing was written."
        )


def unsent_batches(log: PushLog) -> list[LoggedBatch]:
    """The batches that a push recorded and did not begin to send, oldest first.

    What a later batch has taken up since is settled by that one.
    """
    found: list[LoggedBatch] = []
    later: list[str] = []
    for row in log.history():  # newest first
        known = log.batch(row["batch"]) if row["state"] == "planned" else None
        if known is not None and is_unsent(known, log) and not _taken_up(known, later, log):
            found.insert(0, known)
        if row["state"] != "planned":
            later.append(row["batch"])
    return found


def is_unsent(known: LoggedBatch, log: PushLog) -> bool:
    """Whether a batch waits for its first document, or, without any, for being made."""
    states = {row.state for row in log.documents(known.batch)}
    if known.state != "planned" or not states <= UNSENT or not known.transactions:
        return False
    return bool(states & _WAITING) or not (states or _given_up(known, log))


def _given_up(known: LoggedBatch, log: PushLog) -> bool:
    """Whether a batch without documents was tried, and there was nothing left to put into it."""
    kinds = [event["kind"] for event in log.events(known.batch)]
    return "batch_planned" in kinds[len(kinds) - kinds[::-1].index("plan") :]


def _taken_up(known: LoggedBatch, later: Sequence[str], log: PushLog) -> bool:
    keys = {row.key for row in known.transactions}
    others = filter(None, (log.batch(name) for name in later))
    return any(keys & {row.key for row in other.transactions} for other in others)


def unsent_finding(known: LoggedBatch) -> Issue:
    """What a person is told about a batch of which nothing was sent."""
    words = {"field": "batch", "value": known.batch, "day": known.started[:10], "who": known.actor}
    return finding("unsent_batch", key=known.batch, number=known.batch, **words)
