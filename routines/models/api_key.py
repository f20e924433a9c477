from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models
from django.utils import timezone

from routines.models.routine import Routine, Tag

if TYPE_CHECKING:
    from routines.models.people import Person


def caller_name(person: str, api_key: str) -> str:
    """Who asks for a run, for people: of a personal key's runs both are known.

    A key that is called like a person is not taken for one.
    """
    if not api_key:
        return person
    return f"{person} ({api_key})" if person else f"API key {api_key}"


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    def usable(self) -> Self:
        """Neither revoked nor expired, and its person, if it is a personal one, still here."""
        is_here = models.Q(person=None) | models.Q(person__is_active=True)
        return self.filter(
            is_here,
            models.Q(expires_at=None) | models.Q(expires_at__gt=timezone.now()),
            revoked_at=None,
        )

    def with_runs_seen_by(self, person: Person, *, sees_others: bool) -> Self:
        """Those whose runs this person may find in the history; their persons are loaded.

        `sees_others`: whether they see any runs but their own. What others call their own keys is
        for those who see everybody's runs.
        """
        found = self.select_related("person").order_by()
        if person.has_perm("routines.view_all_runs"):
            return found
        own = found.filter(person=person)
        return own | found.filter(person=None) if sees_others else own


class ApiKey(models.Model):
    """A caller that is a program. Of one with a `person` the runs are theirs as well.

    What it may fire: Routine.objects.fireable_with. Its secrets have rows of their own, two while
    one is replaced.
    """

    name = models.CharField(max_length=80)
    # A personal key acts as this person, with no more rights than they have at that moment.
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        editable=False,
        related_name="api_keys",
    )
    # Said, and not read out of missing routines: what vanishes must open nothing.
    all_routines = models.BooleanField(default=False)  # that its person may run
    routines = models.ManyToManyField(Routine, blank=True, related_name="+")
    tags = models.ManyToManyField(Tag, blank=True, related_name="+")
    hourly_cap = models.PositiveIntegerField(default=30)  # runs in a sliding hour
    daily_cap = models.PositiveIntegerField(default=200)
    expires_at = models.DateTimeField(null=True, blank=True)
    networks = models.JSONField(default=list, blank=True)  # as "192.0.2.0/24"; empty: any
    # It promises one with each run; a call without is turned away. Else a retry is a second run.
    sends_idempotency_key = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        editable=False,
        related_name="+",
    )
    revoked_at = models.DateTimeField(null=True, editable=False)
    revoked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        editable=False,
        related_name="+",
    )

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        ordering = ["name", "pk"]
        default_permissions = ()
        constraints = [
            # Two that look the same in the history would be one to its readers.
            models.UniqueConstraint(
                fields=["name"],
                name="api_key_name_once",
                condition=models.Q(person=None, revoked_at=None),
            ),
            models.UniqueConstraint(
                fields=["person", "name"],
                name="api_key_name_once_per_person",
                condition=models.Q(person__isnull=False, revoked_at=None),
            ),
            models.CheckConstraint(
                name="api_key_for_all_is_personal",
                condition=models.Q(all_routines=False) | models.Q(person__isnull=False),
            ),
            models.CheckConstraint(
                name="api_key_has_caps",
                condition=models.Q(hourly_cap__gt=0, daily_cap__gt=0),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def full_name(self) -> str:
        """Among API keys: with whose own it is. Needs its person loaded."""
        return self.name if self.person is None else caller_name(str(self.person), self.name)

    @property
    def is_personal(self) -> bool:
        return self.person_id is not None

    @property
    def is_revoked(self) -> bool:
        return self.revoked_at is not None

    @property
    def is_expired(self) -> bool:
        return self.expires_at is not None and self.expires_at <= timezone.now()

    def revoke(self, *, by: Person | None) -> None:
        """Of a key that is locked; the caller leaves its trace."""
        self.revoked_at, self.revoked_by = timezone.now(), by
        self.save(update_fields=["revoked_at", "revoked_by"])


class ApiKeySecret(models.Model):
    """One secret of a key, as a digest: it was shown once and cannot be shown again."""

    api_key = models.ForeignKey(ApiKey, on_delete=models.CASCADE, related_name="secrets")
    digest = models.CharField(max_length=64, unique=True, editable=False)  # values/api_keys.py
    last_four = models.CharField(max_length=4, editable=False)
    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        editable=False,
        related_name="+",
    )
    ended_at = models.DateTimeField(null=True, editable=False)
    # As of a minute ago, or so: not every call writes it.
    last_used_at = models.DateTimeField(null=True, editable=False)
    last_used_from = models.GenericIPAddressField(null=True, editable=False)

    class Meta:
        ordering = ["pk"]
        default_permissions = ()

    def __str__(self) -> str:
        return f"…{self.last_four} of {self.api_key}"

    @property
    def is_live(self) -> bool:
        return self.ended_at is None


class WhyNoRun(models.TextChoices):
    """Why a call was turned away before it became a run. Its key may call again."""

    HOURLY_CAP = "hourly_cap", "hourly cap reached"
    DAILY_CAP = "daily_cap", "daily cap reached"
    ON_HOLD = "on_hold", "routine on hold"
    COOL_DOWN = "cool_down", "routine cooling down"
    CLOSED = "closed", "routine disabled, archived or without a token"
    NOT_OPEN = "not_open", "no such routine for this key"
    ASKS_A_PERSON = "asks_a_person", "routine asks a person first"
    NO_IDEMPOTENCY_KEY = "no_idempotency_key", "no Idempotency-Key"
    OTHER_INTENT = "other_intent", "Idempotency-Key of another request"
    BAD_REQUEST = "bad_request", "request could not be read"
    NETWORK = "network", "from an address that is not allowed"
    REVOKED = "revoked", "key revoked"
    EXPIRED = "expired", "key expired"


class TurnedAway(models.Model):
    """So many calls of one key that became no run, by their reason and day of UTC.

    Counted and not recorded one by one: a loop that has gone wild must not fill the history.
    """

    api_key = models.ForeignKey(ApiKey, on_delete=models.CASCADE, related_name="turned_away")
    day = models.DateField()
    why = models.CharField(max_length=20, choices=WhyNoRun.choices)
    calls = models.PositiveIntegerField(default=0)
    last_at = models.DateTimeField()

    class Meta:
        ordering = ["-day", "why"]
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["api_key", "day", "why"], name="turned_away_once")
        ]

    def __str__(self) -> str:
        return f"{self.calls} calls of {self.api_key}: {self.get_why_display()}"
