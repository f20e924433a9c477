"""The numbers of one range, each kind in one query whatever the range."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, TypeVar

from django.conf import settings
from django.db import connection
from django.db.models import Case, F, OuterRef, Q, Subquery, Sum, Value, When
from django.db.models.expressions import Combinable

from routines.insight import summaries
from routines.insight.ranges import Range, Step, Unit
from routines.models import (
    STATES,
    Account,
    AccountSummary,
    DurationSummary,
    Outcome,
    Period,
    Person,
    PersonSummary,
    ReasonSummary,
    Routine,
    RoutineSummary,
    Run,
    Summary,
    TimeSummary,
)
from routines.tokens import health
from routines.values.reasons import MEANINGS, Reason, State

_STATES = tuple(state.value for state in STATES)
PEOPLE = 25  # are named, beginning with who ran most

Named = TypeVar("Named", Routine, Account)


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
    """From press to session: a histogram, {least milliseconds: runs}."""

    runs: dict[int, int]

    def percentile(self, share: float) -> int | None:
        """In milliseconds; the middle of what counts together, so at most 5 % off."""
        rank = share * sum(self.runs.values())
        reached = 0
        for least in sorted(self.runs):
            reached += self.runs[least]
            if reached >= rank:
                return least + (summaries.duration_unit(least) - 1) // 2
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
    gone: int  # of `total`, runs that retention has deleted since
    steps: list[tuple[Step, Counts]]
    routines: list[tuple[Routine, Counts]]
    accounts: list[tuple[Account, Counts]]
    people: list[tuple[Person, Counts]]
    other_people: int  # with fewer runs
    reasons: list[tuple[Reason, int]]  # why runs did not start
    duration: Duration
    week_of: Range | None  # the days that `week` speaks of; None: no half hours are kept of them
    week: dict[tuple[int, int], Hour]  # by weekday (Monday is 0) and hour
    idle: list[Routine]  # current routines without a run, each with its `last_run_at`
    tokens: list[health.Health] = field(default_factory=list)


def look(range: Range) -> Figures:
    within = summaries.covering(*range.half_hours)
    steps = _steps(range)
    total = Counts()
    for _, counts in steps:
        total.add(getattr(counts, name) for name in _STATES)
    known = Routine.objects.select_related("account").in_bulk()
    accounts = Account.objects.in_bulk()
    routines = _by(RoutineSummary, within, known)
    people, others = _people(within)
    ran = {routine.pk for routine, _ in routines}
    current = [routine for routine in known.values() if not routine.is_archived]
    newest = range.newest
    week_of = newest if newest.first <= newest.last else None
    return Figures(
        range=range,
        total=total,
        before=_total(summaries.covering(*range.before.half_hours)),
        gone=_total(within & Q(gone=True)).runs,
        steps=steps,
        routines=routines,
        accounts=_by(AccountSummary, within, accounts),
        people=people,
        other_people=others,
        reasons=_reasons(within),
        duration=Duration(_sums(DurationSummary, within)),
        week_of=week_of,
        week=_week(week_of, accounts) if week_of else {},
        idle=_idle([one for one in current if one.pk not in ran and one.created_at < range.end]),
        tokens=health.needing_somebody(current),
    )


def _steps(range: Range) -> list[tuple[Step, Counts]]:
    steps = [(step, Counts()) for step in range.steps()]
    first, end = range.half_hours
    rows = TimeSummary.objects.filter(start__gte=first, start__lt=end)
    if range.unit == Unit.DAY:
        days = rows.filter(period=Period.HALF_HOUR).values_list(_local(range) / Period.DAY)
        for day, *counts in days.annotate(*(Sum(name) for name in _STATES)).order_by():
            steps[day - _days_since_1970(range.first)][1].add(counts)
        return steps
    period = Period.HALF_HOUR if range.unit == Unit.HOUR else Period.DAY
    ends = [summaries.half_hour(step.end) for step, _ in steps]
    place = 0
    found = rows.filter(period=period).order_by("start")
    for start, *counts in found.values_list("start", *_STATES):
        while start >= ends[place]:
            place += 1
        steps[place][1].add(counts)
    return steps


def _days_since_1970(day: date) -> int:
    return (day - date(1970, 1, 1)).days


def _local(range: Range) -> Combinable:
    """The half hours of the range by its zone's clock, which may be put forward or back."""
    shifts = range.shifts
    cases = [When(start__lt=end, then=Value(shift)) for end, shift in shifts[:-1]]
    last = Value(shifts[-1][1])
    return F("start") + (Case(*cases, default=last) if cases else last)


def _total(within: Q) -> Counts:
    sums = TimeSummary.objects.filter(within).aggregate(**{name: Sum(name) for name in _STATES})
    return Counts(**{name: count or 0 for name, count in sums.items()})


def _by(model: type[Summary], within: Q, known: Mapping[int, Named]) -> list[tuple[Named, Counts]]:
    found = [(known[pk], counts) for pk, counts in _most_first(model, within) if pk in known]
    return sorted(found, key=lambda pair: (-pair[1].runs, str(pair[0])))


def _most_first(model: type[Summary], within: Q) -> list[tuple[int, Counts]]:
    fields = model.count_fields()
    rows = model._default_manager.filter(within).values_list(model.KEY).order_by()
    found = [
        (pk, Counts(**dict(zip(fields, counts, strict=True))))
        for pk, *counts in rows.annotate(*(Sum(name) for name in fields))
    ]
    return sorted((pair for pair in found if pair[1].runs), key=lambda pair: -pair[1].runs)


def _people(within: Q) -> tuple[list[tuple[Person, Counts]], int]:
    """Those who ran most, and the number of the others."""
    found = _most_first(PersonSummary, within)
    most = dict(found[:PEOPLE])
    people = Person.objects.only("username", "first_name", "last_name").in_bulk(most)
    named = [(people[pk], counts) for pk, counts in most.items() if pk in people]
    return named, len(found) - len(named)


def _sums(model: type[Summary], within: Q) -> dict[Any, int]:
    rows = model._default_manager.filter(within).values_list(model.KEY).order_by()
    return {key: runs for key, runs in rows.annotate(Sum("runs")) if runs}


def _reasons(within: Q) -> list[tuple[Reason, int]]:
    found = [(Reason(reason), runs) for reason, runs in _sums(ReasonSummary, within).items()]
    failed = [pair for pair in found if MEANINGS[pair[0]].state != State.STARTED]
    return sorted(failed, key=lambda pair: (-pair[1], pair[0].label))


def _idle(routines: list[Routine]) -> list[Routine]:
    newest = Run.objects.filter(routine=OuterRef("pk")).newest_first().values("created_at")[:1]
    pks = [routine.pk for routine in routines]
    found = Routine.objects.filter(pk__in=pks).annotate(last_run_at=Subquery(newest))
    return list(found.order_by("name", "pk"))


# --- The week ---

_THURSDAY = 3 * 24  # 1970 began with one
_WEEK = 7 * 24
_APART = 10_000_000  # more than any number of an hour


def _week(range: Range, accounts: dict[int, Account]) -> dict[tuple[int, int], Hour]:
    limits = {pk: _limit(account) for pk, account in accounts.items()}
    week: dict[int, Hour] = defaultdict(Hour)
    fullest: dict[int, tuple[float, int, int]] = {}  # share, account, what the query brought
    for of_week, account_pk, sessions, most in _hours_of_week(range):
        week[of_week].sessions += sessions
        limit = limits.get(account_pk)
        if limit:
            candidate = (most // _APART / limit, account_pk, most)
            fullest[of_week] = max(fullest.get(of_week, candidate), candidate)
    for of_week, (_, account_pk, most) in fullest.items():
        used, number = divmod(most, _APART)
        start = range.moment(number * 2)
        week[of_week].fullest = Fullest(start, accounts[account_pk], used, limits[account_pk])
    return {divmod(of_week, 24): hour for of_week, hour in week.items()}


def _limit(account: Account) -> int:
    limit = account.hourly_limit
    return settings.ACCOUNT_HOURLY_LIMIT if limit is None else limit


def _hours_of_week(range: Range) -> list[tuple[int, int, int, int]]:
    """(hour of the week, account, its sessions in all, those of its fullest hour and that hour)"""
    first, end = range.half_hours
    hours = (
        AccountSummary.objects.filter(
            period=Period.HALF_HOUR, start__gte=first, start__lt=end, started__gt=0
        )
        .annotate(hour=_local(range) / 2)
        .values("hour", "account_pk")
        .annotate(used=Sum("started"))
        .order_by()
    )
    inner, parameters = hours.query.sql_with_params()
    # The fullest hour and its number as one, so that the greatest brings its own along.
    statement = (
        f"SELECT (hour + {_THURSDAY}) % {_WEEK}, account_pk, "  # noqa: S608
        f"SUM(used), MAX(used * {_APART} + hour) "
        f"FROM ({inner}) AS hours GROUP BY 1, 2"
    ).replace(" % ", " %% ")
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        found: list[tuple[int, int, int, int]] = cursor.fetchall()
    return found
