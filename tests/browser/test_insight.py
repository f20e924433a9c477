"""The manager sees that one routine is refused more than the others, and looks at those runs."""

import re
from copy import copy
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from routines.insight import changes
from routines.models import Person, Routine, RunChange
from routines.values.reasons import Reason
from tests.browser.conftest import OpenAs
from tests.browser.steps import PHONE
from tests.factories import create_routine, create_run


@pytest.fixture
def refused(teammate: Person, release_notes: Routine) -> Routine:
    """A routine that is refused more often than the other."""
    refused = create_routine(name="Deploy verification")
    for routine, refusals in ((release_notes, 1), (refused, 3)):
        for number in range(refusals):
            create_run(
                routine=routine,
                person=teammate,
                reason=Reason.TOKEN_REJECTED,
                ago=timedelta(hours=26 * number),
            )
        for number in range(4):
            create_run(
                routine=routine, person=teammate, ago=timedelta(hours=20 * number), duration_ms=900
            )
    return refused


def test_a_bar_leads_to_the_runs_behind_it(open_as: OpenAs, manager: Person, refused: Routine):
    page = open_as(manager, "/insight/?days=7")
    section = page.get_by_role("region", name="Refused, by routine")
    first = section.get_by_role("row").nth(1)
    expect(first).to_contain_text("Deploy verification")
    expect(first).to_contain_text("43 %")
    first.locator("svg a").click()
    expect(page).to_have_url(re.compile(r"/history/\?.*routine=deploy-verification"))
    runs = page.locator("table.runs tbody tr")
    expect(runs).to_have_count(3)
    for number in range(3):
        expect(runs.nth(number)).to_contain_text("Deploy verification")
        expect(runs.nth(number)).to_contain_text("Refused")


def test_a_day_of_the_chart_leads_to_the_runs_of_that_day(
    open_as: OpenAs, manager: Person, refused: Routine
):
    page = open_as(manager, "/insight/?days=7")
    page.get_by_role("region", name="Runs per day").locator("a > rect.refused").last.click()
    expect(page.locator("table.runs tbody tr")).to_have_count(2)


def test_on_a_phone_the_table_is_within_reach_of_the_keyboard(
    open_as: OpenAs, manager: Person, refused: Routine
):
    page = open_as(manager, "/insight/", viewport=PHONE)
    section = page.get_by_role("region", name="Runs per day")
    section.get_by_text("As a table").press("Enter")
    expect(section.get_by_role("link", name="2").first).to_be_visible()


def test_a_page_whose_numbers_are_behind_shows_the_new_ones_by_itself(
    open_as: OpenAs, manager: Person, refused: Routine
):
    change = RunChange.objects.latest("pk")
    change.pk = None
    RunChange.objects.bulk_create([copy(change) for _ in range(changes.STEP + 1)])
    page = open_as(manager, "/insight/?days=7")
    expect(page.get_by_text("Counted up to")).to_be_visible()
    expect(page.get_by_text("Counted up to")).to_be_hidden(timeout=15_000)  # it looks each 5 s
    expect(page.get_by_role("heading", name="Insight")).to_be_visible()
