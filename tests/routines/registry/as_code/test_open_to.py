"""Whom a routine is open to, as a file says it: nothing that cannot be read opens it."""

import pytest

from routines.models import Routine
from tests.factories import create_routine
from tests.routines.registry.as_code.test_importing import NEW, imported, refused

pytestmark = pytest.mark.django_db

OPEN_TO = "routines:\n  - routine_id: trig_one\n    open_to: {}"


def test_an_older_file_says_everybody_with_an_empty_list_and_opens_nothing_that_is_limited():
    imported(NEW.replace("[Managers]", "[]"))
    routine = Routine.objects.get()
    assert routine.open_to_everybody
    imported(OPEN_TO.format("[Managers]"))
    assert refused(OPEN_TO.format("[]"))[0].startswith(
        f"line 3, open_to: “{routine}” is not open to everybody, and an empty list would open it."
    )
    assert [group.name for group in routine.open_to.all()] == ["Managers"]
    imported(OPEN_TO.format("nobody"))
    assert Routine.objects.get().is_open_to_nobody
    refused(OPEN_TO.format("[]"))
    assert imported(OPEN_TO.format("everybody"))[0].endswith("changed open_to")
    assert Routine.objects.get().open_to_everybody
    assert imported(OPEN_TO.format("[]"))[0].endswith("unchanged")


def test_an_unknown_group_does_not_open_a_limited_routine():
    create_routine(routine_id="trig_one")
    imported(OPEN_TO.format("[Managers]"))
    for who in ("[Nobody]", "[Managers, Nobody]", "Managers", "Everybody", "~"):
        refused(OPEN_TO.format(who))
    routine = Routine.objects.get()
    assert (routine.open_to_everybody, routine.open_to.count()) == (False, 1)
