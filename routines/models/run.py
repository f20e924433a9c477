from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Self

from django.conf import settings
from django.db import models
from django.db.models.functions import Length
from django.db.models.lookups import LessThanOrEqual
from django.utils import timezone

from routines.models.account import Account
from routines.models.routine import Routine
from routines.values import session_links, texts
from routines.values.reasons import MEANINGS, SAID_BY_PEOPLE, SENT, Meaning, Reason, State

if TYPE_CHECKING:
    from routines.models.people import Person


class Outcome(models.TextChoices):
    """What came of a session, as people say: the endpoint cannot be asked."""

    USEFUL = "useful", "useful"
    NOT_USEFUL = "not_useful", "not useful"
    FAILED = "failed", "failed"


class RunQuerySet(models.QuerySet["Run"]):
    def visible_to(self, person: Person) -> Self:
        """The one rule of who sees which runs: lists, single pages and exports all start here.

        Their own; all of a routine that they may run and whose runs its group sees; or, with the
        permission, everybody's.
        """
        if person.has_perm("routines.view_all_runs"):
            return self
        return self.filter(
            models.Q(person=person)
            | models.Q(routine__in=Routine.objects.with_runs_open_to(person).values("pk"))
        )

    def sent(self) -> Self:
        """Runs whose request left, or may have: each may have made a session."""
        return self.filter(state__in=SENT)

    def newest_first(self) -> Self:
        return self.order_by("-created_at", "-pk")

    def bulk_create(self, objs: Iterable[Run], *args: Any, **kwargs: Any) -> list[Run]:
        objs = list(objs)
        for run in objs:
            run.set_default_account()
        return super().bulk_create(objs, *args, **kwargs)


class Run(models.Model):
    """Our record of one fire, made before anything is sent. See docs/life-of-a-run.md."""

    key = models.UUIDField(unique=True, editable=False)  # one press of one form: one run
    routine = models.ForeignKey(
        Routine, on_delete=models.PROTECT, related_name="runs", db_index=False
    )
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="runs", db_index=False
    )
    # The routine's at that time: its budgets paid. A routine may move to another account later.
    account = models.ForeignKey(
        Account, on_delete=models.PROTECT, related_name="runs", db_index=False
    )
    text = models.TextField(blank=True)
    # Its characters when it was sent, once retention has shortened it: retention.py.
    text_was = models.PositiveIntegerField(null=True, editable=False)
    template_name = models.CharField(max_length=80, blank=True)
    # The template as it was then (TextTemplate.version), and what its fields were filled with.
    template_version = models.CharField(max_length=32, blank=True)
    field_values = models.JSONField(default=dict, blank=True)
    why = models.CharField(max_length=300, blank=True)  # where the routine asks for it
    # Made by an admin to try a token or a version: a real run, labelled.
    is_trial = models.BooleanField(default=False)
    beta_version = models.CharField(max_length=100, blank=True)
    api_version = models.CharField(max_length=40)
    created_at = models.DateTimeField(default=timezone.now)

    state = models.CharField(max_length=10, choices=State.choices, default=State.SENDING)
    reason = models.CharField(max_length=30, choices=Reason.choices, default=Reason.SENDING)
    settled_at = models.DateTimeField(null=True)
    # Who said what became of an unknown run; empty where an answer of the endpoint did.
    settled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    duration_ms = models.PositiveIntegerField(null=True)  # from press to answer

    http_status = models.PositiveSmallIntegerField(null=True)
    error_type = models.CharField(max_length=100, blank=True)
    error_message = models.TextField(blank=True)
    request_id = models.CharField(max_length=200, blank=True)
    session_id = models.CharField(max_length=200, blank=True)
    session_url = models.TextField(blank=True)
    retry_after = models.DateTimeField(null=True)  # when a 429 says that its limit resets

    # What people say came of it: outcomes.py.
    outcome = models.CharField(max_length=10, choices=Outcome.choices, blank=True)
    outcome_note = models.CharField(max_length=500, blank=True)
    outcome_link = models.URLField(max_length=500, blank=True)  # a pull request, a message
    outcome_at = models.DateTimeField(null=True)
    outcome_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )

    objects = RunQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        permissions = [("view_all_runs", "May see the runs of everybody")]
        indexes = [
            # A page of the history walks one of these, newest first; which, history/walking.py
            # chooses. What is said behind -id lets a walk pass over runs without reading them.
            *(
                models.Index(fields=[*first, "-created_at", "-id", *behind], name=name)
                for name, first, behind in (
                    ("run_history", [], ["routine", "person", "state", "reason", "outcome"]),
                    ("run_of_routine", ["routine"], ["person", "state", "reason", "outcome"]),
                    ("run_of_person", ["person"], ["routine", "state", "reason", "outcome"]),
                    ("run_of_account", ["account"], ["person", "state", "reason", "outcome"]),
                    ("run_of_state", ["state"], []),
                    ("run_of_reason", ["reason"], []),
                    ("run_of_outcome", ["outcome"], []),
                    ("run_of_beta_version", ["beta_version"], []),
                    ("run_of_api_version", ["api_version"], []),
                )
            ),
            models.Index(
                fields=["-created_at", "-id"],
                name="run_with_link",
                condition=~models.Q(outcome_link=""),
            ),
            models.Index(
                fields=["-created_at", "-id"],
                name="run_trial",
                condition=models.Q(is_trial=True),
            ),
            # What a person sent last with a routine: memory.py, on every run form.
            models.Index(
                fields=["person", "routine", "-created_at", "-id"], name="run_of_person_by_routine"
            ),
            # Exact look-ups, and that no session belongs to two runs.
            models.Index(
                fields=["session_id"],
                name="run_session",
                condition=~models.Q(session_id=""),
            ),
            models.Index(
                fields=["request_id"],
                name="run_request",
                condition=~models.Q(request_id=""),
            ),
            # Looked at by every page to settle overdue runs, so it must hold next to nothing.
            models.Index(
                fields=["created_at"],
                name="run_sending",
                condition=models.Q(state=State.SENDING),
            ),
        ]
        constraints = [
            models.CheckConstraint(
                name="run_state_is_known", condition=models.Q(state__in=State.values)
            ),
            models.CheckConstraint(
                name="run_settled_unless_sending",
                condition=models.Q(state=State.SENDING, settled_at=None)
                | ~models.Q(state=State.SENDING) & models.Q(settled_at__isnull=False),
            ),
            models.CheckConstraint(
                name="run_started_names_its_session",
                condition=~models.Q(state=State.STARTED)
                | ~models.Q(session_id="")
                | ~models.Q(session_url=""),
            ),
            models.CheckConstraint(
                name="run_text_can_be_sent",
                condition=LessThanOrEqual(Length("text"), texts.MAX_CHARACTERS),
            ),
        ]

    def __str__(self) -> str:
        return f"run {self.pk}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.set_default_account()
        super().save(*args, **kwargs)

    def set_default_account(self) -> None:
        if self.account_id is None:
            self.account_id = self.routine.account_id

    @property
    def meaning(self) -> Meaning:
        return MEANINGS[Reason(self.reason)]

    @property
    def is_sending(self) -> bool:
        return self.state == State.SENDING

    @property
    def is_settled_by_people(self) -> bool:
        return self.reason in SAID_BY_PEOPLE

    @property
    def is_shortened(self) -> bool:
        """What was sent is not known any more, so it cannot be sent again."""
        return self.text_was is not None

    @property
    def is_unknown(self) -> bool:
        return self.state == State.UNKNOWN

    @property
    def session_link(self) -> str:
        """The session URL if it may be a link, else empty."""
        return self.session_url if session_links.is_safe(self.session_url) else ""
