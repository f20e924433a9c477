"""What wakes the loop: a bell that is rung in this process, and news from the database.

News are hints and may get lost: whoever waits looks at the queue every `poll` seconds all the same.
"""

import os
import selectors
import sqlite3
import time
from contextlib import suppress
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

import psycopg
from django.db import connection

from routines.runs.queue import CHANNEL

_SHORTEST_PAUSE, _LONGEST_PAUSE = 1.0, 30.0  # seconds between two tries to listen


class Bell:
    """Rung by any thread, and by a signal's handler; one thread waits for it."""

    def __init__(self) -> None:
        self._out, self._in = os.pipe()
        for end in (self._out, self._in):
            os.set_blocking(end, False)

    def ring(self) -> None:
        with suppress(BlockingIOError):  # it has been rung often enough
            os.write(self._in, b"!")

    def wait(self, seconds: float, also: int | None = None) -> bool:
        """Until it rings, or `also`, a file descriptor, can be read. True: one of them."""
        with selectors.DefaultSelector() as selector:
            for end in (self._out, also):
                if end is not None:
                    selector.register(end, selectors.EVENT_READ)
            is_woken = bool(selector.select(max(0.0, seconds)))
        with suppress(BlockingIOError):
            os.read(self._out, 4096)
        return is_woken

    def close(self) -> None:
        os.close(self._in)
        os.close(self._out)


class News(Protocol):
    """Whether the queue may have changed. Nothing of it raises what a database may raise."""

    poll: float  # seconds: so often the queue is looked at, news or not
    every: float  # seconds: so often `arrived` is asked

    def descriptor(self) -> int | None:
        """A file descriptor that can be read when there is something to ask for."""

    def arrived(self) -> bool:
        """Whether there were any since the last call."""

    def close(self) -> None: ...


class Notices:
    """PostgreSQL tells whoever listens, on a connection of its own.

    A pooler in front (PgBouncer, transaction mode) lets none through: then the poll has it all.
    """

    poll = every = 1.0

    def __init__(self) -> None:
        self._listening: psycopg.Connection | None = None
        self._again_at, self._pause = 0.0, _SHORTEST_PAUSE

    def descriptor(self) -> int | None:
        return self._listening.fileno() if self._listening else None

    def arrived(self) -> bool:
        if self._listening is None:
            return self._listen()  # what was accepted meanwhile was told to nobody
        try:
            return bool(list(self._listening.notifies(timeout=0)))
        except psycopg.Error:
            self.close()
            return True

    def close(self) -> None:
        if self._listening is not None:
            self._listening.close()
            self._listening = None

    def _listen(self) -> bool:
        if time.monotonic() < self._again_at:
            return False
        try:
            parameters = connection.get_connection_params()
            self._listening = psycopg.connect(**parameters, autocommit=True)
            self._listening.execute(f"LISTEN {CHANNEL}")
        except psycopg.Error:  # the queue's own queries say so in the log
            self.close()
            self._again_at = time.monotonic() + self._pause
            self._pause = min(self._pause * 2, _LONGEST_PAUSE)
            return False
        self._pause = _SHORTEST_PAUSE
        return True


class DataVersion:
    """SQLite counts the commits of all other connections: reading that costs microseconds."""

    poll, every = 10.0, 0.1

    def __init__(self) -> None:
        self._path = Path(connection.settings_dict["NAME"]).absolute()
        # One that only looks, so that it sees what this process commits as well.
        self._kept: sqlite3.Connection | None = None
        self._seen: tuple[int, int] | None = None

    def descriptor(self) -> int | None:
        return None

    def arrived(self) -> bool:
        try:
            file = self._path.stat().st_ino
            if self._kept is None or self._seen is None or self._seen[0] != file:
                self._open()
            version = self._version()
        except (OSError, sqlite3.Error):
            self.close()
            return False
        seen, self._seen = self._seen, (file, version)
        return seen != self._seen

    def close(self) -> None:
        if self._kept is not None:
            self._kept.close()
        self._kept = self._seen = None

    def _open(self) -> None:
        self.close()
        address = f"file:{quote(str(self._path))}?mode=rw"  # rw: it makes no file
        self._kept = sqlite3.connect(address, uri=True, isolation_level=None)

    def _version(self) -> int:
        assert self._kept is not None  # noqa: S101  # _open has just made it
        version: int
        [version] = self._kept.execute("PRAGMA data_version").fetchone()
        return version


def news() -> News:
    """Of the product's database."""
    return Notices() if connection.vendor == "postgresql" else DataVersion()
