"""Counting the calls that became no run: an admin sees why a caller gets nowhere."""

from datetime import UTC, timedelta

from django.db import Error as DatabaseFailure
from django.db.models import F
from django.utils import timezone

from routines import patience
from routines.models import ApiKey, Refusal, TurnedAway

KEPT = timedelta(days=30)


def note(api_key: ApiKey, refusal: Refusal) -> None:
    """Count one more. A count is worth no failure: a database that is busy loses it."""
    now = timezone.now()
    which = {"api_key": api_key, "day": now.astimezone(UTC).date(), "refusal": refusal}
    try:
        with patience.at_most(patience.NOTE):
            TurnedAway.objects.update_or_create(
                **which,
                defaults={"calls": F("calls") + 1, "last_at": now},
                create_defaults={"calls": 1, "last_at": now},
            )
    except DatabaseFailure:
        return


def forget() -> int:
    """Delete what is older than KEPT; how many rows there were."""
    before = timezone.now().astimezone(UTC).date() - KEPT
    deleted, _ = TurnedAway.objects.filter(day__lt=before).delete()
    return deleted
