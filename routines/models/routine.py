from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self

from django.conf import settings
from django.contrib.auth.models import Group
from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Length
from django.db.models.lookups import LessThanOrEqual
from django.utils import timezone

from routines import text_templates
from routines.models.account import Account
from routines.text_templates import Field, Filling
from routines.values import texts, tokens
from routines.values.reasons import OPEN, SENT

if TYPE_CHECKING:
    from routines.models.api_key import ApiKey
    from routines.models.people import Person

# Documented: the ID starts with trig_. The rest of its shape is not, so it is only kept to what
# can stand in one segment of a URL.
ROUTINE_ID = r"trig_[A-Za-z0-9_-]{1,120}"
_ID_BEGINS = "trig_"


class RoutineQuerySet(models.QuerySet["Routine"]):
    def current(self) -> Self:
        return self.filter(archived_at=None)

    def fireable_by(self, person: Person) -> Self:
        """The one rule of who may fire what.

        A routine is open to all who may run routines, or to the members of some groups only. It
        is open to all if it says so, and names no group: one that has lost its groups is closed.
        Who keeps the registry may run all of them: they set these groups, and have to try tokens
        and versions on any routine; who ran what stands in the history in any case.

        Whether a routine can be fired now (enabled, token, limits) is another question: a
        routine that cannot says why instead of vanishing.
        """
        if not person.has_perm("routines.fire_routine"):
            return self.none()
        if person.has_perm("routines.manage_registry"):
            return self
        theirs = _limited().filter(group__user=person)
        return self.filter(_open_to_all() | models.Q(pk__in=theirs))

    def fireable_with(self, api_key: ApiKey) -> Self:
        """The one rule of what a key may fire; whether it is usable is another question.

        A personal key: what its person may run, or of that what it names. Any other: the routines
        that it names, one by one or by tag. A tag opens only what is open to everybody and asks for
        no confirmation: what is limited has to be named by somebody who knows that it is.
        """
        named = models.Q(
            pk__in=api_key.routines.through.objects.filter(apikey=api_key).values("routine")
        )
        tags = api_key.tags.through.objects.filter(apikey=api_key).values("tag")
        tagged = models.Q(
            pk__in=Routine.tags.through.objects.filter(tag__in=tags).values("routine")
        )
        if api_key.person is None:
            return self.filter(named | tagged & _opened_by_tag())
        theirs = self.fireable_by(api_key.person)
        return theirs if api_key.all_routines else theirs.filter(named | tagged)

    def opened_by_tag(self) -> Self:
        """Those that a team key may fire because it names one of their tags."""
        return self.filter(_opened_by_tag())

    def open_to_nobody(self) -> Self:
        """Those that have lost their groups: only who keeps the registry may run them."""
        return self.filter(open_to_everybody=False, open_to=None)

    def referred_to_as(self, reference: str) -> Self:
        """The routine of this routine ID or slug: what programs call it by.

        What looks like an ID is one: the name of a routine may not pass it off as another.
        """
        is_id = reference.startswith(_ID_BEGINS)
        return self.filter(routine_id=reference) if is_id else self.filter(slug=reference)

    def once_per_template(self, person: Person) -> Self:
        """Each routine once for each template that the person may use, as `text_template`.

        One without such a template comes once, without that attribute. So that one query finds a
        routine and what its form starts from.
        """
        usable = models.FilteredRelation(
            "text_templates", condition=usable_by(person, "text_templates__")
        )
        return self.annotate(text_template=usable).select_related("text_template")

    def once_per_sent_run(self, since: datetime, *, in_flight_since: datetime) -> Self:
        """Each routine once for each run that was sent since, named `sent_run`.

        `in_flight_since` is earlier: since then, those that still wait or are being sent, and those
        that had waited and were sent `since`. A routine without any comes once, with None. So that
        one query says whether there is such a routine and what it did.
        """
        # One stretch of the index, in which the second half is looked for.
        sent = models.Q(runs__created_at__gt=in_flight_since) & (
            models.Q(runs__state__in=OPEN)
            | models.Q(runs__created_at__gt=since, runs__state__in=SENT)
            | models.Q(runs__claimed_at__gt=since, runs__state__in=SENT)
        )
        return self.annotate(sent_run=models.FilteredRelation("runs", condition=sent))

    def with_runs_open_to(self, person: Person) -> Self:
        """Those all of whose runs this person may see, because they may run them."""
        return self.fireable_by(person).filter(runs_seen_by_group=True)


def _limited() -> models.QuerySet[Any, Any]:
    """Routines that name a group, as `routine`."""
    return Routine.open_to.through.objects.values("routine")


def _open_to_all() -> models.Q:
    return models.Q(open_to_everybody=True) & ~models.Q(pk__in=_limited())


def _opened_by_tag() -> models.Q:
    return _open_to_all() & models.Q(confirmation=Routine.Confirmation.OFF)


class Tag(models.Model):
    """A word that routines are grouped and found by."""

    name = models.CharField(max_length=40, unique=True)

    class Meta:
        ordering = ["name"]
        default_permissions = ()

    def __str__(self) -> str:
        return self.name


class Routine(models.Model):
    """One routine of claude.ai: where it is, what opens it, and the header versions it is sent."""

    class Confirmation(models.TextChoices):
        OFF = "off", "No: Run now runs it"
        CONFIRM = "confirm", "Yes: a tick has to be set first"
        TYPE_NAME = "type_name", "Yes: the routine's name has to be typed first"

    name = models.CharField(max_length=80)
    slug = models.SlugField(max_length=90, unique=True)
    purpose = models.CharField("what it is for", max_length=300, blank=True)
    routine_id = models.CharField(
        "routine ID",
        max_length=125,
        unique=True,
        validators=[RegexValidator(rf"\A{ROUTINE_ID}\Z", "A routine ID starts with trig_.")],
    )
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="routines")
    beta_version = models.CharField(max_length=100, blank=True)  # empty: do not send the header
    api_version = models.CharField("API version", max_length=40)
    enabled = models.BooleanField(default=True)
    archived_at = models.DateTimeField(null=True, blank=True)
    # Empty: the setting ROUTINE_HOURLY_LIMIT; 0: no limit is shown.
    hourly_limit = models.PositiveIntegerField(null=True, blank=True)
    cool_down = models.PositiveIntegerField(default=0)  # seconds between two runs; 0: none
    held_until = models.DateTimeField(null=True, blank=True)  # after a 429: limits.py
    tags = models.ManyToManyField("routines.Tag", blank=True, related_name="routines")
    # Who may run it and what they are asked first: runs/rules.py.
    # Said, and not read out of missing groups: a group that vanishes must open nothing.
    open_to_everybody = models.BooleanField(default=False)
    open_to = models.ManyToManyField(Group, blank=True, related_name="+")
    confirmation = models.CharField(
        max_length=10, choices=Confirmation.choices, default=Confirmation.OFF
    )
    asks_why = models.BooleanField(default=False)  # a sentence, kept with the run
    # Its runs are seen by all who may run it, not by who made each alone: Run.objects.visible_to.
    runs_seen_by_group = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        editable=False,
        related_name="+",
    )

    # Encrypted by tokens.py; written by set_token and remove_token alone.
    token_encrypted = models.TextField(blank=True, editable=False)
    token_last_four = models.CharField(max_length=4, blank=True, editable=False)
    token_set_at = models.DateTimeField(null=True, editable=False)
    token_set_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        editable=False,
        related_name="+",
    )
    # Counts every token that was set or removed: who acts on an older one is told so.
    token_version = models.PositiveIntegerField(default=0, editable=False)
    token_removed_at = models.DateTimeField(null=True, editable=False)
    # What the endpoint said of the stored token: token_health.py.
    token_accepted_at = models.DateTimeField(null=True, editable=False)
    token_rejected_at = models.DateTimeField(null=True, editable=False)  # the last 401
    token_rejected_since = models.DateTimeField(null=True, editable=False)  # no 200 since
    token_failures = models.PositiveIntegerField(default=0, editable=False)  # 401s in a row

    objects = RoutineQuerySet.as_manager()

    class Meta:
        ordering = ["name", "pk"]
        default_permissions = ()
        permissions = [
            ("fire_routine", "May run routines"),
            ("manage_registry", "May register routines, replace tokens and edit templates"),
        ]
        constraints = [
            models.CheckConstraint(
                name="routine_id_is_trig", condition=models.Q(routine_id__startswith="trig_")
            ),
            models.CheckConstraint(
                name="routine_token_is_whole",
                condition=models.Q(token_encrypted="", token_last_four="", token_set_at=None)
                | ~models.Q(token_encrypted="") & models.Q(token_set_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def is_fireable_by(self, person: Person) -> bool:
        """As `fireable_by` says."""
        return type(self).objects.fireable_by(person).filter(pk=self.pk).exists()

    @property
    def reference(self) -> str:
        """What programs are told to call it by: what `referred_to_as` finds it by, and no other."""
        return self.routine_id if self.slug.startswith(_ID_BEGINS) else self.slug

    @property
    def is_open_to_nobody(self) -> bool:
        """As `open_to_nobody` says."""
        return not self.open_to_everybody and not self.open_to.exists()

    @property
    def is_archived(self) -> bool:
        return self.archived_at is not None

    @property
    def has_token(self) -> bool:
        return bool(self.token_encrypted)

    def set_token(self, token: tokens.Token, *, by: Person | None) -> None:
        self.token_encrypted = tokens.encrypt(token, routine_id=self.routine_id)
        self.token_last_four = token.last_four
        self.token_set_at = timezone.now()
        self.token_set_by = by
        self.token_removed_at = None
        self._forget_token_health()

    def remove_token(self) -> None:
        self.token_encrypted = self.token_last_four = ""
        self.token_set_at = self.token_set_by = None
        self.token_removed_at = timezone.now()
        self._forget_token_health()

    def _forget_token_health(self) -> None:
        self.token_version += 1
        self.token_accepted_at = self.token_rejected_at = self.token_rejected_since = None
        self.token_failures = 0

    def reveal_token(self) -> tokens.Token:
        """Raise tokens.TokenUnreadable when no key at hand opens it."""
        return tokens.decrypt(self.token_encrypted, routine_id=self.routine_id)


# What set_token and remove_token change, for save(update_fields=...).
TOKEN_FIELDS = [
    "token_encrypted",
    "token_last_four",
    "token_set_at",
    "token_set_by",
    "token_version",
    "token_removed_at",
    "token_accepted_at",
    "token_rejected_at",
    "token_rejected_since",
    "token_failures",
]


def usable_by(person: Person, prefix: str = "") -> models.Q:
    """The one rule of who uses which template: the shared ones, and the person's own."""
    return models.Q(**{f"{prefix}owner": None}) | models.Q(**{f"{prefix}owner": person})


class TextTemplateQuerySet(models.QuerySet["TextTemplate"]):
    def shared(self) -> Self:
        return self.filter(owner=None)

    def usable_by(self, person: Person) -> Self:
        """The shared ones, then the person's own."""
        usable = self.filter(usable_by(person))
        return usable.order_by(models.F("owner").asc(nulls_first=True), "order", "name", "pk")


class TextTemplate(models.Model):
    """What a routine's text starts from; the person edits it before it is sent."""

    routine = models.ForeignKey(Routine, on_delete=models.CASCADE, related_name="text_templates")
    # Empty: shared, kept by admins. Else this person's own.
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
    )
    name = models.CharField(max_length=80)
    body = models.TextField(blank=True)
    # How the {{ named }} fields of the body are asked for: [{"name": ..., "label": ...}, ...].
    fields = models.JSONField(default=list, blank=True, editable=False)
    # Values are escaped as JSON, and the text is looked at as JSON before it is sent.
    is_json = models.BooleanField("JSON", default=False)
    order = models.PositiveSmallIntegerField(default=0)

    objects = TextTemplateQuerySet.as_manager()

    class Meta:
        ordering = ["order", "pk"]
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["routine", "name"],
                name="text_template_name_once_per_routine",
                condition=models.Q(owner=None),
            ),
            models.UniqueConstraint(
                fields=["routine", "owner", "name"],
                name="text_template_name_once_per_owner",
                condition=models.Q(owner__isnull=False),
            ),
            models.CheckConstraint(
                name="text_template_body_can_be_sent",
                condition=LessThanOrEqual(Length("body"), texts.MAX_CHARACTERS),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def version(self) -> str:
        """Another value: the template was changed meanwhile."""
        return text_templates.version_of(self.body, self.fields, as_json=self.is_json)

    @property
    def form_fields(self) -> tuple[Field, ...]:
        """Those that somebody fills in."""
        return text_templates.form_fields(self.body, self.fields)

    def fill(
        self,
        typed: Mapping[str, str],
        *,
        caller: str,
        routine: Routine,
        built_in: Mapping[str, str] | None = None,
    ) -> Filling:
        """The text that these values make.

        `caller`: who runs it, as {{ person }} says; `built_in`: what else to fill the built-in
        fields with, where it is known.
        """
        by_itself = text_templates.built_in(
            person=caller, routine=routine.name, at=timezone.localtime()
        )
        if built_in:
            by_itself |= {name: built_in[name] for name in by_itself if name in built_in}
        return text_templates.fill(self.body, self.fields, typed, by_itself, as_json=self.is_json)
