"""The answer of the endpoint becomes part of the run, and of what the next press is told.

An answer has cost a session: whatever the database does now, the person is told of it.
"""

import logging
import time
from contextlib import AbstractContextManager, nullcontext, suppress
from datetime import datetime, timedelta
from typing import Any

from django.db import Error as DatabaseFailure
from django.db import IntegrityError, connection, transaction
from django.db.models import Q
from django.utils import timezone

from routines.fire_api import Answer
from routines.models import Attempt, Run
from routines.runs import limits, retrying
from routines.tokens import health
from routines.values import session_links, words
from routines.values.reasons import SAID_BY_PEOPLE, Reason, State
from routines.values.references import of_session

logger = logging.getLogger(__name__)

_UNSETTLED = Q(state__in=[State.SENDING, State.UNKNOWN])
_SETTLED_BY_PEOPLE = Q(reason__in=SAID_BY_PEOPLE)

_LONGEST_MESSAGE = 2_000
_TAKEN = {
    "state": State.UNKNOWN,
    "reason": Reason.SESSION_TAKEN,
    "session_id": "",
    "session_url": "",
}


def record_answer(run: Run, answer: Answer, *, duration: float) -> bool:
    """Set `answer` on `run` and update its row; `duration` in seconds, from claim to answer.

    An attempt that started nothing may be followed by another one: then the run waits once more.
    Return False if the database took neither of two tries: then the answer is in the log, and
    `run` holds it all the same.
    """
    now = timezone.now()
    due_at = retrying.next_attempt(run, answer)
    values = _values(answer, now, duration)
    anew = values | _waiting_until(due_at) if due_at is not None else None
    attempt = _attempt(run, answer, now, values["sent_at"])
    for is_last_try in (False, True):
        try:
            values = _store(run, answer, values, anew, attempt)
            is_stored = True
            break
        except DatabaseFailure as failure:
            is_stored = False
            if is_last_try:
                _log_lost_answer(run, answer, failure)
            elif not connection.in_atomic_block:
                connection.close()  # the server may have gone and come back
    for name, value in values.items():
        setattr(run, name, value)
    return is_stored


def put_back(run: Run) -> bool:
    """Let a claimed run wait for its turn once more: nothing of it has left.

    False: somebody has settled it meanwhile.
    """
    values: dict[str, Any] = {"attempt": run.attempt - 1, "claimed_at": None}
    values |= {"state": State.ACCEPTED, "reason": Reason.ACCEPTED}
    claimed = Run.objects.filter(pk=run.pk, key=run.key, state=State.SENDING, attempt=run.attempt)
    if not claimed.update(**values):
        return False
    for name, value in values.items():
        setattr(run, name, value)
    return True


def _store(
    run: Run,
    answer: Answer,
    values: dict[str, Any],
    anew: dict[str, Any] | None,
    attempt: Attempt,
) -> dict[str, Any]:
    """Update the run, keep its attempt, and return what the run became.

    `anew`: in place of `values`, if it is to be attempted once more.
    """
    if anew is not None and _let_wait(run, anew, attempt):
        return anew
    # Each on its own: once the server has this statement, no death of ours takes it back.
    values = _store_outcome(run, answer, values)
    if values["reason"] == Reason.SESSION_TAKEN:
        attempt.reason = Reason.SESSION_TAKEN
    _keep_attempt(attempt)
    return values


def _let_wait(run: Run, values: dict[str, Any], attempt: Attempt) -> bool:
    """For the next attempt. It is this process's to decide, and the row of the last one is there
    before anybody can claim the run. False: others took the run for interrupted meanwhile, and
    people may have acted on that; so it is not sent again."""
    claimed = Run.objects.filter(pk=run.pk, key=run.key, state=State.SENDING, attempt=run.attempt)
    with transaction.atomic():
        if claimed.update(**values):
            _keep_attempt(attempt)
            return True
    # Unless an earlier try of this was committed, and only the answer to that got lost.
    anew = Run.objects.filter(pk=run.pk, key=run.key, state=State.ACCEPTED, attempt=run.attempt)
    return anew.filter(due_at=values["due_at"]).exists()


def _store_outcome(run: Run, answer: Answer, values: dict[str, Any]) -> dict[str, Any]:
    """One session is one run's, says the database."""
    # Its key as well: in a database that was restored meanwhile another run may have its number.
    stored = Run.objects.filter(_may_change(run, answer), pk=run.pk, key=run.key)
    try:
        with _own_savepoint():
            if not stored.update(**values):
                _keep_beside_what_people_said(run, answer)
                return _as_people_said(run, values)
        return values
    except IntegrityError as refused:
        if "run_session_once" not in str(refused):
            raise
        # What people said of another run was a guess, and the endpoint has just said otherwise.
        if answer.state == State.STARTED and _take_from_guesses(values["session_id"], run):
            with suppress(IntegrityError), _own_savepoint():
                stored.update(**values)
                return values
    # Another run has it, by an answer as good as this one.
    message = _named_in_words(answer)
    values |= _TAKEN | {"error_message": message, "error_message_words": words.kept(message)}
    stored.update(**values)
    return values


def _own_savepoint() -> AbstractContextManager[Any]:
    """So that a refused row leaves a transaction of somebody else's usable."""
    return transaction.atomic() if connection.in_atomic_block else nullcontext()


def _attempt(run: Run, answer: Answer, now: datetime, sent_at: datetime | None) -> Attempt:
    return Attempt(
        run=run,
        number=run.attempt,
        claimed_at=run.claimed_at,
        sent_at=sent_at,
        ended_at=now,
        reason=answer.reason,
        http_status=answer.http_status,
        error_type=answer.error_type,
        request_id=answer.request_id,
    )


def _keep_attempt(attempt: Attempt) -> None:
    """Also where somebody took the run for interrupted, and said so of its attempt."""
    Attempt.objects.bulk_create(
        [attempt],
        update_conflicts=True,
        unique_fields=["run", "number"],
        update_fields=["sent_at", "ended_at", "reason", "http_status", "error_type", "request_id"],
    )


def _keep_beside_what_people_said(run: Run, answer: Answer) -> None:
    """It may overrule nothing; but should it name another session than they, that is not lost."""
    name = answer.session_id or session_links.name_in(answer.session_url)
    if not (name or answer.session_url):
        return
    said = Run.objects.filter(pk=run.pk, reason=Reason.SAID_STARTED).exclude(of_session(name))
    said.update(error_message=_named_in_words(answer), request_id=answer.request_id)


def _as_people_said(run: Run, values: dict[str, Any]) -> dict[str, Any]:
    """What stands in place of `values`; when it left is known by now, whatever they said."""
    there = Run.objects.filter(pk=run.pk, key=run.key)
    there.filter(_not_attempted_since(run)).update(sent_at=values["sent_at"])
    stands = there.first()
    if stands is None:
        raise DatabaseFailure("The run is not there any more.")
    return {name: getattr(stands, name) for name in values}


def _named_in_words(answer: Answer) -> str:
    said = f"The answer named {answer.session_url or answer.session_id}. {answer.error_message}"
    return said.strip()[:_LONGEST_MESSAGE]


def _may_change(run: Run, answer: Answer) -> Q:
    """Which states of a run this answer overrules, should it come late.

    One later than overdue.settle expected still tells the truth, and it overrules what people
    guessed. That no answer came does not; but a session that it names proves that one was made.
    A database that went back to an older state has forgotten that this attempt was claimed.
    """
    unsettled = _UNSETTLED | Q(state=State.ACCEPTED, attempt__lt=run.attempt)
    names_a_session = bool(answer.session_id or answer.session_url)
    if answer.state != State.UNKNOWN:
        unsettled |= _SETTLED_BY_PEOPLE
    elif names_a_session:
        unsettled |= Q(reason=Reason.SAID_NOT_STARTED)
    return unsettled if names_a_session else unsettled & _not_attempted_since(run)


def _not_attempted_since(run: Run) -> Q:
    """That an attempt started nothing says nothing of the next one. That may be under way already,
    if the database took this answer and its word for that got lost."""
    return Q(attempt__lte=run.attempt)


def _take_from_guesses(session_id: str, run: Run) -> bool:
    guessed = Run.objects.filter(of_session(session_id), reason=Reason.SAID_STARTED)
    if not guessed.exclude(pk=run.pk).update(**_TAKEN, settled_by=None):
        return False
    logger.warning("run %s: its session had been given to another run by hand", run.pk)
    return True


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
        # An address alone names its session as well: no second run may have it.
        "session_id": answer.session_id or session_links.name_in(answer.session_url),
        "session_url": answer.session_url,
        "retry_after": now + answer.retry_after if answer.retry_after else None,
        "sent_at": _sent_at(answer, now),
    }


def _waiting_until(due_at: datetime) -> dict[str, Any]:
    """In place of an outcome; what the endpoint said stays readable meanwhile."""
    return {
        "state": State.ACCEPTED,
        "reason": Reason.NEXT_ATTEMPT,
        "settled_at": None,
        "duration_ms": None,
        "due_at": due_at,
    }


def _sent_at(answer: Answer, now: datetime) -> datetime | None:
    """By the clock as it is now: `left_at` is of a clock that nobody sets."""
    if answer.left_at is None:
        return None
    return now - timedelta(seconds=max(0.0, time.monotonic() - answer.left_at))


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
