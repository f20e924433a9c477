"""Comparing the counts with the runs, by command and after the triggers were missing."""

from datetime import timedelta
from threading import Thread

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from routines import insight
from routines.insight import changes, recounting, triggers
from routines.models import (
    Dimension,
    Grain,
    RecountDay,
    Run,
    RunChange,
    RunCount,
)
from routines.values.reasons import Reason, State
from tests.factories import create_api_key, create_routine, create_run, create_teammate
from tests.routines.insight.counting import MANY, catch_up, counted, new_run, wrong_counts

pytestmark = pytest.mark.django_db


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
        key = create_api_key(person=create_teammate())
        create_run(ago=timedelta(days=days), duration_ms=500 + days, api_key=key)
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
