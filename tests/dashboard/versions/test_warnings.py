"""Who is warned of a version, what a refusal of one leads to, and what the pages cost."""

from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from routines.models import Header, HeaderVersion, Routine
from routines.registry import version_moves
from routines.values.reasons import Reason
from tests.dashboard.browsing import Page, press, run_url
from tests.dashboard.versions.moving import (
    ADD,
    LIST,
    MAY_STOP,
    MOVE,
    NEW,
    NEWER,
    OLD,
)
from tests.factories import create_admin, create_routine, create_run, create_version

# --- Warnings ---


def test_admins_are_warned_on_the_registry_and_the_board_with_a_link(admin_client, outdated):
    first, *_ = outdated
    pages = ["/", "/routines/", run_url(first), reverse("registry_routine", args=[first.slug])]
    for url in pages:
        page = Page(admin_client.get(url))
        if url == run_url(first):
            assert not page.says(MAY_STOP), "the run form is about the text"
            continue
        assert page.says(f"Its beta version {OLD} is {MAY_STOP}."), url
        link = next(one for one in page.find("a") if one.text == "Move to another version")
        moved = Page(admin_client.get(link.attributes["href"]))
        assert moved.find("option", value=f"anthropic-beta:{NEW}", selected="")
        assert moved.chosen("routines") == [f"{routine.pk}:{OLD}" for routine in outdated]


def test_teammates_are_not_warned_for_they_cannot_mend_it(client, outdated):
    assert not Page(client.get("/")).says("may stop working")


def test_nobody_is_warned_of_supported_or_archived_routines(admin_client, routine, new):
    for value in NEWER[:2]:
        create_version(value)
    Routine.objects.update(beta_version=NEW)
    create_routine(beta_version=OLD, archived_at=timezone.now())
    for url in ("/", "/routines/"):
        assert not Page(admin_client.get(url)).says("may stop working")


def test_an_unknown_version_is_a_warning_of_its_own(admin_client):
    create_routine(api_version="2099-01-01")
    page = Page(admin_client.get("/"))
    assert page.says("Its API version 2099-01-01 is not among the known versions: may not work.")


# --- A refusal that names the version ---


def link_after_refusal(page: Page) -> list[str]:
    links = [one for one in page.find("a") if one.text.startswith("Move its routines to")]
    return [link.attributes["href"] for link in links]


def test_a_refused_version_is_recognised_and_leads_admins_to_the_move(
    admin_client, practice, three, new
):
    practice.known_betas = {NEW}
    page = Page(press(admin_client, three[0], htmx=True, text="x"))
    assert page.says("retired, mistyped or not out yet")
    [link] = link_after_refusal(page)
    assert parse_qs(urlsplit(link).query) == {"to": [f"anthropic-beta:{NEW}"], "from": [OLD]}
    moved = Page(admin_client.get(link))
    assert moved.chosen("routines") == [f"{routine.pk}:{OLD}" for routine in three]
    run = three[0].runs.get()
    assert run.reason == Reason.HEADER_VERSION
    assert link_after_refusal(Page(admin_client.get(f"/history/{run.pk}/"))) == [link]
    assert link_after_refusal(Page(admin_client.get(f"/history/{run.pk}/result/"))) == [link]


def test_a_teammate_reads_that_the_version_is_not_accepted_and_gets_no_link(
    client, teammate, routine
):
    run = create_run(routine=routine, person=teammate, reason=Reason.HEADER_VERSION)
    page = Page(client.get(f"/history/{run.pk}/"))
    assert page.says("retired, mistyped or not out yet")
    assert page.says("Ask an admin to move this routine")
    assert link_after_refusal(page) == []


def test_a_refused_api_version_without_a_newer_one_leads_to_adding_one(admin_client, routine):
    run = create_run(
        routine=routine,
        reason=Reason.HEADER_VERSION,
        error_message="anthropic-version: '2023-06-01' is not a version",
    )
    [link] = link_after_refusal(Page(admin_client.get(f"/history/{run.pk}/")))
    assert link == f"{ADD}?header=anthropic-version"
    assert Page(admin_client.get(link)).fields()["header"] == "anthropic-version"


def test_a_refused_newest_beta_version_leads_to_not_sending_it(admin_client, routine):
    run = create_run(routine=routine, reason=Reason.HEADER_VERSION, beta_version=OLD)
    [link] = link_after_refusal(Page(admin_client.get(f"/history/{run.pk}/")))
    assert Page(admin_client.get(link)).find("option", value="anthropic-beta:", selected="")


# --- How much is asked of the database ---


@pytest.mark.parametrize("url", [LIST, MOVE, "/", "/routines/"])
def test_more_routines_versions_and_moves_make_no_more_queries(admin_client, outdated, url):
    def count() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert admin_client.get(url).status_code == 200
        return len(captured)

    def move_all() -> None:
        seen = dict(Routine.objects.values_list("pk", "beta_version"))
        target = HeaderVersion.objects.filter(header=Header.BETA).latest("pk").value
        version_moves.move(Header.BETA, target, seen, by=create_admin())

    create_version("experimental-cc-routine-2026-07-01")
    move_all()
    few = count()
    for number in range(5):
        create_version(f"experimental-cc-routine-2026-08-0{number + 1}")
        create_routine(beta_version=OLD)
        move_all()
        create_routine(beta_version=OLD)
    assert count() == few
