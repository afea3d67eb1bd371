"""What a notebook shows and asks: state and looks, no rules."""

from sage50kit.widgets.grid import Grid
from sage50kit.widgets.picker import Picker
from sage50kit.widgets.preview import Preview
from sage50kit.widgets.push_panel import PushPanel

__all__ = ["Grid", "Picker", "Preview", "PushPanel"]
