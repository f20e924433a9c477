"""A database that fails, and runs whose process died: nothing is lost."""

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.conf import settings as django_settings
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from routines import patience
from routines.models import Routine, Run
from routines.practice_api import PracticeApi
from routines.runs import accepting, overdue
from routines.values.reasons import Reason, State
from tests.factories import (
    create_routine,
    create_run,
    create_teammate,
)
from tests.hostile import (
    HostileServer,
    answer,
    says,
)
from tests.routines.runs.firing.pressing import (
    assert_all_slots_are_free,
    at_once,
    failing_writes,
    press,
)

pytestmark = pytest.mark.django_db


@pytest.mark.usefixtures("transactional_db")
def test_an_answer_that_cannot_be_recorded_is_shown_and_logged(
    practice: PracticeApi, caplog: pytest.LogCaptureFixture
):
    routine, person = create_routine(), create_teammate()
    with caplog.at_level(logging.DEBUG), failing_writes("UPDATE"):
        pressed = press(routine, person)
    [session] = practice.sessions
    assert not pressed.recorded
    assert (pressed.run.state, pressed.run.session_url) == (State.STARTED, session.session_url)
    [record] = [one for one in caplog.records if one.levelno == logging.CRITICAL]
    for needed in (f"run {pressed.run.pk}:", session.session_url, session.session_id):
        assert needed in record.getMessage()
    assert routine.reveal_token().reveal() not in caplog.text
    assert Run.objects.get().state == State.SENDING
    assert_all_slots_are_free()


def test_what_the_endpoint_sent_writes_no_log_line_of_its_own(
    settings, caplog: pytest.LogCaptureFixture
):
    session = {"claude_code_session_id": "a\nCRITICAL forged", "claude_code_session_url": "x\ny"}
    with HostileServer(says(answer(200, session))) as server, failing_writes("UPDATE"):
        settings.CLAUDE_API_BASE_URL = server.url
        press(create_routine(), create_teammate())
    assert [one.getMessage() for one in caplog.records if "\n" in one.getMessage()] == []


@pytest.mark.usefixtures("transactional_db")
def test_a_database_that_recovers_gets_the_answer(
    practice: PracticeApi, caplog: pytest.LogCaptureFixture
):
    routine, person = create_routine(), create_teammate()
    with failing_writes("UPDATE", times=1):
        assert press(routine, person).recorded
    assert Run.objects.get().state == State.STARTED
    assert [one for one in caplog.records if one.levelno > logging.INFO] == []


def test_a_run_that_cannot_be_recorded_is_not_sent(
    practice: PracticeApi, caplog: pytest.LogCaptureFixture
):
    routine, person = create_routine(), create_teammate()
    with failing_writes("INSERT"), pytest.raises(accepting.RunNotRecorded) as told:
        press(routine, person)
    assert not told.value.maybe
    assert practice.requests == 0
    assert "nothing was sent" in caplog.text
    assert_all_slots_are_free()


@pytest.mark.usefixtures("transactional_db")
def test_a_database_that_goes_away_in_the_middle_of_the_commit_may_have_taken_the_run(
    practice: PracticeApi,
):
    routine, person, key = create_routine(), create_teammate(), uuid4()
    gone = False

    def go_away() -> None:
        nonlocal gone
        gone = True
        raise OperationalError("server closed the connection unexpectedly")

    def watch(execute: Callable[..., Any], sql: str, *more: Any) -> Any:
        if gone:
            raise OperationalError("connection refused")
        if sql.startswith('INSERT INTO "routines_run"'):
            transaction.on_commit(go_away)
        return execute(sql, *more)

    with connection.execute_wrapper(watch), pytest.raises(accepting.RunNotRecorded) as told:
        press(routine, person, key=key)
    assert told.value.maybe
    assert press(routine, person, key=key).repeated
    assert practice.requests == 0


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite locks all at once")
@pytest.mark.usefixtures("transactional_db")
def test_a_press_waits_for_its_locked_routine_no_longer_than_people_do(
    practice: PracticeApi, monkeypatch: pytest.MonkeyPatch
):
    """Somebody may keep it who is gone; the thread is needed for the pages."""
    monkeypatch.setattr(patience, "ACCEPTING", 0.1)
    routine, person = create_routine(), create_teammate()
    with transaction.atomic():
        Routine.objects.select_for_update(no_key=True).get(pk=routine.pk)
        [told] = at_once(1, lambda _: press(routine, person))
    assert isinstance(told, accepting.RunNotRecorded)
    assert practice.requests == 0
    assert press(routine, person).recorded


@pytest.mark.usefixtures("transactional_db")
def test_a_hold_that_cannot_be_recorded_does_not_lose_the_answer(
    practice: PracticeApi, caplog: pytest.LogCaptureFixture
):
    routine = create_routine(routine_id="trig_practice_429")
    with failing_writes("UPDATE", table="routines_routine"):
        pressed = press(routine, create_teammate())
    assert pressed.recorded
    assert Run.objects.get().reason == Reason.LIMIT_REACHED
    assert "the hold could not be recorded" in caplog.text


# --- Runs whose process died ---


def overdue_after() -> timedelta:
    return timedelta(seconds=django_settings.FIRE_TIMEOUT + 60)


def test_a_run_that_no_process_can_still_be_sending_becomes_unknown():
    run = create_run(reason=Reason.SENDING)
    with time_machine.travel(run.created_at + overdue_after() + timedelta(seconds=1), tick=False):
        overdue.settle()
        settled_at = timezone.now()
    run.refresh_from_db()
    assert (run.state, run.reason, run.settled_at) == (
        State.UNKNOWN,
        Reason.INTERRUPTED,
        settled_at,
    )


def test_a_run_whose_process_died_is_logged_when_it_is_settled(caplog):
    run = create_run(reason=Reason.SENDING)
    with time_machine.travel(run.created_at + overdue_after() + timedelta(seconds=1), tick=False):
        overdue.settle()
        overdue.settle()
    [record] = [one for one in caplog.records if one.getMessage().startswith("run interrupted")]
    assert record.levelno == logging.WARNING
    assert record.facts["run"] == run.pk
    assert record.facts["routine"] == run.routine.slug


def test_a_run_that_may_still_be_on_its_way_stays_sending():
    run = create_run(reason=Reason.SENDING)
    with time_machine.travel(run.created_at + overdue_after() - timedelta(seconds=1), tick=False):
        overdue.settle()
    run.refresh_from_db()
    assert run.state == State.SENDING


@pytest.mark.parametrize("reason", [Reason.SESSION_CREATED, Reason.PAUSED, Reason.WAITED_TOO_LONG])
def test_settled_runs_are_left_alone(reason: Reason):
    run = create_run(reason=reason, ago=timedelta(days=30))
    overdue.settle()
    run.refresh_from_db()
    assert run.reason == reason


def test_looking_for_overdue_runs_costs_one_query(django_assert_num_queries):
    create_run()
    with django_assert_num_queries(1):
        overdue.settle()
