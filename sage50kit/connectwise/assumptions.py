"""What no public source could verify about ConnectWise, as the client side decides it (design 9.12).

One place, so that the first look at a real site changes one file. The sandbox keeps the other answer of
each as a switch of `sandbox.refusal.Switches`.

- A taken batch number is refused (400 `InvalidObject`, inner `ObjectExists`). The client never reads the
  code: whatever the refusal or the silence, it looks the number up before and after.
- An empty list of record ids, an unknown id or one that is batched already is refused whole: nothing is
  applied. A server that ignores them is noticed by reading the batch's entries.
- An entry is batched if it is named; a row leaves the unposted list when all its entries are.
- The id of a batch entry is the id of its GL entry.
- `thruDate` is not sent: which date it compares is unknown, so the kit compares on its own side (9.8).
- `exportSettings` is not read: its names are not published.
- A transfer's key ends in `-transfer`, as those of purchases and adjustments end in their words.
- An adjustment of the export is tied to its row by the number in front of the first `-` of
  `adjustmentDescription`, a transfer by `transferId`; both stand first in their key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sage50kit.model import Kind

EXPORT_CHUNK = 200  # documents asked for in one export; no limit is published, many are slow
ALL_LOCATIONS = 0  # `locationId` of an export that asks for all of them, as public callers send it

_PRODUCT_KINDS: dict[str, Kind] = {
    "purchase": "receipt",
    "adjustment": "adjustment",
    "transfer": "transfer",
}


def kind_of_product(unposted_product_id: str) -> Kind | None:
    """What a key such as `3-Test123-purchase` or `7-transfer` is of; None where it does not say."""
    return _PRODUCT_KINDS.get(unposted_product_id.rpartition("-")[2].casefold())


def product_key(kind: Kind, number: str, slip: str = "") -> str:
    """The key of a received, adjusted or transferred product: `3-Test123-purchase`, `7-transfer`."""
    ending = next(word for word, known in _PRODUCT_KINDS.items() if known == kind)
    return "-".join(filter(None, (number, slip, ending)))


def product_number(unposted_product_id: str) -> str:
    """The record id in front of a key: `3` of `3-Test123-purchase`."""
    return unposted_product_id.partition("-")[0].strip()


def packing_slip(unposted_product_id: str) -> str:
    """The packing slip between number and kind, which may hold dashes itself; "" without one."""
    return unposted_product_id.partition("-")[2].rpartition("-")[0]


def adjustment_number(adjustment_description: str) -> str:
    """The adjustment id in front of the first dash of `adjustmentDescription`."""
    return adjustment_description.partition("-")[0].strip()
