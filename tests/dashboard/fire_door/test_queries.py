"""What a call of the fire-compatible door asks the database. See docs/decisions/0004.

Every statement counts, BEGIN and COMMIT too. Not among them is the note of a key's use, made once a
minute at most (callers/authenticating.py).
"""

from collections.abc import Callable
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from routines.models import ApiKey, Routine
from tests.dashboard.fire_door.test_fire import fire
from tests.factories import create_key_and_secret, create_routine, create_run, create_teammate

pytestmark = pytest.mark.usefixtures("transactional_db")

# Key, routine, Idempotency-Key; BEGIN, lock, rights, key once more, caps (two), INSERT, COMMIT.
MOST_ACCEPTED = 11
MOST_SENT = MOST_ACCEPTED + 4  # the outcome; BEGIN, the attempt, COMMIT
OF_A_TOKEN = 2  # news of its health, once in a while
MOST_REPEATED = 5
OF_A_PERSON = 1  # their permissions

Call = Callable[..., int]


def of_postgresql(statements: int) -> int:
    """How long it waits for the lock is said in a statement of its own there."""
    return statements if connection.vendor == "sqlite" else statements + 1


def statements(ask: Callable[[], Any], *, status: int) -> int:
    with CaptureQueriesContext(connection) as captured:
        response = ask()
    assert response.status_code == status, response.content
    return len(captured)


@pytest.fixture
def call(client: Any, practice: Any) -> Call:
    """How many statements one call makes."""
    numbers = count(1)

    def make(routine: Routine, key: str, *, status: int, prefer: str = "", intent: str = "") -> int:
        headers = {"Idempotency-Key": intent or str(next(numbers)), "Prefer": prefer}
        return statements(
            lambda: fire(client, routine.slug, key, {"text": "x"}, **headers), status=status
        )

    return make


def any_key(routine: Routine) -> tuple[ApiKey, str]:
    return create_key_and_secret(routine, sends_idempotency_key=True)


def personal_key(routine: Routine) -> tuple[ApiKey, str]:
    return create_key_and_secret(person=create_teammate(), sends_idempotency_key=True)


@pytest.mark.parametrize(("make", "more"), [(any_key, 0), (personal_key, OF_A_PERSON)])
def test_a_call_asks_few_queries(call: Call, make: Callable[[Routine], Any], more: int):
    routine = create_routine()
    _, key = make(routine)
    noted = call(routine, key, status=202, prefer="respond-async")
    accepted = call(routine, key, status=202, prefer="respond-async")
    notified = 0 if connection.vendor == "sqlite" else 1  # a worker is told
    assert accepted == noted - 1
    assert accepted <= of_postgresql(MOST_ACCEPTED) + notified + more
    assert call(routine, key, status=200) <= of_postgresql(MOST_SENT) + OF_A_TOKEN + more
    assert call(routine, key, status=200, intent="one") <= of_postgresql(MOST_SENT) + more
    assert call(routine, key, status=200, intent="one") <= MOST_REPEATED + more


def test_more_of_everything_makes_no_more_queries(call: Call):
    routine = create_routine()
    api_key, key = create_key_and_secret(
        routine, *(create_routine() for _ in range(5)), sends_idempotency_key=True
    )
    call(routine, key, status=202, prefer="respond-async")
    before = call(routine, key, status=202, prefer="respond-async")
    for number in range(12):
        create_run(routine=routine, api_key=api_key, ago=timedelta(minutes=number))
    assert call(routine, key, status=202, prefer="respond-async") == before


def test_a_busy_day_takes_one_more_look_at_the_caps(call: Call):
    """Who has had more runs in a day than an hour allows may have had all of the day."""
    routine = create_routine()
    api_key, key = create_key_and_secret(routine, hourly_cap=4, sends_idempotency_key=True)
    call(routine, key, status=202, prefer="respond-async")
    before = call(routine, key, status=202, prefer="respond-async")
    for number in range(6):
        create_run(routine=routine, api_key=api_key, ago=timedelta(hours=2 + number))
    assert call(routine, key, status=202, prefer="respond-async") == before + 1


def test_who_is_turned_away_by_a_cap_costs_little(call: Call):
    routine = create_routine()
    _, key = create_key_and_secret(routine, hourly_cap=1, sends_idempotency_key=True)
    call(routine, key, status=202, prefer="respond-async")
    call(routine, key, status=429)
    # Instead of the INSERT, a look for an earlier run, and the count of those turned away.
    counted = 5
    assert call(routine, key, status=429) <= of_postgresql(MOST_ACCEPTED) + counted
