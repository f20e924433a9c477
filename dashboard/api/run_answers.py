"""A run, as the API tells of it, and the status that goes with it.

Whoever reads the status alone never takes a run for started that was not: 201 is a session, 202 is
not over, 424 is known to have started nothing, 504 is what nobody knows.
"""

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import Error as DatabaseFailure
from django.utils import timezone

from dashboard.api import links, schemas
from dashboard.api.operations import Answer
from dashboard.doors.endings import ENDINGS
from dashboard.doors.replies import Refused, Reply
from routines.models import Attempt, Run
from routines.runs import retrying
from routines.values.reasons import Reason, State

_ASK_AGAIN_AFTER = 2  # seconds


def described(run: Run) -> schemas.Run:
    """Needs its routine loaded."""
    meaning = run.meaning
    return schemas.Run(
        id=run.pk,
        state=State(run.state),
        is_over=not run.is_open,
        reason=Reason(run.reason),
        sentence=meaning.cause,
        remedy=meaning.remedy,
        who_acts=meaning.who_acts,
        again=meaning.again,
        session=_session(run),
        routine=schemas.RoutineReference(
            run.routine.slug, run.routine.routine_id, run.routine.name
        ),
        template=run.template_name or None,
        why=run.why or None,
        idempotency_key=run.idempotency_key or None,
        created_at=run.created_at,
        due_at=run.due_at,
        sent_at=run.sent_at,
        settled_at=run.settled_at,
        attempts=_attempts(run),
        url=links.address("api_run", run.pk),
        cancel_url=links.address("api_cancel_run", run.pk) if run.is_waiting else None,
        page=links.address("history_run", run.pk),
    )


def shown(run: Run) -> Answer:
    return Answer(described(run), headers=_advice(run))


def made(run: Run, more: Mapping[str, str]) -> Answer:
    """The answer to who asked for the run. Raise Refused if it made no session, or may not have."""
    content = described(run)
    headers = {"Location": content.url, **_advice(run), **more}
    if run.state == State.STARTED:
        return Answer(content, 201, headers)
    if run.is_open:
        return Answer(content, 202, headers)
    ending = ENDINGS[content.reason]
    if ending.after is not None:
        passes_at = retrying.asked_again_from(run)
        headers["Retry-After"] = str(_seconds_until(passes_at) or 1 if passes_at else ending.after)
    status = 504 if run.state == State.UNKNOWN else 424
    raise Refused(Reply(status, ending.sentence(content.reason), headers, {"run": content}))


def beside(run: Run) -> dict[str, Any]:
    """What a refusal that is about this run says of it."""
    return {"run": described(run)}


def _advice(run: Run) -> dict[str, str]:
    if not run.is_open:
        return {}
    return {"Retry-After": str(max(_seconds_until(run.due_at), _ASK_AGAIN_AFTER))}


def _seconds_until(moment: datetime | None) -> int:
    left = (moment - timezone.now()).total_seconds() if moment else 0
    return max(math.ceil(left), 0)


def _session(run: Run) -> schemas.Session | None:
    if not run.session_id:
        return None
    return schemas.Session(run.session_id, run.session_link or None)


def _attempts(run: Run) -> list[schemas.Attempt]:
    """Of a run that was just made they are the last thing to ask the database for. It may be away
    by now: no reason to tell who asked for the run anything else than what came of it."""
    try:
        return [_attempt(one) for one in run.attempts.all()]
    except DatabaseFailure:
        return []


def _attempt(attempt: Attempt) -> schemas.Attempt:
    return schemas.Attempt(
        number=attempt.number,
        reason=Reason(attempt.reason),
        claimed_at=attempt.claimed_at,
        sent_at=attempt.sent_at,
        ended_at=attempt.ended_at,
        http_status=attempt.http_status,
        request_id=attempt.request_id or None,
    )
