"""`make crash-proof`: kill real workers while they fire, then compare both sides' books.

Teammates press Run all the while, each press with a text of its own, so every session that the
practice API made can be held against the one run that was recorded for it. A kill waits for what
it is to hit, not for a time: however slow the machine, there are runs around each.
"""

import argparse
import os
import random
import signal
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import cycle, islice
from pathlib import Path
from typing import Self

import httpx

from routines.practice_api import Session
from tests.server.endpoint import Endpoint, listening
from tests.server.product import Database, Product, Visitor, new_database, serving, wait_until
from tests.server.seed import SLUG

_PRESSERS = 4
_ENDPOINT_SECONDS = 0.03
_KILLS_IN_ONE_LIFE = 10  # the last one is of the whole server
_SETTINGS = {"FIRE_TIMEOUT": "5", "WEB_WORKERS": "2", "WEB_THREADS": "4"}


@dataclass
class Books:
    """What is left after the last kill, on both sides."""

    kills: int
    requests: int
    sessions: list[Session]
    runs: list[tuple[str, str, str]]  # text, state, session URL
    interrupting: int = 0  # kills that left a run without its answer, for certain
    faults: list[str] = field(default_factory=list)

    def compare(self) -> None:
        """Fill `faults` with a sentence for each thing that must not be."""
        runs = {text: (state, url) for text, state, url in self.runs}
        made = Counter(session.text for session in self.sessions)
        states = Counter(state for _, state, _ in self.runs)
        if len(runs) != len(self.runs):
            self.faults.append("Two runs were recorded for one press.")
        if states["sending"]:
            self.faults.append(f"{states['sending']} runs say `sending` for ever.")
        if states["unknown"] < self.interrupting:
            self.faults.append("An interrupted run does not say that its outcome is unknown.")
        if self.requests > len(self.runs):
            self.faults.append("More requests than runs: one was sent unrecorded, or twice.")
        for text, times in made.items():
            if times > 1:
                self.faults.append(f"“{text}” made {times} sessions.")
            if text not in runs:
                self.faults.append(f"“{text}” made a session and no run.")
        for session in self.sessions:
            state, url = runs.get(session.text, ("", ""))
            if state == "started" and url != session.session_url:
                self.faults.append(f"The run of “{session.text}” shows another session.")
            if state in ("refused", "not_sent"):
                self.faults.append(f"The run of “{session.text}” is {state}, but has a session.")
        for text, (state, _) in runs.items():
            if state == "started" and not made[text]:
                self.faults.append(f"The run of “{text}” is started, but has no session.")


class Teammates:
    """They press Run until the end of `with`, whatever becomes of the server."""

    def __init__(self, visitor: Visitor) -> None:
        self.pressed: list[str] = []  # texts
        self.answered: list[str] = []
        self._visitor = visitor
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._press) for _ in range(_PRESSERS)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(60)

    def _press(self) -> None:
        with httpx.Client(cookies=self._visitor.client.cookies, timeout=30) as client:
            while not self._stop.is_set():
                try:
                    form = self._visitor.form(SLUG, client)
                    text = f"press {random.getrandbits(64):x}"
                    self.pressed.append(text)
                    self._visitor.press(SLUG, form, client, text=text)
                    self.answered.append(text)
                except (httpx.HTTPError, ValueError):
                    self._stop.wait(0.02)  # the worker has just been killed


@dataclass(frozen=True)
class Scene:
    """The product at work; each kill waits here for what it is to hit."""

    product: Product
    teammates: Teammates
    endpoint: Endpoint
    database: Database
    chance: random.Random

    def kill_on(self, kind: str) -> None:
        """Kill one worker soon after another press got so far; see KINDS."""
        counted = {
            "pressed": lambda: len(self.teammates.pressed),
            "recorded": self._runs,
            "requested": lambda: self.endpoint.requests,
            "answered": lambda: len(self.teammates.answered),
        }[kind]
        _wait_for_more(counted)
        # Anywhere in the life of a run: another is under way while this one ends.
        time.sleep(self.chance.uniform(0, 2 * _ENDPOINT_SECONDS))
        if workers := self.product.workers():
            _kill(self.chance.choice(workers))

    def kill_with_an_answer_due(self, kill: Callable[[], None]) -> None:
        """A session was made, and whoever waits for the answer dies: one run is interrupted."""
        with self.endpoint.holding():
            _wait_for_more(lambda: self.endpoint.requests)
            kill()

    def kill_all_workers(self) -> None:
        for pid in self.product.workers():
            _kill(pid)

    def _runs(self) -> int:
        [(count,)] = self.database.rows("SELECT count(*) FROM routines_run")
        return int(count)


KINDS = ("pressed", "recorded", "requested", "answer due", "answered")  # as a press goes on


def prove(database: Database, folder: Path, kills: int, seed: int | None = None) -> Books:
    """Kill workers, one or all, at every point of a press; the last of each life is the server.

    kills: how many kills in all, those of the whole server included.
    """
    chance, kinds = random.Random(seed), cycle(KINDS)
    killed = interrupted = 0
    with listening(delay=_ENDPOINT_SECONDS) as (endpoint, url):
        while killed < kills:
            with (
                serving(database, url, folder, **_SETTINGS) as product,
                Teammates(product.visitor()) as teammates,
            ):
                scene = Scene(product, teammates, endpoint, database, chance)
                for kind in islice(kinds, min(kills - killed, _KILLS_IN_ONE_LIFE) - 1):
                    if kind == "answer due":
                        scene.kill_with_an_answer_due(scene.kill_all_workers)
                        interrupted += 1
                    else:
                        scene.kill_on(kind)
                    killed += 1
                scene.kill_with_an_answer_due(product.kill)
                interrupted += 1
                killed += 1
        database.age_all_runs()
        with serving(database, url, folder, **_SETTINGS) as product:
            product.visitor().client.get("/history/")
        books = Books(
            kills=killed,
            interrupting=interrupted,
            requests=endpoint.requests,
            sessions=list(endpoint.sessions),
            runs=database.rows("SELECT text, state, session_url FROM routines_run"),
        )
    books.compare()
    return books


def _wait_for_more(counted: Callable[[], int]) -> None:
    before = counted()
    wait_until(lambda: counted() > before)


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass  # it has just gone by itself


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.server", description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    kills = parser.parse_args().kills
    with (
        tempfile.TemporaryDirectory() as folder,
        new_database(Path(folder)) as database,
    ):
        books = prove(database, Path(folder), kills)
    states = Counter(state for _, state, _ in books.runs)
    print(f"kills          {books.kills}")
    print(f"runs           {len(books.runs)}  {dict(states)}")
    print(f"requests       {books.requests}")
    print(f"sessions made  {len(books.sessions)}")
    print(f"faults         {len(books.faults)}")
    for fault in books.faults:
        print(f"  {fault}")
    return bool(books.faults)
