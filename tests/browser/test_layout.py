"""No page scrolls sideways: on a phone, at 200 % zoom, in either colour scheme."""

from datetime import timedelta
from typing import Any, Literal

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from routines.callers import authenticating, keys, turned_away
from routines.models import Person, Routine, Run, WhyNoRun
from routines.practice_api import PracticeApi
from routines.values.reasons import Reason
from tests.browser.conftest import OpenAs
from tests.browser.console import Console
from tests.browser.steps import PHONE, open_run_form, result, run_now, text_area
from tests.factories import create_admin, create_key_and_secret, create_routine, create_run

LONG = "a-name-without-any-place-to-break-it-" * 2
ZOOMED = {"width": 640, "height": 450}  # what 1280 pixels are at 200 %

TOO_WIDE = """() => {
  const page = document.documentElement;
  if (page.scrollWidth <= page.clientWidth) return "";
  const wide = [...document.querySelectorAll("body *")]
    .filter((element) => element.getBoundingClientRect().right > page.clientWidth)
    .map((element) => `${element.tagName}.${element.className}`);
  return `${page.scrollWidth} of ${page.clientWidth} pixels: ${wide.slice(0, 5)}`;
}"""


def assert_fits(page: Page) -> None:
    assert page.evaluate(TOO_WIDE) == "", page.url


@pytest.fixture
def admin() -> Person:
    return create_admin(username=LONG[:40])


@pytest.fixture
def routine(admin: Person) -> Routine:
    """All its texts are as long as they may be and cannot be broken."""
    routine = create_routine(name=LONG[:80], template=f"{LONG * 5}\nand more", purpose=LONG)
    for reason in Reason:
        if reason != Reason.SENDING:
            create_run(
                routine=routine,
                person=admin,
                reason=reason,
                text=LONG * 5,
                error_message=LONG * 3,
                ago=timedelta(hours=2),
            )
    return routine


@pytest.mark.parametrize(
    ("viewport", "scheme"), [(PHONE, "light"), (ZOOMED, "dark")], ids=["phone-light", "zoomed-dark"]
)
def test_every_page_fits(
    open_as: OpenAs,
    admin: Person,
    routine: Routine,
    practice: PracticeApi,
    console: Console,
    scheme: Literal["light", "dark"],
    viewport: Any,
):
    how: dict[str, Any] = {"color_scheme": scheme, "viewport": viewport}
    page = open_as(admin, **how)
    slug = routine.slug
    api_key, text = create_key_and_secret(routine, name=LONG[:80], networks=["2001:db8::/128"] * 9)
    create_key_and_secret(name=LONG[:80], person=admin)
    authenticating.authenticate(text, address="2001:db8::")
    keys.replace_secret(api_key, by=admin)
    create_run(api_key=api_key, routine=routine, text=LONG * 5)
    turned_away.note(api_key, WhyNoRun.NO_IDEMPOTENCY_KEY)
    for path in (
        "/",
        f"/routines/{slug}/run/",
        "/history/",
        *(f"/history/{pk}/" for pk in Run.objects.values_list("pk", flat=True)[:3]),
        "/insight/",
        "/routines/",
        f"/routines/{slug}/",
        f"/routines/{slug}/edit/",
        f"/routines/{slug}/token/",
        f"/routines/{slug}/templates/add/",
        "/routines/register/",
        "/password/",
        "/callers/",
        "/callers/add/",
        f"/callers/{api_key.pk}/",
        f"/callers/{api_key.pk}/edit/",
        f"/callers/{api_key.pk}/revoke/",
        "/history/turned-away/",
        "/api/docs",
        "/my-keys/",
        "/my-keys/add/",
    ):
        page.goto(path)
        assert_fits(page)

    console.expect_answer(404)
    page.goto("/nothing-here/")
    expect(page.get_by_role("heading", name="There is nothing at this address")).to_be_visible()
    assert_fits(page)

    console.expect_answer(422)
    page.goto("/routines/register/details/")
    page.get_by_label("Routine ID or URL").fill(LONG)
    page.get_by_label("Name").fill(LONG)
    page.get_by_label("Whose account").fill(LONG)
    page.get_by_role("button", name="Register").click()
    expect(page.locator(".field.wrong")).to_have_count(1)
    assert_fits(page)

    page.goto("/")
    open_run_form(page, routine.name).fill("x" * 65_537)
    run_now(page).click()
    expect(page.locator(".field.wrong")).to_be_visible()
    assert_fits(page)
    text_area(page).fill(LONG)
    run_now(page).click()
    expect(result(page, "Session created")).to_be_visible()
    assert_fits(page)


@pytest.mark.parametrize("viewport", [PHONE, ZOOMED], ids=["phone", "zoomed"])
def test_a_held_card_and_the_sign_in_fit(
    open_as: OpenAs, admin: Person, routine: Routine, viewport: Any
):
    Routine.objects.update(held_until=timezone.now() + timedelta(hours=1))
    page = open_as(admin, viewport=viewport)
    expect(page.get_by_text("s left")).to_be_visible()
    assert_fits(page)
    page.locator("details.me summary").click()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    assert_fits(page)
    page.get_by_role("button", name="Sign out").click()
    page.get_by_label("Username").fill(LONG)
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert").filter(has_text="not correct")).to_be_visible()
    assert_fits(page)


def test_what_has_the_focus_is_not_hidden_under_the_frame(
    open_as: OpenAs, admin: Person, console: Console
):
    page = open_as(admin, "/routines/register/details/", viewport=PHONE)
    page.get_by_role("button", name="Register").focus()
    for _ in range(9):
        page.keyboard.press("Shift+Tab")
    hidden = page.evaluate(
        """() => document.activeElement.getBoundingClientRect().top
            < document.querySelector(".top").getBoundingClientRect().bottom"""
    )
    assert not hidden


@pytest.mark.parametrize("width", [390, 320])
def test_an_admin_has_all_pages_of_the_way_around_in_sight(
    open_as: OpenAs, admin: Person, width: int
):
    page = open_as(admin, viewport={"width": width, "height": 600})
    links = page.get_by_role("navigation", name="Pages", exact=True).get_by_role("link")
    expect(links).to_have_count(7)
    for link in links.all():
        expect(link).to_be_in_viewport(ratio=1)
