"""A passkey, with Chromium's virtual authenticator: set up because one must, then signed in by."""

from typing import Any

from playwright.sync_api import CDPSession, Page, expect

from routines.models import Person
from tests.browser.conftest import OpenAs
from tests.browser.console import Console
from tests.browser.steps import sign_in


def add_authenticator(page: Page) -> CDPSession:
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {"protocol": "ctap2", "transport": "internal", "hasUserVerification": True}
    options |= {"isUserVerified": True, "automaticPresenceSimulation": True}
    session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return session


def test_an_admin_who_must_sets_up_a_passkey_and_signs_in_with_it(
    open_as: OpenAs, admin: Person, settings: Any
):
    settings.REQUIRE_SECOND_FACTOR = "admins"
    page = open_as(None)
    add_authenticator(page)
    sign_in(page, admin)
    expect(page.get_by_text("You need a second factor before anything else opens")).to_be_visible()
    page.get_by_role("link", name="Add a passkey").click()
    page.get_by_label("Name").fill("This laptop")
    page.get_by_role("button", name="Add it").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    page.get_by_role("link", name="I have kept them").click()
    expect(page.get_by_role("link", name="Registry")).to_be_visible()

    page.locator("summary").click()
    page.get_by_role("button", name="Sign out").click()
    sign_in(page, admin)
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("link", name="Registry")).to_be_visible()

    page.goto("/second-factor/passkeys/confirm/?next=/history/")
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url("**/history/")


def test_a_passkey_that_was_not_given_is_said(open_as: OpenAs, admin: Person, console: Console):
    page = open_as(admin, "/second-factor/passkeys/add/")
    page.evaluate(
        "() => { navigator.credentials.create = async () => { throw new Error('no'); }; }"
    )
    page.get_by_role("button", name="Add it").click()
    expect(page.get_by_role("status").filter(has_text="No passkey came of it")).to_be_visible()
    expect(page.get_by_role("button", name="Add it")).to_be_enabled()
