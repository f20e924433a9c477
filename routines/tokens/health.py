"""What is known of the stored tokens: accepted, rejected, too old, and which need an admin.

Only firing tells whether a token is good: it cannot be asked for. So the answers of the runs are
noted, each on the token that was sent, and the last answer to arrive counts.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.db.models import F
from django.db.models.functions import Coalesce
from django.utils import timezone

from routines.fire_api import Answer
from routines.models import Routine
from routines.values import tokens
from routines.values.reasons import Reason

_RECORD_AGAIN_AFTER = timedelta(minutes=1)


def record_token_result(answer: Answer, sent: Routine) -> None:
    """Record what `answer` says of the token; `sent` is the routine as it was when sending.

    A 401 rejects it. Any 200 accepts it, also one that could not be read. No other answer says
    anything about the token. A token that was replaced meanwhile is not what the answer speaks of.
    """
    now = timezone.now()
    if answer.http_status == 200 and _was_accepted_just_now(sent, now):
        return
    stored = Routine.objects.filter(pk=sent.pk, token_version=sent.token_version)
    if answer.http_status == 200:
        stored.update(
            token_accepted_at=now,
            token_rejected_at=None,
            token_rejected_since=None,
            token_failures=0,
        )
    elif answer.reason == Reason.TOKEN_REJECTED:
        stored.update(
            token_rejected_at=now,
            token_rejected_since=Coalesce("token_rejected_since", now),
            token_failures=F("token_failures") + 1,
        )


def _was_accepted_just_now(sent: Routine, now: datetime) -> bool:
    """So that a routine which runs all the time is not written to each time."""
    accepted = sent.token_accepted_at
    return (
        accepted is not None
        and now - accepted < _RECORD_AGAIN_AFTER
        and sent.token_rejected_since is None
    )


class Need(models.TextChoices):
    """Why a token needs an admin; the most urgent first."""

    REJECTED = "rejected", "rejected"
    UNREADABLE = "unreadable", "cannot be read"
    REMOVED = "removed", "removed"
    MISSING = "missing", "missing"
    DUE = "due", "due by age"
    NEVER_USED = "never_used", "never used yet"


@dataclass(frozen=True)
class Health:
    """One routine's token, and the most urgent of what it needs."""

    routine: Routine
    need: Need | None

    @property
    def since(self) -> datetime | None:
        """Since when it needs it, where that is known."""
        return {
            Need.REJECTED: self.routine.token_rejected_since,
            Need.REMOVED: self.routine.token_removed_at,
            Need.MISSING: self.routine.created_at,
            Need.DUE: due_at(self.routine),
            Need.NEVER_USED: self.routine.token_set_at,
        }.get(self.need or Need.UNREADABLE)


def of_routine(routine: Routine) -> Health:
    return Health(routine, _need(routine))


def needing_somebody(routines: Iterable[Routine]) -> list[Health]:
    """Those of `routines` whose token needs an admin, the most urgent first. No queries."""
    order = list(Need)
    found = [health for health in map(of_routine, routines) if health.need is not None]
    return sorted(found, key=lambda health: order.index(health.need or Need.NEVER_USED))


def due_at(routine: Routine) -> datetime | None:
    """When the token reaches TOKEN_MAX_AGE_DAYS; None without a token or such an age."""
    if routine.token_set_at is None or not settings.TOKEN_MAX_AGE_DAYS:
        return None
    return routine.token_set_at + timedelta(days=settings.TOKEN_MAX_AGE_DAYS)


def unreadable() -> list[Routine]:
    """The routines, archived ones too, whose stored token no key at hand opens."""
    stored = Routine.objects.exclude(token_encrypted="").order_by("name", "pk")
    return [routine for routine in stored if not _is_readable(routine)]


def _need(routine: Routine) -> Need | None:
    if not routine.has_token:
        return Need.MISSING if routine.token_removed_at is None else Need.REMOVED
    if not _is_readable(routine):
        return Need.UNREADABLE
    if routine.token_rejected_since is not None:
        return Need.REJECTED
    due = due_at(routine)
    if due is not None and due <= timezone.now():
        return Need.DUE
    return Need.NEVER_USED if routine.token_accepted_at is None else None


def _is_readable(routine: Routine) -> bool:
    try:
        routine.reveal_token()
    except tokens.TokenUnreadable:
        return False
    return True
