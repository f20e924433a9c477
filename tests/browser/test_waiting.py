"""A run that waits for its turn: what the card shows until it is over, and Cancel."""

import threading
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone
from playwright.sync_api import Locator, Page, Route, expect

from routines.models import Person, Routine, Run
from routines.practice_api import PracticeApi
from routines.runs import queue, sending
from routines.values.reasons import Reason, State
from tests.browser.conftest import OpenAs
from tests.browser.steps import (
    has_focus,
    no_page_load,
    open_run_form,
    result,
    run_now,
    session_link,
    tab_to,
    text_area,
)
from tests.factories import create_routine, create_run, presser
from tests.routines.runs.firing.pressing import slots_taken


@pytest.fixture
def plain() -> Routine:
    """It runs without a text, so that its card has the button itself."""
    return create_routine(name="Plain")


def run_at_once(page: Page, name: str = "Plain") -> Locator:
    return page.get_by_role("button", name=f"Run {name} now")


def press_without_a_place(page: Page, button: Locator) -> None:
    with slots_taken(settings.PRESSES_IN_FLIGHT):
        button.click()
        expect(result(page, "Waiting")).to_be_focused()


def let_a_worker_send(routine: Routine) -> None:
    def work() -> None:
        claimed = queue.claim(routine.pk)
        assert claimed is not None
        assert sending.send(claimed.run, claimed.token, claimed=claimed.at)
        connection.close()

    worker = threading.Thread(target=work)
    worker.start()
    worker.join()


def test_a_card_that_waits_ends_with_its_session_by_itself(
    open_as: OpenAs, teammate: Person, release_notes: Routine, practice: PracticeApi
):
    earlier = create_run(reason=Reason.ACCEPTED)
    page = open_as(teammate)
    with no_page_load(page):
        open_run_form(page).fill("Typed for long.")
        press_without_a_place(page, run_now(page))
        waits = result(page, "Waiting")
        expect(waits).to_contain_text("Waiting for its turn, 1 before it.")
        find = page.get_by_role("searchbox")
        find.focus()
        queue.cancel(earlier, by=presser(earlier))
        expect(waits).to_contain_text("Waiting for its turn: it is next.")
        let_a_worker_send(release_notes)
        expect(result(page, "Session created")).to_be_visible()
        expect(find).to_be_focused()
        expect(page.locator("#announced")).to_contain_text("Session created")
    expect(session_link(page)).to_have_attribute("href", practice.sessions[0].session_url)
    assert [session.text for session in practice.sessions] == ["Typed for long."]
    # The run keeps the text: its draft is gone.
    page.get_by_role("link", name="Run Release notes").click()
    expect(text_area(page)).to_have_value("Notes for version 1.")


def test_cancel_ends_it_where_it_was_pressed(
    open_as: OpenAs, teammate: Person, plain: Routine, practice: PracticeApi
):
    page = open_as(teammate)
    with no_page_load(page):
        press_without_a_place(page, run_at_once(page))
        page.get_by_role("button", name="Cancel").click()
        expect(result(page, "Not sent")).to_be_focused()
        expect(result(page, "Not sent")).to_contain_text("It was cancelled before its turn came.")
    assert Run.objects.get().reason == Reason.CANCELLED
    assert practice.requests == 0


def test_cancel_that_comes_too_late_says_so_and_shows_the_run(
    open_as: OpenAs, teammate: Person, plain: Routine
):
    page = open_as(teammate)
    press_without_a_place(page, run_at_once(page))

    def claim_first(route: Route) -> None:
        assert queue.claim(plain.pk)
        route.continue_()

    page.route("**/cancel/", claim_first)
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("It is already on its way and cannot be cancelled.")).to_be_visible()
    expect(result(page, "Sending")).to_be_visible()


def test_with_the_keyboard_alone(
    open_as: OpenAs, teammate: Person, release_notes: Routine, practice: PracticeApi
):
    earlier = create_run(reason=Reason.ACCEPTED)
    page = open_as(teammate)
    open_run_form(page)
    with slots_taken(settings.PRESSES_IN_FLIGHT):
        page.keyboard.press("Control+Enter")
        expect(result(page, "Waiting")).to_be_focused()
    cancel = page.get_by_role("button", name="Cancel")
    tab_to(page, cancel)
    queue.cancel(earlier, by=presser(earlier))
    expect(result(page, "Waiting")).to_contain_text("it is next")
    assert has_focus(cancel)  # though the result was drawn anew
    page.keyboard.press("Enter")
    expect(result(page, "Not sent")).to_be_focused()
    assert practice.requests == 0


def test_when_it_goes_on_by_itself_the_focus_at_cancel_is_not_lost(
    open_as: OpenAs, teammate: Person, plain: Routine, practice: PracticeApi
):
    page = open_as(teammate)
    press_without_a_place(page, run_at_once(page))
    page.get_by_role("button", name="Cancel").focus()
    let_a_worker_send(plain)
    expect(result(page, "Session created")).to_be_focused()


@pytest.mark.parametrize("template", [None, "Notes."], ids=["one click", "with a form"])
def test_under_a_hold_the_tick_is_asked_for_and_then_it_waits(
    open_as: OpenAs, teammate: Person, practice: PracticeApi, template: str | None
):
    held_until = timezone.now() + timedelta(minutes=30)
    create_routine(name="Held", template=template, held_until=held_until)
    page = open_as(teammate)
    if template:
        open_run_form(page, "Held")
    button = run_now(page) if template else run_at_once(page, "Held")
    tick = page.get_by_label("Send it when the hold ends")
    button.click()
    assert tick.evaluate("tick => tick.validity.valueMissing")
    expect(tick).to_be_focused()
    assert not Run.objects.exists()
    page.keyboard.press("Space")
    button.click()
    expect(result(page, "Waiting")).to_contain_text("Waits until the hold ends at")
    assert Run.objects.get().state == State.ACCEPTED
    assert practice.requests == 0


def test_without_scripts_it_is_cancelled_on_its_page(
    open_as: OpenAs, teammate: Person, plain: Routine
):
    page = open_as(teammate, java_script_enabled=False)
    with slots_taken(settings.PRESSES_IN_FLIGHT):
        run_at_once(page).click()
        expect(page.get_by_text("Waiting for its turn: it is next.")).to_be_visible()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("It was cancelled before its turn came.")).to_be_visible()
