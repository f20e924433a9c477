"""Find: the best hit first, Enter opens the marked one, and nothing fires from there."""

import re

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from routines.models import Person, Routine
from routines.practice_api import PracticeApi
from routines.registry import tags
from tests.browser.conftest import OpenAs
from tests.browser.steps import no_page_load, result, text_area
from tests.factories import create_routine

SHOWN = "names => names.map((name) => name.innerText)"


@pytest.fixture
def tagged(db: None) -> None:
    """By the order of the groups it stands before Release notes."""
    routine = create_routine(name="Deploy verification", template="x")
    tags.write_tags(routine, ["release"])


@pytest.fixture
def one_click(db: None) -> Routine:
    return create_routine(name="Relay")


def find(page: Page, words: str) -> None:
    page.keyboard.press("/")
    page.keyboard.type(words)


def shown(page: Page) -> list[str]:
    names: list[str] = page.locator(".grid > .card:visible h2").evaluate_all(SHOWN)
    return names


def marked(page: Page) -> Locator:
    return page.locator(".card[aria-current=true]")


def test_enter_in_find_opens_the_marked_best_hit_and_runs_nothing(
    open_as: OpenAs, teammate: Person, release_notes: Routine, tagged: None, practice: PracticeApi
):
    for number in range(14):  # more than come with the page
        create_routine(name=f"Another {number:02}", purpose="Not for a release.")
    page = open_as(teammate)
    with no_page_load(page):
        find(page, "rel")
        page.keyboard.press("Enter")  # however early
        expect(text_area(page)).to_be_focused()
        expect(text_area(page)).to_have_value("Notes for version 1.")
        page.get_by_label("Find a routine").focus()
        expect(marked(page)).to_have_accessible_name("Release notes")
        expect(page.locator("#found")).to_have_text("16 found. Enter opens Release notes.")
        assert shown(page)[:3] == ["Release notes", "Deploy verification", "Another 00"]
        page.get_by_label("Find a routine").fill("deploy")
        expect(marked(page)).to_have_accessible_name("Deploy verification")
        assert shown(page) == ["Deploy verification", "Release notes"]  # that is typed in
        page.get_by_label("Find a routine").fill("")
        expect(marked(page)).to_have_count(0)
        expect(page.get_by_role("region", name="Found")).to_be_hidden()
        in_group = page.get_by_role("region", name="Release", exact=True).get_by_role("region")
        expect(in_group).to_have_accessible_name("Deploy verification")
        assert shown(page)[-1] == "Release notes"
    assert practice.requests == 0


def test_what_is_found_is_said_anew_when_more_cards_come(
    open_as: OpenAs, teammate: Person, release_notes: Routine, tagged: None
):
    for number in range(14):  # more than come with the page
        create_routine(name=f"Another {number:02}", purpose="Not for a release.")
    page = open_as(teammate, "/history/")
    kept: list[Route] = []
    page.route("**/board/rest/**", lambda route: kept.append(route))
    page.goto("/")
    find(page, "rel")
    expect(page.locator("#found")).to_have_text(re.compile("Enter opens Deploy verification."))
    kept[0].continue_()
    expect(page.locator("#found")).to_have_text("16 found. Enter opens Release notes.")


def test_no_combination_of_keys_that_begins_in_find_fires_a_one_click_routine(
    open_as: OpenAs, teammate: Person, one_click: Routine, practice: PracticeApi
):
    page = open_as(teammate)
    kept: list[Route] = []
    page.route("**/relay/run/", lambda route: kept.append(route))  # the form does not come yet
    card = page.get_by_role("region", name="Relay")
    find(page, "rel")
    for keys in ("Control+Enter", "Meta+Enter", "Shift+Enter"):
        page.keyboard.press(keys)
    expect(page.get_by_label("Find a routine")).to_be_focused()
    assert kept == []
    with page.expect_request("**/relay/run/"):
        page.keyboard.press("Enter")
    expect(card).to_be_focused()
    page.keyboard.press("Control+Enter")
    page.keyboard.press("Enter")
    expect(card).to_be_focused()
    assert len(kept) == 1
    page.unroute_all()
    page.reload()
    find(page, "rel")
    page.keyboard.press("Enter")
    expect(text_area(page)).to_be_focused()
    assert practice.requests == 0
    page.keyboard.press("Escape")
    expect(card.get_by_role("button", name="Run Relay now")).to_be_focused()
    page.keyboard.press("Enter")  # its own press
    expect(result(page, "Session created")).to_be_visible()
    assert practice.requests == 1


def test_words_in_the_address_are_found_best_first_and_go_back_to_their_groups(
    open_as: OpenAs, teammate: Person, release_notes: Routine, tagged: None
):
    page = open_as(teammate, "/?q=rel")
    expect(marked(page)).to_have_accessible_name("Release notes")
    assert shown(page) == ["Release notes", "Deploy verification"]
    pin = page.get_by_role("button", name="Pin Release notes")
    pin.click()
    expect(pin).to_have_attribute("aria-pressed", "true")
    expect(pin).to_be_focused()
    page.get_by_label("Find a routine").fill("")
    pinned = page.get_by_role("region", name="Pinned").get_by_role("region")
    expect(pinned).to_have_accessible_name("Release notes")
    assert shown(page) == ["Release notes", "Deploy verification"]
