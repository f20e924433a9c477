"""Changes made from the same page at the same moment: one is saved, the others are told."""

from collections.abc import Callable
from typing import Any

import pytest

from routines import people, registry
from routines.models import Routine
from routines.people import groups
from routines.people.roles import Role
from routines.registry import accounts, snapshots
from routines.values.snapshots import ChangedMeanwhile
from tests.factories import create_admin, create_routine, create_teammate
from tests.routines.runs.firing.pressing import at_once

pytestmark = pytest.mark.usefixtures("transactional_db")


def rules() -> Callable[[int], Any]:
    routine, seen = (made := create_routine()), snapshots.rules(made)
    crews = [groups.add(f"Crew {number}", members=[], by=None) for number in range(3)]
    return lambda number: registry.set_rules(
        Routine.objects.get(pk=routine.pk),
        open_to=[crews[number]],
        confirmation="off",
        asks_why=False,
        by=None,
        seen=seen,
    )


def an_edit() -> Callable[[int], Any]:
    routine, seen = (made := create_routine()), snapshots.details(made)
    values = {field: seen.values[field] for field in registry.EDITABLE}
    return lambda number: registry.edit(
        Routine.objects.get(pk=routine.pk), **values | {"cool_down": number + 1}, by=None, seen=seen
    )


def a_role() -> Callable[[int], Any]:
    create_admin()
    person = create_teammate()
    seen = people.snapshot(person)
    return lambda number: people.edit(
        person,
        first_name=f"Name {number}",
        last_name="",
        email="",
        roles=[Role.MANAGER],
        groups=[],
        by=None,
        seen=seen,
    )


def members() -> Callable[[int], Any]:
    group = groups.add("Crew", members=[], by=None)
    seen, newcomers = groups.snapshot(group), [create_teammate() for _ in range(3)]
    return lambda number: groups.edit(
        group, name="Crew", members=[newcomers[number]], by=None, seen=seen
    )


def an_account() -> Callable[[int], Any]:
    account = create_routine().account
    seen = accounts.snapshot(account)
    return lambda number: accounts.edit(
        account, label=f"Account {number}", hourly_limit=None, by=None, seen=seen
    )


@pytest.mark.parametrize("begin", [rules, an_edit, a_role, members, an_account])
def test_of_three_changes_from_the_same_page_one_is_saved(begin: Callable[[], Any]):
    results = at_once(3, begin())
    assert results.count(None) == 1, results
    assert sum(isinstance(result, ChangedMeanwhile) for result in results) == 2, results


def test_a_routine_is_never_left_open_to_a_group_that_was_just_deleted():
    routine = create_routine()
    crew = groups.add("Crew", members=[], by=None)

    def act(number: int) -> None:
        if number:
            groups.delete(crew, by=None)
        else:
            registry.set_rules(routine, open_to=[crew], confirmation="off", asks_why=False, by=None)

    opened, deleted = at_once(2, act)
    limited, names = Routine.objects.get(), list(Routine.objects.get().open_to.all())
    if deleted is None:
        assert isinstance(opened, registry.GroupGone)
        assert limited.open_to_everybody
    else:
        assert isinstance(deleted, people.Refused)
        assert (limited.open_to_everybody, names) == (False, [crew])
