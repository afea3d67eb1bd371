"""Batch numbers: what ConnectWise can hold, and the seed's convention `YYYYMMDD` + initials + kind."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sage50kit.errors import BatchTaken

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import date

LONGEST_BATCH = 50  # characters of a batch identifier (connectwise reference, 5.5)
SUFFIXES = {"invoice": "I", "expense": "E", "receipt": "P", "adjustment": "P", "transfer": "P"}


def check_number(batch: str) -> None:
    """A batch number that ConnectWise can hold.

    Raises:
        BatchTaken: it cannot.
    """
    if not batch.strip() or len(batch) > LONGEST_BATCH:
        raise BatchTaken(
            f"batch number {batch!r} has {len(batch)} characters; ConnectWise takes 1 to "
            f"{LONGEST_BATCH}. Nothing was written."
        )
    if batch != batch.strip():
        raise BatchTaken(
            f"batch number {batch!r} begins or ends with a space, which ConnectWise may cut. Take it "
            "away. Nothing was written."
        )


def propose_number(day: date, initials: str, kinds: Collection[str], taken: Collection[str]) -> str:
    """The next free batch number of the seed's convention: `20130101JD-I`, then `20130101JD-I-1`.

    Args:
        day: the day of the batch.
        initials: of the person who runs it.
        kinds: of the transactions; those of several kinds get their letters in the order I, E, P.
        taken: the numbers that are in use.
    """
    found = {SUFFIXES[kind] for kind in kinds}
    letters = "".join(letter for letter in "IEP" if letter in found)
    return _free(f"{day:%Y%m%d}{initials}-{letters}", taken)


def next_number(batch: str, taken: Collection[str]) -> str:
    """The next free suffix: `20130101JD-I` -> `20130101JD-I-1` -> `20130101JD-I-2`."""
    stem, count = _split(batch)
    return _free(stem, {*taken, batch}, start=count + 1)


def _split(batch: str) -> tuple[str, int]:
    match = re.fullmatch(r"(.*-[A-Z]+)-(\d+)", batch)
    return (match.group(1), int(match.group(2))) if match else (batch, 0)


def _free(stem: str, taken: Collection[str], start: int = 0) -> str:
    used = {name.casefold() for name in taken}
    number = start
    while True:
        name = f"{stem}-{number}" if number else stem
        if name.casefold() not in used:
            return name
        number += 1
