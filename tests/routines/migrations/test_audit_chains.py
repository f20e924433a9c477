"""The audit trail of before is chained after the upgrade, and the way back leaves no guard."""

from typing import Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from routines.audit import chain, guards, trace
from routines.insight import triggers
from routines.models import AuditEvent, Chain

BEFORE = [("routines", "0014_token_names")]


def migrate(targets: list[tuple[str, str]]) -> Any:
    executor = MigrationExecutor(connection)
    executor.migrate(targets)
    return MigrationExecutor(connection).loader.project_state(targets).apps


@pytest.fixture
def newest(transactional_db: None) -> Any:
    newest = MigrationExecutor(connection).loader.graph.leaf_nodes()
    yield newest
    migrate(newest)
    triggers.ensure()
    guards.remove()


def test_the_trail_is_chained_after_the_upgrade_and_the_way_back_leaves_no_trigger(newest: Any):
    trace(AuditEvent.Action.EXPORTED, by=None, subject="of the new version")
    guards.ensure()

    old = migrate(BEFORE).get_model("routines", "AuditEvent")
    old.objects.create(action="exported", person_name="a", subject="of the old version")
    old.objects.filter(subject="of the new version").update(person_name="b")

    migrate(newest)
    assert not AuditEvent.objects.filter(number__gt=0).exists()
    guards.ensure()
    chain.seal_all()
    found = chain.walk(Chain.CHANGES)
    assert (found.problem, found.entries) == ("", AuditEvent.objects.count())
