"""What colleagues run appears by itself, disturbs nobody, and survives a dashboard that is away."""

import pytest
from playwright.sync_api import Page, expect

from routines.models import Person, Routine, Worker
from tests.browser.conftest import OpenAs
from tests.browser.console import Console
from tests.browser.steps import no_page_load, open_run_form
from tests.factories import create_routine, create_run, create_teammate

CHANGES = "**/board/changes/**"


@pytest.fixture
def colleague() -> Person:
    return create_teammate(username="a colleague")


def open_with_clock(open_as: OpenAs, person: Person) -> Page:
    """A board whose timers a test moves on."""
    page = open_as(person, "/password/")
    page.clock.install()
    page.goto("/")
    return page


def a_look_later(page: Page) -> None:
    with page.expect_response(CHANGES):
        page.clock.fast_forward(6_000)


def test_a_colleagues_run_appears_and_an_open_form_is_not_disturbed(
    open_as: OpenAs, teammate: Person, release_notes: Routine, colleague: Person
):
    other = create_routine(name="Another routine", template="x")
    page = open_with_clock(open_as, teammate)
    with no_page_load(page):
        area = open_run_form(page)
        area.fill("Half a sentence")
        create_run(routine=release_notes, person=colleague)
        create_run(routine=other, person=colleague)
        a_look_later(page)
        expect(page.locator(f"#last-{other.slug}")).to_contain_text("by a colleague")
        expect(area).to_have_value("Half a sentence")
        expect(area).to_be_focused()


def test_a_hidden_tab_does_not_ask_and_looks_at_once_when_it_is_seen_again(
    open_as: OpenAs, teammate: Person, release_notes: Routine, colleague: Person
):
    page = open_with_clock(open_as, teammate)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    see = """state => {
        Object.defineProperty(document, "visibilityState", { value: state, configurable: true });
        document.dispatchEvent(new Event("visibilitychange"));
    }"""
    page.evaluate(see, "hidden")
    page.clock.fast_forward(60_000)
    assert not [url for url in asked if "/changes/" in url]
    create_run(routine=release_notes, person=colleague)
    with page.expect_response(CHANGES):
        page.evaluate(see, "visible")
    expect(page.locator(f"#last-{release_notes.slug}")).to_contain_text("by a colleague")


def test_after_a_long_sleep_every_line_is_drawn_anew_however_much_was_missed(
    open_as: OpenAs, teammate: Person, release_notes: Routine, colleague: Person
):
    """Too old to say what it has seen, or more than a hundred new runs: nothing stale is left."""
    other = create_routine(name="Another routine", template="x")
    page = open_with_clock(open_as, teammate)
    create_run(routine=other, person=colleague)
    for _ in range(101):
        create_run(routine=release_notes, person=colleague)
    a_look_later(page)
    for routine in (other, release_notes):
        expect(page.locator(f"#last-{routine.slug}")).to_contain_text("by a colleague")
    create_run(routine=other, person=create_teammate(username="somebody else"))
    # Its cursor is of a time too long ago: no signature of it is accepted any more.
    page.locator("[data-live]").evaluate(
        "live => { live.dataset.live = '/board/changes/?look=old'; }"
    )
    a_look_later(page)
    expect(page.locator(f"#last-{other.slug}")).to_contain_text("by somebody else")


def test_it_asks_ever_less_while_the_dashboard_is_away_and_goes_on_when_it_is_back(
    open_as: OpenAs, teammate: Person, release_notes: Routine, colleague: Person, console: Console
):
    console.expect("Failed to load resource: net::ERR_CONNECTION_REFUSED")
    page = open_with_clock(open_as, teammate)
    away: list[str] = []

    def refuse(route):
        away.append(route.request.url)
        route.abort("connectionrefused")

    page.route(CHANGES, refuse)
    for _ in range(60):
        page.clock.fast_forward(5_000)
    assert 3 < len(away) < 14  # five minutes: sixty looks if it went on as before
    expect(page.locator("#notice")).to_be_empty()
    page.unroute(CHANGES)
    create_run(routine=release_notes, person=colleague)
    with page.expect_response(CHANGES):
        page.clock.fast_forward(70_000)
    expect(page.locator(f"#last-{release_notes.slug}")).to_contain_text("by a colleague")


def test_that_no_worker_runs_is_in_view_after_a_reload(open_as: OpenAs, admin: Person):
    for number in range(12):  # more than a screen of them: then Chromium keeps the place
        create_routine(name=f"Plain {number}")
    alive = Worker.objects.create(name="alive", places=32)
    page = open_as(admin)
    alive.delete()
    page.reload()
    notice, header = page.locator("#no-worker").bounding_box(), page.locator(".top").bounding_box()
    assert notice is not None
    assert header is not None
    assert notice["y"] >= header["y"] + header["height"]
