"""What is counted of a run, and how counts are written.

Runs that change and runs that are recounted go through the same `tally`.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import BigIntegerField, BooleanField, F, QuerySet, SmallIntegerField, Value
from django.db.models.functions import Cast

from routines.insight.slots import duration_floor, first_kept, floor, slot_of
from routines.models import Dimension, Grain, Run, RunChange, RunCount
from routines.values.reasons import OPEN, Reason, State

_LOCK = 7_041_776  # any number that no other advisory lock of this database has
_ROWS = 500  # written by one statement


class Change(NamedTuple):
    """So many more (or less, if `by` is negative) of such runs."""

    created_at: datetime
    routine: int
    account: int
    person: int | None
    api_key: int | None
    state: str
    reason: str
    outcome: str
    duration_ms: int | None
    by: int
    deleted: bool


Key = tuple[str, int, int, str, bool]  # as RunCount.KEYS
Tally = dict[Key, Counter[str]]  # of RunCount.COUNTS


def tally(changes: Iterable[Change]) -> Tally:
    counted: Tally = defaultdict(Counter)
    kept = first_kept()
    for change in changes:
        if change.state in OPEN:
            continue
        slot = slot_of(change.created_at)
        covering = [(grain, floor(slot, grain)) for grain in _GRAINS]
        for dimension, key in _dimensions(change):
            keeps_half_hours = slot >= kept or dimension == Dimension.TIME
            for grain, first in covering if keeps_half_hours else covering[1:]:
                counts = counted[dimension, grain, first, key, change.deleted]
                counts[change.state] += change.by
                if change.outcome and dimension == Dimension.ROUTINE:
                    counts[change.outcome] += change.by
    return counted


_GRAINS: tuple[int, ...] = tuple(Grain.values)  # half hours first


def _dimensions(change: Change) -> Iterable[tuple[str, str]]:
    yield Dimension.TIME.value, ""
    yield Dimension.ROUTINE.value, str(change.routine)
    yield Dimension.ACCOUNT.value, str(change.account)
    if change.person is not None:
        yield Dimension.PERSON.value, str(change.person)
    if change.api_key is not None:
        yield Dimension.API_KEY.value, str(change.api_key)
    yield Dimension.REASON.value, change.reason
    # Of a session that a person found we know no answer, so not how long it took.
    answered = change.state == State.STARTED and change.reason != Reason.SAID_STARTED
    if answered and change.duration_ms is not None:
        yield Dimension.DURATION.value, str(duration_floor(change.duration_ms))


def settled_runs() -> QuerySet[Run, Any]:
    """Each run as a Change."""
    rows = Run.objects.exclude(state__in=OPEN).order_by()
    return rows.values_list(
        *("created_at", "routine_id", "account_id", "person_id", "api_key_id"),
        *("state", "reason", "outcome"),
        Cast("duration_ms", BigIntegerField()),
        Cast(Value(1), SmallIntegerField()),
        Value(False, BooleanField()),
    )


def waiting_changes(*more: str, sign: int = 1) -> QuerySet[RunChange, Any]:
    """Each as a Change, `by` times the sign, and `more` columns behind it."""
    return RunChange.objects.order_by().values_list(
        *("created_at", "routine_pk", "account_pk", "person_pk", "api_key_pk"),
        *("state", "reason", "outcome", "duration_ms"),
        F("by") * sign,
        "deleted",
        *more,
    )


def lock(*, wait: bool = False) -> bool:
    """Whether this transaction may write counts: one at a time does.

    SQLite's transactions see to it by themselves.
    """
    if connection.vendor != "postgresql":
        return True
    with connection.cursor() as cursor:
        if wait:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
            return True
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
        return bool(cursor.fetchone()[0])


def add(counted: Tally) -> None:
    """Add to the rows that there are, and make those that are missing."""
    rows: list[tuple[Any, ...]] = [
        (*key, *(counts[name] for name in RunCount.COUNTS))
        for key, counts in sorted(counted.items())
        if any(counts.values())
    ]
    table = f'"{RunCount._meta.db_table}"'
    columns = (*RunCount.KEYS, *RunCount.COUNTS)
    marks = f"({', '.join(['%s'] * len(columns))})"
    added = ", ".join(f"{name} = {table}.{name} + excluded.{name}" for name in RunCount.COUNTS)
    with connection.cursor() as cursor:
        for first in range(0, len(rows), _ROWS):
            some = rows[first : first + _ROWS]
            cursor.execute(
                f"INSERT INTO {table} ({', '.join(columns)}) "  # noqa: S608
                f"VALUES {', '.join([marks] * len(some))} "
                f"ON CONFLICT ({', '.join(RunCount.KEYS)}) DO UPDATE SET {added}",
                [value for row in some for value in row],
            )
