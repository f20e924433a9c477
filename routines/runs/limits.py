"""What stands in the way of a run now, what is left of the hourly budgets, what to ask first.

Two kinds of rules: obstacles stop a press (`not_sent`), warnings ask before it. Budgets are
advice only: claude.ai's own "Run now" shares them, so what we count is "at least".
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import BigIntegerField, Count, DateTimeField, Max, Q, QuerySet
from django.utils import timezone

from routines.fire_api import Answer
from routines.models import Account, Person, Routine, Run
from routines.prepared import Given, prepared
from routines.values.reasons import MEANINGS, Meaning, Reason, State

# A 429 without a readable Retry-After; one that asks for nearly nothing, or for for ever.
_HOLD_WITHOUT_ADVICE = timedelta(minutes=1)
_SHORTEST_HOLD = timedelta(seconds=5)
_LONGEST_HOLD = timedelta(hours=24)

_BUDGET_WINDOW = timedelta(hours=1)  # documented: limits are per hour
_UNKNOWN_WARNING = timedelta(hours=1)


# --- Obstacles ---


@dataclass(frozen=True)
class Obstacle:
    """Why a routine cannot be fired now, and until when if it passes by itself."""

    reason: Reason
    until: datetime | None = None

    @property
    def meaning(self) -> Meaning:
        return MEANINGS[self.reason]


def obstacle(routine: Routine, last_sent: datetime | None) -> Obstacle | None:
    """The first obstacle in `routine`'s way; `last_sent` is when its last sent run was pressed.

    Needs `routine.account` loaded; makes no query of its own.
    """
    if routine.is_archived:
        return Obstacle(Reason.ARCHIVED)
    if not routine.enabled:
        return Obstacle(Reason.DISABLED)
    if not routine.has_token:
        removed = routine.token_removed_at is not None
        return Obstacle(Reason.TOKEN_REMOVED if removed else Reason.NO_TOKEN)
    held_until = hold(routine)
    if held_until is not None:
        return Obstacle(Reason.ON_HOLD, held_until)
    if routine.cool_down and last_sent is not None:
        cool_at = last_sent + timedelta(seconds=routine.cool_down)
        if cool_at > timezone.now():
            return Obstacle(Reason.COOL_DOWN, cool_at)
    return None


def last_sent(routine: Routine) -> datetime | None:
    """When the newest run of this routine that left, or may have, was pressed."""
    return (
        Run.objects.filter(routine=routine)
        .sent()
        .newest_first()
        .values_list("created_at", flat=True)
        .first()
    )


def last_sent_of(routines: Collection[Routine]) -> dict[int, datetime]:
    """The same for those that have a cool-down, by primary key, as far as it still matters.

    Looking back no further keeps it one short stretch of the index, whatever came before.
    """
    cooling = [routine for routine in routines if routine.cool_down]
    if not cooling:
        return {}
    longest = max(routine.cool_down for routine in cooling)
    since = timezone.now() - timedelta(seconds=longest)
    return dict(
        Run.objects.filter(routine__in=cooling, created_at__gt=since)
        .sent()
        .order_by()
        .values_list("routine")
        .annotate(last=Max("created_at"))
    )


# --- Holds ---


def hold(routine: Routine) -> datetime | None:
    """Until when the routine is held, itself or through its account; None if it is not."""
    ends = [end for end in (routine.held_until, routine.account.held_until) if end]
    latest = max(ends, default=None)
    return latest if latest is not None and latest > timezone.now() else None


def hold_after(answer: Answer, routine: Routine) -> None:
    """After a 429 nobody presses in vain: hold the routine, or its account if that is meant."""
    if answer.reason != Reason.LIMIT_REACHED:
        return
    wait = answer.retry_after or _HOLD_WITHOUT_ADVICE
    until = timezone.now() + min(max(wait, _SHORTEST_HOLD), _LONGEST_HOLD)
    if _is_about_the_account(answer.error_message):
        _extend(Account.objects.filter(pk=routine.account_id), until)
    else:
        _extend(Routine.objects.filter(pk=routine.pk), until)


def _is_about_the_account(message: str) -> bool:
    return bool(re.search(r"\b(account|organization|subscription|usage)\b", message, re.I))


def _extend(held: QuerySet[Account] | QuerySet[Routine], until: datetime) -> None:
    # Two refusals at once: the later end counts, whichever is written first.
    held.filter(Q(held_until=None) | Q(held_until__lt=until)).update(held_until=until)


# --- Budgets ---


@dataclass(frozen=True)
class Budget:
    """Runs of the sliding hour that surely made a session, against the documented limit."""

    used: int
    limit: int

    @property
    def left(self) -> int:
        return max(self.limit - self.used, 0)


@dataclass(frozen=True)
class Budgets:
    """None where no limit is to be shown."""

    routine: Budget | None
    account: Budget | None


def _used(*, since: Any, **accounts: Any) -> QuerySet[Run, tuple[int, int, int]]:
    started = Run.objects.filter(state=State.STARTED, created_at__gt=since, **accounts)
    by = started.order_by().values_list("routine", "account")
    return by.annotate(used=Count("pk"))


@prepared(account=BigIntegerField(), since=DateTimeField())
def _used_of_one(account: Given, since: Given) -> QuerySet[Run, tuple[int, int, int]]:
    return _used(since=since, account=account)


def budgets(routines: Collection[Routine]) -> dict[int, Budgets]:
    """The budgets of each routine, by its primary key, in one query. Needs `account` loaded."""
    since = timezone.now() - _BUDGET_WINDOW
    accounts = {routine.account_id for routine in routines}
    # By account, since its budget is also spent by routines that are not in `routines`. One that
    # moves to another account begins anew there.
    if len(accounts) == 1:  # after every press
        rows = _used_of_one(account=accounts.pop(), since=since)
    else:
        rows = list(_used(since=since, account__in=accounts))
    of_routine: dict[int, int] = {}
    of_account: dict[int, int] = {}
    for routine_pk, account_pk, used in rows:
        of_routine[routine_pk] = of_routine.get(routine_pk, 0) + used
        of_account[account_pk] = of_account.get(account_pk, 0) + used
    return {
        routine.pk: Budgets(
            routine=_budget(
                of_routine.get(routine.pk, 0), routine.hourly_limit, settings.ROUTINE_HOURLY_LIMIT
            ),
            account=_budget(
                of_account.get(routine.account_id, 0),
                routine.account.hourly_limit,
                settings.ACCOUNT_HOURLY_LIMIT,
            ),
        )
        for routine in routines
    }


def _budget(used: int, own_limit: int | None, default: int) -> Budget | None:
    limit = default if own_limit is None else own_limit
    return Budget(used, limit) if limit else None


# --- Warnings ---


@dataclass(frozen=True)
class Warning:
    """Another run that this person should know of before making one more."""

    run: Run

    @property
    def is_unknown(self) -> bool:
        return self.run.is_unknown


@prepared(
    routine=BigIntegerField(),
    person=BigIntegerField(),
    last_hour=DateTimeField(),
    recent=DateTimeField(),
    either=DateTimeField(),
)
def _to_know_of(
    routine: Given, person: Given, last_hour: Given, recent: Given, either: Given
) -> QuerySet[Run, tuple[int, str]]:
    is_unknown = Q(state=State.UNKNOWN, created_at__gt=last_hour)
    is_of_others = Q(state__in=[State.SENDING, State.STARTED], created_at__gt=recent)
    return (
        Run.objects.filter(routine=routine, created_at__gt=either)
        .filter(is_unknown | is_of_others & ~Q(person=person))
        .newest_first()
        .values_list("pk", "state")
    )


def warnings(routine: Routine, person: Person) -> list[Warning]:
    """Unsettled unknown runs of the last hour, and a colleague's run of the last minutes."""
    now = timezone.now()
    last_hour = now - _UNKNOWN_WARNING
    recent = now - timedelta(seconds=settings.RECENT_RUN_WARNING)
    # Every press asks this, and there is nearly never anything: so one light query first.
    rows = _to_know_of(
        routine=routine.pk,
        person=person.pk,
        last_hour=last_hour,
        recent=recent,
        either=min(last_hour, recent),
    )
    unknown = [pk for pk, state in rows if state == State.UNKNOWN]
    of_others = [pk for pk, state in rows if state != State.UNKNOWN]
    pks = unknown[:3] + of_others[:1]
    runs = Run.objects.select_related("person").in_bulk(pks) if pks else {}
    return [Warning(runs[pk]) for pk in pks]
