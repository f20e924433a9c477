"""Waiting for the outcome of a run that another thread, process or host sends."""

import time

from routines.models import Run
from routines.runs import overdue
from routines.runs.sending import give_connection_back
from routines.values.reasons import OPEN

# Seconds between two looks: an outcome that comes soon is told soon, a late one costs few queries.
_FIRST_PAUSE, _LONGEST_PAUSE, _GROWTH = 0.02, 0.5, 1.4


def outcome(run: Run, *, seconds: float) -> Run:
    """The run as soon as it is settled, or as it is after so many seconds."""
    ends = time.monotonic() + seconds
    pause = _FIRST_PAUSE
    overdue.settle()  # where no worker runs, nobody else might
    state = Run.objects.filter(pk=run.pk).order_by().values_list("state", flat=True)
    while state.get() in OPEN and (left := ends - time.monotonic()) > 0:
        give_connection_back()
        time.sleep(min(pause, left))
        pause = min(pause * _GROWTH, _LONGEST_PAUSE)
    return Run.objects.select_related("routine__account", "person", "api_key").get(pk=run.pk)
