"""A run that is still being sent, one's own too, is asked about on every way of firing."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from routines.models import Person, Routine, Run
from routines.practice_api import PracticeApi
from routines.values.reasons import Reason
from tests.dashboard.browsing import HTMX, Page, fire_url, run_form, run_url, signed_in
from tests.factories import (
    create_admin,
    create_routine,
    create_run,
    create_teammate,
    create_version,
)

pytestmark = pytest.mark.usefixtures("transactional_db")
ASKED = "it is still being sent. Run a second one?"


def from_the_form(client: Client, routine: Routine) -> tuple[str, dict[str, str]]:
    return fire_url(routine), run_form(client, routine)


def one_click(client: Client, routine: Routine) -> tuple[str, dict[str, str]]:
    routine.text_templates.all().delete()
    return fire_url(routine), Page(client.get("/")).fields(fire_url(routine))


def version_trial(client: Client, routine: Routine) -> tuple[str, dict[str, str]]:
    version = create_version("experimental-cc-routine-2026-10-01")
    url = reverse("try_version", args=[routine.slug])
    page = client.get(url, {"to": f"anthropic-beta:{version.value}"})
    return url, Page(page).fields(url)


def token_test(client: Client, routine: Routine) -> tuple[str, dict[str, str]]:
    url = reverse("token_test", args=[routine.slug])
    return url, Page(client.get(url)).fields(url)


WAYS = [from_the_form, one_click, version_trial, token_test]


@pytest.fixture
def person() -> Person:
    return create_admin(username="the presser")


@pytest.mark.parametrize("htmx", [False, True], ids=["no script", "htmx"])
@pytest.mark.parametrize("way", WAYS)
def test_ones_own_run_in_flight_is_asked_about_on_every_way_of_firing(
    way: Callable[..., tuple[str, dict[str, str]]],
    htmx: bool,
    person: Person,
    routine: Routine,
    practice: PracticeApi,
):
    client = signed_in(person)
    url, fields = way(client, routine)  # opened in the second tab, before the first one pressed
    flying = create_run(
        routine=routine, person=person, reason=Reason.SENDING, ago=timedelta(seconds=5)
    )
    headers = HTMX if htmx else {}
    asked = client.post(url, fields, headers=headers)
    assert (asked.status_code, practice.requests) == (422, 0)
    assert Page(asked).says("You pressed Run")
    assert Page(asked).says(ASKED)
    assert list(Run.objects.all()) == [flying]
    again = fields | Page(asked).fields(url)
    assert str(flying.pk) in again["aware_of"]
    assert client.post(url, again, headers=headers).status_code != 422
    assert Run.objects.exclude(pk=flying.pk).count() == 1


def test_a_form_that_is_opened_meanwhile_says_who_is_at_it(client, routine):
    colleague = create_teammate(username="a colleague")
    create_run(routine=routine, person=colleague, reason=Reason.SENDING, ago=timedelta(seconds=5))
    page = Page(client.get(run_url(routine)))
    assert page.says("a colleague pressed Run")
    assert page.says(ASKED)


def test_the_same_form_pressed_again_finds_its_run_and_is_not_asked(client, routine, practice):
    url, fields = from_the_form(client, routine)
    client.post(url, fields)
    Run.objects.update(state="sending", reason=Reason.SENDING, settled_at=None)
    assert client.post(url, fields).status_code == 302
    assert practice.requests == 1


def test_a_run_in_flight_of_another_routine_is_nothing_to_ask_about(client, teammate, practice):
    create_run(person=teammate, reason=Reason.SENDING)
    url, fields = from_the_form(client, create_routine(template="x"))
    assert client.post(url, fields).status_code == 302
    assert practice.requests == 1


# --- What the board's card says of a run that nobody has settled ---


def card_of(client: Client, routine: Routine) -> tuple[Page, Any]:
    page = Page(client.get("/"))
    (card,) = page.find("section", id=f"routine-{routine.slug}")
    return page, card


@pytest.mark.parametrize("template", [None, "x"], ids=["one click", "with a form"])
def test_the_card_says_that_a_run_is_unknown_until_it_is_settled(client, teammate, template):
    routine = create_routine(template=template)
    unknown = create_run(
        routine=routine, person=teammate, reason=Reason.NO_ANSWER, ago=timedelta(days=3)
    )
    create_run(routine=routine, person=teammate)  # a later one changes nothing about that
    page, card = card_of(client, routine)
    assert "Unknown since" in card.text
    assert page.link(f"/history/{unknown.pk}/#settle").text == "Did it start?"
    assert buttons(page, card) == {"btn go second"}
    settle = reverse("settle_as_not_started", args=[unknown.pk])
    client.post(settle, Page(client.get(f"/history/{unknown.pk}/")).fields(settle))
    page, card = card_of(client, routine)
    assert "Unknown since" not in card.text
    assert buttons(page, card) == {"btn go"}


def buttons(page: Page, card: Any) -> set[str]:
    pressed = [*page.find("button"), *page.find("a")]
    classes = [one.attributes.get("class", "") for one in pressed if card in one.inside]
    return {one for one in classes if one.startswith("btn go")}


def test_a_colleagues_unknown_run_is_said_with_a_link_to_those_who_may_settle_it(client, routine):
    unknown = create_run(routine=routine, reason=Reason.NO_ANSWER)
    page, card = card_of(client, routine)
    assert f"Run by {unknown.person}, who can say whether it started." in card.text
    assert not page.find("a", href=f"/history/{unknown.pk}/#settle")
    Routine.objects.update(runs_seen_by_group=True)
    page, _ = card_of(client, routine)
    assert page.link(f"/history/{unknown.pk}/#settle")
    assert client.get(f"/history/{unknown.pk}/").status_code == 200


def test_the_card_after_a_press_still_says_what_is_unknown(client, teammate, practice):
    routine = create_routine()
    unknown = create_run(routine=routine, person=teammate, reason=Reason.NO_ANSWER)
    url, fields = one_click(client, routine)
    asked = Page(client.post(url, fields, headers=HTMX))
    after = Page(client.post(url, asked.fields(url), headers=HTMX))
    assert practice.requests == 1
    assert after.says("Unknown since")
    assert after.link(f"/history/{unknown.pk}/#settle")
