"""Time as the counts know it: slots are half hours, numbered from 1970 in UTC."""

from datetime import UTC, datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from routines.models import Dimension, Grain

HALF_HOUR = timedelta(minutes=30)
# How long counts by anything but time keep half hours: those of 60 routines and 200 people are
# nearly as many as the runs. So a range that begins earlier is cut into days of UTC.
KEPT_DAYS = 100
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def slot_of(moment: datetime) -> int:
    slot: int = (moment - _EPOCH) // HALF_HOUR
    return slot


def start_of(slot: int) -> datetime:
    return _EPOCH + slot * HALF_HOUR


def first_kept() -> int:
    """The first slot from which on all counts hold half hours."""
    return floor(slot_of(timezone.now()), Grain.DAY) - KEPT_DAYS * Grain.DAY


def floor(slot: int, grain: int) -> int:
    """The first slot of the half hour, day or block that `slot` is in."""
    return slot // grain * grain


def _ceiling(slot: int, grain: int) -> int:
    return -(-slot // grain) * grain


def covering(first: int, end: int, *dimensions: Dimension) -> Q:
    """The counts by `dimensions` that together hold each slot from `first` until before `end` once.

    Each branch of the OR names the dimensions anew: only then SQLite, which keeps no statistics of
    tables that nobody analysed, looks along the index for each branch.
    """

    def within(grain: Grain, first: int, end: int) -> Q:
        return Q(dimension__in=dimensions, grain=grain, slot__gte=first, slot__lt=end)

    first_day, end_day = _ceiling(first, Grain.DAY), floor(end, Grain.DAY)
    if first_day >= end_day:
        return within(Grain.HALF_HOUR, first, end)
    first_block, end_block = _ceiling(first_day, Grain.BLOCK), floor(end_day, Grain.BLOCK)
    ends = within(Grain.HALF_HOUR, first, first_day) | within(Grain.HALF_HOUR, end_day, end)
    if first_block >= end_block:
        return ends | within(Grain.DAY, first_day, end_day)
    return (
        ends
        | within(Grain.DAY, first_day, first_block)
        | within(Grain.BLOCK, first_block, end_block)
        | within(Grain.DAY, end_block, end_day)
    )


# --- Durations, which are counted in buckets ---


def duration_floor(duration_ms: int) -> int:
    """The least of the durations that count together: two leading digits, so 10 % wide at most."""
    return duration_ms - duration_ms % duration_width(duration_ms)


def duration_width(duration_ms: int) -> int:
    width: int = 10 ** max(len(str(duration_ms)) - 2, 0)
    return width
