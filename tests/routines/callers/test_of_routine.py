"""Which keys fire a routine, before it is changed or archived."""

from datetime import timedelta
from itertools import product

import pytest
from django.contrib.auth.models import Group
from django.utils import timezone

from routines.callers import keys, of_routine
from routines.models import ApiKey, Routine, Tag
from tests.factories import (
    create_admin,
    create_api_key,
    create_routine,
    create_run,
    create_teammate,
)

pytestmark = pytest.mark.django_db


def given(routine: Routine) -> set[ApiKey]:
    return {one.api_key for one in of_routine.of(routine) if one.was_given}


def test_it_names_the_keys_that_the_rule_lets_fire_it_and_no_others():
    group = Group.objects.create(name="On call")
    made = []
    for tagged, limited, confirmation in product(
        (True, False), (True, False), Routine.Confirmation.values
    ):
        routine = create_routine(confirmation=confirmation, open_to_everybody=not limited)
        routine.open_to.set([group] if limited else [])
        made.append((routine, tagged))
    tag, other_tag = Tag.objects.create(name="release"), Tag.objects.create(name="operations")
    for routine, tagged in made:
        routine.tags.set([tag] if tagged else [])
    routines = [routine for routine, _ in made]
    for named, tags in product((routines[:0], routines[::3]), ([], [tag], [other_tag])):
        api_key = create_api_key()
        api_key.routines.set(named)
        api_key.tags.set(tags)

    for routine in routines:
        rule = {
            api_key
            for api_key in ApiKey.objects.all()
            if Routine.objects.fireable_with(api_key).filter(pk=routine.pk).exists()
        }
        assert given(routine) == rule
    assert any(given(routine) for routine in routines)


def test_a_key_that_is_revoked_or_expired_may_not_fire_it():
    routine = create_routine()
    for api_key in (create_api_key(), create_api_key(expires_at=timezone.now())):
        api_key.routines.add(routine)
    keys.revoke(ApiKey.objects.get(expires_at=None), by=create_admin())
    assert of_routine.of(routine) == []


def test_keys_that_fired_it_are_listed_with_their_runs_most_first():
    routine, person = create_routine(), create_teammate()
    own = create_api_key(name="Laptop", person=person, all_routines=True)
    pipeline = create_api_key(name="Pipeline")
    pipeline.routines.add(routine)
    for _ in range(2):
        create_run(routine=routine, person=person, api_key=own)
    create_run(routine=routine, api_key=pipeline)
    create_run(routine=create_routine(), api_key=pipeline)
    create_run(routine=routine, person=person)
    idle = create_api_key()
    create_run(routine=routine, api_key=idle, ago=timedelta(days=of_routine.DAYS + 1))

    listed = of_routine.of(routine)

    assert [(one.api_key, one.was_given, one.runs) for one in listed] == [
        (own, False, 2),
        (pipeline, True, 1),
    ]
    assert idle not in {one.api_key for one in listed}
