"""Workers in threads of this process, what they are given to do, and an endpoint that can hold."""

import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.db import connections

from routines.models import Person, Routine, Run
from routines.practice_api import PracticeApi
from routines.practice_api.rules import Answer, Request
from routines.runs import accepting
from routines.values.reasons import State
from routines.worker import loop
from tests.server.product import wait_until


def accept(routine: Routine, person: Person, number: int = 1, **values: Any) -> list[Run]:
    """So many runs that wait for their turn; each has a text of its own."""
    return [
        accepting.accept(
            key=uuid4(),
            routine=routine,
            person=person,
            text=f"{routine.routine_id} {uuid4()}",
            aware_of=None,
            **({"wait": timedelta(hours=1)} | values),
        ).run
        for _ in range(number)
    ]


class Endpoint(PracticeApi):
    """Counts the requests of each routine, and holds back its answers while a test wants it."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []  # of the requests, as they came
        self.most_at_once = 0
        self._at_once = 0
        self._held: dict[str, threading.Event] = {}
        self._counting = threading.Lock()

    def answer(self, request: Request) -> Answer:
        with self._counting:
            self.texts.append(json.loads(request.body)["text"])
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            held = self._held.get(request.path.split("/")[-2])
            if held is not None:
                held.wait()
            return super().answer(request)
        finally:
            with self._counting:
                self._at_once -= 1

    def requests_of(self, routine: Routine) -> int:
        return Counter(text.split()[0] for text in self.texts)[routine.routine_id]

    @contextmanager
    def holding(self, routine: Routine) -> Iterator[None]:
        """Its requests arrive, and none is answered before the end of `with`."""
        released = self._held[routine.routine_id] = threading.Event()
        try:
            yield
        finally:
            del self._held[routine.routine_id]
            released.set()


class Worker:
    """A loop in a thread; `waited_for` is what it returned."""

    def __init__(self, places: int) -> None:
        self.loop = loop.Loop(places=places)
        self.waited_for: int | None = None
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        try:
            self.waited_for = self.loop.run()
        finally:
            connections.close_all()

    def stop(self) -> None:
        """Ask it to, and wait for its end."""
        self.loop.stop()
        self.thread.join(60)
        assert self.waited_for is not None


@contextmanager
def working(places: int = 4) -> Iterator[Worker]:
    worker = Worker(places)
    try:
        yield worker
    finally:
        with suppress(AssertionError):  # it has died: the test has more to say about that
            worker.stop()


def states() -> Counter[str]:
    return Counter(Run.objects.values_list("state", flat=True))


def wait_for(**expected: int) -> None:
    """Until there are so many runs of these states, and of no other."""
    wait_until(lambda: states() == Counter(expected))


def wait_for_requests(endpoint: Endpoint, number: int) -> None:
    wait_until(lambda: len(endpoint.texts) >= number)


def is_started(run: Run) -> bool:
    return Run.objects.filter(pk=run.pk, state=State.STARTED).exists()
