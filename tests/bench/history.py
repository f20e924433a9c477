"""The history at a million runs beside a thousand: pages, filters, searches, and writing a run.

Server time of the whole page, by the clock. On a machine that others use, the clock counts the
turns of those, too, so `cpu` tells this process's own time beside it (on PostgreSQL without the
server's). Queries are what one page asks of the database. Among a thousand runs many a filter finds
fewer rows than among a million; it is then compared with the first page of the thousand, so that
as many rows are drawn on both sides (marked *).
"""

import os
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import get_args
from uuid import uuid4

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from routines.keyset import Place
from routines.models import Routine, Run
from routines.registry import header_versions
from routines.values.reasons import Reason, State
from tests.bench import content, million

_WARM_UP = 3
_PAGES_DEEP = 10_000
_FIRST = "page: first"
_MOST = {"search": 2.0, "page": 1.3, "write": 1.5}
_MOST_P95 = 0.050

FILTERS = {
    "routine": "routine={routine}",
    "busy person": "person=person-001",
    "quiet person": "person=person-150",
    "account": "account=Account+3",
    "tag": "tag=nightly",
    "state": "state=refused",
    "reason": "reason=tls_failed",
    "outcome": "outcome=failed",
    "no outcome": "state=started&outcome=none",
    "with a link": "link=yes",
    "old beta version": f"beta={content.BETA_VERSIONS[0]}",
    "API version": f"api={header_versions.API_VERSION}",
    "trials": "trial=yes",
    "yesterday": "period=yesterday",
    "last 90 days": "period=last-90-days",
}
PAIRS = {
    "routine, state": "routine={routine}&state=refused",
    "routine, state, yesterday": "routine={routine}&state=refused&period=yesterday",
    "person, state": "person=person-150&state=refused",
    "person, old version": f"person=person-001&beta={content.BETA_VERSIONS[0]}",
    "state, outcome (none such)": "state=refused&outcome=useful",
    "account, outcome": "account=Account+1&outcome=failed",
    "tag, state": "tag=nightly&state=unknown",
    "tag, reason": "tag=nightly&reason=tls_failed",
    "link, version": "link=yes&beta=not-sent",
    "person, account": "person=person-150&account=Account+2",
    "trials, state": "trial=yes&state=unknown",
}
SEARCHES = {
    "rare word": f"q={content.RARE_WORD}",
    "common word": f"q={content.COMMON_WORD}",
    "absent word": f"q={content.ABSENT_WORD}",
    "common word, person": f"q={content.COMMON_WORD}&person=person-150",
    "common word, state": f"q={content.COMMON_WORD}&state=refused",
    "common word, rare reason": f"q={content.COMMON_WORD}&reason=tls_failed",
    "common word, one old day": f"q={content.COMMON_WORD}&from=2025-03-04&to=2025-03-04",
}


@dataclass(frozen=True)
class _Took:
    p50: float
    p95: float
    cpu: float
    queries: int
    rows: int = 0


def measure(rounds: int, *, many: int = 1_000_000, few: int = 1_000) -> None:
    """Print a table for SQLite, and one for PostgreSQL if TEST_DATABASE_URL says where."""
    for kind in get_args(million.Kind):
        if kind == "sqlite" or "TEST_DATABASE_URL" in os.environ:
            _measure_on(kind, rounds, many, few)


def _measure_on(kind: million.Kind, rounds: int, many: int, few: int) -> None:
    small, large = look(kind, few, rounds), look(kind, many, rounds)
    print(f"\nThe history, in milliseconds, {rounds} rounds, {kind}, {many:,} runs beside {few:,}")
    print(f"{'':34} {'p50':>7} {'p95':>7} {'cpu':>7} {'queries':>7}   {few:,}: p50  ratio, of cpu")
    missed = []
    for name, took in large.items():
        before, kind_of = small[name], name.partition(": ")[0]
        has_fewer_rows = before.rows < took.rows
        if has_fewer_rows:
            before = small[_FIRST]
        ratio = took.p50 / before.p50
        print(
            f"{name:34} {took.p50 * 1000:7.1f} {took.p95 * 1000:7.1f} {took.cpu * 1000:7.1f} "
            f"{took.queries:7}   {before.p50 * 1000:{len(f'{few:,}') + 5}.1f}  {ratio:5.2f}, "
            f"{took.cpu / before.cpu:.2f}{'*' if has_fewer_rows else ''}"
        )
        if ratio > _MOST.get(kind_of, _MOST["page"]):
            missed.append(f"{name}: {ratio:.2f} times")
        if kind_of != "write" and took.p95 > _MOST_P95:
            missed.append(f"{name}: p95 {took.p95 * 1000:.0f} ms")
    print(f"  aims {'met' if not missed else 'MISSED  ' + '; '.join(missed)}")


def look(kind: million.Kind, runs: int, rounds: int) -> dict[str, _Took]:
    with million.database(kind, runs=runs) as db:
        manager, teammate = db.client(db.manager), db.client(db.teammate)
        deep = Run.objects.newest_first()[min(_PAGES_DEEP * 50, runs // 2)]
        place = Place(deep.created_at, deep.pk).cursor()
        pages = {"first": "", "deep, older": f"before={place}", "deep, newer": f"after={place}"}
        pages |= FILTERS | PAIRS
        took = {}
        for group, queries in (("page", pages), ("search", SEARCHES)):
            for name, query in queries.items():
                url = f"/history/?{query.format(routine=db.often_refused.slug)}"
                took[f"{group}: {name}"] = _time(manager, url, rounds)
        named = Run.objects.exclude(session_id="").newest_first()[runs // 2]
        for name, typed in (("session", named.session_id), ("request", named.request_id)):
            url = f"/history/?q={typed}&period=&state=started"  # with another filter: it is shown
            took[f"search: a {name} ID"] = _time(manager, url, rounds)
        took["page: a teammate's first"] = _time(teammate, "/history/", rounds)
        took["search: a teammate's"] = _time(teammate, f"/history/?q={content.COMMON_WORD}", rounds)
    with million.database(kind, runs=runs, scratch=True) as db:
        took["write: a run, and its answer"] = _clock(_Write(db), rounds * 5)
    return took


def _time(client: Client, url: str, rounds: int) -> _Took:
    def look() -> None:
        if client.get(url).status_code != 200:
            raise SystemExit(f"{url} is no page.")

    drawn = client.get(url).content.count(b'<td class="num">')
    return replace(_clock(look, rounds), rows=drawn)


def _clock(what: Callable[[], None], rounds: int) -> _Took:
    took, cpu = [], []
    for number in range(_WARM_UP + rounds):
        began, began_cpu = time.perf_counter(), time.process_time()
        what()
        if number >= _WARM_UP:
            took.append(time.perf_counter() - began)
            cpu.append(time.process_time() - began_cpu)
    with CaptureQueriesContext(connection) as captured:
        what()
    p95 = statistics.quantiles(took, n=20)[-1]
    return _Took(statistics.median(took), p95, statistics.median(cpu), len(captured))


class _Write:
    """As firing does it: the run, and then what came of it."""

    def __init__(self, db: million.Million) -> None:
        self._routines = list(Routine.objects.all())
        self._person, self._number = db.teammate, 0
        self._texts = list(Run.objects.newest_first().values_list("text", flat=True)[:500])

    def __call__(self) -> None:
        self._number += 1
        run = Run.objects.create(
            key=uuid4(),
            routine=self._routines[self._number % len(self._routines)],
            person=self._person,
            text=self._texts[self._number % len(self._texts)],
            api_version=header_versions.API_VERSION,
        )
        Run.objects.filter(pk=run.pk).update(
            state=State.STARTED,
            reason=Reason.SESSION_CREATED,
            session_id=f"session_01{run.key.hex}",
            request_id=f"req_{run.key.hex}",
            settled_at=run.created_at,
        )
