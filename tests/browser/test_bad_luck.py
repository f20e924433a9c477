"""Bad input and bad luck: a sentence, the typed text is still there, and nothing is sent."""

import re
from datetime import timedelta
from typing import Any

from django.contrib.sessions.models import Session as SignIn
from django.utils import timezone
from playwright.sync_api import expect

from routines.models import Person, Routine, Run
from routines.practice_api import PracticeApi
from tests.browser.conftest import OpenAs
from tests.browser.console import HTMX_GOT_NO_ANSWER, Console
from tests.browser.steps import (
    no_page_load,
    open_run_form,
    result,
    run_now,
    session_link,
    sign_in,
    text_area,
)
from tests.factories import create_routine, create_run
from tests.hostile import OK, SESSION_URL, HostileServer, answer, envelope, says


def test_too_long_a_text_is_said_at_the_field_and_kept(
    open_as: OpenAs,
    teammate: Person,
    release_notes: Routine,
    practice: PracticeApi,
    console: Console,
):
    console.expect_answer(422)
    page = open_as(teammate)
    area = open_run_form(page)
    area.fill("x" * 65_537)
    expect(page.get_by_text("65,537 / 65,536")).to_be_visible()
    with no_page_load(page):
        run_now(page).click()
        expect(area).to_have_accessible_description(re.compile("1 character too long"))
    expect(area).to_be_focused()
    expect(area).to_have_value("x" * 65_537)
    assert (practice.requests, Run.objects.count()) == (0, 0)
    area.press("Control+End")
    area.press("Backspace")
    expect(page.get_by_text("65,536 / 65,536")).to_be_visible()
    run_now(page).click()
    expect(session_link(page)).to_be_visible()
    assert [len(session.text) for session in practice.sessions] == [65_536]


def test_a_press_after_a_lost_sign_in_keeps_the_text_until_it_is_sent(
    open_as: OpenAs,
    teammate: Person,
    release_notes: Routine,
    practice: PracticeApi,
    console: Console,
):
    console.expect_answer(401)
    console.expect("Response Status Error Code 401")  # htmx says it once more
    page = open_as(teammate)
    area = open_run_form(page)
    area.fill("Typed for long.")
    SignIn.objects.all().delete()
    with no_page_load(page):
        run_now(page).click()
        notice = page.get_by_role("alert").filter(has_text="You are signed out.")
        expect(notice).to_contain_text("Nothing was sent, and what you typed is still here.")
        expect(run_now(page)).to_be_focused()
    assert practice.requests == 0
    with page.expect_popup() as opened:
        notice.get_by_role("link", name="Sign in in a new tab").click()
    sign_in(opened.value, teammate)
    opened.value.wait_for_url("**/run/")
    opened.value.close()
    console.expect_answer(422)
    run_now(page).click()
    expect(page.get_by_text("This form was older than your sign-in.")).to_be_visible()
    expect(area).to_have_value("Typed for long.")
    assert practice.requests == 0
    run_now(page).click()
    expect(session_link(page)).to_be_visible()
    assert [session.text for session in practice.sessions] == ["Typed for long."]


def test_opening_a_form_after_a_lost_sign_in_leads_there_and_back(
    open_as: OpenAs, teammate: Person, release_notes: Routine
):
    page = open_as(teammate)
    SignIn.objects.all().delete()
    page.get_by_role("link", name="Run Release notes").click()
    page.wait_for_url("**/sign-in/?next=%2F")
    sign_in(page, teammate)
    open_run_form(page)


def test_a_press_without_scripts_after_a_lost_sign_in_shows_what_was_typed(
    open_as: OpenAs,
    teammate: Person,
    release_notes: Routine,
    practice: PracticeApi,
    console: Console,
):
    console.expect_answer(401)
    page = open_as(teammate, java_script_enabled=False)
    page.get_by_role("link", name="Run Release notes").click()
    text_area(page).fill("Typed for long.")
    SignIn.objects.all().delete()
    run_now(page).click()
    expect(page.get_by_role("heading", name="You are signed out")).to_be_visible()
    expect(page.get_by_text("Nothing was sent.")).to_be_visible()
    expect(page.get_by_text("Typed for long.")).to_be_visible()
    page.get_by_role("link", name="Sign in").click()
    sign_in(page, teammate)
    expect(text_area(page)).to_have_value("Notes for version 1.")
    assert practice.requests == 0


def test_a_dashboard_that_is_away_keeps_the_text_and_says_that_pressing_again_is_safe(
    open_as: OpenAs,
    teammate: Person,
    release_notes: Routine,
    practice: PracticeApi,
    console: Console,
):
    console.expect("Failed to load resource: net::ERR_INTERNET", *HTMX_GOT_NO_ANSWER)
    page = open_as(teammate)
    area = open_run_form(page)
    area.fill("Typed for long.")
    page.context.set_offline(True)
    run_now(page).click()
    notice = page.get_by_role("alert")
    expect(notice).to_contain_text("The dashboard did not answer.")
    expect(run_now(page)).to_be_focused()
    expect(area).to_have_value("Typed for long.")
    page.context.set_offline(False)
    run_now(page).click()
    expect(session_link(page)).to_be_visible()
    expect(notice).to_be_empty()
    assert [session.text for session in practice.sessions] == ["Typed for long."]


def test_a_limit_is_counted_down_and_its_end_comes_by_itself(
    open_as: OpenAs, teammate: Person, release_notes: Routine, settings: Any
):
    limit = answer(429, envelope("rate_limit_error", "Run limit reached"), {"Retry-After": "5"})
    with HostileServer(says(limit), says(OK)) as endpoint:
        settings.CLAUDE_API_BASE_URL = endpoint.url
        page = open_as(teammate)
        with no_page_load(page):
            open_run_form(page).fill("Typed for long.")
            run_now(page).click()
            expect(result(page, "Refused")).to_be_focused()
            expect(result(page, "Refused")).to_contain_text("has reached its limit")
            expect(page.get_by_text(re.compile("[1-3] s left"))).to_be_visible()
            expect(page.locator("#announced")).to_have_text("Release notes can be run now.")
            expect(page.get_by_text("is on hold")).to_have_count(0)
            expect(page.get_by_role("link", name="Run Release notes")).to_be_visible()
            expect(result(page, "Refused")).to_be_focused()
            page.get_by_role("link", name="Back to the text").click()
            expect(text_area(page)).to_have_value("Typed for long.")
            run_now(page).click()
            expect(session_link(page)).to_have_attribute("href", SESSION_URL)
        assert endpoint.requests == 2


def test_a_hold_that_follows_on_a_hold_is_no_news_to_be_read_out(open_as: OpenAs, teammate: Person):
    now = timezone.now()
    held = create_routine(name="Held", held_until=now + timedelta(seconds=8))
    page = open_as(teammate)
    expect(page.get_by_text(re.compile("[1-7] s left"))).to_be_visible()
    Routine.objects.filter(pk=held.pk).update(held_until=now + timedelta(minutes=30))
    expect(page.get_by_text(re.compile("(29|30) min .* s left"))).to_be_visible()
    expect(page.locator("#announced")).to_be_empty()


def test_a_form_that_is_open_in_a_cool_down_gets_its_button_back(
    open_as: OpenAs, teammate: Person, practice: PracticeApi
):
    routine = create_routine(name="Alert triage", template="x", cool_down=4)
    create_run(routine=routine, person=teammate)
    page = open_as(teammate, "/routines/alert-triage/run/")
    expect(run_now(page)).to_be_enabled()
    run_now(page).click()
    expect(session_link(page)).to_be_visible()
    assert practice.requests == 1


def test_a_form_that_is_open_when_the_hold_ends_asks_for_no_tick_and_keeps_the_text(
    open_as: OpenAs, teammate: Person, practice: PracticeApi
):
    soon = timezone.now() + timedelta(seconds=8)
    create_routine(name="Alert triage", template="x", held_until=soon)
    page = open_as(teammate, "/routines/alert-triage/run/")
    expect(page.get_by_text("s left")).to_be_visible()
    expect(page.get_by_label("Send it when the hold ends")).to_be_visible()
    text_area(page).fill("Typed meanwhile.")
    expect(page.get_by_label("Send it when the hold ends")).to_have_count(0)
    expect(page.get_by_text("s left")).to_have_count(0)
    run_now(page).click()
    expect(session_link(page)).to_be_visible()
    assert [session.text for session in practice.sessions] == ["Typed meanwhile."]
