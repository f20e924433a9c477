"""The counts: exact after any way of writing runs, in steps, and comparable with the runs."""

import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import islice
from threading import Thread
from uuid import uuid4

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import Sum
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from routines import insight
from routines.insight import changes, progress, recounting, slots, tally, triggers
from routines.models import (
    Dimension,
    Grain,
    Outcome,
    RecountDay,
    Run,
    RunChange,
    RunCount,
)
from routines.values.reasons import MEANINGS, Reason, State
from tests.factories import create_routine, create_run, create_teammate

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
MANY = changes.STEP * 2 + 1


def catch_up():
    for _ in progress.catch_up(pause=lambda _seconds: None):
        pass


def counted(dimension=Dimension.TIME, grain=Grain.DAY, by="key", **filters):
    """{key: {field: count}} without what is 0, once all is counted."""
    catch_up()
    rows = RunCount.objects.filter(dimension=dimension, grain=grain, **filters).values(by)
    sums = rows.annotate(**{f"n_{name}": Sum(name) for name in RunCount.COUNTS}).order_by()
    found = {
        row[by]: {name: row[f"n_{name}"] for name in RunCount.COUNTS if row[f"n_{name}"]}
        for row in sums
    }
    of_rows = dimension in (Dimension.ROUTINE, Dimension.ACCOUNT, Dimension.PERSON)
    return {int(key) if of_rows else key: counts for key, counts in found.items() if counts}


def wrong_counts():
    return sum(day.wrong for day in recounting.check())


def new_run(routine, person, reason=Reason.SESSION_CREATED, **values):
    """Not stored yet."""
    session = f"session_{uuid4().hex}" if MEANINGS[reason].state == State.STARTED else ""
    return Run(
        key=uuid4(),
        routine=routine,
        person=person,
        account=routine.account,
        api_version="2023-06-01",
        state=MEANINGS[reason].state,
        reason=reason,
        session_id=session,
        settled_at=None if reason == Reason.SENDING else timezone.now(),
        **values,
    )


# --- Every way of writing ---


def test_a_run_counts_once_it_is_settled_and_moves_with_its_state():
    run = create_run(reason=Reason.SENDING)
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


def test_bulk_writes_are_counted_by_routine_account_person_and_reason():
    first, second = create_routine(), create_routine(account="Another account")
    person, other = create_teammate(), create_teammate()
    Run.objects.bulk_create(
        [
            new_run(first, person),
            new_run(first, other, Reason.PAUSED),
            new_run(second, person, Reason.PAUSED),
            new_run(second, person, Reason.BUSY),
            new_run(second, person, Reason.SENDING),
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
        Reason.BUSY: {"not_sent": 1},
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
    by_state = Counter(Run.objects.exclude(state=State.SENDING).values_list("state", flat=True))
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


# --- Many at once: no look does more than a step ---


@pytest.fixture
def many_runs():
    """What an import brings: more than two steps of them, over more days than a block holds."""
    routine, person = create_routine(), create_teammate()
    Run.objects.bulk_create(
        new_run(routine, person, created_at=NOW - timedelta(hours=number)) for number in range(MANY)
    )


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


# --- Recounting ---


def spoil(dimension):
    """As a hand in the database would: one count wrong, one lost, one made up."""
    rows = RunCount.objects.filter(dimension=dimension, grain=Grain.DAY)
    first, second = rows.order_by("pk")[:2]
    rows.filter(pk=first.pk).update(started=41)
    rows.filter(pk=second.pk).delete()
    first.pk, first.slot = None, first.slot - Grain.DAY
    first.save()


def everything():
    return set(RunCount.objects.values_list(*RunCount.KEYS, *RunCount.COUNTS))


@pytest.mark.parametrize("dimension", Dimension)
def test_a_recount_mends_what_is_wrong_and_then_nothing_differs(dimension):
    for days in (1, 2):
        create_run(ago=timedelta(days=days), duration_ms=500 + days)
    catch_up()
    right = everything()
    spoil(dimension)
    assert wrong_counts() >= 3
    assert everything() != right  # looking mends nothing
    recounting.begin()
    catch_up()
    assert wrong_counts() == 0
    assert everything() == right


def test_days_that_are_to_be_compared_are_said_until_they_are():
    for days in (0, 1, 40):
        create_run(ago=timedelta(days=days))
    catch_up()
    recounting.begin()
    behind = insight.step()
    assert behind == insight.Behind(until=None, changes=0, days=41)
    assert recounting.next_day() is not None
    assert RecountDay.objects.count() == 40
    recounting.begin()  # once more, from the start
    assert RecountDay.objects.count() == 41
    catch_up()
    assert insight.step() is None


def test_a_recount_leaves_what_waits_to_the_next_step():
    create_run()
    catch_up()
    create_run()
    recounting.begin()
    recounted = recounting.next_day()
    assert recounted is not None
    assert recounted.wrong == 0
    assert RunChange.objects.count() == 1
    assert counted() == {"": {"started": 2}}


def test_the_command_checks_without_mending_and_recounts(capsys):
    create_run(duration_ms=600)
    catch_up()
    call_command("count_runs", "--check")
    assert "1 runs compared, 0 counts differ." in capsys.readouterr().out
    RunCount.objects.filter(dimension=Dimension.TIME).update(started=7)
    for _ in range(2):
        with pytest.raises(CommandError, match="--recount"):
            call_command("count_runs", "--check")
        assert "counts differ" in capsys.readouterr().out
    call_command("count_runs", "--recount")
    assert "All runs are counted." in capsys.readouterr().out
    call_command("count_runs", "--check")


def test_the_command_can_be_interrupted_and_goes_on_the_next_time(many_runs, capsys, monkeypatch):
    def interrupt(_seconds: float) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("time.sleep", interrupt)
        with pytest.raises(CommandError, match="Run it again"):
            call_command("count_runs")
    assert f"about {MANY - changes.STEP:,} changes left" in capsys.readouterr().out
    call_command("count_runs")
    assert "All runs are counted." in capsys.readouterr().out
    assert counted()[""] == {"started": MANY}


# --- The triggers ---


def drop_triggers():
    names = {
        "sqlite": ["run_added", "run_changed", "run_removed"],
        "postgresql": [f"run_noted ON {Run._meta.db_table}"],
    }
    with connection.cursor() as cursor:
        for name in names[connection.vendor]:
            cursor.execute(f"DROP TRIGGER {name}")


def test_where_the_triggers_were_lost_they_are_made_again_and_nothing_stays_uncounted():
    drop_triggers()
    create_run()
    assert counted() == {}
    triggers.ensure()
    behind = insight.step()
    assert behind is not None  # and no page waits for it
    assert behind.days == 1
    create_run(reason=Reason.PAUSED)
    assert counted() == {"": {"started": 1, "refused": 1}}
    triggers.ensure()
    assert insight.step() is None


def test_migrating_makes_them(transactional_db):
    drop_triggers()
    call_command("migrate", verbosity=0)
    create_run()
    assert counted() == {"": {"started": 1}}


def test_runs_written_counted_and_recounted_at_the_same_time_are_counted_once(transactional_db):
    routines, person = [create_routine() for _ in range(2)], create_teammate()
    failures = []

    def repeat(work):
        try:
            for _ in range(15):
                work()
        except Exception as failure:  # told by the assertion below
            failures.append(failure)
        finally:
            connection.close()

    def write():
        Run.objects.bulk_create([new_run(routine, person, Reason.SENDING) for routine in routines])
        Run.objects.filter(state=State.SENDING).update(
            state=State.UNKNOWN, reason=Reason.INTERRUPTED, settled_at=timezone.now()
        )

    def recount():
        recounting.begin()
        day = recounting.next_day()
        assert day is None or day.wrong == 0

    def check():
        assert wrong_counts() == 0

    threads = [
        Thread(target=repeat, args=[work]) for work in (write, write, insight.step, recount, check)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert counted() == {"": {"unknown": Run.objects.count()}}
    assert Run.objects.count() == 60
