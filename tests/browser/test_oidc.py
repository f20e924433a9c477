"""Signing in at a real OpenID provider, from settings alone: in the browser, there and back."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from routines.models import Person, Routine
from routines.practice_api import PracticeApi
from tests.browser.conftest import OpenAs
from tests.browser.console import Console
from tests.dashboard.registry.registering import NEW_ID, command

BUTTON = "Sign in with the company account"
ADA = {"preferred_username": "ada", "name": "Ada Admin", "groups": ["claude-admins"]}


class Provider:
    def __init__(self, url: str) -> None:
        self.url = url

    def say(self, page: Page, sub: str, claims: dict[str, Any]) -> None:
        """What it will say of somebody from now on."""
        page.request.put(f"{self.url}/users/{sub}", data=claims)

    def visit(self, page: Page) -> None:
        """Go to its page, which would load its looks from elsewhere."""
        page.route("https://cdn.jsdelivr.net/**", lambda route: route.fulfill(body=""))
        page.route("**/favicon.ico", lambda route: route.fulfill(body=""))
        page.get_by_role("button", name=BUTTON).click()
        expect(page.get_by_role("heading", name="Authorize Client")).to_be_visible()

    def sign_in(self, page: Page, sub: str) -> None:
        self.visit(page)
        page.get_by_placeholder("sub").fill(sub)
        page.get_by_role("button", name="Authorize").click()


@pytest.fixture(scope="module")
def provider_url() -> Iterator[str]:
    """A process of its own: what it warns about is no matter of ours."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "oidc_provider_mock", "--port", str(port)]
    command += ["--require-nonce", "true"]
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "running on" in line:
                break
        yield f"http://127.0.0.1:{port}"  # another site than the dashboard's, to the browser
        process.terminate()


@pytest.fixture
def provider(settings: Any, base_url: str, provider_url: str) -> Provider:
    settings.OIDC_ISSUER = provider_url
    settings.OIDC_CLIENT_ID, settings.OIDC_CLIENT_SECRET = "dashboard", "its secret"
    settings.DASHBOARD_URL = base_url
    directives = settings.CONTENT_SECURITY_POLICY["DIRECTIVES"]
    form_action = [*directives["form-action"], provider_url]
    settings.CONTENT_SECURITY_POLICY = {"DIRECTIVES": directives | {"form-action": form_action}}
    return Provider(provider_url)


def test_an_admin_of_the_provider_registers_a_routine_signs_out_and_comes_back_with_less(
    open_as: OpenAs, provider: Provider, practice: PracticeApi, console: Console
):
    page = open_as(None)
    provider.say(page, "1", ADA)
    provider.sign_in(page, "1")
    expect(page.locator("summary")).to_have_text("Ada Admin")
    page.get_by_role("link", name="Register the first one").click()
    page.get_by_label("What claude.ai shows").fill(command(token=practice.token_for(NEW_ID)))
    page.get_by_role("button", name="Read it").click()
    page.get_by_label("Name").fill("Registered by Ada")
    page.get_by_label("Whose account").fill("Platform team")
    page.get_by_role("button", name="Register").click()
    expect(page.get_by_role("heading", name="Registered by Ada is registered")).to_be_visible()
    assert Routine.objects.get().created_by == Person.objects.get()

    page.locator("summary").click()
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("button", name="End session").click()  # at the provider
    expect(page.get_by_role("button", name=BUTTON)).to_be_visible()

    provider.say(page, "1", ADA | {"groups": ["claude-teammates"]})
    provider.sign_in(page, "1")
    expect(page.get_by_role("button", name="Run Registered by Ada now")).to_be_visible()
    expect(page.get_by_role("link", name="Registry")).to_have_count(0)


def test_somebody_without_a_group_sees_whom_to_ask(
    open_as: OpenAs, provider: Provider, console: Console
):
    console.expect_answer(403)
    page = open_as(None)
    provider.say(page, "2", {"groups": ["everybody"]})
    provider.sign_in(page, "2")
    expect(page.get_by_role("heading", name="You have no access here yet")).to_be_visible()
    expect(page.get_by_role("cell", name="claude-admins")).to_be_visible()
    assert not Person.objects.exists()


def test_saying_no_at_the_provider_leads_back(
    open_as: OpenAs, provider: Provider, console: Console
):
    console.expect_answer(401)
    page = open_as(None)
    provider.visit(page)
    page.get_by_role("button", name="Deny").click()
    expect(page.get_by_role("heading", name="Nobody was signed in")).to_be_visible()
    page.get_by_role("link", name="Start again").click()
    expect(page.get_by_role("button", name=BUTTON)).to_be_visible()
