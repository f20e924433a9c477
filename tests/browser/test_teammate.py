"""The teammate: from the board to the session's link."""

from playwright.sync_api import expect

from routines import registry
from routines.models import Person, Routine, Run
from routines.practice_api import PracticeApi
from tests.browser.conftest import OpenAs
from tests.browser.steps import (
    PHONE,
    has_focus,
    no_page_load,
    open_run_form,
    result,
    run_now,
    session_link,
    sign_in,
    tab_to,
    text_area,
)
from tests.factories import create_routine


def test_signs_in_fires_and_opens_the_session(
    open_as: OpenAs, teammate: Person, release_notes: Routine, practice: PracticeApi
):
    page = open_as(None)
    sign_in(page, teammate)
    page.wait_for_url("**/")
    with no_page_load(page):
        area = open_run_form(page)
        expect(area).to_have_value("Notes for version 1.")
        area.fill("Notes for version 2.\nGrouped by team.")
        run_now(page).click()
        expect(result(page, "Session created")).to_be_focused()
    [session] = practice.sessions
    assert session.text == "Notes for version 2.\nGrouped by team."
    link = session_link(page)
    expect(link).to_have_attribute("href", session.session_url)
    expect(link).to_have_attribute("rel", "noopener noreferrer")
    page.context.route("https://claude.ai/**", lambda route: route.fulfill(body="A session."))
    with page.expect_popup() as opened:
        link.click()
    opened.value.wait_for_url(session.session_url)


def test_fires_with_the_keyboard_alone(
    open_as: OpenAs, teammate: Person, release_notes: Routine, practice: PracticeApi
):
    create_routine(name="Another routine")
    page = open_as(teammate)
    tab_to(page, page.get_by_role("link", name="Run Release notes"))
    page.keyboard.press("Enter")
    expect(text_area(page)).to_be_focused()
    page.keyboard.press("Control+A")
    page.keyboard.type("Typed.\nIn two lines.")
    tab_to(page, run_now(page))
    page.keyboard.press("Enter")
    expect(result(page, "Session created")).to_be_focused()
    page.keyboard.press("Tab")
    assert has_focus(session_link(page))
    assert [session.text for session in practice.sessions] == ["Typed.\nIn two lines."]


def test_control_enter_in_the_text_runs_it(
    open_as: OpenAs, teammate: Person, release_notes: Routine, practice: PracticeApi
):
    page = open_as(teammate)
    open_run_form(page).press("Control+Enter")
    expect(session_link(page)).to_be_visible()
    assert [session.text for session in practice.sessions] == ["Notes for version 1."]


def test_escape_closes_the_form_and_asks_before_it_loses_an_edit(
    open_as: OpenAs, teammate: Person, release_notes: Routine
):
    page = open_as(teammate)
    area = open_run_form(page)
    area.fill("Edited.")
    page.once("dialog", lambda dialog: dialog.dismiss())
    area.press("Escape")
    expect(area).to_have_value("Edited.")
    page.once("dialog", lambda dialog: dialog.accept())
    area.press("Escape")
    expect(page.get_by_role("link", name="Run Release notes")).to_be_focused()


def test_another_template_replaces_the_text_but_not_an_edit_unasked(
    open_as: OpenAs, teammate: Person, release_notes: Routine, practice: PracticeApi
):
    registry.add_template(release_notes, name="Short", body="In a word.", order=1, by=None)
    page = open_as(teammate)
    area = open_run_form(page)
    choice = page.get_by_label("Text template")
    choice.select_option("Short")
    expect(area).to_have_value("In a word.")
    area.fill("Edited.")
    page.once("dialog", lambda dialog: dialog.dismiss())
    choice.select_option("The template")
    expect(choice).to_have_value(str(release_notes.text_templates.get(name="Short").pk))
    expect(area).to_have_value("Edited.")
    run_now(page).click()
    expect(session_link(page)).to_be_visible()
    assert Run.objects.get().template_name == "Short"


def test_runs_again_with_the_text_of_before(
    open_as: OpenAs, teammate: Person, release_notes: Routine, practice: PracticeApi
):
    page = open_as(teammate)
    open_run_form(page).fill("Typed.")
    run_now(page).click()
    page.get_by_role("link", name="Run again").click()
    expect(text_area(page)).to_have_value("Typed.")
    with page.expect_response("**/fire/"):
        run_now(page).click()
    assert [session.text for session in practice.sessions] == ["Typed.", "Typed."]
    expect(session_link(page)).to_have_attribute("href", practice.sessions[1].session_url)


def test_the_whole_story_without_scripts_on_a_phone(
    open_as: OpenAs, teammate: Person, release_notes: Routine, practice: PracticeApi
):
    page = open_as(None, java_script_enabled=False, viewport=PHONE)
    sign_in(page, teammate)
    page.get_by_role("link", name="Run Release notes").click()
    text_area(page).fill("Without scripts.")
    run_now(page).click()
    expect(result(page, "Session created")).to_be_visible()
    [session] = practice.sessions
    assert session.text == "Without scripts."
    expect(session_link(page)).to_have_attribute("href", session.session_url)
    page.get_by_role("link", name="History").first.click()
    row = page.get_by_role("row").filter(has_text="Without scripts.")
    expect(row.locator(f"a[href='{session.session_url}']")).to_be_visible()
