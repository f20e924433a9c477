"""Answers that come when others have gone on without them, and claims that got old unsent."""

import time
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from routines.fire_api import Answer
from routines.models import Run
from routines.practice_api import PracticeApi
from routines.runs import overdue, queue, recording, sending
from routines.runs.queue import Claimed
from routines.values.reasons import Reason, State
from tests.factories import create_run

pytestmark = pytest.mark.usefixtures("transactional_db")


def claimed(**values: Any) -> Claimed:
    run = create_run(reason=Reason.ACCEPTED, **values)
    found = queue.claim(run.routine_id)
    assert found is not None
    return found


def test_a_refusal_counts_though_the_run_was_taken_for_interrupted():
    """It may not try again any more, but nothing was started, and that is known."""
    run = claimed(tries_again=True).run
    with time_machine.travel(timezone.now() + timedelta(minutes=5)):
        overdue.settle()
        assert Run.objects.get().reason == Reason.INTERRUPTED
        assert recording.record_answer(run, Answer(Reason.OVERLOADED), duration=1.0)
    assert run.reason == Run.objects.get().reason == Reason.OVERLOADED
    assert [one.reason for one in run.attempts.all()] == [Reason.OVERLOADED]


def test_an_answer_says_nothing_of_a_later_attempt():
    run = claimed().run
    Run.objects.update(attempt=2)
    recording.record_answer(run, Answer(Reason.BAD_REQUEST), duration=1.0)
    assert Run.objects.get().state == State.SENDING


def test_a_claim_that_got_old_in_a_process_that_stood_still_is_not_sent(practice: PracticeApi):
    found = claimed()
    assert sending.send(found.run, found.token, claimed=time.monotonic() - 16)
    assert (Run.objects.get().state, practice.requests) == (State.ACCEPTED, 0)


def test_a_claim_that_got_old_while_the_machine_slept_is_not_sent(practice: PracticeApi):
    """Then only the clock on the wall has gone on."""
    found = claimed()
    with time_machine.travel(timezone.now() + timedelta(hours=1)):
        assert sending.send(found.run, found.token, claimed=found.at)
    assert (Run.objects.get().state, practice.requests) == (State.ACCEPTED, 0)
