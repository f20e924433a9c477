"""A process that stood still at the worst moment, and wakes when others have gone on without it."""

import signal
import time
from contextlib import closing
from pathlib import Path

from tests.server.endpoint import full_listener
from tests.server.product import Database, manage, wait_until
from tests.server.workers import WorkerProcess, accept, working

SETTLE = "from routines.runs import overdue; overdue.settle()"
FIRE_TIMEOUT = 12  # seconds; far more than it takes to stop it


def stop(worker: WorkerProcess, database: Database) -> None:
    """All its threads, and none while it writes: on SQLite nobody else could write any more."""
    with database.locked():
        worker.process.send_signal(signal.SIGSTOP)
        threads = list(Path(f"/proc/{worker.pid}/task").glob("*/stat"))
        wait_until(lambda: {one.read_text().rpartition(") ")[2][0] for one in threads} == {"T"})


def test_what_stood_still_before_its_first_byte_sends_nothing_once_it_wakes(
    database: Database, tmp_path: Path
):
    """Its run was taken for interrupted meanwhile, and people may have run it again."""
    settings = {"FIRE_TIMEOUT": str(FIRE_TIMEOUT)}
    with (
        full_listener() as listener,
        working(database, listener.url, tmp_path, **settings) as worker,
    ):
        accept(database, 1)
        wait_until(lambda: database.states() == [("sending", "sending")])
        wait_until(listener.is_knocked_at)
        stop(worker, database)
        stopped = time.monotonic()
        database.age_all_runs()
        manage(database, listener.url, "shell", "--command", SETTLE)
        assert database.states() == [("unknown", "interrupted")]
        with closing(listener.let_in()) as connection:
            wait_until(lambda: time.monotonic() > stopped + FIRE_TIMEOUT)
            worker.process.send_signal(signal.SIGCONT)
            assert connection.recv(1) == b""
        wait_until(lambda: database.states() == [("not_sent", "no_connection")])
