"""The summaries behind the insight page: exact counts of settled runs, whatever the size.

Triggers note each change of a run (summary_triggers.py); `fold` adds what they noted to the
summaries, and whoever reads them folds first. So writing a run costs one small row more, no two
runs wait for each other's counts, and nothing has to run beside the service. What is counted says
`_tally`, for folding and for rebuilding alike.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import (
    BigIntegerField,
    BooleanField,
    Max,
    Min,
    Q,
    QuerySet,
    SmallIntegerField,
    Value,
)
from django.db.models.functions import Cast
from django.utils import timezone

from routines.models import (
    SUMMARIES,
    AccountSummary,
    DurationSummary,
    Period,
    PersonSummary,
    ReasonSummary,
    RoutineSummary,
    Run,
    RunChange,
    Summary,
    TimeSummary,
)
from routines.values.reasons import Reason, State

HALF_HOUR = timedelta(minutes=30)
# How long all summaries keep half hours; a range that begins earlier is cut into days of UTC.
KEPT_DAYS = 100
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CHUNK = 2000  # changes folded in one transaction: some 50 ms of it
_LOCK = 7_041_776  # any number that no other advisory lock of this database has

# Of one summary: {(period, start, gone[, key]): {field: count}}.
Counts = dict[tuple[Any, ...], dict[str, int]]
Tally = dict[type[Summary], Counts]


def half_hour(moment: datetime) -> int:
    """The number of half hours from 1970 to the one that `moment` is in."""
    half_hours: int = (moment - _EPOCH) // HALF_HOUR
    return half_hours


def moment(half_hours: int) -> datetime:
    return _EPOCH + half_hours * HALF_HOUR


def kept_since() -> int:
    """The first half hour that all summaries hold half hours for."""
    today = half_hour(timezone.now()) // Period.DAY * Period.DAY
    return today - KEPT_DAYS * Period.DAY


def duration_key(duration_ms: int) -> int:
    """To two leading digits: what is counted together differs by less than 10 %."""
    return duration_ms - duration_ms % duration_unit(duration_ms)


def duration_unit(duration_ms: int) -> int:
    unit: int = 10 ** max(len(str(duration_ms)) - 2, 0)
    return unit


def covering(first: int, end: int) -> Q:
    """The rows of a summary that together count the half hours from `first` until before `end`."""
    first_day, end_day = _up(first, Period.DAY), _down(end, Period.DAY)
    if first_day >= end_day:
        return _within(Period.HALF_HOUR, first, end)
    first_block, end_block = _up(first_day, Period.BLOCK), _down(end_day, Period.BLOCK)
    ends = _within(Period.HALF_HOUR, first, first_day) | _within(Period.HALF_HOUR, end_day, end)
    if first_block >= end_block:
        return ends | _within(Period.DAY, first_day, end_day)
    return (
        ends
        | _within(Period.DAY, first_day, first_block)
        | _within(Period.BLOCK, first_block, end_block)
        | _within(Period.DAY, end_block, end_day)
    )


def _within(period: Period, first: int, end: int) -> Q:
    return Q(period=period, start__gte=first, start__lt=end)


def _down(half_hours: int, period: Period) -> int:
    return half_hours // period * period


def _up(half_hours: int, period: Period) -> int:
    return -(-half_hours // period) * period


# --- What is counted ---


@dataclass(frozen=True, slots=True)
class _Change:
    """As _snapshot selects it; `pk` is that of a RunChange, None for a run."""

    pk: int | None
    created_at: datetime
    routine: int
    account: int
    person: int
    state: str
    reason: str
    outcome: str
    duration_ms: int | None
    by: int
    gone: bool


def _tally(changes: Iterable[_Change]) -> Tally:
    counts: dict[tuple[Any, ...], int] = defaultdict(int)
    for change in changes:
        if change.state == State.SENDING:
            continue
        at = (half_hour(change.created_at), change.gone)
        by = change.by
        counts[TimeSummary, *at, None, change.state] += by
        counts[RoutineSummary, *at, change.routine, change.state] += by
        counts[AccountSummary, *at, change.account, change.state] += by
        counts[PersonSummary, *at, change.person, change.state] += by
        counts[ReasonSummary, *at, change.reason, "runs"] += by
        if change.state == State.STARTED:
            if change.outcome:
                counts[RoutineSummary, *at, change.routine, change.outcome] += by
            # Of a session that a person found we know no answer, so not how long it took.
            if change.duration_ms is not None and change.reason != Reason.SAID_STARTED:
                key = duration_key(change.duration_ms)
                counts[DurationSummary, *at, key, "runs"] += by
    return _by_period(counts)


def _by_period(counts: dict[tuple[Any, ...], int]) -> Tally:
    since = kept_since()
    tally: Tally = {model: defaultdict(lambda: defaultdict(int)) for model in SUMMARIES}
    for (model, start, gone, key, field), count in counts.items():
        for period in Period:
            if period == Period.HALF_HOUR and start < since and not model.KEEPS_HALF_HOURS:
                continue
            row = (period.value, _down(start, period), gone, *(() if key is None else (key,)))
            tally[model][row][field] += count
    return tally


# --- Keeping them up to date ---


def fold() -> None:
    """Add what the triggers have noted to the summaries; nearly nothing to do, nearly always."""
    while RunChange.objects.exists():
        with transaction.atomic():
            _wait_for_others()
            changes = [_Change(*row) for row in _changes().order_by("pk")[:_CHUNK]]
            _add_noted(changes)
            _forget_old_half_hours()
        if len(changes) < _CHUNK:
            return


def _add_noted(changes: list[_Change]) -> None:
    _add(_tally(changes))
    RunChange.objects.filter(pk__in=[change.pk for change in changes]).delete()


def _wait_for_others() -> None:
    """One at a time writes the summaries. SQLite's transactions see to it by themselves."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


def _add(tally: Tally) -> None:
    for model, counts in tally.items():
        keys, fields = model.key_fields(), model.count_fields()
        rows = [
            (*key, *(counted.get(field, 0) for field in fields))
            for key, counted in sorted(counts.items())
            if any(counted.values())
        ]
        if not rows:
            continue
        table = f'"{model._meta.db_table}"'
        added = ", ".join(f"{field} = {table}.{field} + excluded.{field}" for field in fields)
        statement = (
            f"INSERT INTO {table} ({', '.join((*keys, *fields))}) "  # noqa: S608
            f"VALUES ({', '.join(['%s'] * len(rows[0]))}) "
            f"ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {added}"
        )
        with connection.cursor() as cursor:
            cursor.executemany(statement, rows)


def _forget_old_half_hours() -> None:
    since = kept_since()
    for model in SUMMARIES:
        if not model.KEEPS_HALF_HOURS:
            old = model._default_manager.filter(period=Period.HALF_HOUR, start__lt=since)
            old._raw_delete(old.db)


# --- Rebuilding them ---


@dataclass(frozen=True)
class Rebuilt:
    """What was found of the runs of 32 days."""

    since: datetime
    runs: int
    wrong: int  # rows of summaries that did not say what the runs say


def rebuild(*, only_look: bool = False) -> Iterator[Rebuilt]:
    """Compare all summaries with the runs, and write those that differ.

    Block by block, each in a short transaction of its own: runs are written meanwhile, and an
    interrupted rebuild leaves every block whole. Counts of deleted runs stay as they are.
    """
    for start in _blocks():
        with transaction.atomic():
            _wait_for_others()
            rebuilt = _rebuild_block(start, only_look=only_look)
        yield rebuilt


def _blocks() -> range:
    """All that hold runs, summaries or changes that are not folded yet."""
    rows = TimeSummary.objects.filter(period=Period.BLOCK)
    counted = rows.aggregate(first=Min("start"), last=Max("start"))
    found = [start for start in counted.values() if start is not None]
    for model in (Run, RunChange):
        pressed = model._default_manager.aggregate(first=Min("created_at"), last=Max("created_at"))
        found += [half_hour(moment) for moment in pressed.values() if moment is not None]
    if not found:
        return range(0)
    return range(_down(min(found), Period.BLOCK), max(found) + 1, Period.BLOCK)


def _rebuild_block(start: int, *, only_look: bool) -> Rebuilt:
    first, end = moment(start), moment(start + Period.BLOCK)
    # Runs and what is noted of them in one look, so that both are of the same moment.
    within = {"created_at__gte": first, "created_at__lt": end}
    snapshot = _runs().filter(**within).union(_changes().filter(**within), all=True)
    rows = [_Change(*row) for row in snapshot.iterator(chunk_size=_CHUNK)]
    runs = [row for row in rows if row.pk is None]
    _add_noted([row for row in rows if row.pk is not None])
    _forget_old_half_hours()
    right = _tally(runs)
    wrong = sum(_compare(model, start, right[model], only_look) for model in SUMMARIES)
    return Rebuilt(first, len(runs), wrong)


def _compare(model: type[Summary], start: int, right: Counts, only_look: bool) -> int:
    """How many rows are not as `right` says; unless only looking, they are then."""
    keys, fields = model.key_fields(), model.count_fields()
    stored = model._default_manager.filter(
        gone=False, start__gte=start, start__lt=start + Period.BLOCK
    )
    pks, found = {}, {}
    for pk, *values in stored.values_list("pk", *keys, *fields):
        key = tuple(values[: len(keys)])
        pks[key] = pk
        found[key] = dict(zip(fields, values[len(keys) :], strict=True))
    whole = {
        key: {field: counts.get(field, 0) for field in fields} for key, counts in right.items()
    }
    wrong = {
        key for key in found.keys() | whole.keys() if _counts(found, key) != _counts(whole, key)
    }
    if wrong and not only_look:
        model._default_manager.filter(pk__in=[pks[key] for key in wrong & pks.keys()]).delete()
        _add({model: {key: whole[key] for key in wrong & whole.keys()}})
    return len(wrong)


def _counts(rows: Counts, key: tuple[Any, ...]) -> dict[str, int] | None:
    """None for a row that counts nothing, as if it did not exist."""
    row = rows.get(key)
    return row if row and any(row.values()) else None


# --- What is looked at: the same columns of a run and of a noted change, as in _Change ---


def _runs() -> QuerySet[Any, Any]:
    return Run.objects.values_list(
        Cast(Value(None), BigIntegerField()),
        "created_at",
        "routine_id",
        "account_id",
        "person_id",
        "state",
        "reason",
        "outcome",
        Cast("duration_ms", BigIntegerField()),
        Cast(Value(1), SmallIntegerField()),
        Value(False, BooleanField()),
    ).order_by()


def _changes() -> QuerySet[Any, Any]:
    return RunChange.objects.values_list(
        "pk",
        "created_at",
        "routine_pk",
        "account_pk",
        "person_pk",
        "state",
        "reason",
        "outcome",
        "duration_ms",
        "by",
        "gone",
    ).order_by()
