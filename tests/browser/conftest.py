"""Real Chromium on a live server, with the practice API behind it. Any console error fails."""

import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import BrowserContext, Page, expect

from routines.models import Person, Routine
from tests.browser.console import Console
from tests.factories import create_admin, create_manager, create_routine, create_teammate

TIMEOUT = 30_000  # milliseconds, to end a test that failed; what is slow shows in the durations
expect.set_options(timeout=TIMEOUT)

OpenAs = Callable[..., Page]


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        pytest.fail(
            "No Chromium on this machine: apt install chromium, or leave these tests out with "
            "-m 'not browser'",
            pytrace=False,
        )
    nowhere_else = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1"
    return {
        "executable_path": chromium,
        "args": ["--no-sandbox", "--disable-dev-shm-usage", nowhere_else],
    }


@pytest.fixture(scope="session")
def base_url(live_server: Any) -> str:
    """Where all pages are, as pytest-playwright asks for it."""
    url: str = live_server.url
    return url


@pytest.fixture(autouse=True)
def real_commits(transactional_db: None, practice: Any) -> None:
    """The live server's threads see what a test has stored; a fire goes to the practice API."""


@pytest.fixture
def console() -> Iterator[Console]:
    """What the consoles of all pages of a test say. Nothing but the expected may stand there."""
    console = Console()
    yield console
    console.check()


@pytest.fixture
def open_as(new_context: Callable[..., BrowserContext], base_url: str, console: Console) -> OpenAs:
    """Open a page signed in as somebody; `options` are those of a browser context."""

    def open_page(person: Person | None, path: str = "/", **options: Any) -> Page:
        options = {"timezone_id": "Europe/Berlin"} | options
        context = new_context(**options)
        context.set_default_timeout(TIMEOUT)
        context.on("console", console.hear)
        context.on("weberror", lambda error: console.said.append(str(error.error)))
        if person is not None:
            client = Client()
            client.force_login(person)
            # As after the sign-in page, which has told the browser's zone as well: else a day of
            # the first page would be another than that of the next, late in the evening.
            told = {"sessionid": client.cookies["sessionid"].value}
            told["time_zone"] = options["timezone_id"]
            context.add_cookies(
                [{"name": name, "value": it, "url": base_url} for name, it in told.items()]
            )
        page = context.new_page()
        page.goto(path)
        return page

    return open_page


@pytest.fixture
def teammate() -> Person:
    return create_teammate(username="teammate")


@pytest.fixture
def manager() -> Person:
    return create_manager(username="manager")


@pytest.fixture
def admin() -> Person:
    return create_admin(username="admin")


@pytest.fixture
def release_notes() -> Routine:
    return create_routine(name="Release notes", template="Notes for version 1.")
