import logging
from itertools import count

import pytest
from django.db import OperationalError

from routines.worker.outage import Outage

AWAY = OperationalError("connection refused\nIs the server running?")


def test_pauses_grow_up_to_some_seconds_and_begin_anew_after_a_success():
    outage = Outage()
    pauses = [outage.pause(AWAY) for _ in range(10)]
    assert pauses == sorted(pauses)
    assert pauses[0] < 1 < pauses[-1] <= 5
    assert outage.is_on
    outage.is_over()
    assert not outage.is_on
    assert outage.pause(AWAY) == pauses[0]


def test_it_is_said_once_a_minute_and_that_it_is_over(caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.INFO)
    seconds = count(1000)
    outage = Outage(clock=lambda: next(seconds))
    for _ in range(130):
        outage.pause(AWAY)
    outage.is_over()
    outage.is_over()
    assert [record.levelname for record in caplog.records] == ["WARNING"] * 3 + ["INFO"]
    assert caplog.records[0].facts == {"reason": "connection refused"}  # type: ignore[attr-defined]


def test_a_database_that_comes_and_goes_is_said_no_more_often(caplog: pytest.LogCaptureFixture):
    outage = Outage()
    for _ in range(5):
        outage.pause(AWAY)
        outage.is_over()
    assert [record.levelname for record in caplog.records if record.levelname == "WARNING"] == [
        "WARNING"
    ]
