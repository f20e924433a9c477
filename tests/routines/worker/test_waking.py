import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing

import psycopg
import pytest
from django.db import connection

from routines.models import Tag
from routines.runs.queue import CHANNEL
from routines.worker.waking import Bell, DataVersion, News, Notices, news
from tests.server.product import wait_until

pytestmark = pytest.mark.usefixtures("transactional_db")


@pytest.fixture
def bell() -> Iterator[Bell]:
    with closing(Bell()) as made:
        yield made


@pytest.fixture
def found() -> Iterator[News]:
    with closing(news()) as made:
        made.arrived()  # whatever was there before
        yield made


def only(vendor: str) -> None:
    if connection.vendor != vendor:
        pytest.skip(f"This is about {vendor}.")


def accept_elsewhere() -> None:
    """As another process does: a committed change, and on PostgreSQL the notice of it."""

    def act() -> None:
        try:
            Tag.objects.create(name=f"tag {time.monotonic_ns()}")
            if connection.vendor == "postgresql":
                with connection.cursor() as cursor:
                    cursor.execute(f"NOTIFY {CHANNEL}")
        finally:
            connection.close()

    thread = threading.Thread(target=act)
    thread.start()
    thread.join()


def test_a_bell_that_was_rung_before_ends_the_wait_once(bell: Bell):
    bell.ring()
    bell.ring()
    assert bell.wait(60)
    assert not bell.wait(0)


def test_a_bell_ends_a_wait_in_another_thread(bell: Bell):
    waited: list[bool] = []
    waiting = threading.Thread(target=lambda: waited.append(bell.wait(60)))
    waiting.start()
    bell.ring()
    waiting.join(60)
    assert waited == [True]


def test_a_bell_may_be_rung_any_number_of_times(bell: Bell):
    for _ in range(200_000):
        bell.ring()
    while bell.wait(0):
        pass


def test_what_another_process_accepts_is_news_once(found: News):
    assert not found.arrived()
    accept_elsewhere()
    wait_until(found.arrived)
    assert not found.arrived()


def test_a_notice_ends_the_bells_wait(found: News, bell: Bell):
    only("postgresql")
    accept_elsewhere()
    assert bell.wait(60, found.descriptor())


def test_news_are_asked_for_as_often_as_a_run_may_wait(found: News):
    if connection.vendor == "sqlite":
        assert found.every <= 0.1
    else:
        assert found.descriptor() is not None
        assert found.poll <= 1


def test_a_connection_that_was_cut_is_made_again_and_what_was_missed_is_looked_for(found: News):
    only("postgresql")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND query LIKE 'LISTEN%%'"
        )
    wait_until(lambda: found.arrived() and found.descriptor() is None)
    assert found.arrived()  # it listens again, and something may have been accepted meanwhile
    assert not found.arrived()
    accept_elsewhere()
    wait_until(found.arrived)


def test_a_server_that_is_away_is_asked_again_after_growing_pauses(
    monkeypatch: pytest.MonkeyPatch,
):
    only("postgresql")
    tries: list[float] = []

    def refuse(**_: object) -> None:
        tries.append(time.monotonic())
        raise psycopg.OperationalError("connection refused")

    monkeypatch.setattr(psycopg, "connect", refuse)
    found = Notices()
    assert not found.arrived()
    assert not found.arrived()
    assert len(tries) == 1
    assert found.descriptor() is None
    wait_until(lambda: found.arrived() or len(tries) == 2)
    assert tries[1] - tries[0] >= 1


def test_a_file_that_was_put_in_the_databases_place_is_read_anew(tmp_path, monkeypatch):
    only("sqlite")
    for name in ("one", "two"):
        with closing(sqlite3.connect(tmp_path / name)) as made:
            made.execute("CREATE TABLE filled (a)")
    monkeypatch.setitem(connection.settings_dict, "NAME", str(tmp_path / "one"))
    with closing(DataVersion()) as found:
        assert found.arrived()
        assert not found.arrived()
        (tmp_path / "two").replace(tmp_path / "one")
        assert found.arrived()
        assert not found.arrived()
        with closing(sqlite3.connect(tmp_path / "one")) as other:
            other.execute("INSERT INTO filled VALUES (1)")
            other.commit()
        assert found.arrived()


def test_a_database_that_is_not_there_yet_is_no_news_and_none_is_made(tmp_path, monkeypatch):
    only("sqlite")
    path = tmp_path / "none"
    monkeypatch.setitem(connection.settings_dict, "NAME", str(path))
    with closing(DataVersion()) as found:
        assert not found.arrived()
    assert not path.exists()
