"""A run whose answer was lost: only people can find out, and what they say is kept."""

from typing import Any

from playwright.sync_api import expect

from routines.models import Person, Routine, Run
from routines.practice_api import PracticeApi
from routines.values.reasons import Reason, State
from tests.browser.conftest import OpenAs
from tests.browser.console import Console
from tests.browser.steps import open_run_form, result, run_now, session_link
from tests.factories import create_run
from tests.hostile import HostileServer, closes

FOUND = "https://claude.ai/code/session_01FOUND"


def test_the_teammate_finds_the_session_of_a_run_whose_answer_was_lost(
    open_as: OpenAs, teammate: Person, release_notes: Routine, settings: Any, console: Console
):
    page = open_as(teammate)
    open_run_form(page)
    with HostileServer(closes()) as endpoint:
        settings.CLAUDE_API_BASE_URL = endpoint.url
        run_now(page).click()
        expect(result(page, "Unknown")).to_be_focused()
        assert endpoint.requests == 1
    expect(result(page, "Unknown")).to_contain_text("Look at claude.ai/code")
    page.get_by_role("link", name="Did it start? Say what you found.").click()
    console.expect_answer(422)
    address = page.get_by_label("Address of the session")
    address.fill("https://evil.example/code/session_01FOUND")
    page.get_by_role("button", name="It started").click()
    expect(page.get_by_text("This is not the address of a session.")).to_be_visible()
    expect(address).to_have_value("https://evil.example/code/session_01FOUND")
    address.fill(FOUND)
    page.get_by_role("button", name="It started").click()
    expect(result(page, "Session created")).to_be_visible()
    expect(session_link(page)).to_have_attribute("href", FOUND)
    expect(page.get_by_role("heading", name="teammate said so")).to_be_visible()
    run = Run.objects.get()
    assert (run.state, run.reason, run.settled_by) == (State.STARTED, Reason.SAID_STARTED, teammate)


def test_the_manager_says_that_it_did_not_start(
    open_as: OpenAs, manager: Person, release_notes: Routine
):
    create_run(routine=release_notes, reason=Reason.NO_ANSWER)
    page = open_as(manager, "/history/")
    page.get_by_role("row").filter(has_text="Unknown").get_by_role("link").first.click()
    page.get_by_role("button", name="It did not start").click()
    expect(result(page, "Refused")).to_be_visible()
    expect(page.get_by_role("heading", name="manager said so")).to_be_visible()
    run = Run.objects.get()
    assert (run.reason, run.settled_by) == (Reason.SAID_NOT_STARTED, manager)


def test_an_unknown_run_is_asked_about_before_another_one_is_made(
    open_as: OpenAs,
    teammate: Person,
    release_notes: Routine,
    practice: PracticeApi,
    console: Console,
):
    page = open_as(teammate)
    area = open_run_form(page)
    area.fill("Typed for long.")
    create_run(routine=release_notes, reason=Reason.NO_ANSWER)
    console.expect_answer(422)
    run_now(page).click()
    warning = page.get_by_role("alert").filter(has_text="it may have made a session")
    expect(warning).to_be_visible()
    expect(area).to_have_value("Typed for long.")
    assert practice.requests == 0
    run_now(page).click()
    expect(session_link(page)).to_be_visible()
    assert [session.text for session in practice.sessions] == ["Typed for long."]
