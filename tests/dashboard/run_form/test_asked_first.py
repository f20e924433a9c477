"""Who may not run a routine does not see it; who may is asked what the routine asks."""

import pytest
from django.test import Client
from django.urls import reverse

from routines import registry
from routines.models import Routine, Run
from routines.people import groups
from tests.dashboard.browsing import (
    HTMX,
    Page,
    fire_url,
    page_and_fragment,
    post_run,
    press,
    run_form,
    run_url,
    signed_in,
)
from tests.factories import create_routine, create_run, create_teammate

pytestmark = pytest.mark.usefixtures("transactional_db")
TYPED = "Notes for version 2, typed with care."


@pytest.fixture
def member():
    return create_teammate(username="the member")


@pytest.fixture
def limited(routine: Routine, member) -> Routine:
    group = groups.add("Release crew", members=[member], by=None)
    registry.set_rules(routine, open_to=[group], confirmation="off", asks_why=False, by=None)
    return routine


@pytest.fixture
def asking(routine: Routine) -> Routine:
    registry.set_rules(
        routine, open_to_everybody=True, confirmation="type_name", asks_why=True, by=None
    )
    return routine


def one_click(**rules: object) -> Routine:
    routine = create_routine(name="Without a text")
    rules = {"open_to_everybody": True, "confirmation": "off", "asks_why": False} | rules
    registry.set_rules(routine, **rules, by=None)  # type: ignore[arg-type]
    return routine


# --- Not yours ---


def test_a_routine_of_others_is_not_on_the_board(client, limited, member):
    assert not Page(client.get("/")).says(limited.name)
    assert Page(client.get("/")).says("No routine is open to you yet")
    assert Page(signed_in(member).get("/")).says(limited.name)


@page_and_fragment
def test_a_link_to_it_says_whom_it_is_open_to(client, limited, htmx):
    response = client.get(run_url(limited), headers=HTMX if htmx else {})
    assert response.status_code == 403
    assert Page(response).says("“Release notes” is open to the group Release crew only")


def test_a_press_of_it_sends_nothing_and_gives_back_what_was_typed(client, limited, practice):
    response = client.post(fire_url(limited), {"text": TYPED, "key": "x"})
    assert response.status_code == 403
    assert Page(response).says(TYPED)
    assert Page(response).says("open to the group Release crew only")
    assert practice.requests == 0


def test_a_run_of_it_is_not_offered_again(client, teammate, limited):
    run = create_run(routine=limited, person=teammate)
    url = reverse("history_run", args=[run.pk])
    assert not Page(client.get(url)).says("Run again with this text")
    registry.set_rules(limited, open_to_everybody=True, confirmation="off", asks_why=False, by=None)
    assert Page(client.get(url)).says("Run again with this text")


def test_a_routine_that_is_nowhere_is_not_taken_for_one_of_others(client):
    assert client.get(reverse("run", args=["nowhere"])).status_code == 404


# --- What is asked ---


@page_and_fragment
def test_each_question_has_its_sentence_and_what_was_typed_stays(client, asking, practice, htmx):
    response = press(client, asking, htmx=htmx, text=TYPED, confirmation="Relese notes", why=" ")
    assert response.status_code == 422
    page = Page(response)
    assert page.says("Type the name of the routine first, which is Release notes. Nothing was")
    assert page.says("Say why in a sentence")
    (typed,) = page.find("input", name="confirmation")
    assert typed.attributes["value"] == "Relese notes"
    assert typed.attributes["aria-invalid"] == "true"
    assert page.fields(fire_url(asking))["text"] == TYPED.replace("\n", "\r\n")
    assert (practice.requests, Run.objects.count()) == (0, 0)


@page_and_fragment
def test_with_the_answers_it_runs_and_the_reason_is_kept(client, asking, practice, htmx):
    answers = {"confirmation": "Release notes", "why": "The release is tomorrow."}
    press(client, asking, htmx=htmx, **answers)
    assert practice.requests == 1
    run = Run.objects.get()
    assert run.why == "The release is tomorrow."
    shown = Page(client.get(reverse("history_run", args=[run.pk])))
    assert shown.says("Why it was runThe release is tomorrow.")


def test_the_form_of_a_refused_press_still_makes_one_run(client, asking, practice):
    fields = run_form(client, asking)
    refused = Page(post_run(client, asking, fields))
    again = refused.fields(fire_url(asking)) | {"confirmation": "Release notes", "why": "It is."}
    for _ in range(2):
        post_run(client, asking, again)
    assert practice.requests == 1


def test_a_token_typed_as_an_answer_does_not_come_back(client, asking, practice):
    token = "sk-ant-oat01-" + "x" * 40
    response = press(client, asking, confirmation=token, why=token)
    assert response.status_code == 422
    assert token not in response.content.decode()
    assert practice.requests == 0


def test_a_token_in_the_text_is_taken_out_and_the_rest_stays(client, routine, practice):
    token = "sk-ant-oat01-" + "x" * 40
    response = press(client, routine, text=f"Use {token}, please.")
    assert response.status_code == 422
    assert Page(response).says("A token was typed here. It was taken out")
    assert Page(response).fields(fire_url(routine))["text"] == "Use [token removed], please."
    assert (practice.requests, Run.objects.count()) == (0, 0)
    nobody = Client().post(fire_url(routine), {"text": f"Use {token}, please."})
    assert token not in nobody.content.decode()


def test_a_tick_is_asked_for_and_stays_set(client, practice):
    routine = one_click(confirmation="confirm", asks_why=True)
    response = press(client, routine, confirmation="yes")
    (tick,) = Page(response).find("input", name="confirmation")
    assert "checked" in tick.attributes, "only the reason was missing"
    press(client, routine, confirmation="yes", why="It is time.")
    assert practice.requests == 1


@pytest.mark.parametrize("rules", [{"confirmation": "confirm"}, {"asks_why": True}])
def test_a_routine_without_a_text_asks_before_it_runs(client, rules):
    routine = one_click(**rules)
    page = Page(client.get("/"))
    assert not page.find("form", action=fire_url(routine)), "one click would run it"
    assert page.link(run_url(routine)).text == "Run"


def test_a_one_click_form_from_before_the_rule_is_asked(client, practice):
    routine = one_click()
    fields = Page(client.get("/")).fields(fire_url(routine))
    registry.set_rules(
        routine, open_to_everybody=True, confirmation="confirm", asks_why=False, by=None
    )
    response = post_run(client, routine, fields, htmx=True)
    assert response.status_code == 422
    assert Page(response).says("Set this tick first")
    post_run(client, routine, Page(response).fields(fire_url(routine)) | {"confirmation": "yes"})
    assert practice.requests == 1


def test_a_test_of_the_token_is_confirmed_and_gives_its_reason_itself(admin_client, asking):
    url = reverse("token_test", args=[asking.slug])
    fields = Page(admin_client.get(url)).fields(url)
    refused = admin_client.post(url, fields)
    assert refused.status_code == 422
    assert Page(refused).says("Type the name of the routine first")
    assert not Page(refused).find("input", name="why")
    admin_client.post(url, fields | {"confirmation": "release notes"})
    assert Run.objects.get().why == "To test the stored token."
