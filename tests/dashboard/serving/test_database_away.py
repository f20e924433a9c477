"""With the database away, or locked: 503 with a sentence, soon, and nothing is lost."""

import logging
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings as django_settings
from django.db import OperationalError, connection
from django.test import Client

from dashboard.environment import Environment
from dashboard.serving import logs
from dashboard.serving.logs import LogFormatter
from routines import patience
from routines.models import Person
from routines.runs import firing
from tests.dashboard.browsing import HTMX, Page, fire_url, signed_in
from tests.factories import create_routine, create_teammate

AWAY = "The database does not answer"


@pytest.fixture
def visitor(teammate: Person) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(teammate)
    return client


@pytest.fixture
def asked(visitor: Client) -> Iterator[list[str]]:
    """The database is away; every statement that was tried all the same."""
    tried: list[str] = []

    def fail(_execute: Callable[..., Any], sql: str, *_more: Any) -> Any:
        tried.append(sql)
        raise OperationalError("connection refused\nIs the server running?")

    with connection.execute_wrapper(fail):
        yield tried


@pytest.mark.parametrize("url", ["/", "/history/", "/insight/", "/audit/", "/sign-in/"])
def test_a_page_says_so_after_the_first_attempt(visitor, asked, url):
    """Each attempt may wait for as long as the pool lets it."""
    response = visitor.get(url)
    assert response.status_code == (200 if url == "/sign-in/" and not asked else 503)
    if asked:
        assert len(asked) == 1
        assert response.headers["Retry-After"] == "5"
        assert Page(response).find("h1")[0].text == AWAY
        assert Page(response).find("code")[0].text == response.headers["X-Request-ID"]


def test_what_was_typed_comes_back(visitor, asked):
    response = visitor.post("/routines/any/fire/", {"text": "Look into it."})
    assert response.status_code == 503
    assert Page(response).says("Look into it.")
    assert Page(response).says("look at the history first")


@pytest.mark.usefixtures("asked")
def test_for_htmx_it_is_a_notice_and_the_page_stays(visitor):
    response = visitor.get("/history/", headers=HTMX)
    assert (response.status_code, response.headers["HX-Retarget"]) == (503, "#notice")
    assert Page(response).says(AWAY)


@pytest.mark.usefixtures("asked")
def test_for_machines_it_is_json(visitor):
    response = visitor.get("/history/", headers={"Accept": "application/json"})
    assert response.status_code == 503
    assert response.json()["error"]["type"] == "database_unavailable"
    assert AWAY in response.json()["error"]["message"]


@pytest.mark.usefixtures("asked")
def test_the_log_has_one_line_with_the_reason_and_no_traceback(visitor, caplog):
    visitor.get("/history/")
    [record] = [one for one in caplog.records if one.name == "django.request"]
    [line] = LogFormatter(json_lines=False).format(record).splitlines()
    assert 'reason="connection refused"' in line
    assert "Service Unavailable: /history/" in line


def test_no_page_waits_longer_than_two_seconds_for_a_connection(monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://user@127.0.0.1:5432/name")
    database = Environment(django_settings.BASE_DIR).database("DATABASE_URL", "", threads=2)
    assert database["OPTIONS"]["pool"]["timeout"] <= 2
    assert patience.PAGE <= 2


@pytest.fixture
def locked(transactional_db: None) -> Iterator[Callable[[], object]]:
    """From the call on, another process is writing and does not stop."""
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL locks rows")
    connection.ensure_connection()
    name = connection.settings_dict["NAME"]
    with closing(sqlite3.connect(name, isolation_level=None)) as other:
        yield lambda: other.execute("BEGIN IMMEDIATE")
        if other.in_transaction:
            other.execute("ROLLBACK")


def test_a_press_that_meets_a_locked_database_is_told_and_sends_nothing(
    locked, practice, monkeypatch
):
    """Each statement waits for as long as a press may; here for no time."""
    waits: list[float] = []
    at_most = patience.at_most

    def for_no_time(seconds: float) -> Any:
        waits.append(seconds)
        return at_most(0)

    monkeypatch.setattr(patience, "at_most", for_no_time)
    person = create_teammate()
    routine = create_routine()
    client = signed_in(person)
    fields = Page(client.get("/")).fields(fire_url(routine))
    locked()
    response = client.post(fire_url(routine), fields, headers=HTMX)
    assert response.status_code == 503
    assert Page(response).says("The database cannot be written at the moment. Nothing was sent.")
    assert practice.requests == 0
    assert max(waits) <= 5


def test_an_outcome_waits_longer_than_a_page_and_is_recorded(locked, practice):
    """The lock lasts until the answer is there and is waited for."""
    busy: list[int] = []

    def look(execute: Callable[..., Any], sql: str, *more: Any) -> Any:
        if sql.startswith("UPDATE") and '"routines_run"' in sql:
            [timeout] = connection.connection.execute("PRAGMA busy_timeout").fetchone()
            busy.append(timeout)
        return execute(sql, *more)

    with patience.at_most(patience.PAGE), connection.execute_wrapper(look):
        pressed = firing.fire(
            key=uuid4(),
            routine=create_routine(),
            person=create_teammate(),
            text="x",
        )
        [after] = connection.connection.execute("PRAGMA busy_timeout").fetchone()
    assert pressed.recorded
    assert set(busy) == {20_000}
    assert after == round(patience.PAGE * 1000)


def test_a_look_at_the_server_of_the_database_is_repeated_before_an_outcome(monkeypatch):
    tried: list[int] = []

    def away() -> None:
        tried.append(1)
        if len(tried) < 4:
            raise OperationalError("starting up")

    monkeypatch.setattr(connection, "ensure_connection", away)
    with patience.while_recording():
        assert len(tried) == 4


def test_a_locked_database_ends_nobodys_web_session(locked, monkeypatch, settings):
    settings.SESSION_IDLE_MINUTES = 480
    monkeypatch.setattr(patience, "NOTE", 0)
    client = signed_in(create_teammate())
    session = client.session
    session["seen_at"] -= 120
    session.save()
    locked()
    assert client.get("/").status_code == 200


# --- What the log says of runs and requests ---


def facts(caplog: pytest.LogCaptureFixture, message: str) -> list[dict[str, Any]]:
    return [vars(one)["facts"] for one in caplog.records if one.getMessage().startswith(message)]


@pytest.mark.django_db
def test_sending_is_logged_before_the_request_leaves(practice, caplog, monkeypatch):
    caplog.set_level(logging.INFO)
    answer = practice.answer
    seen: list[dict[str, Any]] = []

    def arrive(request: Any) -> Any:
        seen.extend(facts(caplog, "sending"))
        return answer(request)

    monkeypatch.setattr(practice, "answer", arrive)
    routine, person = create_routine(), create_teammate()
    pressed = firing.fire(key=uuid4(), routine=routine, person=person, text="x")
    assert seen == [
        {"run": pressed.run.pk, "routine": routine.slug, "person": person.get_username()}
    ]


def logged_with_traceback(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    """By the levels of settings.py, which the tests' own do not take over."""
    loggers: Any = django_settings.LOGGING["loggers"]

    def is_shown(record: logging.LogRecord) -> bool:
        names = [name for name in loggers if f"{record.name}.".startswith(f"{name}.")]
        level = loggers[max(names, key=len)]["level"] if names else "INFO"
        return record.levelno >= logging.getLevelNamesMapping()[level]

    return [
        record
        for record in filter(is_shown, caplog.records)
        if record.levelno > logging.WARNING or record.exc_info
    ]


FILE = b'--x\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\nx\r\n--x--\r\n'
NONSENSE = {
    "a file": ("multipart/form-data; boundary=x", FILE),
    "two thousand fields": ("application/x-www-form-urlencoded", b"a=1&" * 2_000),
}


@pytest.mark.parametrize(("kind", "body"), NONSENSE.values(), ids=NONSENSE)
def test_what_anybody_may_send_is_no_error_and_no_traceback(db, kind, body, caplog):
    caplog.set_level(logging.INFO)
    response = Client(raise_request_exception=False).post("/sign-in/", body, content_type=kind)
    assert response.status_code in (400, 413)
    assert not logged_with_traceback(caplog)


@pytest.mark.parametrize("host", ["127.0.0.1:8701", "10.0.0.7", "evil.example", "a b"])
def test_a_probe_by_address_is_no_error_and_no_traceback(host, caplog, settings):
    settings.ALLOWED_HOSTS = ["routines.example.com"]
    caplog.set_level(logging.INFO)
    response = Client(raise_request_exception=False).get("/", headers={"Host": host})
    assert response.status_code == 400
    assert b"This is not the address of the dashboard." in response.content
    assert not logged_with_traceback(caplog)
    assert facts(caplog, "refused: addressed to another host") == [{"host": host}]


def test_the_error_line_of_a_503_has_its_requests_id(visitor, asked, capsys):
    """Django logs it when all middlewares are done."""
    lines: list[str] = []

    class Collect(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(LogFormatter(json_lines=False).format(record))

    handler = Collect()
    logging.getLogger("django.request").addHandler(handler)
    try:
        response = visitor.get("/history/")
    finally:
        logging.getLogger("django.request").removeHandler(handler)
    assert lines
    assert all(f"request={response.headers['X-Request-ID']}" in line for line in lines)
    response.close()
    assert logs.request_id.get() == "", "and no later line has it"
