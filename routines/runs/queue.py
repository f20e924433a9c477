"""The queue: accepted runs. A run's row is its place in it, and one UPDATE claims it.

Nothing else needs to be installed for that, and no second witness can disagree with the run. Who
claims a run sends it (sending.py); only workers claim. Claimed is the oldest of a routine, by its
primary key: hosts' clocks differ, and are set back.
"""

import logging
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import connection, transaction
from django.db.models import Count, F, Min, Q, QuerySet
from django.utils import timezone

from routines.models import ApiKey, Person, Routine, Run
from routines.runs import limits, overdue, restored, rules
from routines.values import tokens
from routines.values.reasons import Reason, State

logger = logging.getLogger(__name__)

CHANNEL = "routines_accepted"  # PostgreSQL's notices: something may be due now

_CALLER = ("person", "api_key__person")
_CLOCKS_DIFFER_BY = timedelta(minutes=1)  # at most, between hosts
# What the attempt before was told stands in its own row: should this one get lost, it is not its.
_NOT_ANSWERED: dict[str, object] = {
    "sent_at": None,
    "retry_after": None,
    "http_status": None,
    "error_type": "",
    "error_message": "",
    "request_id": "",
}


class Line(NamedTuple):
    """The accepted runs of one routine that are due now."""

    routine: int  # primary key
    account: int
    oldest: int  # its run that waits longest
    waiting: int


@dataclass(frozen=True, eq=False)  # no two claims are the same
class Claimed:
    """A run that is this process's to send, and what opens its routine."""

    run: Run
    token: tokens.Token = field(repr=False)
    at: float  # a moment before it was claimed, by time.monotonic(): since then it gets old


@dataclass(frozen=True)
class Waiting:
    """What an accepted run waits for, for people."""

    before: int = 0  # runs whose turn comes earlier
    until: datetime | None = None  # its hold, cool-down or pause, should it wait for one
    on_hold: bool = False


def announce() -> None:
    """Tell the workers, once this transaction is committed. A hint: they look by themselves too."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_notify(%s, '')", [CHANNEL])


def lock_routine(pk: int, *, wait: float) -> Routine:
    """Lock the routine's row; as it is then, with its account.

    Raise OperationalError if that takes longer than `wait` seconds, on PostgreSQL, which else waits
    for ever, be it for a host that is gone. On SQLite routines.patience says for how long.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [f"{wait}s"])
    locked = _with_account(Routine.objects.select_for_update(of=("self",), no_key=True), pk)
    # Once more: PostgreSQL does not find one that was moved to another account while its lock was
    # waited for, since it looks for it beside the account of before.
    [routine] = list(locked) or list(locked.all())
    return routine


def _lock_if_free(pk: int) -> Routine | None:
    """Of one routine that somebody holds, be it a process that was stopped, no other one's runs
    must have to wait. SQLite locks no rows."""
    unlocked = Routine.objects.select_for_update(of=("self",), no_key=True, skip_locked=True)
    return _with_account(unlocked, pk).first()


def _with_account(routines: QuerySet[Routine], pk: int) -> QuerySet[Routine]:
    return routines.select_related("account").filter(pk=pk).order_by()


def lines() -> list[Line]:
    """The routines that have something due, the one whose oldest waits longest first. One query."""
    rows = (
        _due()
        .values_list("routine", "routine__account")
        .annotate(oldest=Min("pk"), waiting=Count("pk"))
        .order_by("oldest")
    )
    return [Line(*row) for row in rows]


def next_due() -> datetime | None:
    """When something that waits now becomes due by itself; None: nothing that waits will."""
    now = timezone.now()
    ends = ("due_at", "routine__held_until", "routine__account__held_until")
    found = _accepted().aggregate(
        **{
            f"end_{number}": Min(name, filter=Q(**{f"{name}__gt": now}))
            for number, name in enumerate(ends)
        }
    )
    return min(filter(None, found.values()), default=None)


def claim(routine: int) -> Claimed | None:
    """Claim the oldest run of this routine that is due; `routine` is its primary key.

    None: there is none any more, its oldest may not be sent and has been settled, or somebody holds
    the routine at this moment; whoever looks again sees which. Committed when this returns. Raise
    django.db.Error: then it is not known whether it was claimed, and nobody may send it.
    """
    with transaction.atomic(durable=True):
        locked = _lock_if_free(routine)
        if locked is None:
            return None
        restored.check()  # while its lock keeps anybody from putting the table back
        run = _due().filter(routine=locked).select_related(*_CALLER).order_by("pk").first()
        if run is None:
            return None
        run.routine = locked
        token = _token_or_stop(run)
        # Not once it is committed: a process may be stopped in between, and the claim gets old.
        at = time.monotonic()
        if token is None or not _claim(run):
            return None
    return Claimed(run, token, at)


def cancel(run: Run, *, by: Person | ApiKey) -> bool:
    """End a run that still waits. False: it was claimed, or is over already."""
    person = by.person if isinstance(by, ApiKey) else by
    restored.check()  # if it was sent since, "nothing was sent" would be a lie
    values = {
        "state": State.NOT_SENT,
        "reason": Reason.CANCELLED,
        "settled_at": timezone.now(),
        "settled_by": person,
    }
    is_cancelled = _change(run, values)
    if is_cancelled:
        facts = {
            "run": run.pk,
            "routine": run.routine.slug,
            "by": person.get_username() if person else str(by),
        }
        logger.info("run cancelled", extra={"facts": facts})
    return is_cancelled


def length(routine: Routine | None = None) -> int:
    """How many runs wait: of this routine, or in all."""
    waits = _accepted()
    return (waits if routine is None else waits.filter(routine=routine)).count()


def may_cancel(run: Run, person: Person) -> bool:
    return run.person_id == person.pk or person.has_perm("routines.manage_registry")


def waiting(run: Run) -> Waiting:
    """What this accepted run waits for. Needs its routine and account loaded."""
    if run.due_at is not None and run.due_at > timezone.now():
        return Waiting(until=run.due_at)
    held_until = limits.hold(run.routine)
    if held_until is not None:
        return Waiting(until=held_until, on_hold=True)
    return Waiting(before=_due().filter(pk__lt=run.pk).count())


def _accepted() -> QuerySet[Run]:
    return Run.objects.filter(state=State.ACCEPTED).order_by()


def _due() -> QuerySet[Run]:
    now = timezone.now()
    # Nothing is claimed in the future: the clock was set back since, and pauses are short. What the
    # endpoint itself has asked for is waited for all the same.
    set_back = Q(
        reason=Reason.NEXT_ATTEMPT, retry_after=None, claimed_at__gt=now + _CLOCKS_DIFFER_BY
    )
    held = Q(routine__held_until__gt=now) | Q(routine__account__held_until__gt=now)
    return _accepted().filter(Q(due_at=None) | Q(due_at__lte=now) | set_back).exclude(held)


def _token_or_stop(run: Run) -> tokens.Token | None:
    """Look at the rules once more, under the routine's lock: they may have changed meanwhile."""
    if overdue.is_too_late(run):
        overdue.give_up(run)
        return None
    has_left = run.person is not None and not run.person.is_active
    # What waits since before its key was revoked is sent; what was tried is not tried anew.
    is_over = run.attempt > 0 and run.api_key is not None and run.api_key.is_revoked
    if has_left or is_over or not rules.fireable(run).exists():
        _stop(run, Reason.NOT_ALLOWED)
        return None
    last_sent = limits.last_sent_of([run.routine]).get(run.routine_id)
    obstacle = limits.obstacle(run.routine, last_sent)
    if obstacle is not None:
        _stop_or_wait(run, obstacle)
        return None
    try:
        return run.routine.reveal_token()
    except tokens.TokenUnreadable:
        _stop(run, Reason.TOKEN_UNREADABLE)
        return None


def _stop_or_wait(run: Run, obstacle: limits.Obstacle) -> None:
    if obstacle.reason == Reason.COOL_DOWN:
        _change(run, {"reason": Reason.COOLING, "due_at": obstacle.until})
    elif obstacle.until is None:  # else a hold, which has just begun: it is left out until its end
        _stop(run, obstacle.reason)


def _stop(run: Run, reason: Reason) -> None:
    _change(run, {"state": State.NOT_SENT, "reason": reason, "settled_at": timezone.now()})


def _claim(run: Run) -> bool:
    """The one UPDATE that decides who sends it."""
    values: dict[str, object] = {
        "state": State.SENDING,
        "reason": Reason.SENDING,
        "attempt": F("attempt") + 1,
        "claimed_at": timezone.now(),
        "due_at": None,
        "account": run.routine.account,
        **_NOT_ANSWERED,
    }
    if not run.is_trial:  # as pinned now
        values |= {
            "beta_version": run.routine.beta_version,
            "api_version": run.routine.api_version,
        }
    number = run.attempt + 1
    is_ours = _change(run, values)
    run.attempt = number
    return is_ours


def _change(run: Run, values: dict[str, object]) -> bool:
    """Update the run if it still waits, as it was read: of two that try, one succeeds."""
    waits = Run.objects.filter(pk=run.pk, state=State.ACCEPTED, attempt=run.attempt)
    if not waits.update(**values):
        return False
    for name, value in values.items():
        setattr(run, name, value)
    return True
