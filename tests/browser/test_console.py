"""The suite's own ears: what fails each of the other tests when it happens there."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenAs
from tests.browser.console import Console

INLINE_SCRIPT = """() => {
  const script = document.createElement("script");
  script.textContent = "document.title = 'inline'";
  document.body.append(script);
}"""


def test_an_inline_script_does_not_run_and_is_heard(open_as: OpenAs, console: Console):
    console.expect("Executing inline script violates the following Content Security Policy")
    page = open_as(None)
    page.evaluate(INLINE_SCRIPT)
    expect(page).to_have_title("Sign in · Routines")


def test_an_exception_is_heard(open_as: OpenAs, console: Console):
    console.expect("thrown")
    page = open_as(None)
    with page.context.expect_event("weberror"):
        page.evaluate("setTimeout(() => { throw 'thrown' })")


def test_what_nobody_expected_is_an_error():
    console = Console()
    console.said = ["Failed to load resource: the server responded with a status of 500"]
    console.expect_answer(404)
    with pytest.raises(AssertionError, match="500"):
        console.check()
    console.said = []
    with pytest.raises(AssertionError, match="404"):
        console.check()


def test_the_browser_reaches_nothing_but_this_machine(open_as: OpenAs):
    page = open_as(None)
    with pytest.raises(Exception, match="ERR_NAME_NOT_RESOLVED"):
        page.goto("https://claude.ai/code")
