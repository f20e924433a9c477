"""Counts of settled runs, for the insight page: routines/insight/summaries.py keeps them.

A row counts the runs that were pressed within one period. A period starts at a half hour, counted
from 1970 in UTC: half hours fit into the days of nearly all time zones, and a long range is read
from its 32-day blocks, its days and its half hours, whichever is the fewest rows.

The keys hold no foreign keys: a count outlives what it counts.
"""

from typing import ClassVar

from django.db import models

from routines.values.reasons import Reason, State


class Period(models.IntegerChoices):
    """The value is the length in half hours."""

    HALF_HOUR = 1
    DAY = 48
    BLOCK = 48 * 32


class RunChange(models.Model):
    """One more or one less of such runs, not yet in the summaries.

    Written by triggers on the table of runs (routines/insight/triggers.py). Only added to, so
    that runs which are written at the same time never wait for each other's counts.
    """

    created_at = models.DateTimeField()
    routine_pk = models.BigIntegerField()
    account_pk = models.BigIntegerField()
    person_pk = models.BigIntegerField()
    state = models.CharField(max_length=10)
    reason = models.CharField(max_length=30)
    outcome = models.CharField(max_length=10)
    duration_ms = models.BigIntegerField(null=True)
    by = models.SmallIntegerField()  # 1 or -1
    gone = models.BooleanField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.by:+} {self.state}"


class Summary(models.Model):
    """What all summaries have: the period, and whether the runs have been deleted since."""

    KEY: ClassVar[str] = ""  # the field that says what is counted, beside the period
    # Half hours of the time alone are kept for ever: those of 60 routines and 200 people would
    # be as many as the runs. So ranges that begin earlier are cut into days of UTC.
    KEEPS_HALF_HOURS: ClassVar[bool] = False

    period = models.SmallIntegerField(choices=Period.choices)
    start = models.IntegerField()  # half hours since 1970, UTC
    # Retention deletes runs; what they count stays, and a rebuild from the runs leaves it alone.
    gone = models.BooleanField(default=False)

    class Meta:
        abstract = True
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.get_period_display()} {self.start}"

    @classmethod
    def key_fields(cls) -> tuple[str, ...]:
        return ("period", "start", "gone", *([cls.KEY] if cls.KEY else []))

    @classmethod
    def count_fields(cls) -> tuple[str, ...]:
        return tuple(
            field.name
            for field in cls._meta.concrete_fields
            if not field.primary_key and field.name not in cls.key_fields()
        )


class ByState(Summary):
    started = models.IntegerField(default=0)
    refused = models.IntegerField(default=0)
    not_sent = models.IntegerField(default=0)
    unknown = models.IntegerField(default=0)

    class Meta(Summary.Meta):
        abstract = True


STATES = (State.STARTED, State.REFUSED, State.NOT_SENT, State.UNKNOWN)  # as the columns above


class TimeSummary(ByState):
    KEEPS_HALF_HOURS = True

    class Meta(ByState.Meta):
        abstract = False
        constraints = [
            models.UniqueConstraint(fields=["period", "start", "gone"], name="time_summary_once")
        ]


class RoutineSummary(ByState):
    KEY = "routine_pk"

    routine_pk = models.BigIntegerField()
    # What people say came of the sessions; the rest of `started` has no word yet.
    useful = models.IntegerField(default=0)
    not_useful = models.IntegerField(default=0)
    failed = models.IntegerField(default=0)

    class Meta(ByState.Meta):
        abstract = False
        constraints = [
            models.UniqueConstraint(
                fields=["period", "start", "gone", "routine_pk"], name="routine_summary_once"
            )
        ]


class AccountSummary(ByState):
    """By the account whose budgets paid, whichever the routine belongs to now."""

    KEY = "account_pk"

    account_pk = models.BigIntegerField()

    class Meta(ByState.Meta):
        abstract = False
        constraints = [
            models.UniqueConstraint(
                fields=["period", "start", "gone", "account_pk"], name="account_summary_once"
            )
        ]


class PersonSummary(ByState):
    KEY = "person_pk"

    person_pk = models.BigIntegerField()

    class Meta(ByState.Meta):
        abstract = False
        constraints = [
            models.UniqueConstraint(
                fields=["period", "start", "gone", "person_pk"], name="person_summary_once"
            )
        ]


class ReasonSummary(Summary):
    KEY = "reason"

    reason = models.CharField(max_length=30, choices=Reason.choices)
    runs = models.IntegerField(default=0)

    class Meta(Summary.Meta):
        abstract = False
        constraints = [
            models.UniqueConstraint(
                fields=["period", "start", "gone", "reason"], name="reason_summary_once"
            )
        ]


class DurationSummary(Summary):
    """How long the endpoint took to say that a session was created."""

    KEY = "least_ms"

    # The duration to two leading digits, rounded down: 1,234 ms counts at 1,200.
    least_ms = models.IntegerField()
    runs = models.IntegerField(default=0)

    class Meta(Summary.Meta):
        abstract = False
        constraints = [
            models.UniqueConstraint(
                fields=["period", "start", "gone", "least_ms"], name="duration_summary_once"
            )
        ]


SUMMARIES: tuple[type[Summary], ...] = (
    TimeSummary,
    RoutineSummary,
    AccountSummary,
    PersonSummary,
    ReasonSummary,
    DurationSummary,
)
