"""Workers on hosts whose clocks differ or are set, a database that is restarted, an endpoint that
hangs: both sides' books agree all the same. Longer, and all at once: `make crash-proof`."""

import os
import signal
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.server.books import read
from tests.server.cluster import own_cluster
from tests.server.endpoint import listening
from tests.server.hosts import hosts
from tests.server.product import Database, manage, new_database, wait_until
from tests.server.workers import (
    accept,
    by_another_clock,
    running,
    working,
    working_by_another_clock,
)

SETTINGS = {"FIRE_TIMEOUT": "30", "FIRES_IN_FLIGHT": "4"}
APART = 15.0  # seconds, each way
SETTLE = "from routines.runs import overdue; overdue.settle()"


def states(database: Database) -> Counter[str]:
    return Counter(state for state, _ in database.states())


def test_two_workers_whose_clocks_are_30_seconds_apart(database: Database, tmp_path: Path):
    with (
        listening(delay=0.05) as (endpoint, url),
        working_by_another_clock(APART, database, url, tmp_path, **SETTINGS) as ahead,
        working_by_another_clock(-APART, database, url, tmp_path, **SETTINGS) as behind,
    ):
        accept(database, 30)
        wait_until(lambda: states(database) == {"started": 30})
        assert read(database, endpoint).faults() == []
        assert ahead.stop() == behind.stop() == 0


def test_a_clock_that_is_set_back_by_an_hour_while_runs_wait_and_are_sent(
    database: Database, tmp_path: Path
):
    with (
        listening() as (endpoint, url),
        working_by_another_clock(APART, database, url, tmp_path, **SETTINGS) as worker,
    ):
        with endpoint.holding():
            accept(database, 6)
            wait_until(lambda: endpoint.requests == 3)  # of four places one is kept back
            worker.process.send_signal(signal.SIGUSR1)
            accept(database, 2)
        wait_until(lambda: states(database) == {"started": 8})
        assert read(database, endpoint).faults() == []


def test_an_endpoint_that_never_answers(database: Database, tmp_path: Path):
    settings = SETTINGS | {"FIRE_TIMEOUT": "1"}
    with listening() as (endpoint, url), working(database, url, tmp_path, **settings):
        with endpoint.holding():
            accept(database, 6)
            wait_until(lambda: states(database) == {"unknown": 6})
        accept(database, 1)
        wait_until(lambda: states(database) == {"unknown": 6, "started": 1})
        assert read(database, endpoint, interrupted=(6, 6)).faults() == []


def test_a_database_server_that_is_restarted_while_runs_are_accepted_and_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    if not os.environ.get("TEST_DATABASE_URL"):
        pytest.skip("SQLite has no server.")
    with own_cluster() as cluster, listening(delay=0.05) as (endpoint, url):
        monkeypatch.setenv("TEST_DATABASE_URL", cluster.url)
        with new_database(tmp_path) as database:
            accept(database, 20)
            with working(database, url, tmp_path, **SETTINGS) as worker:
                wait_until(lambda: endpoint.requests >= 5)
                cluster.restart("immediate")
                accept(database, 1)
                wait_until(lambda: not states(database)["accepted"])
                assert worker.stop() == 0
            # A claim whose commit was cut off is sent by nobody.
            database.age_all_runs()
            manage(database, url, "shell", "--command", SETTLE)
            assert states(database).keys() <= {"started", "unknown"}
            in_flight = int(SETTINGS["FIRES_IN_FLIGHT"])
            assert read(database, endpoint, interrupted=(0, in_flight)).faults() == []


def test_two_hosts_of_which_one_is_cut_off_from_the_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """It can record no answer and claim nothing; the other one goes on; then it is whole again."""
    if not os.environ.get("TEST_DATABASE_URL"):
        pytest.skip("An SQLite file belongs to one host.")
    with ExitStack() as stack:
        cluster = stack.enter_context(own_cluster())
        one, other = stack.enter_context(hosts(2))
        endpoint, url = stack.enter_context(listening(delay=0.05))
        monkeypatch.setenv("TEST_DATABASE_URL", cluster.url)
        database = stack.enter_context(new_database(tmp_path))
        for host, fast in ((one, APART), (other, -APART)):
            name = database.url.rpartition("/")[2]
            seen = Database(cluster.url_at(host.gateway, name))  # by the host
            command = [*host.command, *by_another_clock(fast)]
            there = stack.enter_context(host.relay(url))
            stack.enter_context(running(command, seen, there, tmp_path, **SETTINGS))
        with ExitStack() as cut:
            with endpoint.holding():
                accept(database, 20)
                wait_until(lambda: endpoint.requests == 6)  # of four places each keeps one back
                cut.enter_context(one.cut_off())
            wait_until(lambda: states(database) == {"started": 17, "sending": 3})
            assert endpoint.requests == 20
        wait_until(lambda: states(database) == {"started": 20})
        assert read(database, endpoint).faults() == []
