"""An installed database gets the queue, and loses it again, with runs in every state."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from routines.models import Run
from routines.runs import overdue, queue
from routines.values.reasons import MEANINGS, Reason, State
from tests.factories import create_run
from tests.routines.migrations.moving import migrate

BEFORE = [("routines", "0019_usernames")]
NEW = {
    Reason.ACCEPTED: "busy",
    Reason.COOLING: "busy",
    Reason.NEXT_ATTEMPT: "busy",
    Reason.CANCELLED: "busy",
    Reason.WAITED_TOO_LONG: "busy",
    Reason.NOT_ALLOWED: "busy",
    Reason.RESTORED: "interrupted",
}


def test_on_the_way_back_nothing_that_waits_is_sent_and_all_else_stays(newest: Any):
    runs = {reason: create_run(reason=reason) for reason in Reason}
    old = migrate(BEFORE).get_model("routines", "Run").objects
    found = dict(old.values_list("reason", "state"))
    assert set(found) == {NEW.get(reason, reason) for reason in Reason}
    assert found["busy"] == "not_sent"
    assert not old.filter(state="accepted").exists()
    assert not old.exclude(state="sending").filter(settled_at=None).exists()

    migrate(newest)
    for reason, run in runs.items():
        if reason not in NEW:
            run.refresh_from_db()
            assert (run.state, run.reason) == (MEANINGS[reason].state, reason)
    assert queue.lines() == []


def test_what_was_being_sent_is_found_overdue_afterwards(newest: Any):
    lost = create_run(reason=Reason.SENDING, ago=timedelta(minutes=30))
    busy = create_run(reason=Reason.WAITED_TOO_LONG)
    sent = create_run(ago=timedelta(minutes=30))
    old = migrate(BEFORE).get_model("routines", "Run").objects
    assert old.get(pk=busy.pk).reason == "busy"

    migrate(newest)
    overdue.settle()
    lost.refresh_from_db()
    busy.refresh_from_db()
    sent.refresh_from_db()
    assert (lost.state, lost.reason) == (State.UNKNOWN, Reason.INTERRUPTED)
    assert lost.attempts.get().number == 1
    assert (busy.state, busy.reason) == (State.NOT_SENT, Reason.WAITED_TOO_LONG)
    assert sent.sent_at is not None
    assert sent.sent_at < timezone.now()  # the budgets count it
    assert Run.objects.count() == 3
