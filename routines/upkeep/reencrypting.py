"""Sealing all stored tokens anew under the newest encryption key, while the service runs.

Row by row, each written only if its token is still the one that was opened (compare and swap). So
a token that an admin replaces meanwhile is never overwritten, nothing waits for a lock, and it may
be interrupted and repeated at any time.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from django.db import transaction

from routines.audit import trace
from routines.models import AuditEvent, Routine
from routines.values import tokens


@dataclass
class Report:
    """What became of the stored tokens, archived routines' too."""

    resealed: int = 0
    newest_already: int = 0
    unreadable: list[Routine] = field(default_factory=list)


def reseal_all(report: Report) -> None:
    """Fill in `report` on the way, so that it is true at every interruption.

    The first change of a stored token leaves its audit event in the same transaction, and the end
    leaves one with the figures; nothing changed leaves none.
    """
    with _traced(report):
        for pk in (
            Routine.objects.exclude(token_sealed="").order_by("pk").values_list("pk", flat=True)
        ):
            _reseal(pk, report)


def _reseal(pk: int, report: Report) -> None:
    while True:
        routine = Routine.objects.filter(pk=pk).exclude(token_sealed="").first()
        if routine is None:  # withdrawn or deleted meanwhile
            return
        try:
            sealed = tokens.reseal(routine.token_sealed, routine_id=routine.routine_id)
        except tokens.TokenUnreadable:
            report.unreadable.append(routine)
            return
        if sealed is None:
            report.newest_already += 1
            return
        if _swap(routine, sealed, first=not report.resealed):
            report.resealed += 1
            return
        # Replaced at this very moment: look again.


def _swap(routine: Routine, sealed: str, *, first: bool) -> bool:
    with transaction.atomic():
        swapped = Routine.objects.filter(pk=routine.pk, token_sealed=routine.token_sealed).update(
            token_sealed=sealed
        )
        if swapped and first:
            _trace({"state": [None, "begun"]})
    return bool(swapped)


@contextmanager
def _traced(report: Report) -> Iterator[None]:
    try:
        yield
    finally:
        if report.resealed:
            _trace(
                {
                    "resealed": [None, report.resealed],
                    "unreadable": [None, ", ".join(map(str, report.unreadable)) or "none"],
                }
            )


def _trace(changes: dict[str, list[object]]) -> None:
    trace(AuditEvent.Action.TOKENS_RESEALED, by=None, subject="the newest key", changes=changes)
