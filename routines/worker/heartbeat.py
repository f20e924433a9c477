"""That a worker is alive: a row of each, in times of the database's own clock.

The loop writes it between two looks at the queue, so a loop that is stuck is not alive.
"""

import os
import secrets
import socket
import time
from contextlib import suppress
from datetime import timedelta

from django.db import Error as DatabaseFailure
from django.db.models.functions import Now

from routines.models import Worker

_ALIVE = timedelta(seconds=60)
_FORGOTTEN = timedelta(days=1)


def is_any_alive() -> bool:
    """Whether a worker was seen within the last minute. One light query."""
    # Nor in the future: a clock that was set back must not keep a dead one alive.
    seen = (Now() - _ALIVE, Now() + _ALIVE)
    return Worker.objects.filter(seen_at__range=seen).exists()


def forget_dead() -> None:
    """Remove the rows of workers that were not seen for a day: they were killed."""
    Worker.objects.filter(seen_at__lt=Now() - _FORGOTTEN).delete()


class Heartbeat:
    EVERY = 15.0  # seconds

    def __init__(self, places: int) -> None:
        # A process may come back with its number, and a host with another's name.
        self.name = f"{socket.gethostname()[:60]}:{os.getpid()}:{secrets.token_hex(4)}"
        self._places = places
        self._next_at = 0.0

    def is_due(self) -> bool:
        return time.monotonic() >= self._next_at

    def beat(self) -> None:
        """Raise what the database raises, and be due again at once."""
        if not Worker.objects.filter(name=self.name).update(seen_at=Now()):
            Worker.objects.create(name=self.name, places=self._places)
        self._next_at = time.monotonic() + self.EVERY

    def try_to_beat(self) -> None:
        with suppress(DatabaseFailure):
            self.beat()
        self._next_at = time.monotonic() + self.EVERY

    def end(self) -> None:
        """At an orderly end, so that nobody takes it for alive."""
        with suppress(DatabaseFailure):
            Worker.objects.filter(name=self.name).delete()
