"""The registry's list, and the page of a routine."""

from django.utils import timezone

from routines.models import Routine
from tests.dashboard.browsing import Page
from tests.dashboard.registry.registering import (
    registry_page,
)
from tests.factories import create_routine

# --- The list and a routine's page ---


def test_the_list_shows_accounts_tokens_versions_and_states(admin_client, admin):
    whole = create_routine(name="Whole")
    Routine.objects.update(token_set_by=admin)
    create_routine(name="Lacking", token=None, beta_version="", enabled=False)
    create_routine(name="Gone", archived_at=timezone.now())
    page = Page(admin_client.get("/routines/"))
    assert {link.text for link in page.find("a", href=registry_page(whole))} == {"Whole"}
    shown = [f"…{whole.token_last_four}", "by the admin", "no token", "beta not sent"]
    shown += ["enabled", "disabled", "Archived", "archived", whole.routine_id, "Platform account"]
    assert all(page.says(words) for words in shown)


def test_an_empty_registry_says_what_to_have_at_hand(admin_client):
    assert Page(admin_client.get("/routines/")).says("Have its ID and token at hand")


def test_the_page_of_a_routine_warns_that_the_text_may_be_inert(admin_client, routine):
    page = Page(admin_client.get(registry_page(routine)))
    assert page.says("<routine-fire-payload>")
    assert page.says("the text does nothing")
