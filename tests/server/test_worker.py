"""The worker as a process: what it is told by signals, and several of them beside each other."""

import signal
from collections import Counter
from pathlib import Path

import pytest

from routines.practice_api import PracticeApi
from tests.server.endpoint import Endpoint, listening
from tests.server.product import Database, wait_until
from tests.server.seed import SLUG
from tests.server.workers import accept, working

SETTINGS = {"FIRE_TIMEOUT": "60", "FIRES_IN_FLIGHT": "4"}


def states(database: Database) -> Counter[str]:
    return Counter(state for state, _ in database.states())


def assert_the_books_agree(database: Database, endpoint: Endpoint) -> None:
    ours = database.rows("SELECT text, session_url FROM routines_run WHERE state = 'started'")
    theirs = [(one.text, one.session_url) for one in endpoint.sessions]
    assert sorted(ours) == sorted(theirs)


def test_three_processes_send_each_run_once(database: Database, tmp_path: Path):
    with (
        listening(delay=0.05) as (endpoint, url),
        working(database, url, tmp_path, **SETTINGS),
        working(database, url, tmp_path, **SETTINGS),
        working(database, url, tmp_path, **SETTINGS),
    ):
        accept(database, 60)
        wait_until(lambda: states(database) == {"started": 60})
    assert endpoint.requests == 60
    assert_the_books_agree(database, endpoint)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_lets_the_fires_in_flight_finish(
    database: Database, tmp_path: Path, number: signal.Signals
):
    with listening() as (endpoint, url), working(database, url, tmp_path, **SETTINGS) as worker:
        with endpoint.holding():
            accept(database, 6)
            wait_until(lambda: endpoint.requests == 3)  # of four places one is kept back
            worker.process.send_signal(number)
            accept(database, 1)
            assert worker.process.poll() is None
        assert worker.process.wait(60) == 0
    assert states(database) == {"started": 3, "accepted": 4}
    assert_the_books_agree(database, endpoint)
    assert database.rows("SELECT name FROM routines_worker") == []
    *_, last = worker.log.strip().split("\n")
    assert " stop fires_waited_for=3 " in last


def test_a_second_ctrl_c_ends_it_at_once_and_a_second_sigterm_does_not(
    database: Database, tmp_path: Path
):
    with (
        listening() as (endpoint, url),
        working(database, url, tmp_path, **SETTINGS) as worker,
        endpoint.holding(),
    ):
        accept(database, 1)
        wait_until(lambda: endpoint.requests == 1)
        worker.process.send_signal(signal.SIGTERM)
        wait_until(lambda: "stopping" in worker.log)
        worker.process.send_signal(signal.SIGTERM)
        assert states(database) == {"sending": 1}
        assert worker.process.poll() is None
        worker.process.send_signal(signal.SIGINT)
        assert worker.process.wait(60) == 1
    assert states(database) == {"sending": 1}


def test_what_a_killed_one_leaves_waiting_the_next_one_sends(database: Database, tmp_path: Path):
    with listening() as (endpoint, url):
        with working(database, url, tmp_path, **SETTINGS) as worker, endpoint.holding():
            accept(database, 6)
            wait_until(lambda: endpoint.requests == 3)
            worker.process.kill()
            worker.process.wait()
        with working(database, url, tmp_path, **SETTINGS):
            wait_until(lambda: states(database) == {"sending": 3, "started": 3})
    assert endpoint.requests == 6


def test_its_log_says_what_it_is_and_holds_no_secret(database: Database, tmp_path: Path):
    with listening() as (_, url), working(database, url, tmp_path, **SETTINGS) as worker:
        accept(database, 2)
        wait_until(lambda: states(database) == {"started": 2})
        assert worker.stop() == 0
    [started] = [line for line in worker.log.split("\n") if " start " in line]
    assert "process=worker" in started
    assert "places=4" in started
    assert f"endpoint={url.removeprefix('http://')}" in started
    routine = f"SELECT routine_id FROM routines_routine WHERE slug = '{SLUG}'"  # noqa: S608
    [(routine_id,)] = database.rows(routine)
    assert PracticeApi().token_for(routine_id) not in worker.log
    assert "only-for-tests" not in worker.log
    assert "Traceback" not in worker.log


def test_a_database_that_is_restarted_under_load_loses_and_doubles_nothing(
    database: Database, tmp_path: Path
):
    if database.is_sqlite:
        pytest.skip("SQLite has no server.")
    cut = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    with (
        listening(delay=0.05) as (endpoint, url),
        working(database, url, tmp_path, **SETTINGS) as worker,
    ):
        accept(database, 60)
        for number in (5, 20, 35):
            wait_until(lambda number=number: endpoint.requests >= number)
            asked = endpoint.requests
            database.rows(cut)
            # An outcome is recorded at the second try at the latest: none meets two cuts.
            wait_until(lambda asked=asked: states(database)["started"] >= asked)
        wait_until(lambda: not states(database)["accepted"])
        assert worker.stop() == 0
    # A claim whose commit was cut off is sent by nobody.
    assert states(database).keys() <= {"started", "sending"}
    assert states(database)["started"] == endpoint.requests == len(endpoint.sessions)
    assert_the_books_agree(database, endpoint)
