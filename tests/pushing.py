"""What tests of pushes share: a kit on the fixtures, transactions worth choosing, and ways to be cut off."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from sage50kit.errors import ConnectWiseUnavailable, OutcomeUnknown
from sage50kit.kit import Kit
from tests.stage import staged

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sage50kit.connectors.base import Capabilities
    from sage50kit.model import Document

TRANSFER = ["transfer:91-transfer"]
INVOICE = ["invoice:48119"]  # 800.00 to Bayshore, on account 4950
HELD = "invoice:48118"  # Palmetto, always on hold
WAITING = ["receipt:702-DH-1-purchase"]  # 980.00, no vendor invoice yet


class PowerCut(BaseException):
    """The machine stops here."""


class Interrupted:
    """A connector whose machine stops after it has posted, before anybody is told."""

    def __init__(self, company: Any) -> None:
        self._company = company

    def __getattr__(self, name: str) -> Any:
        return getattr(self._company, name)

    def post(self, document: Document) -> Any:
        self._company.post(document)
        raise PowerCut


class Wrapped:
    """Something real with one answer changed."""

    def __init__(self, real: Any, **changed: Any) -> None:
        self._real = real
        self.__dict__.update(changed)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


class Blind(Wrapped):
    """A company like one behind import files: it takes documents, confirms nothing and tells nothing."""

    @property
    def capabilities(self) -> Capabilities:
        """Nothing can be looked up."""
        return replace(self._real.capabilities, confirms=False, carries_key=frozenset())

    def find_many(self, documents: Any) -> Any:
        """Whatever is asked, nobody can tell."""
        if documents:
            raise OutcomeUnknown("the import folder tells nothing.")
        return []


class Keyless(Wrapped):
    """A company whose documents cannot hold our key: they are known by party, number, date and total."""

    @property
    def capabilities(self) -> Capabilities:
        """Looked up, but not by key."""
        return replace(self._real.capabilities, carries_key=frozenset())


class Unreachable:
    """A ConnectWise that goes away when the batch is to be made."""

    def __init__(self, connectwise: Any) -> None:
        self._connectwise = connectwise

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connectwise, name)

    def create_batch(self, *_: object, **__: object) -> None:
        raise ConnectWiseUnavailable("down for maintenance")


def choose(kit: Kit, keys: list[str]) -> Any:
    unposted = kit.fetch()
    return unposted[unposted["key"].isin(keys)]


def pushed(kit: Kit, keys: list[str], batch: str) -> Any:
    return kit.push(kit.plan(choose(kit, keys), batch=batch), dry_run=False)


def living(kit: Kit) -> list[str]:
    """The documents that stand in the books, without opening balances and reversals."""
    return [row.place for row in kit.company.documents() if not row.voided]


@contextmanager
def interrupted(kit: Kit) -> Iterator[None]:
    company = kit.company
    kit.company = Interrupted(company)
    with pytest.raises(PowerCut):
        yield
    kit.company = company


def unbatch(kit: Kit, batch: str) -> None:
    """What an analyst does in ConnectWise: delete the batch."""
    kit.connectwise.delete_batch(kit.connectwise.find_batch(batch).id)


@contextmanager
def kit_in(folder: Path) -> Iterator[Kit]:
    """A kit on the fixtures, their one blocked invoice corrected, its keys in the environment."""
    with staged(folder) as stage, pytest.MonkeyPatch.context() as patch:
        stage.correct()
        for name, value in stage.environment.items():
            patch.setenv(name, value)
        with Kit(stage.profile) as kit:
            yield kit
