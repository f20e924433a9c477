"""The history at a million runs: pages, filters, pairs of filters, searches, and writing a run.

Server time of the whole page, by the clock. On a machine that others use, the clock counts the
turns of those, too, so `cpu` tells this process's own time beside it (on PostgreSQL without the
server's). Queries are what one page asks of the database.

The aims are absolute, at p95: 50 ms for every page, single filter, search and deep page, 150 ms for
several filters and for a search with a filter. The first page is measured in turn with a bare
signed-in Django page, and writing a run with writing it into a database that is all but empty.
"""

import os
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import get_args
from uuid import uuid4

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from routines.keyset import Position
from routines.models import ApiKey, Routine, Run
from routines.registry import header_versions
from routines.values.reasons import Reason, State
from tests.bench import bare, content, million

_WARM_UP = 3
_PAGES_DEEP = 10_000
_MOST_MS = {"page": 50, "search": 50, "filters": 150, "search with a filter": 150}
_MOST_OF_BARE = 5.0
_MOST_OF_EMPTY = 1.3
_WRITE = "write: a run, and its answer"
_FIRST, _BARE = "page: first", "bare page"

FILTERS = {
    "routine": "routine={routine}",
    "busy person": "person=person-001",
    "quiet person": "person=person-150",
    "busy API key": "api_key={busy_key}",
    "quiet API key": "api_key={quiet_key}",
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
    "API key, state": "api_key={busy_key}&state=refused",
    "quiet API key, tag": "api_key={quiet_key}&tag=nightly",
    "trials, state": "trial=yes&state=unknown",
}
SEARCHES = {
    "rare word": f"q={content.RARE_WORD}",
    "common word": f"q={content.COMMON_WORD}",
    "absent word": f"q={content.ABSENT_WORD}",
}
FILTERED_SEARCHES = {
    "common word, person": f"q={content.COMMON_WORD}&person=person-150",
    "common word, state": f"q={content.COMMON_WORD}&state=refused",
    "common word, rare reason": f"q={content.COMMON_WORD}&reason=tls_failed",
    "common word, no outcome": f"q={content.COMMON_WORD}&state=started&outcome=none",
    "common word, one old day": f"q={content.COMMON_WORD}&from=2025-03-04&to=2025-03-04",
    "rare word, routine": f"q={content.RARE_WORD}&routine={{routine}}",
}


@dataclass(frozen=True)
class _Took:
    p50: float
    p95: float
    cpu: float
    queries: int


def measure(rounds: int, *, many: int = 1_000_000, few: int = 1_000) -> None:
    """Print a table for SQLite, and one for PostgreSQL if TEST_DATABASE_URL says where."""
    for kind in get_args(million.Kind):
        if kind == "sqlite" or "TEST_DATABASE_URL" in os.environ:
            measure_on(kind, rounds, many, few)


def measure_on(kind: million.Kind, rounds: int, many: int, few: int) -> None:
    took = look(kind, many, rounds)
    print(f"\nThe history, in milliseconds, {rounds} rounds, {kind}, {many:,} runs")
    print(f"{'':46} {'p50':>7} {'p95':>7} {'cpu':>7} {'queries':>7}")
    for name, it in took.items():
        print(
            f"{name:46} {it.p50 * 1000:7.1f} {it.p95 * 1000:7.1f} {it.cpu * 1000:7.1f} "
            f"{it.queries:7}"
        )
    for kind_of, most in _MOST_MS.items():
        slow = [
            f"{name} {it.p95 * 1000:.0f} ms"
            for name, it in took.items()
            if name.partition(": ")[0] == kind_of and it.p95 * 1000 > most
        ]
        _tell(not slow, f"{kind_of}: p95 at most {most} ms", "; ".join(slow))
    ratio = took[_FIRST].p50 / took[_BARE].p50
    _tell(
        ratio <= _MOST_OF_BARE,
        f"the first page at most {_MOST_OF_BARE} times a bare page",
        f"{ratio:.1f}, of cpu {took[_FIRST].cpu / took[_BARE].cpu:.1f}",
    )
    full, empty = write(kind, many, rounds), write(kind, few, rounds)
    ratio = full.p50 / empty.p50
    _tell(
        ratio <= _MOST_OF_EMPTY,
        f"writing a run at most {_MOST_OF_EMPTY} times as long as among {few:,}",
        f"{ratio:.2f}, of cpu {full.cpu / empty.cpu:.2f}: {full.p50 * 1000:.2f} ms",
    )


def _tell(is_met: bool, aim: str, figures: str) -> None:
    print(f"  aim {'met   ' if is_met else 'MISSED'}  {aim}{f': {figures}' if figures else ''}")


def look(kind: million.Kind, runs: int, rounds: int) -> dict[str, _Took]:
    with million.database(kind, runs=runs) as db:
        manager, teammate = db.client(db.manager), db.client(db.teammate)
        keys = ApiKey.objects.order_by("pk")  # the busiest first
        names = {
            "routine": db.often_refused.slug,
            "busy_key": keys[0].pk,
            "quiet_key": keys[content.API_KEYS - 1].pk,
        }
        deep = Run.objects.newest_first()[min(_PAGES_DEEP * 50, runs // 2)]
        position = Position(deep.created_at, deep.pk).cursor()
        pages = {"deep, older": f"before={position}", "deep, newer": f"after={position}"}
        groups = {
            "page": pages | FILTERS,
            "filters": PAIRS,
            "search": SEARCHES,
            "search with a filter": FILTERED_SEARCHES,
        }
        took = _in_turn(
            {
                _BARE: partial(_get, bare.client(db.manager), "/"),
                _FIRST: partial(_get, manager, "/history/"),
            },
            rounds,
        )
        for group, queries in groups.items():
            for name, query in queries.items():
                url = f"/history/?{query.format(**names)}"
                took[f"{group}: {name}"] = _clock(partial(_get, manager, url), rounds)
        named = Run.objects.exclude(session_id="").newest_first()[runs // 2]
        for name, typed in (("session", named.session_id), ("request", named.request_id)):
            url = f"/history/?q={typed}&period=&state=started"  # with another filter: it is shown
            took[f"search: a {name} ID"] = _clock(partial(_get, manager, url), rounds)
        for name, query in (
            ("page: a teammate's first", ""),
            ("search with a filter: a teammate's", f"?q={content.COMMON_WORD}"),
        ):
            took[name] = _clock(partial(_get, teammate, f"/history/{query}"), rounds)
    return took


def write(kind: million.Kind, runs: int, rounds: int) -> _Took:
    with million.database(kind, runs=runs, scratch=True) as db:
        return _clock(_Write(db), rounds * 5)


def _get(client: Client, url: str) -> None:
    if client.get(url).status_code != 200:
        raise SystemExit(f"{url} is no page.")


def _clock(what: Callable[[], None], rounds: int) -> _Took:
    return _in_turn({"": what}, rounds)[""]


def _in_turn(kinds: dict[str, Callable[[], None]], rounds: int) -> dict[str, _Took]:
    took: dict[str, list[float]] = {name: [] for name in kinds}
    cpu: dict[str, list[float]] = {name: [] for name in kinds}
    for number in range(_WARM_UP + rounds):
        for name, what in kinds.items():
            began, began_cpu = time.perf_counter(), time.process_time()
            what()
            if number >= _WARM_UP:
                took[name].append(time.perf_counter() - began)
                cpu[name].append(time.process_time() - began_cpu)
    found = {}
    for name, what in kinds.items():
        with CaptureQueriesContext(connection) as captured:
            what()
        found[name] = _Took(
            statistics.median(took[name]),
            statistics.quantiles(took[name], n=20)[-1],
            statistics.median(cpu[name]),
            len(captured),
        )
    return found


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
            state=State.SENDING,
            reason=Reason.SENDING,
            attempt=1,
            claimed_at=timezone.now(),
        )
        Run.objects.filter(pk=run.pk).update(
            state=State.STARTED,
            reason=Reason.SESSION_CREATED,
            session_id=f"session_01{run.key.hex}",
            request_id=f"req_{run.key.hex}",
            settled_at=run.created_at,
        )
