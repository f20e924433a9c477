"""Counts of settled runs, for the insight page: routines/insight/ keeps them.

A row counts the runs that were pressed within a half hour, a day or a block of 32 days, by one
thing: the routine, the person, ... Half hours fit into the days of nearly all time zones, and a
long range is read from its blocks, its days and its half hours, whichever is the fewest rows.
"""

from django.db import models
from django.db.models.functions import Now

from routines.values.reasons import State


class Grain(models.IntegerChoices):
    """What a row covers. The value is its length in half hours."""

    HALF_HOUR = 1
    DAY = 48
    BLOCK = 48 * 32


class Dimension(models.TextChoices):
    """What a row counts by, and what its key is then."""

    TIME = "time"  # all runs of that time; no key
    ROUTINE = "routine"  # its primary key
    ACCOUNT = "account"  # whose budgets paid, whichever the routine belongs to now
    PERSON = "person"
    API_KEY = "api_key"
    REASON = "reason"
    DURATION = (
        "duration"  # of runs with a session: milliseconds to two leading digits, as `started`
    )


STATES = (State.STARTED, State.REFUSED, State.NOT_SENT, State.UNKNOWN)  # as the columns below


class RunCount(models.Model):
    """So many runs of each state, and for a routine, of each outcome.

    A key is no foreign key: a count outlives what it counts.
    """

    dimension = models.CharField(max_length=10, choices=Dimension.choices)
    grain = models.SmallIntegerField(choices=Grain.choices)
    slot = models.IntegerField()  # the first half hour: so many since 1970, UTC
    key = models.CharField(max_length=30, blank=True)
    # Retention deletes runs. Their counts stay, apart, and a recount of the runs leaves them alone.
    deleted = models.BooleanField(default=False)

    started = models.IntegerField(default=0)
    refused = models.IntegerField(default=0)
    not_sent = models.IntegerField(default=0)
    unknown = models.IntegerField(default=0)
    # What people say came of the sessions; the rest of `started` has no word yet.
    useful = models.IntegerField(default=0)
    not_useful = models.IntegerField(default=0)
    failed = models.IntegerField(default=0)

    KEYS = ("dimension", "grain", "slot", "key", "deleted")
    COUNTS = ("started", "refused", "not_sent", "unknown", "useful", "not_useful", "failed")

    class Meta:
        default_permissions = ()
        constraints = [
            # Every look at the page reads along it.
            models.UniqueConstraint(
                fields=["dimension", "grain", "slot", "key", "deleted"], name="run_count_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_grain_display()} {self.slot} by {self.dimension} {self.key}".rstrip()


class RunChange(models.Model):
    """One more or one less of such runs, not yet in the counts.

    Written by triggers on the table of runs (routines/insight/triggers.py). Only added to, so
    that runs which are written at the same time never wait for each other's counts.
    """

    noted_at = models.DateTimeField(db_default=Now())
    created_at = models.DateTimeField()  # of the run
    routine_pk = models.BigIntegerField()
    account_pk = models.BigIntegerField()
    person_pk = models.BigIntegerField(null=True)
    api_key_pk = models.BigIntegerField(null=True)
    state = models.CharField(max_length=10)
    reason = models.CharField(max_length=30)
    outcome = models.CharField(max_length=10)
    duration_ms = models.BigIntegerField(null=True)
    by = models.SmallIntegerField()  # 1 or -1
    deleted = models.BooleanField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.by:+} {self.state}"


class RecountDay(models.Model):
    """A day of UTC whose counts are still to be compared with its runs: recounting.py."""

    slot = models.IntegerField(primary_key=True)  # its first half hour

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"day of slot {self.slot}"
