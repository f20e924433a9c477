"""The process may die, and the database may go, at any point: no run lost, none sent twice."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import psycopg
import pytest

from tests.hostile import HostileServer
from tests.server.endpoint import KeptAnswer, full_listener, listening
from tests.server.product import Database, Product, Visitor, runs_in, serving, wait_until
from tests.server.seed import SLUG

INTERRUPTED = [("unknown", "interrupted")]


@contextmanager
def pressing(visitor: Visitor, fields: dict[str, str]) -> Iterator[Future[httpx.Response]]:
    """A press under way in another thread."""
    pool = ThreadPoolExecutor(1)
    try:
        yield pool.submit(visitor.press, SLUG, fields)
    finally:
        pool.shutdown(wait=False)


def settled_after_a_restart(
    database: Database, endpoint: str, folder: Path, fields: dict[str, str]
) -> list[tuple[str, str]]:
    """What the next look at a page finds, and another press of the same form leaves."""
    database.age_all_runs()
    with serving(database, endpoint, folder) as product:
        visitor = product.visitor()
        assert visitor.client.get("/history/").status_code == 200
        token = visitor.form(SLUG)["csrfmiddlewaretoken"]  # signing in has made a new one
        again = visitor.press(SLUG, fields, csrfmiddlewaretoken=token)
        [(pk,)] = database.rows("SELECT id FROM routines_run")
        assert runs_in(again) == {pk}
    return database.states()


def test_a_polite_stop_lets_a_fire_finish(database: Database, tmp_path: Path):
    with listening() as (endpoint, url), serving(database, url, tmp_path) as product:
        visitor = product.visitor()
        fields = visitor.form(SLUG)
        with endpoint.holding(), pressing(visitor, fields) as press:
            wait_until(lambda: endpoint.requests == 1)
            product.stop()
            assert not press.done()
        answered = press.result(60)
        assert product.process.wait(60) == 0
        [session] = endpoint.sessions
    assert session.session_url in answered.text
    assert database.rows("SELECT state, session_url FROM routines_run") == [
        ("started", session.session_url)
    ]


def test_a_stop_reaches_a_worker_that_is_only_just_forked(database: Database, tmp_path: Path):
    forked = tmp_path / "forked"
    config = {"config": "tests.server.held_when_forked", "FORKED": str(forked)}
    with (
        listening() as (_, url),
        serving(database, url, tmp_path, WEB_WORKERS="2", FIRE_TIMEOUT="1", **config) as product,
    ):
        wait_until(forked.exists)
        product.stop()
        wait_until(lambda: len(product.workers()) == 1)  # so they have been told
        forked.unlink()
        assert product.process.wait(90) == 0
        assert product.log.read_text().count("Worker exiting") == 2


@pytest.mark.parametrize("whole", [False, True], ids=["worker", "server"])
def test_killed_before_the_request(database: Database, tmp_path: Path, whole: bool):
    with full_listener() as nowhere, listening() as (endpoint, url):
        with serving(database, nowhere.url, tmp_path, WEB_WORKERS="1") as product:
            visitor = product.visitor()
            fields = visitor.form(SLUG)
            with pressing(visitor, fields) as press:
                wait_until(lambda: database.states() == [("sending", "sending")])
                _kill(product, whole)
                assert isinstance(press.exception(60), httpx.TransportError)
        assert settled_after_a_restart(database, url, tmp_path, fields) == INTERRUPTED
        assert endpoint.requests == 0


@pytest.mark.parametrize("whole", [False, True], ids=["worker", "server"])
def test_killed_while_it_waits_for_the_answer(database: Database, tmp_path: Path, whole: bool):
    with listening() as (endpoint, url):
        with serving(database, url, tmp_path, WEB_WORKERS="1") as product:
            visitor = product.visitor()
            fields = visitor.form(SLUG)
            with endpoint.holding(), pressing(visitor, fields) as press:
                wait_until(lambda: endpoint.requests == 1)
                _kill(product, whole)
                assert isinstance(press.exception(60), httpx.TransportError)
        assert settled_after_a_restart(database, url, tmp_path, fields) == INTERRUPTED
        assert endpoint.requests == 1


@pytest.mark.parametrize("whole", [False, True], ids=["worker", "server"])
def test_killed_after_the_answer_and_before_the_write(
    database: Database, tmp_path: Path, whole: bool
):
    kept = KeptAnswer()
    with HostileServer(kept) as endpoint:
        with serving(database, endpoint.url, tmp_path, WEB_WORKERS="1") as product:
            visitor = product.visitor()
            fields = visitor.form(SLUG)
            with pressing(visitor, fields) as press:
                assert kept.arrived.wait(60)
                with database.locked():
                    kept.may_leave.set()
                    assert kept.was_read.wait(60)
                    if not database.is_sqlite:
                        database.wait_for_a_write()
                    assert not press.done()
                    _kill(product, whole)
                    assert isinstance(press.exception(60), httpx.TransportError)
        # PostgreSQL has the statement already, and carries it out when it may.
        expected = INTERRUPTED if database.is_sqlite else [("started", "session_created")]
        assert settled_after_a_restart(database, endpoint.url, tmp_path, fields) == expected
        assert endpoint.requests == 1


def _kill(product: Product, whole: bool) -> None:
    if whole:
        product.kill()
    else:
        product.kill_workers()


def test_a_late_answer_upgrades_a_run_that_was_shown_as_unknown(database: Database, tmp_path: Path):
    with listening() as (endpoint, url), serving(database, url, tmp_path) as product:
        visitor = product.visitor()
        fields = visitor.form(SLUG)
        with endpoint.holding(), pressing(visitor, fields) as press:
            wait_until(lambda: endpoint.requests == 1)
            database.age_all_runs()
            assert visitor.client.get("/history/").status_code == 200
            assert database.states() == INTERRUPTED
        press.result(60)
    assert database.states() == [("started", "session_created")]


def test_a_database_that_breaks_before_the_write_loses_no_session(
    database: Database, tmp_path: Path
):
    with listening() as (endpoint, url), serving(database, url, tmp_path) as product:
        visitor = product.visitor()
        fields = visitor.form(SLUG)
        with ExitStack() as broken:
            with endpoint.holding(), pressing(visitor, fields) as press:
                wait_until(lambda: endpoint.requests == 1)
                broken.enter_context(_broken(database))
            answered = press.result(60)
        [session] = endpoint.sessions
        log = product.log.read_text()
    [(pk,)] = database.rows("SELECT id FROM routines_run")
    assert answered.status_code == 200
    assert session.session_url in answered.text
    assert f"run {pk}" in answered.text
    [line] = [line for line in log.splitlines() if "CRITICAL" in line]
    assert f"run {pk}:" in line
    assert session.session_url in line


@contextmanager
def _broken(database: Database) -> Iterator[None]:
    """No write gets through: SQLite has lost the table, PostgreSQL takes no connection."""
    if database.is_sqlite:
        database.write("ALTER TABLE routines_run RENAME TO hidden")
        yield
        database.write("ALTER TABLE hidden RENAME TO routines_run")
        return
    server, _, name = database.url.rpartition("/")
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name]
        )
        yield
        connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")


def test_a_database_that_restarts_meanwhile_takes_the_answer(database: Database, tmp_path: Path):
    with (
        listening() as (endpoint, url),
        serving(database, url, tmp_path, WEB_WORKERS="1") as product,
    ):
        visitor = product.visitor()
        _open_connections(database, visitor)
        fields = visitor.form(SLUG)
        with endpoint.holding(), pressing(visitor, fields) as press:
            wait_until(lambda: endpoint.requests == 1)
            _close_connections(database)
        answered = press.result(60)
        assert visitor.client.get("/history/").status_code == 200
        [session] = endpoint.sessions
    assert session.session_url in answered.text
    assert database.rows("SELECT state, session_url FROM routines_run") == [
        ("started", session.session_url)
    ]


def _open_connections(database: Database, visitor: Visitor) -> None:
    """Look at pages at once until the product has several; SQLite has no server to connect to."""
    with ThreadPoolExecutor(6) as pool:
        wait_until(
            lambda: (
                all(pool.map(visitor.client.get, ["/history/"] * 12))
                and (database.is_sqlite or len(_connections(database)) > 3)
            )
        )


def _close_connections(database: Database) -> None:
    """As a server does that is restarted."""
    if not database.is_sqlite:
        for (pid,) in _connections(database):
            database.rows(f"SELECT pg_terminate_backend({pid})")


def _connections(database: Database) -> list[tuple[int]]:
    others = "datname = current_database() AND pid <> pg_backend_pid()"
    return database.rows(f"SELECT pid FROM pg_stat_activity WHERE {others}")  # noqa: S608
