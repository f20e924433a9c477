"""What no page should have to wait for. Each duty has a thread and an interval of its own.

All of them may be broken off at any point and may run on any number of hosts at once. They hold no
place, no claim waits for them, and none of them ends the worker.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from random import uniform

from django.core.management import call_command
from django.db import InterfaceError, OperationalError, connections
from django.utils import timezone

from routines.audit import expiry
from routines.callers import turned_away
from routines.insight import progress
from routines.runs import overdue
from routines.upkeep import retention
from routines.worker import heartbeat

logger = logging.getLogger(__name__)

TRY_AGAIN = 60.0  # seconds after a failure, at the latest
_HOUR = 3600.0
_NIGHT = 3  # o'clock, UTC
_BETWEEN_STEPS = 0.1  # seconds; others write meanwhile, and another worker may be at the same

Pause = Callable[[float], None]  # seconds; raises _Stopped when the worker is to end


class _Stopped(Exception):
    """The worker is to end."""


@dataclass(frozen=True)
class Duty:
    name: str
    act: Callable[[Pause], object]  # pauses between steps, so that others have their turn
    wait: Callable[[], float]  # how many seconds until the next time
    soon: float = float("inf")  # after so many seconds the first time, whatever `wait` says


def every(seconds: float) -> Callable[[], float]:
    return lambda: seconds


def nightly() -> Callable[[], float]:
    """At a moment of its own in the hour after three, so that several workers come one by one."""
    after = timedelta(hours=_NIGHT, seconds=uniform(0, _HOUR))  # noqa: S311  # no secret

    def wait() -> float:
        now = timezone.now()
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        next_at = midnight + after
        if next_at <= now:
            next_at += timedelta(days=1)
        return (next_at - now).total_seconds()

    return wait


def duties() -> list[Duty]:
    return [
        Duty("overdue runs", _settle, every(5)),
        Duty("counting runs", _count, every(30)),
        Duty("heartbeats of dead workers", _forget_dead_workers, every(_HOUR), soon=60),
        Duty("ended web sessions", _clear_sessions, every(_HOUR), soon=60),
        Duty("old sign-ins", _delete_old_sign_ins, nightly()),
        Duty("retention", _apply_retention, nightly()),
        Duty("counts of calls that were turned away", _forget_turned_away, nightly()),
    ]


class Rota:
    """Does the duties, each in a thread, between `start` and `stop`."""

    def __init__(self, duties: list[Duty]) -> None:
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._keep, args=(duty,), name=duty.name, daemon=True)
            for duty in duties
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self, *, patience: float = 5.0) -> None:
        """Wait up to so many seconds for steps under way; what is broken off then stays whole."""
        self._stopping.set()
        for thread in self._threads:
            thread.join(patience)

    def _keep(self, duty: Duty) -> None:
        wait = min(duty.wait(), duty.soon)
        while not self._stopping.wait(wait):
            wait = self._do(duty)

    def _do(self, duty: Duty) -> float:
        """Returns how many seconds to wait until the next time."""
        wait = duty.wait()
        try:
            duty.act(self._pause)
        except _Stopped:
            pass
        except (OperationalError, InterfaceError):
            wait = min(wait, TRY_AGAIN)  # the loop has said that the database is away
        except Exception:
            logger.exception("%s: this duty failed, and is tried again", duty.name)
            wait = TRY_AGAIN
        try:
            connections.close_all()
        except Exception:  # the thread is to do its duty again all the same
            logger.exception("%s: a connection to the database could not be closed", duty.name)
        return wait

    def _pause(self, seconds: float) -> None:
        if self._stopping.wait(seconds):
            raise _Stopped


def _settle(pause: Pause) -> None:
    while overdue.settle():  # only so many at once; whoever gets none leaves them to another one
        pause(_BETWEEN_STEPS)


def _count(pause: Pause) -> None:
    for _ in progress.catch_up(pause=lambda seconds: pause(max(seconds, _BETWEEN_STEPS))):
        pass


def _forget_dead_workers(_pause: Pause) -> None:
    heartbeat.forget_dead()


def _clear_sessions(_pause: Pause) -> None:
    call_command("clearsessions")


def _delete_old_sign_ins(_pause: Pause) -> None:
    before = expiry.expired()
    if before is not None:
        expiry.delete_sign_ins(before=before)


def _forget_turned_away(_pause: Pause) -> None:
    turned_away.forget()


def _apply_retention(pause: Pause) -> None:
    if retention.policy():
        retention.apply(retention.Report(), pause=pause)
