"""No two people have the same username, or ones that a reader takes for one another."""

from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.db.migrations.executor import MigrationExecutor

from dashboard.sign_in import external_users
from routines import people
from routines.models import AuditEvent, Person
from routines.people.roles import Role
from routines.values import names
from tests.factories import create_admin, create_person

pytestmark = pytest.mark.django_db

CYRILLIC_A, GREEK_O, WIDE_A, DOTLESS_I = "\u0430", "\u03bf", "\uff21", "\u0131"

SAME = {
    "another case": ("Anna", "aNNA"),
    "another case beyond ASCII": ("\u00dcnal", "\u00fcnal"),
    "wide letters": ("Anna", f"{WIDE_A}nna"),
    "a ligature": ("fiona", "\ufb01ona"),
    "accents apart from their letters": ("jos\u00e9", "jose\u0301"),
    "sharp s": ("stra\u00dfe", "STRASSE"),
    "long s": ("simon", "\u017fimon"),
    "a dotless i": ("kim", f"k{DOTLESS_I}m"),
}
ALIKE = {
    "a Cyrillic letter": ("anna", f"{CYRILLIC_A}nna"),
    "a Cyrillic capital letter": ("Anna", "\u0410nna"),
    "Cyrillic letters alone": ("coco", "\u0441\u043e\u0441\u043e"),
    "a Greek letter": ("tom", f"t{GREEK_O}m"),
    "an Armenian letter": ("tom", "t\u0585m"),
    "a phonetic letter": ("gina", "\u0261ina"),
    "digits of another script": ("anna1", "anna\u0661"),
    "a Greek capital letter": ("Nick", "\u039dick"),
    "one that is another as a small letter": ("Hans", "\u0397ans"),
    "one that is none as a small letter": ("Maria", "\u039caria"),
    "a filler that leaves nothing": ("anna", "anna\u3164"),
    "a filler in the middle": ("anna", "an\u115fna"),
    "a joiner": ("anna", "an\u200dna"),
    "a soft hyphen": ("anna", "an\u00adna"),
    "a variation selector": ("anna", "anna\ufe0f"),
}
APART = [
    ("kai", "kal"),
    ("ana", "a\u00f1a"),
    ("anna", "anna2"),
    ("tom", "torn"),
    ("ivan", "\u0438\u0432\u0430\u043d"),
]


@pytest.mark.parametrize(("first", "second"), [*SAME.values(), *ALIKE.values()])
def test_the_database_itself_refuses_a_double(first, second):
    Person.objects.create(username=first)
    with pytest.raises(IntegrityError), transaction.atomic():
        Person.objects.create(username=second)
    with pytest.raises(IntegrityError), transaction.atomic():
        Person.objects.bulk_create([Person(username=second)])


def test_it_does_so_whatever_writes_the_row():
    create_person(username="anna")
    create_person(username="other")
    with pytest.raises(IntegrityError), transaction.atomic():
        Person.objects.filter(username="other").update(username="ANNA")


@pytest.mark.parametrize(("first", "second"), APART)
def test_names_that_are_told_apart_are_let_in(first, second):
    Person.objects.create(username=first)
    people.add_person(username=second, by=None)


@pytest.mark.parametrize(("first", "second"), SAME.values(), ids=SAME)
def test_an_admin_is_told_that_it_is_taken(first, second):
    people.add_person(username=first, by=None)
    with pytest.raises(people.Refused, match="exists already"):
        people.add_person(username=second, by=None)


@pytest.mark.parametrize(("first", "second"), ALIKE.values(), ids=ALIKE)
def test_an_admin_is_told_whom_it_looks_like(first, second):
    people.add_person(username=first, by=None)
    with pytest.raises(people.Refused, match=f"looks like “{first}”, who is somebody else"):
        people.add_person(username=second, by=None)


@pytest.mark.parametrize("username", ["\u039d\u03af\u03ba\u03b7", "\u03a5\u03c1\u03ce"])
def test_a_name_of_another_script_is_one_in_capitals_as_well(username):
    people.add_person(username=username, by=None)
    with pytest.raises(people.Refused, match="exists already"):
        people.add_person(username=username.upper(), by=None)


@pytest.mark.parametrize("username", ["ADA", "\u0430d\u0430"])
def test_createadmin_refuses_it_too(username):
    create_person(username="ada")
    with pytest.raises(CommandError, match="Choose another"):
        call_command("createadmin", username=username)


def test_somebody_of_the_provider_gets_a_number():
    create_person(username="tom")
    newcomer = external_users.Newcomer(f"t{GREEK_O}m")
    person = external_users.add(newcomer, [Role.TEAMMATE], source="identity provider")
    assert person.username == f"t{GREEK_O}m-2"


@pytest.mark.parametrize(("stored", "typed"), SAME.values(), ids=SAME)
def test_a_person_is_found_by_each_spelling(stored, typed):
    person = create_person(username=names.normalise(stored))
    assert Person.objects.named(typed) == person


@pytest.mark.parametrize(("stored", "typed"), ALIKE.values(), ids=ALIKE)
def test_nobody_is_found_by_what_only_looks_like_their_name(stored, typed):
    create_person(username=stored)
    assert Person.objects.named(typed) is None


@pytest.mark.parametrize("typed", ["", " ", "\x00", "a\x00"])
def test_nobody_is_found_by_nothing(typed):
    create_person(username="a")
    assert Person.objects.named(typed) is None


def test_a_username_is_stored_in_one_form_of_unicode():
    people.add_person(username=f"{WIDE_A}nna", by=None)
    assert Person.objects.get().username == "Anna"


# --- What pages and the trail call them ---


def test_two_people_are_not_shown_under_one_name():
    people.add_person(username="a", first_name="Anna", last_name="Berg", by=None)
    people.add_person(username="bert", by=None)
    with pytest.raises(people.Refused, match=r"“Anna Berg” \(a\) is shown under the same name"):
        people.add_person(username="b", first_name=f"{WIDE_A}nna", last_name="berg", by=None)
    with pytest.raises(people.Refused):
        people.add_person(username="c", first_name="\u0410nna", last_name="Berg", by=None)
    for hidden in ("\u200b", "\u2800", "\u3164", "\u202e\u202c"):
        with pytest.raises(people.Refused):
            people.add_person(username="e", first_name=f"Anna{hidden}", last_name="Berg", by=None)
    with pytest.raises(people.Refused):  # who has no other name is shown under their username
        people.add_person(username="d", first_name="Bert", by=None)


def test_nobody_takes_anothers_name_later():
    create_admin()
    people.add_person(username="a", first_name="Anna", last_name="Berg", by=None)
    other = people.add_person(username="b", first_name="Bert", by=None)
    values: dict[str, Any] = {"last_name": "Berg", "email": "", "roles": [], "groups": []}
    with pytest.raises(people.Refused, match="Add what tells the two apart"), transaction.atomic():
        people.edit(other, first_name="Anna", **values, by=None)
    other.refresh_from_db()
    people.edit(other, first_name="Bert", **values, by=None)
    people.edit(other, first_name="Bert", **values | {"email": "b@example.com"}, by=None)


def test_two_of_the_provider_with_one_name_are_told_apart_by_their_usernames():
    for username in ("anna", "anna.berg"):
        newcomer = external_users.Newcomer(username, first_name="Anna", last_name="Berg")
        external_users.add(newcomer, [Role.TEAMMATE], source="identity provider")
    assert [str(one) for one in Person.objects.order_by("pk")] == [
        "Anna Berg",
        "Anna Berg (anna.berg)",
    ]


# --- From before ---


def test_doubles_from_before_are_kept_and_told(transactional_db: None):
    newest = MigrationExecutor(connection).loader.graph.leaf_nodes()
    before = [("routines", "0018_proxy_reasons")]
    try:
        MigrationExecutor(connection).migrate(before)
        old = MigrationExecutor(connection).loader.project_state(before).apps
        for username in ("anna", "Anna", f"{CYRILLIC_A}nna", "tom"):
            old.get_model("routines", "Person").objects.create(username=username)
    finally:
        MigrationExecutor(connection).migrate(newest)
    found = Person.objects.order_by("pk").values_list("username", flat=True)
    assert list(found) == ["anna", "Anna-2", f"{CYRILLIC_A}nna", "tom"]
    [event] = AuditEvent.objects.filter(subject="Anna-2")
    assert event.changes == {"username": ["Anna", "Anna-2"]}
    double = Person.objects.get(username=f"{CYRILLIC_A}nna")
    assert Person.objects.named(double.username) == double
    double.save()
    people.give_password(double, "another password of theirs", by=None)
    with pytest.raises(people.Refused):
        people.add_person(username="ANNA", by=None)
