"""The claude.ai accounts that own the routines: their name here, their limit, their hold."""

from typing import Any

from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from routines.audit import differences, trace
from routines.models import Account, AuditEvent, Person
from routines.registry.snapshots import moment
from routines.values.snapshots import Snapshot, check

Action = AuditEvent.Action


class LabelTaken(Exception):
    """Another account is called so."""


def listed() -> QuerySet[Account]:
    """With the number of current routines of each, as `current`."""
    current = Count("routines", filter=Q(routines__archived_at=None))
    return Account.objects.annotate(current=current)


def is_held(account: Account) -> bool:
    return account.held_until is not None and account.held_until > timezone.now()


def snapshot(account: Account) -> Snapshot:
    values = {"label": account.label, "hourly_limit": account.hourly_limit}
    return Snapshot(f"account {account.pk}", values, subject=account.label)


def snapshot_of_hold(account: Account) -> Snapshot:
    subject = f"account {account.label}"
    return Snapshot(
        f"hold of account {account.pk}", {"held_until": moment(account.held_until)}, subject=subject
    )


@transaction.atomic
def edit(
    account: Account,
    *,
    label: str,
    hourly_limit: int | None,
    by: Person | None,
    seen: Snapshot | None = None,
) -> None:
    """Raise LabelTaken, or ChangedMeanwhile if it is not any more what the page showed."""
    stored = Account.objects.select_for_update(no_key=True).get(pk=account.pk)
    check(seen, snapshot(stored))
    if Account.objects.filter(label=label).exclude(pk=stored.pk).exists():
        raise LabelTaken
    before: dict[str, Any] = snapshot(stored).values
    changes = differences(before, {"label": label, "hourly_limit": hourly_limit})
    if changes:
        stored.label, stored.hourly_limit = label, hourly_limit
        stored.save(update_fields=["label", "hourly_limit"])
        trace(Action.ACCOUNT_EDITED, by=by, subject=label, changes=changes)


@transaction.atomic
def lift_hold(account: Account, *, by: Person | None, seen: Snapshot | None = None) -> None:
    """End the hold on all routines of the account before its time."""
    stored = Account.objects.select_for_update(no_key=True).get(pk=account.pk)
    check(seen, snapshot_of_hold(stored))
    if stored.held_until is None or not is_held(stored):
        return
    changes = {"held_until": [moment(stored.held_until), None]}
    stored.held_until = None
    stored.save(update_fields=["held_until"])
    trace(Action.HOLD_LIFTED, by=by, subject=f"account {stored.label}", changes=changes)
