"""Obstacles, holds, budgets and prior runs, at their edges. What a press makes of them: firing/."""

from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from routines.fire_api import Answer
from routines.models import Account, Person, Routine
from routines.runs import limits, settling
from routines.runs.limits import Budget, Budgets, Obstacle
from routines.values.reasons import MEANINGS, Reason
from tests.factories import create_routine, create_run, create_teammate

pytestmark = pytest.mark.django_db

SECOND = timedelta(seconds=1)
INSTANT = timedelta(microseconds=1)


@pytest.fixture
def now() -> Any:
    """The present, which stands still."""
    with time_machine.travel(datetime(2026, 11, 2, 9, 30).astimezone(), tick=False):
        yield timezone.now()


def create_held(*, routine: datetime | None = None, account: datetime | None = None) -> Routine:
    created = create_routine(held_until=routine)
    Account.objects.filter(pk=created.account_id).update(held_until=account)
    return Routine.objects.select_related("account").get(pk=created.pk)


# --- Obstacles ---


def test_nothing_stands_in_the_way_of_a_whole_routine(django_assert_num_queries):
    routine = create_routine()
    with django_assert_num_queries(0):
        assert limits.obstacle(routine, timezone.now()) is None


def test_the_obstacle_that_lasts_longest_is_told_first(now):
    later = now + timedelta(minutes=5)
    routine = create_routine(
        token=None, archived_at=now, enabled=False, held_until=later, cool_down=60
    )
    found = []
    for mended in (
        {"archived_at": None},
        {"enabled": True},
        {"token_removed_at": now},
        {"token_removed_at": None, "token_encrypted": "x"},
        {"held_until": None},
        {"cool_down": 0},
    ):
        found.append(limits.obstacle(routine, now))
        for name, value in mended.items():
            setattr(routine, name, value)
    assert found == [
        Obstacle(Reason.ARCHIVED),
        Obstacle(Reason.DISABLED),
        Obstacle(Reason.NO_TOKEN),
        Obstacle(Reason.TOKEN_REMOVED),
        Obstacle(Reason.ON_HOLD, later),
        Obstacle(Reason.COOL_DOWN, now + timedelta(seconds=60)),
    ]
    assert limits.obstacle(routine, now) is None


def test_an_obstacle_carries_its_meaning():
    assert Obstacle(Reason.ON_HOLD).meaning == MEANINGS[Reason.ON_HOLD]


def test_a_cool_down_ends_to_the_instant(now):
    routine = create_routine(cool_down=60)
    just_over = now - timedelta(seconds=60)
    assert limits.obstacle(routine, just_over) is None
    assert limits.obstacle(routine, just_over + INSTANT) == Obstacle(
        Reason.COOL_DOWN, now + INSTANT
    )
    assert limits.obstacle(routine, None) is None


def test_the_last_sent_run_is_the_newest_of_this_routine_that_may_have_left():
    routine = create_routine(cool_down=5_000)
    create_run(routine=routine, ago=timedelta(hours=2))
    assert limits.last_sent_of([routine]) == {}, "too long ago to matter"
    create_run(routine=routine, ago=timedelta(hours=1.2))
    newest = create_run(routine=routine, ago=timedelta(hours=1), reason=Reason.NO_ANSWER)
    create_run(routine=routine, reason=Reason.PAUSED)
    create_run(routine=routine, reason=Reason.NO_CONNECTION)
    create_run()
    assert limits.last_sent_of([routine]) == {routine.pk: newest.created_at}


# --- Holds ---


def test_of_two_holds_the_later_end_counts(now):
    sooner, later = now + SECOND, now + 2 * SECOND
    assert limits.hold(create_held(routine=sooner, account=later)) == later
    assert limits.hold(create_held(routine=later, account=sooner)) == later
    assert limits.hold(create_held(routine=sooner)) == sooner
    assert limits.hold(create_held(account=sooner)) == sooner


def test_a_hold_ends_to_the_instant(now):
    assert limits.hold(create_held(routine=now, account=now)) is None
    assert limits.hold(create_held(routine=now + INSTANT)) == now + INSTANT
    assert limits.hold(create_held()) is None


@pytest.mark.parametrize(
    ("retry_after", "held_for"),
    [
        (None, timedelta(minutes=1)),
        (timedelta(seconds=1), timedelta(seconds=5)),
        (timedelta(seconds=5), timedelta(seconds=5)),
        (timedelta(seconds=90), timedelta(seconds=90)),
        (timedelta(hours=24), timedelta(hours=24)),
        (timedelta(days=7), timedelta(hours=24)),
    ],
)
def test_a_429_holds_the_routine_for_as_long_as_it_says_within_reason(now, retry_after, held_for):
    routine, other = create_routine(), create_routine()
    limits.apply_429(Answer(Reason.LIMIT_REACHED, retry_after=retry_after), routine)
    routine.refresh_from_db()
    other.refresh_from_db()
    assert routine.held_until == now + held_for
    assert other.held_until is None
    assert not Account.objects.exclude(held_until=None).exists()


@pytest.mark.parametrize(
    ("message", "is_about_the_account"),
    [
        ("Account limit reached", True),
        ("This organization has used up its runs", True),
        ("Your subscription's limit is reached", True),
        ("USAGE limit reached", True),
        ("Run limit reached for this routine", False),
        ("Unaccounted runs, usages and subscriptions", False),
        ("", False),
    ],
)
def test_a_429_that_speaks_of_the_account_holds_all_its_routines(message, is_about_the_account):
    routine, elsewhere = create_routine(), create_routine(account="Another")
    answer = Answer(Reason.LIMIT_REACHED, error_message=message)
    limits.apply_429(answer, routine)
    routine = Routine.objects.select_related("account").get(pk=routine.pk)
    assert (routine.account.held_until is not None) is is_about_the_account
    assert (routine.held_until is None) is is_about_the_account
    elsewhere.account.refresh_from_db()
    assert elsewhere.account.held_until is None


@pytest.mark.parametrize("reason", [reason for reason in Reason if reason != Reason.LIMIT_REACHED])
def test_nothing_else_holds_a_routine(reason, django_assert_num_queries):
    routine = create_routine()
    with django_assert_num_queries(0):
        limits.apply_429(Answer(reason, retry_after=timedelta(hours=1)), routine)


@pytest.mark.parametrize("message", ["", "account"])
def test_a_shorter_hold_does_not_cut_a_longer_one_short(now, message):
    routine = create_routine()
    for seconds in (60, 90, 30):
        answer = Answer(Reason.LIMIT_REACHED, error_message=message, retry_after=seconds * SECOND)
        limits.apply_429(answer, routine)
    routine = Routine.objects.select_related("account").get(pk=routine.pk)
    assert limits.hold(routine) == now + 90 * SECOND


# --- Budgets ---


def budgets_of(routine: Routine) -> Budgets:
    return limits.budgets([Routine.objects.select_related("account").get(pk=routine.pk)])[
        routine.pk
    ]


def test_requests_that_left_in_the_last_hour_and_were_not_refused_count(now):
    routine = create_routine()
    hour = timedelta(hours=1)
    create_run(routine=routine, ago=hour)
    for _ in range(2):
        create_run(routine=routine, ago=hour - INSTANT)
    create_run(routine=routine, reason=Reason.NO_ANSWER)
    for reason in (Reason.PAUSED, Reason.WAITED_TOO_LONG, Reason.SENDING, Reason.ACCEPTED):
        create_run(routine=routine, reason=reason)
    assert budgets_of(routine).routine == Budget(used=3, limit=30)


def test_a_run_counts_from_when_it_was_sent_however_long_it_waited(now):
    routine = create_routine()
    create_run(routine=routine, ago=timedelta(hours=5), sent_at=now)
    assert budgets_of(routine).routine == Budget(used=1, limit=30)


def test_the_accounts_budget_is_spent_by_all_its_routines():
    routine, sister = create_routine(), create_routine()
    create_run(routine=routine)
    create_run(routine=sister)
    create_run(routine=create_routine(archived_at=timezone.now()))
    create_run(routine=create_routine(account="Another"))
    assert budgets_of(routine) == Budgets(routine=Budget(1, 30), account=Budget(3, 100))


@pytest.mark.parametrize(
    ("own", "default", "shown"),
    [(None, 30, 30), (7, 30, 7), (0, 30, None), (None, 0, None), (7, 0, 7)],
)
def test_a_limit_of_its_own_goes_before_the_setting_and_0_shows_none(settings, own, default, shown):
    settings.ROUTINE_HOURLY_LIMIT = settings.ACCOUNT_HOURLY_LIMIT = default
    routine = create_routine(hourly_limit=own)
    Account.objects.update(hourly_limit=own)
    budget = None if shown is None else Budget(0, shown)
    assert budgets_of(routine) == Budgets(routine=budget, account=budget)


def test_a_budget_that_is_overspent_has_nothing_left():
    assert [Budget(used, 3).left for used in (0, 2, 3, 9)] == [3, 1, 0, 0]


def test_the_budgets_of_any_number_of_routines_take_one_query(django_assert_num_queries):
    for label in ("One", "Two", "Three"):
        create_run(routine=create_routine(account=label))
    routines = list(Routine.objects.select_related("account"))
    with django_assert_num_queries(1):
        found = limits.budgets(routines)
    assert [found[routine.pk].account for routine in routines] == [Budget(1, 100)] * 3
    assert limits.budgets([]) == {}


# --- Prior runs ---


@pytest.fixture
def person() -> Person:
    return create_teammate()


def test_an_unknown_run_is_a_prior_run_until_somebody_settles_it(now, person):
    routine = create_routine()
    year = timedelta(days=365)
    old = create_run(routine=routine, reason=Reason.NO_ANSWER, ago=year)
    create_run(reason=Reason.NO_ANSWER)
    mine = create_run(routine=routine, person=person, reason=Reason.NO_ANSWER, ago=year / 2)
    theirs = create_run(routine=routine, reason=Reason.SERVER_ERROR, ago=SECOND)
    assert limits.prior_runs(routine, person) == [theirs, mine, old]
    settling.settle_as_not_started(mine, by=person)
    assert limits.prior_runs(routine, person) == [theirs, old]


def test_ones_own_run_in_flight_is_a_prior_run_as_anybody_elses(now, person, settings):
    settings.RECENT_RUN_WARNING = 0
    routine = create_routine()
    mine = create_run(routine=routine, person=person, reason=Reason.SENDING, ago=2 * SECOND)
    theirs = create_run(routine=routine, reason=Reason.SENDING, ago=SECOND)
    create_run(reason=Reason.SENDING)
    assert limits.prior_runs(routine, person) == [theirs, mine]
    assert all(run.is_sending for run in limits.prior_runs(routine, person))


def test_a_run_in_flight_for_longer_than_any_can_be_is_unknown_before_a_page_says_so(now, person):
    routine = create_routine()
    create_run(routine=routine, person=person, reason=Reason.SENDING, ago=timedelta(hours=30))
    (run,) = limits.prior_runs(routine, person)
    assert run.is_unknown


def test_the_newest_three_unknown_runs_are_enough(person):
    routine = create_routine()
    runs = [
        create_run(routine=routine, reason=Reason.NO_ANSWER, ago=number * SECOND)
        for number in range(5)
    ]
    assert limits.prior_runs(routine, person) == runs[:3]


@pytest.mark.parametrize("reason", [Reason.SESSION_CREATED, Reason.SAID_STARTED])
def test_the_newest_recent_run_of_a_colleague_is_a_prior_run(now, person, settings, reason):
    settings.RECENT_RUN_WARNING = 120
    routine = create_routine()
    create_run(routine=routine, reason=reason, ago=120 * SECOND)
    assert limits.prior_runs(routine, person) == []
    create_run(routine=routine, reason=reason, ago=119 * SECOND)
    newest = create_run(routine=routine, reason=reason, ago=118 * SECOND)
    create_run(routine=routine, person=person, reason=reason)
    create_run(reason=reason)
    assert limits.prior_runs(routine, person) == [newest]


@pytest.mark.parametrize("reason", [Reason.PAUSED, Reason.WAITED_TOO_LONG, Reason.SAID_NOT_STARTED])
def test_what_started_nothing_is_no_prior_run(person, reason):
    routine = create_routine()
    create_run(routine=routine, reason=reason)
    assert limits.prior_runs(routine, person) == []


def test_a_setting_of_0_never_asks_about_colleagues_but_always_about_unknown_runs(
    now, person, settings
):
    settings.RECENT_RUN_WARNING = 0
    routine = create_routine()
    create_run(routine=routine)
    unknown = create_run(routine=routine, reason=Reason.NO_ANSWER)
    assert limits.prior_runs(routine, person) == [unknown]


def test_colleagues_may_be_asked_about_for_hours(now, person, settings):
    settings.RECENT_RUN_WARNING = 7_200
    routine = create_routine()
    create_run(routine=routine, ago=timedelta(hours=2))
    recent = create_run(routine=routine, ago=timedelta(minutes=100))
    assert limits.prior_runs(routine, person) == [recent]


def test_prior_runs_name_their_people_without_further_queries(person, django_assert_num_queries):
    routine = create_routine()
    create_run(routine=routine, reason=Reason.NO_ANSWER)
    create_run(routine=routine)
    with django_assert_num_queries(2):
        assert len([str(one.person) for one in limits.prior_runs(routine, person)]) == 2
