"""The fields of a text template on the run form: what they make is what is sent."""

import json

import pytest
from django.urls import reverse

from routines import registry
from routines.models import Routine, Run
from routines.text_templates import Field
from tests.dashboard.browsing import HTMX, Page, fire_url, page_and_fragment, post_run, run_form
from tests.factories import create_routine

BODY = '{"what": "{{ what }}", "how": "{{ how }}"}'
FIELDS = [Field("what", "What happens", "One line."), Field("how", required=False, kind="lines")]


@pytest.fixture
def triage(db) -> Routine:
    routine = create_routine(name="Alert triage")
    registry.add_template(routine, name="Alert", body=BODY, fields=FIELDS, is_json=True, by=None)
    return routine


def preview(client, routine, fields, *, htmx=False, **typed):
    url = reverse("preview", args=[routine.slug])
    return client.post(url, fields | typed, headers=HTMX if htmx else {})


def fields_of(response, routine) -> dict[str, str]:
    return Page(response).fields(fire_url(routine))


def filled(what: str, how: str = "") -> dict[str, str]:
    return {"field-what": what, "field-how": how}


# --- The text is made on the server ---


def test_each_field_has_its_input_and_what_is_missing_stands_in_the_text(client, triage):
    page = Page(client.get(reverse("run", args=[triage.slug])))
    [what] = page.find("input", name="field-what")
    assert what.attributes["aria-required"] == "true"
    assert page.find("label", **{"for": what.attributes["id"]})[0].text == "What happens"
    assert page.find("textarea", name="field-how")
    assert json.loads(page.fields(fire_url(triage))["text"])["what"] == "{{ what }}"
    assert page.says("One field is still to be filled in.")


@page_and_fragment
def test_a_preview_shows_the_exact_text_and_keeps_the_key(client, triage, practice, htmx):
    fields = run_form(client, triage)
    response = preview(client, triage, fields, htmx=htmx, **filled('"no"\\', "one\r\ntwo"))
    page = Page(response)
    assert page.says("Valid JSON.")
    (area,) = page.find("textarea", name="text")
    assert json.loads(area.text) == {"what": '"no"\\', "how": "one\ntwo"}
    if not htmx:
        again = page.fields(fire_url(triage))
        assert again["key"] == fields["key"]
        post_run(client, triage, again)
        assert practice.sessions[0].text == area.text.removeprefix("\n")
        assert Run.objects.get().field_values == {"what": '"no"\\', "how": "one\ntwo"}


def test_a_fragment_of_a_preview_is_the_text_alone(client, triage):
    fields = run_form(client, triage)
    page = Page(preview(client, triage, fields, htmx=True, **filled("x")))
    assert page.elements[0].attributes["id"] == f"made-{triage.slug}"
    assert not page.find("input", name="key")


# --- Pressing ---


@page_and_fragment
def test_a_missing_field_is_said_there_and_nothing_is_sent(client, triage, practice, htmx):
    response = post_run(client, triage, run_form(client, triage) | filled("", "typed"), htmx=htmx)
    page = Page(response)
    assert response.status_code == 422
    assert practice.requests == 0
    [what] = page.find("input", name="field-what")
    assert what.attributes["aria-invalid"] == "true"
    error = what.attributes["aria-describedby"].split()[0]
    assert page.find("ul", id=error)[0].text.strip() == "Fill in “What happens”."
    assert fields_of(response, triage)["field-how"] == "typed"


def test_fields_that_were_never_a_whole_text_are_sent_as_they_make_it(client, triage, practice):
    post_run(client, triage, run_form(client, triage) | filled("x"))
    assert json.loads(practice.sessions[0].text) == {"what": "x", "how": ""}


def test_a_text_that_was_on_the_screen_is_not_replaced_unseen(client, triage, practice):
    seen = fields_of(preview(client, triage, run_form(client, triage), **filled("x")), triage)
    response = post_run(client, triage, seen | filled("changed"))
    assert response.status_code == 422
    assert Page(response).says("the text was made anew. Nothing was sent.")
    assert practice.requests == 0
    post_run(client, triage, fields_of(response, triage))
    assert json.loads(practice.sessions[0].text)["what"] == "changed"


def test_a_text_edited_by_hand_is_sent_as_it_is(client, triage, practice):
    seen = fields_of(preview(client, triage, run_form(client, triage), **filled("x")), triage)
    edited = seen["text"].replace('"x"', '"y"')
    kept = preview(client, triage, seen, text=edited, **filled("z"))
    assert Page(kept).says("You edited the text by hand: the fields do not change it any more.")
    post_run(client, triage, fields_of(kept, triage))
    assert json.loads(practice.sessions[0].text)["what"] == "y"


def test_the_fields_make_it_again_when_they_are_asked_to(client, triage):
    fields = run_form(client, triage) | filled("x")
    made = preview(client, triage, fields | {"text": "By hand.", "anew": "1"})
    assert json.loads(fields_of(made, triage)["text"])["what"] == "x"
    assert not Page(made).says("You edited")


def test_what_nobody_filled_in_is_not_sent_by_hand_either(client, triage, practice):
    fields = run_form(client, triage)
    response = post_run(client, triage, fields, text=fields["text"] + " ", seen_as_no_json="")
    assert response.status_code == 422
    assert Page(response).says("{{ what }} still stands in the text.")
    assert practice.requests == 0


def test_no_json_is_sent_only_after_it_was_said(client, triage, practice):
    fields = run_form(client, triage)
    refused = post_run(client, triage, fields, text="no JSON")
    assert refused.status_code == 422
    assert Page(refused).says("This is no valid JSON: Expecting value in line 1, column 1.")
    assert practice.requests == 0
    post_run(client, triage, fields_of(refused, triage))
    assert practice.sessions[0].text == "no JSON"


def test_one_form_is_one_run_over_previews_and_refusals(client, triage, practice):
    fields = run_form(client, triage)
    refused = fields_of(post_run(client, triage, fields), triage)
    seen = fields_of(preview(client, triage, refused, **filled("x")), triage)
    post_run(client, triage, seen)
    post_run(client, triage, seen)
    assert practice.requests == 1


def test_too_long_a_value_is_said_before_and_at_the_press(client, triage, practice):
    fields = run_form(client, triage)
    seen = preview(client, triage, fields, **filled("x", "y" * 65_530))
    assert Page(seen).says("characters too long")
    response = post_run(client, triage, fields | filled("x", "y" * 65_530))
    assert response.status_code == 422
    assert practice.requests == 0
    assert len(fields_of(response, triage)["field-how"]) == 65_530


def test_a_template_that_is_gone_is_said_and_the_text_can_still_go(client, triage, practice):
    fields = run_form(client, triage) | {"text": "Mine."}
    triage.text_templates.all().delete()
    response = post_run(client, triage, fields)
    assert response.status_code == 422
    assert Page(response).says("The text template of this form is gone.")
    post_run(client, triage, fields_of(response, triage))
    assert practice.sessions[0].text == "Mine."


def test_a_forged_form_makes_no_error_of_ours(client, triage, practice):
    fields = run_form(client, triage)
    for typed in ({"rendered": "whole\x00 a b"}, {"template": "9" * 30}, {"field-what": "\x00"}):
        assert preview(client, triage, fields | typed).status_code == 200
        assert post_run(client, triage, fields | typed).status_code == 422
    assert practice.requests == 0


def test_enter_in_a_field_presses_no_button_that_fires(client, triage):
    page = Page(client.get(reverse("run", args=[triage.slug])))
    (form,) = page.find("form", action=fire_url(triage), method="post")
    inside = [element for element in page.elements if form in element.inside]
    submits = [
        element
        for element in inside
        if element.tag == "button" or element.attributes.get("type") == "submit"
    ]
    assert submits[0].attributes["formaction"] == reverse("preview", args=[triage.slug])


def test_built_in_fields_are_filled_in_by_themselves(client, teammate, practice):
    routine = create_routine(template="{{ person }} for {{ routine }} on {{ today }}")
    post_run(client, routine, run_form(client, routine))
    text = practice.sessions[0].text
    assert text.startswith(f"{teammate} for {routine} on 2")
