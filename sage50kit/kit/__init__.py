"""Kit: one ConnectWise site joined to one Sage 50 company; each method is one step and delegates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sage50kit.kit.corrections import Corrections
from sage50kit.kit.receivables import Receivables

if TYPE_CHECKING:
    import pandas as pd


class Kit(Corrections, Receivables):
    """The one object a notebook holds.

    Args:
        profile: a `Profile`, or the path of its TOML file.
        progress: called with (step, done, of how many or None) on long work.

    Raises:
        ConfigError: the profile, its secrets or the company file need a correction.
    """

    def doctor(self) -> pd.DataFrame:
        """Every permission, setting and list needed: pass or fail, and how to fix it."""
        from sage50kit.doctor import examine

        return examine(self)
