"""However often a form is pressed, it makes one run: see docs/life-of-a-run.md."""

import re
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from routines.models import Person, Routine, Run
from routines.practice_api import PracticeApi
from routines.values.reasons import Reason
from tests.browser.conftest import OpenAs
from tests.browser.console import HTMX_GOT_NO_ANSWER, Console
from tests.browser.steps import open_run_form, result, run_now, session_link, text_area
from tests.factories import create_routine, create_run
from tests.hostile import OK, SESSION_URL, HostileServer, Visit
from tests.server.product import wait_until


@pytest.fixture
def plain() -> Routine:
    """It runs without a text, so that its card has the button itself."""
    return create_routine(name="Plain")


class SlowEndpoint:
    """Answers no request before it is let go."""

    def __init__(self) -> None:
        self.let_go = threading.Event()
        self.server = HostileServer(self._answer)

    def _answer(self, visit: Visit) -> None:
        self.let_go.wait()
        visit.send(OK)


@pytest.fixture
def slow_endpoint(settings: Any) -> Iterator[SlowEndpoint]:
    endpoint = SlowEndpoint()
    with endpoint.server as server:
        settings.CLAUDE_API_BASE_URL = server.url
        settings.FIRE_TIMEOUT = 60  # the test lets go, however busy the machine is meanwhile
        yield endpoint
        endpoint.let_go.set()


def click_twice(page: Page) -> None:
    run_now(page).dblclick()


def enter_twice(page: Page) -> None:
    run_now(page).focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")


def control_enter_twice(page: Page) -> None:
    text_area(page).focus()
    page.keyboard.press("Control+Enter")
    page.keyboard.press("Control+Enter")


@pytest.mark.parametrize("press_twice", [click_twice, enter_twice, control_enter_twice])
def test_pressed_twice_sends_one_request_and_shows_its_answer(
    open_as: OpenAs,
    teammate: Person,
    release_notes: Routine,
    slow_endpoint: SlowEndpoint,
    press_twice: Callable[[Page], None],
):
    page = open_as(teammate)
    open_run_form(page)
    press_twice(page)
    expect(page.locator("#announced")).to_have_text("Sending")
    expect(page.get_by_text("Sending 1 s")).to_be_visible()
    expect(run_now(page)).to_be_hidden()
    slow_endpoint.let_go.set()
    expect(result(page, "Session created")).to_be_focused()
    expect(session_link(page)).to_have_attribute("href", SESSION_URL)
    expect(page.locator("#announced")).to_be_empty()
    assert (slow_endpoint.server.requests, Run.objects.count()) == (1, 1)


def presses_of(page: Page) -> list[str]:
    """The addresses of the runs that are asked for from now on."""
    found: list[str] = []
    page.on("request", lambda sent: found.append(sent.url) if "/fire/" in sent.url else None)
    return found


def note(page: Page, event: str) -> Locator:
    """What is there once such an event came, and all that the page makes of it was sent."""
    page.evaluate(
        """(name) => document.addEventListener(name, (event) => {
             if (event.repeat === false) return;
             setTimeout(() => { document.body.dataset.noted = name; });
           })""",
        event,
    )
    return page.locator(f"body[data-noted={event}]")


def test_keys_that_are_held_down_press_no_button_that_comes_meanwhile(
    open_as: OpenAs,
    teammate: Person,
    release_notes: Routine,
    practice: PracticeApi,
    console: Console,
):
    console.expect_answer(422)
    page = open_as(teammate)
    open_run_form(page)
    create_run(routine=release_notes, reason=Reason.NO_ANSWER)
    presses, noted = presses_of(page), note(page, "keydown")
    text_area(page).focus()
    page.keyboard.down("Control")
    page.keyboard.down("Enter")
    expect(page.locator(".at-the-press")).to_be_focused()  # where it asks about that other run
    page.keyboard.down("Enter")
    expect(noted).to_be_attached()
    assert len(presses) == 1
    page.keyboard.up("Enter")
    page.keyboard.up("Control")
    page.keyboard.press("Control+Enter")
    expect(result(page, "Session created")).to_be_visible()
    assert (practice.requests, len(presses)) == (1, 2)


def test_the_second_click_of_two_presses_no_button_that_came_in_between(
    open_as: OpenAs, teammate: Person, plain: Routine, practice: PracticeApi
):
    page = open_as(teammate)
    presses, noted = presses_of(page), note(page, "click")
    now = page.get_by_role("button", name=f"Run {plain.name} now")
    box = now.bounding_box()
    assert box is not None
    at = (box["x"] + 10, box["y"] + 10)
    page.mouse.click(*at)
    expect(result(page, "Session created")).to_be_visible()
    expect(now).to_be_enabled()
    page.evaluate("delete document.body.dataset.noted")
    page.mouse.down(click_count=2)
    page.mouse.up(click_count=2)
    expect(noted).to_be_attached()
    assert (practice.requests, len(presses)) == (1, 1)


def test_pressed_twice_without_scripts_sends_one_request(
    open_as: OpenAs, teammate: Person, release_notes: Routine, slow_endpoint: SlowEndpoint
):
    page = open_as(teammate, f"/routines/{release_notes.slug}/run/", java_script_enabled=False)
    box = run_now(page).bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 10, box["y"] + 10)
    # Under way: a browser takes back a request that it has not sent yet.
    wait_until(lambda: slow_endpoint.server.requests == 1)
    page.mouse.click(box["x"] + 10, box["y"] + 10)
    expect(page.get_by_text("Reload this page to see the answer.")).to_be_visible()
    slow_endpoint.let_go.set()
    expect_after_reloads(page, "Session created")
    assert (slow_endpoint.server.requests, Run.objects.count()) == (1, 1)


def expect_after_reloads(page: Page, state: str) -> None:
    """The answer is there a moment after the endpoint gave it."""
    for _ in range(50):
        page.reload()
        if result(page, state).count():
            return
    raise AssertionError(f"The page never says {state}.")


def test_a_run_being_sent_shows_its_answer_by_itself(
    open_as: OpenAs, teammate: Person, release_notes: Routine, slow_endpoint: SlowEndpoint
):
    page = open_as(teammate)
    open_run_form(page)
    run_now(page).click()
    expect(page.get_by_text("Sending 1 s")).to_be_visible()
    other = page.context.new_page()
    other.goto(f"/history/{Run.objects.get().pk}/")
    expect(result(other, "Sending")).to_be_visible()
    other.get_by_role("link", name="History").first.focus()
    with other.expect_response(re.compile("/result/")):
        pass
    expect(other.get_by_role("link", name="History").first).to_be_focused()
    slow_endpoint.let_go.set()
    expect(result(other, "Session created")).to_be_visible()
    expect(other.locator("dl.facts")).to_contain_text(SESSION_URL)


def test_back_and_run_again_in_the_same_form_shows_the_same_run(
    open_as: OpenAs, teammate: Person, release_notes: Routine, practice: PracticeApi
):
    page = open_as(teammate, java_script_enabled=False)
    page.get_by_role("link", name="Run Release notes").click()
    run_now(page).click()
    page.wait_for_url("**/history/*/")
    address = page.url
    page.go_back()
    run_now(page).click()
    page.wait_for_url(address)
    assert (practice.requests, Run.objects.count()) == (1, 1)


def test_back_and_another_text_in_the_same_form_shows_the_run_and_keeps_the_text(
    open_as: OpenAs,
    teammate: Person,
    release_notes: Routine,
    practice: PracticeApi,
    console: Console,
):
    console.expect_answer(422)
    page = open_as(teammate, java_script_enabled=False)
    page.get_by_role("link", name="Run Release notes").click()
    run_now(page).click()
    page.wait_for_url("**/history/*/")
    page.go_back()
    text_area(page).fill("Changed.")
    run_now(page).click()
    expect(page.get_by_text("This form has made a run already, shown below.")).to_be_visible()
    expect(session_link(page)).to_have_attribute("href", practice.sessions[0].session_url)
    expect(text_area(page)).to_have_value("Changed.")
    assert practice.requests == 1
    run_now(page).click()
    expect(result(page, "Session created")).to_be_visible()
    assert [session.text for session in practice.sessions] == ["Notes for version 1.", "Changed."]


def test_an_answer_that_is_lost_on_its_way_is_found_by_pressing_again(
    open_as: OpenAs,
    teammate: Person,
    release_notes: Routine,
    practice: PracticeApi,
    console: Console,
):
    def lose_the_answer(route: Route) -> None:
        route.fetch()
        route.abort("connectionreset")

    console.expect("Failed to load resource: net::ERR_CONNECTION_RESET", *HTMX_GOT_NO_ANSWER)
    page = open_as(teammate)
    open_run_form(page)
    page.route("**/fire/", lose_the_answer, times=1)
    run_now(page).click()
    expect(page.get_by_role("alert").filter(has_text="did not answer")).to_be_visible()
    run_now(page).click()
    expect(session_link(page)).to_have_attribute("href", practice.sessions[0].session_url)
    assert (practice.requests, Run.objects.count()) == (1, 1)
