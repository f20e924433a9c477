"""The end of what nobody works on: too late, or interrupted."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from routines.runs import overdue
from routines.values.reasons import Reason, State
from tests.factories import create_routine
from tests.routines.runs.queue.waiting import (
    BEGIN,
    LIMIT,
    MINUTE,
    NO_CONNECTION,
    OVERLOADED,
    SECOND,
    accept,
    answered,
    as_stored,
    at,
    attempted,
    attempts,
    claim,
    claimed,
)

pytestmark = pytest.mark.django_db

LONGEST = timedelta(seconds=django_settings.FIRE_TIMEOUT + 60)


@contextmanager
def right_before(word: str, act: Callable[[], Any]) -> Iterator[None]:
    """Before the next statement with `word` in it, another process has done `act`."""
    left = [act]

    def watch(execute: Callable[..., Any], sql: str, *more: Any) -> Any:
        if word in sql and left:
            left.pop()()
        return execute(sql, *more)

    with connection.execute_wrapper(watch):
        yield


def test_the_look_is_one_query_where_nothing_is_overdue(django_assert_num_queries):
    routine = create_routine()
    accept(routine), accept(routine)
    claim(routine)
    with django_assert_num_queries(1):
        assert overdue.settle() == 0


def test_what_waited_past_its_deadline_is_not_sent():
    with at(BEGIN):
        run = accept(create_routine(), wait=MINUTE)
    with at(BEGIN + MINUTE):
        assert overdue.settle() == 0
        assert not overdue.is_overdue(run)
    with at(BEGIN + MINUTE + SECOND):
        assert overdue.is_overdue(run)
        assert overdue.settle() == 1
        assert overdue.settle() == 0
    run = as_stored(run)
    assert (run.state, run.reason) == (State.NOT_SENT, Reason.WAITED_TOO_LONG)
    assert run.settled_at == BEGIN + MINUTE + SECOND


@pytest.mark.parametrize(
    ("last", "reason"),
    [
        (OVERLOADED, Reason.OVERLOADED),
        (LIMIT, Reason.LIMIT_REACHED),
        (NO_CONNECTION, Reason.WAITED_TOO_LONG),
    ],
)
def test_it_keeps_its_last_refusal(last, reason: Reason):
    routine = create_routine()
    with at(BEGIN):
        accept(routine, tries_again=True)
        run = attempted(routine, last)
        assert run.state == State.ACCEPTED
    with at(BEGIN + 11 * MINUTE):
        assert overdue.settle() == 1
    run = as_stored(run)
    assert (run.reason, run.http_status) == (reason, last.http_status)
    assert attempts(run) == [(1, last.reason, False)]


def test_a_request_of_a_process_that_died_is_unknown_once_none_can_last_as_long():
    routine = create_routine()
    with at(BEGIN):
        accept(routine)
    with at(BEGIN + MINUTE):
        run = claimed(routine)
    with at(BEGIN + MINUTE + LONGEST):  # counted from the claim
        assert overdue.settle() == 0
    with at(BEGIN + MINUTE + LONGEST + SECOND):
        assert overdue.settle() == 1
    run = as_stored(run)
    assert (run.state, run.reason) == (State.UNKNOWN, Reason.INTERRUPTED)


def test_a_deadline_does_not_end_what_is_on_its_way():
    routine = create_routine()
    with at(BEGIN):
        accept(routine, wait=SECOND)
        run = claimed(routine)
    with at(BEGIN + MINUTE):
        assert overdue.settle() == 0
    assert as_stored(run).state == State.SENDING


@pytest.mark.parametrize(
    "moment",
    ['"routines_run"."id" IN', 'UPDATE "routines_run"'],
    ids=["while it is looked at", "right before it is given up"],
)
def test_what_is_claimed_meanwhile_is_on_its_way(moment: str):
    """By the clock of one host its time is over, by that of another it is not."""
    routine = create_routine()
    with at(BEGIN):
        run = accept(routine, wait=20 * SECOND)

    def claim_elsewhere() -> None:
        with at(BEGIN + SECOND):
            assert claim(routine) == run

    with at(BEGIN + 30 * SECOND), right_before(moment, claim_elsewhere):
        assert overdue.settle() == 0
    assert as_stored(run).state == State.SENDING
    assert attempts(run) == []


def test_what_is_answered_while_it_is_looked_at_waits_for_its_next_attempt():
    routine = create_routine()
    with at(BEGIN):
        accept(routine, tries_again=True)
        run = claimed(routine)
    late = BEGIN + LONGEST + SECOND
    with at(late), right_before('"routines_run"."id" IN', lambda: answered(run, OVERLOADED)):
        assert overdue.settle() == 0
    run = as_stored(run)
    assert (run.state, run.reason) == (State.ACCEPTED, Reason.NEXT_ATTEMPT)


def test_the_look_passes_over_what_waits_in_order():
    """Every page looks, and thousands may wait."""
    with CaptureQueriesContext(connection) as captured:
        overdue.settle()
    [query] = captured
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")  # it would be cheaper for no rows
        cursor.execute(f"{connection.ops.explain_query_prefix()} {query['sql']}")
        plan = str(cursor.fetchall())
    assert "run_deadline" in plan
    assert "run_claimed" in plan


def test_one_look_ends_no_more_than_a_page_can_wait_for(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(overdue, "AT_ONCE", 2)
    routine = create_routine()
    with at(BEGIN):
        runs = [accept(routine, wait=MINUTE) for _ in range(3)]
        claimed(routine)
    with at(BEGIN + LONGEST + SECOND):
        assert [overdue.settle() for _ in range(3)] == [2, 1, 0]
    assert not any(as_stored(run).is_open for run in runs)
