"""A form that was overtaken changes nothing and takes back no right, wherever it is.

Every address that can be pressed stands in one of the two tables below, so that a new one cannot
be forgotten. For those that change something, the test opens the page, lets somebody else change
the same thing, and presses.
"""

from datetime import timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from routines.callers import keys
from routines.models import (
    Account,
    ApiKey,
    ApiKeySecret,
    HeaderVersion,
    Person,
    Routine,
    Run,
    SavedView,
    TextTemplate,
    VersionMove,
)
from routines.values.reasons import Reason
from tests.dashboard.browsing import Page, signed_in
from tests.dashboard.overtaking import (
    BEFORE,
    CHANGING,
    Case,
    Scene,
    limited,
    registry_page,
    renamed,
)
from tests.factories import (
    create_admin,
    create_key_and_secret,
    create_run,
    create_teammate,
    create_version,
)
from tests.rights_table import PRESS, rights

ADDED_OR_ONES_OWN = {
    # Programs press here: no page was drawn before.
    *("fire_door", "elsewhere_at_fire_door", "mcp", "api_index", "api_routines", "api_routine"),
    *("api_routine_runs", "api_runs", "api_run", "api_cancel_run", "api_document", "api_docs"),
    # Press a run; the run form names what it has shown in ways of its own.
    *("fire", "token_test", "try_version"),
    # Add something, where there was nothing to be overtaken.
    *("save_as_own", "register", "register_details", "add_template", "add_version"),
    *("add_person", "add_group", "add_api_key", "add_own_api_key"),
    "connect",
    # Change nothing.
    *("preview", "preview_own_template", "preview_template"),
    # Ends a run if it waits still: its UPDATE asks that. What else changes of one that waits does
    # not change what Cancel means.
    "cancel_run",
    # One's own place on the board, said in full by the button.
    *("pin", "unpin"),
    # Name the version that each routine had, or has had, one by one.
    *("move_versions", "go_back"),
    # One's own sign-in, which asks for the password, the code or the passkey itself.
    *("account_login", "account_logout", "account_signup", "account_inactive"),
    *("account_change_password", "account_reauthenticate"),
    *("oidc_begin", "oidc_callback", "oidc_confirm"),
    *("mfa_authenticate", "mfa_reauthenticate", "mfa_activate_totp", "mfa_deactivate_totp"),
    *("mfa_add_webauthn", "mfa_reauthenticate_webauthn", "mfa_remove_webauthn"),
    *("mfa_generate_recovery_codes", "end_other_sessions", "end_session"),
}


@pytest.fixture
def scene(routine: Routine, admin: Person) -> Scene:
    held = timezone.now() + timedelta(hours=1)
    Routine.objects.update(held_until=held)
    Account.objects.update(held_until=held)
    person = create_teammate(username="somebody")
    api_key, _ = create_key_and_secret(routine)
    keys.replace_secret(api_key, by=admin)
    Authenticator.objects.create(user=person, type="totp", data={})
    return Scene(
        admin=admin,
        routine=Routine.objects.get(),
        template=routine.text_templates.get(),
        own=TextTemplate.objects.create(routine=routine, owner=admin, name="Own", body="Mine."),
        person=person,
        group=Group.objects.create(name="Crew"),
        version=create_version("experimental-cc-routine-2026-10-01"),
        unknown=create_run(routine=routine, person=admin, reason=Reason.NO_ANSWER),
        marked=create_run(
            routine=routine,
            person=admin,
            outcome="useful",
            outcome_at=timezone.now(),
            outcome_by=admin,
        ),
        api_key=api_key,
        new_key=create_key_and_secret(routine)[0],
        view=SavedView.objects.create(person=admin, name="A view", query="state=unknown"),
    )


def test_every_address_that_can_be_pressed_is_held_against_being_overtaken():
    pressed = {address for address, verb in rights() if verb == PRESS}
    assert pressed == {*CHANGING, *ADDED_OR_ONES_OWN}
    assert not CHANGING.keys() & ADDED_OR_ONES_OWN


def stored() -> list[Any]:
    tables = (Routine, Account, Person, Group, TextTemplate, HeaderVersion, Run, SavedView)
    links = (Routine.open_to.through, Routine.tags.through, Person.groups.through)
    of_keys = (ApiKey, ApiKeySecret, ApiKey.routines.through, ApiKey.tags.through)
    everything = (*tables, *links, *of_keys, VersionMove, Authenticator)
    return [list(table._base_manager.order_by("pk").values()) for table in everything]


def opened(client: Client, case: Case, scene: Scene) -> dict[str, Any]:
    page = Page(client.get(case.page(scene)))
    url = case.url(scene)
    own = page.find("form", method="post", action=url)
    return page.fields(url if own else None) | case.typed


@pytest.mark.parametrize("name", CHANGING)
def test_a_stale_form_changes_nothing_and_says_what_has_changed(admin_client, scene, name):
    case = CHANGING[name]
    BEFORE.get(name, lambda scene: None)(scene)
    fields = opened(admin_client, case, scene)
    case.meanwhile(scene)
    before = stored()
    response = admin_client.post(case.url(scene), fields)
    assert stored() == before
    assert response.status_code == 422
    page = Page(response)
    assert page.says(case.says or "changed since you opened")
    for field, typed in case.typed.items():
        if field not in ("outcome", "token"):  # a button, and what is never drawn
            drawn = page.find("input", name=field)
            assert any(typed in (one.attributes.get("value"), page.value(one)) for one in drawn)


@pytest.mark.parametrize("name", CHANGING)
def test_a_form_without_its_version_or_with_a_forged_one_changes_nothing(admin_client, scene, name):
    case = CHANGING[name]
    BEFORE.get(name, lambda scene: None)(scene)
    fields = opened(admin_client, case, scene)
    version = "token_version" if name.startswith("token") else "seen"
    elsewhere = Page(
        signed_in(create_admin()).get(reverse("edit_account", args=[scene.account.pk]))
    )
    before = stored()
    for forged in (None, "", "x", "99", fields[version][:-1], elsewhere.fields()["seen"], "0" * 99):
        posted = {field: typed for field, typed in fields.items() if field != version}
        if forged == elsewhere.fields()["seen"] and name == "edit_account":
            continue
        response = admin_client.post(
            case.url(scene), posted | ({} if forged is None else {version: forged})
        )
        assert response.status_code == 422, forged
        assert stored() == before, forged


@pytest.mark.parametrize("name", [name for name in CHANGING if not name.startswith("token")])
def test_a_form_that_nobody_overtook_does_what_it_says(admin_client, scene, name):
    case = CHANGING[name]
    BEFORE.get(name, lambda scene: None)(scene)
    fields = opened(admin_client, case, scene)
    before = stored()
    assert admin_client.post(case.url(scene), fields).status_code in (200, 302)
    assert stored() != before


# --- Rights that were taken away stay away ---


def test_a_stale_form_does_not_open_a_limited_routine_again(admin_client, scene):
    """Not even when it is pressed again: what the person left as it was follows what is stored."""
    rules = reverse("rules", args=[scene.routine.slug])
    fields = Page(admin_client.get(rules)).fields() | {"confirmation": "confirm"}
    assert fields["open_to_everybody"] == "yes"
    limited(scene)
    told = Page(admin_client.post(rules, fields))
    assert told.says("Open to: it was everybody, and is now Crew")
    assert told.chosen("open_to") == [str(scene.group.pk)]
    admin_client.post(rules, told.fields())
    routine = Routine.objects.get()
    assert (routine.open_to_everybody, list(routine.open_to.all())) == (False, [scene.group])
    assert routine.confirmation == "confirm"


def test_a_stale_form_does_not_give_back_the_role_of_an_admin(admin_client, scene):
    person = create_admin(username="was an admin")
    edit = reverse("edit_person", args=[person.pk])
    fields = Page(admin_client.get(edit)).fields() | {"first_name": "Some"}
    other = signed_in(create_admin(username="other-admin"))
    theirs = Page(other.get(edit)).fields()
    other.post(edit, {name: typed for name, typed in theirs.items() if name != "roles"})
    told = Page(admin_client.post(edit, fields))
    assert told.says("other-admin edited the person was an admin")
    assert told.says("Roles: it was Admin, and is now none")
    admin_client.post(edit, told.fields())
    person = Person.objects.get(pk=person.pk)
    assert (person.first_name, list(person.groups.all())) == ("Some", [])


def test_a_version_of_another_thing_of_the_same_kind_is_none(admin_client, scene):
    other = create_teammate(username="other-teammate")
    deactivate = reverse("deactivate_person", args=[scene.person.pk])
    page = Page(admin_client.get(reverse("edit_person", args=[other.pk])))
    fields = page.fields(reverse("deactivate_person", args=[other.pk]))
    assert admin_client.post(deactivate, fields).status_code == 422
    assert Person.objects.get(pk=scene.person.pk).is_active


def test_a_button_pressed_again_after_it_was_told_does_what_it_says(admin_client, scene):
    disable = reverse("disable", args=[scene.routine.slug])
    fields = Page(admin_client.get(registry_page(scene))).fields(disable)
    renamed(scene)
    told = Page(admin_client.post(disable, fields))
    assert told.says("Name: it was Release notes, and is now Renamed")
    assert told.says("Disable all the same")
    admin_client.post(disable, told.fields(disable))
    assert not Routine.objects.get().enabled
