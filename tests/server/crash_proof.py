"""`make crash-proof`: kill real processes at random while runs are accepted and sent, then compare
both sides' books (books.py).

Callers have runs accepted through the domain; teammates press Run, more of them than there are
places, so that some of their presses wait as well; programs call the fire-compatible door with API
keys, and repeat each call with its Idempotency-Key until they know. Each run has a text of its own.
gunicorn's processes and workers are killed all the while and started again. The workers' clocks are
half a minute apart and set back by an hour, the endpoint hangs now and then, and with
`--own-postgresql` the database server is stopped and crashed.
"""

import argparse
import os
import random
import signal
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Self
from uuid import uuid4

import httpx
from django.db import Error as DatabaseFailure
from django.db import connections

from routines.models import Person, Routine
from routines.runs import accepting
from tests.bench.million import connected
from tests.server import books, programs
from tests.server.cluster import Cluster, own_cluster
from tests.server.endpoint import Endpoint, listening
from tests.server.product import Database, Product, Visitor, new_database, serving, wait_until
from tests.server.programs import key_for
from tests.server.seed import SLUG, USERNAME
from tests.server.workers import WorkerProcess, working_by_another_clock

_ENDPOINT_SECONDS = 0.1
_PRESSERS = 6
_PROGRAMS = 4
_REPEATED = 0.7  # of their calls, while there are any to repeat
_NO_CAP = 1_000_000
_WORKERS = 2
_PLACES = 4  # of a worker
_PRESSES = 1  # of a web process at once: half its threads
_WEB_WORKERS = 2
_IN_FLIGHT = _WORKERS * _PLACES + _WEB_WORKERS * _PRESSES  # at most
_APART = 15.0  # seconds that a worker's clock is fast or slow
SETTINGS = {
    "FIRE_TIMEOUT": "2",
    "FIRES_IN_FLIGHT": str(_PLACES),
    "WEB_WORKERS": str(_WEB_WORKERS),
    "WEB_THREADS": str(2 * _PRESSES),
}


class _Until:
    """Threads that do something again and again until the end of `with`."""

    def __init__(self, act: Callable[[], None], threads: int = 1) -> None:
        self._act = act
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._go_on) for _ in range(threads)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(60)

    def _go_on(self) -> None:
        try:
            while not self._stop.is_set():
                self._act()
        finally:
            connections.close_all()


class Callers:
    """They have runs accepted through the domain, in a thread of this process."""

    def __init__(self) -> None:
        self.accepted: list[str] = []  # texts of runs that they were told of

    def ask(self) -> None:
        text = f"call {uuid4()}"
        try:
            accepting.accept(
                key=uuid4(),
                routine=Routine.objects.get(slug=SLUG),
                person=Person.objects.get(username=USERNAME),
                text=text,
                aware_of=None,
                wait=timedelta(hours=1),
            )
        except (DatabaseFailure, accepting.RunNotRecorded):
            connections.close_all()  # the server may have gone and come back
        else:
            self.accepted.append(text)
        time.sleep(0.02)  # so that there are runs around each kill


class Teammates:
    """They press Run, whatever becomes of the server."""

    def __init__(self, visitor: Visitor, accepted: list[str]) -> None:
        self._visitor, self._accepted = visitor, accepted

    def press(self) -> None:
        text = f"press {uuid4()}"
        with httpx.Client(cookies=self._visitor.client.cookies, timeout=30) as client:
            try:
                form = self._visitor.form(SLUG, client)
                answer = self._visitor.press(SLUG, form, client, text=text)
            except (httpx.HTTPError, ValueError, LookupError):
                time.sleep(0.05)  # the process has just been killed
            else:
                if answer.status_code == 200:
                    self._accepted.append(text)


class Programs:
    """They call the door, and again where no answer was final, also in the server's next life."""

    def __init__(self, keys: list[str], accepted: list[str]) -> None:
        self.told: dict[str, str] = {}  # by Idempotency-Key: a session URL, or a state
        self.repeated: list[str] = []
        self._keys, self._accepted = keys, accepted
        self._unfinished: deque[tuple[str, str]] = deque()  # API key, Idempotency-Key

    def calling(self, url: str) -> Callable[[], None]:
        """One call of what is to be done next."""

        def call() -> None:
            if self._unfinished and random.random() < _REPEATED:
                self._repeat(url)
            else:
                self._call(url, random.choice(self._keys), f"intent {uuid4()}")
            time.sleep(0.02)

        return call

    def finish(self, url: str) -> None:
        """Until each of them knows."""
        deadline = time.monotonic() + 120
        while self._unfinished:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{len(self._unfinished)} calls have no final answer.")
            self._repeat(url)

    def _repeat(self, url: str) -> None:
        with suppress(IndexError):  # another thread has just taken the last one
            key, intent = self._unfinished.popleft()
            self.repeated.append(intent)
            self._call(url, key, intent)

    def _call(self, url: str, key: str, intent: str) -> None:
        text = f"call of {intent}"
        prefer = random.choice(("", "", "wait=1", "respond-async"))
        try:
            answer = programs.Program([url], key).fire(intent, text=text, prefer=prefer)
        except httpx.HTTPError:
            self._unfinished.append((key, intent))
            time.sleep(0.05)  # the process has just been killed
            return
        if answer.status_code in (200, 202):
            self._accepted.append(text)
        if programs.is_final(answer):
            self.told[intent] = programs.said_by(answer)
        else:
            self._unfinished.append((key, intent))


@dataclass
class Scene:
    """Everything that can be killed, and how much was."""

    database: Database
    endpoint: Endpoint
    url: str
    folder: Path
    chance: random.Random
    cluster: Cluster | None
    settings: dict[str, str] = field(default_factory=lambda: dict(SETTINGS))
    kills: int = 0
    interrupted: int = 0  # runs that may have been in flight in what was killed, at most

    @contextmanager
    def worker(self) -> Iterator[WorkerProcess]:
        fast = self.chance.choice((-_APART, _APART))
        with working_by_another_clock(
            fast, self.database, self.url, self.folder, **self.settings
        ) as process:
            yield process

    def kill_worker(self, process: WorkerProcess) -> None:
        process.process.send_signal(signal.SIGKILL)
        process.process.wait()
        self._count(_PLACES)

    def kill_web_process(self, product: Product) -> None:
        if not (running := product.workers()):
            return  # one that was killed is on its way back
        try:
            os.kill(self.chance.choice(running), signal.SIGKILL)
        except ProcessLookupError:
            return
        self._count(_PRESSES)

    def kill_web_server(self, product: Product) -> None:
        product.kill()
        self._count(_WEB_WORKERS * _PRESSES)

    def hang(self) -> None:
        """The endpoint makes sessions, and answers nothing until its callers have given up."""
        before = len(self.endpoint.texts)
        with self.endpoint.holding():
            time.sleep(float(self.settings["FIRE_TIMEOUT"]) + self.chance.random())
        self.interrupted += len(self.endpoint.texts) - before + _IN_FLIGHT

    def restart_database(self) -> None:
        if self.cluster is not None:
            self.cluster.restart(self.chance.choice(("fast", "immediate")))
            self.interrupted += 2 * _IN_FLIGHT  # claims that were cut off, and lost answers

    def _count(self, in_flight: int) -> None:
        self.kills += 1
        self.interrupted += in_flight


def prove(
    database: Database,
    folder: Path,
    *,
    runs: int,
    kills: int,
    cluster: Cluster | None = None,
    seed: int | None = None,
) -> tuple[books.Books, int, int]:
    """Until so many runs were accepted and so many processes killed; the books, the kills, and how
    often programs have repeated a call."""
    with connected(database.url), listening(delay=_ENDPOINT_SECONDS) as (endpoint, url):
        scene = Scene(database, endpoint, url, folder, random.Random(seed), cluster)
        callers = Callers()
        keys = [key_for(database, hourly_cap=_NO_CAP, daily_cap=_NO_CAP) for _ in range(2)]
        outside = Programs(keys, callers.accepted)
        with ExitStack() as crew, _Until(callers.ask):
            workers = [crew.enter_context(scene.worker()) for _ in range(_WORKERS)]
            while scene.kills < kills or len(set(callers.accepted)) < runs:
                workers = _one_life_of_the_server(scene, callers, outside, workers, crew)
            for one in workers:
                scene.kill_worker(one)
        return finished(scene, callers.accepted, outside), scene.kills, len(outside.repeated)


_KILLS_IN_ONE_LIFE = 10


def _one_life_of_the_server(
    scene: Scene,
    callers: Callers,
    outside: Programs,
    workers: list[WorkerProcess],
    crew: ExitStack,
) -> list[WorkerProcess]:
    with serving(scene.database, scene.url, scene.folder, **scene.settings) as product:
        teammates = Teammates(product.visitor(), callers.accepted)
        calls = outside.calling(product.url)
        with _Until(teammates.press, _PRESSERS), _Until(calls, _PROGRAMS):
            for _ in range(_KILLS_IN_ONE_LIFE):
                time.sleep(scene.chance.uniform(0, 0.5))
                number = scene.chance.randrange(len(workers))
                if scene.chance.random() < 0.2:
                    workers[number].process.send_signal(signal.SIGUSR1)  # its clock, by an hour
                if scene.chance.random() < 0.5:
                    scene.kill_web_process(product)
                else:
                    scene.kill_worker(workers[number])
                    workers[number] = crew.enter_context(scene.worker())
            scene.hang()
            scene.restart_database()
            scene.kill_web_server(product)
    return workers


def finished(scene: Scene, accepted: list[str], outside: Programs) -> books.Books:
    """Nobody is left of those that were killed; one worker more, and every run ends, and each
    program knows how."""
    database = scene.database
    database.write(_AGED_ON_SQLITE if database.is_sqlite else _AGED)
    with scene.worker(), serving(database, scene.url, scene.folder, **scene.settings) as product:
        wait_until(lambda: not _open_runs(database), 600)
        outside.finish(product.url)
        wait_until(lambda: not _open_runs(database), 600)
    return books.read(
        database,
        scene.endpoint,
        accepted=accepted,
        interrupted=(0, scene.interrupted),
        told=outside.told,
    )


# What is being sent is nobody's any more. What waits has not waited for any longer.
_AGED = """
    UPDATE routines_run SET claimed_at = claimed_at - interval '10 minutes'
    WHERE state = 'sending'
"""
_AGED_ON_SQLITE = """
    UPDATE routines_run SET claimed_at = strftime('%Y-%m-%d %H:%M:%f', claimed_at, '-10 minutes')
    WHERE state = 'sending'
"""


def _open_runs(database: Database) -> int:
    [(count,)] = database.rows(
        "SELECT count(*) FROM routines_run WHERE state IN ('accepted', 'sending')"
    )
    return int(count)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.server", description=__doc__)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--own-postgresql", action="store_true")
    asked = parser.parse_args()
    began = time.monotonic()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        cluster = stack.enter_context(own_cluster()) if asked.own_postgresql else None
        if cluster is not None:
            os.environ["TEST_DATABASE_URL"] = cluster.url
        database = stack.enter_context(new_database(folder))
        found, kills, repeated = prove(
            database, folder, runs=asked.runs, kills=asked.kills, cluster=cluster
        )
    faults = found.faults()
    print(f"seconds        {time.monotonic() - began:.0f}")
    print(f"kills          {kills}, which may have interrupted {found.interrupted[1]} runs")
    print(f"runs           {len(found.runs)}  {dict(found.states)}")
    print(f"calls by key   {len(found.calls)} runs, {repeated} calls repeated")
    print(f"requests       {len(found.requests)}")
    print(f"sessions made  {len(found.sessions)}")
    print(f"faults         {len(faults)}")
    for fault in faults:
        print(f"  {fault}")
    return bool(faults)
