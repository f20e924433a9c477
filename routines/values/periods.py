"""Spans of time as people name them, in the zone that is active: the reader's, on a page."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.db import models
from django.utils import timezone

# Beyond these a zone's offset leaves the calendar that Python and the databases share.
FIRST, LAST = date(1970, 1, 2), date(9999, 12, 29)


class Period(models.TextChoices):
    TODAY = "today", "today"
    YESTERDAY = "yesterday", "yesterday"
    LAST_7 = "last-7-days", "last 7 days"
    LAST_30 = "last-30-days", "last 30 days"
    LAST_90 = "last-90-days", "last 90 days"
    THIS_WEEK = "this-week", "this week"
    THIS_MONTH = "this-month", "this month"


@dataclass(frozen=True)
class Span:
    """From a moment to just before another; None: open."""

    start: datetime | None = None
    end: datetime | None = None


def of_period(period: Period) -> Span:
    """The last so many days count today as one of them; a week starts on Monday."""
    today = timezone.localdate()
    days = {Period.LAST_7: 7, Period.LAST_30: 30, Period.LAST_90: 90}
    if period in days:
        return of_days(today - timedelta(days=days[period] - 1), today)
    if period == Period.YESTERDAY:
        return of_days(today - timedelta(days=1), today - timedelta(days=1))
    if period == Period.THIS_WEEK:
        return of_days(today - timedelta(days=today.weekday()), today)
    if period == Period.THIS_MONTH:
        return of_days(today.replace(day=1), today)
    return of_days(today, today)


def of_days(since: date | None, until: date | None) -> Span:
    """Both days belong to it. A moment in place of a day: from it on, or until just before it."""
    return Span(
        start=None if since is None else _moment(since),
        end=None if until is None else _moment(until, after=not isinstance(until, datetime)),
    )


def _moment(day: date, *, after: bool = False) -> datetime:
    if isinstance(day, datetime):
        return timezone.make_aware(day) if timezone.is_naive(day) else day
    return timezone.make_aware(datetime.combine(day + timedelta(days=int(after)), time.min))
