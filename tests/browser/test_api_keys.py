"""Making an API key in a browser: finding its routines, and taking its secret along."""

from contextlib import suppress

from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Page, expect

from routines.callers import authenticating
from routines.models import ApiKey, Person
from tests.browser.conftest import OpenAs
from tests.browser.steps import PHONE
from tests.browser.test_axe import assert_accessible
from tests.browser.test_layout import assert_fits
from tests.factories import create_routine


def make_key(page: Page) -> None:
    page.goto("/callers/add/")
    page.get_by_label("Name of the caller").fill("Pipeline")


def test_a_routine_is_found_among_hundreds_and_the_secret_is_copied(open_as: OpenAs, admin: Person):
    for number in range(120):
        create_routine(name=f"Routine {number:03}")
    page = open_as(admin, permissions=["clipboard-read", "clipboard-write"])
    make_key(page)
    page.get_by_label("Routine 007").check()
    page.get_by_label("Find in: routines").fill("11")
    expect(page.get_by_label("Routine 110")).to_be_visible()
    expect(page.get_by_label("Routine 042")).to_be_hidden()
    expect(page.get_by_label("Routine 007"), "what is ticked stays in sight").to_be_visible()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Make an API key")).to_be_visible()
    page.get_by_label("Routine 110").check()
    assert_accessible(page, "the narrowed list")
    page.get_by_role("button", name="Make the key").click()
    page.get_by_role("button", name="Copy the header").click()
    expect(page.get_by_text("Copied.")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    scheme, secret = copied.rsplit(" ", 1)
    assert scheme == "Authorization: Bearer"
    api_key = authenticating.authenticate(secret, address=None)
    assert [one.name for one in api_key.routines.all()] == ["Routine 007", "Routine 110"]
    assert_accessible(page, "the secret")
    page.get_by_role("link", name="Done").click()
    assert secret not in page.content()


def test_the_secret_fits_a_phone_and_a_click_selects_it_whole(
    open_as: OpenAs, admin: Person
) -> None:
    create_routine(name="Release notes")
    page = open_as(admin, viewport=PHONE, java_script_enabled=False)
    make_key(page)
    page.get_by_label("Release notes").check()
    page.get_by_role("button", name="Make the key").click()
    expect(page.get_by_text("It is shown this once")).to_be_visible()
    expect(page.get_by_role("button", name="Copy the secret")).to_be_hidden()
    assert page.locator("#secret").evaluate("(it) => getComputedStyle(it).userSelect") == "all"
    assert_fits(page)
    assert ApiKey.objects.count() == 1


def test_back_does_not_show_the_secret_again(open_as: OpenAs, admin: Person) -> None:
    create_routine(name="Release notes")
    page = open_as(admin)
    make_key(page)
    page.get_by_label("Release notes").check()
    page.get_by_role("button", name="Make the key").click()
    secret = page.locator("#secret").inner_text()
    page.get_by_role("link", name="Done").click()
    expect(page.get_by_role("heading", name="Pipeline")).to_be_visible()
    with suppress(PlaywrightError):  # the browser keeps no copy, and asks before it posts again
        page.go_back()
    expect(page.get_by_role("heading", name="Pipeline")).to_have_count(0)
    page.wait_for_load_state()
    assert secret not in page.content()
    assert ApiKey.objects.count() == 1
