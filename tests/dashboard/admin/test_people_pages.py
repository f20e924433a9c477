"""Adding people, changing what they may do, letting them go; groups of them."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.urls import reverse

from routines import people
from routines.models import AuditEvent, Person
from routines.people import groups
from routines.people.roles import Permission, Role
from tests.dashboard.browsing import Page, press_button, save, seen, signed_in
from tests.factories import PASSWORD, create_admin, create_person, create_routine, create_teammate

pytestmark = pytest.mark.django_db
SIGN_IN = "/sign-in/"


def url(name: str, person: Person) -> str:
    return reverse(name, args=[person.pk])


def add(client: Any, **typed: Any) -> Any:
    return client.post(reverse("add_person"), {"username": "newcomer"} | typed)


def press(client: Any, name: str, person: Person, **options: Any) -> Any:
    return press_button(client, url("edit_person", person), url(name, person), **options)


def shown_password(response: Any) -> str:
    (code,) = Page(response).find("code", id="initial-password")
    return code.text


# --- The list ---


def test_the_list_says_who_may_do_what_and_who_signed_in_when(admin_client, teammate):
    groups.add("Release crew", members=[teammate], by=None)
    gone = create_teammate(username="leaver")
    people.deactivate(gone, by=None)
    page = Page(admin_client.get(reverse("people")))
    for sentence in ("the teammate", "Teammate", "Release crew", "never yet", "Deactivated"):
        assert page.says(sentence)
    assert page.link(url("edit_person", gone)).text == "leaver"


# --- Adding ---


def test_a_new_person_gets_a_password_that_is_shown_once_and_opens_one_page(admin_client, client):
    response = add(admin_client, first_name="New", roles=[Role.TEAMMATE])
    assert response.status_code == 200
    assert "no-store" in response["Cache-Control"]
    password = shown_password(response)
    person = Person.objects.get(username="newcomer")
    assert person.has_perm(Permission.FIRE)
    client.post("/sign-out/")
    response = client.post(SIGN_IN, {"login": "newcomer", "password": password}, follow=True)
    assert response.request["PATH_INFO"] == "/password/"
    everything = admin_client.get(url("edit_person", person)).content.decode()
    everything += admin_client.get(reverse("people")).content.decode()
    assert password not in everything + str(list(AuditEvent.objects.values()))


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"username": ""}, "This field is required."),
        ({"username": "has spaces"}, "Enter a valid username"),
        ({"username": "x" * 151}, "at most 150 characters"),
        ({"username": "THE ADMIN"}, "Enter a valid username"),
        ({"username": "Taken"}, "A person with that username exists already."),
        ({"email": "nowhere"}, "Enter a valid email address."),
        ({"roles": ["Kings"]}, "Kings is not one of the available choices."),
        ({"username": "sk-ant-oat01-" + "x" * 40}, "A token stands here"),
        ({"first_name": "a\x00b"}, "Null characters are not allowed."),
    ],
)
def test_what_cannot_be_a_person_is_said_at_the_field(admin_client, typed, sentence):
    create_person(username="taken")
    before = Person.objects.count()
    response = add(admin_client, **{"last_name": "Kept"} | typed)
    assert response.status_code == 422
    page = Page(response)
    assert page.says(sentence)
    assert page.find("input", name="last_name")[0].attributes["value"] == "Kept"
    assert "sk-ant-oat01-x" not in response.content.decode()
    assert Person.objects.count() == before


# --- Changing ---


def test_roles_and_groups_are_changed_on_one_page(admin_client, teammate):
    crew = groups.add("Release crew", members=[], by=None)
    page = Page(admin_client.get(url("edit_person", teammate)))
    assert page.chosen("roles") == ["Teammates"]
    typed = {"first_name": "Some", "roles": ["Managers"], "groups": [crew.pk]}
    save(admin_client, url("edit_person", teammate), **typed)
    teammate = Person.objects.get(pk=teammate.pk)
    assert (teammate.first_name, people.roles_of(teammate)) == ("Some", [Role.MANAGER])
    assert people.groups_of(teammate) == [crew]
    client = signed_in(teammate)
    assert client.get("/").status_code == 302, "the board is no longer theirs"


def test_the_last_admin_cannot_be_taken_away(admin_client, admin):
    response = save(admin_client, url("edit_person", admin), first_name="Still", roles=[])
    assert response.status_code == 422
    assert Page(response).says("Nobody would be left who can sign in as an admin.")
    assert Person.objects.get(pk=admin.pk).has_perm(Permission.MANAGE_PEOPLE)
    assert admin_client.get(reverse("people")).status_code == 200


# --- Letting go ---


def test_a_deactivated_person_is_out_with_their_next_request(admin_client, client, teammate):
    assert client.get("/").status_code == 200
    press(admin_client, "deactivate_person", teammate)
    assert client.get("/")["Location"].startswith(SIGN_IN)
    client.post(SIGN_IN, {"login": teammate.username, "password": PASSWORD})
    assert client.get("/")["Location"].startswith(SIGN_IN)
    press(admin_client, "reactivate_person", teammate)
    assert client.get("/")["Location"].startswith(SIGN_IN), "the old session came back to life"
    password = shown_password(press(admin_client, "give_password", teammate))
    client.post(SIGN_IN, {"login": teammate.username, "password": password})
    assert client.get("/")["Location"] == "/password/"


def test_a_deactivated_person_does_not_run_anything_either(admin_client, client, teammate, routine):
    press(admin_client, "deactivate_person", teammate)
    response = client.post(reverse("fire", args=[routine.slug]), {"text": "typed"})
    assert response.status_code == 401
    assert not routine.runs.exists()


def test_nobody_deactivates_themselves(admin_client, admin):
    create_admin()
    page = Page(admin_client.get(url("edit_person", admin)))
    assert not page.find("form", action=url("deactivate_person", admin))
    shown = seen("person", admin)
    response = admin_client.post(url("deactivate_person", admin), shown, follow=True)
    assert Page(response).says("You cannot deactivate yourself.")
    assert Person.objects.get(pk=admin.pk).is_active


def test_a_new_password_signs_the_person_out_everywhere(admin_client, client, teammate):
    press(admin_client, "give_password", teammate)
    assert client.get("/")["Location"].startswith(SIGN_IN)


def test_who_is_deactivated_gets_no_password(admin_client, teammate):
    people.deactivate(teammate, by=None)
    response = admin_client.post(url("give_password", teammate), follow=True)
    assert Page(response).says("Reactivate them first.")
    assert not Person.objects.get(pk=teammate.pk).has_usable_password()


def test_rights_are_touched_by_a_fresh_sign_in_only(admin_client, teammate, settings):
    settings.REAUTHENTICATE_AFTER_SECONDS = 0
    assert "/confirm/" in admin_client.get(reverse("add_person"))["Location"]
    response = add(admin_client)
    assert response.status_code == 422
    assert Page(response).says("nothing was saved yet")
    assert admin_client.post(url("deactivate_person", teammate)).status_code == 403
    assert admin_client.post(url("give_password", teammate)).status_code == 403
    assert admin_client.post(url("reset_second_factor", teammate)).status_code == 403
    assert Person.objects.get(pk=teammate.pk).is_active
    assert not Person.objects.filter(username="newcomer").exists()


# --- Groups ---


def test_a_group_is_added_changed_and_deleted(admin_client, teammate, admin):
    typed = {"name": "Crew", "members": [teammate.pk]}
    admin_client.post(reverse("add_group"), typed)
    crew = Group.objects.get(name="Crew")
    page = Page(admin_client.get(reverse("groups")))
    assert page.says("1 person")
    edit = reverse("edit_group", args=[crew.pk])
    assert Page(admin_client.get(edit)).chosen("members") == [str(teammate.pk)]
    save(admin_client, edit, name="Release crew", members=[admin.pk])
    crew.refresh_from_db()
    assert (crew.name, list(crew.user_set.all())) == ("Release crew", [admin])
    press_button(admin_client, edit, reverse("delete_group", args=[crew.pk]))
    assert not Group.objects.filter(pk=crew.pk).exists()


@pytest.mark.parametrize("name", ["Admins", "crew"])
def test_a_group_name_that_is_taken_is_said_at_the_field(admin_client, name):
    groups.add("Crew", members=[], by=None)
    response = admin_client.post(reverse("add_group"), {"name": name})
    assert response.status_code == 422
    assert Page(response).says("A group or a role of that name exists already.")


def test_a_group_that_decides_over_a_routine_stays(admin_client):
    crew = groups.add("Crew", members=[], by=None)
    routine = create_routine(name="Release notes")
    routine.open_to.add(crew)
    edit, delete = (reverse(name, args=[crew.pk]) for name in ("edit_group", "delete_group"))
    response = press_button(admin_client, edit, delete, follow=True)
    assert Page(response).says("decides who may run “Release notes”")
    assert list(routine.open_to.all()) == [crew]


def test_a_role_is_no_group_to_be_edited(admin_client):
    role = Group.objects.get(name="Admins")
    assert admin_client.get(reverse("edit_group", args=[role.pk])).status_code == 404


def test_who_is_deactivated_stays_a_member(admin_client, teammate):
    crew = groups.add("Crew", members=[teammate], by=None)
    people.deactivate(teammate, by=None)
    page = Page(admin_client.get(reverse("edit_group", args=[crew.pk])))
    assert page.chosen("members") == [str(teammate.pk)]


# --- The way there ---


def test_only_admins_see_the_way_to_people_and_audit(admin_client, client):
    assert Page(admin_client.get("/history/")).link("/people/").text == "People"
    assert Page(admin_client.get("/history/")).link("/audit/").text == "Audit"
    assert not re.search("/people/|/audit/", client.get("/history/").content.decode())
