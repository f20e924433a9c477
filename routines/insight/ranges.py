"""Ranges of days, and the steps that a chart over time is cut into."""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from functools import cached_property

from django.db.models import Min
from django.utils import timezone

from routines.history.run_filter import RunFilter
from routines.insight import slots
from routines.models import Dimension, Grain, RunCount

_DAY = timedelta(days=1)
# At the most so many days are cut into such steps: from 24 to about 100 of them.
_MOST_FOR_HOURS, _MOST_FOR_DAYS, _MOST_FOR_WEEKS = 3, 92, 750


class BadRange(ValueError):
    """`str()` is a sentence that says what to do."""


class Unit(StrEnum):
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True)
class Step:
    """From a moment to just before another."""

    start: datetime
    end: datetime


@dataclass(frozen=True)
class Range:
    """Whole days of a zone, the last one included."""

    first: date
    last: date
    zone: tzinfo

    @property
    def start(self) -> datetime:
        return datetime.combine(self.first, time.min, self.zone)

    @property
    def end(self) -> datetime:
        return datetime.combine(self.last + _DAY, time.min, self.zone)

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def bounds(self) -> tuple[int, int]:
        """Its first slot, and the one after its last."""
        return slots.slot_of(self.start), slots.slot_of(self.end)

    @cached_property
    def shifts(self) -> list[tuple[int, int]]:
        """By how many half hours the zone's clock is ahead of UTC, each until before which one."""
        first, end = self.bounds
        found, shift = [], self._shift(first)
        for day in (*range(first, end, Grain.DAY), end - 1):
            if self._shift(day) != shift:
                changed = range(day - Grain.DAY, day)
                index = bisect_left(changed, True, key=lambda slot: self._shift(slot) != shift)
                found.append((changed[index] if index < len(changed) else day, shift))
                shift = self._shift(day)
        return [*found, (end, shift)]

    def _shift(self, slot: int) -> int:
        offset = slots.start_of(slot).astimezone(self.zone).utcoffset() or timedelta(0)
        return offset // slots.HALF_HOUR

    def moment(self, local_slot: int) -> datetime:
        """When the zone's clock showed so many half hours since 1970."""
        start = 0
        for end, shift in self.shifts:
            start = local_slot - shift
            if start < end:
                break
        return slots.start_of(start).astimezone(self.zone)

    @property
    def is_utc_only(self) -> bool:
        """Cut into days of UTC though the reader lives by another clock."""
        return self.zone is UTC and str(timezone.get_current_timezone()) != "UTC"

    @property
    def before(self) -> "Range":
        """As many days, right before."""
        return Range(self.first - _DAY * self.days, self.first - _DAY, self.zone)

    @property
    def newest(self) -> "Range":
        """Its last four weeks, as far back as counts by the half hour are kept."""
        kept = timezone.localdate() - _DAY * (slots.KEPT_DAYS - 1)
        weeks = self.last - _DAY * (28 - 1)
        return Range(max(self.first, weeks, kept), self.last, timezone.get_current_timezone())

    @property
    def unit(self) -> Unit:
        if self.days <= _MOST_FOR_HOURS:
            return Unit.HOUR
        if self.days <= _MOST_FOR_DAYS:
            return Unit.DAY
        return Unit.WEEK if self.days <= _MOST_FOR_WEEKS else Unit.MONTH

    def steps(self) -> list[Step]:
        """The first and the last may be shorter than the others."""
        starts = list(self._starts())
        return [Step(*pair) for pair in zip(starts, [*starts[1:], self.end], strict=True)]

    def _starts(self) -> Iterator[datetime]:
        if self.unit == Unit.HOUR:
            moment = self.start.astimezone(UTC)  # an hour that is put forward or back counts once
            while moment < self.end:
                yield moment.astimezone(self.zone)
                moment += timedelta(hours=1)
            return
        day = self.first
        while day <= self.last:
            yield datetime.combine(day, time.min, self.zone)
            day = _next(day, self.unit)

    def runs(self, step: Step | None = None) -> RunFilter:
        """What the history is asked for to show the runs that are counted."""
        start, end = (self.start, self.end) if step is None else (step.start, step.end)
        whole_days = start.time() == end.time() == time.min
        if whole_days and not self.is_utc_only:
            return RunFilter(since=start.date(), until=end.date() - _DAY)
        return RunFilter(since=start, until=end)


def _next(day: date, unit: Unit) -> date:
    if unit == Unit.DAY:
        return day + _DAY
    if unit == Unit.WEEK:
        return day + _DAY * (7 - day.weekday())
    return (day.replace(day=1) + _DAY * 32).replace(day=1)


def preset(days: int | None) -> Range:
    """The last so many days, today as one of them; None: all there are."""
    today = timezone.localdate()
    return _range(date.min if days is None else today - _DAY * (days - 1), today, days is None)


def of_days(first: date, last: date) -> Range:
    """Both belong to it. Raise BadRange."""
    if first > last:
        raise BadRange("The last day lies before the first. Swap them.")
    if first > timezone.localdate():
        raise BadRange("These days have not come yet. Choose earlier ones.")
    return _range(first, last, True)


def _range(first: date, last: date, from_first_run: bool) -> Range:
    if from_first_run:
        first = max(first, _oldest())
    reader = timezone.get_current_timezone()
    kept = slots.start_of(slots.first_kept()).astimezone(reader).date()
    zone = reader if first > kept and _is_on_half_hours(reader) else UTC
    last = min(last, timezone.localdate(timezone=zone))
    return Range(min(first, last), last, zone)


def _oldest() -> date:
    days = RunCount.objects.filter(dimension=Dimension.TIME, grain=Grain.DAY)
    oldest = days.aggregate(slot=Min("slot"))["slot"]
    return timezone.localdate() if oldest is None else slots.start_of(oldest).date()


def _is_on_half_hours(zone: tzinfo) -> bool:
    offset = timezone.now().astimezone(zone).utcoffset() or timedelta(0)
    return offset % slots.HALF_HOUR == timedelta(0)
