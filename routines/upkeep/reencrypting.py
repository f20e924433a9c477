"""Re-encrypting all stored tokens under the newest encryption key, while the service runs.

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
class Progress:
    """How far it has come with the stored tokens, those of archived routines too."""

    reencrypted: int = 0
    newest_already: int = 0
    unreadable: list[Routine] = field(default_factory=list)


def reencrypt_all(progress: Progress) -> None:
    """Fill in `progress` on the way, so that it is true at every interruption.

    The first change of a stored token leaves its audit event in the same transaction, and the end
    leaves one with the figures; nothing changed leaves none.
    """
    with _traced(progress):
        for pk in (
            Routine.objects.exclude(token_encrypted="").order_by("pk").values_list("pk", flat=True)
        ):
            _reencrypt(pk, progress)


def _reencrypt(pk: int, progress: Progress) -> None:
    while True:
        routine = Routine.objects.filter(pk=pk).exclude(token_encrypted="").first()
        if routine is None:  # removed or deleted meanwhile
            return
        try:
            encrypted = tokens.reencrypt(routine.token_encrypted, routine_id=routine.routine_id)
        except tokens.TokenUnreadable:
            progress.unreadable.append(routine)
            return
        if encrypted is None:
            progress.newest_already += 1
            return
        if _swap(routine, encrypted, first=not progress.reencrypted):
            progress.reencrypted += 1
            return
        # Replaced at this very moment: look again.


def _swap(routine: Routine, encrypted: str, *, first: bool) -> bool:
    with transaction.atomic():
        swapped = Routine.objects.filter(
            pk=routine.pk, token_encrypted=routine.token_encrypted
        ).update(token_encrypted=encrypted)
        if swapped and first:
            _trace({"state": [None, "begun"]})
    return bool(swapped)


@contextmanager
def _traced(progress: Progress) -> Iterator[None]:
    try:
        yield
    finally:
        if progress.reencrypted:
            _trace(
                {
                    "reencrypted": [None, progress.reencrypted],
                    "unreadable": [None, ", ".join(map(str, progress.unreadable)) or "none"],
                }
            )


def _trace(changes: dict[str, list[object]]) -> None:
    trace(AuditEvent.Action.TOKENS_REENCRYPTED, by=None, subject="the newest key", changes=changes)
