"""Adding people, giving them roles and groups, letting them go."""

import pytest
from django.core.exceptions import ValidationError

from routines import people
from routines.models import AuditEvent, Person
from routines.people import groups
from routines.people.roles import Permission, Role
from tests.factories import PASSWORD, create_admin, create_person, create_routine, create_teammate

Action = AuditEvent.Action
pytestmark = pytest.mark.django_db


@pytest.fixture
def admin() -> Person:
    return create_admin(username="the admin")


def newest_event() -> AuditEvent:
    return AuditEvent.objects.all()[0]


def stored(person: Person) -> Person:
    return Person.objects.get(pk=person.pk)


def edit(person: Person, *, by: Person, **values: object) -> None:
    as_they_are = {
        "first_name": person.first_name,
        "last_name": person.last_name,
        "email": person.email,
        "roles": people.roles_of(person),
        "groups": people.groups_of(person),
    }
    people.edit(person, **as_they_are | values, by=by)  # type: ignore[arg-type]


# --- Adding ---


def test_a_person_is_added_with_roles_and_groups_and_a_trace_without_the_password(admin):
    group = groups.add("Release crew", members=[], by=admin)
    password = people.initial_password()
    person = people.add_person(
        username="newcomer",
        first_name="New",
        last_name="Comer",
        roles=[Role.TEAMMATE],
        groups=[group],
        password=password,
        by=admin,
    )
    assert person.has_perm(Permission.FIRE)
    assert not person.has_perm(Permission.MANAGE_PEOPLE)
    assert stored(person).check_password(password)
    assert stored(person).password_is_initial
    event = newest_event()
    assert (event.action, event.subject, event.person) == (Action.PERSON_ADDED, "newcomer", admin)
    assert event.changes == {
        "username": [None, "newcomer"],
        "first_name": [None, "New"],
        "last_name": [None, "Comer"],
        "roles": [None, ["Teammate"]],
        "groups": [None, ["Release crew"]],
    }
    assert password not in str(event.changes)


def test_a_person_without_a_password_has_no_initial_one(admin):
    person = people.add_person(username="through-the-provider", by=None)
    assert not person.has_usable_password()
    assert not person.password_is_initial


@pytest.mark.parametrize("username", ["the admin", "THE ADMIN"])
def test_a_username_is_given_once_in_whatever_case(admin, username):
    with pytest.raises(people.Refused, match="exists already"):
        people.add_person(username=username, by=admin)
    assert Person.objects.count() == 1


def test_a_username_that_cannot_be_kept_is_refused(admin):
    with pytest.raises(ValidationError):
        people.add_person(username="no/slashes", by=admin)


def test_initial_passwords_differ_and_have_no_letters_that_are_read_wrongly():
    made = {people.initial_password() for _ in range(100)}
    assert len(made) == 100
    assert all(len(password) == 19 for password in made)
    assert not set("".join(made)) & set("ilo01")


# --- Changing ---


def test_an_edit_says_what_it_changed_and_leaves_the_rest(admin):
    person = create_teammate(username="somebody")
    edit(person, first_name="Some", roles=[Role.MANAGER, Role.TEAMMATE], by=admin)
    event = newest_event()
    assert (event.action, event.subject) == (Action.PERSON_EDITED, "somebody")
    assert event.changes == {
        "first_name": ["", "Some"],
        "roles": [["Teammate"], ["Teammate", "Manager"]],
    }
    assert stored(person).has_perm(Permission.VIEW_ALL_RUNS)


def test_an_edit_that_changes_nothing_leaves_no_trace(admin):
    person = create_teammate()
    before = AuditEvent.objects.count()
    edit(person, by=admin)
    people.set_roles(person, [Role.TEAMMATE], by=admin)
    people.reactivate(person, by=admin)
    assert AuditEvent.objects.count() == before


def test_roles_are_set_without_touching_the_groups(admin):
    person = create_teammate()
    group = groups.add("Release crew", members=[person], by=admin)
    assert person.has_perm(Permission.FIRE)
    person = people.set_roles(person, [Role.MANAGER], by=None)
    assert [one.name for one in person.groups.order_by("name")] == ["Managers", group.name]
    assert not person.has_perm(Permission.FIRE)


# --- Letting go, and coming back ---


def test_a_deactivated_person_loses_sign_in_and_password(admin):
    person = create_teammate(username="leaver")
    session = person.get_session_auth_hash()
    people.deactivate(person, by=admin)
    assert not stored(person).is_active
    assert not stored(person).check_password(PASSWORD)
    assert newest_event().action == Action.PERSON_DEACTIVATED
    people.reactivate(person, by=admin)
    assert stored(person).is_active
    assert newest_event().action == Action.PERSON_REACTIVATED
    assert stored(person).get_session_auth_hash() != session, "an old session came back to life"


def test_nobody_deactivates_themselves(admin):
    create_admin()
    with pytest.raises(people.Refused, match="yourself"):
        people.deactivate(admin, by=admin)
    assert stored(admin).is_active


def test_the_last_admin_stays_one(admin):
    gone = create_admin()
    people.deactivate(gone, by=admin)  # one who cannot sign in does not count
    before = AuditEvent.objects.count()
    with pytest.raises(people.Refused, match="Nobody would be left"):
        edit(admin, roles=[Role.MANAGER], by=admin)
    with pytest.raises(people.Refused, match="Nobody would be left"):
        people.set_roles(admin, [], by=None)
    with pytest.raises(people.Refused, match="Nobody would be left"):
        people.deactivate(stored(admin), by=create_person())
    assert stored(admin).has_perm(Permission.MANAGE_PEOPLE)
    assert stored(admin).is_active
    assert AuditEvent.objects.count() == before


def test_an_admin_may_stop_being_one_while_there_is_another(admin):
    create_admin()
    edit(admin, roles=[Role.TEAMMATE], by=admin)
    assert not stored(admin).has_perm(Permission.MANAGE_PEOPLE)


# --- Passwords ---


def test_a_given_password_is_initial_until_the_person_chooses_their_own(admin):
    person = create_teammate(username="forgetful")
    people.give_password(person, "made-for-you", by=admin)
    assert stored(person).password_is_initial
    assert (newest_event().action, newest_event().person) == (Action.PASSWORD_SET, admin)
    people.choose_password(person, "chosen by themselves")
    assert not stored(person).password_is_initial
    assert stored(person).check_password("chosen by themselves")
    assert (newest_event().action, newest_event().person) == (Action.PASSWORD_SET, person)
    assert all("chosen" not in str(event.changes) for event in AuditEvent.objects.all())


# --- Groups ---


def test_a_group_is_added_renamed_and_deleted_with_its_members(admin):
    first, second = create_teammate(username="first"), create_teammate(username="second")
    group = groups.add("Crew", members=[first], by=admin)
    assert newest_event().changes == {"name": [None, "Crew"], "members": [None, ["first"]]}
    groups.edit(group, name="Release crew", members=[second], by=admin)
    assert newest_event().changes == {
        "name": ["Crew", "Release crew"],
        "members": [["first"], ["second"]],
    }
    groups.delete(groups.own_groups().get(), by=admin)
    assert newest_event().subject == "Release crew"
    assert newest_event().changes == {"members": [["second"], None]}
    assert not groups.own_groups().exists()


def test_a_group_that_decides_over_a_routine_is_not_deleted(admin):
    """Without it the routine would be open to everybody."""
    group = groups.add("Crew", members=[], by=admin)
    create_routine(name="Release notes").open_to.add(group)
    with pytest.raises(people.Refused, match="“Release notes”"):
        groups.delete(group, by=admin)
    assert groups.own_groups().get() == group


@pytest.mark.parametrize("name", ["Admins", "crew", "CREW"])
def test_a_group_name_is_given_once(admin, name):
    groups.add("Crew", members=[], by=admin)
    with pytest.raises(people.Refused, match="exists already"):
        groups.add(name, members=[], by=admin)
    other = groups.add("Others", members=[], by=admin)
    with pytest.raises(people.Refused, match="exists already"):
        groups.edit(other, name=name, members=[], by=admin)


def test_the_roles_are_not_renamed_or_deleted_as_groups(admin):
    (role,) = admin.groups.all()
    with pytest.raises(people.Refused, match="This is a role"):
        groups.edit(role, name="Bosses", members=[], by=admin)
    with pytest.raises(people.Refused, match="This is a role"):
        groups.delete(role, by=admin)


def test_all_names_are_those_that_each_person_goes_by():
    for username, first, last in (
        ("both", "First", "Last"),
        ("last", "", "Last"),
        ("none", "", ""),
    ):
        Person.objects.create(username=username, first_name=first, last_name=last)
    assert dict(people.names()) == {one.username: str(one) for one in Person.objects.all()}
