"""A worker sends what waits: all of it, once, in its turn; and stops without losing anything."""

import logging
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from routines.models import Account, Person, Routine, Run, Worker
from routines.practice_api import PracticeServer
from routines.runs import accepting, queue, sending
from routines.values.reasons import Reason
from routines.worker import heartbeat, waking
from tests.factories import create_routine
from tests.routines.worker.working import (
    Endpoint,
    accept,
    is_started,
    states,
    wait_for,
    wait_for_requests,
    working,
)
from tests.server.product import wait_until

pytestmark = pytest.mark.usefixtures("transactional_db")


@pytest.fixture
def routine(transactional_db: None) -> Routine:
    return create_routine()


def deaf(monkeypatch: pytest.MonkeyPatch, *, poll: float) -> None:
    """No news arrive, as behind a pooler; the queue is looked at so often."""
    for kind in (waking.Notices, waking.DataVersion):
        monkeypatch.setattr(kind, "descriptor", lambda _self: None)
        monkeypatch.setattr(kind, "arrived", lambda _self: False)
        monkeypatch.setattr(kind, "poll", poll)


def test_all_that_waits_is_sent_once_each(endpoint: Endpoint, person: Person):
    runs = [run for _ in range(5) for run in accept(create_routine(), person, 8)]
    with working(places=4):
        wait_for(started=40)
    assert sorted(endpoint.texts) == sorted(run.text for run in runs)


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite locks all at once")
def test_a_routine_that_others_keep_locked_lets_the_others_have_their_turns(
    endpoint: Endpoint, person: Person, routine: Routine, monkeypatch: pytest.MonkeyPatch
):
    """As a host may that lost its network in a transaction. Nor is it asked for all the time."""
    looks: list[float] = []
    lines = queue.lines

    def look() -> list[queue.Line]:
        looks.append(time.monotonic())
        return lines()

    monkeypatch.setattr(queue, "lines", look)
    [run] = accept(routine, person)
    others = accept(create_routine(), person, 3)
    with working():
        with transaction.atomic():
            Routine.objects.select_for_update(no_key=True).get(pk=routine.pk)
            wait_until(lambda: all(is_started(other) for other in others))
            first = len(looks)
            wait_until(lambda: len(looks) >= first + 10)
            assert looks[first + 9] - looks[first] > 1  # seconds; 0.2 after the shortest waits
            assert not is_started(run)
        wait_for(started=4)


def test_what_is_accepted_while_it_works_wakes_it(
    endpoint: Endpoint, person: Person, routine: Routine, monkeypatch: pytest.MonkeyPatch
):
    for kind in (waking.Notices, waking.DataVersion):
        monkeypatch.setattr(kind, "poll", 3600.0)
    with working():
        for number in range(1, 4):
            accept(routine, person)
            wait_for(started=number)


def test_without_any_news_the_poll_finds_it(
    endpoint: Endpoint, person: Person, routine: Routine, monkeypatch: pytest.MonkeyPatch
):
    deaf(monkeypatch, poll=0.2)
    with working():
        wait_until(heartbeat.is_any_alive)
        accept(routine, person)
        wait_for(started=1)


def test_never_more_at_once_than_there_are_places(endpoint: Endpoint, person: Person):
    routines = [create_routine(account=f"Account {number}") for number in range(4)]
    for routine in routines:
        accept(routine, person, 3)
    with working(places=3), ExitStack() as held:
        for routine in routines:
            held.enter_context(endpoint.holding(routine))
        wait_for_requests(endpoint, 3)
        assert states() == {"sending": 3, "accepted": 9}
        held.close()
        wait_for(started=12)
    assert endpoint.most_at_once == 3


def test_the_oldest_goes_first(endpoint: Endpoint, person: Person):
    runs = [accept(create_routine(), person)[0] for _ in range(6)]
    with working(places=1):
        wait_for(started=6)
    assert endpoint.texts == [run.text for run in runs]


def test_a_routine_that_hangs_holds_up_no_other(endpoint: Endpoint, person: Person):
    hung, of_its_account = create_routine(), create_routine()
    of_another = create_routine(account="Another account")
    accept(hung, person, 20)
    with working(places=8), endpoint.holding(hung):
        wait_until(lambda: endpoint.requests_of(hung) == 6)
        accept(of_its_account, person, 5)
        accept(of_another, person, 5)
        wait_for(started=10, sending=6, accepted=14)
    assert endpoint.requests_of(hung) == 6


def test_lines_take_turns_however_many_one_of_them_has(endpoint: Endpoint, person: Person):
    many, few = create_routine(), create_routine(account="Another account")
    with working(places=2), endpoint.holding(many):
        accept(many, person, 10)
        wait_for_requests(endpoint, 1)
        [run] = accept(few, person)
        wait_until(lambda: is_started(run))
    assert endpoint.requests_of(many) == 1


def test_a_stop_lets_the_fires_in_flight_finish_and_claims_nothing_more(
    endpoint: Endpoint, person: Person, routine: Routine
):
    accept(routine, person, 5)
    with working(places=2) as worker:
        with endpoint.holding(routine):
            wait_for_requests(endpoint, 1)
            worker.loop.stop()
            worker.thread.join(0.3)
            assert worker.thread.is_alive()
            assert heartbeat.is_any_alive()
        worker.stop()
    assert worker.waited_for == 1
    assert states() == {"started": 1, "accepted": 4}
    assert not Worker.objects.exists()


def test_a_worker_with_nothing_to_do_stops_at_once(transactional_db: None):
    with working() as worker:
        wait_until(heartbeat.is_any_alive)
        worker.stop()
    assert worker.waited_for == 0
    assert not Worker.objects.exists()


@pytest.mark.parametrize("kind", ["due_at", "hold of the routine", "hold of the account"])
def test_what_becomes_due_is_sent_then_and_not_before(
    endpoint: Endpoint,
    person: Person,
    routine: Routine,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
):
    deaf(monkeypatch, poll=3600.0)
    due = timezone.now() + timedelta(seconds=1)
    [run] = accept(routine, person)
    if kind == "due_at":
        Run.objects.update(due_at=due)
    elif kind == "hold of the routine":
        Routine.objects.update(held_until=due)
    else:
        Account.objects.update(held_until=due)
    with working():
        wait_for(started=1)
    run.refresh_from_db()
    assert run.sent_at is not None
    assert run.sent_at >= due


def test_an_attempt_that_reached_nobody_is_followed_by_the_next(
    person: Person, routine: Routine, settings: Any
):
    accept(routine, person, tries_again=True)
    endpoint = Endpoint()
    with working():
        # Nobody listens at the endpoint that tests have by default.
        wait_until(lambda: Run.objects.filter(reason=Reason.NEXT_ATTEMPT).exists())
        with PracticeServer(endpoint) as server:
            settings.CLAUDE_API_BASE_URL = server.url
            wait_for(started=1)
    assert len(endpoint.texts) == 1


def test_a_run_that_may_not_be_sent_any_more_ends_and_the_next_has_its_turn(
    endpoint: Endpoint, person: Person, routine: Routine
):
    other = create_routine()
    accept(routine, person, 5)
    accept(other, person, 1)
    Routine.objects.filter(pk=routine.pk).update(enabled=False)
    with working():
        wait_for(not_sent=5, started=1)
    assert endpoint.requests_of(routine) == 0


def test_three_workers_at_once_send_each_run_once(endpoint: Endpoint, person: Person):
    routines = [create_routine(account=f"Account {number}") for number in range(3)]
    runs = [run for routine in routines for run in accept(routine, person, 15)]
    with working(places=3), working(places=3), working(places=3):
        wait_until(lambda: Worker.objects.count() == 3)
        runs += [run for routine in routines for run in accept(routine, person, 5)]
        wait_for(started=60)
    assert sorted(endpoint.texts) == sorted(run.text for run in runs)


def test_work_is_accepted_by_many_at_once_while_it_is_sent(
    endpoint: Endpoint, person: Person, routine: Routine
):
    def press() -> None:
        try:
            accept(routine, person, 5)
        finally:
            connection.close()

    threads = [threading.Thread(target=press) for _ in range(4)]
    with working(places=4):
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        wait_for(started=20)
    assert len(set(endpoint.texts)) == len(endpoint.texts) == 20


# --- What goes wrong ---


def failing(times: int, error: Exception, then: Callable[..., Any]) -> Callable[..., Any]:
    left = [times]

    def act(*arguments: Any, **named: Any) -> Any:
        left[0] -= 1
        if left[0] >= 0:
            raise error
        return then(*arguments, **named)

    return act


def test_a_failure_while_sending_costs_no_place(
    endpoint: Endpoint,
    person: Person,
    routine: Routine,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
):
    monkeypatch.setattr(sending, "send", failing(2, ValueError("a mistake"), sending.send))
    accept(routine, person, 5)
    with working(places=1):
        wait_for(sending=2, started=3)
    assert len(endpoint.texts) == 3
    assert [record.levelname for record in caplog.records].count("ERROR") == 2


def test_a_line_whose_claim_fails_is_left_alone_and_others_have_their_turn(
    endpoint: Endpoint,
    person: Person,
    routine: Routine,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
):
    other = create_routine()
    real = queue.claim

    def claim(pk: int) -> queue.Claimed | None:
        if pk == routine.pk:
            raise ValueError("a mistake")
        return real(pk)

    monkeypatch.setattr(queue, "claim", claim)
    accept(routine, person, 2)
    accept(other, person, 3)
    with working():
        wait_for(accepted=2, started=3)
    assert [record.levelname for record in caplog.records].count("ERROR") == 1


def test_whoever_is_accepted_at_a_press_is_sent_by_the_worker(
    endpoint: Endpoint, person: Person, routine: Routine
):
    done = accepting.accept(
        key=accept(routine, person)[0].key, routine=routine, person=person, text="again"
    )
    assert done.repeated
    with working():
        wait_for(started=1)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_mistake_that_ends_the_loop_lets_the_fires_in_flight_finish(
    endpoint: Endpoint,
    person: Person,
    routine: Routine,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
):
    caplog.set_level(logging.INFO)
    accept(routine, person)
    with working() as worker:
        with endpoint.holding(routine):
            wait_for_requests(endpoint, 1)
            monkeypatch.setattr(queue, "lines", failing(99, ValueError("a mistake"), queue.lines))
            accept(create_routine(), person)
            wait_until(lambda: "stopping" in caplog.messages)
            assert worker.thread.is_alive()
        worker.thread.join(60)
    assert states() == {"started": 1, "accepted": 1}
    assert not Worker.objects.exists()
