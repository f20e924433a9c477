"""The summaries: exact after any way of writing runs, and rebuildable."""

import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from threading import Thread
from uuid import uuid4

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import Sum
from django.utils import timezone

from routines.insight import summaries, triggers
from routines.models import (
    SUMMARIES,
    AccountSummary,
    DurationSummary,
    Outcome,
    Period,
    PersonSummary,
    ReasonSummary,
    RoutineSummary,
    Run,
    RunChange,
    TimeSummary,
)
from routines.values.reasons import MEANINGS, Reason, State
from tests.factories import create_routine, create_run, create_teammate

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def counted(model, key=None, period=Period.DAY, **filters):
    """{key: {field: count}} without what is 0, from summaries that are up to date."""
    summaries.fold()
    fields = model.count_fields()
    rows = model.objects.filter(period=period, **filters).values(key or "period")
    found = {
        row[key] if key else None: {field: row[field] for field in fields if row[field]}
        for row in rows.annotate(**{field: Sum(field) for field in fields}).order_by()
    }
    return {key: counts for key, counts in found.items() if counts}


def wrong_rows(*, only_look=True):
    return sum(rebuilt.wrong for rebuilt in summaries.rebuild(only_look=only_look))


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
    assert counted(TimeSummary) == {}
    Run.objects.filter(pk=run.pk).update(
        state=State.UNKNOWN, reason=Reason.NO_ANSWER, settled_at=timezone.now()
    )
    assert counted(TimeSummary) == {None: {"unknown": 1}}
    run.refresh_from_db()
    run.state, run.reason, run.session_id = State.STARTED, Reason.SAID_STARTED, "session_x"
    run.save()
    assert counted(TimeSummary) == {None: {"started": 1}}
    assert counted(ReasonSummary, "reason") == {Reason.SAID_STARTED: {"runs": 1}}


def test_what_nothing_counts_by_leaves_no_trace():
    run = create_run()
    summaries.fold()
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
    assert counted(RoutineSummary, "routine_pk") == {
        first.pk: {"started": 1, "refused": 1},
        second.pk: {"refused": 1, "not_sent": 1},
    }
    assert counted(AccountSummary, "account_pk") == {
        first.account_id: {"started": 1, "refused": 1},
        second.account_id: {"refused": 1, "not_sent": 1},
    }
    assert counted(PersonSummary, "person_pk") == {
        person.pk: {"started": 1, "refused": 1, "not_sent": 1},
        other.pk: {"refused": 1},
    }
    assert counted(ReasonSummary, "reason") == {
        Reason.SESSION_CREATED: {"runs": 1},
        Reason.PAUSED: {"runs": 2},
        Reason.BUSY: {"runs": 1},
    }


def test_outcomes_are_counted_by_routine_and_follow_what_people_say():
    run = create_run()
    for outcome in (Outcome.FAILED, Outcome.USEFUL):
        Run.objects.filter(pk=run.pk).update(outcome=outcome)
        assert counted(RoutineSummary, "routine_pk") == {
            run.routine_id: {"started": 1, outcome.value: 1}
        }


def test_durations_are_those_of_answers_with_a_session():
    create_run(duration_ms=1234)
    create_run(duration_ms=1299)
    create_run(duration_ms=87)
    create_run(duration_ms=30_000, reason=Reason.SAID_STARTED)
    create_run(duration_ms=30_000, reason=Reason.NO_ANSWER)
    create_run()
    assert counted(DurationSummary, "least_ms") == {1200: {"runs": 2}, 87: {"runs": 1}}


@pytest.mark.parametrize("duration", [0, 9, 10, 99, 100, 101, 999, 1000, 65_432, 299_999])
def test_durations_that_count_together_differ_by_less_than_a_tenth(duration):
    key = summaries.duration_key(duration)
    assert key <= duration < max(key * 1.1, key + 1)
    assert summaries.duration_key(key) == key


def test_deleted_runs_stay_counted_apart_and_a_rebuild_leaves_them():
    kept, deleted = create_run(), create_run(reason=Reason.PAUSED)
    Run.objects.filter(pk=deleted.pk).delete()
    for _ in range(2):
        assert counted(TimeSummary, "gone") == {False: {"started": 1}, True: {"refused": 1}}
        assert counted(PersonSummary, "person_pk") == {
            kept.person_id: {"started": 1},
            deleted.person_id: {"refused": 1},
        }
        assert wrong_rows(only_look=False) == 0


def test_any_mix_of_writing_and_folding_stays_exact():
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
                summaries.fold()
            case 2:
                for run in runs:
                    run.outcome = rng.choice(Outcome.values)
                    run.created_at -= timedelta(days=rng.randint(0, 400))
                    run.save()
            case _:
                new = new_run(rng.choice(routines), rng.choice(people), rng.choice(reasons))
                new.duration_ms = rng.choice([None, rng.randint(1, 40_000)])
                new.created_at -= timedelta(hours=rng.randint(0, 3000))
                Run.objects.bulk_create([new])
    assert wrong_rows() == 0
    by_state = Counter(Run.objects.exclude(state=State.SENDING).values_list("state", flat=True))
    for period in Period:
        assert counted(TimeSummary, period=period, gone=False)[None] == by_state
    assert counted(TimeSummary, gone=True) == counted(
        TimeSummary, gone=True, period=Period.HALF_HOUR
    )
    by_routine = counted(RoutineSummary, "routine_pk", gone=False, period=Period.BLOCK)
    assert {pk: counts.get("refused", 0) for pk, counts in by_routine.items()} == {
        routine.pk: routine.runs.filter(state=State.REFUSED).count() for routine in routines
    }


# --- Which rows count a range ---


@pytest.mark.parametrize(
    ("first", "length"),
    [(0, 1), (5, 20), (5, 60), (48, 48), (47, 50), (100, 1536), (1536, 3072), (7, 9000)],
)
def test_the_rows_of_a_range_count_each_half_hour_once(first, length):
    base = summaries.half_hour(NOW) // Period.BLOCK * Period.BLOCK
    slots = [base + offset for offset in (*range(0, 10_000, 7), 47, 48, 1535, 1536, 3071, 3072)]
    everything = {
        (model, start, False, None, "started"): 1 for model in (TimeSummary,) for start in slots
    }
    summaries._add(summaries._by_period(everything))
    rows = TimeSummary.objects.filter(summaries.covering(base + first, base + first + length))
    within = [slot for slot in slots if first <= slot - base < first + length]
    assert rows.aggregate(n=Sum("started"))["n"] == (len(set(within)) or None)


@time_machine.travel(NOW, tick=False)
def test_half_hours_are_forgotten_after_a_while_but_for_those_of_the_time():
    old = create_run(ago=timedelta(days=summaries.KEPT_DAYS + 1))
    new = create_run(ago=timedelta(days=summaries.KEPT_DAYS - 1))
    half_hours = counted(RoutineSummary, "routine_pk", period=Period.HALF_HOUR)
    assert half_hours == {new.routine_id: {"started": 1}}
    assert counted(TimeSummary, period=Period.HALF_HOUR) == {None: {"started": 2}}
    with time_machine.travel(NOW + timedelta(days=2), tick=False):
        create_run()
        half_hours = counted(RoutineSummary, "routine_pk", period=Period.HALF_HOUR)
        assert new.routine_id not in half_hours
        assert wrong_rows() == 0
    assert old.routine_id in counted(RoutineSummary, "routine_pk")


# --- Rebuilding ---


def spoil(model):
    """As a hand in the database would: one row wrong, one lost, one made up."""
    fields = model.count_fields()
    first, second = model.objects.filter(period=Period.DAY).order_by("pk")[:2]
    model.objects.filter(pk=first.pk).update(**{fields[0]: 41})
    model.objects.filter(pk=second.pk).delete()
    first.pk, first.start = None, first.start - Period.DAY
    first.save()


@pytest.mark.parametrize("model", SUMMARIES)
def test_a_rebuild_mends_what_is_wrong_and_then_finds_nothing(model):
    for days in (1, 2):
        create_run(ago=timedelta(days=days), duration_ms=500 + days)
    summaries.fold()
    right = set(model.objects.values_list(*model.key_fields(), *model.count_fields()))
    spoil(model)
    assert wrong_rows() == 3
    assert wrong_rows(only_look=False) == 3
    assert wrong_rows() == 0
    assert set(model.objects.values_list(*model.key_fields(), *model.count_fields())) == right


def test_the_command_says_what_it_did_and_a_check_only_looks(capsys):
    create_run(duration_ms=600)
    call_command("rebuild_summaries")
    assert "1 runs compared, 0 rows" in capsys.readouterr().out
    TimeSummary.objects.update(started=7)
    with pytest.raises(CommandError, match="without --check"):
        call_command("rebuild_summaries", "--check")
    assert "3 rows differ" in capsys.readouterr().out
    call_command("rebuild_summaries")
    assert "3 rows mended" in capsys.readouterr().out
    call_command("rebuild_summaries", "--check")


def test_a_rebuild_counts_what_is_noted_but_not_folded_yet_once():
    create_run()
    summaries.fold()
    blocks = summaries.rebuild()
    create_run()
    assert next(blocks).runs == 2
    assert not RunChange.objects.exists()
    assert counted(TimeSummary) == {None: {"started": 2}}


# --- The triggers ---


def drop_triggers():
    on = "" if connection.vendor == "sqlite" else f" ON {Run._meta.db_table}"
    with connection.cursor() as cursor:
        for name in triggers._NAMES:
            cursor.execute(f"DROP TRIGGER {name}{on}")


def test_where_the_triggers_were_lost_they_are_made_again_and_nothing_stays_uncounted():
    drop_triggers()
    create_run()
    assert counted(TimeSummary) == {}
    triggers.ensure()
    create_run(reason=Reason.PAUSED)
    assert counted(TimeSummary) == {None: {"started": 1, "refused": 1}}


def test_migrating_makes_them(transactional_db):
    drop_triggers()
    call_command("migrate", verbosity=0)
    create_run()
    assert counted(TimeSummary) == {None: {"started": 1}}


def test_runs_written_folded_and_rebuilt_at_the_same_time_are_counted_once(transactional_db):
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

    def rebuild():
        assert wrong_rows() == 0

    threads = [
        Thread(target=repeat, args=[work]) for work in (write, write, summaries.fold, rebuild)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert counted(TimeSummary) == {None: {"unknown": Run.objects.count()}}
    assert Run.objects.count() == 60
