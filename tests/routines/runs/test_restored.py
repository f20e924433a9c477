"""What a database holds as open that was put back into an older state, and who may act on it."""

import logging
from datetime import timedelta
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.utils import timezone

from routines.fire_api import Answer
from routines.models import Attempt, DatabaseIdentity, Run
from routines.practice_api import PracticeApi
from routines.runs import overdue, queue, recording, restored
from routines.values.reasons import Reason, State
from tests.factories import create_routine, create_run, create_teammate, presser
from tests.routines.worker.working import working
from tests.server.product import wait_until

SESSION = "session_01RESTORED"


@pytest.fixture(autouse=True)
def home(transactional_db: None) -> None:
    """The database has been in use for a while."""
    assert restored.check() == 0


def put_back() -> None:
    """As if these rows had been brought here from another database."""
    DatabaseIdentity.objects.update(name="somewhere else")


def started() -> Answer:
    return Answer(
        reason=Reason.SESSION_CREATED,
        session_id=SESSION,
        session_url=f"https://claude.ai/code/{SESSION}",
        left_at=1.0,
    )


def test_in_its_own_database_what_waits_goes_on_waiting():
    run = create_run(reason=Reason.ACCEPTED)
    assert restored.check() == 0
    claimed = queue.claim(run.routine_id)
    assert claimed is not None
    assert claimed.run.pk == run.pk


def test_in_another_one_what_is_open_is_unknown_and_nothing_else(caplog: pytest.LogCaptureFixture):
    waiting, sending = create_run(reason=Reason.ACCEPTED), create_run(reason=Reason.SENDING)
    done = create_run()
    put_back()
    assert restored.check() == 2
    for run in (waiting, sending):
        run.refresh_from_db()
        assert (run.state, run.reason) == (State.UNKNOWN, Reason.RESTORED)
        assert run.settled_at is not None
    done.refresh_from_db()
    assert done.state == State.STARTED
    assert [one.run_id for one in Attempt.objects.all()] == [sending.pk]
    [said] = [one for one in caplog.records if one.levelno == logging.WARNING]
    assert ", 2 of them:" in said.getMessage()
    assert restored.check() == 0


def test_that_is_noticed_once():
    put_back()
    restored.check()
    run = create_run(reason=Reason.ACCEPTED)
    assert restored.check() == 0
    run.refresh_from_db()
    assert run.is_waiting


def test_nobody_claims_there_what_waits(practice: PracticeApi):
    run = create_run(reason=Reason.ACCEPTED)
    put_back()
    assert queue.claim(run.routine_id) is None
    run.refresh_from_db()
    assert run.reason == Reason.RESTORED


def test_a_worker_settles_when_it_starts_also_what_is_held():
    """Nobody claims that, and it would be claimed once its hold is over."""
    held = create_routine(held_until=timezone.now() + timedelta(hours=1))
    run = create_run(reason=Reason.ACCEPTED, routine=held)
    put_back()
    with working():
        wait_until(lambda: Run.objects.get(pk=run.pk).reason == Reason.RESTORED)


def test_no_page_says_there_that_a_run_which_waited_too_long_was_not_sent():
    run = create_run(reason=Reason.ACCEPTED, ago=timedelta(days=1))
    put_back()
    overdue.settle()
    run.refresh_from_db()
    assert run.reason == Reason.RESTORED


def test_nobody_cancels_there_what_may_have_been_sent():
    run = create_run(reason=Reason.ACCEPTED)
    put_back()
    assert not queue.cancel(run, by=presser(run))
    run.refresh_from_db()
    assert run.reason == Reason.RESTORED


def test_who_set_a_disk_back_says_so(capsys: pytest.CaptureFixture[str]):
    run = create_run(reason=Reason.ACCEPTED)
    call_command("restored")
    assert "unknown now: 1." in capsys.readouterr().out
    run.refresh_from_db()
    assert run.reason == Reason.RESTORED


@pytest.mark.parametrize("is_noticed", [False, True])
def test_an_answer_counts_though_its_claim_was_forgotten(is_noticed: bool):
    """Of a fire in flight while the database is put back to before its claim."""
    run = create_run(reason=Reason.ACCEPTED)
    claimed = queue.claim(run.routine_id)
    assert claimed is not None
    Run.objects.filter(pk=run.pk).update(
        state=State.ACCEPTED, reason=Reason.ACCEPTED, attempt=0, claimed_at=None
    )
    if is_noticed:
        put_back()
        restored.check()
    assert recording.record_answer(claimed.run, started(), duration=1.0)
    run.refresh_from_db()
    assert (run.state, run.session_id) == (State.STARTED, SESSION)


def test_an_answer_is_never_given_to_another_run_with_its_number(
    caplog: pytest.LogCaptureFixture,
):
    """A run that an older state has forgotten: the next one gets its number."""
    routine, person = create_routine(), create_teammate()
    forgotten = create_run(reason=Reason.ACCEPTED, routine=routine, person=person)
    claimed = queue.claim(routine.pk)
    assert claimed is not None
    Run.objects.filter(pk=forgotten.pk).update(key=uuid4())
    assert not recording.record_answer(claimed.run, started(), duration=1.0)
    other = Run.objects.get(pk=forgotten.pk)
    assert (other.state, other.session_id) == (State.SENDING, "")
    assert not Attempt.objects.exists()
    [said] = [one for one in caplog.records if one.levelno == logging.CRITICAL]
    assert SESSION in said.getMessage()
