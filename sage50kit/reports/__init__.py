"""Reports of a run, made from frames and the push log only."""
