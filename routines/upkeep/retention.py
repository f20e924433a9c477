"""How long runs are kept, and clearing away what is older (docs/retention.md).

Nothing here may hold up a press of Run: so all of it goes in small batches, each in a short
transaction of its own, with a pause at least as long after each. Whatever interrupts it, every
batch is whole, and the next time goes on from there.

A run's row is what keeps its one-time key from firing twice. Keys are good for a day, so settings
refuse to delete runs before several days have passed.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Length
from django.db.models.lookups import GreaterThan
from django.utils import timezone

from routines.audit import trace
from routines.insight import changes
from routines.models import AuditEvent, Run
from routines.runs import overdue
from routines.values import texts
from routines.values.reasons import OPEN

BATCH = 50  # of runs with usual texts: some 20 ms with SQLite's one lock for writing
_SHORTEST_PAUSE = 0.02  # seconds
_BATCHES_TO_COUNT = changes.STEP // (2 * BATCH)  # a deleted run makes two changes


@dataclass(frozen=True)
class Policy:
    """Days; 0 keeps for ever."""

    texts_days: int
    runs_days: int

    def __bool__(self) -> bool:
        return bool(self.texts_days or self.runs_days)

    def __str__(self) -> str:
        """A sentence for people; empty if all is kept."""
        parts = []
        if self.texts_days:
            parts.append(f"texts are shortened to their first line after {_days(self.texts_days)}")
        if self.runs_days:
            parts.append(f"runs are deleted after {_days(self.runs_days)}")
        sentence = " and ".join(parts)
        return f"{sentence[0].upper()}{sentence[1:]}." if sentence else ""


def _days(number: int) -> str:
    return f"{number:,} days"


def policy() -> Policy:
    return Policy(texts_days=settings.KEEP_TEXTS_DAYS, runs_days=settings.KEEP_RUNS_DAYS)


@dataclass
class Report:
    texts: int = 0  # shortened
    runs: int = 0  # deleted


def count() -> Report:
    """What `apply` would do now."""
    texts_to_shorten, runs_to_delete = _due(policy())
    return Report(texts=texts_to_shorten.count(), runs=runs_to_delete.count())


def apply(report: Report, *, pause: Callable[[float], None] = time.sleep) -> None:
    """Fill in `report` on the way, so that it is true at every interruption.

    The first change leaves its audit event in the same transaction, and the end leaves one with
    the figures; nothing changed leaves none.
    """
    overdue.settle()
    texts_to_shorten, runs_to_delete = _due(policy())
    with _traced(report) as begin:
        # First what is deleted: its texts need no shortening.
        for number, batch in enumerate(_batches(runs_to_delete)):
            with _in_turn(pause), transaction.atomic():
                begin()
                _, deleted = Run.objects.filter(pk__in=[pk for _, pk in batch]).delete()
            report.runs += deleted.get(Run._meta.label, 0)  # their attempts go with them
            # Or the page of insight would be behind for a while.
            if number % _BATCHES_TO_COUNT == 0:
                with _in_turn(pause):
                    changes.apply()
        for batch in _batches(texts_to_shorten, "text"):
            with _in_turn(pause), transaction.atomic():
                begin()
                shortened = sum(_shorten(pk, text) for _, pk, text in batch)
            report.texts += shortened
        applied = changes.STEP if report.runs else 0
        while applied == changes.STEP:
            with _in_turn(pause):
                applied = changes.apply()


def _shorten(pk: int, text: str) -> int:
    return Run.objects.filter(pk=pk, text_was=None).update(
        # What the template's fields were filled with is the text once more.
        text=texts.first_line(text),
        text_was=len(text),
        field_values={},
    )


def _due(policy: Policy) -> tuple[QuerySet[Run], QuerySet[Run]]:
    """The runs whose texts are to be shortened, and those to be deleted; none is both."""
    now = timezone.now()
    settled = Run.objects.exclude(state__in=OPEN)
    texts_to_shorten = runs_to_delete = settled.none()
    if policy.texts_days:
        is_long = GreaterThan(Length("text"), texts.LONGEST_LINE) | Q(text__contains="\n")
        texts_to_shorten = settled.filter(
            is_long, text_was=None, created_at__lt=now - timedelta(days=policy.texts_days)
        )
    if policy.runs_days:
        last = now - timedelta(days=policy.runs_days)
        runs_to_delete = settled.filter(created_at__lt=last)
        texts_to_shorten = texts_to_shorten.filter(created_at__gte=last)
    return texts_to_shorten, runs_to_delete


def _batches(runs: QuerySet[Run], *fields: str) -> Iterator[list[tuple[Any, ...]]]:
    """Moment, key and fields, oldest first. No batch looks again at what others have passed."""
    in_order = runs.order_by("created_at", "pk").values_list("created_at", "pk", *fields)
    rest = in_order
    while batch := list(rest[:BATCH]):
        yield batch
        at, pk, *_ = batch[-1]
        rest = in_order.filter(
            Q(created_at__gt=at) | Q(created_at=at, pk__gt=pk), created_at__gte=at
        )


@contextmanager
def _in_turn(pause: Callable[[float], None]) -> Iterator[None]:
    """Others write for at least as long as this took."""
    began = time.monotonic()
    yield
    pause(max(_SHORTEST_PAUSE, time.monotonic() - began))


@contextmanager
def _traced(report: Report) -> Iterator[Callable[[], None]]:
    def begin() -> None:
        if not (report.runs or report.texts):
            _trace({"state": [None, "begun"], "policy": [None, str(policy())]})

    try:
        yield begin
    finally:
        if report.runs or report.texts:
            _trace({"runs deleted": [None, report.runs], "texts shortened": [None, report.texts]})


def _trace(changes: dict[str, list[Any]]) -> None:
    trace(AuditEvent.Action.RETENTION_APPLIED, by=None, subject="old runs", changes=changes)
