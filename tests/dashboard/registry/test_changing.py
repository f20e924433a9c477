"""Editing, switching and archiving a routine, and the trail of it."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from routines.models import Account, AuditEvent, Routine
from routines.registry import header_versions
from tests.dashboard.browsing import Page, press_button, run_url, save, signed_in
from tests.dashboard.registry.registering import actions, registry_page
from tests.factories import create_admin, create_routine


def test_an_edit_is_stored_and_traced_field_by_field(admin_client, routine, admin):
    url = reverse("edit", args=[routine.slug])
    fields = Page(admin_client.get(url)).fields()
    response = admin_client.post(
        url, fields | {"name": "Renamed", "account": "Another", "beta_version": ""}, follow=True
    )
    assert Page(response).says("The changes are saved.")
    routine.refresh_from_db()
    assert (routine.name, routine.account.label, routine.beta_version) == ("Renamed", "Another", "")
    event = AuditEvent.objects.get(action="routine_edited")
    assert event.person == admin
    assert event.changes == {
        "name": ["Release notes", "Renamed"],
        "account": ["Platform account", "Another"],
        "beta_version": [header_versions.BETA_VERSION, ""],
    }


def test_saving_without_a_change_leaves_no_trace(admin_client, routine):
    url = reverse("edit", args=[routine.slug])
    fields = Page(admin_client.get(url)).fields()
    assert admin_client.post(url, fields).status_code == 302
    assert "routine_edited" not in actions()


def test_a_refused_edit_keeps_what_was_typed_and_changes_nothing(admin_client, routine, filled_in):
    url = reverse("edit", args=[routine.slug])
    response = admin_client.post(url, filled_in | {"name": "", "purpose": "Typed for long."})
    page = Page(response)
    assert response.status_code == 422
    assert page.find("input", name="purpose")[0].attributes["value"] == "Typed for long."
    assert page.find("h1")[0].text == "Edit Release notes"


@pytest.mark.parametrize(
    ("name", "before", "field", "after", "action"),
    [
        ("disable", {"enabled": True}, "enabled", False, "routine_disabled"),
        ("enable", {"enabled": False}, "enabled", True, "routine_enabled"),
        ("archive", {}, "is_archived", True, "routine_archived"),
        ("restore", {"archived_at": timezone.now()}, "is_archived", False, "routine_restored"),
    ],
)
def test_a_switch_is_thrown_once_and_traced_once(
    admin_client, admin, name, before, field, after, action
):
    routine = create_routine(**before)
    url = reverse(name, args=[routine.slug])
    shown = Page(admin_client.get(registry_page(routine))).fields(url)
    assert admin_client.post(url, shown).headers["Location"] == registry_page(routine)
    again = admin_client.post(url, shown)
    assert Page(again).says("This was changed since you opened the page.")
    admin_client.post(url, Page(again).fields(url))
    routine = Routine.objects.get()
    assert getattr(routine, field) is after
    assert AuditEvent.objects.get(action=action).person == admin


def test_an_archived_routine_offers_to_be_restored_and_nothing_that_runs(admin_client):
    routine = create_routine(archived_at=timezone.now())
    page = Page(admin_client.get(registry_page(routine)))
    assert page.find("form", action=reverse("restore", args=[routine.slug]))
    assert not page.find("a", href=run_url(routine))


def test_lifting_a_hold_frees_the_routine_and_its_account(admin_client, admin, routine):
    until = timezone.now() + timedelta(hours=1)
    Routine.objects.update(held_until=until)
    Account.objects.update(held_until=until)
    assert Page(admin_client.get(registry_page(routine))).says("On hold until")
    lift = reverse("lift_hold", args=[routine.slug])
    response = press_button(admin_client, registry_page(routine), lift, follow=True)
    assert Page(response).says("The hold is lifted: the routine can be run again.")
    assert not Page(response).says("On hold until")
    assert Page(admin_client.get("/")).link(run_url(routine))
    assert AuditEvent.objects.get(action="hold_lifted").person == admin


def test_the_trail_says_who_did_what(admin_client, routine):
    press_button(admin_client, registry_page(routine), reverse("disable", args=[routine.slug]))
    assert Page(admin_client.get(registry_page(routine))).says("the admin disabled the routine")


def test_an_admin_who_made_routines_may_be_deleted_and_the_routine_still_be_edited(
    admin_client, filled_in
):
    other = create_admin()
    signed_in(other).post(reverse("register_details"), filled_in)
    other.delete()
    response = save(admin_client, reverse("edit", args=["fifth"]), name="Renamed")
    assert response.status_code == 302
    assert Routine.objects.get().name == "Renamed"
