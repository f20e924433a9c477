"""What stands between browser and dashboard is told at the press; it never replaces the page."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from dashboard.serving.headers import MARK
from routines import registry
from routines.models import Person, Routine, Run
from routines.practice_api import PracticeApi
from routines.runs import accepting, firing
from routines.text_templates import Field
from tests.browser.conftest import OpenAs
from tests.browser.console import HTMX_GOT_NO_ANSWER, Console
from tests.browser.steps import PHONE, open_run_form, run_now, session_link, text_area
from tests.factories import create_routine, create_run, create_teammate

TYPED = "Typed for long."
FIRE = "**/fire/"
PREVIEW = "**/run/text/"
FOREIGN = "<!doctype html><html><body><h1>Something else</h1></body></html>"


def answer(status: int, **headers: str) -> Callable[[Route], None]:
    """As a proxy, a firewall or a sign-in page does, without a word of the dashboard."""

    def fulfill(route: Route) -> None:
        route.fulfill(status=status, body=FOREIGN, content_type="text/html", headers=headers)

    return fulfill


def notice(page: Page) -> Locator:
    return page.locator("#notice")


def press(page: Page, status: int, says: str) -> None:
    """Run now, answered by what stands in front; the form stays, and the notice is at the press."""
    page.route(FIRE, answer(status))
    run_now(page).click()
    expect(notice(page)).to_contain_text(says)
    page.unroute(FIRE)
    expect(text_area(page)).to_have_value(TYPED)
    expect_at_the_press(page, run_now(page))


def expect_at_the_press(page: Page, button: Locator) -> None:
    expect(button).to_be_focused()
    expect(notice(page)).to_be_in_viewport(ratio=1)
    expect(button).to_be_in_viewport(ratio=1)
    told, pressed = notice(page).bounding_box(), button.bounding_box()
    assert told is not None
    assert pressed is not None
    assert 0 <= pressed["y"] - told["y"] - told["height"] < 40, "directly above it"


@pytest.fixture
def form(open_as: OpenAs, teammate: Person, release_notes: Routine) -> Page:
    """On a phone: the button is far below the top of the page."""
    for number in range(8):
        create_routine(name=f"Another {number}")
    page = open_as(teammate, viewport=PHONE)
    open_run_form(page).fill(TYPED)
    return page


def test_an_answer_that_is_not_the_dashboards_is_told_at_the_press_and_the_form_stays(
    form: Page, practice: PracticeApi, console: Console
):
    for status in (413, 403, 502, 401, 405):
        console.expect_answer(status)
    press(form, 413, "too large for a proxy in front of the dashboard")
    expect(notice(form)).to_contain_text("so nothing was sent. What you typed is still here.")
    press(form, 403, "Something in front of the dashboard blocked this (status 403)")
    expect(notice(form)).not_to_contain_text("nothing was sent")
    expect(notice(form)).to_contain_text("the same form never runs a routine twice")
    expect(notice(form).get_by_role("link", name="history")).to_be_visible()
    press(form, 502, "The dashboard did not answer. Something in front of it reports status 502.")
    press(form, 405, "Something in front of the dashboard answered in its place (status 405).")
    press(form, 401, "or reload this page to sign in again")
    press(form, 200, "or reload this page to sign in again")
    link = notice(form).get_by_role("link", name="Open the dashboard in a new tab")
    expect(link).to_have_attribute("target", "_blank")
    assert practice.requests == 0
    run_now(form).click()
    expect(session_link(form)).to_be_visible()
    expect(notice(form)).to_be_empty()
    assert [session.text for session in practice.sessions] == [TYPED]


def test_a_redirect_to_a_sign_in_page_elsewhere_is_told_to_be_one(
    form: Page, practice: PracticeApi, console: Console
):
    console.expect("Connecting to 'https://sso.example.com/", *HTMX_GOT_NO_ANSWER)
    form.route(FIRE, answer(302, location="https://sso.example.com/sign-in"))
    run_now(form).click()
    expect(notice(form)).to_contain_text("or reload this page to sign in again")
    expect(text_area(form)).to_have_value(TYPED)
    expect_at_the_press(form, run_now(form))
    assert practice.requests == 0


def test_where_no_answer_comes_back_at_all_the_page_looks_what_stands_in_front(
    form: Page, practice: PracticeApi, console: Console
):
    console.expect("Failed to load resource: net::ERR_FAILED", *HTMX_GOT_NO_ANSWER)
    form.route(FIRE, lambda route: route.abort())
    form.route(form.url, answer(200))
    run_now(form).click()
    expect(notice(form)).to_contain_text("or reload this page to sign in again")
    form.unroute(form.url)
    run_now(form).click()
    expect(notice(form)).to_contain_text("The dashboard did not answer.")
    expect_at_the_press(form, run_now(form))


def test_a_preview_that_is_too_large_for_a_proxy_leaves_the_form_and_where_one_types(
    open_as: OpenAs, teammate: Person, console: Console
):
    routine = create_routine(name="Alert triage")
    registry.add_template(
        routine, name="Alert", body="{{ what }}", fields=[Field("what", kind="lines")], by=None
    )
    console.expect_answer(413)
    page = open_as(teammate, "/routines/alert-triage/run/", viewport=PHONE)
    page.route(PREVIEW, answer(413))
    what = page.get_by_label("What")
    what.fill("Long.")
    expect(notice(page)).to_contain_text("too large for a proxy in front of the dashboard")
    expect(notice(page)).to_be_in_viewport()
    expect(what).to_be_focused()
    expect(what).to_have_value("Long.")
    page.unroute(PREVIEW)
    what.press_sequentially("er")
    expect(text_area(page)).to_have_value("Long.er")
    expect(notice(page)).to_be_empty()


def test_what_a_page_asks_for_by_itself_draws_nothing_foreign(open_as: OpenAs, teammate: Person):
    routines = [create_routine(name=f"Another {number:02}") for number in range(14)]
    page = open_as(teammate, "/password/")
    page.clock.install()
    page.route("**/board/**", answer(200))
    page.goto("/")
    expect(notice(page)).to_contain_text("Something in front of the dashboard answered")
    create_run(routine=routines[0])
    with page.expect_response("**/board/changes/**"):
        page.clock.fast_forward(6_000)
    expect(page.locator(".grid > .card")).to_have_count(12)
    expect(page.get_by_text("Something else")).to_have_count(0)
    page.unroute("**/board/**")
    with page.expect_response("**/board/changes/**"):
        page.clock.fast_forward(70_000)
    expect(page.locator(f"#last-{routines[0].slug}")).to_contain_text("Last run")


def test_back_in_the_history_draws_nothing_foreign_into_the_page(
    open_as: OpenAs, manager: Person, release_notes: Routine
):
    create_run(routine=release_notes)
    page = open_as(manager, "/history/")
    page.get_by_label("Refused").check()
    page.wait_for_url("**/history/?*")
    page.route("**/history/", answer(200))
    page.go_back()
    expect(page.get_by_role("heading", name="Something else")).to_be_visible()
    # The browser shows it as a page of its own, nothing of ours around it.
    expect(page.locator("head > *")).to_have_count(0)


def test_the_dashboards_own_503_is_shown_in_the_form(
    form: Page, practice: PracticeApi, console: Console, monkeypatch: Any
):
    def fail(**press: Any) -> None:
        raise accepting.RunNotRecorded

    console.expect_answer(503)
    console.expect("Response Status Error Code 503")  # htmx says it once more
    monkeypatch.setattr(firing, "fire", fail)
    run_now(form).click()
    said = form.get_by_role("alert").filter(has_text="The database cannot be written")
    expect(said).to_contain_text("Nothing was sent.")
    expect(said).to_be_in_viewport(ratio=1)
    expect(text_area(form)).to_have_value(TYPED)
    monkeypatch.undo()
    run_now(form).click()
    expect(session_link(form)).to_be_visible()
    assert (practice.requests, Run.objects.count()) == (1, 1)


def test_what_a_press_is_asked_stands_at_the_button_in_view(
    form: Page, release_notes: Routine, practice: PracticeApi, console: Console
):
    console.expect_answer(422)
    create_run(routine=release_notes, person=create_teammate(username="a colleague"))
    run_now(form).click()
    asks = form.get_by_role("alert").filter(has_text="a colleague ran this routine")
    expect(asks).to_be_in_viewport(ratio=1)
    expect(form.locator(".at-the-press")).to_be_focused()
    expect(run_now(form)).to_be_in_viewport()
    assert practice.requests == 0
    form.keyboard.press("Tab")
    expect(run_now(form)).to_be_focused()
    form.keyboard.press("Enter")
    expect(session_link(form)).to_be_visible()


def test_a_whole_page_of_the_dashboards_own_is_told_and_not_drawn_into_a_card(
    form: Page, console: Console, monkeypatch: Any
):
    def fail(**press: Any) -> None:
        raise RuntimeError

    console.expect_answer(500)
    console.expect("Response Status Error Code 500")
    monkeypatch.setattr(firing, "fire", fail)
    run_now(form).click()
    expect(notice(form)).to_contain_text("Something broke in the dashboard.")
    expect(notice(form)).to_contain_text("look at the history before you press it again")
    expect(text_area(form)).to_have_value(TYPED)
    expect_at_the_press(form, run_now(form))


def test_a_sentence_of_the_dashboards_own_is_told_and_not_drawn_into_a_card(
    form: Page, console: Console
):
    """As where a press has not arrived whole, or has been addressed to another host."""
    console.expect_answer(408)
    console.expect("Response Status Error Code 408")
    form.route(
        FIRE,
        lambda route: route.fulfill(
            status=408,
            body="The request did not arrive whole in time. Nothing was done or sent.\n",
            content_type="text/plain; charset=utf-8",
            headers={MARK: "1"},
        ),
    )
    run_now(form).click()
    expect(notice(form)).to_contain_text("Nothing was done or sent. What you typed is still here.")
    form.unroute(FIRE)
    expect(text_area(form)).to_have_value(TYPED)
    expect_at_the_press(form, run_now(form))


def test_a_one_click_routines_failure_stands_at_its_button(
    open_as: OpenAs, teammate: Person, practice: PracticeApi, console: Console
):
    for number in range(12):
        create_routine(name=f"Another {number:02}")
    page = open_as(teammate, viewport=PHONE)
    console.expect_answer(403)
    page.route(FIRE, answer(403))
    button = page.get_by_role("button", name="Run Another 11 now")
    button.click()
    expect(notice(page)).to_contain_text("Something in front of the dashboard blocked this")
    expect(button).to_be_focused()
    expect(notice(page)).to_be_in_viewport(ratio=1)
    expect(page.get_by_role("region", name="Another 11").locator("#notice")).to_be_visible()
