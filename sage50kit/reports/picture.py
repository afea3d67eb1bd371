"""A picture of amounts as an SVG element: no script, no outside reference, readable without colour.

The bars run from light to dark and say their amount in figures, so that nothing depends on telling
colours apart; what is owed the other way is hatched.
"""

from __future__ import annotations

import io
from html import escape
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from sage50kit.money import text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

# Dark enough against white; they differ in lightness, which every eye tells apart.
_COLOURS = ("#9ecae1", "#6baed6", "#4292c6", "#2171b5", "#08306b", "#ffffff")
_INK = "#1b1f24"
_LOOKS: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "sage50kit",
    "font.family": "sans-serif",
}


def bars(title: str, amounts: Sequence[tuple[str, Decimal]]) -> str:
    """Horizontal bars from top to bottom; "" where matplotlib is not installed.

    Args:
        title: what is shown.
        amounts: label and dollars of each bar.
    """
    if find_spec("matplotlib") is None:
        return ""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(_LOOKS):
        figure = Figure(figsize=(7.4, 0.9 + 0.38 * len(amounts)), layout="constrained")
        _draw(figure.subplots(), title, amounts)
        content = io.StringIO()
        figure.savefig(content, format="svg", transparent=True, metadata={"Date": None})
    drawn = content.getvalue()
    spoken = "; ".join(f"{label} {text(amount)}" for label, amount in amounts)
    name = f'<svg role="img" aria-label="{escape(f"{title}: {spoken}")}" '
    return drawn[drawn.index("<svg ") :].replace("<svg ", name, 1).strip()


def _draw(axes: Any, title: str, amounts: Sequence[tuple[str, Decimal]]) -> None:
    lengths = [float(amount) for _, amount in amounts]  # a drawing; the figures beside it are exact
    colours = [_COLOURS[min(place, len(_COLOURS) - 1)] for place in range(len(amounts))]
    drawn = axes.barh(range(len(amounts)), lengths, color=colours, edgecolor=_INK, linewidth=0.8)
    for bar, length in zip(drawn, lengths, strict=True):
        bar.set_hatch("////" if length < 0 else "")
    axes.set_yticks(range(len(amounts)), [label for label, _ in amounts])
    axes.bar_label(drawn, [text(amount) for _, amount in amounts], padding=4, color=_INK)
    axes.invert_yaxis()
    axes.axvline(0, color=_INK, linewidth=0.8)
    axes.set_title(title, loc="left", fontsize=11, color=_INK)
    axes.margins(x=0.18)
    axes.xaxis.set_visible(False)
    axes.tick_params(axis="y", length=0, labelcolor=_INK)
    for side in ("top", "right", "bottom", "left"):
        axes.spines[side].set_visible(False)
