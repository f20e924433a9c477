"""`manage.py worker` as a process of its own, and work for it."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from uuid import uuid4

from dashboard.serving.commands import WORKER
from tests.server.accepting import Acceptor
from tests.server.product import Database, environment, wait_until
from tests.server.seed import SLUG

acceptor = Acceptor()  # its process ends with the tests: conftest.py


class WorkerProcess:
    def __init__(self, process: subprocess.Popen[bytes], database: Database, log: Path) -> None:
        self.process, self.database, self._log = process, database, log

    @property
    def log(self) -> str:
        return self._log.read_text()

    @property
    def pid(self) -> int:
        return self.process.pid

    def kill(self) -> None:
        """As the kernel does when memory is short; return when it is gone."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """Ask it to, and wait for its end: its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)


def working(
    database: Database, endpoint: str, folder: Path, **settings: str
) -> AbstractContextManager[WorkerProcess]:
    """One that looks at the queue already; killed at the end. `settings`: of the environment."""
    return running(WORKER, database, endpoint, folder, **settings)


def working_by_another_clock(
    fast: float, database: Database, endpoint: str, folder: Path, **settings: str
) -> AbstractContextManager[WorkerProcess]:
    """One on a host whose clock is fast by so many seconds."""
    return running(by_another_clock(fast), database, endpoint, folder, **settings)


def by_another_clock(fast: float) -> list[str]:
    """The worker's command: other_clock.py."""
    return [sys.executable, "-m", "tests.server.other_clock", str(fast), "worker"]


@contextmanager
def running(
    command: list[str], database: Database, endpoint: str, folder: Path, **settings: str
) -> Iterator[WorkerProcess]:
    """Whatever `command` runs, if it becomes a worker."""
    log = folder / f"worker-{uuid4().hex[:8]}.log"
    with log.open("wb") as stderr:
        process = subprocess.Popen(
            command,
            env=environment(database, endpoint, port=8000, **settings),
            stderr=stderr,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
    worker = WorkerProcess(process, database, log)
    try:
        wait_until(lambda: _is_alive(worker), 90)
        yield worker
    finally:
        worker.kill()


def _is_alive(worker: WorkerProcess) -> bool:
    if worker.process.poll() is not None:
        raise RuntimeError(worker.log)
    process = f"'%:{worker.process.pid}:%'"
    return bool(worker.database.rows(f"SELECT 1 FROM routines_worker WHERE name LIKE {process}"))  # noqa: S608


def accept(database: Database, number: int, *slugs: str) -> None:
    """So many runs of each of these routines wait for their turn, recorded by another process."""
    settings = environment(database, "http://127.0.0.1:9", port=8000)
    acceptor.accept(settings, number, list(slugs or [SLUG]))
