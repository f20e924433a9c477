"""How a step of a life is done: by a process on a host, watched at each statement it makes."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self

import pytest
from django.db import OperationalError, connection, transaction

from routines import wire
from routines.models import Run
from routines.runs import awaiting, firing, queue, recording, restored, sending
from routines.values.reasons import State
from tests.routines.runs.life import endpoint
from tests.routines.runs.life.checks import Checks
from tests.routines.runs.life.endpoint import Books, Request
from tests.routines.runs.life.hosts import WEB, Clocks, Killed, Process, Time
from tests.routines.runs.life.house import House


@dataclass
class Held:
    """A claim that a worker has, and has not begun to send."""

    host: str
    claimed: queue.Claimed
    at: float  # by the clock that nobody sets


@dataclass
class Flight:
    """A request under way: its process stands still until it is answered, or dies."""

    process: Process
    request: Request


class Stage:
    """Who is at work, and what is under way. After each step the checks look."""

    def __init__(self, house: House) -> None:
        self.house, self.books, self.clocks = house, Books(), Clocks()
        self.checks = Checks(house, self.books)
        self.held: list[Held] = []
        self.flights: list[Flight] = []
        self._at_work: Process | None = None
        self._host = WEB
        self._meanwhile: tuple[str, Callable[[], None]] | None = None

    @contextmanager
    def going_on(self) -> Iterator[Self]:
        """Nothing of it stays behind; the connection is the one of a test with a transaction."""
        before = transaction.savepoint()
        restored.check()  # it knows itself
        patches = pytest.MonkeyPatch()
        patches.setattr(wire, "ask", self._ask)
        # A call that would wait for somebody else's answer gives up at once.
        patches.setattr(awaiting, "outcome", lambda run, seconds: Run.objects.get(pk=run.pk))
        for module in (firing, sending, recording):
            patches.setattr(module, "time", Time(self.clocks))
        try:
            with self.clocks.running(), connection.execute_wrapper(self._watch):
                yield self
        finally:
            for flight in list(self.flights):
                flight.process.go_on(die)
            patches.undo()
            transaction.set_rollback(False)
            transaction.savepoint_rollback(before)

    @contextmanager
    def meanwhile(self, word: str, act: Callable[[], None]) -> Iterator[None]:
        """Within, right before the next SQL with `word` in it, somebody else has done `act`."""
        self._meanwhile = (word, act)
        yield
        self._meanwhile = None

    @contextmanager
    def working(self, host: str, *by: str) -> Iterator[None]:
        """One step, on this host; `by`: what the table of permitted steps calls it."""
        outer, self._host = self._host, host
        self.clocks.show(host)
        yield
        self.clocks.show(host)
        self.checks.look(self.clocks.now(host), set(by))
        self._host = outer
        self.clocks.show(outer)

    def begin(self, process: Process) -> None:
        self.let_act(process, process.start)

    def let_act(self, process: Process, act: Callable[[], None]) -> None:
        outer, self._at_work = self._at_work, process
        try:
            act()
        finally:
            self._at_work = outer
        # What a process left undone when it died was its own connection's, not of this one.
        transaction.set_rollback(False)

    def _ask(self, _method: str, url: str, *, headers: Any, body: bytes = b"", **_more: Any) -> Any:
        """In place of wire.ask, in the thread of the process that asks."""
        with transaction.atomic(durable=True):
            pass  # nobody holds a transaction open
        process = self._at_work
        assert process is not None
        run = Run.objects.get(text=json.loads(body)["text"])
        assert run.state == State.SENDING, f"sent as {run.state}"
        request = endpoint.Request(
            text=run.text,
            run=run.pk,
            attempt=run.attempt,
            host=process.host,
            at=self.clocks.now(process.host),
            left_at=self.clocks.monotonic(),
            sent={
                "routine_id": url.split("/")[-2],
                "beta": headers["anthropic-beta"],
                "api": headers["anthropic-version"],
                "token": headers["Authorization"].removeprefix("Bearer "),
            },
            number=len(self.books.requests),
        )
        known = self.checks.known.get(run.pk)  # none: it was accepted in this very step
        assert known is None or request.sent == known.claimed_with, "sent with something else"
        self.books.open(request)
        self.flights.append(Flight(process, request))
        return process.stand_still()

    def _watch(self, execute: Callable[..., Any], sql: str, *more: Any) -> Any:
        """Every statement of the domain passes here."""
        if self._meanwhile is not None and self._meanwhile[0] in sql:
            (_word, act), self._meanwhile = self._meanwhile, None
            with self._nobody_at_work():
                act()
        process = self._at_work
        if process is not None and sql.startswith(("INSERT", "UPDATE")):
            if process.killed_at == 0:
                raise Killed
            process.killed_at -= 1
            if not process.finds_database and '"routines_run"' in sql:
                raise OperationalError("database is locked")
        return execute(sql, *more)

    @contextmanager
    def _nobody_at_work(self) -> Iterator[None]:
        outer, self._at_work = self._at_work, None
        yield
        self._at_work = outer


def die() -> None:
    raise Killed
