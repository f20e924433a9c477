"""What came of a call, said as the endpoint would say it (docs/fire-api.md), and what to do.

Whether a session was started must be read from the status alone, as callers do: 504 is the one that
says that nobody knows. What an admin has to mend is never the caller's 401.
"""

import math
from datetime import datetime
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from dashboard.api.refusals import Refusal
from routines.callers.asking import TurnedAway
from routines.models import Refusal as Why
from routines.models import Routine, Run
from routines.values.reasons import Meaning, Reason, State

NO_SUCH_ROUTINE = Refusal(
    404,
    "There is no such routine for this API key. Compare its ID or name with the dashboard, or ask "
    "an admin to give it to this key.",
)

# What the caller can do about a run that started nothing is in the status; all others are 403: an
# admin has to do something, whatever the caller sends.
_STATUS = {
    Reason.PAUSED: 400,
    Reason.TEXT_TOO_LONG: 400,
    Reason.BAD_REQUEST: 400,
    Reason.CANCELLED: 400,
    Reason.LIMIT_REACHED: 429,
    Reason.OVERLOADED: 503,
    Reason.NO_CONNECTION: 503,
    Reason.PROXY_UNREACHABLE: 503,
    Reason.PROXY_FAILED: 503,
    Reason.WAITED_TOO_LONG: 503,
    Reason.NOT_ALLOWED: 404,
}
_ADMIN_ACTS = 403
_TRY_AGAIN_AFTER = 5  # seconds


def address_of(run: Run) -> str:
    """Where the run stands for programs, whole: a client need not join it to anything."""
    return f"{settings.DASHBOARD_URL}{reverse('api_run', args=[run.pk])}"


def page_of(run: Run) -> str:
    """Where the run stands for people."""
    return f"{settings.DASHBOARD_URL}{reverse('history_run', args=[run.pk])}"


def run_form_of(routine: Routine) -> str:
    """Where a person runs it."""
    return f"{settings.DASHBOARD_URL}{reverse('run', args=[routine.slug])}"


def described(run: Run) -> dict[str, Any]:
    """What any answer about a run says of it, beside what the endpoint would say."""
    return {
        "run": {
            "id": run.pk,
            "state": run.state,
            "reason": run.reason,
            "url": address_of(run),
            "page": page_of(run),
        }
    }


def refusal_of(run: Run) -> Refusal | None:
    """Of a run that has no session to give; None if it has."""
    headers = {"Location": address_of(run)}
    more = described(run)
    meaning = run.meaning
    if run.state == State.STARTED:
        return None
    if run.is_open:
        sentence = f"{meaning.cause} Look at the run for its outcome; do not fire again."
        return Refusal(202, sentence, headers, more)
    if run.state == State.UNKNOWN:
        sentence = (
            f"{meaning.cause} A session may exist. Do not fire again before a person has looked: "
            f"{page_of(run)}"
        )
        return Refusal(504, sentence, headers, more)
    status = _STATUS.get(Reason(run.reason), _ADMIN_ACTS)
    if status == 429:
        headers["Retry-After"] = _seconds_until(run.retry_after)
    elif status == 503:
        headers["Retry-After"] = str(_TRY_AGAIN_AFTER)
    return Refusal(status, _said(meaning), headers, more)


def turned_away(away: TurnedAway) -> Refusal:
    if away.refusal == Why.NOT_OPEN:
        return NO_SUCH_ROUTINE
    if away.cap is not None:
        span = "hour" if away.refusal == Why.HOURLY_CAP else "day"
        sentence = (
            f"This API key has had its {away.cap.cap:,} runs of the last {span}. Nothing was sent. "
            "Wait, or ask an admin of the dashboard to raise its cap."
        )
        return Refusal(429, sentence, {"Retry-After": _seconds_until(away.cap.until)})
    if away.obstacle is not None:
        sentence = _said(away.obstacle.meaning)
        if away.obstacle.until is not None:
            return Refusal(429, sentence, {"Retry-After": _seconds_until(away.obstacle.until)})
        return Refusal(_ADMIN_ACTS, sentence)
    sentence, status = _TURNED_AWAY[away.refusal]
    more = described(away.run) if away.run is not None else {}
    return Refusal(status, sentence, {}, more)


def not_recorded(*, maybe: bool) -> Refusal:
    sentence = "The dashboard's database cannot be written at the moment. Nothing was sent."
    if maybe:
        sentence = (
            "The dashboard's database went away just now. The run may have been recorded, and then "
            "it is sent later. Repeat the call with the same Idempotency-Key; without one, do not "
            "fire again before a person has looked at the history."
        )
    headers = {"Retry-After": str(_TRY_AGAIN_AFTER)}
    return Refusal(504 if maybe else 503, sentence, headers)


_TURNED_AWAY = {
    Why.NO_IDEMPOTENCY_KEY: (
        "This API key promises an Idempotency-Key with each call: send the header, with a value "
        "that is new for each intent and the same when you repeat it. Nothing was sent.",
        400,
    ),
    Why.OTHER_INTENT: (
        "This Idempotency-Key was used for another routine or another text. Nothing was sent. Use "
        "a new key for a new intent.",
        422,
    ),
    Why.ASKS_A_PERSON: (
        "This routine wants a person's confirmation before each run. Nothing was sent. Run it on "
        "the dashboard.",
        403,
    ),
    Why.REVOKED: ("This API key was revoked. Ask an admin of the dashboard for a new one.", 401),
}


def _said(meaning: Meaning) -> str:
    return f"{meaning.cause} {meaning.remedy}"


def _seconds_until(moment: datetime | None) -> str:
    left = (moment - timezone.now()).total_seconds() if moment else 60
    return str(max(math.ceil(left), 1))
