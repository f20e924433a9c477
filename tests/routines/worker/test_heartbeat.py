from datetime import timedelta

import pytest
from django.db import OperationalError, connection
from django.db.models.functions import Now

from routines.models import Worker
from routines.worker import heartbeat
from routines.worker.heartbeat import Heartbeat

pytestmark = pytest.mark.django_db


def seen(ago: timedelta, name: str = "host:1:abcd") -> None:
    Worker.objects.create(name=name, seen_at=Now() - ago, places=32)


def test_nobody_is_alive_before_a_worker_was_started():
    assert not heartbeat.is_any_alive()


def test_a_worker_is_alive_from_its_first_beat_to_its_end():
    beating = Heartbeat(places=7)
    beating.beat()
    assert heartbeat.is_any_alive()
    [stored] = Worker.objects.all()
    assert stored.places == 7
    assert stored.started_at == stored.seen_at
    beating.end()
    assert not heartbeat.is_any_alive()
    assert not Worker.objects.exists()


@pytest.mark.parametrize(
    ("ago", "alive"),
    [
        (timedelta(seconds=50), True),
        (timedelta(seconds=70), False),
        (timedelta(seconds=-50), True),
        (timedelta(hours=-1), False),  # the clock was set back since
    ],
)
def test_alive_is_who_was_seen_within_the_last_minute(ago, alive):
    seen(ago)
    assert heartbeat.is_any_alive() is alive


def test_asking_costs_one_query(django_assert_num_queries):
    with django_assert_num_queries(1):
        heartbeat.is_any_alive()


def test_a_beat_is_due_at_once_and_then_every_fifteen_seconds():
    beating = Heartbeat(places=1)
    assert beating.is_due()
    beating.beat()
    assert not beating.is_due()
    assert Heartbeat.EVERY == 15


def test_a_later_beat_moves_the_row_and_one_that_was_removed_comes_back():
    beating = Heartbeat(places=1)
    beating.beat()
    Worker.objects.update(seen_at=Now() - timedelta(hours=1))
    beating.beat()
    assert heartbeat.is_any_alive()
    Worker.objects.all().delete()
    beating.beat()
    assert heartbeat.is_any_alive()


def test_two_workers_of_one_process_and_host_are_two():
    assert Heartbeat(places=1).name != Heartbeat(places=1).name


def test_who_was_not_seen_for_a_day_is_forgotten():
    seen(timedelta(hours=23), "host:1:abcd")
    seen(timedelta(hours=25), "host:2:abcd")
    heartbeat.forget_dead()
    assert [one.name for one in Worker.objects.all()] == ["host:1:abcd"]


def test_a_failing_database_does_not_hinder_the_end():
    beating = Heartbeat(places=1)

    def fail(*_: object) -> None:
        raise OperationalError("away")

    with connection.execute_wrapper(fail):
        beating.try_to_beat()
        beating.end()
    assert not beating.is_due()
