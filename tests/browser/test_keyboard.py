"""The board from the keyboard alone: find a routine, run it, say what came of it, run it again."""

from playwright.sync_api import expect

from routines.models import Person, Pin, Routine, Run
from routines.practice_api import PracticeApi
from tests.browser.conftest import OpenAs
from tests.browser.steps import (
    PHONE,
    has_focus,
    no_page_load,
    result,
    run_now,
    session_link,
    tab_to,
    text_area,
)
from tests.factories import create_routine


def test_finds_runs_opens_marks_and_runs_again(
    open_as: OpenAs, teammate: Person, release_notes: Routine, practice: PracticeApi
):
    for number in range(20):
        create_routine(name=f"Another routine {number:02}", template="x")
    page = open_as(teammate, viewport=PHONE)
    card = page.get_by_role("region", name="Release notes")
    with no_page_load(page):
        page.keyboard.press("/")
        expect(page.get_by_label("Find a routine")).to_be_focused()
        page.keyboard.type("release")
        expect(page.locator(".grid > .card:visible")).to_have_count(1)
        page.keyboard.press("Enter")
        expect(card).to_be_visible()
        expect(text_area(page)).to_be_focused()
        page.keyboard.press("Control+A")
        page.keyboard.type("Can / these? Yes.")
        page.keyboard.press("Control+Enter")
        expect(result(page, "Session created")).to_be_focused()
        page.keyboard.press("Tab")
        assert has_focus(session_link(page))
        page.context.route("https://claude.ai/**", lambda route: route.fulfill(body="A session."))
        with page.expect_popup() as opened:
            page.keyboard.press("Enter")
        opened.value.wait_for_url(practice.sessions[0].session_url)
        opened.value.close()
        useful = page.get_by_role("button", name="Useful", exact=True)
        tab_to(page, useful)
        page.keyboard.press("Enter")
        expect(useful).to_have_attribute("aria-pressed", "true")
        expect(useful).to_be_focused()
        expect(page.locator("#announced")).to_have_text("Marked useful.")
        tab_to(page, page.get_by_role("link", name="Run again"))
        page.keyboard.press("Enter")
        expect(text_area(page)).to_have_value("Can / these? Yes.")
        text_area(page).press("Control+Enter")
        expect(result(page, "Session created")).to_be_focused()
    assert [session.text for session in practice.sessions] == ["Can / these? Yes."] * 2
    assert list(Run.objects.order_by("pk").values_list("outcome", flat=True)) == ["useful", ""]


def test_arrows_go_from_card_to_card_and_a_sheet_lists_the_keys(
    open_as: OpenAs, teammate: Person, release_notes: Routine
):
    for number in range(30):
        create_routine(name=f"Another routine {number:02}", template="x")
    page = open_as(teammate, viewport={"width": 1280, "height": 900})

    def card(number: int):
        return page.get_by_role("region", name=f"Another routine {number:02}")

    expect(page.locator(".grid > .card")).to_have_count(31)  # the rest has followed
    page.keyboard.press("ArrowDown")
    expect(card(0)).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(card(1)).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(card(4)).to_be_focused()  # three to a row
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowLeft")
    expect(card(0)).to_be_focused()
    page.keyboard.press("?")
    sheet = page.get_by_role("dialog", name="Keys")
    expect(sheet).to_be_visible()
    page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()
    expect(card(0)).to_be_focused()
    page.keyboard.press("Enter")
    expect(text_area(page)).to_be_focused()
    text_area(page).fill("")
    page.keyboard.type("?/")
    page.keyboard.press("ArrowDown")
    expect(text_area(page)).to_have_value("?/")
    expect(text_area(page)).to_be_focused()
    expect(sheet).to_be_hidden()


def test_a_pinned_card_moves_to_the_top_and_keeps_the_focus(
    open_as: OpenAs, teammate: Person, release_notes: Routine
):
    create_routine(name="Another routine", template="x")
    page = open_as(teammate)
    pin = page.get_by_role("button", name="Pin Release notes")
    pin.focus()
    page.keyboard.press("Enter")
    pinned = page.get_by_role("region", name="Pinned")
    expect(pinned.get_by_role("region", name="Release notes")).to_be_visible()
    expect(pin).to_have_attribute("aria-pressed", "true")
    expect(pin).to_be_focused()
    page.keyboard.press("Enter")
    expect(pinned).to_be_hidden()
    expect(page.get_by_role("button", name="Pin Release notes")).to_be_focused()


def test_a_card_can_be_pinned_on_the_page_of_its_form_after_a_press(
    open_as: OpenAs, teammate: Person, release_notes: Routine
):
    page = open_as(teammate, f"/routines/{release_notes.slug}/run/")
    run_now(page).click()
    expect(result(page, "Session created")).to_be_visible()
    pin = page.get_by_role("button", name="Pin Release notes")
    pin.click()
    expect(pin).to_have_attribute("aria-pressed", "true")
    assert Pin.objects.get().routine == release_notes
