"""A database that fails, and runs whose process died: nothing is lost."""

import logging
from datetime import timedelta

import pytest
import time_machine
from django.conf import settings as django_settings
from django.db import OperationalError
from django.utils import timezone

from routines.models import Run
from routines.practice_api import PracticeApi
from routines.runs import firing, limits
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
    fail_writes_of_runs,
    press,
)

pytestmark = pytest.mark.django_db


def test_an_answer_that_cannot_be_written_is_shown_and_logged(
    practice: PracticeApi, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    routine, person = create_routine(), create_teammate()
    fail_writes_of_runs(monkeypatch, "UPDATE")
    with caplog.at_level(logging.DEBUG):
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
    settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    session = {"claude_code_session_id": "a\nCRITICAL forged", "claude_code_session_url": "x\ny"}
    fail_writes_of_runs(monkeypatch, "UPDATE")
    with HostileServer(says(answer(200, session))) as server:
        settings.CLAUDE_API_BASE_URL = server.url
        press(create_routine(), create_teammate())
    assert [one.getMessage() for one in caplog.records if "\n" in one.getMessage()] == []


def test_a_database_that_recovers_gets_the_answer(
    practice: PracticeApi, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    routine, person = create_routine(), create_teammate()
    fail_writes_of_runs(monkeypatch, "UPDATE", times=1)
    assert press(routine, person).recorded
    assert Run.objects.get().state == State.STARTED
    assert [one for one in caplog.records if one.levelno > logging.INFO] == []


def test_a_run_that_cannot_be_written_down_is_not_sent(
    practice: PracticeApi, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    routine, person = create_routine(), create_teammate()
    fail_writes_of_runs(monkeypatch, "INSERT")
    with pytest.raises(firing.NotWrittenDown):
        press(routine, person)
    assert practice.requests == 0
    assert "nothing was sent" in caplog.text
    assert_all_slots_are_free()


def test_a_hold_that_cannot_be_written_does_not_lose_the_answer(
    practice: PracticeApi, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    def fail(*_: object) -> None:
        raise OperationalError("database is locked")

    monkeypatch.setattr(limits, "hold_after", fail)
    pressed = press(create_routine(routine_id="trig_practice_429"), create_teammate())
    assert pressed.recorded
    assert Run.objects.get().reason == Reason.LIMIT_REACHED
    assert "hold" in caplog.text


# --- Runs whose process died ---


def overdue_after() -> timedelta:
    return timedelta(seconds=django_settings.FIRE_TIMEOUT + 60)


def test_a_run_that_no_process_can_still_be_sending_becomes_unknown():
    run = create_run(reason=Reason.SENDING)
    with time_machine.travel(run.created_at + overdue_after() + timedelta(seconds=1), tick=False):
        firing.settle_overdue_runs()
        settled_at = timezone.now()
    run.refresh_from_db()
    assert (run.state, run.reason, run.settled_at) == (
        State.UNKNOWN,
        Reason.INTERRUPTED,
        settled_at,
    )


def test_a_run_that_may_still_be_on_its_way_stays_sending():
    run = create_run(reason=Reason.SENDING)
    with time_machine.travel(run.created_at + overdue_after() - timedelta(seconds=1), tick=False):
        firing.settle_overdue_runs()
    run.refresh_from_db()
    assert run.state == State.SENDING


@pytest.mark.parametrize("reason", [Reason.SESSION_CREATED, Reason.PAUSED, Reason.BUSY])
def test_settled_runs_are_left_alone(reason: Reason):
    run = create_run(reason=reason, ago=timedelta(days=30))
    firing.settle_overdue_runs()
    run.refresh_from_db()
    assert run.reason == reason


def test_looking_for_overdue_runs_costs_one_query(django_assert_num_queries):
    create_run()
    with django_assert_num_queries(1):
        firing.settle_overdue_runs()
