"""Making, changing, replacing and revoking API keys: each with its trace, none with its secret."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.utils import timezone

from routines.audit import differences, trace
from routines.models import ApiKey, ApiKeySecret, AuditEvent, Person, Routine, Run, Tag
from routines.runs import queue
from routines.values import api_keys
from routines.values.reasons import State
from routines.values.snapshots import Snapshot, check

Action = AuditEvent.Action
MOST_LIVE = 2  # secrets of one key: the one in use, and the one that replaces it


class Refused(Exception):
    """`str()` is a sentence for the person; nothing was changed."""


class NameTaken(Refused):
    def __init__(self) -> None:
        super().__init__("A key of that name exists already. Choose another.")


class NotTheirs(PermissionDenied):
    """A personal key is its person's to make and change: whoever held its secret would be them."""

    def __init__(self) -> None:
        super().__init__("This key acts as somebody else, so you can only revoke it.")


@dataclass(frozen=True)
class Terms:
    """What a key may do. `networks` as networks.read gives them."""

    name: str
    all_routines: bool = False
    routines: Collection[Routine] = ()
    tags: Collection[Tag] = ()
    hourly_cap: int = 30
    daily_cap: int = 200
    expires_at: datetime | None = None
    networks: Collection[str] = ()
    sends_idempotency_key: bool = True

    def write_to(self, api_key: ApiKey) -> None:
        api_key.name = self.name
        api_key.all_routines = self.all_routines
        api_key.hourly_cap, api_key.daily_cap = self.hourly_cap, self.daily_cap
        api_key.expires_at = self.expires_at
        api_key.networks = list(self.networks)
        api_key.sends_idempotency_key = self.sends_idempotency_key
        api_key.save()
        api_key.routines.set(self.routines)
        api_key.tags.set(self.tags)


@transaction.atomic
def make(
    terms: Terms, *, person: Person | None = None, by: Person
) -> tuple[ApiKey, api_keys.Secret]:
    """A new key, and its secret, which nobody can show again. With `person`, a personal one.

    Raise Refused, NotTheirs.
    """
    if person is not None:
        _check_is_theirs(person, by)
        _keep_here(person)
    api_key = ApiKey(person=person, created_by=by)
    _write(terms, api_key)
    secret = _add_secret(api_key, by)
    made = snapshot(api_key).values
    changes = {name: [None, value] for name, value in made.items() if value not in (None, [])}
    trace(Action.API_KEY_ADDED, by=by, subject=api_key.name, changes=changes)
    return api_key, secret


@transaction.atomic
def edit(api_key: ApiKey, terms: Terms, *, by: Person, seen: Snapshot | None = None) -> None:
    """Raise Refused, NotTheirs, or ChangedMeanwhile if it is not what the page showed any more."""
    stored = _locked(api_key)
    _check_is_theirs(stored.person, by)
    before = snapshot(stored)
    check(seen, before)
    _check_is_live(stored)
    _write(terms, stored)
    changes = differences(before.values, snapshot(stored).values)
    if changes:
        trace(Action.API_KEY_EDITED, by=by, subject=stored.name, changes=changes)


@transaction.atomic
def replace_secret(api_key: ApiKey, *, by: Person, seen: Snapshot | None = None) -> api_keys.Secret:
    """A second secret beside the one in use, until that is ended. Raise as `edit` does."""
    stored = _locked(api_key)
    _check_is_theirs(stored.person, by)
    check(seen, snapshot(stored))
    _check_is_live(stored)
    if stored.secrets.filter(ended_at=None).count() >= MOST_LIVE:
        raise Refused("This key has two secrets already. End the one that is out of use first.")
    secret = _add_secret(stored, by)
    added: dict[str, list[Any]] = {"secret": [None, f"…{secret.last_four}"]}
    trace(Action.API_KEY_SECRET_ADDED, by=by, subject=stored.name, changes=added)
    return secret


@transaction.atomic
def end_secret(
    api_key: ApiKey, secret: ApiKeySecret, *, by: Person, seen: Snapshot | None = None
) -> None:
    """From now on it opens nothing. Raise as `edit` does."""
    stored = _locked(api_key)
    _check_is_theirs(stored.person, by)
    check(seen, snapshot(stored))
    _check_is_live(stored)
    live = stored.secrets.filter(ended_at=None)
    if not live.exclude(pk=secret.pk).exists():
        raise Refused("This is the key's only secret. Make a new one first, or revoke the key.")
    if live.filter(pk=secret.pk).update(ended_at=timezone.now()):
        ended: dict[str, list[Any]] = {"secret": [f"…{secret.last_four}", None]}
        trace(Action.API_KEY_SECRET_ENDED, by=by, subject=stored.name, changes=ended)


def revoke(
    api_key: ApiKey, *, by: Person, cancels_waiting: bool = False, seen: Snapshot | None = None
) -> int:
    """End the key at once. Return how many of its runs that waited were cancelled, if asked to.

    Raise Refused or ChangedMeanwhile as `edit` does.
    """
    with transaction.atomic():
        stored = _locked(api_key)
        check(seen, snapshot(stored))
        _check_is_live(stored)
        stored.revoke(by=by)
        trace(Action.API_KEY_REVOKED, by=by, subject=stored.name)
    if not cancels_waiting:
        return 0
    # Nothing is accepted for it any more: that looks at the key under the same lock.
    waiting = Run.objects.filter(api_key=stored, state=State.ACCEPTED).select_related("routine")
    return sum(queue.cancel(run, by=by) for run in waiting)


def snapshot(api_key: ApiKey) -> Snapshot:
    live = api_key.secrets.filter(ended_at=None).order_by("pk")
    values: dict[str, Any] = {
        "name": api_key.name,
        "person": str(api_key.person) if api_key.person else None,
        "all routines": api_key.all_routines,
        "routines": sorted(api_key.routines.values_list("slug", flat=True)),
        "tags": sorted(api_key.tags.values_list("name", flat=True)),
        "runs an hour": api_key.hourly_cap,
        "runs a day": api_key.daily_cap,
        "expires": api_key.expires_at.isoformat() if api_key.expires_at else None,
        "networks": list(api_key.networks),
        "sends an Idempotency-Key": api_key.sends_idempotency_key,
        "secrets": [f"…{secret.last_four}" for secret in live],
        "revoked": api_key.revoked_at.isoformat() if api_key.revoked_at else None,
    }
    return Snapshot(f"API key {api_key.pk}", values, subject=api_key.name)


def _add_secret(api_key: ApiKey, by: Person) -> api_keys.Secret:
    secret = api_keys.make()
    ApiKeySecret.objects.create(
        api_key=api_key, digest=secret.digest, last_four=secret.last_four, created_by=by
    )
    return secret


def _locked(api_key: ApiKey) -> ApiKey:
    # Its person is read, not locked.
    return (
        ApiKey.objects.select_for_update(of=("self",)).select_related("person").get(pk=api_key.pk)
    )


def _check_is_theirs(person: Person | None, by: Person) -> None:
    if person is not None and person != by:
        raise NotTheirs


def _keep_here(person: Person) -> None:
    """Whoever deactivates them meanwhile waits, and then finds the new key as well."""
    stored = Person.objects.select_for_update(no_key=True).get(pk=person.pk)
    if not stored.is_active:
        raise Refused("This account was deactivated, so no key was made.")


def _check_is_live(api_key: ApiKey) -> None:
    if api_key.is_revoked:
        raise Refused("This key is revoked already. Make a new one.")


def _write(terms: Terms, api_key: ApiKey) -> None:
    _check_name(terms.name, api_key)
    try:
        with transaction.atomic():
            terms.write_to(api_key)
    except IntegrityError:
        _check_name(terms.name, api_key)  # somebody was faster
        raise


def _check_name(name: str, api_key: ApiKey) -> None:
    others = ApiKey.objects.exclude(pk=api_key.pk)
    if others.filter(name__iexact=name, person=api_key.person, revoked_at=None).exists():
        raise NameTaken
