"""Runs: firing, who may run what, limits, settling unknown runs, and outcomes."""
