"""The loop: look at the queue, claim runs for the free places, wait for whatever comes next.

One thread looks and claims. What is slow, the endpoint, is waited for in the places' threads.
"""

import logging
import time

from django.db import Error as DatabaseFailure
from django.db import InterfaceError, OperationalError, close_old_connections, connection
from django.utils import timezone

from routines.runs import queue, restored
from routines.runs.queue import Claimed, Line
from routines.worker.heartbeat import Heartbeat
from routines.worker.outage import Outage
from routines.worker.places import choose
from routines.worker.senders import Senders
from routines.worker.waking import Bell, News, news

logger = logging.getLogger(__name__)

_SHORTEST_WAIT = 0.02  # seconds between two looks that found nothing to claim; then twice that
_BLOCKED_WAIT = 1.0  # seconds; what is left waits for a place, which rings
_LEAVE_ALONE = 60.0  # seconds: a line whose claim fails must not keep the others from theirs


class Loop:
    """`run` until `stop` is called, from any thread or from a signal's handler."""

    def __init__(self, *, places: int) -> None:
        self._bell = Bell()
        self._stopping = False
        self._senders = Senders(places, when_free=self._bell.ring)
        self._heartbeat = Heartbeat(places)
        self._outage = Outage()
        self._missed_wait = _SHORTEST_WAIT
        self._left_alone: dict[int, float] = {}  # until when, by the routine's primary key

    @property
    def name(self) -> str:
        return self._heartbeat.name

    def stop(self) -> None:
        self._stopping = True
        self._bell.ring()

    def run(self) -> int:
        """Claim until it is to stop, then wait for the fires in flight: how many those were.

        Those are waited for, too, should a mistake end it.
        """
        self._senders.start()
        found = news()
        try:
            while not self._stopping:
                self._wait(self._turn(found), found)
        finally:
            found.close()
            waited_for = len(self._senders.taken())
            logger.info("stopping", extra={"facts": {"fires_in_flight": waited_for}})
            self._finish()
        return waited_for

    def _turn(self, found: News) -> float:
        """One look. Returns how many seconds to wait at most."""
        try:
            if self._heartbeat.is_due():
                close_old_connections()
                self._heartbeat.beat()
                restored.check()  # also of what is held, which nobody claims
            seconds = min(self._claim_what_waits(), found.poll)
        except DatabaseFailure as failure:
            connection.close()
            seconds = self._outage.pause(failure)
        else:
            self._outage.is_over()
        return seconds

    def _claim_what_waits(self) -> float:
        """Returns in how many seconds there may be more to claim."""
        taken = self._senders.taken()
        if len(taken) >= self._senders.places:
            return self._heartbeat.EVERY  # a place that gets free rings
        lines = {line.routine: line for line in queue.lines() if not self._is_left_alone(line)}
        waiting = {pk: line.waiting for pk, line in lines.items()}
        sent, missed = False, False
        while not self._stopping and (line := choose(lines.values(), taken, self._senders.places)):
            claimed = self._claim(line)
            waiting[line.routine] -= 1
            if claimed is not None:
                taken.append(self._senders.send(claimed))
                sent = True
            if claimed is None or not waiting[line.routine]:
                del lines[line.routine]
                missed = missed or claimed is None
        # A routine that somebody holds for long must not make this a spin.
        self._missed_wait = _SHORTEST_WAIT if sent else min(self._missed_wait * 2, _BLOCKED_WAIT)
        if missed:
            return self._missed_wait
        self._missed_wait = _SHORTEST_WAIT
        return _BLOCKED_WAIT if lines else _seconds_until_due()

    def _claim(self, line: Line) -> Claimed | None:
        """None: there was nothing to claim any more.

        A failing database is the caller's: what may or may not have been claimed is never sent.
        """
        try:
            return queue.claim(line.routine)
        except (OperationalError, InterfaceError):
            raise
        except Exception:
            logger.exception("A run of routine %s could not be claimed", line.routine)
            self._left_alone[line.routine] = time.monotonic() + _LEAVE_ALONE
            return None

    def _is_left_alone(self, line: Line) -> bool:
        return self._left_alone.get(line.routine, 0.0) > time.monotonic()

    def _wait(self, seconds: float, found: News) -> None:
        until = time.monotonic() + seconds
        while not self._stopping and (left := until - time.monotonic()) > 0:
            if self._outage.is_on:
                self._bell.wait(left)  # nothing but a stop is worth a try before its time
            elif found.arrived() or self._bell.wait(min(left, found.every), found.descriptor()):
                return

    def _finish(self) -> None:
        while self._senders.taken():
            if self._heartbeat.is_due():
                self._heartbeat.try_to_beat()
            self._bell.wait(1.0)
        self._heartbeat.end()


def _seconds_until_due() -> float:
    due = queue.next_due()
    if due is None:
        return float("inf")
    return max((due - timezone.now()).total_seconds(), _SHORTEST_WAIT)
