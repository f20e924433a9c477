"""Programs that call the door at the same moment, at two products of two processes each, on one
database: one request for an Idempotency-Key, never more runs than a cap, whoever is asked."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from tests.server.endpoint import listening
from tests.server.product import Database, serving, wait_until
from tests.server.programs import Program, key_for, session_of
from tests.server.seed import SLUG
from tests.server.workers import working

AT_ONCE = 50
SETTINGS = {"WEB_WORKERS": "2", "WEB_THREADS": "8"}
PLACES = 2 * 2 * 2  # of programs that wait: products, processes, a quarter of the threads

HELD = f"UPDATE routines_routine SET held_until = '2100-01-01 00:00:00' WHERE slug = '{SLUG}'"  # noqa: S608
LIFTED = "UPDATE routines_routine SET held_until = NULL"


@contextmanager
def two_products(database: Database, endpoint: str, folder: Path) -> Iterator[list[str]]:
    """Their addresses."""
    with (
        serving(database, endpoint, folder, **SETTINGS) as first,
        serving(database, endpoint, folder, **SETTINGS) as second,
    ):
        yield [first.url, second.url]


def statuses(answers: list[httpx.Response]) -> Counter[int]:
    return Counter(answer.status_code for answer in answers)


def settled(program: Program, answer: httpx.Response) -> bool:
    return bool(program.look(answer.headers["Location"])["state"] == "started")


def paths(answers: list[httpx.Response]) -> set[str]:
    """Where the run stands, at whichever product."""
    return {httpx.URL(answer.headers["Location"]).path for answer in answers}


@pytest.mark.parametrize("held", [False, True], ids=["", "held meanwhile"])
def test_fifty_equal_calls_at_once_are_one_request(database: Database, tmp_path: Path, held: bool):
    with listening() as (endpoint, url), two_products(database, url, tmp_path) as urls:
        program = Program(urls, key_for(database))
        with ThreadPoolExecutor(AT_ONCE) as pool:
            with endpoint.holding():
                calls = [pool.submit(program.fire, "one", at=n) for n in range(AT_ONCE)]
                # Who finds a place waits for the one request; all others are answered at once.
                wait_until(lambda: sum(call.done() for call in calls) >= AT_ONCE - PLACES)
                wait_until(lambda: endpoint.requests == 1)
                if held:
                    database.write(HELD)
            answers = [call.result() for call in calls]
        [session] = endpoint.sessions
        told = [answer for answer in answers if answer.status_code == 202]
        wait_until(lambda: all(settled(program, answer) for answer in told))
        there = [program.look(answer.headers["Location"])["session"]["url"] for answer in told]
        repeated = program.fire_at_once(["one"] * 4)
        assert endpoint.requests == 1

    assert statuses(answers).keys() <= {200, 202}
    assert 1 <= statuses(answers)[200] <= PLACES
    at_last = [answer for answer in answers if answer.status_code == 200] + repeated
    assert {session_of(answer) for answer in at_last} == {session.session_url}
    assert set(there) == {session.session_url}
    assert len(paths([*answers, *repeated])) == 1
    assert database.states() == [("started", "session_created")]


def test_fifty_equal_calls_that_come_back_are_one_request(database: Database, tmp_path: Path):
    with listening() as (endpoint, url), two_products(database, url, tmp_path) as urls:
        program = Program(urls, key_for(database))
        answers = program.fire_at_once(["one"] * AT_ONCE, prefer="respond-async")
        assert statuses(answers) == {202: AT_ONCE}
        assert len(paths(answers)) == 1
        assert endpoint.requests == 0
        with working(database, url, tmp_path):
            wait_until(lambda: all(settled(program, answer) for answer in answers))
        repeated = program.fire_at_once(["one"] * 4)
        [session] = endpoint.sessions

    assert {session_of(answer) for answer in repeated} == {session.session_url}
    assert endpoint.requests == 1
    assert database.states() == [("started", "session_created")]


@pytest.mark.parametrize("prefer", ["", "respond-async"])
def test_calls_at_once_do_not_exceed_a_cap_together(
    database: Database, tmp_path: Path, prefer: str
):
    cap = 20
    slugs = [f"capped-{number}" for number in range(5)]  # a run holds its routine alone
    with listening() as (endpoint, url), two_products(database, url, tmp_path) as urls:
        program = Program(urls, key_for(database, *slugs, hourly_cap=cap), slugs)
        intents = [str(uuid4()) for _ in range(AT_ONCE)]
        answers = program.fire_at_once(intents, prefer=prefer)
        assert statuses(answers)[429] == AT_ONCE - cap
        with working(database, url, tmp_path):
            wait_until(lambda: database.states() == [("started", "session_created")] * cap)
        # What was turned away still is; what was sent is found.
        repeated = program.fire_at_once(intents)
        assert endpoint.requests == cap

    away = [answer for answer in answers if answer.status_code == 429]
    assert all(3500 < int(answer.headers["Retry-After"]) <= 3600 for answer in away)
    assert statuses(answers).keys() <= {200, 202, 429}
    assert statuses(repeated) == {200: cap, 429: AT_ONCE - cap}
    assert [one.status_code == 429 for one in answers] == [
        one.status_code == 429 for one in repeated
    ]
    assert len({session_of(answer) for answer in repeated if answer.status_code == 200}) == cap


def test_a_hold_turns_away_new_intents_alone(database: Database, tmp_path: Path):
    before, during, patient = (
        [f"{when} {number}" for number in range(10)] for when in ("before", "during", "patient")
    )
    with listening() as (endpoint, url), two_products(database, url, tmp_path) as urls:
        program = Program(urls, key_for(database, hourly_cap=100))
        with working(database, url, tmp_path):
            program.fire_at_once(before)
            wait_until(lambda: database.states() == [("started", "session_created")] * 10)
            first = [session_of(answer) for answer in program.fire_at_once(before)]
            database.write(HELD)
            with ThreadPoolExecutor(1) as pool:
                waiting = pool.submit(program.fire_at_once, patient, prefer="respond-async")
                turned_away = program.fire_at_once(during)
                accepted = waiting.result()
            again = [session_of(answer) for answer in program.fire_at_once(before)]
            assert endpoint.requests == 10
            database.write(LIFTED)
            program.fire_at_once(during)
            wait_until(lambda: database.states() == [("started", "session_created")] * 30)
        sessions = [session_of(a) for a in program.fire_at_once([*before, *during, *patient])]
        assert endpoint.requests == 30

    assert statuses(turned_away) == {429: 10}
    assert all(int(answer.headers["Retry-After"]) > 0 for answer in turned_away)
    assert statuses(accepted) == {202: 10}
    assert again == first == sessions[:10]
    assert len(set(sessions)) == 30
