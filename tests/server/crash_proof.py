"""`make crash-proof`: kill real workers at random moments, then compare both sides' books.

Teammates press Run all the while, each press with a text of its own, so every session that the
practice API made can be held against the one run that was written down for it.
"""

import argparse
import os
import random
import signal
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from routines.practice_api import PracticeServer, Session
from tests.server.product import Database, Product, Visitor, new_database, serving
from tests.server.seed import SLUG

_PRESSERS = 4
_ENDPOINT_SECONDS = 0.03


@dataclass
class Books:
    """What is left after the last kill, on both sides."""

    kills: int
    requests: int
    sessions: list[Session]
    runs: list[tuple[str, str, str]]  # text, state, session URL
    still_sending: int
    faults: list[str] = field(default_factory=list)

    def compare(self) -> None:
        """Fill `faults` with a sentence for each thing that must not be."""
        runs = {text: (state, url) for text, state, url in self.runs}
        made = Counter(session.text for session in self.sessions)
        if len(runs) != len(self.runs):
            self.faults.append("Two runs were written down for one press.")
        if self.still_sending:
            self.faults.append(f"{self.still_sending} runs say `sending` for ever.")
        if self.requests > len(self.runs):
            self.faults.append("More requests than runs: one was sent unwritten, or twice.")
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


def prove(database: Database, folder: Path, kills: int, seed: int | None = None) -> Books:
    """Kill so many workers; every second in a while the whole server instead."""
    chance = random.Random(seed)
    killed = 0
    with PracticeServer() as endpoint:
        endpoint.api.delay = _ENDPOINT_SECONDS
        while killed < kills:
            with serving(database, endpoint.url, folder, **_settings()) as product:
                visitor = product.visitor()
                with _pressing(visitor):
                    for _ in range(min(kills - killed, 10)):
                        time.sleep(chance.uniform(0.05, 0.6))
                        _kill_one(product, chance)
                        killed += 1
                    if chance.random() < 0.5:
                        product.kill()
        database.age_all_runs()
        with serving(database, endpoint.url, folder, **_settings()) as product:
            product.visitor().client.get("/history/")
        # A request that was under way at the last kill may still make its session.
        time.sleep(4 * _ENDPOINT_SECONDS)
        books = Books(
            kills=killed,
            requests=endpoint.api.requests,
            sessions=list(endpoint.api.sessions),
            runs=database.rows("SELECT text, state, session_url FROM routines_run"),
            still_sending=len([1 for state, _ in database.states() if state == "sending"]),
        )
    books.compare()
    return books


def _settings() -> dict[str, str]:
    return {"FIRE_TIMEOUT": "5", "FIRES_IN_FLIGHT": "3", "WEB_WORKERS": "2", "WEB_THREADS": "4"}


def _kill_one(product: Product, chance: random.Random) -> None:
    workers = product.workers()
    if workers:
        try:
            os.kill(chance.choice(workers), signal.SIGKILL)
        except ProcessLookupError:
            pass


class _pressing:
    """Some teammates press Run until the end of `with`, whatever becomes of the server."""

    def __init__(self, visitor: Visitor) -> None:
        self._visitor = visitor
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._press) for _ in range(_PRESSERS)]

    def __enter__(self) -> None:
        for thread in self._threads:
            thread.start()

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
                    self._visitor.press(SLUG, form, client, text=text)
                except (httpx.HTTPError, ValueError):
                    self._stop.wait(0.02)  # the worker has just been killed


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
