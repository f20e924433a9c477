"""How the tests of the queue let runs wait, claim them, and end their attempts."""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import time_machine
from django.utils import timezone

from routines.fire_api import Answer
from routines.models import Account, Person, Routine, Run
from routines.runs import accepting, queue, recording
from routines.values.reasons import Reason
from tests.factories import create_teammate

BEGIN = datetime(2026, 11, 2, 9, 30).astimezone()
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)

OVERLOADED = Answer(Reason.OVERLOADED, http_status=503, error_type="overloaded_error")
LIMIT = Answer(Reason.LIMIT_REACHED, http_status=429, retry_after=5 * MINUTE)
NO_CONNECTION = Answer(Reason.NO_CONNECTION)
SESSION = Answer(
    Reason.SESSION_CREATED,
    http_status=200,
    request_id="req_1",
    session_id="session_01QUEUE",
    session_url="https://claude.ai/code/session_01QUEUE",
)


def at(moment: datetime) -> Any:
    """Within, it is that moment and no other."""
    return time_machine.travel(moment, tick=False)


def accept(routine: Routine, person: Person | None = None, **values: Any) -> Run:
    """It waits for its turn, as a caller's does."""
    accepted = accepting.accept(
        key=uuid4(),
        routine=routine,
        person=person or create_teammate(),
        text="Look into it.",
        **{"aware_of": None, "waits_out": True} | values,
    )
    return as_stored(accepted.run)


def claim(routine: Routine) -> Run | None:
    claimed = queue.claim(routine.pk)
    return claimed.run if claimed is not None else None


def claimed(routine: Routine) -> Run:
    run = claim(routine)
    assert run is not None
    return run


def answered(run: Run, answer: Answer) -> Run:
    """As it is stored, once this answer of its attempt was recorded."""
    assert recording.record_answer(run, answer, duration=1)
    return as_stored(run)


def attempted(routine: Routine, answer: Answer) -> Run:
    return answered(claimed(routine), answer)


def as_stored(run: Run) -> Run:
    return Run.objects.select_related("routine__account", "person").get(pk=run.pk)


def hold(held: Routine | Account, duration: timedelta = 5 * MINUTE) -> None:
    until = timezone.now() + duration
    type(held)._default_manager.filter(pk=held.pk).update(held_until=until)


def attempts(run: Run) -> list[tuple[int, str, bool]]:
    """Of each its number, its reason, and whether its request is known to have left."""
    rows = run.attempts.order_by("number").values_list("number", "reason", "sent_at")
    return [(number, reason, sent_at is not None) for number, reason, sent_at in rows]
