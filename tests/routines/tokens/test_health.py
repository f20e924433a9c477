"""What the answers of runs say of the token that was sent, and which tokens need somebody."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from cryptography.fernet import Fernet
from django.db import connection
from django.utils import timezone

from routines.fire_api import Answer
from routines.models import Routine, Run
from routines.practice_api import PracticeApi
from routines.tokens import health, rotation
from routines.tokens.health import Need
from routines.values import tokens
from routines.values.reasons import Reason, State
from tests.factories import create_admin, create_routine, create_teammate
from tests.hostile import OK, HostileServer, Visit, answer, envelope, in_turn, says
from tests.routines.runs.firing.pressing import failing_writes, press

pytestmark = pytest.mark.django_db

REJECTED = answer(401, envelope("authentication_error", "Invalid bearer token"))


def answered(settings: Any, routine: Routine, *answers: bytes) -> Routine:
    """The routine after a run for each of these answers."""
    for content in answers:
        with HostileServer(says(content)) as server:
            settings.CLAUDE_API_BASE_URL = server.url
            press(routine, create_admin(), aware_of=Run.objects.values_list("pk", flat=True))
    return Routine.objects.get(pk=routine.pk)


# --- What answers say ---


def test_a_session_accepts_the_token(settings):
    routine = answered(settings, create_routine(), OK)
    assert routine.token_accepted_at is not None
    assert (routine.token_rejected_at, routine.token_rejected_since) == (None, None)


def test_a_200_that_cannot_be_read_accepts_the_token_too(settings):
    routine = answered(settings, create_routine(), answer(200, {"odd": "answer"}))
    assert Run.objects.get().state == State.UNKNOWN
    assert routine.token_accepted_at is not None


def test_rejections_are_counted_since_the_first_of_them(settings):
    routine = create_routine()
    with time_machine.travel(timezone.now(), tick=False) as clock:
        first = timezone.now()
        answered(settings, routine, REJECTED)
        clock.shift(timedelta(hours=1))
        routine = answered(settings, routine, REJECTED)
        assert routine.token_rejected_since == first
        assert routine.token_rejected_at == timezone.now()
    assert routine.token_failures == 2


def test_the_first_accepted_fire_clears_the_rejection(settings):
    routine = answered(settings, create_routine(), REJECTED, REJECTED, OK)
    assert routine.token_accepted_at is not None
    assert (routine.token_rejected_at, routine.token_rejected_since) == (None, None)
    assert routine.token_failures == 0


@pytest.mark.parametrize("status", [400, 403, 404, 429, 500, 503, 302])
@pytest.mark.parametrize("before", [OK, REJECTED], ids=["accepted", "rejected"])
def test_no_other_answer_says_anything_of_the_token(settings, status: int, before: bytes):
    settings.RECENT_RUN_WARNING = 0
    routine = answered(settings, create_routine(), before)
    after = answered(settings, routine, answer(status, envelope("some_error", "x")))
    assert health_fields(after) == health_fields(routine)


def test_a_fire_that_never_left_says_nothing_of_the_token(settings):
    routine = create_routine()
    settings.CLAUDE_API_BASE_URL = "http://127.0.0.1:9"
    press(routine, create_teammate())
    assert health_fields(Routine.objects.get()) == health_fields(routine)


def health_fields(routine: Routine) -> tuple[object, ...]:
    return (
        routine.token_accepted_at,
        routine.token_rejected_at,
        routine.token_rejected_since,
        routine.token_failures,
    )


# --- Tokens that change meanwhile ---


@pytest.mark.parametrize("late", [REJECTED, OK], ids=["401", "200"])
@pytest.mark.parametrize("change", ["replaced", "removed"])
@pytest.mark.usefixtures("transactional_db")
def test_a_late_answer_to_the_old_token_says_nothing_of_the_new_one(settings, late, change):
    routine, admin = create_routine(), create_admin()

    def change_the_token(visit: Visit) -> None:
        if change == "replaced":
            new = tokens.parse("sk-ant-oat01-the-new-one")
            rotation.replace_token(routine, new, by=admin)
        else:
            rotation.remove_token(routine, by=admin)
        connection.close()

    with HostileServer(in_turn(change_the_token, says(late))) as server:
        settings.CLAUDE_API_BASE_URL = server.url
        press(routine, create_teammate())
    assert health_fields(Routine.objects.get()) == (None, None, None, 0)


def test_the_same_token_pasted_again_starts_anew(settings):
    routine = answered(settings, create_routine(), REJECTED)
    rotation.replace_token(routine, routine.reveal_token(), by=create_admin())
    assert health_fields(Routine.objects.get()) == (None, None, None, 0)


# --- A database that fails ---


@pytest.mark.usefixtures("transactional_db")
def test_health_that_cannot_be_recorded_does_not_lose_the_answer(
    practice: PracticeApi, caplog: pytest.LogCaptureFixture
):
    routine = create_routine()
    with failing_writes("UPDATE", table="routines_routine"):
        pressed = press(routine, create_teammate())
    assert pressed.recorded
    assert Run.objects.get().session_url == practice.sessions[0].session_url
    assert "the health of the token could not be recorded" in caplog.text
    assert routine.reveal_token().reveal() not in caplog.text


def test_noting_costs_one_query(practice: PracticeApi, django_assert_num_queries):
    routine = create_routine()
    run = press(routine, create_teammate()).run
    with django_assert_num_queries(1):
        health.record_token_result(Answer(Reason(run.reason), http_status=run.http_status), routine)


# --- Which tokens need somebody ---


def need(routine: Routine) -> Need | None:
    return health.of_routine(Routine.objects.get(pk=routine.pk)).need


def used(**values: Any) -> Routine:
    return create_routine(**{"token_accepted_at": timezone.now()} | values)


def test_a_token_that_was_accepted_needs_nobody():
    assert need(used()) is None


def test_what_tokens_need():
    assert need(create_routine()) == Need.NEVER_USED
    assert need(create_routine(token=None)) == Need.MISSING
    assert need(used(token_rejected_since=timezone.now())) == Need.REJECTED
    removed = used()
    rotation.remove_token(removed, by=create_admin())
    assert need(removed) == Need.REMOVED


def test_a_token_that_no_key_opens_is_unreadable(settings):
    routine = used(token_rejected_since=timezone.now())
    settings.TOKEN_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    assert need(routine) == Need.UNREADABLE
    assert health.unreadable() == [routine]


def test_a_token_left_behind_by_another_routine_is_unreadable():
    other = create_routine()
    routine = used(token_encrypted=other.token_encrypted)
    assert need(routine) == Need.UNREADABLE


@pytest.mark.parametrize(("days", "due"), [(89, False), (90, True), (400, True)])
def test_a_token_is_due_at_the_chosen_age(settings, days: int, due: bool):
    settings.TOKEN_MAX_AGE_DAYS = 90
    with time_machine.travel(timezone.now(), tick=False):
        routine = used(token_set_at=timezone.now() - timedelta(days=days))
        assert (need(routine) == Need.DUE) is due


def test_with_an_age_of_0_no_token_is_ever_due(settings):
    settings.TOKEN_MAX_AGE_DAYS = 0
    assert need(used(token_set_at=timezone.now() - timedelta(days=4000))) is None


def test_the_most_urgent_come_first_and_those_in_order_are_left_out(django_assert_num_queries):
    long_ago = timezone.now() - timedelta(days=1000)
    routines = [
        used(),
        create_routine(),
        used(token_set_at=long_ago),
        create_routine(token=None),
        used(token_rejected_since=long_ago, token_set_at=long_ago),
    ]
    with django_assert_num_queries(0):
        found = health.needing_somebody(routines)
    assert [health.need for health in found] == [
        Need.REJECTED,
        Need.MISSING,
        Need.DUE,
        Need.NEVER_USED,
    ]
    assert all(health.since is not None for health in found)
