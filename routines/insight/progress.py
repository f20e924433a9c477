"""How far the counts are, and counting on.

No page waits for more than a step. What a step leaves is counted by whoever asks next: a page that
says how far its numbers go, the worker, `manage.py count_runs`, or retention.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from routines.insight import changes, recounting
from routines.models import RecountDay, RunChange

_SHORTEST_PAUSE = 0.02  # seconds


@dataclass(frozen=True)
class Behind:
    """What the counts do not say yet."""

    until: datetime | None  # all changes before are counted; None: no change waits
    changes: int  # about so many wait: counting them one by one would take longer, the more wait
    days: int  # are to be compared with the runs


def behind() -> Behind | None:
    waiting = RunChange.objects.order_by("pk").values_list("pk", "noted_at")
    days = RecountDay.objects.count()
    oldest = waiting.first()
    if oldest is None:
        return Behind(None, 0, days) if days else None
    newest = waiting.last() or oldest
    return Behind(oldest[1], newest[0] - oldest[0] + 1, days)


def step() -> Behind | None:
    """Before the counts are looked at: in most cases all that waits, and never more than a step.

    Returns what is left.
    """
    changes.apply()
    return behind()


def catch_up(*, pause: Callable[[float], None] = time.sleep) -> Iterator[Behind]:
    """Step by step until nothing is left: what is left before each step.

    Others write for at least as long as a step took. It may be broken off between any two steps.
    """
    while left := behind():
        yield left
        began = time.monotonic()
        if left.changes:
            changes.apply()
        else:
            recounting.next_day()
        pause(max(_SHORTEST_PAUSE, time.monotonic() - began))


def catch_up_briefly(seconds: float) -> Behind | None:
    """Begin no step after so many seconds; returns what is left."""
    until = time.monotonic() + seconds
    for left in catch_up():
        if time.monotonic() >= until:
            return left
    return None
