"""Hosts, whose clocks differ and are set, and processes on them, which stop where a model says."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import time_machine
from django.db import connection, connections

WEB, ONE, TWO = "web", "one", "two"
_LONG_ENOUGH = 600.0  # seconds: a process that stands for longer is a defect of the model


class Killed(BaseException):
    """The process is gone: SIGKILL, or its machine. Nobody catches that."""


@dataclass
class Clocks:
    """The true time, how far each host's clock is off, and one clock that nobody sets.

    Nothing passes but what a step lets pass.
    """

    ahead: dict[str, float] = field(default_factory=dict)  # seconds
    passed: float = 0.0  # seconds since the beginning
    _begin: datetime = datetime(2030, 6, 1, 12, tzinfo=UTC)
    _shown: Any = None

    def monotonic(self) -> float:
        return 1_000_000.0 + self.passed

    def now(self, host: str) -> datetime:
        return self._begin + timedelta(seconds=self.passed + self.ahead.get(host, 0.0))

    def show(self, host: str) -> None:
        """From here on, the process at work is one of this host."""
        self._shown.move_to(self.now(host), tick=False)

    @contextmanager
    def running(self) -> Iterator[None]:
        with time_machine.travel(self._begin, tick=False) as self._shown:
            yield


class Process:
    """What runs in a thread of its own, but never beside others: only while it is let.

    So a request that is under way is a process that stands still, and a step of a model ends where
    the next one may be anybody's. It shares the test's connection, which has but one user a time.
    """

    def __init__(self, host: str, act: Callable[[], Any]) -> None:
        self.host = host
        self.killed_at = -1  # its so-manieth write from now on is its death; -1: none
        self.finds_database = True
        self._act = act
        self._is_over = False
        self._error: BaseException | None = None
        self._go, self._stands = threading.Semaphore(0), threading.Semaphore(0)
        self._order: Callable[[], Any] = lambda: None
        self._thread = threading.Thread(
            target=self._run, args=(connections["default"],), daemon=True
        )

    def start(self) -> None:
        connection.inc_thread_sharing()
        self._thread.start()
        self._wait()

    def go_on(self, order: Callable[[], Any]) -> None:
        """It stands at `stand_still`, which returns or raises what `order` does."""
        self._order = order
        self._go.release()
        self._wait()

    def stand_still(self) -> Any:
        """In the process: let others act until it is told to go on."""
        self._stands.release()
        assert self._go.acquire(timeout=_LONG_ENOUGH)
        return self._order()

    def _wait(self) -> None:
        assert self._stands.acquire(timeout=_LONG_ENOUGH)
        if self._is_over:
            self._thread.join()
            connection.dec_thread_sharing()
        if self._error is not None:
            raise self._error

    def _run(self, shared: Any) -> None:
        connections["default"] = shared
        try:
            self._act()
        except Killed:
            pass
        except BaseException as error:
            self._error = error
        self._is_over = True
        self._stands.release()


class Time:
    """In place of the module `time`: as far as the domain asks it."""

    def __init__(self, clocks: Clocks) -> None:
        self.monotonic = clocks.monotonic
        self.time = time.time
