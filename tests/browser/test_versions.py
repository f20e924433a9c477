"""The admin tries a new beta version on one routine, moves the rest, and goes back."""

import pytest
from playwright.sync_api import expect

from routines.models import AuditEvent, Header, Person, Routine, Run
from routines.practice_api import PracticeApi
from routines.registry import header_versions
from tests.browser.conftest import OpenAs
from tests.browser.steps import PHONE
from tests.factories import create_routine

OLD = header_versions.BETA_VERSION
NEW = "experimental-cc-routine-2026-10-01"


@pytest.fixture
def three() -> list[Routine]:
    return [create_routine(name=name, template="A text.") for name in ("First", "Second", "Third")]


def betas() -> list[str]:
    return list(Routine.objects.order_by("pk").values_list("beta_version", flat=True))


def test_three_routines_move_to_a_new_version_and_back(
    open_as: OpenAs, admin: Person, practice: PracticeApi, three: list[Routine]
):
    practice.known_betas.add(NEW)
    page = open_as(admin, "/routines/")
    page.get_by_role("link", name="Header versions").click()
    page.get_by_role("link", name="Add a version").click()
    page.get_by_label("Version", exact=True).fill(NEW)
    page.get_by_role("button", name="Add").click()
    expect(page.locator("#notice")).to_contain_text(f"{NEW} is known now.")

    page.get_by_role("link", name="Move routines").click()
    page.get_by_role("link", name="Try it on Second first").click()
    page.get_by_role("button", name="Try it now").dblclick()
    session = page.get_by_role("link", name="Open session")
    expect(session).to_be_visible()
    [run] = Run.objects.all()
    assert (run.is_trial, run.beta_version) == (True, NEW)
    expect(session).to_have_attribute("href", run.session_url)
    assert len(practice.sessions) == 1
    assert betas() == [OLD, OLD, OLD]

    page.get_by_role("button", name="Move the chosen routines").click()
    expect(page.locator("#notice")).to_contain_text("“First”, “Second”, “Third”")
    assert betas() == [NEW, NEW, NEW]
    page.get_by_role("button", name="Go back").click()
    expect(page.locator("#notice")).to_contain_text("Beta version moved back")
    expect(page.get_by_role("button", name="Go back")).to_have_count(0)
    assert betas() == [OLD, OLD, OLD]
    actions = (
        AuditEvent.objects.filter(person=admin).order_by("pk").values_list("action", flat=True)
    )
    assert list(actions) == ["version_added"] + 3 * ["version_moved"] + 3 * ["version_moved_back"]


def test_back_after_a_trial_brings_the_form_that_was_sent(
    open_as: OpenAs, admin: Person, practice: PracticeApi, three: list[Routine]
):
    page = open_as(admin, "/versions/move/?to=anthropic-beta:")
    page.get_by_role("link", name="Try it on First first").click()
    page.get_by_role("button", name="Try it now").click()
    expect(page.get_by_role("link", name="Open session")).to_be_visible()
    page.go_back()
    page.get_by_role("button", name="Try it now").click()
    expect(page.get_by_role("link", name="Open session")).to_be_visible()
    assert len(practice.sessions) == 1


def test_a_refused_version_leads_from_the_board_to_the_move(
    open_as: OpenAs, admin: Person, practice: PracticeApi, three: list[Routine]
):
    practice.known_betas.clear()
    page = open_as(admin)
    page.get_by_role("link", name="Run First").click()
    page.get_by_role("button", name="Run now").click()
    expect(page.locator(".result")).to_contain_text("retired, mistyped or not out yet")
    page.get_by_role("link", name="Move its routines to another version").click()
    expect(page.get_by_label("Move to")).to_have_value("anthropic-beta:")
    for name in ("First", "Second", "Third"):
        expect(page.get_by_role("checkbox", name=name)).not_to_be_checked()  # nobody has tried it


@pytest.mark.parametrize("path", ["/versions/", "/versions/add/", "/versions/move/", "try"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_scrolls_sideways_on_a_phone(
    open_as: OpenAs, admin: Person, three: list[Routine], path: str, scheme: str
):
    create_routine(name="W" * 80, beta_version="x" * 100)
    header_versions.add(Header.BETA, "y" * 89 + "-2026-05-01", by=admin)
    if path == "try":
        path = f"/versions/try/{three[0].slug}/?to=anthropic-beta:{'y' * 89}-2026-05-01"
    page = open_as(admin, path, viewport=PHONE, color_scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
