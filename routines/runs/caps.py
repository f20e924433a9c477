"""What an API key may have: so many runs in a sliding hour, and in a sliding day.

Looked at under the key's lock, in the transaction that records the run: calls that come at once
never exceed a cap together.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db.models import Count, Q
from django.utils import timezone

from routines.models import ApiKey, Run
from routines.models.run_queryset import RunQuerySet
from routines.values.reasons import State

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


class NotUsable(Exception):
    """The key was revoked or has expired, or its person has left."""


class CapReached(Exception):
    """The key has had all the runs of this span of time; `until` says when it has one again."""

    def __init__(self, span: timedelta, cap: int, until: datetime) -> None:
        super().__init__("A cap is reached.")
        self.span, self.cap, self.until = span, cap, until


def check(api_key: ApiKey, *, besides: Run | None = None) -> None:
    """Lock the key; raise NotUsable or CapReached if it may not have another run.

    A run counts from when it was asked for, the last time. `besides`: one that is asked for again.
    """
    locked = ApiKey.objects.usable().select_for_update(of=("self",), no_key=True)
    key = locked.filter(pk=api_key.pk).order_by().first()
    if key is None:
        raise NotUsable
    now = timezone.now()
    others = _counted(api_key=key)
    if besides is not None:
        others = others.exclude(pk=besides.pk)
    asked_once = others.filter(created_at__gt=now - DAY, asked_again_at=None).newest_first()
    moments = asked_once.values_list("created_at", flat=True)
    asked_again = others.filter(asked_again_at__gt=now - DAY).order_by("-asked_again_at")
    rows = asked_again.values_list("asked_again_at", flat=True)  # seldom any
    again = [moment for moment in rows if moment is not None]
    for cap, span in sorted([(key.hourly_cap, HOUR), (key.daily_cap, DAY)]):
        lately = [moment for moment in again if moment + span > now]
        rest = cap - len(lately)
        oldest = moments[rest - 1 : rest].first() if rest > 0 else lately[cap - 1]
        if oldest is not None and oldest + span > now:
            # The first of all that count to leave the span makes room.
            raise CapReached(span, cap, min([oldest, *lately]) + span)
        if oldest is None and not again:
            return  # fewer than that in a whole day: the larger cap is not reached either


class Used(NamedTuple):
    """The runs of the last hour and of the last day, as they count."""

    hour: int = 0
    day: int = 0


def used(api_keys: Collection[ApiKey]) -> dict[int, Used]:
    """By the primary key of each that had any."""
    now = timezone.now()
    rows = (
        _counted(api_key__in=api_keys, created_at__gt=now - DAY)
        .order_by()
        .values_list("api_key")
        .annotate(of_hour=Count("pk", filter=Q(created_at__gt=now - HOUR)), of_day=Count("pk"))
    )
    return {pk: Used(hour, day) for pk, hour, day in rows}


def _counted(**which: Any) -> RunQuerySet:
    # What never left has cost nothing, unless it still waits.
    return Run.objects.filter(**which).exclude(state=State.NOT_SENT)
