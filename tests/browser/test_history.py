"""A manager looks for runs among others: filters, Back, keys, and a session that was sent."""

from playwright.sync_api import expect

from routines.values.reasons import Reason
from tests.browser.steps import has_focus, no_page_load
from tests.factories import create_run


def test_a_manager_finds_runs(open_as, manager, teammate, release_notes):
    create_run(person=teammate, text="Something else")
    refused = create_run(
        routine=release_notes, person=teammate, reason=Reason.PAUSED, text="Deploy it"
    )
    started = create_run(routine=release_notes, person=teammate, text="Notes")
    page = open_as(manager, "/history/")
    rows = page.locator("[data-rows] tr")
    expect(rows).to_have_count(3)

    with no_page_load(page):
        page.get_by_label("Routine").select_option("Release notes")
        expect(rows).to_have_count(2)
        page.get_by_label("Refused").check()
        expect(rows).to_have_count(1)
    expect(rows).to_contain_text("Deploy it")
    expect(page).to_have_url(f"/history/?routine={release_notes.slug}&state=refused")

    page.go_back()
    expect(rows).to_have_count(2)
    expect(page.get_by_label("Refused")).not_to_be_checked()
    page.go_forward()
    expect(rows).to_have_count(1)
    expect(page.get_by_label("Refused")).to_be_checked()

    page.get_by_role("link", name="State: Refused").click()
    expect(rows).to_have_count(2)
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    page.keyboard.press("j")
    assert has_focus(rows.nth(1).get_by_role("link").first)
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"/history/{refused.pk}/")

    page.goto("/history/")
    page.keyboard.press("/")
    page.keyboard.type(f"https://claude.ai/code/{started.session_id}")
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"/history/{started.pk}/")
