"""Three pages fire: the run form, the test of a token, the trial of a version. One press for all.

What each of them makes of a press that did not simply go through, with what was typed kept.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.urls import reverse

from routines import fire_api, registry
from routines.models import Person, Routine, Run
from routines.registry import header_versions
from routines.runs import accepting, firing
from routines.values.reasons import Reason
from tests.dashboard.browsing import HTMX, Page, fire_url, run_url, shown_after
from tests.factories import create_run
from tests.routines.runs.firing.pressing import failing_writes

TYPED = "Typed with care."
USED = "This form has made a run already, shown below. Nothing more was sent."


@dataclass(frozen=True)
class Door:
    """A page that fires, with its form as it was opened."""

    client: Client
    url: str
    fields: dict[str, str]
    headers: dict[str, str]

    def press(self, **typed: str) -> Any:
        return self.client.post(self.url, self.fields | typed, headers=self.headers)

    def again(self, page: Page) -> "Door":
        """The form that came back."""
        return Door(self.client, self.url, page.fields(self.url), self.headers)


Open = Callable[[], Door]


@pytest.fixture(params=["run form", "run form, htmx", "token test", "version trial"])
def open_door(request, admin_client: Client, routine: Routine, practice) -> Open:
    name = request.param

    def open_form() -> Door:
        if name.startswith("run form"):
            page_url, url = run_url(routine), fire_url(routine)
        elif name == "token test":
            page_url = url = reverse("token_test", args=[routine.slug])
        else:
            url = reverse("try_version", args=[routine.slug])
            to = f"anthropic-beta:{header_versions.BETA_VERSION}"
            page_url = f"{url}?{urlencode({'to': to})}"
        fields = Page(admin_client.get(page_url)).fields(url)
        return Door(admin_client, url, fields, HTMX if "htmx" in name else {})

    return open_form


# --- One form, one run ---


def test_two_presses_of_one_form_are_one_run_and_one_answer(open_door: Open, practice):
    door = open_door()
    pages = [shown_after(door.client, door.press()) for _ in range(2)]
    [session] = practice.sessions
    assert Run.objects.count() == 1
    assert all(page.find("a", href=session.session_url) for page in pages)


def test_a_used_form_with_a_changed_text_sends_nothing_and_shows_both(open_door: Open, practice):
    door = open_door()
    door.press()
    response = door.press(text=TYPED)
    page = Page(response)
    assert (response.status_code, practice.requests) == (422, 1)
    assert page.says(USED)
    assert page.says("This changed text was not sent.")
    assert page.find("a", href=practice.sessions[0].session_url)
    again = door.again(page)
    assert (again.fields["text"], again.fields["key"] != door.fields["key"]) == (TYPED, True)
    again.press()
    assert [session.text for session in practice.sessions][1:] == [TYPED]


def test_a_form_whose_key_another_page_has_used_shows_that_run(
    open_door: Open, admin: Person, routine: Routine, practice
):
    door = open_door()
    door.press()
    Run.objects.update(is_trial=not Run.objects.get().is_trial)
    response = door.press()
    assert (response.status_code, practice.requests) == (422, 1)
    assert Page(response).says(USED)
    assert not Page(response).says("This changed text")


# --- Look first ---


def test_a_colleagues_recent_run_is_shown_first_and_the_same_form_goes_on(
    open_door: Open, routine: Routine, teammate: Person, practice
):
    door = open_door()
    create_run(routine=routine, person=teammate)
    response = door.press(text=TYPED)
    page = Page(response)
    assert (response.status_code, practice.requests) == (422, 0)
    assert page.says("the teammate ran this routine")
    again = door.again(page)
    assert (again.fields["text"], again.fields["key"]) == (TYPED, door.fields["key"])
    again.press()
    assert [session.text for session in practice.sessions] == [TYPED]


def test_a_form_that_was_opened_with_the_run_shown_fires_at_the_first_press(
    open_door: Open, routine: Routine, practice
):
    create_run(routine=routine, reason=Reason.NO_ANSWER)
    open_door().press()
    assert practice.requests == 1


def test_an_answer_that_the_routine_has_begun_to_ask_for_is_asked_for(
    open_door: Open, routine: Routine, practice
):
    door = open_door()
    registry.set_rules(
        routine, open_to_everybody=True, confirmation="confirm", asks_why=False, by=None
    )
    response = door.press(text=TYPED)
    page = Page(response)
    assert (response.status_code, practice.requests) == (422, 0)
    assert page.says("Set this tick first")
    assert page.fields(door.url)["text"] == TYPED


def test_an_answer_that_is_asked_for_since_the_form_was_read_is_asked_for(
    open_door: Open, monkeypatch: pytest.MonkeyPatch
):
    def ask(**_: object) -> None:
        raise accepting.AnswersMissing({"confirmation": "Set this tick first."})

    door = open_door()
    monkeypatch.setattr(firing, "fire", ask)
    response = door.press(text=TYPED)
    page = Page(response)
    assert response.status_code == 422
    assert page.says("Set this tick first.")
    assert page.fields(door.url)["key"] == door.fields["key"]


# --- When the database fails ---


def test_a_run_that_cannot_be_recorded_is_not_sent(open_door: Open, practice):
    door = open_door()
    with failing_writes("INSERT"):
        response = door.press(text=TYPED)
    page = Page(response)
    assert (response.status_code, practice.requests) == (503, 0)
    assert page.says("The database cannot be written at the moment. Nothing was sent.")
    assert page.fields(door.url)["text"] == TYPED


def test_a_run_that_may_be_recorded_is_not_said_to_be_lost(
    open_door: Open, monkeypatch: pytest.MonkeyPatch
):
    def fire(**_intent: Any) -> Any:
        raise accepting.RunNotRecorded(maybe=True)

    door = open_door()
    monkeypatch.setattr(firing, "fire", fire)
    response = door.press(text=TYPED)
    assert response.status_code == 503
    assert Page(response).says("the run may have been recorded, and then it is sent later.")


@contextmanager
def gone_after_the_answer(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The database goes away altogether while the endpoint answers."""

    def fail(*_: Any) -> None:
        raise OperationalError("server closed the connection unexpectedly")

    with ExitStack() as stack:
        fire = fire_api.fire

        def fire_and_go(**arguments: Any) -> fire_api.Answer:
            answer = fire(**arguments)
            stack.enter_context(connection.execute_wrapper(fail))
            return answer

        monkeypatch.setattr(fire_api, "fire", fire_and_go)
        yield


def test_a_database_that_goes_meanwhile_keeps_nobody_from_the_session(
    open_door: Open, practice, monkeypatch: pytest.MonkeyPatch
):
    door = open_door()
    with gone_after_the_answer(monkeypatch):
        response = door.press()
    page = Page(response)
    assert response.status_code == 200
    assert page.link(practice.sessions[0].session_url)
    assert page.says("the history does not show this answer")
