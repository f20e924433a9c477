"""What the worker does beside sending: each duty, also when several workers do it at once."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.sessions.models import Session
from django.db import OperationalError, connections
from django.db.models import Sum
from django.db.models.functions import Now
from django.utils import timezone

from routines.audit import chain, trace
from routines.models import (
    AuditEvent,
    Chain,
    Dimension,
    Grain,
    Run,
    RunChange,
    RunCount,
    TurnedAway,
    WhyNoRun,
    Worker,
)
from routines.runs import overdue
from routines.values.reasons import Reason
from routines.worker.duties import Duty, Rota, duties, every, nightly
from tests.factories import create_key_and_secret, create_routine, create_run, create_teammate
from tests.routines.runs.firing.pressing import at_once
from tests.server.product import wait_until

pytestmark = pytest.mark.usefixtures("transactional_db")


def duty(name: str) -> Duty:
    [found] = [one for one in duties() if one.name == name]
    return found


def do(name: str) -> None:
    """By three workers at once."""
    act = duty(name).act
    assert at_once(3, lambda _number: act(lambda _seconds: None)) == [None] * 3


def old_runs(ages: list[int]) -> None:
    routine, person = create_routine(), create_teammate()
    for age in ages:
        create_run(routine=routine, person=person, text="a\nb", ago=timedelta(days=age))


def test_overdue_runs_are_settled():
    lost = create_run(reason=Reason.SENDING, ago=timedelta(hours=1))
    in_flight = create_run(reason=Reason.SENDING)
    too_late = create_run(reason=Reason.ACCEPTED, ago=timedelta(hours=1))
    do("overdue runs")
    reasons = dict(Run.objects.values_list("pk", "reason"))
    assert reasons[lost.pk] == Reason.INTERRUPTED
    assert reasons[in_flight.pk] == Reason.SENDING
    assert reasons[too_late.pk] == Reason.WAITED_TOO_LONG


def test_old_counts_of_calls_that_were_turned_away_are_forgotten():
    api_key, _ = create_key_and_secret(create_routine())
    today = timezone.now().date()
    for days in (0, 40):
        TurnedAway.objects.create(
            api_key=api_key,
            day=today - timedelta(days=days),
            why=WhyNoRun.NETWORK,
            calls=1,
            last_at=timezone.now(),
        )
    do("counts of calls that were turned away")
    assert list(TurnedAway.objects.values_list("day", flat=True)) == [today]


def test_all_overdue_runs_are_settled_though_not_in_one_look(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(overdue, "AT_ONCE", 2)
    for _ in range(5):
        create_run(reason=Reason.ACCEPTED, ago=timedelta(hours=1))
    do("overdue runs")
    assert set(Run.objects.values_list("reason", flat=True)) == {Reason.WAITED_TOO_LONG}


def test_runs_are_counted_once():
    old_runs([0] * 20)
    assert RunChange.objects.exists()
    do("counting runs")
    assert not RunChange.objects.exists()
    of_days = RunCount.objects.filter(dimension=Dimension.TIME, grain=Grain.DAY)
    assert of_days.aggregate(Sum("started"))["started__sum"] == 20


def test_dead_workers_are_forgotten():
    Worker.objects.create(name="dead", seen_at=Now() - timedelta(days=2), places=1)
    Worker.objects.create(name="alive", places=1)
    do("heartbeats of dead workers")
    assert [one.name for one in Worker.objects.all()] == ["alive"]


def test_web_sessions_that_are_over_go():
    for name, hours in (("over", -1), ("going on", 1)):
        until = timezone.now() + timedelta(hours=hours)
        Session.objects.create(session_key=name, session_data="", expire_date=until)
    do("ended web sessions")
    assert [one.session_key for one in Session.objects.all()] == ["going on"]


def test_old_sign_ins_go_and_their_chain_still_fits(settings: Any):
    settings.KEEP_SIGN_INS_DAYS = 45
    for days in (90, 60, 30):
        with time_machine.travel(timezone.now() - timedelta(days=days)):
            trace(AuditEvent.Action.SIGNED_IN, by=None, subject=f"{days}")
        chain.seal()
    do("old sign-ins")
    kept = AuditEvent.objects.filter(chain=Chain.SIGN_INS)
    assert [one.subject for one in kept] == ["30"]
    assert chain.walk(Chain.SIGN_INS).problem == ""
    assert AuditEvent.objects.filter(action=AuditEvent.Action.RETENTION_APPLIED).count() == 1


def test_sign_ins_are_kept_if_the_settings_say_so(settings: Any):
    settings.KEEP_SIGN_INS_DAYS = 0
    with time_machine.travel(timezone.now() - timedelta(days=9000)):
        trace(AuditEvent.Action.SIGNED_IN, by=None, subject="old")
    do("old sign-ins")
    assert AuditEvent.objects.filter(subject="old").exists()


def test_retention_is_applied_if_it_is_switched_on(settings: Any):
    settings.KEEP_TEXTS_DAYS, settings.KEEP_RUNS_DAYS = 30, 100
    old_runs([1, 40, 200])
    do("retention")
    texts = list(Run.objects.order_by("-created_at").values_list("text", flat=True))
    assert texts == ["a\nb", "a"]


def test_without_retention_all_is_kept():
    old_runs([1, 9000])
    do("retention")
    assert list(Run.objects.values_list("text", flat=True)) == ["a\nb"] * 2
    assert not AuditEvent.objects.filter(action=AuditEvent.Action.RETENTION_APPLIED).exists()


# --- When, and what goes wrong ---


@contextmanager
def doing(*duties: Duty) -> Iterator[Rota]:
    rota = Rota(list(duties))
    rota.start()
    try:
        yield rota
    finally:
        rota.stop()


def counted() -> tuple[list[int], Callable[[Any], None]]:
    times: list[int] = []
    return times, lambda _pause: times.append(1)


def test_a_duty_is_done_again_and_again_until_the_stop():
    times, act = counted()
    with doing(Duty("often", act, every(0.01))):
        wait_until(lambda: len(times) > 5)
    assert not [one for one in threading.enumerate() if one.name == "often"]


def test_a_duty_of_long_intervals_may_come_soon_after_the_start():
    times, act = counted()
    with doing(Duty("seldom", act, every(3600), soon=0.01)):
        wait_until(lambda: times)
    assert times == [1]


@pytest.mark.parametrize(
    "error", [OperationalError("away"), ValueError("a mistake"), KeyError("another")]
)
def test_a_duty_that_fails_is_tried_again_and_hinders_no_other(
    error: Exception, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("routines.worker.duties.TRY_AGAIN", 0.02)
    times, act = counted()
    tries: list[int] = []

    def fail(_pause: Any) -> None:
        tries.append(1)
        raise error

    with doing(Duty("failing", fail, every(0.01)), Duty("other", act, every(0.01))):
        wait_until(lambda: len(tries) > 2 and len(times) > 2)
    said = [record.getMessage() for record in caplog.records]
    if isinstance(error, OperationalError):
        assert said == []  # the loop says it
    else:
        assert all("failing" in one for one in said)
        assert len(said) == len(tries)


def test_a_connection_that_cannot_be_closed_ends_no_duty(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    left, close_all = [1], connections.close_all

    def fail() -> None:
        close_all()
        if left:
            raise OSError(left.pop(), "bad file descriptor")

    monkeypatch.setattr(connections, "close_all", fail)
    times, act = counted()
    with doing(Duty("often", act, every(0.01))):
        wait_until(lambda: len(times) > 2)
    assert "could not be closed" in caplog.text


def test_a_stop_breaks_off_a_long_duty_at_its_next_pause():
    begun = threading.Event()
    steps: list[int] = []

    def act(pause: Callable[[float], None]) -> None:
        while True:
            steps.append(1)
            begun.set()
            pause(3600)

    with doing(Duty("long", act, every(0))):
        assert begun.wait(60)
    assert steps == [1]


def test_a_nightly_duty_has_its_moment_within_an_hour_of_the_night_and_once_a_day():
    for _ in range(50):
        wait = nightly()
        with time_machine.travel(datetime(2026, 11, 28, 12, tzinfo=UTC), tick=False) as traveller:
            first = timezone.now() + timedelta(seconds=wait())
            traveller.move_to(first + timedelta(milliseconds=1))
            second = timezone.now() + timedelta(seconds=wait())
        assert datetime(2026, 11, 29, 3, tzinfo=UTC) <= first
        assert first <= datetime(2026, 11, 29, 4, tzinfo=UTC)
        assert abs(second - first - timedelta(days=1)) < timedelta(seconds=1)


def test_what_runs_are_waiting_for_comes_every_few_seconds_and_each_duty_within_a_day():
    waits = {one.name: one.wait() for one in duties()}
    assert waits["overdue runs"] <= 10
    assert all(0 < seconds <= 86_400 for seconds in waits.values())
