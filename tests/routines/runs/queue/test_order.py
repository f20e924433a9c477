"""What is due, in which order, and what a run that is not due waits for."""

from datetime import timedelta

import pytest
from django.utils import timezone

from routines import registry
from routines.models import Routine, Run
from routines.runs import queue
from routines.runs.queue import Line, Waiting
from routines.values.reasons import Reason, State
from tests.factories import create_admin, create_routine, create_run
from tests.routines.runs.queue.waiting import (
    BEGIN,
    MINUTE,
    OVERLOADED,
    SECOND,
    accept,
    as_stored,
    at,
    attempted,
    claim,
    hold,
)

pytestmark = pytest.mark.django_db


def test_nothing_waits():
    assert queue.lines() == []
    assert queue.next_due() is None
    assert claim(create_routine()) is None


def test_the_routine_whose_oldest_run_waits_longest_comes_first(django_assert_num_queries):
    one, other = create_routine(account="A"), create_routine(account="B")
    first, second, third = accept(other), accept(one), accept(other)
    assert first.pk < second.pk < third.pk
    with django_assert_num_queries(1):
        lines = queue.lines()
    assert lines == [
        Line(other.pk, other.account_id, first.pk, 2),
        Line(one.pk, one.account_id, second.pk, 1),
    ]


def test_more_runs_and_routines_add_no_queries(django_assert_num_queries):
    for _ in range(3):
        routine = create_routine()
        accept(routine), accept(routine)
    with django_assert_num_queries(1):
        assert len(queue.lines()) == 3


def test_the_oldest_of_a_routine_is_claimed_first_whatever_the_clocks_said():
    routine = create_routine()
    with at(BEGIN):
        first = accept(routine)
    with at(BEGIN - timedelta(hours=2)):
        second = accept(routine, wait=timedelta(days=1))
    with at(BEGIN + MINUTE):
        assert [claim(routine), claim(routine), claim(routine)] == [first, second, None]


def test_what_is_sent_or_over_is_not_in_line():
    routine = create_routine()
    for reason in (Reason.SENDING, Reason.SESSION_CREATED, Reason.NO_ANSWER, Reason.CANCELLED):
        create_run(routine=routine, reason=reason)
    assert queue.lines() == []
    assert claim(routine) is None


def test_a_held_routine_is_out_of_line_until_its_hold_ends():
    routine, other = create_routine(), create_routine()
    with at(BEGIN):
        run = accept(routine)
        hold(routine)
        later = accept(other)
        assert [line.oldest for line in queue.lines()] == [later.pk]
        assert claim(routine) is None
        assert queue.next_due() == BEGIN + 5 * MINUTE
        assert queue.waiting(as_stored(run)) == Waiting(until=BEGIN + 5 * MINUTE, on_hold=True)
    with at(BEGIN + 5 * MINUTE):
        assert [line.oldest for line in queue.lines()] == [run.pk, later.pk]
        assert claim(routine) == run


def test_a_held_account_holds_all_its_routines_and_no_other():
    routines = [create_routine(account=label) for label in ("A", "A", "B")]
    runs = [accept(routine) for routine in routines]
    hold(routines[0].account)
    assert [line.oldest for line in queue.lines()] == [runs[2].pk]
    assert [claim(routine) for routine in routines] == [None, None, runs[2]]


def test_what_waits_is_due_at_once_when_the_hold_is_lifted():
    routine = create_routine()
    hold(routine)
    run = accept(routine)
    assert queue.lines() == []
    registry.lift_hold(routine, by=create_admin())
    assert claim(routine) == run


def test_what_was_accepted_in_a_cool_down_is_due_when_it_ends():
    routine = create_routine(cool_down=60)
    with at(BEGIN):
        create_run(routine=routine)
        run = accept(routine)
        assert (run.reason, run.due_at) == (Reason.COOLING, BEGIN + MINUTE)
        assert run.deadline == BEGIN + 11 * MINUTE  # counted from its end
        assert (queue.lines(), queue.next_due()) == ([], BEGIN + MINUTE)
        assert queue.waiting(run) == Waiting(until=BEGIN + MINUTE)
    with at(BEGIN + MINUTE):
        assert claim(routine) == run


def test_of_two_in_a_cooling_routine_the_second_waits_for_the_next_pause():
    routine = create_routine(cool_down=60)
    with at(BEGIN):
        accept(routine)
        second = accept(routine)
        claim(routine)
        assert claim(routine) is None
        second = as_stored(second)
    assert (second.state, second.reason) == (State.ACCEPTED, Reason.COOLING)
    assert second.due_at == BEGIN + MINUTE


def test_a_cool_down_counts_from_the_claim_not_from_when_it_was_accepted():
    routine = create_routine(cool_down=60)
    with at(BEGIN):
        accept(routine, wait=timedelta(hours=2))
    with at(BEGIN + timedelta(hours=1)):
        assert claim(routine) is not None
        run = accept(routine)
    assert run.due_at == BEGIN + timedelta(hours=1, minutes=1)


def test_the_next_attempt_is_due_after_its_pause():
    routine = create_routine()
    with at(BEGIN):
        accept(routine, tries_again=True)
        run = attempted(routine, OVERLOADED)
        assert (run.reason, run.due_at) == (Reason.NEXT_ATTEMPT, BEGIN + 2 * SECOND)
        assert (queue.lines(), queue.next_due()) == ([], run.due_at)
        assert claim(routine) is None
    with at(BEGIN + 2 * SECOND):
        assert claim(routine) == run


def test_a_clock_that_was_set_back_does_not_stretch_a_pause():
    routine = create_routine()
    with at(BEGIN):
        accept(routine, tries_again=True)
        run = attempted(routine, OVERLOADED)
    with at(BEGIN - timedelta(hours=2)):
        assert claim(routine) == run


def test_hosts_whose_clocks_differ_keep_to_the_pause():
    routine = create_routine()
    with at(BEGIN):
        accept(routine, tries_again=True)
        attempted(routine, OVERLOADED)
    with at(BEGIN - 30 * SECOND):
        assert claim(routine) is None


def test_the_moment_that_comes_next_is_the_earliest_that_is_not_over():
    with at(BEGIN):
        held, cooling = create_routine(account="A"), create_routine(account="B", cool_down=60)
        hold(held, 3 * MINUTE)
        hold(held.account, 2 * MINUTE)
        create_run(routine=cooling)
        accept(held), accept(cooling)
        assert queue.next_due() == BEGIN + MINUTE
    with at(BEGIN + MINUTE):
        assert queue.next_due() == BEGIN + 2 * MINUTE
    with at(BEGIN + 3 * MINUTE):
        assert queue.next_due() is None


def test_holds_of_routines_without_runs_wake_nobody():
    hold(create_routine())
    assert queue.next_due() is None


def test_how_many_are_before_it():
    held, routine = create_routine(account="A"), create_routine(account="B")
    accept(held), accept(routine)
    run = accept(routine)
    hold(held)
    accept(routine)
    assert queue.waiting(run) == Waiting(before=1)


def test_how_long_the_queue_is():
    routine = create_routine()
    accept(routine), accept(create_routine())
    hold(routine)
    assert (queue.length(), queue.length(routine)) == (2, 1)


def test_a_routine_that_was_moved_stands_in_its_new_account(django_assert_num_queries):
    routine, other = create_routine(account="A"), create_routine(account="B")
    run = accept(routine)
    Routine.objects.filter(pk=routine.pk).update(account=other.account)
    hold(routine.account)
    assert queue.lines() == [Line(routine.pk, other.account_id, run.pk, 1)]
    assert Run.objects.get().account_id == routine.account_id  # until it is claimed
    assert timezone.now() < (queue.next_due() or timezone.now() + MINUTE)
