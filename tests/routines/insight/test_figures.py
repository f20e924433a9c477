"""The numbers of a range, and the ranges."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.utils import timezone

from routines import insight
from routines.insight.ranges import Unit
from routines.models import Account, Outcome, Run
from routines.tokens.health import Need
from routines.values.reasons import Reason, State
from tests.factories import create_api_key, create_routine, create_run, create_teammate

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)  # a Friday


@pytest.fixture(autouse=True)
def a_day_in_november():
    with time_machine.travel(NOW, tick=False):
        yield


def run_at(moment, **values):
    return create_run(ago=NOW - moment, **values)


def look(chosen):
    assert insight.step() is None
    return insight.look(chosen)


# --- Ranges ---


def test_the_last_days_count_today_as_one_of_them():
    week = insight.preset(7)
    assert (week.first, week.last, week.days) == (date(2026, 11, 14), date(2026, 11, 20), 7)
    assert (week.before.first, week.before.last) == (date(2026, 11, 7), date(2026, 11, 13))


def test_all_begins_with_the_first_run_and_is_today_alone_without_one():
    assert insight.preset(None).days == 1
    run_at(datetime(2023, 2, 1, 9, tzinfo=UTC))
    insight.step()
    assert insight.preset(None).first == date(2023, 2, 1)


def test_days_before_the_first_run_and_after_today_are_left_out():
    run_at(datetime(2026, 11, 2, 9, tzinfo=UTC))
    insight.step()
    chosen = insight.of_days(date(1970, 1, 2), date(9999, 12, 29))
    assert (chosen.first, chosen.last) == (date(2026, 11, 2), date(2026, 11, 20))


@pytest.mark.parametrize(
    ("first", "last", "sentence"),
    [
        (date(2026, 11, 2), date(2026, 11, 1), "Swap them"),
        (date(2026, 11, 21), date(2026, 11, 22), "not come yet"),
    ],
)
def test_impossible_days_are_refused(first, last, sentence):
    with pytest.raises(insight.BadRange, match=sentence):
        insight.of_days(first, last)


@pytest.mark.parametrize(
    ("days", "unit", "steps"),
    [
        (1, Unit.HOUR, 24),
        (3, Unit.HOUR, 72),
        (7, Unit.DAY, 7),
        (90, Unit.DAY, 90),
        (365, Unit.WEEK, 53),
        (1000, Unit.MONTH, 34),
    ],
)
def test_a_range_is_cut_into_steps_without_a_gap(days, unit, steps):
    chosen = insight.preset(days)
    found = chosen.steps()
    assert (chosen.unit, len(found)) == (unit, steps)
    assert (found[0].start, found[-1].end) == (chosen.start, chosen.end)
    assert all(one.end == other.start for one, other in pairwise(found))


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "Asia/Kolkata", "America/New_York", "UTC"])
def test_days_are_the_readers_as_long_as_half_hours_are_kept(zone):
    late = run_at(datetime(2026, 11, 18, 23, 45, tzinfo=UTC))
    with timezone.override(ZoneInfo(zone)):
        figures = look(insight.preset(7))
        local_day = timezone.localdate(late.created_at)
    [(step, _)] = [pair for pair in figures.steps if pair[1].runs]
    assert step.start.date() == local_day
    assert not figures.range.is_utc_only


@pytest.mark.parametrize(
    ("zone", "days"), [("Asia/Tokyo", 365), ("Asia/Kathmandu", 7), ("Asia/Tokyo", None)]
)
def test_where_they_are_not_kept_or_do_not_fit_days_are_those_of_utc(zone, days):
    run_at(datetime(2025, 11, 18, 23, 45, tzinfo=UTC))
    insight.step()
    with timezone.override(ZoneInfo(zone)):
        chosen = insight.preset(days)
        assert chosen.is_utc_only
        assert chosen.start.utcoffset() == timedelta(0)


def test_a_clock_that_is_put_back_moves_no_run_to_another_day():
    """In Berlin, 25 October 2026 has 25 hours."""
    run_at(datetime(2026, 10, 24, 21, 30, tzinfo=UTC))  # 23:30 of the 24th
    run_at(datetime(2026, 10, 24, 22, 30, tzinfo=UTC))  # 0:30 of the 25th
    run_at(datetime(2026, 10, 25, 22, 30, tzinfo=UTC))  # 23:30 of the 25th
    run_at(datetime(2026, 10, 25, 23, 30, tzinfo=UTC))  # 0:30 of the 26th
    with timezone.override(ZoneInfo("Europe/Berlin")):
        figures = look(insight.preset(30))
        hours = insight.of_days(date(2026, 10, 25), date(2026, 10, 25))
        assert len(hours.steps()) == 25
        assert look(hours).total.started == 2
    assert {
        step.start.date().isoformat(): counts.started
        for step, counts in figures.steps
        if counts.runs
    } == {"2026-10-24": 1, "2026-10-25": 2, "2026-10-26": 1}
    assert sorted(figures.week) == [(0, 0), (5, 23), (6, 0), (6, 23)]


@pytest.mark.parametrize("days", [1, 7, 90, 365, 1000])
@pytest.mark.parametrize("zone", ["Europe/Berlin", "Asia/Kolkata", "Asia/Kathmandu"])
def test_what_a_bar_counts_is_what_its_link_shows(zone, days):
    routine, person = create_routine(), create_teammate()
    for hours in range(0, 1100 * 24, 1201):
        for more in (0, 1, 5):
            create_run(routine=routine, person=person, ago=timedelta(hours=hours + more))
    with timezone.override(ZoneInfo(zone)):
        figures = look(insight.preset(days))
        assert figures.total.runs > 2
        shown = figures.range.runs().apply(Run.objects.all()).count()
        assert shown == figures.total.runs == dict(figures.routines)[routine].runs
        for step, counts in figures.steps:
            assert figures.range.runs(step).apply(Run.objects.all()).count() == counts.runs


# --- Figures ---


def test_everything_of_a_range_and_nothing_beside_it():
    often, seldom = create_routine(name="Often"), create_routine(name="Seldom")
    person = create_teammate()
    create_run(routine=often, person=person, outcome=Outcome.USEFUL)
    create_run(routine=often, person=person, outcome=Outcome.FAILED)
    create_run(routine=often, person=person, reason=Reason.PAUSED)
    create_run(routine=often, person=person, reason=Reason.PAUSED)
    create_run(routine=seldom, reason=Reason.NO_ANSWER)
    create_run(routine=seldom, reason=Reason.WAITED_TOO_LONG)
    create_run(routine=seldom, reason=Reason.SENDING)
    create_run(routine=often, person=person, ago=timedelta(days=8))
    figures = look(insight.preset(7))
    assert (figures.total.runs, figures.before.runs, figures.deleted) == (6, 1, 0)
    assert [(one.name, counts.runs) for one, counts in figures.routines] == [
        ("Often", 4),
        ("Seldom", 2),
    ]
    counts = dict(figures.routines)[often]
    assert (counts.share_started, counts.share_refused) == (0.5, 0.5)
    assert (counts.useful, counts.failed, counts.marked) == (1, 1, 2)
    assert (figures.people[0][0], figures.people[0][1].runs) == (person, 4)
    assert [(one.pk, counts.runs) for one, counts in figures.accounts] == [(often.account_id, 6)]
    assert figures.reasons == [
        (Reason.PAUSED, 2),
        (Reason.NO_ANSWER, 1),
        (Reason.WAITED_TOO_LONG, 1),
    ]


def test_an_account_keeps_the_runs_that_it_paid_for():
    routine = create_routine(account="First")
    create_run(routine=routine)
    routine.account = Account.objects.create(label="Second")
    routine.save()
    create_run(routine=routine, reason=Reason.PAUSED)
    by_label = {one.label: counts.runs for one, counts in look(insight.preset(7)).accounts}
    assert by_label == {"First": 1, "Second": 1}


def test_deleted_runs_are_counted_and_shown_as_such():
    create_run()
    create_run()
    Run.objects.all()[:1].get().delete()
    figures = look(insight.preset(7))
    assert (figures.total.runs, figures.deleted) == (2, 1)


def test_people_who_ran_least_are_a_number():
    for runs in range(1, 28):
        person = create_teammate()
        for _ in range(2 if runs > 2 else 1):
            create_run(person=person, reason=Reason.PAUSED)
    figures = look(insight.preset(7))
    assert (len(figures.people), figures.other_people) == (25, 2)
    assert all(counts.runs == 2 for _, counts in figures.people)


def test_api_keys_are_named_as_people_are_and_those_that_ran_least_are_a_number():
    person = create_teammate()
    keys = [create_api_key(person=person if number == 7 else None) for number in range(27)]
    for number, key in enumerate(keys):
        for _ in range(2 if number > 1 else 1):
            create_run(api_key=key, reason=Reason.PAUSED)
    figures = look(insight.preset(7))
    assert (len(figures.api_keys), figures.other_api_keys) == (25, 2)
    assert {key for key, _ in figures.api_keys} == set(keys[2:])
    assert all(counts.refused == 2 for _, counts in figures.api_keys)
    assert [(one, counts.runs) for one, counts in figures.people] == [(person, 2)]


def test_percentiles_are_at_most_a_twentieth_off():
    durations = [300 + 13 * number for number in range(200)]
    routine, person = create_routine(), create_teammate()
    for duration in durations:
        create_run(routine=routine, person=person, duration_ms=duration)
    found = look(insight.preset(7)).duration
    assert found.p50 == pytest.approx(durations[99], rel=0.05)
    assert found.p95 == pytest.approx(durations[189], rel=0.05)
    assert insight.Duration({}).p50 is None


def test_the_fullest_hour_of_an_account_and_how_full_it_was(settings):
    settings.ACCOUNT_HOURLY_LIMIT = 10
    small = create_routine(account="Small")
    Account.objects.filter(label="Small").update(hourly_limit=4)
    unlimited = create_routine(account="Unlimited")
    Account.objects.filter(label="Unlimited").update(hourly_limit=0)
    other = create_routine(account="Other")
    wednesday = datetime(2026, 11, 18, 9, 10, tzinfo=UTC)
    for routine, moment, runs in (
        (small, wednesday, 2),
        (small, wednesday + timedelta(minutes=25), 1),
        (small, wednesday - timedelta(days=7), 1),
        (other, wednesday, 3),
        (unlimited, wednesday + timedelta(hours=1), 5),
    ):
        for _ in range(runs):
            run_at(moment, routine=routine)
    run_at(wednesday, routine=small, reason=Reason.LIMIT_REACHED)
    week = look(insight.preset(30)).week
    assert set(week) == {(2, 9), (2, 10)}
    assert week[2, 9].sessions == 7
    full = week[2, 9].fullest
    assert full is not None
    assert (full.account.label, full.used, full.limit) == ("Small", 3, 4)
    assert full.start == datetime(2026, 11, 18, 9, tzinfo=UTC)
    assert (week[2, 10].sessions, week[2, 10].fullest) == (5, None)


@pytest.mark.parametrize("zone", ["Asia/Kolkata", "America/New_York"])
def test_the_week_is_that_of_the_readers_clock(zone):
    moment = datetime(2026, 11, 18, 3, 45, tzinfo=UTC)
    run_at(moment)
    with timezone.override(ZoneInfo(zone)):
        local = timezone.localtime(moment)
        [(of_week, hour)] = look(insight.preset(7)).week.items()
        assert of_week == (local.weekday(), local.hour)
        assert hour.fullest is not None
        assert timezone.localtime(hour.fullest.start) == local.replace(minute=0)


def test_of_a_long_range_the_week_is_that_of_its_last_days():
    create_run(ago=timedelta(days=400))
    create_run(ago=timedelta(days=50))
    figures = look(insight.preset(365))
    assert figures.total.runs == 1
    assert figures.week == {}
    assert figures.week_of is not None
    assert figures.week_of.days == 28
    assert look(insight.of_days(date(2025, 10, 1), date(2025, 10, 20))).week_of is None


def test_routines_that_nobody_ran_with_their_last_run():
    with time_machine.travel(NOW - timedelta(days=300), tick=False):
        never, once = create_routine(name="Never"), create_routine(name="Once")
        create_routine(name="Archived", archived_at=NOW)
        busy = create_routine(name="Busy")
    last = create_run(routine=once, ago=timedelta(days=40))
    create_run(routine=once, ago=timedelta(days=60))
    create_run(routine=busy)
    figures = look(insight.preset(30))
    assert [(one, one.last_run_at) for one in figures.idle] == [
        (never, None),
        (once, last.created_at),
    ]
    assert busy.pk in {one.pk for one, _ in figures.routines}


def test_tokens_in_trouble_are_those_of_current_routines():
    create_routine(name="Without", token=None)
    create_routine(name="Archived", token=None, archived_at=NOW)
    tokens = look(insight.preset(7)).tokens
    assert [(health.routine.name, health.need) for health in tokens] == [("Without", Need.MISSING)]


def test_a_run_moves_with_its_state_at_the_next_look():
    run = create_run(reason=Reason.NO_ANSWER)
    assert look(insight.preset(7)).total.unknown == 1
    Run.objects.filter(pk=run.pk).update(
        state=State.STARTED, reason=Reason.SAID_STARTED, session_id="session_x"
    )
    total = look(insight.preset(7)).total
    assert (total.unknown, total.started) == (0, 1)
