"""Calls that come at once never exceed a cap together."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connections

from routines.callers import asking
from routines.models import Run, WhyNoRun
from routines.values.reasons import State
from tests.factories import create_key_and_secret, create_routine

pytestmark = pytest.mark.usefixtures("transactional_db")
CALLS, CAP = 6, 2


def test_of_many_calls_at_once_as_many_are_accepted_as_the_cap_allows():
    routines = [create_routine() for _ in range(CALLS)]  # whose own locks would keep them apart
    api_key, _secret = create_key_and_secret(*routines, hourly_cap=CAP)
    at_once = Barrier(CALLS)

    def call(number: int) -> str:
        try:
            at_once.wait(timeout=60)
            asking.ask(api_key, asking.Wish(routines[number], f"Call {number}"), wait=0)
        except asking.TurnedAway as away:
            return away.why
        else:
            return "accepted"
        finally:
            connections.close_all()

    with ThreadPoolExecutor(CALLS) as threads:
        answers = list(threads.map(call, range(CALLS)))
    assert sorted(answers) == ["accepted"] * CAP + [WhyNoRun.HOURLY_CAP] * (CALLS - CAP)
    assert Run.objects.filter(api_key=api_key, state=State.ACCEPTED).count() == CAP
