"""The process that has a program's call is killed at each point of its way, and the program repeats
the call until it knows: one request at the most, and the session, or 504 where nobody can know."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.hostile import HostileServer
from tests.server.endpoint import KeptAnswer, full_listener, listening
from tests.server.product import Database, Product, serving, wait_until
from tests.server.programs import Program, key_for, session_of
from tests.server.workers import working

SETTINGS = {"WEB_WORKERS": "1"}


@contextmanager
def calling(program: Program) -> Iterator[Future[httpx.Response]]:
    """A call under way in another thread."""
    pool = ThreadPoolExecutor(1)
    try:
        yield pool.submit(program.fire, "one")
    finally:
        pool.shutdown(wait=False)


def kill(product: Product, call: Future[httpx.Response]) -> None:
    product.kill_workers()
    assert isinstance(call.exception(60), httpx.TransportError)


def repeated(program: Program) -> httpx.Response:
    """The final answer, and nothing else ever after."""
    answer = program.repeat_until_final("one")
    for later in program.fire_at_once(["one"] * 4):
        assert later.status_code == answer.status_code
        assert later.json().get("run") == answer.json().get("run")
    return answer


def assert_nobody_knows(answer: httpx.Response, database: Database) -> None:
    assert database.states() == [("unknown", "interrupted")]
    assert answer.status_code == 504
    assert answer.json()["run"]["state"] == "unknown"
    assert "Do not fire again" in answer.json()["error"]["message"]


def test_killed_before_the_commit(database: Database, tmp_path: Path):
    """Nothing was recorded, so the repeated call is the first."""
    with listening() as (endpoint, url), serving(database, url, tmp_path, **SETTINGS) as product:
        program = Program([product.url], key_for(database))
        with database.locked(), calling(program) as call:
            wait_until(lambda: is_about_to_write(database, product))
            kill(product, call)
        answer = repeated(program)
        [session] = endpoint.sessions
    assert session_of(answer) == session.session_url
    assert endpoint.requests == 1
    assert database.states() == [("started", "session_created")]


def is_about_to_write(database: Database, product: Product) -> bool:
    """SQLite does not tell who waits; its file is open from a request's first query on."""
    if not database.is_sqlite:
        database.wait_for_a_write()
        return True
    path = Path(database.url.removeprefix("sqlite:///")).resolve()
    opened = [Path(f"/proc/{pid}/fd").iterdir() for pid in product.workers()]
    return any(link.resolve() == path for links in opened for link in links)


def test_killed_between_the_commit_and_the_request(database: Database, tmp_path: Path):
    with full_listener() as nowhere, listening() as (endpoint, url):
        with serving(database, nowhere.url, tmp_path, **SETTINGS) as product:
            program = Program([product.url], key_for(database))
            with calling(program) as call:
                wait_until(lambda: database.states() == [("sending", "sending")])
                kill(product, call)
        database.age_all_runs()
        with serving(database, url, tmp_path, **SETTINGS) as product:
            answer = repeated(Program([product.url], program.key))
        assert endpoint.requests == 0
    assert_nobody_knows(answer, database)


@pytest.mark.parametrize("whole", [False, True], ids=["worker", "server"])
def test_killed_while_the_request_is_out(database: Database, tmp_path: Path, whole: bool):
    with listening() as (endpoint, url):
        with serving(database, url, tmp_path, **SETTINGS) as product:
            program = Program([product.url], key_for(database))
            with endpoint.holding(), calling(program) as call:
                wait_until(lambda: endpoint.requests == 1)
                if whole:
                    product.kill()
                    assert isinstance(call.exception(60), httpx.TransportError)
                else:
                    kill(product, call)
                    # Who repeats at once waits for the run, of which nobody knows that it is lost.
                    early = program.fire("one", prefer="wait=1")
                    assert early.status_code == 202
                    assert early.json()["run"]["state"] == "sending"
        database.age_all_runs()
        with serving(database, url, tmp_path, **SETTINGS) as product:
            answer = repeated(Program([product.url], program.key))
        assert endpoint.requests == 1
    assert_nobody_knows(answer, database)


def test_killed_between_the_answer_and_the_record(database: Database, tmp_path: Path):
    kept = KeptAnswer()
    with HostileServer(kept) as endpoint:
        with serving(database, endpoint.url, tmp_path, **SETTINGS) as product:
            program = Program([product.url], key_for(database))
            with calling(program) as call:
                assert kept.arrived.wait(60)
                with database.locked():
                    kept.may_leave.set()
                    assert kept.was_read.wait(60)
                    if not database.is_sqlite:
                        database.wait_for_a_write()
                    kill(product, call)
        database.age_all_runs()
        with serving(database, endpoint.url, tmp_path, **SETTINGS) as product:
            answer = repeated(Program([product.url], program.key))
        assert endpoint.requests == 1
    if database.is_sqlite:
        assert_nobody_knows(answer, database)
    else:  # PostgreSQL has the statement already, and carries it out when it may
        assert session_of(answer) == database.rows("SELECT session_url FROM routines_run")[0][0]


def test_a_process_killed_after_it_was_told_to_come_back(database: Database, tmp_path: Path):
    """What is accepted is sent by a worker, whoever took it and whoever has been killed since."""
    with listening() as (endpoint, url), serving(database, url, tmp_path, **SETTINGS) as product:
        program = Program([product.url], key_for(database))
        assert program.fire("one", prefer="respond-async").status_code == 202
        product.kill_workers()
        with working(database, url, tmp_path):
            answer = repeated(program)
        [session] = endpoint.sessions
    assert session_of(answer) == session.session_url
    assert endpoint.requests == 1
