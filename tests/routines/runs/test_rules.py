"""Who may run a routine, and what they are asked first."""

from uuid import uuid4

import pytest
from django.contrib.auth.models import Group

from routines import registry
from routines.board import cards
from routines.models import Person, Routine, Run
from routines.people import groups
from routines.practice_api import PracticeApi
from routines.runs import accepting, rules
from routines.values.reasons import State
from tests.factories import (
    create_admin,
    create_manager,
    create_person,
    create_routine,
    create_run,
    create_teammate,
)
from tests.routines.runs.firing.pressing import press

NAME = "Release notes"


def rule(routine: Routine, **values: object) -> None:
    rules = {"open_to_everybody": "open_to" not in values, "confirmation": "off"} | values
    rules = {"asks_why": False} | rules
    registry.set_rules(routine, **rules, by=None)  # type: ignore[arg-type]


def fireable(person: Person) -> list[str]:
    names = [routine.name for routine in Routine.objects.fireable_by(person)]
    one_by_one = [it.name for it in Routine.objects.all() if it.is_fireable_by(person)]
    assert names == one_by_one
    return names


# --- Who ---


@pytest.mark.django_db
def test_a_routine_is_open_to_all_who_may_run_or_to_the_members_of_its_groups():
    member, other, admin = create_teammate(), create_teammate(), create_admin()
    both = [groups.add(name, members=[member], by=None) for name in ("Release crew", "Night shift")]
    limited, free = create_routine(name="Limited"), create_routine(name="Free")
    rule(limited, open_to=both)
    assert fireable(member) == ["Free", "Limited"], "once each, though they are in both groups"
    assert fireable(other) == ["Free"]
    assert fireable(admin) == ["Free", "Limited"]
    assert fireable(create_manager()) == fireable(create_person()) == []
    assert [card.routine for card in cards(other)] == [free], "the board uses the same rule"


@pytest.mark.django_db
def test_a_member_without_the_role_still_may_not_run():
    manager, routine = create_manager(), create_routine()
    rule(routine, open_to=[groups.add("Crew", members=[manager], by=None)])
    assert fireable(manager) == []


@pytest.mark.django_db
def test_a_routine_can_be_kept_to_the_admins():
    teammate, admin, routine = create_teammate(), create_admin(), create_routine(name=NAME)
    rule(routine, open_to=admin.groups.all())
    assert (fireable(teammate), fireable(admin)) == ([], [NAME])


@pytest.mark.django_db
def test_a_group_that_vanishes_opens_nothing():
    """Neither on the board, nor to a press, nor for those who look at its runs."""
    member, other, admin = create_teammate(), create_teammate(), create_admin()
    routine = create_routine(name=NAME)
    crew = groups.add("Crew", members=[member], by=None)
    rule(routine, open_to=[crew], runs_seen_by_group=True)
    run = create_run(routine=routine, person=member)
    Group.objects.filter(pk=crew.pk).delete()  # past our own pages, which refuse it
    assert fireable(member) == fireable(other) == []
    assert [card.routine for card in cards(other)] == []
    assert list(Run.objects.visible_to(other)) == []
    assert list(Run.objects.visible_to(member)) == [run], "their own stays theirs"
    assert fireable(admin) == [NAME]
    assert Routine.objects.get().is_open_to_nobody
    assert "open to nobody at the moment" in str(rules.NotAllowed(Routine.objects.get()))


@pytest.mark.django_db
def test_what_says_both_everybody_and_a_group_is_open_to_the_group_alone():
    member, other, routine = create_teammate(), create_teammate(), create_routine(name=NAME)
    routine.open_to.add(groups.add("Crew", members=[member], by=None))
    assert routine.open_to_everybody
    assert (fireable(member), fireable(other)) == ([NAME], [])


@pytest.mark.django_db
def test_no_group_named_is_nobody_and_everybody_has_to_be_said():
    teammate, routine = create_teammate(), create_routine(name=NAME)
    rule(routine, open_to=[])
    assert fireable(teammate) == []
    rule(routine, open_to_everybody=True)
    assert fireable(teammate) == [NAME]


@pytest.mark.django_db
def test_a_group_deleted_while_the_form_was_open_saves_nothing():
    routine, crew = create_routine(name=NAME), groups.add("Crew", members=[], by=None)
    Group.objects.filter(pk=crew.pk).delete()
    with pytest.raises(registry.GroupGone):
        rule(routine, open_to=[crew])
    assert Routine.objects.get().open_to_everybody


@pytest.mark.usefixtures("transactional_db")
def test_a_press_after_the_group_vanished_sends_nothing(practice: PracticeApi):
    member, routine = create_teammate(), create_routine()
    crew = groups.add("Crew", members=[member], by=None)
    rule(routine, open_to=[crew])
    Group.objects.filter(pk=crew.pk).delete()
    with pytest.raises(rules.NotAllowed):
        press(routine, member)
    assert practice.requests == 0


@pytest.mark.django_db
def test_who_may_not_is_told_who_may():
    routine = create_routine(name=NAME)
    crew = groups.add("Crew", members=[], by=None)
    rule(routine, open_to=[crew])
    assert "open to the group Crew only" in str(rules.NotAllowed(routine))
    rule(routine, open_to=[crew, groups.add("Night shift", members=[], by=None)])
    assert "open to the groups Crew and Night shift only" in str(rules.NotAllowed(routine))
    rule(routine)
    assert "Your role" in str(rules.NotAllowed(routine))


@pytest.mark.usefixtures("transactional_db")
def test_a_press_by_who_is_not_in_the_group_sends_nothing(practice: PracticeApi):
    member, other, routine = create_teammate(), create_teammate(), create_routine()
    rule(routine, open_to=[groups.add("Crew", members=[member], by=None)])
    with pytest.raises(rules.NotAllowed):
        press(routine, other)
    assert (practice.requests, Run.objects.count()) == (0, 0)
    assert press(routine, member).run.state == State.STARTED


# --- What is asked first ---


def asked(**values: object) -> Routine:
    return Routine(name=NAME, **values)


ANSWERS = {
    "nothing asked": ({}, {}, {}),
    "no tick": ({"confirmation": "confirm"}, {}, {"confirmation": "Set this tick first"}),
    "a tick": ({"confirmation": "confirm"}, {"confirmation": "yes"}, {}),
    "no name": ({"confirmation": "type_name"}, {}, {"confirmation": "which is Release notes"}),
    "another name": (
        {"confirmation": "type_name"},
        {"confirmation": "yes"},
        {"confirmation": "Type the name"},
    ),
    "the name": ({"confirmation": "type_name"}, {"confirmation": NAME}, {}),
    "the name, typed on a phone": (
        {"confirmation": "type_name"},
        {"confirmation": "  release  Notes "},
        {},
    ),
    "no reason": ({"asks_why": True}, {}, {"why": "Say why in a sentence"}),
    "only spaces": ({"asks_why": True}, {"why": "  "}, {"why": "Say why in a sentence"}),
    "a reason": ({"asks_why": True}, {"why": "The release is tomorrow."}, {}),
    "the longest reason": ({"asks_why": True}, {"why": "w" * 300}, {}),
    "too long": ({"asks_why": True}, {"why": "w" * 301}, {"why": "301 characters long"}),
    "too long, though not asked for": ({}, {"why": "w" * 301}, {"why": "of at most 300"}),
    "a token": (
        {"asks_why": True},
        {"why": "sk-ant-oat01-" + "x" * 40},
        {"why": "A token stands in the text"},
    ),
    "a NUL": ({"asks_why": True}, {"why": "a\x00b"}, {"why": "NUL"}),
    "half a character": ({"asks_why": True}, {"why": "a\ud800b"}, {"why": "half of a"}),
    "nothing of both": (
        {"asks_why": True, "confirmation": "confirm"},
        {},
        {"why": "Say why", "confirmation": "Set this tick"},
    ),
}


@pytest.mark.parametrize(("asks", "given", "problems"), ANSWERS.values(), ids=ANSWERS)
def test_each_question_without_an_answer_has_its_sentence(asks, given, problems):
    found = rules.missing_answers(asked(**asks), **{"confirmation": "", "why": ""} | given)
    assert found.keys() == problems.keys()
    for name, sentence in problems.items():
        assert sentence in found[name]


@pytest.mark.parametrize(
    ("asks", "something"),
    [({}, False), ({"asks_why": True}, True), ({"confirmation": "confirm"}, True)],
)
def test_a_routine_that_asks_is_no_one_click_routine(asks, something):
    assert rules.asks_something(asked(**asks)) == something


@pytest.mark.usefixtures("transactional_db")
def test_firing_itself_asks_and_keeps_the_reason(practice: PracticeApi):
    person, routine, key = create_teammate(), create_routine(name=NAME), uuid4()
    rule(routine, confirmation="type_name", asks_why=True)
    with pytest.raises(accepting.AnswersMissing) as refused:
        press(routine, person, key=key)
    assert refused.value.problems.keys() == {"confirmation", "why"}
    assert (practice.requests, Run.objects.count()) == (0, 0)
    answers = {"confirmation": NAME, "why": "The release is tomorrow."}
    run = press(routine, person, key=key, **answers).run
    assert (run.state, Run.objects.get().why) == (State.STARTED, "The release is tomorrow.")
    again = press(routine, person, key=key)  # the rest of a double click, whatever it carries
    assert (again.repeated, again.run, practice.requests) == (True, run, 1)


@pytest.mark.usefixtures("transactional_db")
def test_a_rule_made_while_the_form_was_open_counts(practice: PracticeApi):
    person, routine = create_teammate(), create_routine()
    rule(Routine.objects.get(pk=routine.pk), confirmation="confirm")
    with pytest.raises(accepting.AnswersMissing):
        press(routine, person)  # `routine` is as it was read before
    assert practice.requests == 0


@pytest.mark.usefixtures("transactional_db")
def test_a_trial_is_a_real_run_and_has_to_be_confirmed_too(practice: PracticeApi):
    admin, routine = create_admin(), create_routine()
    rule(routine, confirmation="confirm")
    with pytest.raises(accepting.AnswersMissing):
        press(routine, admin, trial=accepting.Trial())
    assert press(routine, admin, trial=accepting.Trial(), confirmation="yes").run.is_trial
