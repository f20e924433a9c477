"""A call of a program becomes a run, once for its Idempotency-Key, or is turned away."""

from datetime import timedelta

import pytest
from django.utils import timezone

from routines.callers import asking, idempotency, keys
from routines.callers.asking import TurnedAway, Wish
from routines.models import Routine, Run, WhyNoRun
from routines.models import TurnedAway as TurnedAwayCount
from routines.runs import caps, queue, reopening, retrying
from routines.values.reasons import MEANINGS, OPEN, Reason, State
from tests.factories import (
    create_admin,
    create_key_and_secret,
    create_routine,
    create_run,
    create_teammate,
)

pytestmark = pytest.mark.django_db


def refusal_of(api_key, wish, **how) -> WhyNoRun:
    with pytest.raises(TurnedAway) as away:
        asking.ask(api_key, wish, **{"wait": None} | how)
    return away.value.why


def test_a_call_is_sent_at_once_and_names_its_key(practice):
    routine = create_routine()
    api_key, _ = create_key_and_secret(routine)
    press = asking.ask(api_key, Wish(routine, "x"), wait=None)
    run = Run.objects.get()
    assert (run.state, run.api_key, run.person) == (State.STARTED, api_key, None)
    assert press.run.session_url == run.session_url
    assert [session.text for session in practice.sessions] == ["x"]


def test_the_same_idempotency_key_is_the_same_run(practice):
    routine = create_routine()
    api_key, _ = create_key_and_secret(routine)
    other, _ = create_key_and_secret(routine)
    first, second = (asking.ask(api_key, Wish(routine, "x", "one"), wait=None) for _ in range(2))
    assert (first.run, second.repeated) == (second.run, True)
    assert asking.ask(other, Wish(routine, "x", "one"), wait=None).run != first.run
    assert len(practice.sessions) == 2


def test_the_same_idempotency_key_for_something_else_is_turned_away(practice):
    routine, other = create_routine(), create_routine()
    api_key, _ = create_key_and_secret(routine, other)
    asking.ask(api_key, Wish(routine, "x", "one"), wait=None)
    assert refusal_of(api_key, Wish(routine, "y", "one")) == WhyNoRun.OTHER_INTENT
    assert refusal_of(api_key, Wish(other, "x", "one")) == WhyNoRun.OTHER_INTENT
    assert len(practice.sessions) == 1


def test_a_key_that_promises_an_idempotency_key_must_send_it(practice):
    routine = create_routine()
    api_key, _ = create_key_and_secret(routine, sends_idempotency_key=True)
    assert refusal_of(api_key, Wish(routine, "x")) == WhyNoRun.NO_IDEMPOTENCY_KEY
    counted = TurnedAwayCount.objects.get()
    assert (counted.api_key, counted.why, counted.calls) == (api_key, "no_idempotency_key", 1)
    assert not Run.objects.exists()


def test_what_is_turned_away_leaves_its_idempotency_key_free(practice):
    routine = create_routine(held_until=timezone.now() + timedelta(minutes=5))
    api_key, _ = create_key_and_secret(routine)
    assert refusal_of(api_key, Wish(routine, "x", "one")) == WhyNoRun.ON_HOLD
    routine.held_until = None
    routine.save()
    assert asking.ask(api_key, Wish(routine, "x", "one"), wait=None).run.state == State.STARTED


def test_caps_count_what_may_have_cost_something(practice):
    routine = create_routine()
    api_key, _ = create_key_and_secret(routine, hourly_cap=2)
    for _ in range(2):
        asking.ask(api_key, Wish(routine, "x"), wait=None)
    with pytest.raises(TurnedAway) as away:
        asking.ask(api_key, Wish(routine, "x"), wait=None)
    assert away.value.why == WhyNoRun.HOURLY_CAP
    assert away.value.cap is not None
    assert away.value.cap.until == Run.objects.earliest("created_at").created_at + timedelta(
        hours=1
    )


def test_a_repeated_call_finds_its_run_whatever_stands_in_the_way_now(practice):
    routine = create_routine()
    api_key, _ = create_key_and_secret(routine, hourly_cap=1)
    first = asking.ask(api_key, Wish(routine, "x", "one"), wait=None)
    again = asking.ask(api_key, Wish(routine, "x", "one"), wait=None)
    assert (again.run, again.repeated) == (first.run, True)


def test_a_caller_that_comes_back_waits_out_a_hold(practice):
    routine = create_routine(held_until=timezone.now() + timedelta(minutes=5))
    api_key, _ = create_key_and_secret(routine)
    run = asking.ask(api_key, Wish(routine, "x"), wait=0).run
    assert (run.state, run.reason, run.tries_again) == (State.ACCEPTED, Reason.ACCEPTED, True)


def test_a_personal_key_is_asked_what_its_person_is_asked(practice):
    routine = create_routine(open_to_everybody=True, confirmation="confirm")
    person = create_teammate()
    personal, _ = create_key_and_secret(person=person)
    assert refusal_of(personal, Wish(routine, "x")) == WhyNoRun.ASKS_A_PERSON
    given, _ = create_key_and_secret(routine)
    assert asking.ask(given, Wish(routine, "x"), wait=None).run.state == State.STARTED


def test_revoking_cancels_what_waits_if_that_is_asked_for(practice):
    routine = create_routine()
    for cancels, left in ((False, 1), (True, 0)):
        api_key, _ = create_key_and_secret(routine)
        asking.ask(api_key, Wish(routine, "x"), wait=0)
        assert keys.revoke(api_key, by=create_admin(), cancels_waiting=cancels) == 1 - left
        assert Run.objects.filter(api_key=api_key, state=State.ACCEPTED).count() == left
        assert refusal_of(api_key, Wish(routine, "x")) == WhyNoRun.REVOKED
    claimed = queue.claim(routine.pk)
    assert claimed is not None


# --- Asked for again, once the cause may have passed ---


def refused_then(api_key, routine, reason, since, **values):
    """A run of this key, refused so long ago; and what the same call is told now."""
    run = create_run(routine=routine, api_key=api_key, reason=reason, **values)
    wish = Wish(routine, "x", "one")
    attempt = {"attempt": 1, "claimed_at": timezone.now() - since}
    Run.objects.filter(pk=run.pk).update(
        key=idempotency.run_key(api_key, "one"),
        intent=wish.intent,
        settled_at=timezone.now() - since,
        **attempt,
    )
    return asking.ask(api_key, wish, wait=0).run


PASSES = [reason for reason in Reason if retrying.passes_after(reason) is not None]


@pytest.mark.parametrize("reason", PASSES)
def test_a_run_that_started_nothing_gets_another_attempt_once_its_cause_may_have_passed(
    practice, reason
):
    routine = create_routine()
    pause = retrying.passes_after(reason)
    assert pause is not None
    for ago, state in ((pause / 2, MEANINGS[reason].state), (pause, State.ACCEPTED)):
        api_key, _ = create_key_and_secret(routine)
        run = refused_then(api_key, routine, reason, ago)
        assert run.state == state
    claimed = queue.claim(routine.pk)
    assert claimed is not None
    assert (claimed.run.pk, claimed.run.attempt) == (run.pk, 2)


OVER = [reason for reason in Reason if MEANINGS[reason].state not in OPEN]


@pytest.mark.parametrize("reason", [reason for reason in OVER if reason not in PASSES])
def test_any_other_run_stays_as_it_is_however_often_it_is_asked_for(practice, reason):
    routine = create_routine()
    api_key, _ = create_key_and_secret(routine)
    run = refused_then(api_key, routine, reason, timedelta(days=1))
    assert (run.state, run.reason) == (MEANINGS[reason].state, reason)
    assert queue.claim(routine.pk) is None


def test_a_limit_is_waited_out_for_as_long_as_the_endpoint_has_said(practice):
    routine = create_routine()
    for minutes, state in ((5, State.REFUSED), (-1, State.ACCEPTED)):
        api_key, _ = create_key_and_secret(routine)
        resets = timezone.now() + timedelta(minutes=minutes)
        ago = timedelta(hours=1)
        run = refused_then(api_key, routine, Reason.LIMIT_REACHED, ago, retry_after=resets)
        assert run.state == state


def test_another_attempt_meets_the_rules_that_a_first_one_meets(practice):
    routine = create_routine()
    api_key, _ = create_key_and_secret(routine, hourly_cap=1)
    asking.ask(api_key, Wish(routine, "x", "another"), wait=None)
    with pytest.raises(TurnedAway) as away:
        refused_then(api_key, routine, Reason.NO_CONNECTION, timedelta(minutes=1))
    assert away.value.why == WhyNoRun.HOURLY_CAP
    routine.enabled = False
    routine.save()
    api_key, _ = create_key_and_secret(routine)
    with pytest.raises(TurnedAway) as away:
        refused_then(api_key, routine, Reason.OVERLOADED, timedelta(hours=1))
    assert away.value.why == WhyNoRun.CLOSED
    assert Run.objects.latest("pk").reason == Reason.OVERLOADED


def test_of_two_that_ask_again_at_once_one_has_it_attempted(practice):
    routine = create_routine()
    api_key, _ = create_key_and_secret(routine)
    run = create_run(routine=routine, api_key=api_key, reason=Reason.OVERLOADED)
    first, second = (Run.objects.get(pk=run.pk) for _ in range(2))
    assert reopening.reopen(first, wait=timedelta(minutes=1))
    assert not reopening.reopen(second, wait=timedelta(minutes=1))


def test_a_run_whose_text_was_shortened_is_not_attempted_anew(practice):
    """The endpoint would get its first line for the whole."""
    routine = create_routine()
    api_key, _ = create_key_and_secret(routine)
    run = create_run(routine=routine, api_key=api_key, reason=Reason.OVERLOADED, text_was=900)
    assert not reopening.reopen(run, wait=timedelta(minutes=1))
    assert Run.objects.get().state == State.REFUSED


def test_another_attempt_counts_from_when_it_was_asked_for(practice):
    """However old the run is, and whether it counted before."""
    routine = create_routine()
    for reason in (Reason.OVERLOADED, Reason.WAITED_TOO_LONG):
        api_key, _ = create_key_and_secret(routine, hourly_cap=1, daily_cap=1)
        two_days = timedelta(days=2)
        run = refused_then(api_key, routine, reason, two_days, ago=two_days)
        assert run.state == State.ACCEPTED
        with pytest.raises(TurnedAway) as away:
            asking.ask(api_key, Wish(routine, "x", "another"), wait=0)
        assert away.value.why in (WhyNoRun.HOURLY_CAP, WhyNoRun.DAILY_CAP)
        assert away.value.cap is not None
        assert away.value.cap.until > timezone.now() + timedelta(minutes=59)
        other = create_run(routine=routine, api_key=api_key, reason=reason, ago=two_days)
        with pytest.raises(caps.CapReached):
            reopening.reopen(other, wait=timedelta(minutes=1))


def test_another_attempt_is_asked_what_the_routine_asks_by_now(practice):
    routine = create_routine(open_to_everybody=True)
    personal, _ = create_key_and_secret(person=create_teammate())
    Routine.objects.update(confirmation="confirm")
    with pytest.raises(TurnedAway) as away:
        refused_then(personal, routine, Reason.OVERLOADED, timedelta(hours=1))
    assert away.value.why == WhyNoRun.ASKS_A_PERSON


def test_no_other_attempt_of_a_routine_that_was_taken_from_its_key(practice):
    routine = create_routine()
    api_key, _ = create_key_and_secret(routine)
    api_key.routines.clear()
    run = refused_then(api_key, routine, Reason.OVERLOADED, timedelta(hours=1))
    assert run.state == State.REFUSED


def test_a_wish_whose_text_is_not_known_makes_no_run(practice):
    routine = create_routine()
    api_key, _ = create_key_and_secret(routine)
    wish = Wish(routine, "", "one", template="Gone", makes_none=True)
    assert refusal_of(api_key, wish) == WhyNoRun.BAD_REQUEST
    assert not Run.objects.exists()
