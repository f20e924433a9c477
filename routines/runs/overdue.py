"""Runs that nobody works on any more: claimed by a process that died, or waiting for too long.

A worker settles them every few seconds, and every page that shows runs does, so that no page is
wrong where no worker runs. The look costs one query on indexes that are all but empty.
"""

import logging
from typing import Any

from django.db import transaction
from django.utils import timezone

from routines.models import Attempt, Run
from routines.runs import limits, naming, restored
from routines.values.reasons import MEANINGS, Reason, State

logger = logging.getLogger(__name__)

# A page does not stop for all that a worker has left undone, be it thousands: each takes a commit.
AT_ONCE = 50


def settle() -> int:
    """Turn `sending` runs that no process can still be working on into `unknown`, and end what has
    waited past its deadline: at most AT_ONCE. Return how many there were."""
    claimed = Run.objects.filter(state=State.SENDING, claimed_at__lt=limits.overdue_before())
    too_late = Run.objects.filter(state=State.ACCEPTED, deadline__lt=timezone.now())
    either = [runs.order_by().values_list("pk") for runs in (claimed, too_late)]
    # In no order: SQLite would go through all runs rather than sort these few.
    found = list(either[0].union(either[1], all=True)[:AT_ONCE])
    if not found:
        return 0
    restored.check()  # then there is nothing overdue any more: what waited may have been sent
    runs = Run.objects.filter(pk__in=[pk for (pk,) in found]).select_related(
        "routine", "person", "api_key"
    )
    settled = 0
    for run in runs:
        if is_overdue(run):  # as read now: what was found waiting may be on its way since
            settled += give_up(run) if run.is_waiting else _interrupt(run)
    return settled


def is_overdue(run: Run) -> bool:
    """Return whether `settle` would settle it."""
    if run.is_waiting:
        return is_too_late(run)
    return (
        run.is_sending and run.claimed_at is not None and run.claimed_at < limits.overdue_before()
    )


def is_too_late(run: Run) -> bool:
    return run.deadline is not None and run.deadline < timezone.now()


def give_up(run: Run) -> bool:
    """End a run that still waits, as it was read; it keeps its last refusal, if it has one."""
    last = run.attempts.order_by("-number").first()
    reason = Reason.WAITED_TOO_LONG
    if last is not None and last.meaning.state == State.REFUSED:
        reason = Reason(last.reason)
    values = {"state": MEANINGS[reason].state, "reason": reason, "settled_at": timezone.now()}
    waits = Run.objects.filter(pk=run.pk, state=State.ACCEPTED, attempt=run.attempt)
    if not waits.update(**values):  # and nobody else did, or claimed it
        return False
    logger.info("run waited too long", extra={"facts": _facts(run) | _end(values)})
    return True


def _interrupt(run: Run) -> bool:
    now = timezone.now()
    values = {"state": State.UNKNOWN, "reason": Reason.INTERRUPTED, "settled_at": now}
    with transaction.atomic():
        claimed = Run.objects.filter(pk=run.pk, state=State.SENDING, attempt=run.attempt)
        if not claimed.update(**values):  # and nobody else did
            return False
        Attempt.objects.end_unanswered([run], reason=Reason.INTERRUPTED, at=now)
    logger.warning(
        "run interrupted: its process ended before the answer was recorded, so a session may exist",
        extra={"facts": _facts(run) | _end(values)},
    )
    return True


def _facts(run: Run) -> dict[str, Any]:
    return naming.facts(run) | {"pressed_at": run.created_at.isoformat()}


def _end(values: dict[str, Any]) -> dict[str, Any]:
    return {name: values[name] for name in ("state", "reason")}
