"""The use case: one press of Run becomes one run, and at most one request.

The order is the promise (docs/life-of-a-run.md): write the run down, committed; send one request
outside any transaction; write the answer down. The one-time key is unique in the database, so of
two presses of one form, in whatever thread, process or host, one inserts and the other finds.
"""

import logging
import time
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from threading import BoundedSemaphore
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.db import Error as DatabaseFailure
from django.db import IntegrityError, connection, transaction
from django.db.models import BigIntegerField, Q, QuerySet
from django.utils import timezone

from routines import fire_api
from routines.fire_api import Answer
from routines.models import Person, Routine, Run
from routines.prepared import Given, PreparedInsert, prepared, prepared_update
from routines.runs import limits, rules
from routines.tokens import health
from routines.values import texts, tokens, words
from routines.values.reasons import SAID_BY_PEOPLE, Reason, State

logger = logging.getLogger(__name__)

# What a run may take beyond FIRE_TIMEOUT: looking up the endpoint's name, waiting for a locked
# database twice. A run that is older is nobody's any more.
_MARGIN = timedelta(seconds=60)


class KeyTaken(SuspiciousOperation):
    """The one-time key belongs to somebody else's run, or to another routine's."""


class NotWrittenDown(Exception):
    """The database did not take the run, so nothing was sent."""


class Unanswered(Exception):
    """The routine asks something first. Nothing was written or sent."""

    def __init__(self, problems: dict[str, str]) -> None:
        super().__init__("The routine asks something first.")
        self.problems = problems  # from access.unanswered


class LookFirst(Exception):
    """There are runs that the person should know of. Nothing was written or sent."""

    def __init__(self, warnings: list[limits.Warning]) -> None:
        super().__init__("There are runs to look at first.")
        self.warnings = warnings


@dataclass(frozen=True)
class Trial:
    """A real run to try a token, or header versions that the routine is not pinned to yet."""

    beta_version: str | None = None  # None: as pinned; empty: the header is not sent
    api_version: str | None = None


@dataclass(frozen=True)
class Press:
    """What a press of Run led to."""

    run: Run
    repeated: bool = False  # an earlier press with the same key made this run
    recorded: bool = True  # False: the answer could not be written down; it is in the log


def fire(
    *,
    key: UUID,
    routine: Routine,
    person: Person,
    text: str,
    template_name: str = "",
    template_version: str = "",
    field_values: Mapping[str, str] | None = None,
    why: str = "",
    confirmation: str = "",
    aware_of: Collection[int] = (),
    trial: Trial | None = None,
) -> Press:
    """Fire once for `key`. `text` is as typed; it is sent with LF line breaks.

    `template_version`, `field_values`: what the text was made from, for the next form.
    `why` and `confirmation`: the person's answers to what the routine asks first (access.py).
    `trial`: an admin tries something.
    `aware_of`: primary keys of the runs that the person was warned of (limits.warnings) and
    pressed all the same. Raise texts.TextRefused, access.NotAllowed, KeyTaken, Unanswered,
    LookFirst or NotWrittenDown, and then nothing was written or sent.
    """
    pressed = time.monotonic()
    text = texts.normalise(text)
    texts.check(text)
    run = Run(
        key=key,
        routine=routine,
        person=person,
        text=text,
        template_name=template_name,
        template_version=template_version,
        field_values=dict(field_values or {}),
        why=why,
        is_trial=trial is not None,
    )
    with _Slot() as slot:
        try:
            token = _write_down(run, slot, aware_of, trial or Trial(), confirmation)
        except _KeyUsed as used:
            return _logged(_repeated(used.run, routine, person), routine, person)
        if token is None:
            return _logged(Press(run), routine, person)
        _give_connection_back()
        answer = fire_api.fire(
            base_url=settings.CLAUDE_API_BASE_URL,
            routine_id=run.routine.routine_id,
            token=token,
            beta_version=run.beta_version,
            api_version=run.api_version,
            text=text,
            timeout=settings.FIRE_TIMEOUT,
        )
    recorded = _record(run, answer, duration=time.monotonic() - pressed)
    if recorded:
        _hold_after(answer, run)
        _note_token_health(answer, run)
    return _logged(Press(run, recorded=recorded), routine, person)


def settle_overdue_runs() -> None:
    """Turn `sending` runs that no process can still be working on into `unknown`.

    Called by every page that shows runs, so that no scheduled job is needed. The look costs one
    query on an index that is all but empty; only a find costs a write.
    """
    oldest = timezone.now() - timedelta(seconds=settings.FIRE_TIMEOUT) - _MARGIN
    overdue = Run.objects.filter(state=State.SENDING, created_at__lt=oldest)
    if overdue.exists():
        overdue.update(state=State.UNKNOWN, reason=Reason.INTERRUPTED, settled_at=timezone.now())


_in_flight = BoundedSemaphore(settings.FIRES_IN_FLIGHT)


class _Slot:
    """One of this process's FIRES_IN_FLIGHT, if claimed; given back at the end of `with`."""

    def __init__(self) -> None:
        self._held = False

    def claim(self) -> bool:
        """Take a slot without waiting; False if none is free."""
        self._held = _in_flight.acquire(blocking=False)
        return self._held

    def __enter__(self) -> "_Slot":
        return self

    def __exit__(self, *_exception: object) -> None:
        if self._held:
            _in_flight.release()


class _KeyUsed(Exception):
    """An earlier press with this key made a run."""

    def __init__(self, run: Run) -> None:
        super().__init__("The key is used.")
        self.run = run


def _write_down(
    run: Run, slot: _Slot, aware_of: Collection[int], trial: Trial, confirmation: str
) -> tokens.Token | None:
    """Insert the run, committed, as `sending` with its token, or as `not_sent` without one.

    Raise access.NotAllowed, _KeyUsed, Unanswered, LookFirst or NotWrittenDown with nothing
    inserted. The routine's row is locked meanwhile, so that no two presses slip through one hold,
    cool-down, warning, rotation or change of what is asked.
    """
    try:
        # Durable: inside somebody's transaction the row would not be a witness yet.
        with transaction.atomic(durable=True):
            _lock_routine(run)
            pinned = run.routine
            problems = rules.unanswered(pinned, confirmation=confirmation, why=run.why)
            if problems:
                _look_for_earlier(run)  # what was done is done
                raise Unanswered(problems)
            run.account = pinned.account
            run.beta_version = _either(trial.beta_version, pinned.beta_version)
            run.api_version = _either(trial.api_version, pinned.api_version)
            token = _token_or_reason(run, aware_of)
            if isinstance(token, Reason):
                _stop(run, token)
            # The key's uniqueness decides here; only who wins it asks for a slot.
            run.fill_words()
            _insert(run)
            if not isinstance(token, Reason) and not slot.claim():
                token = _stop(run, Reason.BUSY)
                run.save(update_fields=["state", "reason", "settled_at"])
    except IntegrityError:
        run.pk = None
        _look_for_earlier(run)
        raise
    except DatabaseFailure as failure:
        with suppress(DatabaseFailure):
            _look_for_earlier(run)  # what cannot be written may be readable still
        logger.error(
            "A run could not be written down, nothing was sent: %s", type(failure).__name__
        )
        raise NotWrittenDown from failure
    return None if isinstance(token, Reason) else token


def _either(tried: str | None, pinned: str) -> str:
    return pinned if tried is None else tried


_insert = PreparedInsert(Run)


@prepared(pk=BigIntegerField())
def _locked(pk: Given) -> QuerySet[Routine]:
    locked = Routine.objects.select_for_update(of=("self",), no_key=True)
    return locked.select_related("account").filter(pk=pk)


def _lock_routine(run: Run) -> None:
    # Once more: PostgreSQL does not find one that was moved to another account while its lock was
    # waited for, since it looks for it beside the account of before.
    [run.routine] = _locked(pk=run.routine_id) or _locked(pk=run.routine_id)
    if not run.routine.is_fireable_by(run.person):
        raise rules.NotAllowed(run.routine)


def _look_for_earlier(run: Run) -> None:
    earlier = Run.objects.filter(key=run.key).first()
    if earlier is not None:
        raise _KeyUsed(earlier)


def _stop(run: Run, reason: Reason) -> Reason:
    run.state, run.reason, run.settled_at = State.NOT_SENT, reason, timezone.now()
    return reason


def _token_or_reason(run: Run, aware_of: Collection[int]) -> tokens.Token | Reason:
    routine = run.routine
    obstacle = limits.obstacle(routine, limits.last_sent(routine) if routine.cool_down else None)
    if obstacle is not None:
        return obstacle.reason
    warnings = limits.warnings(routine, run.person)
    unseen = [warning for warning in warnings if warning.run.pk not in aware_of]
    if unseen:
        _look_for_earlier(run)  # a run of this very press is nothing to warn of
        raise LookFirst(unseen)
    try:
        return routine.reveal_token()
    except tokens.TokenUnreadable:
        return Reason.TOKEN_UNREADABLE


def _repeated(run: Run, routine: Routine, person: Person) -> Press:
    if (run.routine_id, run.person_id) != (routine.pk, person.pk):
        raise KeyTaken
    return Press(run, repeated=True)


def _give_connection_back() -> None:
    """Hold no pooled connection while waiting on the endpoint, or slow fires starve the pages."""
    if "pool" in connection.settings_dict["OPTIONS"] and not connection.in_atomic_block:
        connection.close()


# An answer later than settle_overdue_runs expected still tells the truth, and it overrules what
# people guessed; that no answer came does not.
_UNSETTLED = Q(state__in=[State.SENDING, State.UNKNOWN])
_ANSWER = ["state", "reason", "settled_at", "settled_by", "duration_ms", "http_status"]
_ANSWER += ["error_type", "error_message", "request_id", "session_id", "session_url"]
_ANSWER += ["retry_after", "error_message_words"]


@prepared_update(*_ANSWER, pk=BigIntegerField())
def _write_answer(pk: Given) -> QuerySet[Run]:
    return Run.objects.filter(_UNSETTLED | Q(reason__in=SAID_BY_PEOPLE), pk=pk)


@prepared_update(*_ANSWER, pk=BigIntegerField())
def _write_no_answer(pk: Given) -> QuerySet[Run]:
    return Run.objects.filter(_UNSETTLED, pk=pk)


def _record(run: Run, answer: Answer, *, duration: float) -> bool:
    """Write the answer down; if the database fails, keep it in the log and in `run`."""
    now = timezone.now()
    fields: dict[str, Any] = {
        "state": answer.state,
        "reason": answer.reason,
        "settled_at": now,
        "settled_by": None,
        "duration_ms": round(duration * 1000),
        "http_status": answer.http_status,
        "error_type": answer.error_type,
        "error_message": answer.error_message,
        "request_id": answer.request_id,
        "session_id": answer.session_id,
        "session_url": answer.session_url,
        "retry_after": now + answer.retry_after if answer.retry_after else None,
        "error_message_words": words.kept(answer.error_message),
    }
    for name, value in fields.items():
        setattr(run, name, value)
    write = _write_no_answer if answer.state == State.UNKNOWN else _write_answer
    for last_try in (False, True):
        try:
            write(pk=run.pk, **fields)
            return True
        except DatabaseFailure as failure:
            if last_try:
                _keep_in_the_log(run, answer, failure)
            elif not connection.in_atomic_block:
                connection.close()  # the server may have gone and come back
    return False


def _logged(press: Press, routine: Routine, person: Person) -> Press:
    """One line in the log for each fire; the text, the session and the token are not in it."""
    run = press.run
    facts = {
        "run": run.pk,
        "routine": routine.slug,
        "person": person.get_username(),
        "state": run.state,
        "reason": run.reason,
        "status": run.http_status,
        "ms": run.duration_ms,
        "endpoint_request": run.request_id,
        "repeated": press.repeated,
    }
    known = {name: value for name, value in facts.items() if value not in (None, "", False)}
    logger.info("fire", extra={"facts": known})
    return press


def _hold_after(answer: Answer, run: Run) -> None:
    try:
        limits.hold_after(answer, run.routine)
    except DatabaseFailure as failure:
        # The next press meets the same 429 and tries again to hold: nothing is lost.
        logger.error("run %s: the hold could not be written: %s", run.pk, type(failure).__name__)


def _note_token_health(answer: Answer, run: Run) -> None:
    try:
        health.note(answer, run.routine)
    except DatabaseFailure as failure:
        # The next run with this token says the same again: nothing is lost.
        logger.error(
            "run %s: the token's health could not be written: %s", run.pk, type(failure).__name__
        )


def _keep_in_the_log(run: Run, answer: Answer, failure: DatabaseFailure) -> None:
    # %r: what the endpoint sent could hold line breaks, and must not write lines of its own.
    logger.critical(
        "run %s: the answer could not be written down (%s): state=%s reason=%s "
        "session_id=%r session_url=%r request_id=%r",
        run.pk,
        type(failure).__name__,
        answer.state,
        answer.reason,
        answer.session_id,
        answer.session_url,
        answer.request_id,
    )
