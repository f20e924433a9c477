"""axe finds nothing to object to: every kind of page, in its main states, light and dark.

A new page is one more name below; a state that takes some steps is one more test below.
"""

from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from routines.board import pins
from routines.callers import authenticating, keys, turned_away
from routines.models import ApiKey, Attempt, Outcome, Person, Routine, Run, WhyNoRun
from routines.practice_api import PracticeApi
from routines.registry import tags
from routines.runs import outcomes
from routines.values.reasons import Reason
from tests.browser.conftest import OpenAs
from tests.browser.console import Console
from tests.browser.steps import open_run_form, result, run_now
from tests.factories import create_key_and_secret, create_routine, create_run
from tests.routines.runs.firing.pressing import slots_taken

# Addresses as in dashboard/urls.py, each opened as the admin, who may open all of them.
LISTS_AND_FORMS = (
    *("board", "history", "insight", "registry", "register", "register_details", "accounts"),
    *("versions", "add_version", "move_versions", "people", "add_person", "groups", "add_group"),
    *("audit", "sign_ins", "account_change_password", "account_logout", "account_reauthenticate"),
    *("confirmed", "web_sessions", "mfa_index", "mfa_activate_totp", "mfa_add_webauthn"),
    *("callers", "add_api_key", "own_api_keys", "add_own_api_key"),
    *("calls_turned_away", "api_docs"),
)
OF_A_ROUTINE = (
    *("run", "registry_routine", "connect", "edit", "rules", "token", "token_test"),
    "add_template",
)
OF_A_RUN = ("history_run",)
OF_AN_API_KEY = ("api_key", "edit_api_key", "revoke_api_key")
OTHERS = ("/?q=nothing-like-it", "/?all", "/nothing-here/")

_axe = Axe()
_ALL = {"resultTypes": ["violations"]}  # what passed is not described, which takes time
_COLOURS = _ALL | {"runOnly": ["color-contrast"]}  # all that a colour scheme changes for axe


def assert_accessible(page: Page, name: str) -> None:
    for scheme, options in (("dark", _COLOURS), ("light", _ALL)):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # a literal
        found = _axe.run(page, options=options)
        assert found.violations_count == 0, f"{name}, {scheme}\n{found.generate_report()}"


@pytest.fixture
def routine(admin: Person) -> Routine:
    """Everything that a board, a history and a routine's page can show stands on them."""
    routine = create_routine(name="Release notes", template="Notes for version 1.")
    tags.write_tags(routine, ["release"])
    pins.pin(routine, by=admin)
    for reason in (
        Reason.SESSION_CREATED,
        Reason.NO_ANSWER,
        Reason.LIMIT_REACHED,
        Reason.WAITED_TOO_LONG,
    ):
        create_run(routine=routine, person=admin, reason=reason, ago=timedelta(hours=2))
    create_routine(name="Without a text")
    create_routine(name="Held", held_until=timezone.now() + timedelta(hours=1))
    create_routine(name="Disabled", enabled=False, template="x")
    create_routine(name="Rejected", token_rejected_since=timezone.now(), template="x")
    return routine


@pytest.fixture
def run(routine: Routine, admin: Person) -> Run:
    run = create_run(routine=routine, person=admin, text="As it was sent.", ago=timedelta(hours=1))
    outcomes.mark(run, Outcome.USEFUL, by=admin)
    return outcomes.describe(run, note="Merged.", link="https://github.com/x/y/pull/1", by=admin)


@pytest.fixture
def api_key(routine: Routine, admin: Person) -> ApiKey:
    """All that its page can show, in the list beside those of every other state."""
    Routine.objects.filter(pk=routine.pk).update(confirmation="confirm", asks_why=True)
    api_key, text = create_key_and_secret(
        *Routine.objects.all(), tags=[routine.tags.get()], networks=["127.0.0.0/8"], hourly_cap=1
    )
    keys.replace_secret(api_key, by=admin)
    authenticating.authenticate(text, address="127.0.0.1")
    for reason in (Reason.SESSION_CREATED, Reason.LIMIT_REACHED, Reason.ACCEPTED):
        create_run(routine=routine, api_key=api_key, reason=reason, intent="x")
    turned_away.note(api_key, WhyNoRun.NOT_OPEN)
    create_key_and_secret(routine, expires_at=timezone.now())
    create_key_and_secret(person=admin)
    keys.revoke(create_key_and_secret(routine)[0], by=admin)
    return api_key


def test_every_kind_of_page(
    open_as: OpenAs, admin: Person, routine: Routine, run: Run, api_key: ApiKey, console: Console
):
    console.expect_answer(404)
    page = open_as(admin)
    addresses = [
        *map(reverse, LISTS_AND_FORMS),
        *(reverse(name, args=[routine.slug]) for name in OF_A_ROUTINE),
        *(reverse(name, args=[run.pk]) for name in OF_A_RUN),
        *(reverse(name, args=[api_key.pk]) for name in OF_AN_API_KEY),
        *OTHERS,
    ]
    for address in addresses:
        page.goto(address)
        assert_accessible(page, address)


def test_the_board_from_the_open_form_to_the_marked_result(
    open_as: OpenAs,
    admin: Person,
    routine: Routine,
    practice: PracticeApi,
    console: Console,
):
    console.expect_answer(422)
    page = open_as(admin)
    page.get_by_text("How did your last runs go?").click()
    assert_accessible(page, "the reminder")
    page.get_by_role("button", name="Keys").click()
    assert_accessible(page, "the sheet of keys")
    page.keyboard.press("Escape")
    open_run_form(page).fill("x" * 65_537)
    assert_accessible(page, "the open form")
    run_now(page).first.click()
    expect(page.locator(".field.wrong")).to_be_visible()
    assert_accessible(page, "the refused form")
    page.get_by_label("Text that will be sent").fill("Short enough.")
    run_now(page).first.click()
    shown = result(page, "Session created")
    expect(shown).to_be_visible()
    assert_accessible(page, "the result")
    for outcome in ("Useful", "Not useful", "Failed"):
        button = shown.get_by_role("button", name=outcome, exact=True)
        button.click()
        expect(button).to_have_attribute("aria-pressed", "true")
        assert_accessible(page, outcome)
    shown.get_by_text("Add a note or a link").click()
    shown.get_by_label("Link").fill("#7")
    shown.get_by_role("button", name="Save").click()
    expect(page.get_by_text("beginning with https://")).to_be_visible()
    assert_accessible(page, "the refused link")


def test_a_run_that_waits(open_as: OpenAs, admin: Person, console: Console):
    console.expect_answer(422)
    plain = create_routine(name="Plain")
    page = open_as(admin)
    with slots_taken(settings.PRESSES_IN_FLIGHT):
        page.get_by_role("button", name="Run Plain now").click()
        expect(result(page, "Waiting")).to_be_visible()
        assert_accessible(page, "the card that waits")
        page.get_by_role("button", name="Run Plain now").click()
        expect(page.get_by_text("Run a second one?")).to_be_visible()
        assert_accessible(page, "the question before another run")
    waits = Run.objects.get(routine=plain)
    page.goto(reverse("history_run", args=[waits.pk]))
    assert_accessible(page, "its page")
    page.get_by_role("button", name="Cancel").click()
    expect(result(page, "Not sent")).to_be_visible()
    assert_accessible(page, "its page, once it is cancelled")
    create_routine(name="Held, too", held_until=timezone.now() + timedelta(hours=1))
    page.goto("/")
    page.get_by_role("button", name="Run Held, too now").press("Enter")
    page.locator("#waits_out-held-too").check()
    page.get_by_role("button", name="Run Held, too now").click()
    expect(page.get_by_text("Waits until the hold ends")).to_be_visible()
    assert_accessible(page, "the card that waits for the end of a hold")


def test_the_attempts_of_a_run(open_as: OpenAs, admin: Person):
    run = create_run(reason=Reason.NEXT_ATTEMPT, person=admin, attempt=2)
    for number in (1, 2):
        Attempt.objects.create(
            run=run,
            number=number,
            ended_at=timezone.now(),
            reason=Reason.OVERLOADED,
            http_status=529,
            request_id=f"req_{number}",
        )
    page = open_as(admin, reverse("history_run", args=[run.pk]))
    expect(page.get_by_role("heading", name="Attempts")).to_be_visible()
    assert_accessible(page, "attempts")


def test_pages_of_somebody_who_is_not_signed_in(open_as: OpenAs, db: None):
    page = open_as(None)
    assert_accessible(page, "sign-in")
    page.get_by_label("Username").fill("nobody")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("alert").filter(has_text="not correct")).to_be_visible()
    assert_accessible(page, "the refused sign-in")
