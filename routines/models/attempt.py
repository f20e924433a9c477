from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import models

from routines.models.run import Run
from routines.values.reasons import MEANINGS, Meaning, Reason


class AttemptQuerySet(models.QuerySet["Attempt"]):
    def end_unanswered(self, runs: Iterable[Run], *, reason: Reason, at: datetime) -> None:
        """End the attempts that are under way of these `sending` runs, with no answer recorded.

        One that has its row already keeps it.
        """
        self.bulk_create(
            [
                Attempt(
                    run=run,
                    number=run.attempt,
                    claimed_at=run.claimed_at,
                    ended_at=at,
                    reason=reason,
                )
                for run in runs
            ],
            ignore_conflicts=True,
        )


class Attempt(models.Model):
    """One request of a run that is over: recorded together with what came of it.

    A run has as many as it was claimed, but for the one that is under way.
    """

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="attempts", db_index=False)
    number = models.PositiveSmallIntegerField()  # from 1
    claimed_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)  # of its first byte; null: none left, or unknown
    ended_at = models.DateTimeField()
    reason = models.CharField(max_length=30)  # of values/reasons.py
    http_status = models.PositiveSmallIntegerField(null=True)
    error_type = models.CharField(max_length=100, blank=True)
    request_id = models.CharField(max_length=200, blank=True)

    objects = AttemptQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["run", "number"], name="attempt_once"),
        ]

    def __str__(self) -> str:
        return f"attempt {self.number} of run {self.run_id}"

    @property
    def meaning(self) -> Meaning:
        return MEANINGS[Reason(self.reason)]
