"""What a press asks the database, from the click to the answer. See docs/decisions/0004.

Every statement counts, BEGIN and COMMIT too. Not among them is the note of a person's activity,
made once a minute at most (dashboard/sign_in/web_sessions.py).
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from routines import registry
from routines.models import Person, Routine, Run
from routines.people import groups
from routines.practice_api import PracticeApi
from routines.values.reasons import State
from tests.dashboard.browsing import HTMX, Page, fire_url, page_and_fragment, run_form
from tests.factories import create_admin, create_routine, create_run, create_teammate

pytestmark = pytest.mark.usefixtures("transactional_db")

MOST_BEFORE, MOST_IN_ALL = 9, 16


def ordinary(person: Person) -> Routine:
    """With what routines usually have, also for a token that has not been used for a while."""
    routine = create_routine(template="Look into {{ alert }}.")
    group = groups.add("Release crew", members=[person], by=None)
    registry.set_rules(routine, open_to=[group], confirmation="confirm", asks_why=True, by=None)
    registry.add_template(routine, name="Another", body="x", by=None)
    create_run(routine=routine, person=person)
    return routine


def one_click(person: Person) -> Routine:
    return create_routine()


def cooled_down(person: Person) -> Routine:
    """Its cool-down is over, and its token was accepted a moment ago."""
    routine = create_routine(template="x", cool_down=60, token_accepted_at=timezone.now())
    create_run(routine=routine, person=person, ago=timedelta(seconds=61))
    return routine


ROUTINES = (ordinary, one_click, cooled_down)
ANSWERS = {"confirmation": "yes", "why": "The alert is new."}


class Asked:
    """How many statements a press has asked, before its request arrived and in all."""

    def __init__(self, practice: PracticeApi, monkeypatch: pytest.MonkeyPatch) -> None:
        self.before = self.in_all = 0
        self._captured = CaptureQueriesContext(connections["default"])
        answer = practice.answer

        def arrive(request: Any) -> Any:  # on the server's thread, while the press waits
            self.before = len(self._captured)
            return answer(request)

        monkeypatch.setattr(practice, "answer", arrive)

    def of(self, press: Callable[[], Any]) -> Any:
        with self._captured:
            response = press()
        self.in_all = len(self._captured)
        return response


@pytest.fixture
def asked(practice: PracticeApi, monkeypatch: pytest.MonkeyPatch) -> Asked:
    return Asked(practice, monkeypatch)


def press_of(person: Person, routine: Routine, *, htmx: bool) -> Callable[[], Any]:
    """A press of Run now as a browser sends it, CSRF token and all."""
    client = Client(enforce_csrf_checks=True)
    client.force_login(person)
    if routine.text_templates.exists():
        fields = run_form(client, routine) | {"field-alert": "SEN-4521"} | ANSWERS
    else:
        fields = Page(client.get("/")).fields(fire_url(routine))
    headers = HTMX if htmx else {}
    return lambda: client.post(fire_url(routine), fields, headers=headers)


@page_and_fragment
@pytest.mark.parametrize("make", ROUTINES)
def test_a_press_asks_few_queries(asked: Asked, htmx: bool, make: Callable[[Person], Routine]):
    person = create_teammate()
    response = asked.of(press_of(person, make(person), htmx=htmx))
    assert response.status_code == (200 if htmx else 302)
    assert Run.objects.newest_first()[0].state == State.STARTED
    assert 0 < asked.before <= MOST_BEFORE
    assert asked.before < asked.in_all <= MOST_IN_ALL


@page_and_fragment
def test_all_at_once_costs_little_more(asked: Asked, htmx: bool):
    """A cool-down, the news of a token, and an admin's card: a query each, after the answer."""
    admin = create_admin()
    routine = create_routine(template="x", cool_down=60)
    asked.of(press_of(admin, routine, htmx=htmx))
    assert 0 < asked.before <= MOST_BEFORE
    begin_and_commit = 2
    assert asked.in_all - begin_and_commit <= MOST_IN_ALL


def test_more_of_everything_makes_no_more_queries(asked: Asked):
    person = create_teammate()
    routine = ordinary(person)
    press = press_of(person, routine, htmx=True)
    for number in range(12):
        registry.add_template(routine, name=f"More {number}", body="x", by=None)
        create_run(routine=routine, person=person)
        groups.add(f"Group {number}", members=[person], by=None)
    asked.of(press)
    assert 0 < asked.before <= MOST_BEFORE
    assert asked.in_all <= MOST_IN_ALL
