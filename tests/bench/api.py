"""What the fire-compatible door costs its callers, and how many calls it accepts.

First a curl process that calls the door, in turn with one that calls the endpoint itself. The
endpoint is the practice API over TLS, as the real one is; the door is the product's own gunicorn,
without TLS, as behind a proxy on its host. Then calls a second with `Prefer: respond-async`, from
callers with keys and routines of their own, beside a bare Django view that inserts one row into the
same database (bare_insert.py). No worker runs meanwhile, so what is accepted stays so.

The bare view has the middleware that startproject writes; beside it stands one without any. Of each
goes a figure that a busy machine does not change as much: how long gunicorn's processes had a
processor for one call.
"""

import json
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from django.urls import reverse

from routines.models import Routine
from routines.practice_api import PracticeApi
from routines.registry import header_versions
from routines.values.reasons import State
from tests import certificates
from tests.bench import endpoint, posts
from tests.bench.million import connected
from tests.factories import create_key_and_secret, create_routine
from tests.server.processes import cpu_seconds
from tests.server.product import Database, Product, new_database, serving

_WARM_UP = 5
_MOST_OF_CURL = {0.0: 1.5, 0.2: 1.1}  # by how many seconds the endpoint takes
_LEAST_OF_BARE = 0.5
_NO_CAP = 1_000_000


@dataclass(frozen=True)
class Size:
    """How much of everything; the tests take little."""

    callers: tuple[int, ...] = (1, 8, 32)
    keys: int = 8
    seconds: float = 5.0  # of each measurement
    turns: int = 3  # of which the median counts


_FULL = Size()


def measure(rounds: int, size: Size = _FULL) -> None:
    """On SQLite, and on PostgreSQL if TEST_DATABASE_URL says where."""
    postgresql = os.environ.pop("TEST_DATABASE_URL", None)
    _measure_on("SQLite", rounds, size)
    if postgresql:
        os.environ["TEST_DATABASE_URL"] = postgresql
        _measure_on("PostgreSQL", rounds, size)


def _measure_on(kind: str, rounds: int, size: Size) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        made = certificates.make(folder)
        with new_database(folder) as database:
            print(f"\nFrom call to answer, in milliseconds, {rounds} rounds, {kind}")
            for seconds in _MOST_OF_CURL:
                _compare_curls(database, folder, made, seconds, rounds)
            print(f"\nCalls accepted a second, {size.keys} keys and routines, {kind}")
            _compare_rates(database, folder, size)


def _compare_curls(
    database: Database, folder: Path, made: certificates.Certificate, seconds: float, rounds: int
) -> None:
    with connected(database.url):
        routine = create_routine(routine_id=f"trig_bench_{uuid4().hex}")
        key = _key_for(routine)
    address = reverse("fire_door", args=[routine.routine_id])
    with (
        endpoint.serving(made, seconds=seconds) as api,
        serving(database, api.url, folder, CA_BUNDLE=made.certificate) as product,
    ):
        of_endpoint = {
            "Authorization": f"Bearer {PracticeApi().token_for(routine.routine_id)}",
            "anthropic-beta": header_versions.BETA_VERSION,
            "anthropic-version": header_versions.API_VERSION,
        }
        ways: dict[str, Callable[[str], float]] = {
            "the door": _Curl(product.url + address, of_endpoint | _bearer(key)),
            "the endpoint itself": _Curl(api.url + address, of_endpoint, made.certificate),
        }
        took: dict[str, list[float]] = {name: [] for name in ways}
        for number in range(_WARM_UP + rounds):
            for name, way in ways.items():
                duration = way(f"{name} {number}")
                if number >= _WARM_UP:
                    took[name].append(duration)
    _check_that_all_started(database, routine.pk, _WARM_UP + rounds)
    print(f"endpoint takes {seconds * 1000:.0f} ms")
    for name, durations in took.items():
        p50, p95 = statistics.median(durations), statistics.quantiles(durations, n=20)[-1]
        print(f"  curl to {name:22} p50 {p50 * 1000:7.2f}  p95 {p95 * 1000:7.2f}")
    of_door, of_itself = (statistics.median(durations) for durations in took.values())
    ratio, most = of_door / of_itself, _MOST_OF_CURL[seconds]
    _aim(f"at most {most} times a direct curl at p50: {ratio:.2f}", ratio <= most)


def _check_that_all_started(database: Database, routine: int, number: int) -> None:
    found = database.rows(f"SELECT state FROM routines_run WHERE routine_id = {routine}")  # noqa: S608
    if found != [(State.STARTED,)] * number:
        raise SystemExit(f"Not every call started a session: {found}")


class _Curl:
    """A whole process that calls as the documentation of the endpoint does."""

    def __init__(self, url: str, headers: Mapping[str, str], certificate: str = "") -> None:
        self._command = ["curl", "--silent", "--show-error", "--fail", "--output", "/dev/null"]
        self._command += ["--cacert", certificate] if certificate else []
        self._command += [url, "--header", "Content-Type: application/json"]
        for name, value in headers.items():
            self._command += ["--header", f"{name}: {value}"]

    def __call__(self, text: str) -> float:
        own = ["--header", f"Idempotency-Key: {uuid4()}", "--data", json.dumps({"text": text})]
        start = time.monotonic()
        subprocess.run([*self._command, *own], check=True)
        return time.monotonic() - start


def _compare_rates(database: Database, folder: Path, size: Size) -> None:
    with connected(database.url):
        routines = [create_routine(routine_id=f"trig_bench_{n}") for n in range(size.keys)]
        keys = [(routine, _key_for(routine)) for routine in routines]
    nobody = "http://127.0.0.1:9"
    bare = {"config": "tests.bench.bare_gunicorn"}
    with (
        serving(database, nobody, folder) as product,
        serving(database, nobody, folder, BARE="insert", **bare) as insert,
        serving(database, nobody, folder, BARE="insert_alone", **bare) as alone,
    ):
        ways: dict[str, list[posts.Target]] = {
            "the door": [
                (
                    product.url + reverse("fire_door", args=[routine.slug]),
                    _bearer(key) | {"Prefer": "respond-async"},
                )
                for routine, key in keys
            ],
            "a bare insert": [(f"{insert.url}/", {})],
            "without middleware": [(f"{alone.url}/", {})],
        }
        products = dict(zip(ways, (product, insert, alone), strict=True))
        for targets in ways.values():
            posts.accepted_per_second(targets, seconds=1, callers=max(size.callers))  # to warm up
        for callers in size.callers:
            rates: dict[str, list[float]] = {name: [] for name in ways}
            before = {name: _cpu_seconds(products[name]) for name in ways}
            for _ in range(size.turns):
                for name, targets in ways.items():
                    rate = posts.accepted_per_second(targets, seconds=size.seconds, callers=callers)
                    rates[name].append(rate)
            told = []
            for name, them in rates.items():
                each = (_cpu_seconds(products[name]) - before[name]) / (sum(them) * size.seconds)
                told.append(f"{name} {statistics.median(them):6.1f}/s ({each * 1000:.1f} ms)")
            print(f"  {callers:2} at once: {', '.join(told)}")
            _compare(*map(statistics.median, rates.values()))


def _compare(door: float, insert: float, alone: float) -> None:
    _aim(
        f"at least half of a bare view's rate: {door / insert:.2f} "
        f"(without any middleware: {door / alone:.2f})",
        door / insert >= _LEAST_OF_BARE,
    )


def _cpu_seconds(product: Product) -> float:
    """Of its processes, their whole lives."""
    return sum(cpu_seconds(pid) for pid in product.workers())


def _key_for(routine: Routine) -> str:
    _, secret = create_key_and_secret(
        routine, hourly_cap=_NO_CAP, daily_cap=_NO_CAP, sends_idempotency_key=True
    )
    return secret


def _bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def _aim(sentence: str, met: bool) -> None:
    print(f"  aim {'met   ' if met else 'MISSED'}  {sentence}", flush=True)
