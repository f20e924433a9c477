"""`make demo`: the whole product on this machine, against the practice API. Ctrl-C stops it all.

Imports nothing but the standard library: what needs the product's settings runs in children, in
an environment made here from scratch. So no setting of the user's, least of all the real
endpoint or the real database, can reach a demo.
"""

import argparse
import base64
import fcntl
import http.client
import json
import os
import secrets
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from textwrap import indent
from types import FrameType
from typing import IO

from dashboard.serving.commands import GUNICORN, WORKER
from dashboard.serving.serve import port_problem
from dashboard.serving.starter import Children, described

BASE_DIR = Path(__file__).resolve().parents[2]
FOLDER = BASE_DIR / "var" / "demo"
LOG = FOLDER / "log"  # of this start; on the terminal it would push away what _welcome says
HOST = "127.0.0.1"
START_SECONDS = 60
STOP_SECONDS = 5  # then what still runs is killed: a demo's runs are worth no wait

# So few that one person sees runs wait: while one press of theirs is under way, the next one waits
# for the worker, which sends three of one routine at once.
FEW_PLACES = {"WEB_WORKERS": "1", "WEB_THREADS": "3", "FIRES_IN_FLIGHT": "4"}

# All that a child gets of the user's own environment.
_KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TMPDIR", "TZ")

_WORKER = "worker"
_stop_signals: list[int] = []
_reported: set[str] = set()  # of the demo's children, those whose end was said


class Failed(Exception):
    """The demo cannot go on; `str()` says why."""


class AlreadyRunning(Failed):
    pass


class Stopped(Exception):
    """Somebody asked it to stop."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m dashboard.serving.demo", description=__doc__)
    parser.add_argument("--port", default="8000", help="the dashboard's port")
    parser.add_argument("--reset", action="store_true", help="clear what the demo has stored")
    parser.add_argument(
        "--worker", action="store_true", help="start one more worker for the demo that is running"
    )
    options = parser.parse_args()
    try:
        if options.worker:
            _run_one_more_worker()
            return
        with only_one():
            if options.reset:
                shutil.rmtree(FOLDER)
                print("The demo's data is cleared.")
            else:
                _run(_port(options.port))
    except Failed as failure:
        sys.exit(str(failure))
    except Stopped:
        print("\nThe demo has stopped. Its data is kept; `make demo-reset` clears it.")


@contextmanager
def only_one() -> Iterator[None]:
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyRunning(
                "The demo is running already: stop it first, with Ctrl-C."
            ) from None
        yield


def _port(given: str) -> int:
    if not (given.isascii() and given.isdigit() and 1 <= int(given) <= 65535):
        raise Failed("PORT must be a whole number from 1 to 65535.")
    problem = port_problem(HOST, int(given))
    if problem:
        raise Failed(problem)
    return int(given)


def _run(port: int) -> None:
    _note_stop_signals()
    running = FOLDER / "running.json"
    running.unlink(missing_ok=True)  # of a demo that was killed
    practice_port = _free_port()
    environment = children_environment(port, practice_port)
    print("Preparing the demo ...", flush=True)
    _manage(environment, "migrate", "--verbosity", "0")
    sign_in = _manage(environment, "seed_demo")
    _manage(environment, "collectstatic", "--no-input", "--verbosity", "0")
    running.write_text(json.dumps([os.getpid(), port, practice_port]))
    children = Children()
    try:
        practice_api = ["practice_api", "--port", str(practice_port), "--quiet"]
        with LOG.open("wb") as log:
            start = partial(_start, children, environment, stderr=log)
            start("practice API", sys.executable, "manage.py", *practice_api)
            start("dashboard", *GUNICORN, "--log-level", "warning")
            worker = start(_WORKER, *WORKER)
        _wait_until_answering(children, {"practice API": practice_port, "dashboard": port})
        print(_welcome(port, practice_port, worker, sign_in), flush=True)
        while True:
            _check(children)
            time.sleep(0.2)
    finally:
        running.unlink(missing_ok=True)
        children.stop(STOP_SECONDS)


def _run_one_more_worker() -> None:
    """In another terminal, beside the demo that is running; it ends with the demo."""
    _note_stop_signals()
    demo, environment = _running()
    children = Children()
    try:
        _start(children, environment, _WORKER, *WORKER)
        print("The worker is running. Ctrl-C stops it, and the demo's end does.", flush=True)
        while not _stop_signals and not select.select([demo], [], [], 0.2)[0]:
            for code in children.ended().values():
                raise Failed(f"The worker has ended ({described(code)}).")
    finally:
        children.stop(STOP_SECONDS)
    print("\nThe worker has stopped.")


def _running() -> tuple[int, dict[str, str]]:
    """The running demo as a file descriptor that can be read once it has ended, and the
    environment of its children."""
    try:
        with only_one():
            raise Failed("The demo is not running: `make demo` starts it, with a worker.")
    except AlreadyRunning:
        pass
    try:
        pid, port, practice_port = json.loads((FOLDER / "running.json").read_text())
        return os.pidfd_open(pid), children_environment(port, practice_port)
    except (FileNotFoundError, ValueError, ProcessLookupError):
        raise Failed("The demo is only just starting or stopping. Try again.") from None


def _note_stop_signals() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _note_stop)


def _note_stop(number: int, _frame: FrameType | None) -> None:
    # Only noted: an exception from here could fall between a child's start and our knowing of it.
    _stop_signals.append(number)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def children_environment(port: int, practice_port: int) -> dict[str, str]:
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return (
        kept
        | stored_keys()
        | {
            "ENV_FILE": "",
            "DASHBOARD_URL": f"http://{HOST}:{port}",
            "CLAUDE_API_BASE_URL": f"http://{HOST}:{practice_port}",
            "DATABASE_URL": "sqlite:///var/demo/demo.sqlite3",
            "HOST": HOST,
            "PORT": str(port),
            "PYTHONUNBUFFERED": "1",
        }
        | FEW_PLACES
    )


def stored_keys() -> dict[str, str]:
    """Made once: with others, a second start could not open the stored tokens."""
    path = FOLDER / "keys.json"
    if not path.exists():
        keys = {
            "SECRET_KEY": secrets.token_urlsafe(50),
            "TOKEN_ENCRYPTION_KEYS": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        }
        with open(path, "x", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            json.dump(keys, file)
    stored: dict[str, str] = json.loads(path.read_text())
    return stored


def _manage(environment: dict[str, str], *command: str) -> str:
    """Run a management command to its end and return what it says."""
    done = subprocess.run(  # noqa: S603
        [sys.executable, "manage.py", *command],
        cwd=BASE_DIR,
        env=environment,
        stdout=subprocess.PIPE,
        start_new_session=True,  # Ctrl-C meanwhile: it ends in peace, and then the demo stops
        text=True,
        check=False,
    )
    if _stop_signals:
        raise Stopped
    if done.returncode:
        raise Failed(f"The demo could not be prepared: manage.py {command[0]} failed, see above.")
    return done.stdout


def _start(
    children: Children,
    environment: dict[str, str],
    name: str,
    *command: str,
    stderr: IO[bytes] | None = None,
) -> int:
    return children.start(
        name,
        command,
        cwd=BASE_DIR,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,  # what matters to people is said by _welcome or in the log
        stderr=stderr,
    )


def _check(children: Children) -> None:
    if _stop_signals:
        raise Stopped
    for name, code in children.ended().items():
        if name != _WORKER:
            raise Failed(
                f"The {name} has ended ({described(code)}): the demo stops. Its log: {_log()}"
            )
        if name not in _reported:  # somebody tries what happens without one: the rest goes on
            _reported.add(name)
            print(
                f"\nThe worker has ended ({described(code)}): what is accepted waits. In another "
                "terminal, `make demo-worker` starts one.\n",
                file=sys.stderr,
                flush=True,
            )


def _wait_until_answering(children: Children, ports: dict[str, int]) -> None:
    deadline = time.monotonic() + START_SECONDS
    for name, port in ports.items():
        while not _answers(port):
            _check(children)
            if time.monotonic() > deadline:
                raise Failed(
                    f"The {name} did not answer within {START_SECONDS} seconds. Its log: {_log()}"
                )
            time.sleep(0.1)


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection(HOST, port, timeout=5)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status > 0
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _log() -> str:
    return str(LOG.relative_to(BASE_DIR))


def _welcome(port: int, practice_port: int, worker: int, sign_in: str) -> str:
    people = indent(sign_in.strip(), " " * 4)
    return f"""
The demo is running.

  Dashboard       http://{HOST}:{port}/
  Sign in as
{people}

  Practice API    http://{HOST}:{practice_port}/
    It stands in for claude.ai; nothing in this demo reaches the real endpoint. Its page plays
    the window of an API trigger: give it any routine ID, such as trig_practice_sixth, and it
    shows the URL and the token with which the admin can register a sixth routine.

  Worker          process {worker}
    It sends what waits for its turn: press the slow practice routine in two tabs. Try
    `kill -9 {worker}` meanwhile, and then `make demo-worker` in another terminal: no run is lost,
    none is sent twice, and those that were just being sent are "unknown" after 90 seconds.

  Log             {_log()}

  Ctrl-C stops everything. `make demo-reset` clears what the demo has stored.
"""


if __name__ == "__main__":
    main()
