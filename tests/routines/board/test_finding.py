"""Where a person finds their routines."""

from datetime import timedelta
from typing import Any

import pytest

from routines import registry
from routines.board import finding, pins
from routines.models import AuditEvent, Person, Pin, Routine, Tag
from routines.registry import tags
from tests.factories import create_manager, create_routine, create_run, create_teammate

pytestmark = pytest.mark.django_db


@pytest.fixture
def person() -> Person:
    return create_teammate()


def tagged(name: str, *words: str, **values: str) -> Routine:
    values.setdefault("purpose", "")
    routine = create_routine(name=name, **values)
    tags.write_tags(routine, words)
    return routine


def groups(person: Person) -> list[tuple[str, list[str]]]:
    return [
        (group.name, [entry.name for entry in group.entries])
        for group in finding.plan(person).groups
    ]


# --- Groups ---


def test_pinned_ones_come_first_then_each_under_its_first_tag_then_the_rest(person):
    for name in ("B", "A"):
        tagged(name, "release")
    tagged("C", "release", "operations")
    tagged("D")
    pins.pin(tagged("E", "release"), by=person)
    assert groups(person) == [
        ("Pinned", ["E"]),
        ("operations", ["C"]),
        ("release", ["A", "B"]),
        ("Other routines", ["D"]),
    ]


def test_without_tags_and_pins_there_is_one_group(person):
    create_routine(name="A")
    assert groups(person) == [("All routines", ["A"])]
    assert groups(create_manager()) == []


def test_a_pin_is_of_one_person_and_can_be_set_and_taken_twice(person):
    routine = create_routine(name="A")
    for _ in range(2):
        pins.pin(routine, by=person)
    pins.unpin(routine, by=create_teammate())
    assert groups(person) == [("Pinned", ["A"])]
    for _ in range(2):
        pins.unpin(routine, by=person)
    assert not Pin.objects.exists()


# --- Recently used ---


def test_recent_are_the_five_that_this_person_ran_last_each_once(person):
    routines = [create_routine(name=name) for name in "ABCDEFG"]
    for minutes, routine in enumerate(routines):
        for more in (0, 20):
            create_run(routine=routine, person=person, ago=timedelta(minutes=minutes + more))
    create_run(routine=create_routine(name="Somebody else's"))
    Routine.objects.filter(name="B").update(archived_at=routines[0].created_at)
    assert [entry.name for entry in finding.plan(person).recent] == ["A", "C", "D", "E", "F"]


# --- Search ---


@pytest.mark.parametrize(
    ("words", "found"),
    [
        *(("notes", True), ("NOTES rel", True), ("  ", True), ("on call", True)),
        *(("team platform", True), ("what it is", True), ("release alert", False), ("xyz", False)),
    ],
)
def test_every_word_stands_in_the_name_the_purpose_a_tag_or_the_account(person, words, found):
    tagged("Release notes", "on call", account="Platform team", purpose="What it is for.")
    [entry] = finding.plan(person).entries
    assert finding.matches(entry, words) is found


def found(person: Person, words: str) -> list[str]:
    return [entry.name for entry in finding.find(finding.plan(person), words)]


def test_the_best_hit_comes_first_name_then_tag_then_account_then_purpose(person):
    """Whatever group they stand in: Enter opens the first one."""
    tagged("Purpose", purpose="For a release.")
    tagged("Account", account="Release team")
    tagged("Deploy verification", "release")
    tagged("Prerelease check")
    tagged("The release train", "another")
    tagged("Release notes", "zz")
    assert found(person, "rel") == [
        *("Release notes", "The release train", "Prerelease check"),
        *("Deploy verification", "Account", "Purpose"),
    ]
    assert found(person, "  REL ") == found(person, "rel")
    assert found(person, "rel zz") == ["Release notes"]
    assert found(person, "nothing like it") == []


def test_of_several_words_the_worst_counts_most_and_the_phrase_decides(person):
    tagged("Notes of a release")
    tagged("Release notes")
    tagged("Deploy", "release")
    tagged("Release to deploy")
    assert found(person, "release notes") == ["Release notes", "Notes of a release"]
    assert found(person, "deploy rel") == ["Release to deploy", "Deploy"]


def test_the_whole_name_comes_before_its_beginning_and_pinned_ones_before_the_alphabet(person):
    for name in ("Deploy", "Deploy again", "Deploy once more"):
        tagged(name)
    pins.pin(Routine.objects.get(name="Deploy once more"), by=person)
    assert found(person, "deploy") == ["Deploy", "Deploy once more", "Deploy again"]


@pytest.mark.parametrize("words", ["(", "a.c", "\\", "ß", "İ", "$", "-deploy"])
def test_any_sign_is_looked_for_as_it_is(person, words):
    tagged("Abc", purpose=f"Has {words} in it.")
    tagged("Other")
    assert found(person, words) == ["Abc"]


# --- Tags ---


def test_typed_tags_become_words_each_once():
    assert tags.parse_tags(" Release,on   call, release,, ") == ["on call", "release"]
    assert tags.parse_tags("") == []


@pytest.mark.parametrize("typed", ["x" * 41, ",".join("abcdefghijk")])
def test_tags_are_short_and_few(typed):
    with pytest.raises(tags.TagsRefused, match="at most"):
        tags.parse_tags(typed)


def edit(routine: Routine, **changed: Any) -> None:
    kept = ("name", "purpose", "beta_version", "api_version", "cool_down", "hourly_limit")
    values: dict[str, Any] = {field: getattr(routine, field) for field in kept}
    values |= {"account": routine.account.label, "by": None}
    registry.edit(routine, **values, **changed)


def test_tags_change_with_their_trace_and_a_word_that_nobody_uses_goes(person):
    routine = tagged("A", "old", "kept")
    edit(routine, tags=["kept", "new"])
    assert [tag.name for tag in Tag.objects.all()] == ["kept", "new"]
    [event] = AuditEvent.objects.filter(action="routine_edited")
    assert event.changes == {"tags": [["kept", "old"], ["kept", "new"]]}


def test_an_edit_that_says_nothing_of_tags_leaves_them(person):
    routine = tagged("A", "kept")
    edit(routine)
    assert tags.tags_of(routine) == ["kept"]
    assert not AuditEvent.objects.filter(action="routine_edited").exists()
