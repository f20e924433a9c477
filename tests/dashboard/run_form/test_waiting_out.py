"""Under a hold a person chooses: the run is sent when the hold ends, or not at all."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from routines.models import Person, Routine, Run
from routines.runs import queue
from routines.values.reasons import MEANINGS, Reason, State
from tests.dashboard.browsing import (
    HTMX,
    Element,
    Page,
    fire_url,
    page_and_fragment,
    post_run,
    press,
    run_form,
    run_url,
    shown_after,
)
from tests.factories import create_routine, create_run

TICKED = {"waits_out": "on"}


@pytest.fixture
def held(routine: Routine) -> Routine:
    Routine.objects.update(held_until=timezone.now() + timedelta(minutes=30))
    return Routine.objects.get()


def tick(page: Page) -> Element:
    (tick,) = page.find("input", name="waits_out")
    return tick


def button(page: Page, name: str = "Run now") -> Element:
    (button,) = (one for one in page.find("button") if one.text.startswith(name))
    return button


def test_the_form_is_reached_and_asks_for_the_tick(client, held):
    assert Page(client.get("/")).link(run_url(held)).text == "Run"
    page = Page(client.get(run_url(held)))
    assert page.says("this routine is on hold")
    assert page.says("Send it when the hold ends (")
    assert "required" in tick(page).attributes  # the browser asks, with or without scripts
    assert "checked" not in tick(page).attributes
    assert "disabled" not in button(page).attributes


def test_showing_the_text_does_not_ask_for_the_tick(client, held):
    page = Page(client.get(run_url(held)))
    (show,) = page.find("input", value="Show the text")
    assert "formnovalidate" in show.attributes


@page_and_fragment
def test_with_the_tick_it_is_accepted_and_waits_for_the_end_of_the_hold(
    client, held, practice, htmx
):
    response = press(client, held, htmx=htmx, waits_out="on", text="Typed for long.")
    page = shown_after(client, response)
    assert page.says("Waits until the hold ends at")
    assert not page.says(MEANINGS[Reason.ON_HOLD].cause)
    run = Run.objects.get()
    assert (run.state, run.text) == (State.ACCEPTED, "Typed for long.")
    assert queue.claim(held.pk) is None
    with time_machine.travel(timezone.now() + timedelta(minutes=31)):
        assert [line.oldest for line in queue.lines()] == [run.pk]
    assert practice.requests == 0


@page_and_fragment
def test_without_the_tick_nothing_is_sent(client, held, practice, htmx):
    page = shown_after(client, press(client, held, htmx=htmx))
    assert page.says(MEANINGS[Reason.ON_HOLD].cause)
    assert (Run.objects.get().reason, practice.requests) == (Reason.ON_HOLD, 0)


@page_and_fragment
def test_a_form_that_comes_back_keeps_the_tick(client, held, htmx):
    fields = run_form(client, held)
    create_run(routine=held, reason=Reason.NO_ANSWER)  # is warned of
    warned = post_run(client, held, fields | TICKED, htmx=htmx)
    assert warned.status_code == 422
    assert "checked" in tick(Page(warned)).attributes
    post_run(client, held, Page(warned).fields(fire_url(held)), htmx=htmx)
    assert Run.objects.filter(reason=Reason.ACCEPTED).count() == 1


def test_a_preview_without_scripts_keeps_the_tick(client, held):
    preview = f"{run_url(held)}text/"
    page = Page(client.post(preview, run_form(client, held) | TICKED))
    assert "checked" in tick(page).attributes


def test_a_tick_that_came_too_late_changes_nothing(client, routine, practice):
    """The hold ended, or was lifted, while the form was open."""
    press(client, routine, waits_out="on")
    assert (Run.objects.get().state, practice.requests) == (State.STARTED, 1)


def test_a_one_click_card_has_the_tick_beside_its_button(client, practice):
    routine = create_routine(held_until=timezone.now() + timedelta(minutes=30))
    page = Page(client.get("/"))
    (form,) = page.find("form", action=fire_url(routine))
    assert tick(page).attributes["form"] == form.attributes["id"]
    assert "required" in tick(page).attributes
    assert button(page).attributes["class"] == "btn go second"
    fields = page.fields(fire_url(routine)) | {"text": ""}
    card = Page(client.post(fire_url(routine), fields | TICKED, headers=HTMX))
    assert card.says("Waits until the hold ends at")
    assert card.says("Send another one when the hold ends (")
    assert Run.objects.get().state == State.ACCEPTED
    assert practice.requests == 0


@pytest.mark.parametrize("template", [None, "x"], ids=["one click", "with a form"])
def test_a_cool_down_is_not_waited_out(client, teammate: Person, template):
    routine = create_routine(template=template, cool_down=300)
    create_run(routine=routine, person=teammate)
    board = Page(client.get("/"))
    assert "disabled" in button(board, "Run").attributes
    form = Page(client.get(run_url(routine)))
    assert "disabled" in button(form).attributes
    for page in (board, form):
        assert not page.find("input", name="waits_out")
