"""The insight page for 7, 90 and 1,000 days: a million runs beside a thousand.

Server time of the whole page, from the request to the last byte. Read as `time.process_time`
beside the clock: on a machine that others use, the clock also counts their turns.
"""

import os
import statistics
import time
from datetime import date, timedelta
from typing import get_args

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from routines.insight import summaries
from routines.models import Run
from tests.bench import million

_WARM_UP = 3
_DAYS = (7, 90, 1000)
_MOST_P95 = 0.050


def measure(rounds: int, *, many: int = 1_000_000, few: int = 1_000) -> None:
    """Print a table for SQLite, and one for PostgreSQL if TEST_DATABASE_URL says where."""
    for kind in get_args(million.Kind):
        if kind == "sqlite" or "TEST_DATABASE_URL" in os.environ:
            _measure_on(kind, rounds, many, few)


def _measure_on(kind: million.Kind, rounds: int, many: int, few: int) -> None:
    print(f"\nThe insight page, in milliseconds, {rounds} rounds, {kind}, {many:,} runs")
    print(f"{'':12} {'p50':>8} {'p95':>8} {'cpu p50':>8} {'queries':>8}   beside {few:,} runs: p50")
    small = _look(kind, few, rounds)
    for days, found in _look(kind, many, rounds).items():
        ratio = found.p50 / small[days].p50
        print(
            f"{days:>5} days   {found.p50 * 1000:8.1f} {found.p95 * 1000:8.1f} "
            f"{found.cpu * 1000:8.1f} {found.queries:8}   {ratio:.2f}"
        )
        _aim(f"p95 under 50 ms: {found.p95 * 1000:.1f}", found.p95 < _MOST_P95)
        same = found.queries == small[days].queries
        _aim("as many queries as with few runs", same)


class _Found:
    def __init__(self, took: list[float], cpu: list[float], queries: int) -> None:
        self.p50, self.p95 = statistics.median(took), statistics.quantiles(took, n=20)[-1]
        self.cpu = statistics.median(cpu)
        self.queries = queries


def _look(kind: million.Kind, runs: int, rounds: int) -> dict[int, _Found]:
    with million.database(kind, runs=runs) as db:
        wrong = sum(rebuilt.wrong for rebuilt in summaries.rebuild(only_look=True))
        if wrong:
            raise SystemExit(f"{wrong} rows of the summaries are not what the runs say.")
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
