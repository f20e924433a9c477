"""How long a statement waits for the database: for a page little, for a run longer, for an outcome
longest.

SQLite makes writers wait for each other for up to its `timeout`. Nobody stares at a page for so
long; but an answer that has cost a session must not get lost because a backup or a retention is
writing. On PostgreSQL it is the pool's own time-out that bounds each try, and the number of tries.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any

from django.db import Error as DatabaseFailure
from django.db import connection
from django.db.backends.signals import connection_created

PAGE = 1.5  # seconds
ACCEPTING = 5.0  # for a run: many that come at once are written one after the other
NOTE = 0.1  # for what the next request can note as well
RECORDING = 20.0
_TRIES_TO_CONNECT = 10

# None: as settings say, which is for commands.
_seconds: ContextVar[float | None] = ContextVar("seconds", default=None)


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Every statement within waits for a locked database for so long, and then fails."""
    before = _seconds.set(seconds)
    _apply()
    try:
        yield
    finally:
        _seconds.reset(before)
        _apply()


@contextmanager
def while_recording() -> Iterator[None]:
    """For the answer of a request that has left: wait, also for a server that is coming back."""
    with at_most(RECORDING):
        for _ in range(_TRIES_TO_CONNECT):
            with suppress(DatabaseFailure):
                connection.ensure_connection()
                break
        yield


def _apply(**_signal: Any) -> None:
    if connection.vendor != "sqlite" or connection.connection is None:
        return
    seconds = _seconds.get()
    if seconds is None:
        seconds = connection.settings_dict["OPTIONS"].get("timeout", 5)
    with suppress(sqlite3.ProgrammingError):  # closed: whoever asks it something hears of it
        connection.connection.execute(f"PRAGMA busy_timeout = {round(seconds * 1000)}")


connection_created.connect(_apply, dispatch_uid="patience")
