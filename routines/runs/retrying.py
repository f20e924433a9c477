"""When an attempt is followed by another one: only where it is known that nothing was started.

And only where its caller asked for it: beforehand, until the run's deadline (`next_attempt`); or by
asking for the same run again once the cause may have passed (`asked_again_from`, reopening.py).
What is `unknown` is never sent again, by nobody, under no setting.
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
# After so long whoever asked may ask again, if a 429 does not say when.
_SHORTLY, _LATER = timedelta(seconds=5), timedelta(seconds=60)
_PASSES_AFTER = {
    Reason.NO_CONNECTION: _SHORTLY,
    Reason.TLS_FAILED: _LATER,
    Reason.PROXY_UNREACHABLE: _SHORTLY,
    Reason.PROXY_SIGN_IN: _LATER,
    Reason.PROXY_REFUSED: _LATER,
    Reason.PROXY_FAILED: _SHORTLY,
    Reason.LIMIT_REACHED: _LATER,
    Reason.OVERLOADED: _LATER,
    Reason.WAITED_TOO_LONG: _SHORTLY,
}
_STARTED_NOTHING = _PASSES_AFTER.keys() - {Reason.WAITED_TOO_LONG}


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


def asked_again_from(run: Run) -> datetime | None:
    """From when on a caller that asks for this run again has it attempted anew.

    None: not at all. It started something, or may have; or somebody has to act first.
    """
    pause = passes_after(Reason(run.reason))
    if pause is None or run.settled_at is None:
        return None
    limit_resets = run.retry_after if run.reason == Reason.LIMIT_REACHED else None
    return limit_resets or run.settled_at + pause


def passes_after(reason: Reason) -> timedelta | None:
    """How long a cause of this kind usually takes to pass; None: not by itself."""
    return _PASSES_AFTER.get(reason)


def pause_after(attempt: int) -> timedelta:
    """2, 4, 8 ... seconds after the first, second, third ... attempt, and 5 minutes at most."""
    doubled: timedelta = _FIRST_PAUSE * 2 ** min(attempt - 1, 16)
    return min(doubled, _LONGEST_PAUSE)
