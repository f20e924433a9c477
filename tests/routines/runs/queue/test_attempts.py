"""What ends an attempt, the row it leaves, and whether another one follows."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction

from routines.fire_api import Answer
from routines.models import Attempt, Run
from routines.runs import limits, overdue, recording, retrying, sending
from routines.values.reasons import MEANINGS, Reason, State
from tests.factories import create_admin, create_routine, create_teammate
from tests.hostile import OK, HostileServer, answer, envelope, says
from tests.routines.runs.firing.pressing import failing_writes
from tests.routines.runs.queue.waiting import (
    BEGIN,
    LIMIT,
    MINUTE,
    NO_CONNECTION,
    OVERLOADED,
    SECOND,
    SESSION,
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

STARTED_NOTHING = {
    *(Reason.NO_CONNECTION, Reason.TLS_FAILED, Reason.PROXY_UNREACHABLE, Reason.PROXY_SIGN_IN),
    *(Reason.PROXY_REFUSED, Reason.PROXY_FAILED, Reason.LIMIT_REACHED, Reason.OVERLOADED),
}


def overdue_ones() -> timedelta:
    return timedelta(hours=1)


# --- Rows ---


def test_a_run_that_was_sent_once_has_one_attempt():
    routine = create_routine()
    with at(BEGIN):
        accept(routine)
    with at(BEGIN + MINUTE):
        run = claimed(routine)
        assert not run.attempts.exists()  # it is under way
        answered(run, SESSION)
    row = run.attempts.get()
    assert (row.number, row.reason, row.http_status) == (1, Reason.SESSION_CREATED, 200)
    assert (row.claimed_at, row.ended_at, row.request_id) == (BEGIN + MINUTE,) * 2 + ("req_1",)


def test_attempts_are_numbered_from_1_and_kept():
    routine = create_routine()
    moment = BEGIN
    with at(moment):
        accept(routine, tries_again=True)
    for kind in (OVERLOADED, NO_CONNECTION, SESSION):
        with at(moment):
            run = attempted(routine, kind)
        moment += MINUTE
    assert attempts(run) == [
        (1, Reason.OVERLOADED, False),
        (2, Reason.NO_CONNECTION, False),
        (3, Reason.SESSION_CREATED, False),
    ]
    assert (run.attempt, run.state) == (3, State.STARTED)


def test_it_says_when_its_first_byte_left(settings):
    routine = create_routine()
    accept(routine)
    with HostileServer(says(OK)) as server:
        settings.CLAUDE_API_BASE_URL = server.url
        run, token = claimed(routine), routine.reveal_token()
        assert sending.send(run, token, claimed=time.monotonic())
    row = run.attempts.get()
    assert row.sent_at == as_stored(run).sent_at == run.sent_at
    assert row.claimed_at is not None
    assert row.sent_at is not None
    assert row.claimed_at <= row.sent_at <= row.ended_at


def test_of_what_never_left_it_does_not(settings):
    routine = create_routine()
    accept(routine)
    run = claimed(routine)
    assert sending.send(run, routine.reveal_token(), claimed=time.monotonic())
    assert attempts(run) == [(1, Reason.NO_CONNECTION, False)]
    assert run.sent_at is None


def test_a_rule_that_stops_a_run_is_no_attempt():
    run = accept(create_routine(enabled=False))
    assert attempts(run) == []


def test_an_attempt_that_got_lost_is_one():
    routine = create_routine()
    with at(BEGIN):
        accept(routine)
        run = claimed(routine)
    with at(BEGIN + overdue_ones()):
        overdue.settle()
    assert attempts(run) == [(1, Reason.INTERRUPTED, False)]


def test_a_late_answer_takes_the_place_of_what_was_said_of_its_attempt():
    routine = create_routine()
    with at(BEGIN):
        accept(routine)
        run = claimed(routine)
    with at(BEGIN + overdue_ones()):
        overdue.settle()
        answered(run, SESSION)
    assert attempts(run) == [(1, Reason.SESSION_CREATED, False)]


def test_one_that_named_the_session_of_another_run_says_so():
    routine = create_routine()
    accept(routine), accept(routine)
    attempted(routine, SESSION)
    run = attempted(routine, SESSION)
    assert attempts(run) == [(1, Reason.SESSION_TAKEN, False)]


def test_a_run_and_its_attempts_go_together():
    routine = create_routine()
    accept(routine)
    attempted(routine, SESSION).delete()
    assert not Attempt.objects.exists()


def test_an_answer_that_cannot_be_recorded_leaves_it_under_way():
    routine = create_routine()
    accept(routine)
    run = claimed(routine)
    with failing_writes("UPDATE"):
        assert not recording.record_answer(run, SESSION, duration=1)
    assert as_stored(run).state == State.SENDING
    assert attempts(run) == []


# --- Attempted anew ---


@pytest.mark.parametrize("reason", Reason)
def test_only_what_started_nothing_is_attempted_anew(reason: Reason):
    run = Run(tries_again=True, attempt=1, deadline=BEGIN + timedelta(days=1))
    with at(BEGIN):
        follows = retrying.next_attempt(run, Answer(reason)) is not None
    assert follows == (reason in STARTED_NOTHING)
    assert not follows or MEANINGS[reason].state in (State.REFUSED, State.NOT_SENT)


def test_only_who_asked_for_it_is():
    routine = create_routine()
    accept(routine)
    run = attempted(routine, OVERLOADED)
    assert (run.state, run.reason) == (State.REFUSED, Reason.OVERLOADED)


def test_what_it_was_told_can_be_read_while_it_waits():
    routine = create_routine()
    with at(BEGIN):
        accept(routine, tries_again=True)
        run = attempted(routine, OVERLOADED)
    assert (run.state, run.reason) == (State.ACCEPTED, Reason.NEXT_ATTEMPT)
    assert (run.http_status, run.settled_at, run.duration_ms) == (503, None, None)


@pytest.mark.parametrize(
    ("attempt", "seconds"), [(1, 2), (2, 4), (3, 8), (7, 128), (8, 256), (9, 300), (30_000, 300)]
)
def test_the_pauses_grow_to_five_minutes(attempt: int, seconds: int):
    assert retrying.pause_after(attempt) == seconds * SECOND


def test_after_a_429_it_waits_as_long_as_the_endpoint_asked_for():
    routine = create_routine()
    with at(BEGIN):
        accept(routine, tries_again=True)
        run = attempted(routine, LIMIT)
    assert run.due_at == BEGIN + 5 * MINUTE


def test_after_a_429_without_advice_as_long_as_the_hold():
    answer_429 = Answer(Reason.LIMIT_REACHED, http_status=429)
    routine = create_routine()
    with at(BEGIN):
        accept(routine, tries_again=True)
        run = attempted(routine, answer_429)
    assert run.due_at == BEGIN + limits.hold_after(answer_429) == BEGIN + MINUTE


def test_a_lifted_hold_does_not_bring_it_forward():
    routine = create_routine()
    with at(BEGIN):
        accept(routine, tries_again=True)
        attempted(routine, LIMIT)  # no hold: record_consequences makes it
        assert claim(routine) is None
    with at(BEGIN - timedelta(hours=1)):  # nor does a clock that was set back
        assert claim(routine) is None


@pytest.mark.parametrize(("wait", "follows"), [(2 * SECOND, False), (3 * SECOND, True)])
def test_not_where_the_next_one_would_come_after_the_deadline(wait: timedelta, follows: bool):
    routine = create_routine()
    with at(BEGIN):
        accept(routine, tries_again=True, wait=wait)
        run = attempted(routine, OVERLOADED)
    assert run.reason == (Reason.NEXT_ATTEMPT if follows else Reason.OVERLOADED)


def test_a_real_one_is_attempted_anew(settings):
    routine = create_routine()
    overloaded = answer(503, envelope("overloaded_error", "Overloaded"))
    with HostileServer(says(overloaded), says(OK)) as server:
        settings.CLAUDE_API_BASE_URL = server.url
        with at(BEGIN):
            accept(routine, tries_again=True)
            sending.send(claimed(routine), routine.reveal_token(), claimed=time.monotonic())
        with at(BEGIN + 2 * SECOND):
            run = claimed(routine)
            sending.send(run, routine.reveal_token(), claimed=time.monotonic())
        assert server.requests == 2
    assert attempts(run) == [(1, Reason.OVERLOADED, True), (2, Reason.SESSION_CREATED, True)]


@pytest.mark.parametrize(
    ("late", "became"),
    [
        (OVERLOADED, (State.REFUSED, Reason.OVERLOADED)),
        (NO_CONNECTION, (State.NOT_SENT, Reason.NO_CONNECTION)),
    ],
)
def test_a_late_answer_ends_it_instead(late: Answer, became: tuple[State, Reason]):
    """Others took it for interrupted and people may have acted on it: so it is not sent again, but
    that it started nothing is known."""
    routine = create_routine()
    with at(BEGIN):
        accept(routine, tries_again=True, wait=timedelta(days=1))
        run = claimed(routine)
    with at(BEGIN + overdue_ones()):
        overdue.settle()
        stored = answered(run, late)
        assert claim(routine) is None
    for one in (run, stored):
        assert (one.state, one.reason) == became
    assert attempts(run) == [(1, late.reason, False)]


def test_where_people_s_word_stands_the_run_says_so():
    routine = create_routine()
    with at(BEGIN):
        accept(routine)
        run = claimed(routine)
    Run.objects.update(
        state=State.REFUSED,
        reason=Reason.SAID_NOT_STARTED,
        settled_at=BEGIN,
        settled_by=create_admin(),
    )
    answered(run, Answer(Reason.NO_ANSWER, left_at=time.monotonic()))
    assert run.reason == Reason.SAID_NOT_STARTED
    stored = as_stored(run)
    assert stored.reason == Reason.SAID_NOT_STARTED
    assert stored.sent_at == run.attempts.get().sent_at is not None  # it left, for all that


@contextmanager
def nothing_heard_of_its_commit(meanwhile: Callable[[], None]) -> Iterator[None]:
    """The next attempt is recorded; only then is the connection found broken, after `meanwhile`."""
    left = [meanwhile]

    def break_off() -> None:
        left.pop()()
        raise OperationalError("server closed the connection unexpectedly")

    def watch(execute: Callable[..., Any], sql: str, *more: Any) -> Any:
        if sql.startswith('INSERT INTO "routines_attempt"') and left:
            transaction.on_commit(break_off)
        return execute(sql, *more)

    with connection.execute_wrapper(watch):
        yield
    assert not left


@pytest.mark.usefixtures("transactional_db")
@pytest.mark.parametrize("is_over", [False, True])
def test_an_answer_says_nothing_of_the_attempt_after_it(is_over: bool):
    routine = create_routine()
    accept(routine, create_teammate(), tries_again=True)
    first = claimed(routine)
    later: list[Run] = []

    def attempt_anew() -> None:
        Run.objects.update(due_at=None)
        later.append(claimed(routine))
        if is_over:
            answered(later[0], Answer(Reason.NO_ANSWER, left_at=time.monotonic()))

    with nothing_heard_of_its_commit(attempt_anew):
        stored = answered(first, replace(OVERLOADED, left_at=time.monotonic() - 60))
    assert (stored.state, stored.attempt) == (State.UNKNOWN if is_over else State.SENDING, 2)
    assert first.state == stored.state
    if is_over:
        assert stored.sent_at == stored.attempts.get(number=2).sent_at
    else:
        assert stored.sent_at is None
    stored = answered(later[0], SESSION)
    assert (stored.state, stored.session_id) == (State.STARTED, SESSION.session_id)
    reasons = [reason for _, reason, _ in attempts(stored)]
    assert reasons == [Reason.OVERLOADED, Reason.SESSION_CREATED]


# --- Put back ---


def put_back(run: Run, **more: Any) -> bool:
    long_ago = time.monotonic() - 16
    return sending.send(run, run.routine.reveal_token(), claimed=long_ago, **more)


def test_a_claim_that_got_old_waits_once_more(practice):
    routine = create_routine()
    accept(routine)
    run = claimed(routine)
    assert put_back(run)
    stored = as_stored(run)
    for one in (run, stored):
        assert (one.state, one.reason, one.attempt) == (State.ACCEPTED, Reason.ACCEPTED, 0)
    assert (practice.requests, attempts(run), stored.claimed_at) == (0, [], None)
    assert claimed(routine).attempt == 1


def test_an_old_claim_that_was_taken_for_interrupted_ends_as_not_sent(practice):
    routine = create_routine()
    with at(BEGIN):
        accept(routine)
        run = claimed(routine)
    with at(BEGIN + overdue_ones()):
        overdue.settle()
        assert put_back(run)
    stored = as_stored(run)
    assert (stored.state, stored.reason) == (State.NOT_SENT, Reason.WAITED_TOO_LONG)
    assert practice.requests == 0


@pytest.mark.usefixtures("transactional_db")
def test_an_old_claim_is_not_sent_though_the_database_is_away(practice):
    routine = create_routine()
    accept(routine, create_teammate())
    run = claimed(routine)
    with failing_writes("UPDATE"):
        assert not put_back(run)
    assert practice.requests == 0
    assert as_stored(run).state == State.SENDING
