"""The life of one run in its moments: accepted, claimed, sent, answered, and the waits between."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from routines.models import Attempt, Run
from routines.values.reasons import Reason, State


@dataclass(frozen=True)
class Moment:
    name: str
    at: datetime
    waited: timedelta | None = None  # since the moment before it


def of(run: Run) -> list[Moment]:
    """Empty for runs from before there was a queue, and for those that a rule ended at once."""
    if run.deadline is None and run.claimed_at is None:
        return []
    named: list[tuple[str, datetime | None]] = [("Accepted", run.created_at)]
    if not run.is_waiting:  # of one that waits for its next attempt, the table has the last one
        named += [("Claimed", run.claimed_at), ("Sent", run.sent_at), (_end(run), run.settled_at)]
    moments: list[Moment] = []
    for name, at in named:
        if at is not None:
            moments.append(Moment(name, at, at - moments[-1].at if moments else None))
    return moments


def attempts(run: Run) -> list[Attempt]:
    """Those that say more than the run itself: of several, or before the next one."""
    if run.attempt < 2 and not (run.is_waiting and run.attempt):
        return []
    return list(run.attempts.all())


def _end(run: Run) -> str:
    if run.is_settled_by_people:
        return "Settled"
    if run.reason == Reason.CANCELLED:
        return "Cancelled"
    return "Ended" if run.http_status is None or run.state == State.NOT_SENT else "Answered"
