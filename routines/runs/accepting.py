"""An intent becomes a run: recorded with its caller's key in a committed transaction.

The order is the promise (docs/life-of-a-run.md): a run is recorded before anything is sent. The key
is unique in the database, so of two requests with one key, in whatever thread, process or host, one
inserts and the other finds. What is accepted will be sent exactly once, or ends in a state that
says why not.
"""

import logging
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.core.exceptions import SuspiciousOperation
from django.db import Error as DatabaseFailure
from django.db import IntegrityError, transaction
from django.utils import timezone

from routines import patience
from routines.models import ApiKey, Person, Routine, Run
from routines.runs import caps, limits, queue, rules
from routines.runs.slots import Slot
from routines.values import texts, tokens
from routines.values.reasons import Reason, State

logger = logging.getLogger(__name__)

# A person who waits for longer has pressed again, or has gone to see what is wrong.
PEOPLE_WAIT = timedelta(minutes=10)


class KeyTaken(SuspiciousOperation):
    """The key belongs to another caller's run, or to another routine's."""


class RunNotRecorded(Exception):
    """The database did not take the run, so nothing was sent.

    Unless `maybe`: it went away in the middle of the commit, and cannot be asked. Should it have
    taken the run after all, that is sent in its turn, and is found by its key.
    """

    def __init__(self, *, maybe: bool = False) -> None:
        super().__init__("The database did not take the run.")
        self.maybe = maybe


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


class TurnedAway(Exception):
    """Something stands in the way of a caller that asked to be told so. Nothing was recorded."""

    def __init__(self, obstacle: limits.Obstacle) -> None:
        super().__init__("Something stands in the way.")
        self.obstacle = obstacle


@dataclass(frozen=True)
class Trial:
    """A real run to try a token, or header versions that the routine is not pinned to yet."""

    beta_version: str | None = None  # None: as pinned; empty: the header is not sent
    api_version: str | None = None


@dataclass(frozen=True)
class Accepted:
    """What became of an intent. With a token it is `sending`, and whoever has it sends it now."""

    run: Run
    token: tokens.Token | None = None
    repeated: bool = False  # an earlier request with the same key made this run


def accept(
    *,
    key: UUID,
    routine: Routine,
    person: Person | None = None,
    api_key: ApiKey | None = None,
    text: str,
    idempotency_key: str = "",
    intent: str = "",
    template_name: str = "",
    template_version: str = "",
    field_values: Mapping[str, str] | None = None,
    why: str = "",
    confirmation: str = "",
    aware_of: Collection[int] | None = (),
    trial: Trial | None = None,
    slot: Slot | None = None,
    wait: timedelta = PEOPLE_WAIT,
    waits_out: bool = False,
    turns_away: bool = False,
    tries_again: bool = False,
) -> Accepted:
    """Record the run that is asked for, once for `key`.

    `person`, `api_key`: who asks; of a personal key, both.
    `idempotency_key`, `intent`: what `key` was made of, and a digest of what is asked for, kept
    with the run.
    `text`: as typed; it is sent with LF line breaks, and cannot end the block that it is sent in.
    `template_version`, `field_values`: what the text was rendered from, for the next form.
    `why`, `confirmation`: the person's answers to what the routine asks first (rules.py).
    `aware_of`: primary keys of the prior runs that the person has seen (limits.prior_among); None
    for callers that are not asked.
    `trial`: an admin tries something.
    `slot`: a place of this process, to be claimed if the run can be sent at once; without one, or
    if none is free, the run is `accepted` and a worker sends it.
    `wait`: for how long it may wait for its turn.
    `waits_out`: a hold or a cool-down makes it wait, from whose end on `wait` counts; else such a
    rule ends it as `not_sent`.
    `turns_away`: what would end it as `not_sent` raises TurnedAway.
    `tries_again`: attempt it anew where an attempt started nothing (retrying.py).

    Raise texts.TextRefused, rules.NotAllowed, caps.NotUsable, caps.CapReached, KeyTaken,
    AnswersMissing, UnseenRuns, TurnedAway or RunNotRecorded, and then nothing was recorded or sent.
    """
    text = texts.kept_inside(texts.normalise(text))
    texts.check(text)
    run = Run(
        key=key,
        routine=routine,
        person=person,
        api_key=api_key,
        idempotency_key=idempotency_key,
        intent=intent,
        text=text,
        template_name=template_name,
        template_version=template_version,
        field_values=dict(field_values or {}),
        why=why,
        is_trial=trial is not None,
        tries_again=tries_again,
    )
    wish = _Wish(aware_of, trial or Trial(), confirmation, wait, waits_out, turns_away)
    try:
        return Accepted(run, _record(run, slot, wish))
    except _KeyUsed as used:
        earlier = used.run
        if (earlier.routine, earlier.person, earlier.api_key) != (routine, person, api_key):
            raise KeyTaken from None
        return Accepted(earlier, repeated=True)


@dataclass(frozen=True)
class _Wish:
    aware_of: Collection[int] | None
    trial: Trial
    confirmation: str
    wait: timedelta
    waits_out: bool
    turns_away: bool


class _KeyUsed(Exception):
    """An earlier request with this key made a run."""

    def __init__(self, run: Run) -> None:
        super().__init__("The key is used.")
        self.run = run


def _record(run: Run, slot: Slot | None, wish: _Wish) -> tokens.Token | None:
    """Insert the run, committed: `sending` with its token, or `accepted` or `not_sent` without.

    Raise what `accept` does, or _KeyUsed, with nothing inserted. The routine's row is locked
    meanwhile, so that no two presses slip through one hold, cool-down, warning, rotation or change
    of what is asked.
    """
    is_written = False
    try:
        # Durable: inside somebody's transaction the row would not be a witness yet.
        with patience.at_most(patience.ACCEPTING), transaction.atomic(durable=True):
            run.routine = queue.lock_routine(run.routine_id, wait=patience.ACCEPTING)
            sent = _runs_sent_of_late(run, wish)
            run.account = run.routine.account
            problems = rules.missing_answers(
                run.routine,
                confirmation=wish.confirmation,
                why=run.why,
                is_asked=rules.is_asked(run),
            )
            if problems:
                _look_for_earlier(run)  # what was done is done
                raise AnswersMissing(problems)
            if run.api_key is not None:
                _check_caps(run, run.api_key)
            run.beta_version = _either(wish.trial.beta_version, run.routine.beta_version)
            run.api_version = _either(wish.trial.api_version, run.routine.api_version)
            token = _decide(run, sent, wish)
            if token is not None and slot is not None:
                _mark_sending(run)
            # The key's uniqueness decides here; only who wins it asks for a slot.
            run.save()
            if run.is_sending and not (slot is not None and slot.claim()):
                _mark_waiting(run, wish.wait)
                run.save(update_fields=["state", "reason", "attempt", "claimed_at"])
            if run.is_waiting:
                queue.announce()
            is_written = True
    except IntegrityError:
        _look_for_earlier(run)
        raise
    except DatabaseFailure as failure:
        maybe = is_written
        with suppress(DatabaseFailure):
            _look_for_earlier(run)  # what cannot be written may be readable still
            maybe = False
        said = "perhaps" if maybe else "not"
        logger.error("A run was %s recorded, nothing was sent: %s", said, type(failure).__name__)
        raise RunNotRecorded(maybe=maybe) from failure
    return token if run.is_sending else None


def _check_caps(run: Run, api_key: ApiKey) -> None:
    try:
        caps.check(api_key)
    except (caps.NotUsable, caps.CapReached):
        _look_for_earlier(run)
        raise


def _either(tried: str | None, pinned: str) -> str:
    return pinned if tried is None else tried


def _runs_sent_of_late(run: Run, wish: _Wish) -> list[limits.SentRun]:
    """Those of the locked routine that matter to this press. Raise rules.NotAllowed.

    Whom it is open to comes with them. Not read with the lock: a query shows other tables as they
    were when it began, and a lock may have been waited for.
    """
    fireable = rules.fireable(run)
    if wish.aware_of is None:
        if not fireable.exists():
            raise rules.NotAllowed(run.routine)
        return []
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
    fields = ("state", "person", "created_at", "claimed_at")
    return (name, *(f"{name}__{field}" for field in fields))


def _look_for_earlier(run: Run) -> None:
    earlier = Run.objects.filter(key=run.key).select_related("routine", "person", "api_key").first()
    if earlier is not None:
        raise _KeyUsed(earlier)


def _decide(run: Run, sent: list[limits.SentRun], wish: _Wish) -> tokens.Token | None:
    """Mark the run as `accepted` or `not_sent`. Return the token if it might be sent at once."""
    last_claimed = limits.last_claimed(sent)
    if wish.aware_of is None:
        last_claimed = limits.last_sent_of([run.routine]).get(run.routine_id)
    obstacle = limits.obstacle(run.routine, last_claimed)
    is_waited_out = obstacle is not None and wish.waits_out and obstacle.until is not None
    if obstacle is not None and not is_waited_out:
        if wish.turns_away:
            _look_for_earlier(run)
            raise TurnedAway(obstacle)
        _mark_stopped(run, obstacle.reason)
        return None
    if wish.aware_of is not None:
        prior = limits.prior_among(sent, run.person_id)
        unseen = [pk for pk in prior if pk not in wish.aware_of]
        if unseen:
            _look_for_earlier(run)  # a run of this very press is nothing to warn of
            raise UnseenRuns(unseen)
    try:
        token = run.routine.reveal_token()
    except tokens.TokenUnreadable:
        if wish.turns_away:
            _look_for_earlier(run)
            raise TurnedAway(limits.Obstacle(Reason.TOKEN_UNREADABLE)) from None
        _mark_stopped(run, Reason.TOKEN_UNREADABLE)
        return None
    _mark_waiting(run, wish.wait, obstacle)
    return None if is_waited_out else token


def _mark_stopped(run: Run, reason: Reason) -> None:
    run.state, run.reason, run.settled_at = State.NOT_SENT, reason, timezone.now()


def _mark_sending(run: Run) -> None:
    run.state, run.reason = State.SENDING, Reason.SENDING
    run.attempt, run.claimed_at = 1, run.created_at


def _mark_waiting(run: Run, wait: timedelta, obstacle: limits.Obstacle | None = None) -> None:
    until: datetime | None = obstacle.until if obstacle else None
    run.state, run.reason = State.ACCEPTED, Reason.ACCEPTED
    run.attempt, run.claimed_at = 0, None
    run.deadline = (until or timezone.now()) + wait
    if obstacle is not None and obstacle.reason == Reason.COOL_DOWN:
        run.reason, run.due_at = Reason.COOLING, until  # a hold may end sooner: it can be lifted
