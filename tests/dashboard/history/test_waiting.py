"""A run that waits: what people read of it, and its Cancel, which works until the claim."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from routines.models import Account, Attempt, Person, Routine, Run, Worker
from routines.runs import queue
from routines.values.reasons import Reason, State
from tests.dashboard.browsing import (
    HTMX,
    Page,
    page_and_fragment,
    press,
    run_form,
    shown_after,
    signed_in,
)
from tests.factories import create_admin, create_routine, create_run, create_teammate
from tests.routines.runs.firing.pressing import slots_taken


@pytest.fixture(autouse=True)
def worker(db: None) -> Worker:
    return Worker.objects.create(name="alive", places=32)


@pytest.fixture
def earlier(db: None) -> Run:
    return create_run(reason=Reason.ACCEPTED)


@pytest.fixture
def waits(routine: Routine, teammate: Person) -> Run:
    return create_run(routine=routine, person=teammate, reason=Reason.ACCEPTED)


def page_of(run: Run) -> str:
    return reverse("history_run", args=[run.pk])


def cancel_url(run: Run) -> str:
    return reverse("cancel_run", args=[run.pk])


def asks_at(page: Page, run: Run) -> str:
    """Where the shown result asks for what is new."""
    (result,) = page.find("div", id=f"result-{run.pk}")
    assert result.attributes["hx-trigger"] == "every 1s"
    return result.attributes["hx-get"]


def ask(client: Client, url: str, *, at: str = "/") -> Any:
    return client.get(url, headers=HTMX | {"HX-Current-URL": f"http://testserver{at}"})


# --- What it waits for ---


@page_and_fragment
def test_a_press_that_found_no_free_place_says_how_many_are_before_it(
    client, routine, practice, settings, htmx
):
    for _ in range(3):
        create_run(reason=Reason.ACCEPTED)
    with slots_taken(settings.PRESSES_IN_FLIGHT):
        response = press(client, routine, htmx=htmx)
    shown = shown_after(client, response)
    assert shown.says("Waiting for its turn, 3 before it.")
    assert shown.says("Nothing has been sent yet.")
    run = Run.objects.get(routine=routine)
    assert shown.find("div", role="status", id=f"result-{run.pk}")
    assert ("draft-sent" in response.headers.get("HX-Trigger", "")) == htmx
    assert practice.requests == 0


def test_the_first_of_all_is_told_that_it_is_next(client, waits):
    create_run(reason=Reason.ACCEPTED)  # a later one
    assert Page(client.get(page_of(waits))).says("Waiting for its turn: it is next.")


@pytest.mark.parametrize("held", [Routine, Account])
def test_under_a_hold_it_says_until_when(client, waits, held):
    with time_machine.travel("2026-11-24T13:00:00Z", tick=False):
        Run.objects.update(deadline=timezone.now() + timedelta(hours=1))
        held.objects.update(held_until=timezone.now() + timedelta(minutes=5))
        assert Page(client.get(page_of(waits))).says("Waits until the hold ends at 13:05.")


def test_in_a_cool_down_it_says_until_when(client, waits):
    with time_machine.travel("2026-11-24T13:00:00Z", tick=False):
        soon = timezone.now() + timedelta(seconds=30)
        Run.objects.update(reason=Reason.COOLING, due_at=soon, deadline=soon)
        page = Page(client.get(page_of(waits)))
    assert page.says("Waits until the cool-down ends at 13:00:30.")


def test_between_two_attempts_it_says_when_the_next_one_is_and_how_the_last_one_ended(
    client, waits
):
    with time_machine.travel("2026-11-24T13:00:00Z", tick=False):
        soon = timezone.now() + timedelta(seconds=8)
        Run.objects.update(
            reason=Reason.NEXT_ATTEMPT, attempt=1, due_at=soon, deadline=soon, tries_again=True
        )
        Attempt.objects.create(
            run=waits, number=1, ended_at=timezone.now(), reason=Reason.OVERLOADED
        )
        page = Page(client.get(page_of(waits)))
    assert page.says("Next attempt at 13:00:08. The last one: endpoint overloaded.")
    assert page.says("Nothing was started yet.")


@pytest.mark.parametrize(
    ("create", "sentence"),
    [(create_teammate, "Tell an admin."), (create_admin, "Start one: manage.py worker")],
)
def test_where_no_worker_runs_it_says_so_and_whom_to_tell(routine, create, sentence):
    person = create()
    run = create_run(routine=routine, person=person, reason=Reason.ACCEPTED)
    Worker.objects.all().delete()
    page = Page(signed_in(person).get(page_of(run)))
    assert page.says(f"No worker is running at the moment, so it waits. {sentence}")
    assert not page.says("It will be sent automatically.")


# --- It updates by itself ---


def test_an_open_page_gets_nothing_until_something_is_new(client, earlier, waits):
    url = asks_at(Page(client.get(page_of(waits))), waits)
    assert ask(client, url).status_code == 204
    earlier.delete()
    fresh = ask(client, url)
    assert Page(fresh).says("Waiting for its turn: it is next.")
    assert not Page(fresh).find("div", autofocus="")
    url = asks_at(Page(fresh), waits)
    assert ask(client, url).status_code == 204


def test_a_card_goes_on_from_waiting_to_sending_to_its_session(client, waits):
    url = asks_at(Page(client.get(page_of(waits))), waits)
    now = timezone.now()
    Run.objects.update(state=State.SENDING, reason=Reason.SENDING, attempt=1, claimed_at=now)
    sending = ask(client, url)
    assert Page(sending).says("The request is on its way.")
    url = asks_at(Page(sending), waits)
    assert ask(client, url).status_code == 204
    Run.objects.update(
        state=State.STARTED, reason=Reason.SESSION_CREATED, session_id="session_1", settled_at=now
    )
    assert not Page(ask(client, url)).elements[0].attributes.get("hx-get")


def test_its_own_page_is_loaded_anew_when_more_than_the_place_in_the_queue_changes(
    client, earlier, waits
):
    url = asks_at(Page(client.get(page_of(waits))), waits)
    earlier.delete()
    place = ask(client, url, at=page_of(waits))
    assert "HX-Refresh" not in place.headers
    queue.cancel(waits, by=waits.person)
    assert ask(client, url, at=page_of(waits)).headers["HX-Refresh"] == "true"


def test_asking_takes_few_queries(client, waits):
    url = asks_at(Page(client.get(page_of(waits))), waits)
    ask(client, url)
    with CaptureQueriesContext(connection) as captured:
        ask(client, url)
    assert len(captured) <= 7, [query["sql"] for query in captured]


# --- Cancel ---


@page_and_fragment
def test_cancel_ends_it_and_nothing_is_sent(client, routine, waits, practice, htmx):
    response = client.post(cancel_url(waits), headers=HTMX if htmx else {})
    assert shown_after(client, response).says("It was cancelled before its turn came.")
    waits.refresh_from_db()
    assert (waits.state, waits.reason) == (State.NOT_SENT, Reason.CANCELLED)
    assert queue.claim(routine.pk) is None
    assert practice.requests == 0


def test_the_focus_goes_to_what_the_press_of_cancel_led_to(client, waits):
    (result,) = Page(client.post(cancel_url(waits), headers=HTMX)).find("div", role="status")
    assert "autofocus" in result.attributes


@pytest.mark.usefixtures("transactional_db")
@page_and_fragment
def test_what_was_claimed_meanwhile_is_not_cancelled_and_shown(client, routine, waits, htmx):
    assert queue.claim(routine.pk)
    response = client.post(cancel_url(waits), headers=HTMX if htmx else {})
    page = shown_after(client, response)
    assert page.says("It is already on its way and cannot be cancelled.")
    assert page.says("The request is on its way.")
    waits.refresh_from_db()
    assert waits.state == State.SENDING


def test_cancel_on_its_own_page_loads_that_anew(client, waits):
    headers = HTMX | {"HX-Current-URL": f"http://testserver{page_of(waits)}"}
    assert client.post(cancel_url(waits), headers=headers).headers["HX-Refresh"] == "true"
    client.post(cancel_url(waits), headers=headers)
    waits.refresh_from_db()
    assert waits.reason == Reason.CANCELLED


@page_and_fragment
def test_cancel_of_what_is_over_says_so_and_shows_it(client, routine, teammate, htmx):
    run = create_run(routine=routine, person=teammate)
    page = shown_after(client, client.post(cancel_url(run), headers=HTMX if htmx else {}))
    assert page.says("It was over before it could be cancelled.")
    assert page.find("a", href=run.session_url)


def test_cancel_pressed_twice_is_one(client, waits):
    client.post(cancel_url(waits), headers=HTMX)
    page = Page(client.post(cancel_url(waits), headers=HTMX))
    assert page.says("It was cancelled before its turn came.")
    assert not page.says("cannot be cancelled")
    assert not page.says("could be cancelled")


def test_an_admin_may_cancel_it_and_it_says_who_did(client, admin, admin_client, waits):
    assert Page(admin_client.get(page_of(waits))).find("form", action=cancel_url(waits))
    admin_client.post(cancel_url(waits))
    assert Page(client.get(page_of(waits))).says(f"Cancelled by {admin}.")


def test_who_cancels_their_own_is_not_told_so(client, waits):
    client.post(cancel_url(waits))
    assert not Page(client.get(page_of(waits))).says("Cancelled by")


def test_who_may_only_see_it_sees_no_cancel_and_is_refused(manager, routine, waits):
    Routine.objects.update(runs_seen_by_group=True)
    for person in (manager, create_teammate()):
        other = signed_in(person)
        page = Page(other.get(page_of(waits)))
        assert page.says("Waiting for its turn")
        assert not page.find("form", action=cancel_url(waits))
        assert other.post(cancel_url(waits)).status_code == 403
    waits.refresh_from_db()
    assert waits.is_waiting


def test_looking_at_its_address_cancels_nothing(client, waits):
    assert client.get(cancel_url(waits)).status_code == 405
    waits.refresh_from_db()
    assert waits.is_waiting


def test_a_run_that_waits_is_not_to_be_run_again(client, waits):
    url = reverse("card", args=[waits.routine.slug])
    card = Page(client.get(url, {"run": waits.pk}, headers=HTMX))
    (result,) = card.find("div", id=f"result-{waits.pk}")
    assert "Back to the text" not in result.text


def test_a_second_press_is_told_of_the_run_that_waits(client, routine, teammate):
    create_run(routine=routine, person=teammate, reason=Reason.ACCEPTED, ago=timedelta(seconds=10))
    page = Page(client.get(reverse("run", args=[routine.slug])))
    assert page.says("it still waits for its turn. Run a second one?")
    assert run_form(client, routine)["aware_of"].strip()


def test_several_runs_in_flight_are_one_question(client, routine, teammate):
    for reason, ago in ((Reason.SENDING, 8), (Reason.ACCEPTED, 5), (Reason.ACCEPTED, 2)):
        create_run(routine=routine, person=teammate, reason=reason, ago=timedelta(seconds=ago))
    page = Page(client.get(reverse("run", args=[routine.slug])))
    (note,) = page.find("p", role="alert")
    assert note.text.count("it still waits for its turn.") == 2
    assert note.text.count("it is still being sent.") == 1
    assert note.text.endswith("Run another one?")


def test_the_card_says_that_its_last_run_waits(client):
    routine = create_routine()
    create_run(routine=routine, reason=Reason.ACCEPTED)
    (last,) = Page(client.get("/")).find("span", id=f"last-{routine.slug}")
    assert "Waiting" in last.text
