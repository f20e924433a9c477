"""The real web server and the real worker under one command, with a fire under way."""

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.server.endpoint import listening
from tests.server.processes import Whole, together
from tests.server.product import Database, wait_until
from tests.server.seed import SLUG
from tests.server.test_stopping import pressing
from tests.server.workers import accept


def ask(whole: Whole) -> None:
    whole.process.terminate()


def kill_starter(whole: Whole) -> None:
    whole.process.kill()


def kill_web_server(whole: Whole) -> None:
    os.kill(whole.pid_of("gunicorn"), signal.SIGKILL)


def kill_worker(whole: Whole) -> None:
    os.kill(whole.pid_of("manage.py worker"), signal.SIGKILL)


ENDS: dict[str, tuple[Callable[[Whole], None], int, str]] = {
    "asked to stop": (ask, 0, ""),
    "starter killed": (kill_starter, -signal.SIGKILL, ""),
    "web server killed": (kill_web_server, 1, "The web server has ended (signal 9, Killed)"),
    "worker killed": (kill_worker, 1, "The worker has ended (signal 9, Killed)"),
}


@pytest.mark.parametrize(("end", "code", "sentence"), ENDS.values(), ids=ENDS)
def test_a_fire_in_flight_finishes_and_nobody_is_left(
    database: Database, tmp_path: Path, end: Callable[[Whole], None], code: int, sentence: str
):
    with (
        listening() as (endpoint, url),
        together(database, url, tmp_path, LOG_FORMAT="json") as whole,
    ):
        visitor = whole.visitor()
        fields = visitor.form(SLUG)
        with endpoint.holding(), pressing(visitor, fields) as press:
            wait_until(lambda: endpoint.requests == 1)
            end(whole)
            wait_until(lambda: not whole.pids("manage.py worker"))
            assert not press.done()
        answered = press.result(60)
        assert whole.process.wait(60) == code
        wait_until(lambda: not whole.living())
        [session] = endpoint.sessions
        last = json.loads(whole.log.read_text().splitlines()[-1])
    assert session.session_url in answered.text
    assert database.rows("SELECT state, session_url FROM routines_run") == [
        ("started", session.session_url)
    ]
    assert sentence in last["message"]


def test_what_gunicorn_itself_starts_anew_ends_nothing(database: Database, tmp_path: Path):
    with listening() as (_, url), together(database, url, tmp_path) as whole:
        visitor = whole.visitor()
        before = whole.workers()
        whole.kill_workers()
        wait_until(lambda: whole.workers() and not set(before) & set(whole.workers()))
        assert visitor.client.get("/history/").status_code == 200
        assert whole.process.poll() is None


@pytest.mark.parametrize("end", [ask, kill_starter, kill_web_server])
def test_what_the_worker_has_in_flight_finishes_and_nobody_is_left(
    database: Database, tmp_path: Path, end: Callable[[Whole], None]
):
    with listening() as (endpoint, url), together(database, url, tmp_path) as whole:
        with endpoint.holding():
            accept(database, 1)
            wait_until(lambda: endpoint.requests == 1)
            end(whole)
            wait_until(lambda: not whole.pids("gunicorn"))
            assert whole.pids("manage.py worker")
        wait_until(lambda: not whole.living())
        [session] = endpoint.sessions
    assert database.rows("SELECT state, session_url FROM routines_run") == [
        ("started", session.session_url)
    ]
