"""A draft comes back into the form that it was typed into, to its person, and nowhere else."""

import pytest
from django.contrib.sessions.models import Session as SignIn
from playwright.sync_api import Locator, Page, expect

from routines import registry
from routines.models import Person, Routine
from tests.browser.conftest import OpenAs
from tests.browser.console import HTMX_GOT_NO_ANSWER, Console
from tests.browser.steps import open_run_form, sign_in, text_area
from tests.factories import create_routine, create_teammate

TYPED = "Typed for long."
STORED = "Object.values(localStorage).join()"


@pytest.fixture
def two_routines(db: None) -> None:
    for name in ("First routine", "Second routine"):
        routine = create_routine(name=name, template=f"Of the {name}.", asks_why=True)
        registry.add_template(routine, name="Yet another", body="Another.", by=None)


def form_of(page: Page, name: str) -> Locator:
    page.get_by_role("link", name=f"Run {name}").click()
    return page.get_by_role("region", name=name)


def text_of(form: Locator) -> Locator:
    return form.get_by_label("Text that will be sent")


def type_draft(page: Page) -> None:
    """In an open form."""
    text_area(page).fill(TYPED)
    assert TYPED in page.evaluate(STORED)


def test_a_draft_whose_form_does_not_come_lands_in_no_other_routines_form(
    open_as: OpenAs, teammate: Person, two_routines: None, console: Console
):
    console.expect("Failed to load resource: net::ERR_FAILED", *HTMX_GOT_NO_ANSWER)
    page = open_as(teammate)
    form_of(page, "First routine").get_by_label("Text template").select_option("Yet another")
    expect(text_area(page)).to_have_value("Another.")
    type_draft(page)
    page.reload()
    page.route("**/first-routine/run/?template=**", lambda route: route.abort())
    form_of(page, "First routine")
    expect(page.get_by_text("The dashboard did not answer.")).to_be_visible()
    second = form_of(page, "Second routine")
    expect(text_of(second)).to_have_value("Of the Second routine.")
    page.unroute("**/first-routine/run/?template=**")
    page.reload()
    expect(text_of(form_of(page, "First routine"))).to_have_value(TYPED)


def test_what_was_to_be_carried_to_another_template_lands_in_no_other_routines_form(
    open_as: OpenAs, teammate: Person, two_routines: None, console: Console
):
    console.expect("Failed to load resource: net::ERR_FAILED", *HTMX_GOT_NO_ANSWER)
    page = open_as(teammate)
    first = form_of(page, "First routine")
    first.get_by_label("Why").fill("Of the first alone.")
    page.route("**/first-routine/run/?template=**", lambda route: route.abort())
    first.get_by_label("Text template").select_option("Yet another")
    expect(page.get_by_text("The dashboard did not answer.")).to_be_visible()
    second = form_of(page, "Second routine")
    expect(text_of(second)).to_have_value("Of the Second routine.")
    expect(second.get_by_label("Why")).to_have_value("")


def test_a_draft_is_not_there_for_the_next_person_on_the_machine(
    open_as: OpenAs, teammate: Person, release_notes: Routine
):
    page = open_as(teammate)
    open_run_form(page)
    type_draft(page)
    SignIn.objects.all().delete()  # nobody signed out
    other = page.context.new_page()
    other.goto("/")
    assert TYPED in other.evaluate(STORED), "the same person would find it"
    sign_in(other, create_teammate(username="a colleague"))
    open_run_form(other)
    expect(text_area(other)).to_have_value("Notes for version 1.")
    assert TYPED not in other.evaluate(STORED)
    text_area(page).press_sequentially("And more, in the tab that was left open.")
    assert other.evaluate("localStorage.length") == 0


def test_a_draft_does_not_come_back_after_signing_out_be_it_by_another_tab_or_by_back(
    open_as: OpenAs, teammate: Person, release_notes: Routine
):
    page = open_as(teammate, "/routines/release-notes/run/")
    left_open = page.context.new_page()
    left_open.goto("/routines/release-notes/run/")
    type_draft(page)
    page.locator("summary", has_text=teammate.username).click()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/sign-in/**")
    text_area(left_open).fill(TYPED)
    assert page.evaluate("localStorage.length") == 0
    page.go_back()
    expect(page.get_by_label("Password")).to_be_visible()
    expect(text_area(page)).to_have_count(0)


def test_a_draft_is_deleted_after_a_week_whoever_comes(
    open_as: OpenAs, teammate: Person, release_notes: Routine
):
    page = open_as(teammate)
    open_run_form(page)
    type_draft(page)
    page.evaluate("""() => {
        const [name, whole] = Object.entries(localStorage)[0];
        const weekAgo = Date.now() - 7 * 86400000;
        localStorage.setItem(name, JSON.stringify({ ...JSON.parse(whole), at: weekAgo }));
    }""")
    SignIn.objects.all().delete()
    page.goto("/")
    expect(page.get_by_label("Password")).to_be_visible()
    assert page.evaluate("localStorage.length") == 0
