"""Old texts are shortened and old runs deleted, as the settings say, and all else is left alone."""

from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from routines.history.search import Words
from routines.models import AuditEvent, Dimension, Grain, Person, Routine, Run, RunCount
from routines.upkeep import retention
from routines.values.reasons import Reason, State
from tests.factories import create_routine, create_run, create_teammate

pytestmark = pytest.mark.django_db

LONG = "{\n  First line.  \nA second one, of marmalade.\n}"


@pytest.fixture(autouse=True)
def days(settings) -> Callable[[int, int], None]:
    """Texts for 30 days, runs for 100, unless a test says otherwise."""

    def keep(texts: int, runs: int) -> None:
        settings.KEEP_TEXTS_DAYS, settings.KEEP_RUNS_DAYS = texts, runs

    keep(30, 100)
    return keep


@pytest.fixture
def routine() -> Routine:
    return create_routine()


@pytest.fixture
def person() -> Person:
    return create_teammate()


@pytest.fixture
def old_runs(routine, person) -> dict[int, Run]:
    """By their age in days: each side of both bounds."""
    return {
        age: create_run(
            routine=routine,
            person=person,
            text=LONG,
            field_values={"what": "marmalade"},
            ago=timedelta(days=age),
        )
        for age in (0, 29, 31, 99, 101, 1000)
    }


def apply(pause: Callable[[float], None] = lambda _seconds: None) -> retention.Report:
    report = retention.Report()
    retention.apply(report, pause=pause)
    return report


def command(*arguments: str) -> str:
    out = StringIO()
    call_command("retention", *arguments, stdout=out)
    return out.getvalue()


def stored() -> list[dict[str, Any]]:
    return [dict(run) for run in Run.objects.order_by("pk").values()]


def trail() -> list[dict[str, Any]]:
    events = AuditEvent.objects.filter(action=AuditEvent.Action.RETENTION_APPLIED).order_by("pk")
    return [event.changes for event in events]


# --- What goes, and what stays ---


def test_each_goes_at_its_time_and_what_is_younger_is_left_alone(old_runs):
    before = {run["id"]: run for run in stored()}
    assert apply() == retention.Report(texts=2, runs=2)
    after = {run["id"]: run for run in stored()}
    assert list(after) == [old_runs[age].pk for age in (0, 29, 31, 99)]
    shortened = {"text": "First line.", "text_was": len(LONG), "field_values": {}}
    shortened["text_words"] = " first line "
    for age in (0, 29, 31, 99):
        pk = old_runs[age].pk
        assert after[pk] == before[pk] | (shortened if age > 30 else {})


def test_every_state_goes_and_what_waits_or_is_being_sent_stays(routine, person, days):
    days(0, 7)
    for reason in Reason:
        create_run(routine=routine, person=person, reason=reason, ago=timedelta(days=8))
    create_run(routine=routine, person=person, reason=Reason.SENDING)
    create_run(routine=routine, person=person, reason=Reason.ACCEPTED)
    assert apply().runs == len(Reason), "what has been open for so long was settled first"
    assert [run["state"] for run in stored()] == [State.SENDING, State.ACCEPTED]


@pytest.mark.parametrize("text", ["", "One line.", "x" * 200])
def test_what_is_short_already_is_no_shortened_text(text, routine):
    create_run(routine=routine, text=text, ago=timedelta(days=50))
    before = stored()
    assert apply() == retention.Report()
    assert stored() == before


@pytest.mark.parametrize("text", ["x" * 201, "One line.\n", "\n\n", "é" * 65_536])
def test_what_is_longer_is_shortened_once(text, routine):
    create_run(routine=routine, text=text, ago=timedelta(days=50))
    assert apply().texts == 1
    run = Run.objects.get()
    assert (run.text, run.text_was) == (text.strip()[:200], len(text))
    assert apply() == retention.Report()


def test_deleted_runs_stay_in_the_counts_and_lost_words_leave_the_search(old_runs, routine):
    apply()
    by_routine = RunCount.objects.filter(dimension=Dimension.ROUTINE, key=routine.pk)
    counted = by_routine.filter(grain=Grain.BLOCK)
    assert sum(counted.values_list("started", flat=True)) == len(old_runs)
    found = Run.objects.filter(Words.read("marmalade").by_index())
    assert {run.pk for run in found} == {old_runs[0].pk, old_runs[29].pk}


def test_without_settings_all_is_kept_and_the_command_says_so(old_runs, days):
    days(0, 0)
    before = stored()
    assert command().startswith("All runs are kept for ever")
    assert stored() == before
    assert not retention.policy()


@pytest.mark.parametrize(
    ("kept", "sentence"),
    [
        ((0, 0), ""),
        ((90, 0), "Texts are shortened to their first line after 90 days."),
        ((0, 1000), "Runs are deleted after 1,000 days."),
        (
            (7, 365),
            "Texts are shortened to their first line after 7 days and runs are deleted after"
            " 365 days.",
        ),
    ],
)
def test_the_policy_is_a_sentence(kept, sentence, days):
    days(*kept)
    assert str(retention.policy()) == sentence


# --- How ---


def test_a_dry_run_counts_what_would_go_and_changes_nothing(old_runs):
    before = stored()
    said = command("--dry-run")
    assert "2 texts would be shortened" in said
    assert "2 runs would be deleted" in said
    assert (stored(), trail()) == (before, [])
    assert "2 texts shortened" in command()
    assert retention.count() == retention.Report()


def test_the_trail_says_that_it_began_and_how_much_it_did(old_runs):
    apply()
    began, ended = trail()
    assert began["state"] == [None, "begun"]
    assert ended == {"runs deleted": [None, 2], "texts shortened": [None, 2]}
    apply()
    assert len(trail()) == 2  # nothing was done, so there is nothing to tell


@pytest.fixture
def one_a_batch(monkeypatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 1)


def test_an_interrupted_one_tells_what_it_did_and_the_next_goes_on(old_runs, one_a_batch):
    report = retention.Report()
    pauses = []

    def interrupted(_seconds: float) -> None:
        pauses.append(len(stored()))
        if len(pauses) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        retention.apply(report, pause=interrupted)
    assert len(stored()) < len(old_runs)
    assert trail()[-1]["runs deleted"] == [None, report.runs]
    apply()
    assert retention.count() == retention.Report()
    assert len(stored()) == 4


def test_a_run_that_arrives_or_goes_meanwhile_disturbs_nothing(
    old_runs, routine, person, one_a_batch
):
    def meanwhile(_seconds: float) -> None:
        create_run(routine=routine, person=person, text=LONG)
        Run.objects.filter(pk=old_runs[1000].pk).delete()
        Run.objects.filter(pk=old_runs[99].pk).delete()

    report = apply(pause=meanwhile)
    assert report == retention.Report(texts=1, runs=2)
    assert {run["text"] for run in stored()} == {LONG, "First line."}


@pytest.mark.usefixtures("transactional_db")
def test_no_transaction_is_open_while_it_pauses(one_a_batch):
    run = create_run(text=LONG, ago=timedelta(days=50))
    create_run(routine=run.routine, person=run.person, ago=timedelta(days=200))
    open_while_pausing = []
    report = apply(pause=lambda _seconds: open_while_pausing.append(connection.in_atomic_block))
    assert report == retention.Report(texts=1, runs=1)
    assert len(open_while_pausing) >= 3
    assert not any(open_while_pausing)


def test_a_failing_database_is_told_in_a_sentence(old_runs):
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {RunCount._meta.db_table} RENAME TO lost")
    with pytest.raises(
        CommandError, match=r"The database failed \(.+routines_runcount.*\)\. Run it again\."
    ):
        command()
