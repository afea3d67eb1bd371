"""Many worlds come to a good end. `run.py test` runs these alone, for they take all processors."""

from __future__ import annotations

import time

import pytest

from sage50kit.simulator.simulate import simulate


@pytest.mark.parametrize("seeds", [40, pytest.param(2000, marks=pytest.mark.slow)])
def test_many_worlds_come_to_a_good_end(record_property, seeds):
    """Nothing twice, nothing lost, batches and log exact, whatever happened."""
    began = time.monotonic()
    failures = simulate(seeds)
    seconds = time.monotonic() - began
    record_property("figure", f"{seeds} simulated worlds: {len(failures)} failed ({seconds:.0f} s)")

    assert "\n\n".join(str(failure) for failure in failures) == ""
