"""An installed database learns that programs may ask for runs, and may forget it again."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.exceptions import IrreversibleError
from django.utils import timezone

from routines.insight import progress, recounting, triggers
from routines.models import Dimension, Grain, Run, RunChange, RunCount
from routines.values.reasons import MEANINGS, Reason
from tests.factories import create_api_key, create_routine, create_run, create_teammate
from tests.routines.migrations.moving import Targets, migrate

BEFORE = [("routines", "0024_deadlines")]
REASONS = (Reason.SESSION_CREATED, Reason.PAUSED, Reason.NO_ANSWER, Reason.WAITED_TOO_LONG)


def make_triggers_as_before() -> None:
    """Those of the version before, as far as this test writes runs."""
    noted = "created_at, routine_{0}, account_{0}, person_{0}, state, reason, outcome, duration_ms"
    into = f"INSERT INTO routines_runchange ({noted.format('pk')}, by, deleted)"
    values = noted.format("id").split(", ")
    added, removed, kept = (
        f"{into} SELECT {', '.join(f'{row}.{name}' for name in values)}, {more};"
        for row, more in (("NEW", "1, FALSE"), ("OLD", "-1, FALSE"), ("OLD", "1, TRUE"))
    )
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            for name, event, body in (
                ("run_added", "INSERT", added),
                ("run_removed", "DELETE", removed + kept),
            ):
                cursor.execute(
                    f"CREATE TRIGGER {name} AFTER {event} ON routines_run BEGIN {body} END"
                )
        else:
            cursor.execute(
                "CREATE OR REPLACE FUNCTION note_run_change() RETURNS trigger LANGUAGE plpgsql "
                f"AS $$ BEGIN IF TG_OP = 'INSERT' THEN {added} ELSE {removed} {kept} END IF; "
                "RETURN NULL; END $$"
            )
            cursor.execute(
                "CREATE TRIGGER run_noted AFTER INSERT OR DELETE ON routines_run "
                "FOR EACH ROW EXECUTE FUNCTION note_run_change()"
            )


def run_as_before(old: Any, like: Run, reason: Reason, hours: int) -> Any:
    pressed = timezone.now() - timedelta(hours=hours)
    state = MEANINGS[reason].state
    return old.get_model("routines", "Run").objects.create(
        key=uuid4(),
        routine_id=like.routine_id,
        account_id=like.account_id,
        person_id=like.person_id,
        api_version="2023-06-01",
        created_at=pressed,
        settled_at=pressed,
        state=state,
        reason=reason,
        session_id=f"session_{uuid4().hex}" if state == "started" else "",
    )


def counted(dimension: Dimension) -> dict[str, int]:
    rows = RunCount.objects.filter(dimension=dimension, grain=Grain.DAY)
    found: dict[str, int] = {}
    for row in rows:
        runs = row.started + row.refused + row.not_sent + row.unknown
        found[row.key] = found.get(row.key, 0) + runs
    return {key: runs for key, runs in found.items() if runs}


def catch_up() -> None:
    for _ in progress.catch_up(pause=lambda _seconds: None):
        pass


def test_the_counts_are_right_after_the_way_there(newest: Targets):
    like = create_run(ago=timedelta(days=1))
    catch_up()
    old = migrate(BEFORE)
    make_triggers_as_before()
    for hours, reason in enumerate(REASONS * 3):
        run_as_before(old, like, reason, hours)
    deleted = run_as_before(old, like, Reason.PAUSED, 30)
    old.get_model("routines", "Run").objects.filter(pk=deleted.pk).delete()

    migrate(newest)  # with changes that the old triggers noted, and nobody has counted
    assert RunChange.objects.filter(api_key_pk=None).count() >= len(REASONS) * 3
    triggers.ensure()
    key = create_api_key()
    create_run(api_key=key, routine=like.routine)
    catch_up()
    assert counted(Dimension.PERSON) == {str(like.person_id): 1 + len(REASONS) * 3 + 1}
    assert counted(Dimension.API_KEY) == {str(key.pk): 1}
    assert counted(Dimension.TIME) == {"": 1 + len(REASONS) * 3 + 1 + 1}
    assert RunCount.objects.filter(deleted=True, dimension=Dimension.PERSON).exists()
    assert sum(day.wrong for day in recounting.check()) == 0


def test_after_the_way_there_a_run_still_names_its_person(newest: Targets):
    like = create_run()
    old = run_as_before(migrate(BEFORE), like, Reason.PAUSED, 1)
    migrate(newest)
    run = Run.objects.get(pk=old.pk)
    assert (run.person, run.api_key, run.idempotency_key) == (like.person, None, "")
    assert run.caller == str(like.person)


def test_there_is_no_way_back_that_would_lose_who_asked_for_a_run(newest: Targets):
    run = create_run(api_key=create_api_key(name="ci"))
    with pytest.raises(IrreversibleError, match=r"1 runs were asked for by API keys.*backup"):
        migrate(BEFORE)
    migrate(newest)
    run.refresh_from_db()
    assert run.caller == "API key ci"


def test_there_is_no_way_back_past_a_deleted_run_that_is_not_counted(newest: Targets):
    create_run(api_key=create_api_key()).delete()
    with pytest.raises(IrreversibleError, match="count_runs"):
        migrate(BEFORE)
    migrate(newest)
    triggers.ensure()
    call_command("count_runs")
    migrate(BEFORE)


def test_on_the_way_back_runs_of_personal_keys_become_their_persons(newest: Targets):
    person = create_teammate()
    run = create_run(api_key=create_api_key(person=person))
    catch_up()
    old = migrate(BEFORE)
    assert old.get_model("routines", "Run").objects.get(pk=run.pk).person_id == person.pk


def test_on_the_way_back_no_trigger_stays_that_the_version_before_would_stumble_over(
    newest: Targets,
):
    like = create_run(routine=create_routine())
    catch_up()
    old = migrate(BEFORE)
    triggers.ensure()  # as after every `migrate`: by this version, which makes none
    run = run_as_before(old, like, Reason.PAUSED, 1)
    old.get_model("routines", "Run").objects.filter(pk=run.pk).update(outcome="useful")
    assert not old.get_model("routines", "RunChange").objects.exists()
