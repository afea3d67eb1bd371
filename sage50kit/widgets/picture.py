"""Pictures of a batch as inline SVG: they take the colours of the page and need nothing from outside."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sage50kit.money import ZERO
from sage50kit.money import text as money_text
from sage50kit.widgets.panel import text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

MOST_BARS = 14
BAR, GAP = 20, 6  # pixels
LABELS, ROOM, FIGURES = 240, 420, 130  # pixels: names, bars, amounts


def bars(title: str, rows: Sequence[tuple[str, Decimal]]) -> str:
    """Amounts as bars from the largest down: to the right for debits, hatched for less than zero.

    Args:
        title: what the picture shows; also read aloud.
        rows: (name, dollars); of more than fourteen, the smallest are told as their number.
    """
    ranked = sorted((row for row in rows if row[1]), key=lambda row: -abs(row[1]))
    shown, rest = ranked[:MOST_BARS], len(ranked) - MOST_BARS
    if not shown:
        return f"<p>{text(title)}: nothing to show.</p>"
    largest = max(abs(value) for _, value in shown)
    drawn = "".join(_bar(place, row, largest) for place, row in enumerate(shown))
    height = len(shown) * (BAR + GAP) + GAP
    width = LABELS + ROOM + FIGURES
    more = f"<figcaption>{rest} smaller ones are not drawn.</figcaption>" if rest > 0 else ""
    spoken = "; ".join(f"{name} {money_text(value)}" for name, value in shown)
    return (
        f'<figure class="s50-picture"><figcaption><b>{text(title)}</b></figcaption>'
        f'<svg viewBox="0 0 {width} {height}" width="{width}" role="img" '
        f'aria-label="{text(title)}: {text(spoken)}">{drawn}</svg>{more}</figure>'
    )


def _bar(place: int, row: tuple[str, Decimal], largest: Decimal) -> str:
    name, value = row
    top = GAP + place * (BAR + GAP)
    length = max(1, int(abs(value) / largest * ROOM))
    css = "s50-less" if value < ZERO else "s50-more"
    middle = top + BAR - 6
    short = name if len(name) <= 34 else name[:33] + "…"
    return (
        f'<text x="{LABELS - 8}" y="{middle}" text-anchor="end">{text(short)}<title>{text(name)}</title></text>'
        f'<rect class="{css}" x="{LABELS}" y="{top}" width="{length}" height="{BAR}"/>'
        f'<text x="{LABELS + length + 6}" y="{middle}">{money_text(value)}</text>'
    )
