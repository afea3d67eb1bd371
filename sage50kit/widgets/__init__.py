"""What a notebook shows and asks: state and looks, no rules."""

from sage50kit.widgets.grid import Grid
from sage50kit.widgets.picker import Picker

__all__ = ["Grid", "Picker"]
