"""What a run form opens with: a link, an earlier run, or what this person sent last."""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from routines import registry
from routines.models import Routine, Run
from routines.text_templates import Field
from tests.dashboard.browsing import Page, fire_url, post_run, press, run_form, run_url, signed_in
from tests.factories import create_routine, create_run, create_teammate

FIELDS = [Field("ticket", pattern="SEN-[0-9]+"), Field("note", required=False, default="none")]


@pytest.fixture
def triage(db) -> Routine:
    routine = create_routine(name="Alert triage")
    body = "Look at {{ ticket }} ({{ note }})."
    registry.add_template(routine, name="Ticket", body=body, fields=FIELDS, by=None)
    registry.add_template(routine, name="Free", body="Free text.", order=1, by=None)
    return routine


def opened(client, routine, **query) -> Page:
    return Page(client.get(run_url(routine), query))


def fields(page: Page, routine: Routine) -> dict[str, str]:
    return page.fields(fire_url(routine))


# --- Links ---


def test_a_link_opens_the_filled_form_and_fires_nothing(client, triage, practice):
    page = opened(client, triage, ticket="SEN-4521", template="Ticket")
    assert fields(page, triage)["text"] == "Look at SEN-4521 (none)."
    assert practice.requests == 0
    assert not Run.objects.exists()
    post_run(client, triage, fields(page, triage))
    assert practice.sessions[0].text == "Look at SEN-4521 (none)."


def test_what_a_link_names_and_the_form_does_not_know_is_said(client, triage):
    page = opened(client, triage, tikcet="SEN-1", person="Somebody else")
    assert page.says("This link also names “tikcet”, “person”, and the template “Ticket” has no")
    page = opened(client, triage, template="Gone")
    assert page.says("This link names the template “Gone”, which is not here. Shown is Ticket.")
    page = opened(client, triage, ticket="4521")
    assert page.says("“Ticket” as this link has it: This does not have the right form.")


def test_the_link_of_a_form_opens_the_same_form(client, triage):
    page = opened(client, triage, ticket="SEN-1", note="a & b", template="Ticket")
    (link,) = page.find("code", id=f"link-{triage.slug}")
    assert parse_qs(urlsplit(link.text).query) == {
        "template": ["Ticket"],
        "ticket": ["SEN-1"],
        "note": ["a & b"],
    }
    assert fields(Page(client.get(link.text)), triage)["text"] == "Look at SEN-1 (a & b)."


def test_a_link_may_carry_a_whole_text_and_markup_stays_text(client, triage):
    page = opened(client, triage, text="<script>x</script>", template="Free")
    assert fields(page, triage)["text"] == "<script>x</script>"
    assert not [one for one in page.find("script") if "src" not in one.attributes]


# --- Memory ---


def test_the_form_remembers_this_persons_last_values(client, triage, practice):
    post_run(client, triage, run_form(client, triage) | {"field-ticket": "SEN-7"})
    page = opened(client, triage)
    assert fields(page, triage)["text"] == "Look at SEN-7 (none)."
    assert page.says("Filled in as you sent it last")
    fresh = opened(client, triage, fresh="1")
    assert fields(fresh, triage)["field-ticket"] == ""
    assert fields(opened(signed_in(create_teammate()), triage), triage)["field-ticket"] == ""


def test_a_link_is_not_mixed_with_what_is_remembered(client, triage, teammate):
    create_run(routine=triage, person=teammate, field_values={"ticket": "SEN-7", "note": "old"})
    page = opened(client, triage, ticket="SEN-8")
    assert fields(page, triage)["text"] == "Look at SEN-8 (none)."


def test_the_template_of_the_last_time_comes_first(client, triage, teammate):
    create_run(routine=triage, person=teammate, template_name="Free")
    assert fields(opened(client, triage), triage)["text"] == "Free text."
    assert fields(opened(client, triage, template="none"), triage)["text"] == ""


def test_the_last_ten_texts_are_one_click_away_each_once(client, triage, teammate):
    for number in range(12):
        ago = timedelta(minutes=number)
        create_run(routine=triage, person=teammate, text=f"Text {number}.", ago=ago)
        create_run(routine=triage, person=teammate, text=f"Text {number}.", ago=ago)
        create_run(routine=triage, person=create_teammate(), text="Somebody else's.")
        create_run(person=teammate, text="Of another routine.")
    page = opened(client, triage)
    links = [link for link in page.find("a") if "?again=" in link.attributes["href"]]
    assert [link.text for link in links] == [f"Text {number}." for number in range(10)]
    again = Page(client.get(links[3].attributes["href"]))
    assert fields(again, triage)["text"] == "Text 3."


# --- Run again ---


def test_run_again_opens_with_exactly_that_text_and_its_fields(client, triage, practice):
    post_run(client, triage, run_form(client, triage) | {"field-ticket": "SEN-7"})
    page = opened(client, triage, again=Run.objects.get().pk)
    again = fields(page, triage)
    assert again["text"] == practice.sessions[0].text
    assert again["field-ticket"] == "SEN-7"
    assert not page.says("You edited the text by hand")
    assert not page.says("has changed")


def test_run_again_says_that_the_template_has_changed_and_keeps_the_text(client, triage, practice):
    post_run(client, triage, run_form(client, triage) | {"field-ticket": "SEN-7"})
    run = Run.objects.get()
    template = triage.text_templates.get(name="Ticket")
    registry.edit_template(template, name="Ticket", body="New: {{ ticket }}", order=0, by=None)
    page = opened(client, triage, again=run.pk)
    assert page.says("The template “Ticket” has changed since that run.")
    assert fields(page, triage)["text"] == run.text
    assert page.says("You edited the text by hand")
    template.delete()
    page = opened(client, triage, again=run.pk)
    assert page.says("Its template “Ticket” is not here any more.")
    assert fields(page, triage)["text"] == run.text


def test_a_text_that_was_edited_by_hand_comes_back_as_such(client, routine, practice):
    press(client, routine, text="By hand, {{ literally }}.")
    page = opened(client, routine, again=Run.objects.get().pk)
    assert fields(page, routine)["text"] == "By hand, {{ literally }}."


def test_run_again_is_for_runs_that_one_may_see(client, triage):
    theirs = create_run(routine=triage, person=create_teammate(), text="Theirs.")
    assert client.get(run_url(triage), {"again": theirs.pk}).status_code == 404
