"""A claim: the rules once more, what it is sent with, and one winner."""

import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from cryptography.fernet import Fernet
from django.db import connection, transaction
from django.utils import timezone

from routines import registry
from routines.callers import keys
from routines.models import Person, Routine, Run
from routines.runs import accepting, queue
from routines.runs.slots import Slot
from routines.values.reasons import Reason, State
from tests.factories import (
    create_admin,
    create_key_and_secret,
    create_routine,
    create_run,
    create_teammate,
    presser,
)
from tests.routines.runs.firing.pressing import at_once
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
    claimed,
)

pytestmark = pytest.mark.django_db

OLD = "experimental-cc-routine-2026-01-01"
NEW = "experimental-cc-routine-2030-05-05"


def test_a_claimed_run_is_on_its_way():
    routine = create_routine()
    with at(BEGIN):
        accept(routine)
    with at(BEGIN + MINUTE):
        found = queue.claim(routine.pk)
        assert found is not None
    run = as_stored(found.run)
    assert (run.state, run.reason, run.attempt) == (State.SENDING, Reason.SENDING, 1)
    assert (run.created_at, run.claimed_at) == (BEGIN, BEGIN + MINUTE)
    assert found.run.attempt == 1
    assert found.token.reveal() == routine.reveal_token().reveal()
    assert found.token.reveal() not in repr(found)


def disable(run: Run) -> None:
    Routine.objects.filter(pk=run.routine_id).update(enabled=False)


def archive(run: Run) -> None:
    Routine.objects.filter(pk=run.routine_id).update(archived_at=timezone.now())


def remove_token(run: Run) -> None:
    routine = Routine.objects.get(pk=run.routine_id)
    routine.remove_token()
    routine.save()


def lose_the_key(run: Run) -> None:
    lost = Fernet(Fernet.generate_key()).encrypt(b"{}").decode()
    Routine.objects.filter(pk=run.routine_id).update(token_encrypted=lost)


def leave_the_group(run: Run) -> None:
    presser(run).groups.clear()


def deactivate(run: Run) -> None:
    Person.objects.filter(pk=presser(run).pk).update(is_active=False)


def close_the_routine(run: Run) -> None:
    Routine.objects.filter(pk=run.routine_id).update(open_to_everybody=False)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (disable, Reason.DISABLED),
        (archive, Reason.ARCHIVED),
        (remove_token, Reason.TOKEN_REMOVED),
        (lose_the_key, Reason.TOKEN_UNREADABLE),
        (leave_the_group, Reason.NOT_ALLOWED),
        (deactivate, Reason.NOT_ALLOWED),
        (close_the_routine, Reason.NOT_ALLOWED),
    ],
)
def test_what_became_of_a_rule_while_it_waited_ends_it(change: Any, reason: Reason):
    routine = create_routine()
    run = accept(routine)
    change(run)
    assert claim(routine) is None
    run = as_stored(run)
    assert (run.state, run.reason) == (State.NOT_SENT, reason)
    assert (run.attempt, run.claimed_at) == (0, None)
    assert queue.lines() == []


def test_a_rule_that_stopped_standing_in_the_way_does_not():
    routine = create_routine()
    accept(routine)
    registry.set_enabled(routine, False, by=create_admin())
    registry.set_enabled(routine, True, by=create_admin())
    assert claim(routine) is not None


def test_who_keeps_the_registry_may_run_what_is_closed():
    routine = create_routine()
    run = accept(routine, create_admin())
    close_the_routine(run)
    assert claim(routine) == run


def test_past_its_deadline_it_is_not_claimed():
    routine = create_routine()
    with at(BEGIN):
        run = accept(routine, wait=MINUTE)
    with at(BEGIN + MINUTE):
        assert as_stored(run).deadline == timezone.now()  # until then it may
    with at(BEGIN + MINUTE + SECOND):
        assert claim(routine) is None
    assert as_stored(run).reason == Reason.WAITED_TOO_LONG


def test_it_is_sent_with_the_versions_and_paid_by_the_account_of_its_claim():
    routine, other = create_routine(beta_version=OLD, account="A"), create_routine(account="B")
    run = accept(routine)
    Routine.objects.filter(pk=routine.pk).update(beta_version=NEW, account=other.account)
    assert (run.beta_version, run.account) == (OLD, routine.account)
    run = claimed(routine)
    assert (run.beta_version, run.account) == (NEW, other.account)
    stored = as_stored(run)
    assert (stored.beta_version, stored.account) == (NEW, other.account)


def test_a_trial_keeps_the_versions_that_it_is_about():
    routine = create_routine(beta_version=OLD)
    accept(routine, create_admin(), trial=accepting.Trial(beta_version=NEW))
    Routine.objects.filter(pk=routine.pk).update(beta_version="", api_version="2030-01-01")
    run = claimed(routine)
    assert (run.beta_version, run.api_version) == (NEW, "2023-06-01")


def test_the_token_is_the_one_of_its_claim():
    routine = create_routine()
    accept(routine)
    routine.set_token(type(routine.reveal_token())("sk-ant-oat01-another-one-12345678"), by=None)
    routine.save()
    found = queue.claim(routine.pk)
    assert found is not None
    assert found.token.reveal() == "sk-ant-oat01-another-one-12345678"


def test_what_the_last_attempt_was_told_is_not_said_of_the_next():
    """It may get lost, and would be shown with a status that it never had."""
    routine = create_routine()
    with at(BEGIN):
        accept(routine, tries_again=True)
        run = attempted(routine, OVERLOADED)
        assert (run.http_status, run.error_type) == (503, "overloaded_error")
    with at(BEGIN + MINUTE):
        run = as_stored(claimed(routine))
    assert (run.http_status, run.error_type, run.sent_at, run.request_id) == (None, "", None, "")
    assert run.attempts.get().http_status == 503


def test_a_claim_gets_old_from_before_it_is_written():
    """Its process may be stopped while it is committed, and others take the run for interrupted."""
    routine = create_routine()
    accept(routine)
    written: list[float] = []

    def note(execute: Callable[..., Any], sql: str, *more: Any) -> Any:
        if sql.startswith("UPDATE"):
            written.append(time.monotonic())
        return execute(sql, *more)

    with connection.execute_wrapper(note):
        found = queue.claim(routine.pk)
    assert found is not None
    assert found.at <= written[0]


@pytest.mark.usefixtures("transactional_db")
class TestAtOnce:
    """Real commits, a connection per thread, as of many workers."""

    def test_one_run_is_claimed_by_one(self):
        routine = create_routine()
        run = accept(routine)
        found = at_once(12, lambda _: claim(routine))
        assert sorted(found, key=bool) == [None] * 11 + [run]
        assert as_stored(run).attempt == 1

    def test_each_of_many_runs_is_claimed_once(self):
        routine = create_routine()
        runs = [accept(routine) for _ in range(5)]

        def claim_until_nothing_waits(_number: int) -> list[Run]:
            found = []
            while queue.lines():
                found.append(claim(routine))  # None while another one holds the routine
            return [run for run in found if run is not None]

        found = at_once(12, claim_until_nothing_waits)
        assert sorted(run.pk for some in found for run in some) == [run.pk for run in runs]

    def test_of_a_claim_and_a_cancel_one_succeeds(self):
        routine, person = create_routine(), create_teammate()
        for _ in range(5):
            run = accept(routine, person)

            def act(number: int, run: Run = run) -> Any:
                return queue.cancel(run, by=person) if number else claim(routine)

            taken, is_cancelled = at_once(2, act)
            assert bool(taken) != is_cancelled
            state = State.NOT_SENT if is_cancelled else State.SENDING
            assert as_stored(run).state == state

    @pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite locks no rows")
    def test_a_routine_that_somebody_holds_makes_no_other_one_wait(self):
        held, free = create_routine(), create_routine()
        runs = [accept(held), accept(free)]
        with transaction.atomic():
            queue.lock_routine(held.pk, wait=20)
            found = at_once(2, lambda number: claim((held, free)[number]))
        assert found == [None, runs[1]]
        assert claim(held) == runs[0]


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="notices are PostgreSQL's")
@pytest.mark.usefixtures("transactional_db")
def test_workers_are_told_once_a_run_that_waits_is_committed():
    routine = create_routine()
    with connection.cursor() as cursor:
        cursor.execute(f"LISTEN {queue.CHANNEL}")
        accept(routine)
        notices = list(cursor.connection.notifies(timeout=5, stop_after=1))
        assert [notice.channel for notice in notices] == [queue.CHANNEL]
        with Slot() as slot:  # sent at once: nobody else has to know
            accepting.accept(
                key=uuid4(),
                routine=routine,
                person=create_teammate(),
                text="",
                aware_of=None,
                slot=slot,
            )
        assert list(cursor.connection.notifies(timeout=0.2)) == []
        cursor.execute(f"UNLISTEN {queue.CHANNEL}")


@pytest.mark.parametrize(("attempt", "state"), [(0, State.SENDING), (1, State.NOT_SENT)])
def test_of_a_revoked_key_what_waits_is_sent_and_nothing_tried_anew(attempt: int, state: State):
    routine = create_routine()
    api_key, _ = create_key_and_secret(routine)
    reason = Reason.NEXT_ATTEMPT if attempt else Reason.ACCEPTED
    run = create_run(routine=routine, api_key=api_key, reason=reason, attempt=attempt)
    keys.revoke(api_key, by=create_admin())
    claim(routine)
    assert as_stored(run).state == state
