"""The fields of a template: on a phone, with the keyboard alone, until the run and after."""

import json

import pytest
from django.contrib.sessions.models import Session as SignIn
from playwright.sync_api import Page, expect

from routines import registry
from routines.models import Person, Routine, Run
from routines.practice_api import PracticeApi
from routines.text_templates import Field
from tests.browser.conftest import OpenAs
from tests.browser.console import Console
from tests.browser.steps import PHONE, run_now, session_link, sign_in, tab_to, text_area
from tests.factories import create_routine

BODY = '{"what": "{{ what }}", "where": "{{ where }}", "known": "{{ known }}"}'


@pytest.fixture
def triage() -> Routine:
    routine = create_routine(name="Alert triage")
    fields = [Field("what"), Field("where"), Field("known", kind="lines")]
    registry.add_template(routine, name="Alert", body=BODY, fields=fields, is_json=True, by=None)
    return routine


def type_into(page: Page, label: str, text: str) -> None:
    tab_to(page, page.get_by_label(label))
    page.keyboard.type(text)


def test_three_fields_are_filled_in_seen_as_json_and_sent_with_the_keyboard_alone_on_a_phone(
    open_as: OpenAs, teammate: Person, triage: Routine, practice: PracticeApi, console: Console
):
    console.expect_answer(422)
    page = open_as(teammate, viewport=PHONE)
    tab_to(page, page.get_by_role("link", name="Run Alert triage"))
    page.keyboard.press("Enter")
    expect(page.get_by_label("What")).to_be_focused()
    page.keyboard.type('Says "no"')
    page.keyboard.press("Enter")  # shows the text, and runs nothing
    expect(text_area(page)).to_have_value(BODY.replace("{{ what }}", 'Says \\"no\\"'))
    type_into(page, "Where", "C:\\logs")
    page.keyboard.press("Control+Enter")
    known = page.get_by_label("Known")
    expect(known).to_have_accessible_description("Fill in “Known”.")
    expect(known).to_be_focused()
    assert practice.requests == 0
    page.keyboard.type('one "quoted"\ntwo')
    sent = {"what": 'Says "no"', "where": "C:\\logs", "known": 'one "quoted"\ntwo'}
    expect(text_area(page)).to_have_value(json.dumps(sent))
    expect(page.get_by_text("Valid JSON.", exact=True)).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    tab_to(page, run_now(page))
    page.keyboard.press("Enter")
    expect(session_link(page)).to_be_visible()
    assert json.loads(practice.sessions[0].text) == sent
    assert page.evaluate("localStorage.length") == 0
    assert Run.objects.get().field_values == sent


def test_a_draft_survives_a_closed_tab_and_a_lost_sign_in_and_no_sign_out(
    open_as: OpenAs, teammate: Person, triage: Routine, practice: PracticeApi
):
    page = open_as(teammate)
    page.get_by_role("link", name="Run Alert triage").click()
    page.get_by_label("What").fill("Typed for long.")
    expect(text_area(page)).to_have_value(BODY.replace("{{ what }}", "Typed for long."))
    text_area(page).fill("Then edited by hand.")
    expect(page.locator("[data-says]", has_text="You edited the text")).to_be_visible()
    SignIn.objects.all().delete()
    later = page.context.new_page()
    page.close()
    later.goto("/routines/alert-triage/run/")
    sign_in(later, teammate)
    expect(later.get_by_text("Draft restored.")).to_be_visible()
    expect(text_area(later)).to_have_value("Then edited by hand.")
    expect(later.get_by_label("What")).to_have_value("Typed for long.")
    expect(later.locator("[data-says]", has_text="You edited the text")).to_be_visible()
    later.get_by_role("button", name="Discard it").click()
    expect(later.get_by_label("What")).to_have_value("")
    expect(later.get_by_text("Draft restored.")).to_be_hidden()
    with later.expect_response("**/run/text/"):
        later.get_by_label("What").fill("Another one.")
    with later.expect_response("**/run/text/"):
        text_area(later).fill("With sk-ant-oat01-something in it.")
    assert later.evaluate("localStorage.length") == 0, "no token is kept"
    with later.expect_response("**/run/text/"):
        text_area(later).fill("Without.")
    assert later.evaluate("localStorage.length") == 1
    later.locator("summary", has_text=teammate.username).click()
    later.get_by_role("button", name="Sign out").click()
    later.wait_for_url("**/sign-in/**")
    assert later.evaluate("localStorage.length") == 0
    assert practice.requests == 0


def test_a_text_is_kept_as_ones_own_template_and_the_form_stays_open(
    open_as: OpenAs, teammate: Person, triage: Routine, practice: PracticeApi
):
    page = open_as(teammate)
    page.get_by_role("link", name="Run Alert triage").click()
    text_area(page).fill("Every week.")
    page.get_by_text("Save this text as my template").click()
    name = page.get_by_label("Name of the template")
    name.fill("Weekly")
    name.press("Enter")  # runs nothing
    page.get_by_role("button", name="Save as mine").click()
    expect(page.get_by_text("Saved as your template “Weekly”")).to_be_visible()
    expect(text_area(page)).to_have_value("Every week.")
    expect(page.get_by_role("option", name="Weekly")).to_be_attached()
    assert practice.requests == 0


def test_why_it_is_run_stays_with_another_template_and_in_a_draft(
    open_as: OpenAs, teammate: Person, triage: Routine
):
    triage.asks_why = True
    triage.save()
    page = open_as(teammate, "/routines/alert-triage/run/")
    why = page.get_by_label("Why")
    why.fill("Asked for by support.")
    page.get_by_label("Text template").select_option("No template")
    expect(page.get_by_label("What")).to_be_hidden()
    expect(why).to_have_value("Asked for by support.")
    page.reload()
    expect(page.get_by_text("Draft restored.")).to_be_visible()
    expect(why).to_have_value("Asked for by support.")
