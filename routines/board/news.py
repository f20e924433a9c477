"""What is new: the runs that were pressed or settled since somebody looked last.

Open pages ask every few seconds, so a look that finds nothing is one query on the history's
index, whatever the number of runs. Nothing is kept between looks but the cursor that the page
carries, so any process on any host may answer the next one.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zlib import crc32

from django.conf import settings
from django.db.models import Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone

from routines.keyset import from_microseconds, microseconds
from routines.models.run import HAS_WAITED, Run

# Hosts' clocks differ a little, and a run becomes visible a little after its time: so each look
# reaches back a bit, and the cursor says which runs in that bit have been seen.
_OVERLAP = timedelta(seconds=10)
_MOST = 100  # of more nobody asks which: then anything may have changed
_LONGEST = timedelta(hours=1)  # a page that was asleep for longer is drawn anew altogether
_CURSOR = re.compile(r"([0-9]{1,17})-([0-9a-f]{1,8})", re.ASCII)


class BadCursor(ValueError):
    """The cursor was not made by this module."""


@dataclass(frozen=True)
class Cursor:
    """Up to when the runs have been seen, and which of the very last."""

    moment: datetime
    seen: str = "0"

    def __str__(self) -> str:
        return f"{microseconds(self.moment)}-{self.seen}"


@dataclass(frozen=True)
class News:
    # The primary keys of those whose runs are new or have changed; None: it may be any.
    routines: Collection[int] | None
    cursor: Cursor  # for the next look


@dataclass(frozen=True)
class _Seen:
    pk: int
    routine: int
    state: str
    moment: datetime  # the last time that something happened to it


def start() -> Cursor:
    """Return a cursor for a page that is about to be drawn: take it before its runs are read."""
    return Cursor(timezone.now())


def anything() -> News:
    """Return the news for a page of which nobody knows what it has seen."""
    return News(None, start())


def read(cursor: str) -> Cursor:
    """Return what `str(Cursor)` wrote.

    Raises:
        BadCursor: it is no such text.
    """
    found = _CURSOR.fullmatch(cursor)
    if found is None:
        raise BadCursor(cursor)
    return Cursor(from_microseconds(int(found.group(1))), found.group(2))


def since(cursor: Cursor) -> News | None:
    """Return the news of everybody's runs; None: there is none, and the cursor stays. One query."""
    slept = cursor.moment < timezone.now() - _LONGEST
    moment = timezone.now() if slept else cursor.moment
    runs = _runs_since(moment)
    if _fingerprint(runs) == cursor.seen and not slept:
        return None
    moment = max([moment, *(run.moment for run in runs)])
    last = [run for run in runs if run.moment > moment - _OVERLAP]
    routines = None if slept or len(runs) > _MOST else {run.routine for run in runs}
    return News(routines, Cursor(moment, _fingerprint(last)))


def _runs_since(moment: datetime) -> list[_Seen]:
    after = moment - _OVERLAP
    # A run that was sent at once and is settled now was pressed no longer ago than a fire can take:
    # that keeps the look on the index by time. Those that waited have an index of their own. What
    # people settle hours later is news to nobody's board.
    pressed_after = after - timedelta(seconds=settings.FIRE_TIMEOUT) - timedelta(minutes=5)
    pressed = (
        Run.objects.filter(created_at__gt=pressed_after)
        .filter(Q(created_at__gt=after) | Q(settled_at__gt=after))
        .order_by()
    )
    waited = Run.objects.filter(HAS_WAITED, settled_at__gt=after).order_by()
    found = _seen(pressed).union(_seen(waited))
    newest_first = found.order_by("-moment", "-pk")  # type: ignore[misc]  # annotated
    return [_Seen(*row) for row in newest_first[: _MOST + 1]]


def _seen(runs: QuerySet[Run]) -> QuerySet[Run, tuple[Any, ...]]:
    # The order is by no column alone: SQLite would read a whole index for the sake of its order.
    dated = runs.annotate(moment=Coalesce("settled_at", "created_at"))
    return dated.values_list("pk", "routine_id", "state", "moment")


def _fingerprint(runs: Collection[_Seen]) -> str:
    """`0` for none."""
    states = " ".join(sorted(f"{run.pk}:{run.state}" for run in runs))
    return f"{crc32(states.encode()):x}"
