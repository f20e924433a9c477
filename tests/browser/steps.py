"""What people do and look for, in more than one story."""

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Locator, Page, expect

from routines.models import Person
from tests.factories import PASSWORD

PHONE = {"width": 390, "height": 844}


def sign_in(page: Page, person: Person) -> None:
    page.get_by_label("Username").fill(person.username)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def open_run_form(page: Page, name: str = "Release notes") -> Locator:
    """Press Run on the board; return where the text is typed."""
    page.get_by_role("link", name=f"Run {name}").click()
    area = text_area(page)
    expect(area).to_be_focused()
    return area


def text_area(page: Page) -> Locator:
    return page.get_by_label("Text that will be sent")


def run_now(page: Page) -> Locator:
    return page.get_by_role("button", name="Run now")


def session_link(page: Page) -> Locator:
    return page.get_by_role("link", name="Open session")


def result(page: Page, state: str) -> Locator:
    return page.get_by_role("status", name=state)


def has_focus(element: Locator) -> bool:
    focused: bool = element.evaluate("element => element === document.activeElement")
    return focused


def tab_to(page: Page, element: Locator) -> None:
    """Reach it as somebody without a mouse does."""
    for _ in range(20):
        page.keyboard.press("Tab")
        if has_focus(element):
            return
    raise AssertionError(f"Tab never reaches {element}")


@contextmanager
def no_page_load(page: Page) -> Iterator[None]:
    loads: list[str] = []

    def note(loaded: Page) -> None:
        loads.append(loaded.url)

    page.on("load", note)
    yield
    page.remove_listener("load", note)
    assert not loads, loads
