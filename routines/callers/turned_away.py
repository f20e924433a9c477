"""Counting the calls that became no run: an admin sees why a caller gets nowhere."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import Error as DatabaseFailure
from django.db import models
from django.db.models import F, Max, Sum
from django.utils import timezone

from routines import patience
from routines.models import ApiKey, TurnedAway, WhyNoRun

KEPT = timedelta(days=30)
SHOWN_DAYS = 7
MOST_SHOWN = 500  # rows of the page of all keys

# What to do about it.
_ADVICE = {
    WhyNoRun.HOURLY_CAP: "Raise the cap if the calls are meant. If not, look for a loop.",
    WhyNoRun.DAILY_CAP: "Raise the cap if the calls are meant. If not, look for a loop.",
    WhyNoRun.ON_HOLD: "The endpoint’s limit was reached, and each answer says how long to wait. "
    "A run that is asked for with Prefer: respond-async waits the hold out by itself.",
    WhyNoRun.COOL_DOWN: "The routine pauses between two runs. Shorten that, or call less often.",
    WhyNoRun.CLOSED: "Enable the routine, add its token, or restore it if it is archived.",
    WhyNoRun.NOT_OPEN: "The caller asks for a routine that this key was not given, or that does "
    "not exist. Compare the address that it calls.",
    WhyNoRun.ASKS_A_PERSON: "The routine asks people something first, and a personal key acts as "
    "its person. Run it on the board, or have an admin make a team key for it.",
    WhyNoRun.NO_IDEMPOTENCY_KEY: "Change the caller so that it sends one with each call. If that "
    "cannot be done, edit the key and answer “No” there.",
    WhyNoRun.OTHER_INTENT: "The caller reuses an Idempotency-Key for another routine or text. It "
    "needs a new one for each intent.",
    WhyNoRun.BAD_REQUEST: "The answer to each of these calls says what is wrong with it.",
    WhyNoRun.NETWORK: "If that address is the caller’s, add its network.",
    WhyNoRun.REVOKED: "Somebody still calls with it. Find out who, and give them a new key.",
    WhyNoRun.EXPIRED: "Choose a later day, or make a new key.",
}


def note(api_key: ApiKey, why: WhyNoRun) -> None:
    """Count one more. A count is worth no failure: a database that is busy loses it."""
    now = timezone.now()
    which = {"api_key": api_key, "day": now.astimezone(UTC).date(), "why": why}
    one_more = {"calls": F("calls") + 1, "last_at": now}
    counted = TurnedAway.objects.filter(**which).order_by()
    try:
        with patience.at_most(patience.NOTE):
            # One statement, so no process that was stopped in between keeps the row locked.
            if counted.update(**one_more):
                return
            first = {"calls": 1, "last_at": now}
            _, is_new = TurnedAway.objects.get_or_create(**which, defaults=first)
            if not is_new:
                counted.update(**one_more)
    except DatabaseFailure:
        return


@dataclass(frozen=True)
class Reasoned:
    """Calls that were turned away for one reason. `api_key`: whose, where not all are of one."""

    why: WhyNoRun
    calls: int
    last_at: datetime
    api_key: ApiKey | None = None

    @property
    def advice(self) -> str:
        return _ADVICE[self.why]


def by_day() -> list[Reasoned]:
    """Of every key, each reason and day of UTC apart, the last call first; at most MOST_SHOWN."""
    rows = _shown().select_related("api_key__person").order_by("-last_at", "-pk")[:MOST_SHOWN]
    return [Reasoned(WhyNoRun(row.why), row.calls, row.last_at, row.api_key) for row in rows]


def recent(api_key: ApiKey) -> list[Reasoned]:
    """Of this key, each reason apart, most calls first."""
    rows = (
        _shown()
        .filter(api_key=api_key)
        .order_by()
        .values_list("why")
        .annotate(Sum("calls"), Max("last_at"))
    )
    found = [Reasoned(WhyNoRun(why), calls, at) for why, calls, at in rows]
    return sorted(found, key=lambda one: (-one.calls, one.why))


def _shown() -> models.QuerySet[TurnedAway]:
    since = timezone.now().astimezone(UTC).date() - timedelta(days=SHOWN_DAYS - 1)
    return TurnedAway.objects.filter(day__gte=since)


def forget() -> int:
    """Delete what is older than KEPT; how many rows there were."""
    before = timezone.now().astimezone(UTC).date() - KEPT
    deleted, _ = TurnedAway.objects.filter(day__lt=before).delete()
    return deleted
