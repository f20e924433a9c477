"""A routine without groups was open to everybody until it could say so; after that it says so."""

from typing import Any

from django.contrib.auth.models import Group

from routines.models import Routine
from tests.factories import create_routine, create_teammate
from tests.routines.migrations.moving import migrate

BEFORE = [("routines", "0015_runs")]


def test_who_may_run_what_is_the_same_after_the_migration_and_nothing_opens_on_the_way_back(
    newest: Any,
):
    teammate = create_teammate()
    free, limited, closed = (create_routine(name=name) for name in ("Free", "Limited", "Closed"))
    limited.open_to.add(Group.objects.create(name="Crew"))
    Routine.objects.filter(name="Closed").update(open_to_everybody=False)

    old = migrate(BEFORE).get_model("routines", "Routine").objects
    assert list(old.filter(enabled=True).values_list("name", flat=True)) == ["Free", "Limited"]

    migrate(newest)
    says = dict(Routine.objects.values_list("name", "open_to_everybody"))
    assert (says["Free"], says["Limited"]) == (True, False)
    assert list(Routine.objects.fireable_by(teammate).filter(enabled=True)) == [free]
    assert not Routine.objects.get(pk=closed.pk).enabled
