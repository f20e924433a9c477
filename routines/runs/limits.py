"""What stands in the way of a run now, what is left of the hourly budgets, which runs to know of.

Obstacles stop a press (`not_sent`); prior runs are shown before it. Budgets are advice only:
claude.ai's own "Run now" shares them, so what we count is "at least".
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.db.models import Count, Max, Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone

from routines.fire_api import Answer
from routines.models import Account, Person, Routine, Run
from routines.values.reasons import MEANINGS, OPEN, SENT, Meaning, Reason, State

# A 429 without a readable Retry-After; one that asks for nearly nothing, or for for ever.
_HOLD_WITHOUT_ADVICE = timedelta(minutes=1)
_SHORTEST_HOLD = timedelta(seconds=5)
_LONGEST_HOLD = timedelta(hours=24)

_BUDGET_WINDOW = timedelta(hours=1)  # documented: limits are per hour
_MOST_UNSETTLED = 3  # of what may have made a session, so many are shown before another run
# What a run may take beyond FIRE_TIMEOUT: looking up the endpoint's name, waiting for a locked
# database twice. A run that is older is nobody's any more.
_SETTLE_MARGIN = timedelta(seconds=60)
# No form is good for longer than a day, so no press comes from a page that is older; and no run
# waits for longer than a day and the longest hold.
_LONGEST_IN_FLIGHT = timedelta(days=2)

# Put together once: that takes Django longer than the query.
_left_by_routine = (
    Run.objects.filter(state__in=SENT)
    .order_by()
    .values_list("routine", "account")
    .annotate(used=Count("pk"))
)


# --- Obstacles ---


@dataclass(frozen=True)
class Obstacle:
    """Why a routine cannot be fired now, and until when if it passes by itself."""

    reason: Reason
    until: datetime | None = None

    @property
    def meaning(self) -> Meaning:
        return MEANINGS[self.reason]

    @property
    def cause(self) -> str:
        """For a page that says so before a press, when nothing was to be sent yet."""
        return self.meaning.cause.removesuffix(" Nothing was sent.")


def obstacle(routine: Routine, last_sent: datetime | None) -> Obstacle | None:
    """The first obstacle in `routine`'s way; `last_sent` is when its last sent run was claimed.

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


def last_sent_of(routines: Collection[Routine]) -> dict[int, datetime]:
    """When the newest run that left, or may have, was claimed; by the routine's primary key.

    Of routines with a cool-down, as far as it still matters: looking back no further than a run can
    have waited keeps it one short stretch of the index, whatever came before.
    """
    cooling = [routine for routine in routines if routine.cool_down]
    if not cooling:
        return {}
    longest = max(routine.cool_down for routine in cooling)
    since = timezone.now() - timedelta(seconds=longest)
    return dict(
        Run.objects.filter(
            Q(created_at__gt=since) | Q(claimed_at__gt=since),
            routine__in=cooling,
            created_at__gt=since - _LONGEST_IN_FLIGHT,
        )
        .sent()
        .order_by()
        .values_list("routine")
        .annotate(last=Max(Coalesce("claimed_at", "created_at")))
    )


# --- Holds ---


def hold(routine: Routine) -> datetime | None:
    """Until when the routine is held, itself or through its account; None if it is not."""
    ends = [end for end in (routine.held_until, routine.account.held_until) if end]
    latest = max(ends, default=None)
    return latest if latest is not None and latest > timezone.now() else None


def apply_429(answer: Answer, routine: Routine) -> None:
    """Hold the routine, or its account if that is meant, so that nobody presses in vain.

    Any other answer holds nothing.
    """
    if answer.reason != Reason.LIMIT_REACHED:
        return
    until = timezone.now() + hold_after(answer)
    if _is_about_the_account(answer.error_message):
        _extend(Account.objects.filter(pk=routine.account_id), until)
    else:
        _extend(Routine.objects.filter(pk=routine.pk), until)


def hold_after(answer: Answer) -> timedelta:
    """For how long nothing is sent after this 429."""
    wait = answer.retry_after or _HOLD_WITHOUT_ADVICE
    return min(max(wait, _SHORTEST_HOLD), _LONGEST_HOLD)


def _is_about_the_account(message: str) -> bool:
    return bool(re.search(r"\b(account|organization|subscription|usage)\b", message, re.I))


def _extend(held: QuerySet[Account] | QuerySet[Routine], until: datetime) -> None:
    # Two refusals at once: the later end counts, whichever is written first.
    held.filter(Q(held_until=None) | Q(held_until__lt=until)).update(held_until=until)


# --- Budgets ---


@dataclass(frozen=True)
class Budget:
    """Requests of the sliding hour that left and were not refused, against the documented limit.

    What still waits has spent nothing yet, however long ago it was accepted.
    """

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


def budgets(routines: Collection[Routine]) -> dict[int, Budgets]:
    """The budgets of each routine, by its primary key, in one query. Needs `account` loaded."""
    # By account, since its budget is also spent by routines that are not in `routines`. One that
    # moves to another account begins anew there.
    rows = _left_by_routine.filter(
        sent_at__gt=timezone.now() - _BUDGET_WINDOW,
        account__in={routine.account_id for routine in routines},
    )
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


# --- Prior runs ---


class SentRun(NamedTuple):
    """A run that left, may have or will, as far as it matters to the next press."""

    pk: int
    state: str
    person: int | None
    pressed_at: datetime
    claimed_at: datetime | None


def overdue_before() -> datetime:
    """A run that was claimed before that and is still `sending` is `unknown` in truth."""
    return timezone.now() - timedelta(seconds=settings.FIRE_TIMEOUT) - _SETTLE_MARGIN


def matter_since(routine: Routine) -> datetime:
    """Since when settled runs matter to a press of `routine`, for its cool-down or as prior runs.

    Unknown ones matter until somebody settles them.
    """
    return timezone.now() - max(timedelta(seconds=routine.cool_down), _recent())


def in_flight_since(routine: Routine) -> datetime:
    """Since when runs that wait or are being sent matter; any page settles the overdue ones."""
    return min(matter_since(routine), timezone.now() - _LONGEST_IN_FLIGHT)


def sent_runs(rows: Iterable[tuple[Any, ...]]) -> list[SentRun]:
    """Of rows as queries give them. No page need have settled what is overdue."""
    overdue = overdue_before()
    found = {SentRun(*row) for row in rows}  # once, though several queries may have found it
    return [
        one._replace(state=State.UNKNOWN)
        if one.state == State.SENDING and one.claimed_at and one.claimed_at < overdue
        else one
        for one in found
    ]


def last_claimed(sent: Collection[SentRun]) -> datetime | None:
    """When the last of these was claimed, of those that have left or may have."""
    left = [one.claimed_at or one.pressed_at for one in sent if one.state != State.ACCEPTED]
    return max(left, default=None)


def prior_among(sent: Collection[SentRun], person: int | None) -> list[int]:
    """Of these runs of one routine, those that a person should know of before making one more.

    `person`: their primary key. Primary keys of runs: the newest three whose outcome nobody knows,
    however old; the newest three that still wait or are being sent, their own as well (from another
    tab, or another device); then somebody else's newest of the last RECENT_RUN_WARNING seconds.
    """
    recent = timezone.now() - _recent()
    newest_first = sorted(sent, key=lambda run: (run.pressed_at, run.pk), reverse=True)
    unknown = [run.pk for run in newest_first if run.state == State.UNKNOWN]
    in_flight = [run.pk for run in newest_first if run.state in OPEN]
    of_others = [
        run.pk
        for run in newest_first
        if run.state not in (State.UNKNOWN, *OPEN)
        and run.person != person
        and run.pressed_at > recent
    ]
    return unknown[:_MOST_UNSETTLED] + in_flight[:_MOST_UNSETTLED] + of_others[:1]


def prior_runs(routine: Routine, person: Person) -> list[Run]:
    """Those that `prior_among` names, for a page; their caller is loaded."""
    runs = Run.objects.filter(routine=routine).order_by()
    of_late = runs.filter(created_at__gt=in_flight_since(routine)).filter(
        Q(state__in=OPEN) | Q(created_at__gt=matter_since(routine), state__in=SENT)
    )
    fields = ("pk", "state", "person", "created_at", "claimed_at")
    rows = of_late.values_list(*fields)
    # There is nearly never anything: so one light query first.
    sent = sent_runs(rows.union(runs.filter(state=State.UNKNOWN).values_list(*fields)))
    pks = prior_among(sent, person.pk)
    found = Run.objects.select_related("person", "api_key").in_bulk(pks) if pks else {}
    states = {one.pk: one.state for one in sent}
    for pk, run in found.items():
        run.state = states[pk]
    return [found[pk] for pk in pks]


def _recent() -> timedelta:
    return timedelta(seconds=settings.RECENT_RUN_WARNING)
