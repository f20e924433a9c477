"""Sending a claimed run: one request, outside any transaction, and what came of it, recorded."""

import logging
import time
from typing import Any

from django.conf import settings
from django.db import Error as DatabaseFailure
from django.db import connection
from django.utils import timezone

from routines import fire_api, patience
from routines.models import Run
from routines.runs import recording
from routines.runs.naming import facts
from routines.values.reasons import Reason
from routines.values.tokens import Token

logger = logging.getLogger(__name__)

# A process that was stopped, or whose machine slept, since it claimed the run: others may soon
# take the run for interrupted, so it goes back to the queue. Far less than limits.overdue_before.
_STALE_SECONDS = 15.0


def send(run: Run, token: Token, *, claimed: float) -> bool:
    """Send the one request of this attempt; `claimed` is when, by time.monotonic().

    `run` is `sending`, committed, and this process's own. It holds what came of it afterwards: an
    answer, or `accepted` once more, if the attempt started nothing and the run may try again.
    Return False if the answer could not be recorded: then it is in the log.
    """
    if _age(run, claimed) > _STALE_SECONDS:
        return _put_back(run)
    give_connection_back()
    # Before the request leaves: a process that is killed while it waits has logged this.
    logger.info("sending", extra={"facts": facts(run)})
    answer = fire_api.fire(
        base_url=settings.CLAUDE_API_BASE_URL,
        routine_id=run.routine.routine_id,
        token=token,
        beta_version=run.beta_version,
        api_version=run.api_version,
        text=run.text,
        timeout=settings.FIRE_TIMEOUT,
        route=fire_api.configured_route(),
    )
    with patience.while_recording():
        recorded = recording.record_answer(run, answer, duration=time.monotonic() - claimed)
        if recorded:
            recording.record_consequences(run, answer)
    log(run)
    return recorded


def _age(run: Run, claimed: float) -> float:
    """Seconds since its claim: by the clock that nobody sets, or by the one that goes on while the
    machine sleeps, if that says more. One that was set meanwhile costs a run its turn, no more."""
    by_the_wall = timezone.now() - (run.claimed_at or run.created_at)
    return max(time.monotonic() - claimed, by_the_wall.total_seconds())


def _put_back(run: Run) -> bool:
    """Nothing has left, so it may wait once more, or ends as what it is: not sent."""
    try:
        if not recording.put_back(run):  # somebody took it for interrupted
            recording.record_answer(run, fire_api.Answer(Reason.WAITED_TOO_LONG), duration=0)
    except DatabaseFailure as failure:
        logger.error("run %s: not sent, and not put back: %s", run.pk, type(failure).__name__)
        return False
    log(run)
    return True


def log(run: Run, *, repeated: bool = False) -> None:
    """One line for each fire; the text, the session and the token are not in it."""
    known: dict[str, Any] = facts(run) | {
        "state": run.state,
        "reason": run.reason,
        "attempt": run.attempt if run.attempt > 1 else None,
        "status": run.http_status,
        "ms": run.duration_ms,
        "endpoint_request": run.request_id,
        "repeated": repeated,
    }
    said = {name: value for name, value in known.items() if value not in (None, "", False)}
    logger.info("fire", extra={"facts": said})


def give_connection_back() -> None:
    """Hold no pooled connection while waiting on the endpoint, or slow fires starve the pages."""
    if "pool" in connection.settings_dict["OPTIONS"] and not connection.in_atomic_block:
        connection.close()
