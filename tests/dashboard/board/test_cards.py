"""The board's cards and the run form they open, as page and as htmx fragment."""

import pytest
from django.urls import reverse
from django.utils import timezone

from routines import registry
from routines.models import Routine
from tests.dashboard.browsing import HTMX, Page, fire_url, run_form, run_url, signed_in
from tests.factories import (
    create_manager,
    create_person,
    create_routine,
    create_run,
    create_teammate,
)

# --- The board ---


def test_board_has_a_card_for_each_routine_with_what_there_is_to_know(client, routine, teammate):
    create_run(routine=routine, person=create_teammate(username="a colleague"))
    page = Page(client.get("/"))
    assert page.find("h2", id=f"name-{routine.slug}")[0].text == "Release notes"
    assert page.says("What it is for.")
    assert page.says("Opens for Platform account")
    assert page.says("by a colleague Session created")
    assert page.link(run_url(routine)).text == "Run"


def test_an_archived_routine_is_not_on_the_board_and_has_no_run_form(client, routine):
    Routine.objects.update(archived_at=timezone.now())
    assert not Page(client.get("/")).says("Release notes")
    assert client.get(run_url(routine)).status_code == 404


def test_an_empty_board_says_whom_to_ask(client, admin_client):
    assert Page(client.get("/")).says("No routine is open to you yet. Ask an admin.")
    assert Page(admin_client.get("/")).link(reverse("register")).text == "Register the first one"


def test_who_may_not_run_anything_lands_on_the_history(db):
    response = signed_in(create_manager()).get("/")
    assert (response.status_code, response.headers["Location"]) == (302, "/history/")


def test_a_person_without_a_role_is_told_so(db):
    page = Page(signed_in(create_person()).get("/", follow=True))
    assert page.says("You have no role yet")
    assert not page.find("a", href="/history/")


def test_close_brings_the_card_back(client, routine):
    response = client.get(reverse("card", args=[routine.slug]), headers=HTMX)
    assert Page(response).link(run_url(routine)).text == "Run"
    assert not Page(response).find("html")


def test_a_card_of_its_own_is_no_page(client, routine):
    response = client.get(reverse("card", args=[routine.slug]))
    assert (response.status_code, response.headers["Location"]) == (302, "/")


# --- The run form ---


def test_the_form_starts_from_the_first_template(client, routine, admin):
    registry.add_template(routine, name="Another", body="Other text.", order=1, by=admin)
    assert run_form(client, routine)["text"] == "Notes for version 1."


def test_another_template_can_be_chosen(client, routine, admin):
    other = registry.add_template(routine, name="Another", body="Other text.", order=1, by=admin)
    page = Page(client.get(run_url(routine), {"template": other.pk}))
    assert page.fields(fire_url(routine))["text"] == "Other text."
    (chosen,) = (option for option in page.find("option") if "selected" in option.attributes)
    assert chosen.text == "Another"


def test_a_text_that_starts_with_an_empty_line_is_kept_whole(client, admin):
    routine = create_routine(template="\n\nAfter two empty lines.")
    assert run_form(client, routine)["text"] == "\r\n\r\nAfter two empty lines."


def test_run_again_starts_from_the_earlier_text(client, routine, teammate):
    earlier = create_run(routine=routine, person=teammate, text="As I edited it.")
    page = Page(client.get(run_url(routine), {"again": earlier.pk}))
    assert page.fields(fire_url(routine))["text"] == "As I edited it."


def test_run_again_shows_nobody_elses_text(client, routine):
    earlier = create_run(routine=routine, text="Not yours to see.")
    assert client.get(run_url(routine), {"again": earlier.pk}).status_code == 404


@pytest.mark.parametrize("query", ["again=x", "again=-1", "template=x", "template=999", "again="])
def test_an_odd_query_opens_the_form_as_ever(client, routine, query):
    response = client.get(f"{run_url(routine)}?{query}")
    assert Page(response).fields(fire_url(routine))["text"] == "Notes for version 1."


def test_the_form_as_a_fragment_is_the_card_alone(client, routine):
    page = Page(client.get(run_url(routine), headers=HTMX))
    assert page.elements[0].tag == "section"
    assert page.fields(fire_url(routine))["text"] == "Notes for version 1."
