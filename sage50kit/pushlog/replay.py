"""Verification: the chain is recomputed, and the tables are compared with what the events say.

A changed byte breaks the hash of its event; a dropped or moved event breaks the chain; a cut-off tail
differs from the count and the hash that stand outside it; a state that somebody edited is not the one
that its events lead to.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec
import sqlalchemy as sa

from sage50kit.model import digest, document_label
from sage50kit.model.content import text
from sage50kit.pushlog.chain import STAND, read_events
from sage50kit.pushlog.rows import BATCH_EVENTS
from sage50kit.pushlog.tables import batches, documents, transactions

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Key: TypeAlias = tuple[Any, ...]


def problems(connection: sa.Connection, company: str) -> list[str]:
    """One sentence for everything that is wrong with the log of a company; none when it is whole."""
    said = list[str]()
    projection = Projection()
    previous, expected = "", 1
    for event in read_events(connection, company):
        stored = event.pop("hash")
        if event["seq"] != expected:
            said.append(f"event {expected} is missing")
        if event["prev_hash"] != previous or digest(event) != stored:
            said.append(f"event {event['seq']} was changed or moved")
        if not said:
            projection.follow(event)
        previous, expected = stored, event["seq"] + 1
    count, head = connection.execute(STAND, {"company": company}).one()
    if expected - 1 < count:
        said.append(f"events after {expected - 1} are missing; there were {count}")
    elif (expected - 1, previous) != (count, head):
        said.append(f"events were added after {count}, or the last one was exchanged")
    return said or projection.differences(connection, company)


class Projection:
    """The tables as they follow from the events."""

    def __init__(self) -> None:
        self.documents: dict[Key, dict[str, Any]] = {}
        self.transactions: dict[Key, tuple[str, str]] = {}
        self.batches: dict[Key, dict[str, Any]] = {}
        self._of_batch: dict[Key, list[Key]] = {}  # documents in their order
        self._held: dict[Key, list[Key]] = {}  # transactions of a document

    def follow(self, event: dict[str, Any]) -> None:
        """Do what an event says."""
        kind, batch = event["kind"], (event["site"], event["batch"])
        if kind == "plan":
            self._plan(batch, event)
        elif kind == "released":
            self._release(batch)
        elif kind in BATCH_EVENTS:
            self._mark_batch(batch, BATCH_EVENTS[kind], _data(event))
        elif event["generation"]:
            self._document(batch, event)

    def differences(self, connection: sa.Connection, company: str) -> list[str]:
        """What the tables hold otherwise."""
        checks: tuple[tuple[str, Iterator[tuple[Key, Any]], dict[Key, Any]], ...] = (
            ("batch", _batch_rows(connection, company), self.batches),
            ("document", _document_rows(connection, company), self.documents),
            ("transaction", _transaction_rows(connection, company), self.transactions),
        )
        return [line for check in checks for line in _compared(*check)]

    def _plan(self, batch: Key, event: dict[str, Any]) -> None:
        content = _data(event)
        self.batches[batch] = {
            "state": content.pop("state"),
            "batch_id": None,
            "fingerprint": content.pop("fingerprint"),
            "seq": event["seq"],
            "at": event["at"],
            "actor": event["actor"],
            "content": _short(text(content)),
        }
        self._of_batch[batch] = []

    def _release(self, batch: Key) -> None:
        del self.batches[batch]
        for key in self._of_batch.pop(batch):
            del self.documents[key]
            identity = (key[0], *key[2:])
            before = self._before(identity)
            for transaction in self._held.get(identity, ()):
                if before:
                    self.transactions[transaction] = (key[2], before)
                else:
                    self._forget(transaction, key[2])
            if not before:
                self._held.pop(identity, None)

    def _before(self, identity: Key) -> str:
        """The batch, of those that are left, that was begun last with a document; "" if there is none."""
        site, *document = identity
        there = [key for key in self.documents if key[0] == site and [*key[2:]] == document]
        return max((key[1] for key in there), key=lambda name: self._began(site, name), default="")

    def _began(self, site: str, batch: str) -> int:
        return int(self.batches[site, batch]["seq"])

    def _forget(self, transaction: Key, document: str) -> None:
        """A transaction leaves a document, unless another one has it by now."""
        if self.transactions.get(transaction, ("", ""))[0] == document:
            del self.transactions[transaction]

    def _mark_batch(self, batch: Key, state: str, payload: dict[str, Any]) -> None:
        self.batches[batch]["state"] = state
        if "batch_id" in payload:
            self.batches[batch]["batch_id"] = payload["batch_id"]
        if "content" in payload:
            self.batches[batch]["content"] = _short(text(payload["content"]))

    def _document(self, batch: Key, event: dict[str, Any]) -> None:
        payload = _data(event)
        key = (*batch, event["key"], event["generation"], event["part"])
        if "document" in payload:
            self._intend(key, payload, event["kind"])
            return
        row = self.documents[key]
        row["state"] = event["kind"]
        row |= {name: payload[name] for name in ("place", "reason") if name in payload}

    def _intend(self, key: Key, payload: dict[str, Any], state: str) -> None:
        site, batch, document, generation, part = key
        content = payload["document"]
        self.documents[key] = {
            "position": len(self._of_batch[site, batch]),
            "state": state,
            "fingerprint": payload["fingerprint"],
            "place": payload.get("place", ""),
            "reason": "",
            "content": _short(text(content)),
        }
        self._of_batch[site, batch].append(key)
        for old in self._held.get((site, document, generation, part), ()):
            self._forget(old, document)
        held = [(site, one, generation, part) for one in content["transactions"]]
        self._held[site, document, generation, part] = held
        self.transactions |= dict.fromkeys(held, (document, batch))


def _data(event: dict[str, Any]) -> dict[str, Any]:
    data: dict[str, Any] = msgspec.json.decode(event["payload"])
    return data


def _short(content: str) -> bytes:
    """As good as the content to compare with, and small."""
    return hashlib.sha256(content.encode()).digest()


def _compared(what: str, rows: Iterable[tuple[Key, Any]], wanted: dict[Key, Any]) -> Iterator[str]:
    missing = dict(wanted)
    for key, row in rows:
        name = f"{what} {_name(what, key)}"
        if key not in wanted:
            yield f"{name} is in the log and no event speaks of it"
        elif missing.pop(key) != row:
            yield f"{name} is not in the state that its events say"
    for key in missing:
        yield f"{what} {_name(what, key)} is missing, although its events speak of it"


def _name(what: str, key: Key) -> str:
    if what == "document":
        return f"{document_label(key[2], part=key[4], generation=key[3])} of batch {key[1]}"
    return str(key[1])


def _batch_rows(connection: sa.Connection, company: str) -> Iterator[tuple[Key, Any]]:
    names = ("state", "batch_id", "fingerprint", "seq", "at", "actor")
    for row in _rows(connection, batches, company):
        values = {name: getattr(row, name) for name in names}
        yield (row.site, row.batch), {**values, "content": _short(row.content)}


def _document_rows(connection: sa.Connection, company: str) -> Iterator[tuple[Key, Any]]:
    names = ("position", "state", "fingerprint", "place", "reason")
    for row in _rows(connection, documents, company):
        values = {name: getattr(row, name) for name in names}
        key = (row.site, row.batch, row.key, row.generation, row.part)
        yield key, {**values, "content": _short(row.content)}


def _transaction_rows(connection: sa.Connection, company: str) -> Iterator[tuple[Key, Any]]:
    for row in _rows(connection, transactions, company):
        key = (row.site, row.transaction, row.generation, row.part)
        yield key, (row.key, row.batch)


def _rows(connection: sa.Connection, table: sa.Table, company: str) -> Iterable[sa.Row[Any]]:
    query = sa.select(table).where(table.c.company == company)
    return connection.execute(query.execution_options(yield_per=1_000))
