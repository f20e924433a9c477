"""Two processes under one command: whoever is asked, dies or is killed, nobody is left behind."""

import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest

from tests.server.processes import children_of, command_of, kill_all, marked, with_mark
from tests.server.product import wait_until

START = """
import json, sys
from dashboard.serving.starter import run
commands, patience = json.loads(sys.argv[1]), float(sys.argv[2])
sys.exit(run(commands, patience=patience, say=lambda sentence: print(sentence, file=sys.stderr)))
"""


class Pair:
    """Two stand-ins, `web` and `worker`, and what starts them."""

    def __init__(self, starter: subprocess.Popen[str], folder: Path, mark: str) -> None:
        self.starter, self._folder, self._mark = starter, folder, mark

    def pid_of(self, name: str) -> int:
        return int(self._diary(name)[0])

    def received(self, name: str) -> list[str]:
        return self._diary(name)[1:]

    def kill(self, name: str) -> None:
        os.kill(self.pid_of(name), signal.SIGKILL)

    def has_started(self, name: str) -> bool:
        return bool(self._diary(name))

    def nobody_is_left(self) -> bool:
        return not marked(self._mark)

    def _diary(self, name: str) -> list[str]:
        path = self._folder / name
        return path.read_text().splitlines() if path.exists() else []


@contextmanager
def started(
    folder: Path,
    *,
    web: str = "",
    worker: str = "",
    patience: float = 60,
    before: list[str] | None = None,
    terminal: int | None = None,
) -> Iterator[Pair]:
    """Both are up. web, worker: their manner, of tests/server/stand_in.py."""
    mark = uuid4().hex
    stand_in = [sys.executable, "-m", "tests.server.stand_in"]
    commands = {
        name: [*stand_in, str(folder / name), *filter(None, [manner])]
        for name, manner in (("web", web), ("worker", worker))
    }
    starter = subprocess.Popen(
        [*(before or []), sys.executable, "-c", START, json.dumps(commands), str(patience)],
        env={"PATH": os.environ["PATH"]} | with_mark(mark),
        stdin=terminal,
        stderr=subprocess.PIPE,
        text=True,
        # On a terminal of its own, as setsid and its first terminal make it.
        start_new_session=terminal is None,
        preexec_fn=None if terminal is None else (lambda: os.login_tty(terminal)),
    )
    pair = Pair(starter, folder, mark)
    try:
        wait_until(lambda: pair.has_started("web") and pair.has_started("worker"))
        yield pair
    finally:
        kill_all(lambda: marked(mark))
        starter.communicate()


def said(pair: Pair) -> tuple[int, list[str]]:
    """The starter's exit code and its lines, when it has ended and nobody is left."""
    _, lines = pair.starter.communicate(timeout=60)
    assert pair.nobody_is_left()
    return pair.starter.returncode, lines.splitlines()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_asked_to_stop_it_stops_both_in_order(tmp_path: Path, number: int):
    with started(tmp_path) as pair:
        pair.starter.send_signal(number)
        assert said(pair) == (0, [])
        assert pair.received("web") == pair.received("worker") == ["SIGTERM"]


@pytest.mark.parametrize(("dead", "other"), [("web", "worker"), ("worker", "web")])
def test_one_that_is_killed_takes_the_other_along_in_order(tmp_path: Path, dead: str, other: str):
    with started(tmp_path) as pair:
        pair.kill(dead)
        assert said(pair) == (
            1,
            [f"The {dead} has ended (signal 9, Killed), so everything was stopped."],
        )
        assert pair.received(other) == ["SIGTERM"]


def test_whoever_a_dead_one_has_started_is_waited_for(tmp_path: Path):
    """gunicorn's workers, whose fires in flight finish when gunicorn itself is killed."""
    with started(tmp_path, web="--leader") as pair:
        wait_until(lambda: pair.has_started("web-led"))
        pair.kill("web")
        wait_until(lambda: pair.received("web-led") == ["SIGTERM"])
        assert pair.pid_of("web-led") in children_of(pair.starter.pid)
        os.kill(pair.pid_of("web-led"), signal.SIGHUP)
        assert said(pair)[0] == 1


def test_one_that_ends_by_itself_is_missed_however_well_it_ended(tmp_path: Path):
    with started(tmp_path, worker="--stubborn") as pair:
        os.kill(pair.pid_of("worker"), signal.SIGHUP)
        code, lines = said(pair)
        assert (code, lines[-1]) == (
            1,
            "The worker has ended (exit code 0), so everything was stopped.",
        )
        assert pair.received("web") == ["SIGTERM"]


def test_when_the_starter_is_killed_both_end_in_order(tmp_path: Path):
    with started(tmp_path) as pair:
        pair.starter.kill()
        wait_until(pair.nobody_is_left)
        assert pair.received("web") == pair.received("worker") == ["SIGTERM"]


def test_whoever_does_not_stop_in_time_is_killed_and_named(tmp_path: Path):
    with started(tmp_path, web="--stubborn", worker="--stubborn", patience=0.1) as pair:
        pair.starter.terminate()
        assert said(pair) == (
            1,
            [
                "The web did not stop in order (signal 9, Killed).",
                "The worker did not stop in order (signal 9, Killed).",
            ],
        )


def test_what_is_ignored_from_outside_stays_ignored(tmp_path: Path):
    with started(tmp_path, before=["nohup"]) as pair:
        pair.starter.send_signal(signal.SIGHUP)
        pair.kill("worker")
        assert said(pair) == (
            1,
            ["The worker has ended (signal 9, Killed), so everything was stopped."],
        )


def test_more_of_the_same_signal_from_a_supervisor_hurries_nobody(tmp_path: Path):
    """`make` and a shell hand them on, so that they come twice."""
    with started(tmp_path, web="--stubborn") as pair:
        pair.starter.terminate()
        wait_until(lambda: pair.received("web") and pair.received("worker"))
        pair.starter.terminate()
        pair.starter.send_signal(signal.SIGHUP)
        os.kill(pair.pid_of("web"), signal.SIGHUP)  # whose work is done now
        assert said(pair) == (0, [])


def test_ctrl_c_on_a_terminal_stops_in_order_and_a_second_one_at_once(tmp_path: Path):
    keyboard, terminal = pty.openpty()
    try:
        with started(tmp_path, web="--stubborn", terminal=terminal) as pair:
            os.write(keyboard, b"\x03")
            wait_until(lambda: pair.received("web") == pair.received("worker") == ["SIGTERM"])
            wait_until(lambda: not command_of(pair.pid_of("worker")))
            assert pair.starter.poll() is None
            os.write(keyboard, b"\x03")
            assert said(pair) == (1, [])
            assert pair.received("web") == ["SIGTERM"], "a Ctrl-C is for the starter alone"
        shown = os.read(keyboard, 10_000).decode()
    finally:
        os.close(keyboard)
        os.close(terminal)
    assert "Ctrl-C again stops at once." in shown
    assert shown.strip().endswith("The web did not stop in order (signal 9, Killed).")
