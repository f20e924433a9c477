"""The groups that routines can be open to: runs/rules.py. Roles are groups of their own."""

from collections.abc import Collection
from typing import Any

from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import QuerySet

from routines.audit import differences, trace
from routines.models import AuditEvent, Person, Routine
from routines.people import Refused, lock_memberships
from routines.people.roles import Role
from routines.values.snapshots import Snapshot, check

Action = AuditEvent.Action


@transaction.atomic
def add(name: str, *, members: Collection[Person], by: Person | None) -> Group:
    """Raise Refused."""
    lock_memberships()
    _check_name(name)
    group = Group.objects.create(name=name)
    group.user_set.set(members)
    changes: dict[str, list[Any]] = {"name": [None, name], "members": [None, _member_names(group)]}
    trace(Action.GROUP_ADDED, by=by, subject=name, changes=changes)
    return group


@transaction.atomic
def edit(
    group: Group,
    *,
    name: str,
    members: Collection[Person],
    by: Person | None,
    seen: Snapshot | None = None,
) -> None:
    """Raise Refused, or ChangedMeanwhile if it is not any more what the page showed."""
    stored = _locked(group)
    check(seen, snapshot(stored))
    _check_is_no_role(stored)
    _check_name(name, besides=stored)
    before = snapshot(stored).values
    stored.name = name
    stored.save(update_fields=["name"])
    stored.user_set.set(members)
    changes = differences(before, {"name": name, "members": _member_names(stored)})
    if changes:
        trace(Action.GROUP_EDITED, by=by, subject=name, changes=changes)


@transaction.atomic
def delete(group: Group, *, by: Person | None, seen: Snapshot | None = None) -> None:
    """Raise Refused where a routine is open to it: without it, fewer or none could run that one.

    Raise ChangedMeanwhile as `edit` does.
    """
    # A routine that is just being opened to it waits, or is waited for.
    group = _locked(group)
    check(seen, snapshot(group))
    _check_is_no_role(group)
    limited = Routine.objects.filter(open_to=group).order_by("name")
    if limited:
        names = ", ".join(f"“{routine}”" for routine in limited)
        raise Refused(
            f"The group decides who may run {names}. Change who may run that first, then delete it."
        )
    trace(
        Action.GROUP_DELETED,
        by=by,
        subject=group.name,
        changes={"members": [_member_names(group), None]},
    )
    group.delete()


def snapshot(group: Group) -> Snapshot:
    values = {"name": group.name, "members": _member_names(group)}
    return Snapshot(f"group {group.pk}", values, subject=group.name)


def own_groups() -> QuerySet[Group]:
    """The groups that admins made: all but the roles."""
    return Group.objects.exclude(name__in=Role.values).order_by("name")


def _locked(group: Group) -> Group:
    lock_memberships()
    return Group.objects.select_for_update().get(pk=group.pk)


def _check_is_no_role(group: Group) -> None:
    if group.name in Role.values:
        raise Refused("This is a role: its name is fixed, and people get it on their own page.")


def _check_name(name: str, *, besides: Group | None = None) -> None:
    others = Group.objects.exclude(pk=besides.pk) if besides else Group.objects
    if others.filter(name__iexact=name).exists():
        raise Refused("A group or a role of that name exists already. Choose another.")


def _member_names(group: Group) -> list[str]:
    return sorted(group.user_set.values_list("username", flat=True))
