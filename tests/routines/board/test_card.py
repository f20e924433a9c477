"""What a person's board shows of each routine, in the same few queries however many there are."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from routines import board, registry
from routines.board import Card, pins
from routines.models import Account, Person, Routine
from routines.registry import tags
from routines.runs import firing
from routines.runs.limits import Budget, Obstacle
from routines.values.reasons import Reason
from tests.factories import (
    create_admin,
    create_manager,
    create_person,
    create_routine,
    create_run,
    create_teammate,
)
from tests.hostile import HostileServer, answer, envelope, says

pytestmark = pytest.mark.django_db


@pytest.fixture
def person() -> Person:
    return create_teammate()


def card_of(routine: Routine, person: Person) -> Card:
    [card] = [one for one in board.cards(person) if one.routine == routine]
    return card


# --- Which routines ---


def test_there_is_one_card_for_each_current_routine_by_name(person):
    for name in ("Second", "First", "Third"):
        create_routine(name=name)
    create_routine(name="Gone", archived_at=timezone.now())
    create_routine(name="Off", enabled=False, token=None)
    assert [card.routine.name for card in board.cards(person)] == [
        *("First", "Off", "Second", "Third")
    ]


@pytest.mark.parametrize(("create", "cards"), [(create_teammate, 1), (create_admin, 1)])
def test_who_may_run_routines_has_a_board(create, cards):
    create_routine()
    assert len(board.cards(create())) == cards


@pytest.mark.parametrize("create", [create_manager, create_person])
def test_who_may_run_nothing_has_an_empty_board(create):
    routine = create_routine()
    assert board.cards(create()) == []
    assert board.cards(create(), slug=routine.slug) == []


def test_one_card_is_asked_for_by_its_slug(person):
    routine = create_routine(name="First", template="x")
    create_routine(name="First")
    create_run(routine=routine)
    assert board.cards(person, slug="first") == [card_of(routine, person)]
    assert board.cards(person, slug="nobody") == []


# --- What is on a card ---


def test_a_fresh_routine_has_an_empty_card(person):
    card = card_of(create_routine(), person)
    assert (card.templates, card.last_run, card.obstacle) == ([], None, None)
    assert (card.budgets.routine, card.budgets.account) == (Budget(0, 30), Budget(0, 100))


def test_templates_come_in_their_order(person):
    routine = create_routine()
    for name, order in (("Last", 2), ("First", 0), ("Second", 1), ("Third", 1)):
        registry.add_template(routine, name=name, body="", order=order, by=None)
    registry.add_template(create_routine(), name="Elsewhere", body="", by=None)
    templates = card_of(routine, person).templates
    assert [template.name for template in templates] == ["First", "Second", "Third", "Last"]


def test_the_last_run_is_the_newest_of_anybody_sent_or_not(person):
    routine = create_routine()
    create_run(routine=routine, person=person, ago=timedelta(hours=1))
    newest = create_run(routine=routine, reason=Reason.WAITED_TOO_LONG)
    create_run(ago=-timedelta(hours=1))
    assert card_of(routine, person).last_run == newest


def test_a_cool_down_runs_from_the_last_sent_run_and_not_from_a_later_one_that_was_not(person):
    routine = create_routine(cool_down=600)
    sent = create_run(routine=routine, ago=timedelta(minutes=5))
    create_run(routine=routine, reason=Reason.COOL_DOWN)
    until = sent.created_at + timedelta(seconds=600)
    assert card_of(routine, person).obstacle == Obstacle(Reason.COOL_DOWN, until)


def test_an_obstacle_is_of_its_own_routine(person):
    held = create_routine(held_until=timezone.now() + timedelta(hours=1))
    free = create_routine()
    assert card_of(held, person).obstacle == Obstacle(Reason.ON_HOLD, held.held_until)
    assert card_of(free, person).obstacle is None
    Account.objects.update(held_until=held.held_until)
    assert card_of(free, person).obstacle == Obstacle(Reason.ON_HOLD, held.held_until)


def test_the_accounts_budget_counts_what_is_on_no_board(person):
    routine = create_routine()
    create_run(routine=create_routine(archived_at=timezone.now()))
    assert card_of(routine, person).budgets.account == Budget(1, 100)
    assert board.cards(person, slug=routine.slug)[0].budgets.account == Budget(1, 100)


def test_the_board_settles_what_is_overdue(person):
    routine = create_routine()
    create_run(routine=routine, reason=Reason.SENDING, ago=timedelta(hours=1))
    last_run = card_of(routine, person).last_run
    assert last_run is not None
    assert last_run.reason == Reason.INTERRUPTED


# --- The card after a press ---


@pytest.mark.parametrize(
    ("routine_id", "values", "reason"),
    [
        ("trig_Started", {}, Reason.SESSION_CREATED),
        ("trig_Started", {"cool_down": 600}, Reason.SESSION_CREATED),
        ("trig_practice_429", {}, Reason.LIMIT_REACHED),
        ("trig_practice_401", {"cool_down": 600}, Reason.TOKEN_REJECTED),
        ("trig_Off", {"enabled": False}, Reason.DISABLED),
    ],
)
def test_the_card_after_a_press_is_the_one_that_the_board_shows_then(
    practice, person, routine_id, values, reason
):
    routine = create_routine(routine_id=routine_id, template="x", **values)
    tags.write_tags(routine, ["release", "nightly"])
    pins.pin(routine, by=person)
    run = firing.fire(key=uuid4(), routine=routine, person=person, text="x").run
    after = board.card_after(run, person, list(routine.text_templates.all()))
    assert after == card_of(routine, person)
    assert (after.last_run, run.reason) == (run, reason)


def test_the_card_after_a_press_shows_a_hold_of_the_account(person, settings):
    routine = create_routine()
    limit = answer(429, envelope("rate_limit_error", "The account's usage limit is reached"))
    with HostileServer(says(limit)) as server:
        settings.CLAUDE_API_BASE_URL = server.url
        run = firing.fire(key=uuid4(), routine=routine, person=person, text="x").run
    obstacle = board.card_after(run, person, []).obstacle
    assert obstacle is not None
    assert (obstacle.reason, obstacle.until) == (Reason.ON_HOLD, Account.objects.get().held_until)


# --- What it costs ---


def add_rows(number: int) -> None:
    for at in range(number):
        routine = create_routine(account=f"Account {at}", template="x", cool_down=600)
        registry.add_template(routine, name="Another", body="x", by=None)
        for reason in (Reason.SESSION_CREATED, Reason.NO_ANSWER, Reason.PAUSED):
            create_run(routine=routine, reason=reason)


def queries(person: Person, slug: str | None = None) -> int:
    with CaptureQueriesContext(connection) as captured:
        for card in board.cards(person, slug=slug):
            assert card.last_run is not None
            # All that a page may show of it.
            f"{card.routine.account} {card.last_run.person} {card.templates} {card.budgets}"
    return len(captured)


def test_more_routines_runs_and_templates_make_no_more_queries(person):
    person.has_perm("routines.fire_routine")  # asked once a request
    add_rows(1)
    few, one = queries(person), queries(person, slug=Routine.objects.get().slug)
    add_rows(10)
    assert queries(person) == few == 7
    assert queries(person, slug=Routine.objects.earliest("pk").slug) == one == 7
