"""The Connect tab, by keyboard and without scripts."""

from django.urls import reverse
from playwright.sync_api import expect

from dashboard.connect import snippets
from routines.models import ApiKey, Person, Routine
from tests.browser.conftest import OpenAs


def test_a_key_is_made_and_a_text_copied_without_a_mouse(
    open_as: OpenAs, teammate: Person, release_notes: Routine
):
    address = reverse("connect", args=[release_notes.slug])
    page = open_as(teammate, address, permissions=["clipboard-read", "clipboard-write"])
    page.locator("summary", has_text="Make a key for this routine").focus()
    page.keyboard.press("Enter")
    page.get_by_label("Name of the caller").fill("My pipeline")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="The key “My pipeline” was made")).to_be_focused()
    page.locator("#make > summary").focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Copy the text for Makefile").press("Enter")
    expect(page.locator("#make").get_by_text("Copied.")).to_be_visible()
    [text] = [one.text for one in snippets.of(release_notes) if one.name == "make"]
    assert "\t@test" in text
    assert page.evaluate("navigator.clipboard.readText()") == text
    # One text at a time is open, so none is far away.
    expect(page.locator("details.snippet[open]")).to_have_count(1)
    assert ApiKey.objects.get().person == teammate


def test_without_scripts_all_is_there_and_no_button_is_dead(
    open_as: OpenAs, teammate: Person, release_notes: Routine
):
    address = reverse("connect", args=[release_notes.slug])
    page = open_as(teammate, address, java_script_enabled=False)
    page.locator("#gitlab > summary").click()
    expect(page.get_by_role("group", name="GitLab CI", exact=True)).to_be_visible()
    expect(page.locator("button[data-copies]").locator("visible=true")).to_have_count(0)
    page.get_by_text("Make a key for this routine").click()
    page.get_by_label("Name of the caller").fill("By hand")
    page.get_by_role("button", name="Make the key").click()
    expect(page.locator("#secret")).to_contain_text("rdk_")
