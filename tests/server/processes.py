"""Web server and worker under their starter, and who of a process's family is still there."""

import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from dashboard.serving.commands import STARTER
from dashboard.settings import BASE_DIR
from tests.server.product import (
    START_SECONDS,
    Database,
    Product,
    answers,
    collect_static_files,
    environment,
    free_port,
    wait_until,
)

_MARK = "MARK_OF_A_TEST"


class Whole(Product):
    """Web server and worker; `process` is their starter."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, log: Path, mark: str) -> None:
        super().__init__(process, port, log)
        self._mark = mark

    def pids(self, word: str) -> list[int]:
        """Those whose command contains `word`."""
        return [pid for pid in self.living() if word in command_of(pid)]

    def pid_of(self, word: str) -> int:
        """The one that the starter itself started."""
        [pid] = set(self.pids(word)) & set(children_of(self.process.pid))
        return pid

    def living(self) -> list[int]:
        """All processes that came of the starter, itself included, whoever their parent is now."""
        return marked(self._mark)

    def workers(self) -> list[int]:
        """Those of gunicorn."""
        return children_of(self.pid_of("gunicorn"))


@contextmanager
def running(
    command: list[str],
    database: Database,
    endpoint: str,
    folder: Path,
    product: Path,
    **settings: str,
) -> Iterator[Whole]:
    """The product at a free port, started by `command` in its folder, once its pages answer."""
    port, mark = free_port(), uuid4().hex
    log = folder / f"whole-{port}.log"
    collect_static_files(database)
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            env=environment(database, endpoint, port=port, **settings) | {_MARK: mark},
            stdout=output,
            stderr=output,
            cwd=product,
            start_new_session=True,
        )
    whole = Whole(process, port, log, mark)
    try:
        wait_until(lambda: answers(whole), START_SECONDS)
        yield whole
    finally:
        whole.close_visitors()
        kill_all(whole.living)
        process.wait()


@contextmanager
def together(
    database: Database, endpoint: str, folder: Path, *, patience: int = 60, **settings: str
) -> Iterator[Whole]:
    """Web server and worker, as `make serve` runs them when all is prepared.

    patience: seconds that the starter gives those that are to stop.
    """
    settings = {"DJANGO_SETTINGS_MODULE": "dashboard.settings"} | settings
    command = [*STARTER, str(patience)]
    with running(command, database, endpoint, folder, BASE_DIR, **settings) as whole:
        yield whole


def copied_product(folder: Path) -> Path:
    """A folder of its own, for what writes into `var` whatever its settings say."""
    copy = folder / "product"
    for name in ("dashboard", "routines", "templates", "static"):
        shutil.copytree(BASE_DIR / name, copy / name)
    shutil.copy(BASE_DIR / "manage.py", copy)
    return copy


def with_mark(mark: str) -> dict[str, str]:
    """An environment by which a process, and all that come of it, are found again."""
    return {_MARK: mark}


def marked(mark: str) -> list[int]:
    """Living processes; one that has ended and waits for its parent is none."""
    wanted = f"{_MARK}={mark}".encode()
    return [pid for pid in _pids() if wanted in _read(pid, "environ").split(b"\0")]


def living_in(folder: Path) -> list[int]:
    """Processes whose working directory it is: a demo gives its children no mark of ours."""
    return [pid for pid in _pids() if _working_directory(pid) == str(folder)]


def kill_all(living: Callable[[], list[int]]) -> None:
    while left := living():
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass


def command_of(pid: int) -> str:
    return _read(pid, "cmdline").replace(b"\0", b" ").decode(errors="replace")


def cpu_seconds(pid: int) -> float:
    """For how long it has had a processor so far, all its threads together."""
    stat = _read(pid, "stat").decode().rpartition(")")[2].split()
    return (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK") if stat else 0.0


def children_of(pid: int) -> list[int]:
    return [int(child) for child in _read(pid, f"task/{pid}/children").split()]


def _pids() -> list[int]:
    return [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]


def _working_directory(pid: int) -> str:
    try:
        return os.readlink(f"/proc/{pid}/cwd")
    except OSError:
        return ""


def _read(pid: int, name: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except OSError:  # it has just ended, or is another user's
        return b""
