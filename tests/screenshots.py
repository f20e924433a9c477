"""Pictures of the running demo: `make screenshots`, with `make demo` running beside it.

Every page in light and dark, wide and narrow, into var/screenshots; docs/board.png is one of them.
"""

import argparse
import shutil
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

FOLDER = Path("var/screenshots")
README_PICTURE = Path("docs/board.png")
PASSWORD = "practice-runs-only"
SIZES = {"wide": (1280, 900), "narrow": (390, 844)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", default="http://127.0.0.1:8000")
    url = parser.parse_args().url
    FOLDER.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium") or shutil.which("google-chrome"),
            args=["--no-sandbox", "--disable-dev-shm-usage"],
        )
        for scheme in ("light", "dark"):
            for size, (width, height) in SIZES.items():
                take_all(browser, url, scheme, size, width, height)
        browser.close()
    shutil.copy(FOLDER / "board-result-light-wide.png", README_PICTURE)
    print(f"{len(list(FOLDER.glob('*.png')))} pictures in {FOLDER}, and {README_PICTURE}")


def take_all(browser: Browser, url: str, scheme: str, size: str, width: int, height: int) -> None:
    def page_of(username: str) -> Page:
        context = browser.new_context(
            base_url=url,
            color_scheme=scheme,  # type: ignore[arg-type]
            viewport={"width": width, "height": height},
            timezone_id="Europe/Berlin",
        )
        page = context.new_page()
        page.goto("/sign-in/")
        if username == "teammate":
            take(page, "sign-in")
        page.get_by_label("Username").fill(username)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_load_state()
        return page

    def take(page: Page, name: str) -> None:
        page.evaluate("scrollTo(0, 0)")  # or the frame stands in the middle of the picture
        page.screenshot(path=FOLDER / f"{name}-{scheme}-{size}.png", full_page=True)

    teammate = page_of("teammate")
    take(teammate, "board")
    teammate.get_by_text("How did your last runs go?").click()
    take(teammate, "board-reminders")
    teammate.get_by_text("How did your last runs go?").click()
    teammate.get_by_role("button", name="Keys").click()
    teammate.screenshot(path=FOLDER / f"board-keys-{scheme}-{size}.png")
    teammate.keyboard.press("Escape")
    teammate.get_by_role("link", name="Run Release notes").click()
    teammate.get_by_label("Text that will be sent").fill("Notes for the week, grouped by team.")
    take(teammate, "board-open")
    teammate.get_by_role("button", name="Run now").click()
    teammate.get_by_role("link", name="Open session").first.wait_for()
    take(teammate, "board-result")
    marked = teammate.locator(".result").get_by_role("button", name="Useful", exact=True)
    marked.click()
    teammate.locator(".result [aria-pressed=true]").wait_for()
    teammate.locator(".result").get_by_text("Add a note or a link").click()
    take(teammate, "board-marked")

    manager = page_of("manager")
    take(manager, "history")
    manager.get_by_role("row").nth(1).get_by_role("link").first.click()
    manager.wait_for_load_state()
    take(manager, "run")
    manager.goto("/history/")
    manager.locator("tr", has=manager.locator(".state.unknown")).first.get_by_role(
        "link"
    ).first.click()
    manager.wait_for_load_state()
    take(manager, "run-unknown")

    manager.goto("/insight/?days=90")
    take(manager, "insight")

    admin = page_of("admin")
    admin.goto("/routines/")
    take(admin, "registry")
    admin.locator("td a").first.click()
    admin.wait_for_load_state()
    take(admin, "routine")
    admin.goto("/routines/register/")
    take(admin, "register")
    admin.get_by_label("What claude.ai shows").fill("routine_42")
    admin.get_by_role("button", name="Read it").click()
    admin.get_by_role("alert").last.wait_for()
    take(admin, "register-refused")

    own = ("second-factor", "second-factor/app", "web-sessions", "routines/release-notes/mine")
    of_a_routine = ("edit", "rules", "token", "templates/add")
    for name in (
        *own,
        *(f"routines/alert-triage/{page}" for page in of_a_routine),
        *(
            "versions",
            "people",
            "people/1",
            "people/add",
            "people/groups",
            "audit",
            "audit/sign-ins",
            "accounts",
            "callers",
            "callers/add",
            "history/turned-away",
            "callers/1",
            "callers/1/revoke",
            "my-keys",
            "my-keys/add",
        ),
    ):
        admin.goto(f"/{name}/")
        take(admin, name.replace("/", "-"))


if __name__ == "__main__":
    main()
