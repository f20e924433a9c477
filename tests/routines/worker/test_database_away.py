"""A database that goes away and comes back: the worker lives on, and nothing uncertain is sent."""

import logging
from typing import Any

import pytest
from django.db import InterfaceError, OperationalError, ProgrammingError, connection

from routines.fire_api import Answer
from routines.models import Person, Routine, Run, Worker
from routines.runs import queue, recording
from routines.worker import heartbeat
from tests.factories import create_routine
from tests.routines.worker.working import Endpoint, accept, states, wait_for, working
from tests.server.product import wait_until

pytestmark = pytest.mark.usefixtures("transactional_db")


@pytest.fixture
def routine(transactional_db: None) -> Routine:
    return create_routine()


class Away:
    """`queue.lines` fails while `is_away`; `tries` counts them."""

    def __init__(self, error: Exception) -> None:
        self.is_away, self.tries, self._error = True, 0, error
        self._lines = queue.lines

    def lines(self) -> list[queue.Line]:
        if self.is_away:
            self.tries += 1
            raise self._error
        return self._lines()


@pytest.mark.parametrize(
    "error",
    [
        OperationalError("connection refused"),
        InterfaceError("connection already closed"),
        ProgrammingError("no such table: routines_run"),  # it was not migrated yet
    ],
    ids=["refused", "closed", "not migrated"],
)
def test_the_worker_tries_again_and_goes_on(
    endpoint: Endpoint,
    person: Person,
    routine: Routine,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
):
    caplog.set_level(logging.INFO, "routines.worker")
    away = Away(error)
    monkeypatch.setattr(queue, "lines", away.lines)
    accept(routine, person, 3)
    with working():
        wait_until(lambda: away.tries >= 2)
        assert endpoint.texts == []
        away.is_away = False
        wait_for(started=3)
    said = [record for record in caplog.records if record.name == "routines.worker.outage"]
    assert [record.levelname for record in said] == ["WARNING", "INFO"]


def test_a_claim_that_meets_no_database_is_tried_again_after_a_pause(
    endpoint: Endpoint,
    person: Person,
    routine: Routine,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
):
    real, tries = queue.claim, list[int]()

    def claim(pk: int) -> queue.Claimed | None:
        tries.append(pk)
        if len(tries) <= 2:
            raise OperationalError("connection refused")
        return real(pk)

    monkeypatch.setattr(queue, "claim", claim)
    accept(routine, person, 3)
    with working():
        wait_for(started=3)
    said = [record for record in caplog.records if record.name.startswith("routines.worker")]
    assert [record.levelname for record in said if record.levelname != "INFO"] == ["WARNING"]


def test_it_stops_at_once_while_the_database_is_away(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
):
    away = Away(OperationalError("connection refused"))
    monkeypatch.setattr(queue, "lines", away.lines)
    with working() as worker:
        wait_until(lambda: away.tries >= 1)
        worker.stop()
    assert worker.waited_for == 0


def test_what_may_or_may_not_have_been_claimed_is_never_sent(
    endpoint: Endpoint, person: Person, routine: Routine, monkeypatch: pytest.MonkeyPatch
):
    real, failed = queue.claim, list[queue.Claimed | None]()

    def claim(pk: int) -> queue.Claimed | None:
        claimed = real(pk)
        if not failed:
            failed.append(claimed)
            raise OperationalError("server closed the connection unexpectedly")
        return claimed

    monkeypatch.setattr(queue, "claim", claim)
    accept(routine, person, 3)
    with working():
        wait_for(sending=1, started=2)
    [lost] = failed
    assert lost is not None
    assert lost.run.text not in endpoint.texts


def test_connections_that_the_server_cuts_are_made_again(
    endpoint: Endpoint, person: Person, routine: Routine
):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no server.")
    with working():
        wait_until(heartbeat.is_any_alive)
        for number in range(1, 4):
            _cut_all_others()
            accept(routine, person)
            wait_for(started=number)


def _cut_all_others() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def test_an_answer_that_cannot_be_recorded_costs_no_place(
    endpoint: Endpoint, person: Person, routine: Routine, monkeypatch: pytest.MonkeyPatch
):
    real, lost = recording.record_answer, list[Run]()

    def record_answer(run: Run, answer: Answer, **named: Any) -> bool:
        if not lost:
            lost.append(run)
            return False
        return real(run, answer, **named)

    monkeypatch.setattr(recording, "record_answer", record_answer)
    accept(routine, person, 3)
    with working(places=1):
        wait_for(sending=1, started=2)
    assert states() == {"sending": 1, "started": 2}
    assert not Worker.objects.exists()
