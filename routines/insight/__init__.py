"""What the runs of a range of days come to: read from the summaries, never from the runs."""

from routines.insight.figures import Counts, Duration, Figures, Hour, look
from routines.insight.ranges import BadRange, Range, Step, Unit, of_days, preset

__all__ = [
    "BadRange",
    "Counts",
    "Duration",
    "Figures",
    "Hour",
    "Range",
    "Step",
    "Unit",
    "look",
    "of_days",
    "preset",
]
