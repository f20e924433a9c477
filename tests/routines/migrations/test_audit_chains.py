"""The audit trail of before is chained after the upgrade, and the way back leaves no guard."""

from typing import Any

from routines.audit import chain, guards, trace
from routines.models import AuditEvent, Chain
from tests.routines.migrations.moving import migrate

BEFORE = [("routines", "0014_token_names")]


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
