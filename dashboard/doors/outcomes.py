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

from dashboard.doors.endings import ENDINGS, LATER, SHORTLY
from dashboard.doors.replies import Reply
from routines.callers.asking import TurnedAway
from routines.models import Routine, Run
from routines.models import WhyNoRun as Why
from routines.runs import retrying
from routines.runs.limits import Obstacle
from routines.values.reasons import Reason

NO_SUCH_ROUTINE = Reply(
    404,
    "There is no such routine for this API key. Compare its ID or name with the dashboard, or ask "
    "an admin to give it to this key.",
)


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


def reply_about(run: Run) -> Reply | None:
    """Of a run that has no session to give; None if it has."""
    reason = Reason(run.reason)
    ending = ENDINGS[reason]
    if ending.status == 200:
        return None
    headers = {"Location": address_of(run)}
    if ending.after is not None:
        moment = retrying.asked_again_from(run)
        headers["Retry-After"] = _seconds_until(moment, ending.after)
    sentence = ending.sentence(reason)
    if ending.status == 504:
        sentence = f"{sentence} {page_of(run)}"
    return Reply(ending.status, sentence, headers, described(run))


def turned_away(away: TurnedAway) -> Reply:
    """No run was made, so the same Idempotency-Key may be used again."""
    if away.why == Why.NOT_OPEN:
        return NO_SUCH_ROUTINE
    if away.cap is not None:
        span = "hour" if away.why == Why.HOURLY_CAP else "day"
        sentence = (
            f"This API key has had its {away.cap.cap:,} runs of the last {span}. Nothing was sent. "
            "Call again after Retry-After seconds, or ask an admin of the dashboard to raise its "
            "cap."
        )
        return Reply(429, sentence, {"Retry-After": _seconds_until(away.cap.until)})
    if away.obstacle is not None:
        return _stopped_by(away.obstacle)
    sentence, status = _TURNED_AWAY[away.why]
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
    more = described(away.run) if away.run is not None else {}
    return Reply(status, sentence, headers, more)


def _stopped_by(obstacle: Obstacle) -> Reply:
    meaning = obstacle.meaning
    if obstacle.until is None:
        return Reply(ENDINGS[obstacle.reason].status, f"{meaning.cause} {meaning.remedy}")
    sentence = (
        f"{meaning.cause} Call again after Retry-After seconds; or with Prefer: respond-async, and "
        "its run waits until then."
    )
    return Reply(429, sentence, {"Retry-After": _seconds_until(obstacle.until)})


def not_recorded(*, maybe: bool) -> Reply:
    if maybe:
        return Reply(
            504,
            "The dashboard's database went away just now. The run may have been recorded, and then "
            "it is sent later. Repeat the call with the same Idempotency-Key; without one, do not "
            "fire again before a person has looked at the history.",
        )
    return Reply(
        503,
        "The dashboard's database takes no run at the moment. Nothing was sent. Call again after "
        "Retry-After seconds; the same Idempotency-Key may be used.",
        {"Retry-After": str(SHORTLY)},
    )


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
        "This routine asks a person something before each run. Nothing was sent. Run it on the "
        "dashboard, or ask an admin to give it to a team key.",
        403,
    ),
    Why.BAD_REQUEST: (
        "The template has changed, and the run that this Idempotency-Key had made was deleted "
        "meanwhile. Nothing was sent. Look at the template, and call again with a new key.",
        422,
    ),
    Why.REVOKED: ("This API key was revoked. Ask an admin of the dashboard for a new one.", 401),
}


def _seconds_until(moment: datetime | None, otherwise: int | None = None) -> str:
    if moment is None:
        return str(otherwise or LATER)
    return str(max(math.ceil((moment - timezone.now()).total_seconds()), 1))
