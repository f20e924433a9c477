"""What stops a press, and what is asked first: nothing reaches the endpoint."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from cryptography.fernet import Fernet
from django.utils import timezone

from routines.models import Account, Routine, Run
from routines.practice_api import PracticeApi
from routines.runs import accepting, settling
from routines.values.reasons import Reason, State
from tests.factories import (
    create_routine,
    create_run,
    create_teammate,
)
from tests.hostile import (
    OK,
    HostileServer,
    Step,
    closes,
    resets,
    says,
    says_and_closes,
)
from tests.routines.runs.firing.pressing import (
    SENT,
    assert_all_slots_are_free,
    press,
    slots_taken,
)

pytestmark = pytest.mark.django_db


def unreadable() -> Routine:
    routine = create_routine()
    key = Fernet(Fernet.generate_key())
    Routine.objects.filter(pk=routine.pk).update(token_encrypted=key.encrypt(b"{}").decode())
    return routine


def soon() -> Any:
    return timezone.now() + timedelta(minutes=5)


def on_account_hold() -> Routine:
    routine = create_routine()
    Account.objects.filter(pk=routine.account_id).update(held_until=soon())
    return routine


def cooling_down() -> Routine:
    routine = create_routine(cool_down=600)
    create_run(routine=routine, ago=timedelta(minutes=5))
    return routine


STOPPED = {
    "disabled": (lambda: create_routine(enabled=False), Reason.DISABLED),
    "archived": (lambda: create_routine(archived_at=timezone.now()), Reason.ARCHIVED),
    "no token": (lambda: create_routine(token=None), Reason.NO_TOKEN),
    "lost key": (unreadable, Reason.TOKEN_UNREADABLE),
    "on hold": (lambda: create_routine(held_until=soon()), Reason.ON_HOLD),
    "account on hold": (on_account_hold, Reason.ON_HOLD),
    "cooling down": (cooling_down, Reason.COOL_DOWN),
}


@pytest.mark.parametrize(("make", "reason"), STOPPED.values(), ids=STOPPED)
def test_our_own_rules_send_nothing(practice: PracticeApi, make, reason: Reason):
    pressed = press(make(), create_teammate())
    run = Run.objects.get(pk=pressed.run.pk)
    assert (run.state, run.reason) == (State.NOT_SENT, reason)
    assert (run.text, run.http_status, pressed.recorded) == (SENT, None, True)
    assert run.settled_at is not None
    assert practice.requests == 0
    assert_all_slots_are_free()


@pytest.mark.parametrize("change", ["disable", "hold"])
def test_what_changed_since_the_page_was_shown_counts(practice: PracticeApi, change: str):
    stale, person = create_routine(), create_teammate()
    values = {"enabled": False} if change == "disable" else {"held_until": soon()}
    Routine.objects.filter(pk=stale.pk).update(**values)
    assert press(stale, person).run.state == State.NOT_SENT
    assert practice.requests == 0


def test_a_lost_encryption_key_sends_nothing(practice: PracticeApi, settings):
    routine = create_routine()
    settings.TOKEN_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    assert press(routine, create_teammate()).run.reason == Reason.TOKEN_UNREADABLE
    assert practice.requests == 0


def test_what_finds_no_free_place_is_accepted_and_nothing_is_sent(practice: PracticeApi, settings):
    routine, person = create_routine(), create_teammate()
    with slots_taken(settings.PRESSES_IN_FLIGHT):
        run = press(routine, person).run
    run.refresh_from_db()
    assert (run.state, run.reason, practice.requests) == (State.ACCEPTED, Reason.ACCEPTED, 0)
    assert (run.attempt, run.claimed_at) == (0, None)
    assert press(routine, person, aware_of=[run.pk]).run.state == State.STARTED


def test_a_routine_that_is_stopped_says_so_even_in_a_full_house(practice: PracticeApi, settings):
    with slots_taken(settings.PRESSES_IN_FLIGHT):
        run = press(create_routine(enabled=False), create_teammate()).run
    assert run.reason == Reason.DISABLED


@pytest.mark.usefixtures("one_slot")
@pytest.mark.parametrize("step", [closes(), resets(), says_and_closes(b"what?")])
def test_a_slot_is_given_back_whatever_happens(settings, step: Step):
    routine, person = create_routine(), create_teammate()
    with HostileServer(step, says(OK)) as server:
        settings.CLAUDE_API_BASE_URL = server.url
        first = press(routine, person).run
        assert press(routine, person, aware_of=[first.pk]).run.state == State.STARTED


def test_a_cool_down_counts_only_runs_that_may_have_left(practice: PracticeApi):
    routine, person = create_routine(cool_down=600), create_teammate()
    create_run(routine=routine, reason=Reason.PAUSED)
    create_run(routine=routine, reason=Reason.NO_CONNECTION)
    assert press(routine, person).run.state == State.STARTED
    assert press(routine, person).run.reason == Reason.COOL_DOWN


def test_a_429_holds_the_routine_so_that_the_next_press_sends_nothing(practice: PracticeApi):
    routine, person = create_routine(routine_id="trig_practice_429"), create_teammate()
    run = press(routine, person).run
    run.refresh_from_db()
    assert run.retry_after is not None
    assert press(routine, person).run.reason == Reason.ON_HOLD
    assert practice.requests == 1


# --- Prior runs ---


def test_an_unsettled_unknown_run_is_warned_of_and_nothing_is_sent(practice: PracticeApi):
    routine, person, key = create_routine(), create_teammate(), uuid4()
    unknown = create_run(routine=routine, person=person, reason=Reason.NO_ANSWER)
    with pytest.raises(accepting.UnseenRuns) as warned:
        press(routine, person, key=key)
    assert warned.value.runs == [unknown.pk]
    assert (practice.requests, Run.objects.count()) == (0, 1)
    # The same form, pressed again in the knowledge of it, is good for one run.
    assert press(routine, person, key=key, aware_of=[unknown.pk]).run.state == State.STARTED
    assert practice.requests == 1


@pytest.mark.parametrize("is_own", [True, False])
def test_a_run_whose_process_died_is_warned_of_though_no_page_has_settled_it(
    practice: PracticeApi, is_own
):
    """The board shows the newest run alone, and its button fires without a form between."""
    routine, person = create_routine(), create_teammate()
    by = person if is_own else create_teammate()
    left = create_run(routine=routine, person=by, reason=Reason.SENDING, ago=timedelta(minutes=10))
    create_run(routine=routine, person=person, ago=timedelta(minutes=5))
    with pytest.raises(accepting.UnseenRuns) as warned:
        press(routine, person)
    assert warned.value.runs == [left.pk]
    assert practice.requests == 0


def test_a_run_that_appeared_since_the_warning_is_warned_of_anew(practice: PracticeApi):
    routine, person = create_routine(), create_teammate()
    known = create_run(routine=routine, reason=Reason.NO_ANSWER)
    newer = create_run(routine=routine, reason=Reason.CONNECTION_LOST)
    with pytest.raises(accepting.UnseenRuns) as warned:
        press(routine, person, aware_of=[known.pk])
    assert warned.value.runs == [newer.pk]
    assert practice.requests == 0


def test_a_settled_unknown_run_is_no_longer_warned_of(practice: PracticeApi):
    routine, person = create_routine(), create_teammate()
    unknown = create_run(routine=routine, person=person, reason=Reason.NO_ANSWER)
    settling.settle_as_not_started(unknown, by=person)
    assert press(routine, person).run.state == State.STARTED


def test_a_routine_that_is_stopped_says_so_before_it_asks_anything(practice: PracticeApi):
    routine, person = create_routine(enabled=False), create_teammate()
    create_run(routine=routine, reason=Reason.NO_ANSWER)
    assert press(routine, person).run.reason == Reason.DISABLED
