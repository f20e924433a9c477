"""What waits for its turn: how soon it leaves, how fast all of it, and what that costs others.

The product's own processes, a worker and gunicorn, on a database of their own; the endpoint is the
practice API, or one that never answers, in another process. Runs are accepted through the domain.
"""

import http.client
import math
import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

from django.db import close_old_connections, connections
from django.db.models import Count

from routines.models import Person, Run, Tag
from routines.runs import accepting
from routines.values.reasons import OPEN, State
from tests import certificates
from tests.bench import bare, endpoint
from tests.bench.million import connected
from tests.factories import create_routine, create_run
from tests.hostile import HostileServer, hangs
from tests.server.processes import cpu_seconds
from tests.server.product import Database, Visitor, new_database, serving, wait_until
from tests.server.seed import USERNAME
from tests.server.workers import WorkerProcess, running, working

_ROUTINES, _ACCOUNTS = 16, 4
_PAGES = {"the board": "/", "the history": "/history/"}
_LONG = 3600.0  # seconds, to wait for the last answer

_MOST_OF_IDEAL = 1.3
_MOST_TO_LEAVE = {"SQLite": 0.300, "PostgreSQL": 0.050}  # seconds at p95
_MOST_OF_IDLE = 1.5


@dataclass(frozen=True)
class Size:
    """How much of everything; the tests take little."""

    intents: tuple[int, ...] = (100, 1000)
    places: int = 32
    answer_after: float = 2.0  # seconds
    accepted: int = 400  # runs, for each number of threads
    # Of 73 places nine are kept back, so 64 fires hang.
    hanging: int = 64
    hanging_places: int = 73
    waiting: int = 1000
    page_looks: int = 4  # per round
    idle_seconds: float = 60.0


_FULL = Size()


def measure(rounds: int, size: Size = _FULL) -> None:
    """On SQLite, and on PostgreSQL if TEST_DATABASE_URL says where."""
    postgresql = os.environ.pop("TEST_DATABASE_URL", None)
    _measure_on("SQLite", rounds, size)
    if postgresql:
        os.environ["TEST_DATABASE_URL"] = postgresql
        _measure_on("PostgreSQL", rounds, size)


def _measure_on(kind: str, rounds: int, size: Size) -> None:
    print(f"\nWhat waits for its turn, {rounds} rounds, {kind}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        made = certificates.make(folder)
        with _product(folder) as bench:
            for part in (_leaving, _all_at_once, _idling, _pages, _accepting_rates):
                part(_Setting(kind, rounds, size, folder, made), bench)


@dataclass(frozen=True)
class _Setting:
    kind: str
    rounds: int
    size: Size
    folder: Path
    made: certificates.Certificate


class _Bench:
    """A product's database, which this process uses, with routines and a person."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.routines = [
            create_routine(
                routine_id=f"trig_bench_{number}", account=f"Account {number % _ACCOUNTS}"
            )
            for number in range(_ROUTINES)
        ]
        self.person = Person.objects.get(username=USERNAME)
        self.asked_again = 0

    def accept(self, number: int) -> str:
        """One run of the routine whose turn it is by `number`. Its text.

        What the database does not take, on SQLite where many write at once, is asked for again
        with the same key, as callers do.
        """
        key, text = uuid4(), f"{number} {uuid4()}"
        while True:
            try:
                accepting.accept(
                    key=key,
                    routine=self.routines[number % len(self.routines)],
                    person=self.person,
                    text=text,
                    aware_of=None,
                    wait=timedelta(seconds=_LONG),
                )
                return text
            except accepting.RunNotRecorded:
                self.asked_again += 1

    def accept_all(self, number: int, *, at_once: int) -> float:
        """So many runs, by so many threads. How many seconds it took."""
        return self.in_threads(self.accept, number, at_once=at_once)

    def in_threads(self, act: Callable[[int], object], number: int, *, at_once: int) -> float:
        numbers, failures = count(), list[Exception]()

        def work() -> None:
            try:
                while not failures and (one := next(numbers)) < number:
                    act(one)
                    close_old_connections()  # as after a request
            except Exception as failure:
                failures.append(failure)
            finally:
                connections.close_all()

        threads = [threading.Thread(target=work) for _ in range(at_once)]
        began = time.monotonic()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if failures:
            raise failures[0]
        return time.monotonic() - began

    def fill_pages(self) -> None:
        """So many runs that more make no page longer."""
        for number in range(100):
            routine = self.routines[number % len(self.routines)]
            create_run(routine=routine, person=self.person, ago=timedelta(minutes=number + 1))

    def in_flight(self) -> tuple[int, int]:
        """How many are being sent, and how many wait."""
        found = dict(
            Run.objects.filter(state__in=OPEN).order_by().values_list("state").annotate(Count("pk"))
        )
        return found.get(State.SENDING, 0), found.get(State.ACCEPTED, 0)

    def wait_for(self, sending: int, waiting: int) -> None:
        until = time.monotonic() + _LONG
        while self.in_flight() != (sending, waiting):
            if time.monotonic() > until:
                raise SystemExit(f"Sending and waiting are {self.in_flight()}.")
            time.sleep(0.05)  # each look costs the others something

    def check_that_all_started(self) -> None:
        if Run.objects.exclude(state=State.STARTED).exists():
            raise SystemExit("Not every run has started a session.")


@contextmanager
def _product(folder: Path) -> Iterator[_Bench]:
    with (
        tempfile.TemporaryDirectory(dir=folder) as own,
        new_database(Path(own)) as database,
        connected(database.url),
    ):
        yield _Bench(database)


def _leaving(it: _Setting, bench: _Bench) -> None:
    """From accepted to leaving, while there is nothing else to do."""
    with (
        endpoint.serving(it.made, seconds=0.0) as api,
        working(bench.database, api.url, it.folder, CA_BUNDLE=it.made.certificate),
    ):
        page = bare.client(bench.person)
        took: dict[str, list[float]] = {"accepted to leaving": [], "a bare signed-in page": []}
        for number in range(3 + it.rounds):
            text = bench.accept(number)
            accepted_at = time.monotonic()
            wait_until(lambda text=text: text in api.arrivals)
            left = api.arrivals[text] - accepted_at
            began = time.monotonic()
            page.get("/")
            looked = time.monotonic() - began
            if number >= 3:
                took["accepted to leaving"].append(left)
                took["a bare signed-in page"].append(looked)
            bench.wait_for(0, 0)
    bench.check_that_all_started()
    for name, durations in took.items():
        _tell(name, durations)
    most, p95 = _MOST_TO_LEAVE[it.kind], _percentiles(took["accepted to leaving"])[1]
    _aim(f"leaves within {most * 1000:.0f} ms at p95: {p95 * 1000:.1f} ms", p95 <= most)


def _all_at_once(it: _Setting, bench: _Bench) -> None:
    """Many at the same moment: until the last of them has its answer."""
    for intents in it.size.intents:
        with (
            endpoint.serving(it.made, seconds=it.size.answer_after) as api,
            working(
                bench.database,
                api.url,
                it.folder,
                CA_BUNDLE=it.made.certificate,
                FIRES_IN_FLIGHT=str(it.size.places),
            ) as worker,
        ):
            began = time.monotonic()
            recorded = bench.accept_all(intents, at_once=16)
            bench.wait_for(0, 0)
            took = time.monotonic() - began
            memory, cpu = _peak_memory(worker), cpu_seconds(worker.pid)
        bench.check_that_all_started()
        print(
            f"  {intents} intents, {it.size.places} places, answers after "
            f"{it.size.answer_after:g} s: recorded in {recorded:.1f} s, all answered in "
            f"{took:.1f} s; the worker's peak memory {memory:.0f} MiB, its CPU {cpu:.1f} s"
        )
        # Nobody can do better than whole rounds, which matters for a few of them.
        ideal = intents / it.size.places * it.size.answer_after
        rounds = math.ceil(intents / it.size.places) * it.size.answer_after
        _aim(
            f"at most {_MOST_OF_IDEAL} times the ideal {rounds:g} s: {took / rounds:.2f} "
            f"(of {ideal:.2f} s, without rounding: {took / ideal:.2f})",
            took / rounds <= _MOST_OF_IDEAL,
        )


def _idling(it: _Setting, bench: _Bench) -> None:
    """A worker with nothing to do."""
    command = [sys.executable, "-m", "tests.bench.counted_worker"]
    nobody = "http://127.0.0.1:9"
    with running(command, bench.database, nobody, it.folder) as worker:
        began, before = time.monotonic(), cpu_seconds(worker.pid)
        time.sleep(it.size.idle_seconds)
        cpu = cpu_seconds(worker.pid) - before
        minutes = (time.monotonic() - began) / 60
        if worker.stop():
            raise SystemExit(worker.log)
        queries = int(worker.log.strip().rpartition("\n")[2])
    print(
        f"  nothing to do: {queries / minutes:.0f} queries, {cpu / minutes:.2f} s of CPU a minute"
    )


def _accepting_rates(it: _Setting, bench: _Bench) -> None:
    """Runs recorded a second, through the domain, beside one bare committed row."""
    numbers = count()

    def insert(_number: int) -> None:
        Tag.objects.create(name=f"tag {next(numbers)}")

    for at_once in (1, 4, 16):
        runs = it.size.accepted / bench.accept_all(it.size.accepted, at_once=at_once)
        rows = it.size.accepted / bench.in_threads(insert, it.size.accepted, at_once=at_once)
        print(f"  accepting, {at_once:2} at once: {runs:6.0f} runs/s; bare rows {rows:6.0f}/s")
    print(
        f"  {bench.asked_again} runs of all these were asked for again: the database took them late"
    )


def _pages(it: _Setting, quiet: _Bench) -> None:
    """Pages while many fires hang and more runs wait, in turn with those of an idle product."""
    quiet.fill_pages()
    nobody = "http://127.0.0.1:9"
    with (
        HostileServer(hangs()) as hung,
        serving(quiet.database, nobody, it.folder) as idle,
        working(quiet.database, nobody, it.folder),
        _product(it.folder) as bench,
    ):
        bench.fill_pages()
        with (
            serving(bench.database, hung.url, it.folder, FIRE_TIMEOUT="300") as busy,
            working(
                bench.database,
                hung.url,
                it.folder,
                FIRE_TIMEOUT="300",
                FIRES_IN_FLIGHT=str(it.size.hanging_places),
            ),
        ):
            bench.accept_all(it.size.hanging + it.size.waiting, at_once=4)
            bench.wait_for(it.size.hanging, it.size.waiting)
            for name, path in _PAGES.items():
                with (
                    closing(_Look(idle.visitor(), path)) as at_idle,
                    closing(_Look(busy.visitor(), path)) as at_busy,
                ):
                    times = range(it.size.page_looks * it.rounds)
                    took = [(at_idle(), at_busy()) for _ in times]
                _compare(name, *zip(*took, strict=True))
            if bench.in_flight() != (it.size.hanging, it.size.waiting):
                raise SystemExit("Not as many hung as were to.")


def _compare(name: str, idle: Sequence[float], busy: Sequence[float]) -> None:
    _tell(f"{name}, idle", idle)
    _tell(f"{name}, while fires hang", busy)
    ratio = _percentiles(busy)[1] / _percentiles(idle)[1]
    _aim(f"{name}: at most {_MOST_OF_IDLE} times its idle p95: {ratio:.2f}", ratio <= _MOST_OF_IDLE)


class _Look:
    """At one page, over a kept connection, once it is warm. How long it took, in seconds."""

    def __init__(self, visitor: Visitor, path: str) -> None:
        address = urlsplit(str(visitor.client.base_url))
        self._link = http.client.HTTPConnection(address.hostname or "", address.port, timeout=30)
        cookies = "; ".join(f"{name}={value}" for name, value in visitor.client.cookies.items())
        self._headers, self._path = {"Cookie": cookies, "Accept-Encoding": "gzip"}, path
        for _ in range(10):
            self()

    def __call__(self) -> float:
        began = time.monotonic()
        self._link.request("GET", self._path, headers=self._headers)
        with self._link.getresponse() as response:
            page = response.read()
        took = time.monotonic() - began
        if response.status != 200 or not page:
            raise SystemExit(f"{self._path} answered {response.status}.")
        return took

    def close(self) -> None:
        self._link.close()


def _peak_memory(worker: WorkerProcess) -> float:
    """In MiB, of its whole life."""
    for line in Path(f"/proc/{worker.process.pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise SystemExit("The kernel does not tell the peak memory of a process.")


def _percentiles(durations: Sequence[float]) -> tuple[float, float]:
    return statistics.median(durations), statistics.quantiles(durations, n=20)[-1]


def _tell(what: str, durations: Sequence[float]) -> None:
    p50, p95 = _percentiles(durations)
    print(f"  {what:32} p50 {p50 * 1000:7.1f}  p95 {p95 * 1000:7.1f}  ms")


def _aim(sentence: str, met: bool) -> None:
    print(f"  aim {'met   ' if met else 'MISSED'}  {sentence}", flush=True)
