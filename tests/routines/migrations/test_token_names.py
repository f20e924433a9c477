"""What was stored under the old names is found under the new ones, and back."""

from typing import Any

import pytest
from django.db import connection

from routines import insight
from routines.models import AuditEvent, Routine, Run, SavedView
from routines.values.reasons import Reason
from tests.factories import create_admin, create_routine, create_run
from tests.routines.migrations.moving import migrate

BEFORE = [("routines", "0013_run_counts")]  # the migration before 0014_token_names


def test_a_removed_token_keeps_its_runs_events_and_views_under_the_new_name(newest: Any):
    admin = create_admin()
    routine = create_routine()
    run = create_run(routine=routine, person=admin, reason=Reason.TOKEN_REMOVED)
    SavedView.objects.create(person=admin, name="v", query="reason=token_removed&q=x")
    event = AuditEvent.objects.create(
        action=AuditEvent.Action.TOKEN_REMOVED, person_name="a", subject="s"
    )
    ciphertext = routine.token_encrypted

    old = migrate(BEFORE)
    assert old.get_model("routines", "Run").objects.get().reason == "token_withdrawn"
    assert old.get_model("routines", "Routine").objects.get().token_sealed == ciphertext
    assert old.get_model("routines", "AuditEvent").objects.get(pk=event.pk).action == (
        "token_withdrawn"
    )
    assert old.get_model("routines", "SavedView").objects.get().query == (
        "reason=token_withdrawn&q=x"
    )

    migrate(newest)
    assert Run.objects.get(pk=run.pk).reason == Reason.TOKEN_REMOVED
    assert Routine.objects.get().reveal_token() == routine.reveal_token()
    assert AuditEvent.objects.get(pk=event.pk).action == AuditEvent.Action.TOKEN_REMOVED
    assert SavedView.objects.get().query == "reason=token_removed&q=x"


@pytest.mark.parametrize("has_triggers", [True, False])
def test_the_insight_page_knows_the_reason_at_once(newest: Any, has_triggers: bool):
    """An upgrade from before the counts comes here without the triggers: 0013 drops them."""
    admin, routine = create_admin(), create_routine()
    create_run(routine=routine, person=admin, reason=Reason.TOKEN_REMOVED)
    insight.step()
    create_run(routine=routine, person=admin, reason=Reason.TOKEN_REMOVED)  # not counted yet
    old = migrate(BEFORE)
    assert old.get_model("routines", "RunCount").objects.filter(key="token_withdrawn").exists()
    assert old.get_model("routines", "RunChange").objects.filter(reason="token_withdrawn").exists()
    if not has_triggers:
        drop_triggers()

    migrate(newest)

    assert insight.step() is None
    assert insight.look(insight.preset(7)).reasons == [(Reason.TOKEN_REMOVED, 2)]


def drop_triggers() -> None:
    names = ["run_added", "run_changed", "run_removed"]
    if connection.vendor == "postgresql":
        names = ["run_noted ON routines_run"]
    with connection.cursor() as cursor:
        for name in names:
            cursor.execute(f"DROP TRIGGER IF EXISTS {name}")
