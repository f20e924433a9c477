"""The places: threads that each send one run at a time and wait on a socket for its answer."""

import logging
import threading
from collections.abc import Callable
from queue import SimpleQueue

from django.db import connections

from routines.runs import sending
from routines.runs.queue import Claimed
from routines.worker.places import Taken

logger = logging.getLogger(__name__)


class Senders:
    """`when_free` is called in a sender's thread, whenever a place is free again."""

    def __init__(self, places: int, *, when_free: Callable[[], None]) -> None:
        self.places = places
        self._when_free = when_free
        self._claimed: SimpleQueue[Claimed] = SimpleQueue()
        # By the claim: its run may be claimed anew, also here, before its place is free again.
        self._taken: dict[Claimed, Taken] = {}
        self._lock = threading.Lock()

    def start(self) -> None:
        """All of them now: a claimed run must not be left without a thread."""
        for number in range(self.places):
            threading.Thread(target=self._work, name=f"place {number + 1}", daemon=True).start()

    def taken(self) -> list[Taken]:
        with self._lock:
            return list(self._taken.values())

    def send(self, claimed: Claimed) -> Taken:
        """Return at once. Whoever calls this has found a free place."""
        run = claimed.run
        taken = Taken(run.routine_id, run.account_id)
        with self._lock:
            self._taken[claimed] = taken
        self._claimed.put(claimed)
        return taken

    def _work(self) -> None:
        while True:
            claimed = self._claimed.get()
            try:
                sending.send(claimed.run, claimed.token, claimed=claimed.at)
            except Exception:  # overdue.settle says of the run what is known of it
                logger.exception("run %s: sending it failed", claimed.run.pk)
            try:
                # Before the place is free: a waiting thread holds no connection.
                connections.close_all()
            except Exception:
                logger.exception("A connection to the database could not be closed.")
            with self._lock:
                del self._taken[claimed]
            self._when_free()
