"""What stands in the way of a press, and what is asked first."""

from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone

from routines import registry
from routines.models import Account, Routine, Run
from routines.runs.limits import Obstacle
from routines.values.reasons import MEANINGS, Reason, State
from tests.dashboard.browsing import (
    HTMX,
    Page,
    fire_url,
    page_and_fragment,
    post_run,
    press,
    run_form,
    run_url,
    shown_after,
    signed_in,
)
from tests.factories import create_admin, create_routine, create_run, create_teammate
from tests.routines.runs.firing.pressing import slots_taken

# --- What stands in the way ---


OBSTACLES: dict[Reason, dict[str, Any]] = {
    Reason.DISABLED: {"enabled": False},
    Reason.NO_TOKEN: {"token_encrypted": "", "token_last_four": "", "token_set_at": None},
    Reason.ON_HOLD: {"held_until": timezone.now() + timedelta(days=1)},
}


@pytest.mark.parametrize("reason", [Reason.DISABLED, Reason.NO_TOKEN])
def test_an_obstacle_is_on_the_card_in_place_of_the_button(client, routine, reason):
    Routine.objects.update(**OBSTACLES[reason])
    page = Page(client.get("/"))
    assert page.says(Obstacle(reason).cause)
    assert page.says(MEANINGS[reason].remedy)
    assert not page.says("Nothing was sent."), "nobody has pressed"
    assert not page.find("a", href=run_url(routine))
    (button,) = (button for button in page.find("button") if button.text == "Run")
    assert "disabled" in button.attributes


@page_and_fragment
@pytest.mark.parametrize("reason", OBSTACLES)
def test_an_obstacle_that_comes_up_while_typing_sends_nothing_and_keeps_the_text(
    client, routine, practice, htmx, reason
):
    fields = run_form(client, routine)
    Routine.objects.update(**OBSTACLES[reason])
    response = post_run(client, routine, fields, htmx=htmx, text="Typed for long.")
    assert shown_after(client, response).says(MEANINGS[reason].cause)
    run = Run.objects.get()
    assert (run.reason, run.text) == (reason, "Typed for long.")
    assert practice.requests == 0


@page_and_fragment
def test_a_lost_encryption_key_is_said_and_nothing_is_sent(
    client, routine, practice, settings, htmx
):
    fields = run_form(client, routine)
    settings.TOKEN_ENCRYPTION_KEYS = ["b3RoZXIta2V5LW90aGVyLWtleS1vdGhlci1rZXktMTI="]
    response = post_run(client, routine, fields, htmx=htmx)
    assert shown_after(client, response).says(
        "The stored token cannot be read with the keys at hand."
    )
    assert practice.requests == 0


@page_and_fragment
def test_what_finds_no_free_place_is_told_to_wait_and_kept(
    client, routine, practice, settings, htmx
):
    with slots_taken(settings.PRESSES_IN_FLIGHT):
        response = press(client, routine, htmx=htmx)
    assert shown_after(client, response).says("Nothing has been sent yet.")
    assert (Run.objects.get().state, practice.requests) == (State.ACCEPTED, 0)


def test_a_cool_down_is_told_with_its_end(client, routine, practice, teammate):
    Routine.objects.update(cool_down=300)
    create_run(routine=routine, person=teammate, ago=timedelta(seconds=100))
    page = Page(client.get("/"))
    assert page.says("This routine ran a moment ago and is cooling down.")
    (until,) = (element for element in page.elements if "data-until" in element.attributes)
    left = datetime.fromisoformat(until.attributes["data-until"]) - timezone.now()
    assert timedelta(seconds=190) < left <= timedelta(seconds=200)


def test_a_held_card_asks_for_itself_again_when_the_hold_ends(client, routine):
    with time_machine.travel(timezone.now(), tick=False):
        Routine.objects.update(held_until=timezone.now() + timedelta(seconds=30))
        (card,) = Page(client.get("/")).find("section", id=f"routine-{routine.slug}")
    assert card.attributes["hx-get"] == reverse("card", args=[routine.slug])
    assert card.attributes["hx-trigger"] == "load delay:32s"


def test_the_card_keeps_the_result_of_the_press_when_the_hold_ends(client, practice):
    routine = create_routine(routine_id="trig_practice_429", template="x")
    held = Page(press(client, routine, htmx=True, text="Typed for long."))
    registry.lift_hold(routine, by=create_admin())
    after = Page(client.get(held.elements[0].attributes["hx-get"], headers=HTMX))
    run = Run.objects.get()
    assert after.find("div", id=f"result-{run.pk}")
    assert after.link(f"{run_url(routine)}?again={run.pk}")
    assert "hx-get" not in after.elements[0].attributes


def test_a_hold_that_is_over_is_no_obstacle(client, routine):
    Routine.objects.update(held_until=timezone.now() - timedelta(seconds=1))
    assert Page(client.get("/")).link(run_url(routine)).text == "Run"


def test_a_hold_of_the_account_holds_each_of_its_routines(client, routine):
    create_routine(name="Same account")
    Account.objects.update(held_until=timezone.now() + timedelta(minutes=5))
    page = Page(client.get("/"))
    on_hold = Obstacle(Reason.ON_HOLD).cause
    assert len([note for note in page.find("p") if on_hold in note.text]) == 2


def test_a_429_puts_the_routine_on_hold_until_it_resets(client, practice):
    routine = create_routine(routine_id="trig_practice_429", template="x")
    page = Page(press(client, routine, htmx=True))
    assert page.says("The routine or its account has reached its limit.")
    assert page.says("The endpoint said: Run limit reached for this routine")
    assert page.says("this routine is on hold")
    routine.refresh_from_db()
    assert routine.held_until is not None
    left = routine.held_until - timezone.now()
    assert timedelta(seconds=110) < left <= timedelta(seconds=120)


def test_an_admin_can_go_past_no_obstacle_either(routine, practice):
    Routine.objects.update(enabled=False)
    press(signed_in(create_admin()), routine)
    assert practice.requests == 0


# --- Warnings first ---


def _warned_then_all_the_same(client, routine, practice, fields, *, htmx):
    warned = post_run(client, routine, fields, htmx=htmx)
    assert warned.status_code == 422
    assert practice.requests == 0
    again = Page(warned).fields(fire_url(routine))
    assert again["text"] == fields["text"]
    post_run(client, routine, again, htmx=htmx)
    assert practice.requests == 1
    return Page(warned)


@page_and_fragment
def test_an_unknown_run_is_warned_of_first_however_old_it_is(
    client, routine, teammate, practice, htmx
):
    fields = run_form(client, routine)
    unknown = create_run(
        routine=routine, person=teammate, reason=Reason.NO_ANSWER, ago=timedelta(days=90)
    )
    warned = _warned_then_all_the_same(client, routine, practice, fields, htmx=htmx)
    assert warned.says("is still unknown: it may have made a session.")
    assert warned.link(f"/history/{unknown.pk}/#settle").text == "Did it start?"


def test_a_colleagues_unknown_run_is_warned_of_without_a_link(client, routine):
    unknown = create_run(routine=routine, reason=Reason.NO_ANSWER)
    page = Page(client.get(run_url(routine)))
    assert page.says(f"by {unknown.person} is still unknown")
    assert not page.find("a", href=f"/history/{unknown.pk}/#settle")


@page_and_fragment
def test_a_colleagues_recent_run_is_asked_about_first(client, routine, practice, htmx):
    fields = run_form(client, routine)
    colleague = create_teammate(username="a colleague")
    create_run(routine=routine, person=colleague, ago=timedelta(seconds=40))
    warned = _warned_then_all_the_same(client, routine, practice, fields, htmx=htmx)
    assert warned.says("a colleague ran this routine 4")
    assert warned.says("seconds ago. Run it again?")


def test_a_form_that_was_opened_with_the_warning_fires_at_the_first_press(
    client, routine, practice
):
    create_run(routine=routine, reason=Reason.NO_ANSWER)
    press(client, routine)
    assert practice.requests == 1


def test_a_second_warning_does_not_bring_the_first_one_back(client, routine, practice):
    create_run(routine=routine, reason=Reason.NO_ANSWER)
    fields = run_form(client, routine)
    create_run(routine=routine, reason=Reason.CONNECTION_LOST)
    _warned_then_all_the_same(client, routine, practice, fields, htmx=True)


@pytest.mark.parametrize(
    ("reason", "ago", "own"),
    [
        (Reason.SAID_NOT_STARTED, timedelta(0), True),
        (Reason.SESSION_CREATED, timedelta(0), True),
        (Reason.SESSION_CREATED, timedelta(minutes=3), False),
        (Reason.NO_CONNECTION, timedelta(0), False),
    ],
    ids=["settled", "own recent", "a colleague's older", "a colleague's not sent"],
)
def test_what_is_no_reason_to_warn(client, routine, teammate, practice, reason, ago, own):
    person = teammate if own else create_teammate()
    create_run(routine=routine, person=person, reason=reason, ago=ago)
    press(client, routine)
    assert practice.requests == 1


def test_a_click_on_a_warned_routine_without_a_template_opens_its_form(client, practice):
    routine = create_routine()
    create_run(routine=routine, reason=Reason.NO_ANSWER)
    fields = Page(client.get("/")).fields(fire_url(routine))
    _warned_then_all_the_same(client, routine, practice, {"text": ""} | fields, htmx=True)
