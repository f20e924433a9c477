"""Trying a header version on one routine: a real run, labelled, once for each form."""

from urllib.parse import urlencode

import pytest
from django.urls import reverse
from django.utils import timezone

from routines.models import Header, Person, Routine, Run
from routines.practice_api import PracticeApi
from routines.registry import header_versions
from routines.values.reasons import Reason
from tests.dashboard.browsing import Page, signed_in
from tests.factories import create_routine, create_version

OLD = header_versions.BETA_VERSION
NEW = "experimental-cc-routine-2026-10-01"
MOVE = "/versions/move/"


@pytest.fixture(autouse=True)
def announced(db, practice: PracticeApi) -> None:
    """Known here and to the endpoint."""
    create_version(NEW)
    practice.known_betas = {OLD, NEW}


def try_url(routine: Routine) -> str:
    return reverse("try_version", args=[routine.slug])


def try_page(client, routine: Routine, target: str = NEW, header: Header = Header.BETA) -> Page:
    query = {"to": f"{header}:{target}", "from": OLD}
    return Page(client.get(f"{try_url(routine)}?{urlencode(query)}"))


def try_form(client, routine: Routine, **asked) -> dict[str, str]:
    return try_page(client, routine, **asked).fields(try_url(routine))


def test_the_page_says_that_it_is_a_real_run_and_what_it_sends(admin_client, routine):
    page = try_page(admin_client, routine)
    assert page.says("This is a real run: it starts a session for Platform account")
    assert page.says(f"It sends the beta version {NEW}; the routine stays pinned to {OLD}.")
    assert page.find("textarea")[0].text.strip() == "Notes for version 1."
    assert not Run.objects.exists()


def test_a_trial_fires_once_and_shows_its_session_beside_the_rest(
    admin_client, admin, routine, practice
):
    page = Page(admin_client.get(MOVE, {"to": f"anthropic-beta:{NEW}", "from": OLD}))
    (link,) = [one for one in page.find("a") if one.text == "Try it on this one first"]
    fields = Page(admin_client.get(link.attributes["href"])).fields(try_url(routine))
    response = admin_client.post(try_url(routine), fields | {"text": "A try."}, follow=True)
    [session] = practice.sessions
    run = Run.objects.get()
    assert (run.is_trial, run.beta_version, run.person) == (True, NEW, admin)
    assert run.text == "A try."
    shown = Page(response)
    assert shown.link(session.session_url).text.startswith("Open session")
    assert shown.says("Tried on Release notes")
    assert shown.says(f"with the beta version {NEW}")
    assert shown.chosen("routines") == [f"{routine.pk}:{OLD}"]
    routine.refresh_from_db()
    assert routine.beta_version == OLD


def test_one_form_with_another_version_sends_nothing_more(admin_client, routine, practice):
    fields = try_form(admin_client, routine)
    admin_client.post(try_url(routine), fields)
    response = admin_client.post(try_url(routine), fields | {"to": "anthropic-beta:"})
    assert response.status_code == 422
    page = Page(response)
    assert page.says("This form has made a run already, shown below. Nothing more was sent.")
    assert page.link(practice.sessions[0].session_url)
    assert page.fields(try_url(routine))["key"] != fields["key"]
    assert practice.requests == 1


def test_not_sending_the_beta_header_can_be_tried(admin_client, routine, practice):
    practice.known_betas = set()
    fields = try_form(admin_client, routine, target="")
    response = admin_client.post(try_url(routine), fields, follow=True)
    assert Page(response).says("Session created")
    assert Run.objects.get().beta_version == ""


def test_the_api_version_can_be_tried(admin_client, routine):
    create_version("2026-11-11", header=Header.API)
    fields = try_form(admin_client, routine, target="2026-11-11", header=Header.API)
    page = Page(admin_client.post(try_url(routine), fields, follow=True))
    run = Run.objects.get()
    assert (run.api_version, run.beta_version) == ("2026-11-11", OLD)
    assert page.says("retired, mistyped or not out yet")


def test_a_refused_trial_offers_no_move_away_from_the_tried_version(
    admin_client, routine, practice
):
    practice.known_betas = {OLD}
    fields = try_form(admin_client, routine)
    page = Page(admin_client.post(try_url(routine), fields, follow=True))
    assert Run.objects.get().reason == Reason.HEADER_VERSION
    assert page.says("retired, mistyped or not out yet")
    assert not page.says("Move its routines to another version")
    assert not page.says("move the rest")


@pytest.mark.parametrize(
    "asked",
    [
        {"to": "anthropic-beta:unknown"},
        {"to": "anthropic-version:"},
        {"to": f"anthropic-version:{NEW}"},
        {"to": "\x00"},
    ],
    ids=["unknown", "API not sent", "other header", "NUL"],
)
def test_an_unknown_version_is_not_tried(admin_client, routine, practice, asked):
    fields = try_form(admin_client, routine)
    assert admin_client.get(try_url(routine), asked).status_code == 404
    assert admin_client.post(try_url(routine), fields | asked).status_code == 404
    assert practice.requests == 0


def test_an_archived_routine_is_not_tried(admin_client, routine, practice):
    fields = try_form(admin_client, routine)
    Routine.objects.update(archived_at=timezone.now())
    assert admin_client.post(try_url(routine), fields).status_code == 404
    assert practice.requests == 0


def test_a_text_that_cannot_be_sent_comes_back_and_the_key_stays(admin_client, routine, practice):
    fields = try_form(admin_client, routine)
    response = admin_client.post(try_url(routine), fields | {"text": "x" * 65_537})
    page = Page(response)
    assert response.status_code == 422
    assert page.says("The text is 1 character too long")
    assert page.fields(try_url(routine))["key"] == fields["key"]
    assert practice.requests == 0


def test_a_made_up_key_sends_nothing(admin_client, routine, practice):
    fields = try_form(admin_client, routine) | {"key": "made up"}
    response = admin_client.post(try_url(routine), fields)
    assert response.status_code == 422
    assert Page(response).says("This form could not be recognised. Nothing was sent.")
    assert practice.requests == 0


def test_a_key_of_somebody_else_sends_nothing(admin_client, routine, practice, teammate):
    fields = try_form(admin_client, routine)
    admin = Person.objects.get(username="the admin")
    teammate.groups.set(admin.groups.all())
    response = signed_in(teammate).post(try_url(routine), fields)
    assert response.status_code == 422
    assert practice.requests == 0


def test_an_obstacle_is_said_and_nothing_is_sent(admin_client, practice):
    routine = create_routine(enabled=False, template="x")
    page = try_page(admin_client, routine)
    assert page.says("This routine is disabled.")
    (button,) = [one for one in page.find("button") if one.text == "Try it now"]
    assert "disabled" in button.attributes
    fields = page.fields(try_url(routine))
    page = Page(admin_client.post(try_url(routine), fields, follow=True))
    assert page.says("This routine is disabled. Nothing was sent.")
    assert practice.requests == 0


def test_a_run_that_one_may_not_see_is_not_shown_as_tried(admin_client):
    assert admin_client.get(MOVE, {"tried": "999999"}).status_code == 404
    assert admin_client.get(MOVE, {"tried": "x"}).status_code == 200


def test_without_a_version_there_is_nothing_to_try_yet(admin_client, routine):
    response = admin_client.get(try_url(routine))
    assert (response.status_code, response.headers["Location"]) == (302, MOVE)
