"""What the runs of a range of days come to: read from counts of them, never from the runs.

- `slots`: half hours, and which counts cover a range of them
- `tally`: what is counted of a run
- `triggers` note each change of a run, `changes` adds them to the counts, a step at a time
- `recounting` compares the counts with the runs, a day at a time
- `progress`: how far the counts are; who counts on, and when
- `ranges`, `figures`: what the page shows
"""

from routines.insight.figures import Counts, Duration, Figures, Hour, look
from routines.insight.progress import Behind, catch_up_briefly, step
from routines.insight.ranges import BadRange, Range, Step, Unit, of_days, preset

__all__ = [
    "BadRange",
    "Behind",
    "Counts",
    "Duration",
    "Figures",
    "Hour",
    "Range",
    "Step",
    "Unit",
    "catch_up_briefly",
    "look",
    "of_days",
    "preset",
    "step",
]
