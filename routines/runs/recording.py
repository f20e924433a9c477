"""The answer of the endpoint becomes part of the run, and of what the next press is told.

An answer has cost a session: whatever the database does now, the person is told of it.
"""

import logging
from datetime import datetime
from typing import Any

from django.db import Error as DatabaseFailure
from django.db import connection
from django.db.models import Q
from django.utils import timezone

from routines.fire_api import Answer
from routines.models import Run
from routines.runs import limits
from routines.tokens import health
from routines.values import words
from routines.values.reasons import SAID_BY_PEOPLE, State

logger = logging.getLogger(__name__)

_UNSETTLED = Q(state__in=[State.SENDING, State.UNKNOWN])
_SETTLED_BY_PEOPLE = Q(reason__in=SAID_BY_PEOPLE)


def record_answer(run: Run, answer: Answer, *, duration: float) -> bool:
    """Set `answer` on `run` and update its row; `duration` in seconds, from press to answer.

    Return False if the database took neither of two tries: then the answer is in the log, and
    `run` holds it all the same.
    """
    values = _values(answer, timezone.now(), duration)
    for name, value in values.items():
        setattr(run, name, value)
    # An answer later than settle_overdue_runs expected still tells the truth, and it overrules
    # what people guessed; that no answer came does not.
    may_change = _UNSETTLED if answer.state == State.UNKNOWN else _UNSETTLED | _SETTLED_BY_PEOPLE
    stored = Run.objects.filter(may_change, pk=run.pk)
    for is_last_try in (False, True):
        try:
            stored.update(**values)
            return True
        except DatabaseFailure as failure:
            if is_last_try:
                _log_lost_answer(run, answer, failure)
            elif not connection.in_atomic_block:
                connection.close()  # the server may have gone and come back
    return False


def record_consequences(run: Run, answer: Answer) -> None:
    """The hold after a 429, and what the answer says of the token.

    Neither is worth an error page: the next press meets the same answer and tries again.
    """
    for what, record in (
        ("hold", limits.apply_429),
        ("health of the token", health.record_token_result),
    ):
        try:
            record(answer, run.routine)
        except DatabaseFailure as failure:
            name = type(failure).__name__
            logger.error("run %s: the %s could not be recorded: %s", run.pk, what, name)


def _values(answer: Answer, now: datetime, duration: float) -> dict[str, Any]:
    return {
        "state": answer.state,
        "reason": answer.reason,
        "settled_at": now,
        "settled_by": None,
        "duration_ms": round(duration * 1000),
        "http_status": answer.http_status,
        "error_type": answer.error_type,
        "error_message": answer.error_message,
        "error_message_words": words.kept(answer.error_message),
        "request_id": answer.request_id,
        "session_id": answer.session_id,
        "session_url": answer.session_url,
        "retry_after": now + answer.retry_after if answer.retry_after else None,
    }


def _log_lost_answer(run: Run, answer: Answer, failure: DatabaseFailure) -> None:
    # %r: what the endpoint sent could hold line breaks, and must not write lines of its own.
    logger.critical(
        "run %s: the answer could not be recorded (%s): state=%s reason=%s "
        "session_id=%r session_url=%r request_id=%r",
        run.pk,
        type(failure).__name__,
        answer.state,
        answer.reason,
        answer.session_id,
        answer.session_url,
        answer.request_id,
    )
