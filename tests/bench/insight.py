"""The insight page for 7, 90 and 1,000 days: a million runs beside a thousand.

Server time of the whole page, from the request to the last byte. Read as `time.process_time`
beside the clock: on a machine that others use, the clock also counts their turns.

Then the first looks after all those runs came in at once, as a restore or an import brings them:
each counts a step of them, says so, and is to take at most three times a usual look. And how long
counting them all takes, in the background.
"""

import os
import statistics
import time
from datetime import date, timedelta
from typing import get_args

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from routines.insight import changes, progress, recounting
from routines.models import Run, RunChange, RunCount
from tests.bench import million

_WARM_UP = 3
_DAYS = (7, 90, 1000)
_LOOKS_BEHIND = 5
_MOST_P95 = 0.050
_MOST_BEHIND = 3.0  # times a usual look of 90 days


def measure(rounds: int, *, many: int = 1_000_000, few: int = 1_000) -> None:
    """Print a table for SQLite, and one for PostgreSQL if TEST_DATABASE_URL says where."""
    for kind in get_args(million.Kind):
        if kind == "sqlite" or "TEST_DATABASE_URL" in os.environ:
            _measure_on(kind, rounds, many, few)


def _measure_on(kind: million.Kind, rounds: int, many: int, few: int) -> None:
    print(f"\nThe insight page, in milliseconds, {rounds} rounds, {kind}, {many:,} runs")
    print(f"{'':12} {'p50':>8} {'p95':>8} {'cpu p50':>8} {'queries':>8}   beside {few:,} runs: p50")
    small = _look(kind, few, rounds)
    large = small if many == few else _look(kind, many, rounds)
    for days, found in large.items():
        ratio = found.p50 / small[days].p50
        print(
            f"{days:>5} days   {found.p50 * 1000:8.1f} {found.p95 * 1000:8.1f} "
            f"{found.cpu * 1000:8.1f} {found.queries:8}   {ratio:.2f}"
        )
        _aim(f"p95 under 50 ms: {found.p95 * 1000:.1f}", found.p95 < _MOST_P95)
        same = found.queries == small[days].queries
        _aim("as many queries as with few runs", same)
        if days == _DAYS[1]:
            usual = found.p50
    _measure_behind(kind, many, usual)


def _measure_behind(kind: million.Kind, runs: int, usual: float) -> None:
    with million.database(kind, runs=runs, scratch=True) as db:
        _let_all_wait()
        client = db.client(db.manager)
        first, last = db.end.date() - timedelta(days=_DAYS[1] - 1), db.end.date()
        took = []
        for _ in range(_LOOKS_BEHIND):
            began = time.perf_counter()
            page = client.get(f"/insight/?from={first}&to={last}").content.decode()
            took.append(time.perf_counter() - began)
            if runs > _LOOKS_BEHIND * changes.STEP and "still to be counted" not in page:
                raise SystemExit("The page does not say that its numbers are behind.")
        left = progress.behind()
        began = time.perf_counter()
        for _ in progress.catch_up(pause=lambda _seconds: None):
            pass
        counting = time.perf_counter() - began
    print(f"  {runs:,} runs came in at once: {changes.STEP} are counted by a look")
    slowest = max(took)
    _aim(
        f"the slowest of the first {_LOOKS_BEHIND} looks at most {_MOST_BEHIND:.0f} times a usual "
        f"one: {slowest * 1000:.1f} ms, {slowest / usual:.2f} times",
        slowest < _MOST_BEHIND * usual,
    )
    print(f"  the other {left.changes if left else 0:,} without a pause: {counting:.1f} s")


def _let_all_wait() -> None:
    """As if every run had been written since the last look."""
    RunCount.objects.all().delete()
    copied = "created_at, routine_{0}, account_{0}, person_{0}, api_key_{0}, state, reason, outcome"
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {RunChange._meta.db_table} "  # noqa: S608
            f'({copied.format("pk")}, duration_ms, "by", deleted) '
            f"SELECT {copied.format('id')}, duration_ms, 1, FALSE "
            f"FROM {Run._meta.db_table} WHERE state <> 'sending' ORDER BY id"
        )
        cursor.execute("ANALYZE")


class _Found:
    def __init__(self, took: list[float], cpu: list[float], queries: int) -> None:
        self.p50, self.p95 = statistics.median(took), statistics.quantiles(took, n=20)[-1]
        self.cpu = statistics.median(cpu)
        self.queries = queries


def _look(kind: million.Kind, runs: int, rounds: int) -> dict[int, _Found]:
    with million.database(kind, runs=runs) as db:
        wrong = sum(day.wrong for day in recounting.check())
        if wrong:
            raise SystemExit(f"{wrong} counts are not what the runs say.")
        client = db.client(db.manager)
        return {days: _time(client, days, db, rounds) for days in _DAYS}


def _time(client: Client, days: int, db: million.Million, rounds: int) -> _Found:
    first, last = db.end.date() - timedelta(days=days - 1), db.end.date()
    address = f"/insight/?from={first}&to={last}"
    _check(client.get(address).content.decode(), first, last)
    took, cpu = [], []
    for number in range(_WARM_UP + rounds):
        began, began_cpu = time.perf_counter(), time.process_time()
        client.get(address)
        if number >= _WARM_UP:
            took.append(time.perf_counter() - began)
            cpu.append(time.process_time() - began_cpu)
    with CaptureQueriesContext(connection) as captured:
        client.get(address)
    return _Found(took, cpu, len(captured))


def _check(page: str, first: date, last: date) -> None:
    """It says how many runs there are."""
    within = Run.objects.filter(
        created_at__date__gte=first, created_at__date__lte=last, settled_at__isnull=False
    )
    if f">{within.count():,}</a>" not in page:
        raise SystemExit(f"The page of {first} to {last} does not say {within.count():,} runs.")


def _aim(sentence: str, met: bool) -> None:
    print(f"  aim {'met   ' if met else 'MISSED'}  {sentence}")
