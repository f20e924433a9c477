"""`make demo`, with its worker killed and started again by hand."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.server.processes import children_of, command_of, copied_product, kill_all, living_in
from tests.server.product import free_port, wait_until

DEMO = [sys.executable, "-m", "dashboard.serving.demo"]


class Demo:
    def __init__(self, process: subprocess.Popen[bytes], port: int, output: Path) -> None:
        self.process, self.url, self._output = process, f"http://127.0.0.1:{port}", output

    @property
    def said(self) -> str:
        return self._output.read_text()

    def worker(self) -> int:
        [pid] = re.findall(r"Worker +process (\d+)", self.said)
        return int(pid)

    def answers(self) -> bool:
        return httpx.get(f"{self.url}/sign-in/").status_code == 200


@contextmanager
def started(command: list[str], folder: Path, output: Path) -> Iterator[subprocess.Popen[bytes]]:
    with output.open("wb") as file:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={"PATH": os.environ["PATH"]},
            stdout=file,
            stderr=file,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        kill_all(lambda: living_in(folder))
        process.wait()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Prepared by the first demo that runs in it."""
    return copied_product(tmp_path_factory.mktemp("demo"))


@contextmanager
def demo(folder: Path, output: Path) -> Iterator[Demo]:
    """A demo that has said that it is running."""
    port = free_port()
    with started([*DEMO, "--port", str(port)], folder, output) as process:
        running = Demo(process, port, output)
        wait_until(lambda: "The demo is running." in running.said or process.poll() is not None)
        assert process.poll() is None, running.said
        yield running


def test_its_worker_may_be_killed_and_another_one_started(folder: Path, tmp_path: Path):
    with demo(folder, tmp_path / "demo") as running:
        log = folder / "var" / "demo" / "log"
        wait_until(lambda: "places=4" in log.read_text())  # the worker's first line
        assert "manage.py worker" in command_of(running.worker())
        os.kill(running.worker(), signal.SIGKILL)
        wait_until(lambda: "The worker has ended (signal 9, Killed)" in running.said)
        assert "`make demo-worker` starts one" in running.said
        assert running.answers()
        more = tmp_path / "more"
        with started([*DEMO, "--worker"], folder, more) as another:
            wait_until(lambda: "The worker is running." in more.read_text())
            running.process.terminate()
            assert running.process.wait(60) == 0
            assert another.wait(60) == 0, "it ends with the demo"
            assert living_in(folder) == []
    assert running.said.count("The worker has ended") == 1
    assert " INFO " not in running.said, "what it says at its start stays in view"
    assert "The demo has stopped." in running.said


def test_without_a_demo_there_is_nothing_to_work_for(folder: Path, tmp_path: Path):
    with started([*DEMO, "--worker"], folder, tmp_path / "output") as process:
        assert process.wait(60) == 1
    assert (tmp_path / "output").read_text().startswith("The demo is not running:")


def test_it_ends_when_one_of_the_others_dies(folder: Path, tmp_path: Path):
    with demo(folder, tmp_path / "demo") as running:
        [gunicorn] = [
            pid for pid in children_of(running.process.pid) if "gunicorn" in command_of(pid)
        ]
        os.kill(gunicorn, signal.SIGKILL)
        assert running.process.wait(60) == 1
        assert "The dashboard has ended (signal 9, Killed): the demo stops." in running.said
        assert "Its log: var/demo/log" in running.said
        assert living_in(folder) == []


def test_nobody_is_left_when_it_is_killed(folder: Path, tmp_path: Path):
    with demo(folder, tmp_path / "demo") as running:
        running.process.kill()
        wait_until(lambda: not living_in(folder))
