"""The admin registers a routine and fires it; the manager finds that run's session."""

import re

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from routines.models import Person, Routine
from routines.practice_api import PracticeApi
from tests.browser.conftest import OpenAs
from tests.browser.console import Console
from tests.browser.steps import result, run_now, session_link, sign_in
from tests.dashboard.registry.registering import NEW_ID, command
from tests.factories import create_routine, create_run


def test_a_routine_is_registered_fired_and_found(
    open_as: OpenAs, admin: Person, manager: Person, practice: PracticeApi, settings
):
    token = practice.token_for(NEW_ID)
    page = open_as(admin)
    page.get_by_role("link", name="Register the first one").click()
    page.get_by_label("What claude.ai shows").fill(command(token=token))
    page.get_by_role("button", name="Read it").click()
    expect(page.get_by_text(f"ends in {token[-4:]}").first).to_be_visible()
    assert token not in page.content()
    page.get_by_label("Name").fill("Fifth routine")
    page.get_by_label("Whose account").fill("Platform team")
    page.get_by_role("button", name="Register").click()
    expect(page.get_by_role("heading", name="Fifth routine is registered")).to_be_visible()
    assert token not in page.content()
    page.get_by_role("link", name="Board", exact=True).click()
    page.get_by_role("button", name="Run Fifth routine now, without a text").click()
    expect(result(page, "Session created")).to_be_focused()
    [session] = practice.sessions
    assert (session.routine_id, session.text) == (NEW_ID, "")
    expect(session_link(page)).to_have_attribute("href", session.session_url)

    found = open_as(manager)  # who may not fire starts at the history
    row = found.get_by_role("row").filter(has_text="Fifth routine")
    expect(row.locator(f"a[href='{session.session_url}']")).to_be_visible()
    row.get_by_role("link").first.click()
    expect(session_link(found)).to_have_attribute("href", session.session_url)
    expect(found.locator("dl.facts")).to_contain_text(session.request_id)
    expect(run_now(found)).to_have_count(0)


PASTE = """(field, text) => {
  const clipboardData = new DataTransfer();
  clipboardData.setData("text/plain", text);
  const how = { clipboardData, bubbles: true, cancelable: true };
  field.dispatchEvent(new ClipboardEvent("paste", how));
}"""


def test_a_token_is_replaced_by_pasting_an_address_and_the_token_below_it(
    open_as: OpenAs, admin: Person, practice: PracticeApi, settings
):
    """A field of one line would glue the two."""
    create_routine(name="Fifth", routine_id=NEW_ID, token=None)
    page = open_as(admin, "/routines/fifth/token/")
    field = page.get_by_label("New token")
    expect(field).to_be_focused()
    token = practice.token_for(NEW_ID)
    address = f"{settings.CLAUDE_API_BASE_URL}/v1/claude_code/routines/{NEW_ID}/fire"
    field.evaluate(PASTE, f"{address}\n{token}\n")
    page.get_by_role("button", name="Save the token").click()
    expect(page.get_by_text(f"The token is stored. It ends in {token[-4:]}.")).to_be_visible()
    assert token not in page.content()


def test_a_wrong_routine_id_is_said_at_the_field_and_what_was_typed_stays(
    open_as: OpenAs, admin: Person, console: Console
):
    console.expect_answer(422)
    page = open_as(admin, "/routines/register/details/")
    page.get_by_label("Routine ID or URL").fill("routine_42")
    page.get_by_label("Name").fill("Kept")
    page.get_by_label("Whose account").fill("Platform team")
    page.get_by_role("button", name="Register").click()
    field = page.get_by_label("Routine ID or URL")
    expect(field).to_have_accessible_description(
        re.compile("A routine ID starts with trig_, never with routine_.")
    )
    expect(page.get_by_role("alert").filter(has_text="Not saved yet")).to_be_focused()
    expect(page.get_by_label("Name")).to_have_value("Kept")
    assert not Routine.objects.exists()


def test_a_disabled_routine_says_so_on_the_board_until_it_is_enabled(
    open_as: OpenAs, admin: Person, teammate: Person, release_notes: Routine
):
    board = open_as(teammate)
    page = open_as(admin, f"/routines/{release_notes.slug}/")
    page.get_by_role("button", name="Disable").click()
    expect(page.get_by_role("button", name="Enable")).to_be_visible()
    board.reload()
    expect(board.get_by_role("button", name="Run", exact=True)).to_be_disabled()
    expect(board.get_by_text("This routine is disabled.")).to_be_visible()
    page.get_by_role("button", name="Enable").click()
    expect(page.get_by_role("button", name="Disable")).to_be_visible()
    board.reload()
    expect(board.get_by_role("link", name="Run Release notes")).to_be_visible()


@pytest.mark.parametrize(
    ("zone", "shown", "exact"),
    [
        ("Europe/Berlin", "1 Jul {} 14:00", "14:00:00 CEST"),
        ("Asia/Tokyo", "1 Jul {} 21:00", "21:00:00 JST"),
    ],
)
def test_times_are_told_in_the_zone_of_the_browser(
    open_as: OpenAs, manager: Person, release_notes: Routine, zone, shown, exact
):
    year = timezone.now().year - 1
    noon = timezone.now().replace(year=year, month=7, day=1, hour=12, minute=0, second=0)
    create_run(routine=release_notes, ago=timezone.now() - noon)
    page = open_as(None, timezone_id=zone)
    sign_in(page, manager)
    moment = page.get_by_role("row").nth(1).get_by_role("time")
    expect(moment).to_have_text(shown.format(year))
    expect(moment).to_have_attribute("title", f"{noon:%A}, 1 July {year}, {exact}")
