"""What a notebook shows and asks: state and looks, no rules."""

from sage50kit.widgets.cells import tell_errors
from sage50kit.widgets.grid import Grid
from sage50kit.widgets.history import ClearPanel, History
from sage50kit.widgets.payments_panel import PaymentsPanel
from sage50kit.widgets.picker import Picker
from sage50kit.widgets.preview import Preview
from sage50kit.widgets.push_panel import PushPanel
from sage50kit.widgets.receivables_panel import ReceivablesPanel
from sage50kit.widgets.rerun_panel import RerunPanel

__all__ = [
    "ClearPanel",
    "Grid",
    "History",
    "PaymentsPanel",
    "Picker",
    "Preview",
    "PushPanel",
    "ReceivablesPanel",
    "RerunPanel",
]

tell_errors()
