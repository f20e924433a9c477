"""The board with two hundred routines and a million runs, beside one with ten and none.

Server time of the page, in this process, compressed as browsers ask for it; then what a
first visit weighs over the wire: the page, the cards that follow it, scripts and style, compressed.
At last requests a second of a board of sixty routines and of the history's first page, by gunicorn
and asked for by eight clients, beside a bare signed-in page (bare.py) of the same run.
"""

import gzip
import os
import re
import statistics
import time
from contextlib import AbstractContextManager
from pathlib import Path
from tempfile import TemporaryDirectory

from django.contrib.staticfiles import finders
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from routines.models import Run
from tests.bench import bare, load, million
from tests.bench.million import Kind
from tests.server.product import Database, Product, serving

_ROUTINES, _RUNS = 200, 1_000_000
_FEW = 10  # routines, and runs, which go away before the look
_RATED_ROUTINES = 60
_CLIENTS = 8
_OF_BARE = 6
_WARM_UP = 5
_MOST_OF_FEW = 2.0
_MOST_QUERIES = 10
_MOST_BYTES = 100_000
_GZIP = {"Accept-Encoding": "gzip"}
_REST = re.compile(r'id="rest" hx-get="([^"]+)"')
_STATIC = re.compile(r'(?:src|href)="/static/([^"]+)"')


def measure(
    rounds: int,
    *,
    runs: int = _RUNS,
    routines: int = _ROUTINES,
    few: tuple[int, int] = (_FEW, _FEW),
    rated: int = _RATED_ROUTINES,
    seconds: float | None = None,
) -> None:
    """On SQLite, and on PostgreSQL if TEST_DATABASE_URL says where.

    `few` are the runs and the routines of the small board, `rated` the routines of the board that
    clients ask for, for so many `seconds`.
    """
    if seconds is None:
        seconds = max(rounds / 10, 1)
    kinds: list[Kind] = ["sqlite"]
    if os.environ.get("TEST_DATABASE_URL"):
        kinds.append("postgresql")
    for kind in kinds:
        print(f"\nThe board, server time in milliseconds, {rounds} rounds, {kind}")
        small, its_queries = _pages(kind, rounds, runs=few[0], routines=few[1], emptied=True)
        large, queries = _pages(kind, rounds, runs=runs, routines=routines)
        _tell(f"{few[1]} routines, no runs", small, its_queries)
        _tell(f"{routines} routines, {runs:,} runs", large, queries)
        ratio = statistics.median(large) / statistics.median(small)
        _aim(f"at most twice the time: {ratio:.2f}", ratio <= _MOST_OF_FEW)
        most = max(its_queries, queries)  # without any run, there is one less to ask
        _aim(f"at most {_MOST_QUERIES} queries: {its_queries}, {queries}", most <= _MOST_QUERIES)
        _compare_rates(kind, seconds, runs, rated)


def _pages(
    kind: Kind, rounds: int, *, runs: int, routines: int, emptied: bool = False
) -> tuple[list[float], int]:
    # A copy where the runs are to go away: the builder makes none without any.
    with million.database(kind, runs=runs, routines=routines, scratch=emptied) as db:
        if emptied:
            Run.objects.all().delete()
        client = db.client(db.teammate)
        took = [_page(client) for _ in range(_WARM_UP + rounds)][_WARM_UP:]
        with CaptureQueriesContext(connection) as captured:
            _page(client)
        queries = len(captured)
        if not emptied:
            weight = _weight(client)
            _aim(
                f"a first visit under 100 kB over the wire: {weight / 1000:.1f} kB",
                weight < _MOST_BYTES,
            )
        return took, queries


def _compare_rates(kind: Kind, seconds: float, runs: int, routines: int) -> None:
    with (
        million.database(kind, runs=runs, routines=routines) as db,
        TemporaryDirectory() as folder,
        _serving(db, folder, "dashboard.serving.gunicorn_conf") as product,
        _serving(db, folder, "tests.bench.bare_gunicorn") as yardstick,
    ):
        clients = {
            "a bare signed-in page": (bare.client(db.teammate), yardstick.url, "/"),
            "the board": (db.client(db.teammate), product.url, "/"),
            "the history": (db.client(db.manager), product.url, "/history/"),
        }
        print(f"  {_CLIENTS} clients, {routines} routines, {runs:,} runs")
        of_bare = 0.0
        for name, (client, url, path) in clients.items():
            with CaptureQueriesContext(connection) as captured:
                client.get(path)
            rate = _rate(url + path, client, seconds=seconds)
            of_bare = of_bare or rate
            ratio = of_bare / rate
            print(f"  {name:32} {rate:7.1f}/s  1/{ratio:.1f}   {len(captured)} queries")
            if rate != of_bare:
                _aim(f"{name}: a sixth of the bare page's rate: 1/{ratio:.1f}", ratio <= _OF_BARE)


def _serving(db: million.Million, folder: str, config: str) -> AbstractContextManager[Product]:
    return serving(Database(db.url), "http://127.0.0.1:9", Path(folder), config=config)


def _rate(url: str, client: Client, *, seconds: float) -> float:
    cookie = f"sessionid={client.cookies['sessionid'].value}"
    load.requests_per_second(url, cookie=cookie, seconds=min(seconds, 1), clients=_CLIENTS)  # warm
    return load.requests_per_second(url, cookie=cookie, seconds=seconds, clients=_CLIENTS)


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
