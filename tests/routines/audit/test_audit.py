"""The audit trail: who, when and what, outliving what it speaks of."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import transaction
from django.utils import timezone

from routines.audit import from_address, trace
from routines.models import AuditEvent, Person, Routine
from routines.models.audit import AppendOnly
from tests.factories import create_person, create_routine

Action = AuditEvent.Action

pytestmark = pytest.mark.django_db


@pytest.fixture
def routine() -> Routine:
    """With no event of its own."""
    routine = create_routine(name="Alert triage")
    AuditEvent._base_manager.all().delete()
    return routine


def test_an_event_says_who_when_what_and_to_what(routine):
    person = create_person(username="keeper")
    moment = timezone.now() + timedelta(days=1)
    with time_machine.travel(moment, tick=False):
        trace(Action.ROUTINE_EDITED, by=person, routine=routine, changes={"name": ["a", None]})
    event = AuditEvent.objects.get()
    assert (event.person, event.person_name, event.at) == (person, "keeper", moment)
    assert (event.action, event.routine, event.subject) == (
        "routine_edited",
        routine,
        "Alert triage",
    )
    assert event.changes == {"name": ["a", None]}
    assert str(event) == "keeper edited the routine Alert triage"


def test_an_event_without_a_person_is_of_the_command_line_and_may_change_nothing(routine):
    trace(Action.ROUTINE_ENABLED, by=None, routine=routine)
    event = AuditEvent.objects.get()
    assert (event.person, event.person_name, event.changes) == (None, "command line", {})


def test_a_person_is_called_by_their_full_name_where_they_have_one(routine):
    person = create_person()
    person.first_name, person.last_name = "The", "Keeper"
    trace(Action.ROUTINE_ENABLED, by=person, routine=routine)
    assert AuditEvent.objects.get().person_name == "The Keeper"


def test_an_event_outlives_the_person_and_the_routine(routine):
    person = create_person(username="keeper")
    trace(Action.TOKEN_SET, by=person, routine=routine, changes={"token": [None, "…abcd"]})
    Person.objects.all().delete()
    Routine.objects.all().delete()
    event = AuditEvent.objects.get()
    assert (event.person, event.routine) == (None, None)
    assert str(event) == "keeper set the token of Alert triage"
    assert event.changes == {"token": [None, "…abcd"]}


def test_an_event_keeps_the_name_of_its_day(routine):
    trace(Action.ROUTINE_ENABLED, by=None, routine=routine)
    Routine.objects.update(name="Renamed")
    assert AuditEvent.objects.get().subject == "Alert triage"


def test_an_event_goes_with_the_change_that_it_tells_of(routine):
    with transaction.atomic():
        trace(Action.ROUTINE_ENABLED, by=None, routine=routine)
        transaction.set_rollback(True)
    assert not AuditEvent.objects.exists()


def test_the_newest_event_comes_first_and_of_one_moment_the_last_one_written(routine):
    moment = timezone.now()
    for action, at in (
        (Action.ROUTINE_ENABLED, moment),
        (Action.ROUTINE_DISABLED, moment),
        (Action.ROUTINE_EDITED, moment + timedelta(seconds=1)),
    ):
        with time_machine.travel(at, tick=False):
            trace(action, by=None, routine=routine)
    assert [event.action for event in AuditEvent.objects.all()] == [
        "routine_edited",
        "routine_disabled",
        "routine_enabled",
    ]


def test_the_longest_names_fit(routine):
    person = create_person(username="u" * 150)
    person.first_name, person.last_name = "f" * 150, "l" * 150
    routine.name = "n" * 80
    trace(Action.ROUTINE_EDITED, by=person, routine=routine)
    AuditEvent.objects.get().full_clean(exclude=["person", "changes", "address"])


@pytest.mark.parametrize("action", Action)
def test_every_action_can_be_told_in_a_sentence(routine, action):
    trace(action, by=None, routine=routine)
    event = AuditEvent.objects.get()
    event.full_clean(exclude=["person", "changes", "address"])
    assert str(event) == f"command line {action.label} Alert triage"
    assert [one.label for one in Action].count(action.label) == 1


def test_an_event_is_never_changed_or_deleted(routine):
    trace(Action.ROUTINE_ENABLED, by=None, routine=routine)
    event = AuditEvent.objects.get()
    event.person_name = "somebody else"
    everything = AuditEvent.objects.all()
    attempts = (
        event.save,
        lambda: event.save(update_fields=["person_name"]),
        event.delete,
        everything.delete,
        lambda: everything.update(person_name="somebody else"),
        lambda: AuditEvent.objects.update(changes={}),
        lambda: AuditEvent.objects.bulk_update([event], ["person_name"]),
        lambda: routine.audit_events.all().delete(),
        lambda: AuditEvent.objects.update_or_create(pk=event.pk, defaults={"changes": {}}),
    )
    for attempt in attempts:
        with pytest.raises(AppendOnly), transaction.atomic():
            attempt()
    assert AuditEvent.objects.get().person_name == "command line"


def test_an_event_says_from_where(routine):
    with from_address("203.0.113.7"), from_address("2001:db8::1"):
        trace(Action.ROUTINE_DISABLED, by=None, routine=routine)
    trace(Action.ROUTINE_ENABLED, by=None, routine=routine)
    assert [event.address for event in AuditEvent.objects.all()] == [None, "2001:db8::1"]


def test_no_secret_stands_in_an_event_for_ever(routine):
    token = "sk-ant-oat01-recognisable"
    changes: dict[str, list[Any]] = {
        "body": [f"Use {token}", "password=recognisable"],
        "x": [None, {"y": [token, 3]}],
    }
    trace(Action.TEMPLATE_EDITED, by=None, subject=f"with {token}", changes=changes)
    event = AuditEvent.objects.get()
    assert "recognisable" not in f"{event.subject} {event.changes}"
    assert event.changes["x"] == [None, {"y": ["[token removed]", 3]}]
