"""Who waits may be called back, until the claim."""

import pytest

from routines.models import Run
from routines.runs import queue
from routines.values.reasons import Reason, State
from tests.factories import (
    create_admin,
    create_manager,
    create_routine,
    create_run,
    create_teammate,
    presser,
)
from tests.routines.runs.queue.waiting import (
    BEGIN,
    OVERLOADED,
    accept,
    as_stored,
    at,
    attempted,
    claim,
)

pytestmark = pytest.mark.django_db


def test_what_waits_ends_as_not_sent():
    routine, person = create_routine(), create_teammate()
    run = accept(routine, person)
    assert queue.cancel(run, by=person)
    stored = as_stored(run)
    for one in (run, stored):
        assert (one.state, one.reason) == (State.NOT_SENT, Reason.CANCELLED)
        assert one.settled_by == person
    assert stored.settled_at is not None
    assert claim(routine) is None


def test_what_waits_for_its_next_attempt_too():
    routine = create_routine()
    accept(routine, tries_again=True)
    run = attempted(routine, OVERLOADED)
    assert queue.cancel(run, by=presser(run))
    assert [one.reason for one in run.attempts.all()] == [Reason.OVERLOADED]


def test_a_page_that_was_drawn_before_the_claim_cancels_nothing():
    routine = create_routine()
    run = accept(routine)
    claim(routine)
    assert not queue.cancel(run, by=presser(run))
    assert as_stored(run).state == State.SENDING


@pytest.mark.parametrize(
    "reason", [Reason.SENDING, Reason.SESSION_CREATED, Reason.PAUSED, Reason.NO_ANSWER]
)
def test_what_was_sent_is_not_cancelled(reason: Reason):
    run = create_run(reason=reason)
    assert not queue.cancel(run, by=presser(run))
    assert as_stored(run).reason == reason


def test_once_is_enough():
    with at(BEGIN):
        run = accept(create_routine())
        first, second = as_stored(run), as_stored(run)
    assert queue.cancel(first, by=presser(run))
    assert not queue.cancel(second, by=create_admin())
    assert as_stored(run).settled_by == run.person


def test_who_asked_and_who_keeps_the_registry_may():
    run = Run(person=create_teammate())
    assert queue.may_cancel(run, presser(run))
    assert queue.may_cancel(run, create_admin())
    assert not queue.may_cancel(run, create_manager())
    assert not queue.may_cancel(run, create_teammate())
