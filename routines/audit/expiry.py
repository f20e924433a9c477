"""Sign-ins are kept for a while; changes for ever.

Their chain is shortened from its oldest end. Up to where, and the hash that the rest goes on from,
stands in the chain of changes, so the check can tell it from a theft.
"""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Max, QuerySet
from django.utils import timezone

from routines.audit import chain
from routines.audit.writing import trace
from routines.models import AuditEvent, Chain

_BATCH = 500


def expired() -> datetime | None:
    """Sign-ins from before this moment are old; None: they are kept for ever."""
    days = settings.KEEP_SIGN_INS_DAYS
    return timezone.now() - timedelta(days=days) if days else None


def count(*, before: datetime) -> int:
    return _sign_ins().filter(at__lt=before).count()


def delete_sign_ins(*, before: datetime) -> int:
    """In short transactions; what an interruption leaves, the next call deletes."""
    last = _give_up(before)
    deleted = 0
    while keys := list(_sign_ins().filter(number__lte=last).values_list("pk", flat=True)[:_BATCH]):
        AuditEvent._base_manager.filter(pk__in=keys).delete()
        deleted += len(keys)
    return deleted


@transaction.atomic
def _give_up(before: datetime) -> int:
    """Note, before anything goes, up to which entry all may go."""
    head = chain.locked_head(Chain.SIGN_INS)
    kept = _sign_ins().filter(number__gt=head.deleted_to)
    last: int | None = kept.filter(at__lt=before).aggregate(last=Max("number"))["last"]
    if last is None:
        return head.deleted_to
    going = kept.filter(number__lte=last)
    changes: dict[str, list[Any]] = {"sign-ins deleted": [None, going.count()]}
    head.deleted_to, head.anchor = last, going.get(number=last).hash
    head.save(update_fields=["deleted_to", "anchor"])
    changes["goes on behind"] = [None, f"{head.deleted_to}:{head.anchor}"]
    trace(
        AuditEvent.Action.RETENTION_APPLIED,
        by=None,
        subject=chain.SIGN_INS_SUBJECT,
        changes=changes,
    )
    return last


def _sign_ins() -> QuerySet[AuditEvent]:
    return AuditEvent._base_manager.filter(chain=Chain.SIGN_INS)
