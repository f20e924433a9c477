"""The board with two hundred routines and a million runs, beside one with ten and none.

Server time of the page, in this process, compressed as browsers ask for it; then what a
first visit weighs over the wire: the page, the cards that follow it, scripts and style, compressed.
"""

import gzip
import os
import re
import statistics
import time
from pathlib import Path

from django.contrib.staticfiles import finders
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from routines.models import Run
from tests.bench import million
from tests.bench.million import Kind

_ROUTINES, _RUNS = 200, 1_000_000
_FEW = 10
_WARM_UP = 5
_MOST_OF_FEW = 2.0
_MOST_BYTES = 100_000
_GZIP = {"Accept-Encoding": "gzip"}
_REST = re.compile(r'id="rest" hx-get="([^"]+)"')
_STATIC = re.compile(r'(?:src|href)="/static/([^"]+)"')


def measure(rounds: int, *, runs: int = _RUNS, routines: int = _ROUTINES) -> None:
    """On SQLite, and on PostgreSQL if TEST_DATABASE_URL says where."""
    kinds: list[Kind] = ["sqlite"]
    if os.environ.get("TEST_DATABASE_URL"):
        kinds.append("postgresql")
    for kind in kinds:
        print(f"\nThe board, server time in milliseconds, {rounds} rounds, {kind}")
        small, its_queries = _pages(kind, rounds, runs=0, routines=_FEW)
        large, queries = _pages(kind, rounds, runs=runs, routines=routines)
        _tell(f"{_FEW} routines, no runs", small, its_queries)
        _tell(f"{routines} routines, {runs:,} runs", large, queries)
        ratio = statistics.median(large) / statistics.median(small)
        _aim(f"at most twice the time: {ratio:.2f}", ratio <= _MOST_OF_FEW)
        _aim(f"a constant number of queries: {its_queries}, {queries}", queries == its_queries)


def _pages(kind: Kind, rounds: int, *, runs: int, routines: int) -> tuple[list[float], int]:
    # A copy where the runs are to go away: the builder makes none without any.
    with million.database(kind, runs=runs or routines, routines=routines, scratch=not runs) as db:
        if not runs:
            Run.objects.all().delete()
        client = db.client(db.teammate)
        took = [_page(client) for _ in range(_WARM_UP + rounds)][_WARM_UP:]
        with CaptureQueriesContext(connection) as captured:
            _page(client)
        queries = len(captured)
        if runs:
            weight = _weight(client)
            _aim(
                f"a first visit under 100 kB over the wire: {weight / 1000:.1f} kB",
                weight < _MOST_BYTES,
            )
        return took, queries


def _page(client: Client) -> float:
    start = time.perf_counter()
    response = client.get("/", headers=_GZIP)
    took = time.perf_counter() - start
    if response.status_code != 200:
        raise SystemExit(f"The board answered {response.status_code}.")
    return took


def _weight(client: Client) -> int:
    """The page, the rest of its cards, and every file that it names, compressed."""
    page = client.get("/", headers=_GZIP)
    html = gzip.decompress(page.content).decode()
    weight = len(page.content)
    rest = _REST.search(html)
    if rest:
        answer = client.get(rest.group(1), headers=_GZIP | {"HX-Request": "true"})
        weight += len(answer.content)
    for name in sorted(set(_STATIC.findall(html))):
        found = finders.find(name)
        if not isinstance(found, str):
            raise SystemExit(f"No such file: {name}")
        weight += len(gzip.compress(Path(found).read_bytes()))  # as whitenoise does beforehand
    return weight


def _tell(what: str, took: list[float], queries: int) -> None:
    p50, p95 = statistics.median(took), statistics.quantiles(took, n=20)[-1]
    print(f"  {what:32} p50 {p50 * 1000:7.1f}  p95 {p95 * 1000:7.1f}   {queries} queries")


def _aim(sentence: str, met: bool) -> None:
    print(f"  aim {'met   ' if met else 'MISSED'}  {sentence}")
