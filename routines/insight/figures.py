"""The numbers of one range, each kind in one query whatever the range."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TypeVar

from django.conf import settings
from django.db.models import Case, F, OuterRef, QuerySet, Subquery, Sum, Value, When
from django.db.models.expressions import Combinable

from routines.insight import slots
from routines.insight.ranges import Range, Step, Unit
from routines.models import (
    STATES,
    Account,
    ApiKey,
    Dimension,
    Grain,
    Outcome,
    Person,
    Routine,
    Run,
    RunCount,
)
from routines.tokens import health
from routines.values.reasons import MEANINGS, Reason, State

_STATES = tuple(state.value for state in STATES)
CALLERS = 25  # people, and API keys, that are named, beginning with who ran most

Named = TypeVar("Named", Routine, Account)
Caller = TypeVar("Caller", Person, ApiKey)


@dataclass
class Counts:
    """Settled runs by state, and where it is known, sessions by outcome."""

    started: int = 0
    refused: int = 0
    not_sent: int = 0
    unknown: int = 0
    useful: int = 0
    not_useful: int = 0
    failed: int = 0

    def of(self, which: State | Outcome) -> int:
        count: int = getattr(self, which.value)
        return count

    def add(self, states: Iterable[int]) -> None:
        """In the order of STATES."""
        for name, count in zip(_STATES, states, strict=True):
            setattr(self, name, getattr(self, name) + count)

    @property
    def runs(self) -> int:
        return self.started + self.refused + self.not_sent + self.unknown

    @property
    def share_started(self) -> float | None:
        return self.started / self.runs if self.runs else None

    @property
    def share_refused(self) -> float | None:
        return self.refused / self.runs if self.runs else None

    @property
    def marked(self) -> int:
        """Sessions of which people say what came."""
        return self.useful + self.not_useful + self.failed


@dataclass(frozen=True)
class Duration:
    """From press to session: a histogram, {milliseconds, rounded down: runs}."""

    runs: dict[int, int]

    def percentile(self, share: float) -> int | None:
        """In milliseconds; the middle of what counts together, so at most 5 % off."""
        rank = share * sum(self.runs.values())
        reached = 0
        for floor in sorted(self.runs):
            reached += self.runs[floor]
            if reached >= rank:
                return floor + (slots.duration_width(floor) - 1) // 2
        return None

    @property
    def p50(self) -> int | None:
        return self.percentile(0.5)

    @property
    def p95(self) -> int | None:
        return self.percentile(0.95)


@dataclass(frozen=True)
class Fullest:
    """The hour in which an account used most of its budget."""

    start: datetime
    account: Account
    used: int
    limit: int

    @property
    def share(self) -> float:
        return self.used / self.limit


@dataclass
class Hour:
    """One hour of the week."""

    sessions: int = 0
    fullest: Fullest | None = None  # None: no session, or no limit is shown


@dataclass(frozen=True)
class Figures:
    """Everything of a range. The lists begin with whoever ran most."""

    range: Range
    total: Counts
    before: Counts  # of as many days right before
    deleted: int  # of `total`, runs that retention has deleted since
    steps: list[tuple[Step, Counts]]
    routines: list[tuple[Routine, Counts]]
    accounts: list[tuple[Account, Counts]]
    people: list[tuple[Person, Counts]]
    other_people: int  # with fewer runs
    api_keys: list[tuple[ApiKey, Counts]]  # of a personal key the runs count for its person as well
    other_api_keys: int
    reasons: list[tuple[Reason, int]]  # why runs did not start
    duration: Duration
    week_of: Range | None  # the days that `week` speaks of; None: no half hours are kept of them
    week: dict[tuple[int, int], Hour]  # by weekday (Monday is 0) and hour
    idle: list[Routine]  # current routines without a run, each with its `last_run_at`
    tokens: list[health.Health] = field(default_factory=list)


def look(days: Range) -> Figures:
    steps = _steps(days)
    total = Counts()
    for _, counts in steps:
        total.add(getattr(counts, name) for name in _STATES)
    known = Routine.objects.select_related("account").in_bulk()
    accounts = Account.objects.in_bulk()
    counted = _by_key(days)
    routines = _named(counted[Dimension.ROUTINE], known)
    names = Person.objects.only("username", "first_name", "last_name")
    people, other_people = _most(counted[Dimension.PERSON], names)
    keys = ApiKey.objects.select_related("person")
    api_keys, other_api_keys = _most(counted[Dimension.API_KEY], keys)
    ran = {routine.pk for routine, _ in routines}
    current = [routine for routine in known.values() if not routine.is_archived]
    newest = days.newest
    week_of = newest if newest.first <= newest.last else None
    return Figures(
        range=days,
        total=total,
        before=_total(days.before),
        deleted=_total(days, deleted=True).runs,
        steps=steps,
        routines=routines,
        accounts=_named(counted[Dimension.ACCOUNT], accounts),
        people=people,
        other_people=other_people,
        api_keys=api_keys,
        other_api_keys=other_api_keys,
        reasons=_reasons(counted[Dimension.REASON]),
        duration=_duration(counted[Dimension.DURATION]),
        week_of=week_of,
        week=_week(week_of, accounts) if week_of else {},
        idle=_idle([one for one in current if one.pk not in ran and one.created_at < days.end]),
        tokens=health.needing_somebody(current),
    )


# --- Over time ---


def _total(days: Range, **only: bool) -> Counts:
    rows = RunCount.objects.filter(slots.covering(*days.bounds, Dimension.TIME), **only)
    sums = rows.aggregate(**{name: Sum(name) for name in _STATES})
    return Counts(**{name: count or 0 for name, count in sums.items()})


def _steps(days: Range) -> list[tuple[Step, Counts]]:
    steps = [(step, Counts()) for step in days.steps()]
    first, end = days.bounds
    rows = RunCount.objects.filter(dimension=Dimension.TIME, slot__gte=first, slot__lt=end)
    if days.unit == Unit.DAY:
        by_day = rows.filter(grain=Grain.HALF_HOUR).values_list(_local_slot(days) / Grain.DAY)
        for day, *counts in by_day.annotate(*(Sum(name) for name in _STATES)).order_by():
            steps[day - _days_since_1970(days.first)][1].add(counts)
        return steps
    grain = Grain.HALF_HOUR if days.unit == Unit.HOUR else Grain.DAY
    ends = [slots.slot_of(step.end) for step, _ in steps]
    position = 0
    for slot, *counts in rows.filter(grain=grain).order_by("slot").values_list("slot", *_STATES):
        while slot >= ends[position]:
            position += 1
        steps[position][1].add(counts)
    return steps


def _days_since_1970(day: date) -> int:
    return (day - date(1970, 1, 1)).days


def _local_slot(days: Range) -> Combinable:
    """The half hours of the range by its zone's clock, which may be put forward or back."""
    shifts = days.shifts
    cases = [When(slot__lt=end, then=Value(shift)) for end, shift in shifts[:-1]]
    last = Value(shifts[-1][1])
    return F("slot") + (Case(*cases, default=last) if cases else last)


# --- By routine, account, caller, reason, duration ---


def _by_key(days: Range) -> dict[str, dict[str, Counts]]:
    """{dimension: {key: counts}}, only of what was counted."""
    dimensions = [one for one in Dimension if one != Dimension.TIME]
    rows = RunCount.objects.filter(slots.covering(*days.bounds, *dimensions))
    sums = rows.values_list("dimension", "key").annotate(*(Sum(name) for name in RunCount.COUNTS))
    found: dict[str, dict[str, Counts]] = {dimension: {} for dimension in dimensions}
    for dimension, key, *values in sums.order_by():
        counts = Counts(**dict(zip(RunCount.COUNTS, values, strict=True)))
        if counts.runs:
            found[dimension][key] = counts
    return found


def _named(counted: Mapping[str, Counts], known: Mapping[int, Named]) -> list[tuple[Named, Counts]]:
    found = [(known[int(key)], counts) for key, counts in counted.items() if int(key) in known]
    return sorted(found, key=lambda pair: (-pair[1].runs, str(pair[0])))


def _most(
    counted: Mapping[str, Counts], callers: QuerySet[Caller]
) -> tuple[list[tuple[Caller, Counts]], int]:
    """Those who ran most, and the number of the others."""
    by_runs = sorted(counted.items(), key=lambda pair: (-pair[1].runs, int(pair[0])))
    most = {int(key): counts for key, counts in by_runs[:CALLERS]}
    found = callers.in_bulk(most)
    named = [(found[pk], counts) for pk, counts in most.items() if pk in found]
    return named, len(counted) - len(named)


def _reasons(counted: Mapping[str, Counts]) -> list[tuple[Reason, int]]:
    found = [(Reason(reason), counts.runs) for reason, counts in counted.items()]
    failed = [pair for pair in found if MEANINGS[pair[0]].state != State.STARTED]
    return sorted(failed, key=lambda pair: (-pair[1], pair[0].label))


def _duration(counted: Mapping[str, Counts]) -> Duration:
    return Duration({int(floor): counts.started for floor, counts in counted.items()})


# --- Routines that nobody ran ---


def _idle(routines: list[Routine]) -> list[Routine]:
    newest = Run.objects.filter(routine=OuterRef("pk")).newest_first().values("created_at")[:1]
    pks = [routine.pk for routine in routines]
    found = Routine.objects.filter(pk__in=pks).annotate(last_run_at=Subquery(newest))
    return list(found.order_by("name", "pk"))


# --- The week ---

_1970 = 3 * 24  # began with a Thursday: so many hours after a week begins
_WEEK = 7 * 24  # hours


def _week(days: Range, accounts: dict[int, Account]) -> dict[tuple[int, int], Hour]:
    limits = {str(pk): _limit(account) for pk, account in accounts.items()}
    sessions: dict[int, int] = defaultdict(int)  # by hour of the week
    fullest: dict[int, tuple[float, int, str, int]] = {}  # share, hour, account, sessions
    for hour, key, started in _hours(days):
        of_week = (hour + _1970) % _WEEK
        sessions[of_week] += started
        if limit := limits.get(key):
            candidate = (started / limit, hour, key, started)
            fullest[of_week] = max(fullest.get(of_week, candidate), candidate)
    week = {divmod(of_week, 24): Hour(count) for of_week, count in sessions.items()}
    for of_week, (_, hour, key, started) in fullest.items():
        start, account = days.moment(hour * 2), accounts[int(key)]
        week[divmod(of_week, 24)].fullest = Fullest(start, account, started, limits[key])
    return week


def _limit(account: Account) -> int:
    limit = account.hourly_limit
    return settings.ACCOUNT_HOURLY_LIMIT if limit is None else limit


def _hours(days: Range) -> QuerySet[RunCount, tuple[int, str, int]]:
    """(hour since 1970 by the zone's clock, account, its sessions)"""
    first, end = days.bounds
    rows = RunCount.objects.filter(
        dimension=Dimension.ACCOUNT,
        grain=Grain.HALF_HOUR,
        slot__gte=first,
        slot__lt=end,
        started__gt=0,
    )
    hours = rows.values_list(_local_slot(days) / 2, "key")
    return hours.annotate(Sum("started")).order_by()
