"""The use case: one press of Run becomes one run, and at most one request.

The order is the promise (docs/life-of-a-run.md): record the run, committed; send one request
outside any transaction; record the answer. The one-time key is unique in the database, so of two
presses of one form, in whatever thread, process or host, one inserts and the other finds.
"""

import logging
import time
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.db import Error as DatabaseFailure
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from routines import fire_api, patience
from routines.models import Person, Routine, Run
from routines.runs import limits, recording, rules
from routines.runs.slots import Slot
from routines.values import texts, tokens
from routines.values.reasons import Reason, State

logger = logging.getLogger(__name__)


class KeyTaken(SuspiciousOperation):
    """The one-time key belongs to somebody else's run, or to another routine's."""


class RunNotRecorded(Exception):
    """The database did not take the run, so nothing was sent."""


class AnswersMissing(Exception):
    """The routine asks something first. Nothing was recorded or sent."""

    def __init__(self, problems: dict[str, str]) -> None:
        super().__init__("The routine asks something first.")
        self.problems = problems  # from rules.missing_answers


class UnseenRuns(Exception):
    """There are runs that the person should know of. Nothing was recorded or sent."""

    def __init__(self, runs: list[int]) -> None:
        super().__init__("There are runs to look at first.")
        self.runs = runs  # primary keys, from limits.prior_among


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
    recorded: bool = True  # False: the answer could not be recorded; it is in the log


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
    """Fire once for `key`.

    `text`: as typed; it is sent with LF line breaks.
    `template_version`, `field_values`: what the text was rendered from, for the next form.
    `why`, `confirmation`: the person's answers to what the routine asks first (rules.py).
    `aware_of`: primary keys of the prior runs that the person has seen (limits.prior_among).
    `trial`: an admin tries something.

    Raise texts.TextRefused, rules.NotAllowed, KeyTaken, AnswersMissing, UnseenRuns or
    RunNotRecorded, and then nothing was recorded or sent.
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
    with Slot() as slot:
        try:
            token = _record(run, slot, aware_of, trial or Trial(), confirmation)
        except _KeyUsed as used:
            return _logged(_repeated(used.run, routine, person), routine, person)
        if token is None:
            return _logged(Press(run), routine, person)
        _give_connection_back()
        _log_sending(run, person)
        answer = fire_api.fire(
            base_url=settings.CLAUDE_API_BASE_URL,
            routine_id=run.routine.routine_id,
            token=token,
            beta_version=run.beta_version,
            api_version=run.api_version,
            text=text,
            timeout=settings.FIRE_TIMEOUT,
            route=fire_api.configured_route(),
        )
    with patience.while_recording():
        recorded = recording.record_answer(run, answer, duration=time.monotonic() - pressed)
        if recorded:
            recording.record_consequences(run, answer)
    return _logged(Press(run, recorded=recorded), routine, person)


def settle_overdue_runs() -> None:
    """Turn `sending` runs that no process can still be working on into `unknown`.

    Called by every page that shows runs, so that no scheduled job is needed. The look costs one
    query on an index that is all but empty; only a find costs a write.
    """
    overdue = Run.objects.filter(state=State.SENDING, created_at__lt=limits.overdue_before())
    if overdue.exists():
        for run in overdue.select_related("routine", "person"):
            _settle_overdue(run)


def _settle_overdue(run: Run) -> None:
    values = {"state": State.UNKNOWN, "reason": Reason.INTERRUPTED, "settled_at": timezone.now()}
    if Run.objects.filter(pk=run.pk, state=State.SENDING).update(**values):  # and nobody else did
        facts = _facts(run, run.routine, run.person) | {"pressed_at": run.created_at.isoformat()}
        logger.warning(
            "run interrupted: its process ended before the answer was recorded, so a session may "
            "exist",
            extra={"facts": facts | {"state": State.UNKNOWN, "reason": Reason.INTERRUPTED}},
        )


def is_overdue(run: Run) -> bool:
    """Return whether `settle_overdue_runs` would settle it."""
    return run.is_sending and run.created_at < limits.overdue_before()


class _KeyUsed(Exception):
    """An earlier press with this key made a run."""

    def __init__(self, run: Run) -> None:
        super().__init__("The key is used.")
        self.run = run


def _record(
    run: Run, slot: Slot, aware_of: Collection[int], trial: Trial, confirmation: str
) -> tokens.Token | None:
    """Insert the run, committed, as `sending` with its token, or as `not_sent` without one.

    Raise rules.NotAllowed, _KeyUsed, AnswersMissing, UnseenRuns or RunNotRecorded with nothing
    inserted. The routine's row is locked meanwhile, so that no two presses slip through one hold,
    cool-down, warning, rotation or change of what is asked.
    """
    try:
        # Durable: inside somebody's transaction the row would not be a witness yet.
        with transaction.atomic(durable=True):
            _lock_routine(run)
            sent = _runs_sent_of_late(run)
            run.account = run.routine.account
            problems = rules.missing_answers(run.routine, confirmation=confirmation, why=run.why)
            if problems:
                _look_for_earlier(run)  # what was done is done
                raise AnswersMissing(problems)
            run.beta_version = _either(trial.beta_version, run.routine.beta_version)
            run.api_version = _either(trial.api_version, run.routine.api_version)
            token = _token_or_reason(run, sent, aware_of)
            if isinstance(token, Reason):
                _stop(run, token)
            # The key's uniqueness decides here; only who wins it asks for a slot.
            run.save()
            if not isinstance(token, Reason) and not slot.claim():
                token = _stop(run, Reason.BUSY)
                run.save(update_fields=["state", "reason", "settled_at"])
    except IntegrityError:
        _look_for_earlier(run)
        raise
    except DatabaseFailure as failure:
        with suppress(DatabaseFailure):
            _look_for_earlier(run)  # what cannot be written may be readable still
        logger.error("A run could not be recorded, nothing was sent: %s", type(failure).__name__)
        raise RunNotRecorded from failure
    return None if isinstance(token, Reason) else token


def _either(tried: str | None, pinned: str) -> str:
    return pinned if tried is None else tried


def _lock_routine(run: Run) -> None:
    """Wait for the routine's row, lock it, and set it on `run` as it is then."""
    locked = Routine.objects.select_for_update(of=("self",), no_key=True)
    locked = locked.select_related("account").filter(pk=run.routine_id).order_by()
    # Once more: PostgreSQL does not find one that was moved to another account while its lock was
    # waited for, since it looks for it beside the account of before.
    [run.routine] = list(locked) or list(locked.all())


def _runs_sent_of_late(run: Run) -> list[limits.SentRun]:
    """Those of the locked routine that matter to this press. Raise rules.NotAllowed.

    Whom it is open to comes with them. Not read with the lock: a query shows other tables as they
    were when it began, and a lock may have been waited for.
    """
    fireable = Routine.objects.filter(pk=run.routine_id).fireable_by(run.person).order_by()
    of_late = fireable.once_per_sent_run(
        limits.matter_since(run.routine), in_flight_since=limits.in_flight_since(run.routine)
    )
    # Two queries in one: what is unknown is so however old it is, and has an index of its own.
    unknown = fireable.filter(runs__state=State.UNKNOWN)
    rows = of_late.values_list(*_of_run("sent_run")).union(unknown.values_list(*_of_run("runs")))
    found = list(rows)
    if not found:
        raise rules.NotAllowed(run.routine)
    return limits.sent_runs(row for row in found if row[0] is not None)


def _of_run(name: str) -> tuple[str, ...]:
    return (name, f"{name}__state", f"{name}__person", f"{name}__created_at")


def _look_for_earlier(run: Run) -> None:
    earlier = Run.objects.filter(key=run.key).first()
    if earlier is not None:
        raise _KeyUsed(earlier)


def _stop(run: Run, reason: Reason) -> Reason:
    run.state, run.reason, run.settled_at = State.NOT_SENT, reason, timezone.now()
    return reason


def _token_or_reason(
    run: Run, sent: list[limits.SentRun], aware_of: Collection[int]
) -> tokens.Token | Reason:
    last_sent = max((one.pressed_at for one in sent), default=None)
    obstacle = limits.obstacle(run.routine, last_sent)
    if obstacle is not None:
        return obstacle.reason
    unseen = [pk for pk in limits.prior_among(sent, run.person) if pk not in aware_of]
    if unseen:
        _look_for_earlier(run)  # a run of this very press is nothing to warn of
        raise UnseenRuns(unseen)
    try:
        return run.routine.reveal_token()
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


def _facts(run: Run, routine: Routine, person: Person) -> dict[str, Any]:
    return {"run": run.pk, "routine": routine.slug, "person": person.get_username()}


def _log_sending(run: Run, person: Person) -> None:
    """Before the request leaves: a process that is killed while it waits has logged this."""
    logger.info("sending", extra={"facts": _facts(run, run.routine, person)})


def _logged(press: Press, routine: Routine, person: Person) -> Press:
    """One line in the log for each fire; the text, the session and the token are not in it."""
    run = press.run
    facts = _facts(run, routine, person) | {
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
