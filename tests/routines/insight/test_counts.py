"""The counts: exact after any way of writing runs."""

import random
from collections import Counter
from datetime import timedelta

import pytest
import time_machine
from django.db.models import Sum
from django.utils import timezone

from routines.insight import changes, recounting, slots, tally
from routines.models import (
    Dimension,
    Grain,
    Outcome,
    Run,
    RunChange,
    RunCount,
)
from routines.values.reasons import OPEN, Reason, State
from tests.factories import create_api_key, create_routine, create_run, create_teammate
from tests.routines.insight.counting import NOW, catch_up, counted, new_run, wrong_counts

pytestmark = pytest.mark.django_db


# --- Every way of writing ---


def test_a_run_counts_once_it_is_settled_and_moves_with_its_state():
    run = create_run(reason=Reason.ACCEPTED)
    assert counted() == {}
    Run.objects.filter(pk=run.pk).update(
        state=State.SENDING, reason=Reason.SENDING, attempt=1, claimed_at=timezone.now()
    )
    assert counted() == {}
    Run.objects.filter(pk=run.pk).update(
        state=State.UNKNOWN, reason=Reason.NO_ANSWER, settled_at=timezone.now()
    )
    assert counted() == {"": {"unknown": 1}}
    run.refresh_from_db()
    run.state, run.reason, run.session_id = State.STARTED, Reason.SAID_STARTED, "session_x"
    run.save()
    assert counted() == {"": {"started": 1}}
    assert counted(Dimension.REASON) == {Reason.SAID_STARTED: {"started": 1}}


def test_what_nothing_counts_by_leaves_no_trace():
    run = create_run()
    catch_up()
    Run.objects.update(text="x", request_id="req_1")
    run.save()  # every column, as it was
    assert not RunChange.objects.exists()


def test_a_run_counts_for_its_key_and_for_the_person_whose_key_it_is():
    routine, person = create_routine(), create_teammate()
    program, laptop = create_api_key(), create_api_key(person=person)
    Run.objects.bulk_create(
        [
            new_run(routine, None, api_key=program),
            new_run(routine, None, Reason.PAUSED, api_key=program),
            new_run(routine, person, api_key=laptop),
            new_run(routine, person),
        ]
    )
    of_keys = {program.pk: {"started": 1, "refused": 1}, laptop.pk: {"started": 1}}
    assert counted(Dimension.API_KEY) == of_keys
    assert counted(Dimension.PERSON) == {person.pk: {"started": 2}}
    Run.objects.all().delete()
    assert counted(Dimension.API_KEY, deleted=True) == of_keys
    assert counted(Dimension.PERSON, deleted=False) == {}


def test_bulk_writes_are_counted_by_routine_account_person_and_reason():
    first, second = create_routine(), create_routine(account="Another account")
    person, other = create_teammate(), create_teammate()
    Run.objects.bulk_create(
        [
            new_run(first, person),
            new_run(first, other, Reason.PAUSED),
            new_run(second, person, Reason.PAUSED),
            new_run(second, person, Reason.WAITED_TOO_LONG),
            new_run(second, person, Reason.SENDING),
            new_run(second, person, Reason.ACCEPTED),
        ]
    )
    assert counted(Dimension.ROUTINE) == {
        first.pk: {"started": 1, "refused": 1},
        second.pk: {"refused": 1, "not_sent": 1},
    }
    assert counted(Dimension.ACCOUNT) == {
        first.account_id: {"started": 1, "refused": 1},
        second.account_id: {"refused": 1, "not_sent": 1},
    }
    assert counted(Dimension.PERSON) == {
        person.pk: {"started": 1, "refused": 1, "not_sent": 1},
        other.pk: {"refused": 1},
    }
    assert counted(Dimension.REASON) == {
        Reason.SESSION_CREATED: {"started": 1},
        Reason.PAUSED: {"refused": 2},
        Reason.WAITED_TOO_LONG: {"not_sent": 1},
    }


def test_outcomes_are_counted_by_routine_and_follow_what_people_say():
    run = create_run()
    for outcome in (Outcome.FAILED, Outcome.USEFUL):
        Run.objects.filter(pk=run.pk).update(outcome=outcome)
        assert counted(Dimension.ROUTINE) == {run.routine_id: {"started": 1, outcome.value: 1}}


def test_durations_are_those_of_answers_with_a_session():
    create_run(duration_ms=1234)
    create_run(duration_ms=1299)
    create_run(duration_ms=87)
    create_run(duration_ms=30_000, reason=Reason.SAID_STARTED)
    create_run(duration_ms=30_000, reason=Reason.NO_ANSWER)
    create_run()
    assert counted(Dimension.DURATION) == {"1200": {"started": 2}, "87": {"started": 1}}


@pytest.mark.parametrize("duration", [0, 9, 10, 99, 100, 101, 999, 1000, 65_432, 299_999])
def test_durations_that_count_together_differ_by_less_than_a_tenth(duration):
    floor = slots.duration_floor(duration)
    assert floor <= duration < max(floor * 1.1, floor + 1)
    assert slots.duration_floor(floor) == floor


def test_deleted_runs_stay_counted_apart_and_a_recount_leaves_them():
    kept, deleted = create_run(), create_run(reason=Reason.PAUSED)
    Run.objects.filter(pk=deleted.pk).delete()
    for _ in range(2):
        assert counted(by="deleted") == {False: {"started": 1}, True: {"refused": 1}}
        assert counted(Dimension.PERSON) == {
            kept.person_id: {"started": 1},
            deleted.person_id: {"refused": 1},
        }
        assert wrong_counts() == 0
        recounting.begin()


def test_any_mix_of_writing_and_counting_stays_exact():
    rng = random.Random(6)
    routines = [create_routine() for _ in range(3)]
    people = [create_teammate() for _ in range(3)]
    reasons = [reason for reason in Reason if reason != Reason.SAID_STARTED]
    for _ in range(120):
        runs = Run.objects.order_by("?")[: rng.randint(1, 4)]
        match rng.randrange(6):
            case 0:
                runs.model.objects.filter(pk__in=[run.pk for run in runs]).delete()
            case 1:
                changes.apply()
            case 2:
                for run in runs:
                    run.outcome = rng.choice(Outcome.values)
                    run.created_at -= timedelta(days=rng.randint(0, 80))
                    run.save()
            case _:
                new = new_run(rng.choice(routines), rng.choice(people), rng.choice(reasons))
                new.duration_ms = rng.choice([None, rng.randint(1, 40_000)])
                new.created_at -= timedelta(hours=rng.randint(0, 1500))
                Run.objects.bulk_create([new])
    assert wrong_counts() == 0  # though some changes wait
    by_state = Counter(Run.objects.exclude(state__in=OPEN).values_list("state", flat=True))
    for grain in Grain:
        assert counted(grain=grain, deleted=False)[""] == by_state
    assert wrong_counts() == 0
    in_half_hours = counted(grain=Grain.HALF_HOUR, deleted=True)
    assert counted(deleted=True) == counted(grain=Grain.BLOCK, deleted=True) == in_half_hours
    by_routine = counted(Dimension.ROUTINE, Grain.BLOCK, deleted=False)
    assert {pk: counts.get("refused", 0) for pk, counts in by_routine.items()} == {
        routine.pk: routine.runs.filter(state=State.REFUSED).count() for routine in routines
    }


# --- Which counts cover a range ---


@pytest.mark.parametrize(
    ("first", "length"),
    [(0, 1), (5, 20), (5, 60), (48, 48), (47, 50), (100, 1536), (1536, 3072), (7, 9000)],
)
def test_the_counts_of_a_range_hold_each_half_hour_once(first, length):
    base = slots.floor(slots.slot_of(NOW), Grain.BLOCK)
    pressed = {base + slot for slot in (*range(0, 10_000, 7), 47, 48, 1535, 1536, 3071, 3072)}
    change = change_to(State.STARTED)
    tally.add(
        tally.tally(change._replace(created_at=slots.start_of(slot)) for slot in sorted(pressed))
    )
    covering = slots.covering(base + first, base + first + length, Dimension.TIME)
    found = RunCount.objects.filter(covering).aggregate(n=Sum("started"))["n"]
    assert (found or 0) == sum(first <= slot - base < first + length for slot in pressed)


def change_to(state):
    return tally.Change(
        created_at=NOW,
        routine=1,
        account=1,
        person=1,
        api_key=None,
        state=state,
        reason=Reason.SESSION_CREATED,
        outcome="",
        duration_ms=None,
        by=1,
        deleted=False,
    )


@time_machine.travel(NOW, tick=False)
def test_half_hours_are_forgotten_after_a_while_but_for_those_of_the_time():
    old = create_run(ago=timedelta(days=slots.KEPT_DAYS + 1))
    new = create_run(ago=timedelta(days=slots.KEPT_DAYS - 1))
    assert counted(Dimension.ROUTINE, Grain.HALF_HOUR) == {new.routine_id: {"started": 1}}
    assert counted(grain=Grain.HALF_HOUR) == {"": {"started": 2}}
    with time_machine.travel(NOW + timedelta(days=2), tick=False):
        create_run()
        assert new.routine_id not in counted(Dimension.ROUTINE, Grain.HALF_HOUR)
        assert wrong_counts() == 0
    assert old.routine_id in counted(Dimension.ROUTINE)
