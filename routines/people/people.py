"""Adding people, giving them roles and groups, letting them go: each change with its audit event.

People are deactivated, never deleted: their runs and the audit trail name them. A deactivated
person's web sessions end with their next request, since sign-in asks `is_active` each time; their
password and their API keys go too, so that none of it comes back to life with them.
"""

import secrets
from collections.abc import Collection, Iterator
from typing import Any

from django.contrib.auth.models import Group
from django.db import transaction

from routines.audit import differences, trace
from routines.models import ApiKey, AuditEvent, Person
from routines.models.people import shown_name
from routines.people.roles import Role
from routines.values.names import normalise
from routines.values.snapshots import Snapshot, check

Action = AuditEvent.Action

# Without those that are read or typed wrongly: i l o 0 1.
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


_EDITABLE = ("first_name", "last_name", "email")


class Refused(Exception):
    """This cannot be done; `str()` is a sentence for the person who wanted it."""


class NameTaken(Refused):
    """The pages would show two people under one name."""


def initial_password() -> str:
    """Four groups of four: 79 bits, and it can be read out over the telephone."""
    groups = ("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(4))
    return "-".join(groups)


@transaction.atomic
def add_person(
    *,
    username: str,
    first_name: str = "",
    last_name: str = "",
    email: str = "",
    roles: Collection[Role] = (),
    groups: Collection[Group] = (),
    password: str | None = None,
    password_is_initial: bool = True,
    by: Person | None,
) -> Person:
    """Add somebody. An initial password is to be changed at once; None: they have none.

    Raise Refused for a username that is taken, ValidationError for values that cannot be kept.
    """
    username = normalise(username)
    check_username_is_free(username)
    _check_shown_name(shown_name(username, first_name, last_name))
    person = Person(
        username=username,
        first_name=first_name,
        last_name=last_name,
        email=email,
        password_is_initial=password_is_initial and password is not None,
    )
    person.set_password(password)
    person.full_clean(exclude=["password"])
    person.save()
    person.groups.set([*_role_groups(roles), *groups])
    changes = {"username": [None, username]} | {
        field: [None, value] for field, value in _visible(person).items() if value
    }
    trace(Action.PERSON_ADDED, by=by, subject=person.username, changes=changes)
    return person


@transaction.atomic
def edit(
    person: Person,
    *,
    first_name: str,
    last_name: str,
    email: str,
    roles: Collection[Role],
    groups: Collection[Group],
    by: Person | None,
    seen: Snapshot | None = None,
) -> None:
    """Change everything but the username, which the runs and the trail know them by.

    Here as below, `seen` is what the page showed; raise ChangedMeanwhile if it is not so any more.
    """
    stored = _locked(person)
    check(seen, snapshot(stored))
    before = _visible(stored)
    shown_before = str(stored)
    person.first_name, person.last_name, person.email = first_name, last_name, email
    if str(person) != shown_before:
        _check_shown_name(str(person), besides=person)
    person.clean_fields(exclude={field.name for field in person._meta.fields} - set(_EDITABLE))
    person.save(update_fields=[*_EDITABLE, "shown_look"])
    person.groups.set([*_role_groups(roles), *groups])
    _keep_an_admin()
    _trace_edit(person, before, by=by)


@transaction.atomic
def set_roles(
    person: Person,
    roles: Collection[Role],
    *,
    by: Person | None,
    may_leave_no_admin: bool = False,
) -> Person:
    """Give them these roles and no others; their groups stay. Raise Refused.

    Return the person as stored now: `person` itself goes on answering from memory what it was
    asked about its rights before.

    `may_leave_no_admin`: for the identity provider, which can name another at any time.
    """
    stored = _locked(person)
    before = _visible(stored)
    stored.groups.set([*_role_groups(roles), *stored.groups.exclude(name__in=Role.values)])
    if not may_leave_no_admin:
        _keep_an_admin()
    _trace_edit(stored, before, by=by)
    return stored


@transaction.atomic
def deactivate(person: Person, *, by: Person | None, seen: Snapshot | None = None) -> int:
    """They can no longer sign in, their sessions end, and their API keys are revoked.

    Return how many keys that were. Raise Refused.
    """
    stored = _locked(person)
    check(seen, snapshot(stored))
    if by is not None and by.pk == person.pk:
        raise Refused("You cannot deactivate yourself. Ask another admin to do it.")
    if not stored.is_active:
        return 0
    person.is_active = False
    person.set_unusable_password()  # random each time: the sessions made with the old one are void
    person.password_is_initial = False
    person.save(update_fields=["is_active", "password", "password_is_initial"])
    _keep_an_admin()
    trace(Action.PERSON_DEACTIVATED, by=by, subject=person.username)
    return _revoke_keys(person, by=by)


@transaction.atomic
def reactivate(person: Person, *, by: Person | None, seen: Snapshot | None = None) -> None:
    """They may come back, with a new password or through the identity provider.

    Their API keys stay revoked: whoever kept a secret of theirs meanwhile gets nothing back.
    """
    stored = _locked(person)
    check(seen, snapshot(stored))
    if stored.is_active:
        return
    person.is_active = True
    person.save(update_fields=["is_active"])
    trace(Action.PERSON_REACTIVATED, by=by, subject=person.username)


@transaction.atomic
def give_password(
    person: Person, password: str, *, by: Person | None, seen: Snapshot | None = None
) -> None:
    """An initial password in place of the forgotten one. Their sessions end."""
    check(seen, snapshot_of_sign_in(_locked(person)))
    person.set_password(password)
    person.password_is_initial = True
    person.save(update_fields=["password", "password_is_initial"])
    trace(Action.PASSWORD_SET, by=by, subject=person.username, changes={"initial": [None, True]})


@transaction.atomic
def choose_password(person: Person, password: str) -> None:
    """The person's own choice."""
    _locked(person)
    person.set_password(password)
    person.password_is_initial = False
    person.save(update_fields=["password", "password_is_initial"])
    trace(Action.PASSWORD_SET, by=person, subject=person.username)


def snapshot(person: Person) -> Snapshot:
    """What their page shows, and lets admins change."""
    values = _visible(person) | {"active": person.is_active}
    return Snapshot(f"person {person.pk}", values, subject=person.username)


def snapshot_of_sign_in(person: Person) -> Snapshot:
    """And whether their password is still the one that was forgotten."""
    # Django's own digest of it, from which nothing leads back.
    values = snapshot(person).values | {"password": person.get_session_auth_hash()[:12]}
    return Snapshot(f"sign-in of person {person.pk}", values, subject=person.username)


def names() -> Iterator[tuple[str, str]]:
    """Of all people, the username with what `str(person)` says: a list needs no more of them."""
    named = Person.objects.values_list("username", "first_name", "last_name")
    for username, first, last in named:
        yield username, shown_name(username, first, last)


def roles_of(person: Person) -> list[Role]:
    """In the order of their rights. Reads `person.groups`, which a list has prefetched."""
    names = {group.name for group in person.groups.all()}
    return [role for role in Role if role in names]


def groups_of(person: Person) -> list[Group]:
    return [group for group in person.groups.all() if group.name not in Role.values]


def check_username_is_free(username: str) -> None:
    """Raise Refused for one that is somebody's, or could be taken for somebody's."""
    if Person.objects.named(username) is not None:
        raise Refused("A person with that username exists already. Choose another.")
    double = Person.objects.looking_like(username)
    if double is not None:
        raise Refused(
            f"This username looks like “{double.username}”, who is somebody else. Choose another."
        )


def _check_shown_name(shown: str, *, besides: Person | None = None) -> None:
    others = Person.objects.shown_like(shown)
    other = (others.exclude(pk=besides.pk) if besides else others).first()
    if other is not None:
        raise NameTaken(
            f"“{other}” ({other.username}) is shown under the same name, or one that looks like "
            "it. Add what tells the two apart, such as a team, to the first or last name."
        )


def _role_groups(roles: Collection[Role]) -> list[Group]:
    return list(Group.objects.filter(name__in=roles))


def lock_memberships() -> None:
    """Until the end of the transaction, nobody else changes who is in which group or role."""
    Group.objects.select_for_update(no_key=True).get(name=Role.ADMIN)


def _locked(person: Person) -> Person:
    """As stored."""
    lock_memberships()
    return Person.objects.select_for_update(no_key=True).get(pk=person.pk)


def _revoke_keys(person: Person, *, by: Person | None) -> int:
    live = ApiKey.objects.filter(person=person, revoked_at=None).order_by("pk")
    found = list(live.select_for_update(no_key=True))
    for api_key in found:
        api_key.revoke(by=by)
        trace(Action.API_KEY_REVOKED, by=by, subject=api_key.name)
    return len(found)


def _keep_an_admin() -> None:
    if not Person.objects.filter(is_active=True, groups__name=Role.ADMIN).exists():
        raise Refused(
            "Nobody would be left who can sign in as an admin. Make another person an admin first."
        )


def _visible(person: Person) -> dict[str, Any]:
    return {
        "first_name": person.first_name,
        "last_name": person.last_name,
        "email": person.email,
        "roles": [role.label for role in roles_of(person)],
        "groups": sorted(group.name for group in groups_of(person)),
    }


def _trace_edit(person: Person, before: dict[str, Any], *, by: Person | None) -> None:
    changes = differences(before, _visible(person))
    if changes:
        trace(Action.PERSON_EDITED, by=by, subject=person.username, changes=changes)
