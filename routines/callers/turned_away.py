"""Counting the calls that became no run: an admin sees why a caller gets nowhere."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import Error as DatabaseFailure
from django.db.models import F, Max, Sum
from django.utils import timezone

from routines import patience
from routines.models import ApiKey, TurnedAway, WhyNoRun

KEPT = timedelta(days=30)
SHOWN_DAYS = 7

# What to do about it.
_ADVICE = {
    WhyNoRun.HOURLY_CAP: "Raise the cap if the calls are meant. If not, look for a loop.",
    WhyNoRun.DAILY_CAP: "Raise the cap if the calls are meant. If not, look for a loop.",
    WhyNoRun.ON_HOLD: "The endpoint has asked for a pause, and the answer says for how long. "
    "A call that asks for an answer at once (respond-async) waits it out by itself.",
    WhyNoRun.COOL_DOWN: "The routine pauses between two runs. Shorten that, or call less often.",
    WhyNoRun.CLOSED: "Enable the routine, add its token, or restore it if it is archived.",
    WhyNoRun.NOT_OPEN: "The caller asks for a routine that this key was not given, or that does "
    "not exist. Compare the address that it calls.",
    WhyNoRun.ASKS_A_PERSON: "The routine asks people something first, and a personal key is its "
    "person. Run it on the board, or have an admin give it to a key of its own.",
    WhyNoRun.NO_IDEMPOTENCY_KEY: "The caller was to send an Idempotency-Key and does not. Teach it "
    "to, or say in the key’s settings that it cannot.",
    WhyNoRun.OTHER_INTENT: "The caller sends an Idempotency-Key again with another routine or "
    "text. It needs a new one for each intent.",
    WhyNoRun.BAD_REQUEST: "The answer to each of these calls says what is wrong with it.",
    WhyNoRun.NETWORK: "If that address is the caller’s, add its network.",
    WhyNoRun.REVOKED: "Somebody still calls with it. Give them a new key, or find out who it is.",
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
    """The calls of the last days that were turned away for one reason."""

    why: WhyNoRun
    calls: int
    last_at: datetime

    @property
    def advice(self) -> str:
        return _ADVICE[self.why]


def recent(api_key: ApiKey) -> list[Reasoned]:
    """Most calls first."""
    since = timezone.now().astimezone(UTC).date() - timedelta(days=SHOWN_DAYS - 1)
    rows = (
        TurnedAway.objects.filter(api_key=api_key, day__gte=since)
        .order_by()
        .values_list("why")
        .annotate(Sum("calls"), Max("last_at"))
    )
    found = [Reasoned(WhyNoRun(why), calls, at) for why, calls, at in rows]
    return sorted(found, key=lambda one: (-one.calls, one.why))


def forget() -> int:
    """Delete what is older than KEPT; how many rows there were."""
    before = timezone.now().astimezone(UTC).date() - KEPT
    deleted, _ = TurnedAway.objects.filter(day__lt=before).delete()
    return deleted
