"""When an attempt is followed by another one: only where it is known that nothing was started.

And only for a run whose caller asked for it, until its deadline. What is `unknown` is never sent
again by itself, by nobody, under no setting.
"""

from datetime import datetime, timedelta

from django.utils import timezone

from routines.fire_api import Answer
from routines.models import Run
from routines.runs import limits
from routines.values.reasons import Reason

_LONGEST_PAUSE = timedelta(minutes=5)
_FIRST_PAUSE = timedelta(seconds=2)

# Nothing left this machine, or the endpoint said that it started nothing and that it is for now.
_STARTED_NOTHING = frozenset(
    {
        Reason.NO_CONNECTION,
        Reason.TLS_FAILED,
        Reason.PROXY_UNREACHABLE,
        Reason.PROXY_SIGN_IN,
        Reason.PROXY_REFUSED,
        Reason.PROXY_FAILED,
        Reason.LIMIT_REACHED,
        Reason.OVERLOADED,
    }
)


def next_attempt(run: Run, answer: Answer) -> datetime | None:
    """When `run` is attempted anew after this answer of its attempt; None: it is over.

    After a 429 not before its limit resets, even if somebody lifts the hold.
    """
    if not run.tries_again or answer.reason not in _STARTED_NOTHING or run.deadline is None:
        return None
    pause = pause_after(run.attempt)
    if answer.reason == Reason.LIMIT_REACHED:
        pause = max(pause, answer.retry_after or limits.hold_after(answer))
    due_at = timezone.now() + pause
    return due_at if due_at < run.deadline else None


def pause_after(attempt: int) -> timedelta:
    """2, 4, 8 ... seconds after the first, second, third ... attempt, and 5 minutes at most."""
    doubled: timedelta = _FIRST_PAUSE * 2 ** min(attempt - 1, 16)
    return min(doubled, _LONGEST_PAUSE)
