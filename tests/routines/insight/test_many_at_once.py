"""Many runs at once: no look counts more than a step of them, and it says what is left."""

from datetime import timedelta
from itertools import islice

import pytest
import time_machine
from django.db import connection
from django.db.models import Sum
from django.test.utils import CaptureQueriesContext

from routines import insight
from routines.insight import changes, progress
from routines.models import (
    Dimension,
    Grain,
    Outcome,
    Run,
    RunChange,
    RunCount,
)
from tests.routines.insight.counting import MANY, NOW, catch_up, wrong_counts

pytestmark = pytest.mark.django_db


def test_a_look_counts_a_step_and_says_what_it_leaves_until_nothing_is_left(many_runs):
    for left in (changes.STEP + 1, 1):
        oldest = RunChange.objects.order_by("pk")[changes.STEP]
        assert insight.step() == insight.Behind(until=oldest.noted_at, changes=left, days=0)
        total = RunCount.objects.filter(dimension=Dimension.TIME, grain=Grain.BLOCK)
        assert total.aggregate(n=Sum("started"))["n"] == MANY - left
    assert insight.step() is None
    assert wrong_counts() == 0


def test_the_work_of_a_look_does_not_grow_with_what_waits(many_runs):
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            insight.step()
        return len(captured)

    with_all_waiting = queries()
    assert queries() <= with_all_waiting
    insight.step()
    assert queries() <= 3  # nothing waits


def test_half_hours_of_a_long_time_are_forgotten_a_few_at_a_time(many_runs):
    catch_up()
    with time_machine.travel(NOW + timedelta(days=170)):
        half_hours = RunCount.objects.filter(grain=Grain.HALF_HOUR)
        kept = half_hours.exclude(dimension=Dimension.TIME)
        before = kept.count()
        Run.objects.filter(pk=Run.objects.earliest("pk").pk).update(outcome=Outcome.FAILED)
        insight.step()
        assert before - 15 < kept.count() < before
        Run.objects.update(outcome=Outcome.USEFUL)
        catch_up()
        assert kept.count() == 0
        assert half_hours.count() == MANY  # those of the time alone
        assert wrong_counts() == 0


def test_catching_up_pauses_for_others_and_may_be_broken_off_and_gone_on_with(many_runs):
    pauses: list[float] = []
    steps = progress.catch_up(pause=pauses.append)
    assert [behind.changes for behind in islice(steps, 2)] == [MANY, MANY - changes.STEP]
    assert len(pauses) == 1
    assert pauses[0] >= 0.02
    left = insight.catch_up_briefly(0)
    assert left is not None
    assert left.changes == MANY - changes.STEP
    assert insight.catch_up_briefly(600) is None
    assert wrong_counts() == 0
