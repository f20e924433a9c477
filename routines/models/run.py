from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models.functions import Length
from django.db.models.lookups import LessThanOrEqual
from django.utils import timezone

from routines.models.account import Account
from routines.models.api_key import ApiKey, caller_name
from routines.models.routine import Routine
from routines.models.run_queryset import WORDS_OF, RunManager, with_words
from routines.values import references, session_links, texts, words
from routines.values.next_steps import Actor
from routines.values.reasons import MEANINGS, OPEN, SAID_BY_PEOPLE, Meaning, Reason, State


class Outcome(models.TextChoices):
    """How a session went, as people say: the endpoint cannot be asked."""

    USEFUL = "useful", "useful"
    NOT_USEFUL = "not_useful", "not useful"
    FAILED = "failed", "failed"


# Of the usual run, an index with this condition holds nothing: no press writes to it.
IS_UNUSUAL = ~models.Q(state=State.SENDING) & ~models.Q(state=State.STARTED)
HAS_UNUSUAL_REASON = ~models.Q(reason=Reason.SENDING) & ~models.Q(reason=Reason.SESSION_CREATED)
# One that was sent at once was claimed when it was accepted. Of old ones nobody knows. (Without a
# negation: SQLite then finds it again in a query, and uses the index.)
HAS_WAITED = models.Q(deadline__isnull=False, settled_at__isnull=False) & (
    models.Q(claimed_at__isnull=True)
    | models.Q(claimed_at__gt=models.F("created_at"))
    | models.Q(claimed_at__lt=models.F("created_at"))  # another host's clock
)
HAS_OUTCOME = ~models.Q(outcome="")
HAS_LINK = ~models.Q(outcome_link="")


class Run(models.Model):
    """Our record of one fire, made before anything is sent. See docs/life-of-a-run.md.

    A run that is sent at once, by the process that accepted it, is `sending` from its first row on.
    """

    # One intent of one caller: one run. Of a press, its form's one-time key; of an API key's call,
    # made of its Idempotency-Key (callers/idempotency.py).
    key = models.UUIDField(unique=True, editable=False)
    routine = models.ForeignKey(
        Routine, on_delete=models.PROTECT, related_name="runs", db_index=False
    )
    # Who asked for it: a person, an API key, or a person's own API key.
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        related_name="runs",
        db_index=False,
    )
    api_key = models.ForeignKey(
        ApiKey, on_delete=models.PROTECT, null=True, related_name="runs", db_index=False
    )
    idempotency_key = models.CharField(max_length=255, blank=True, db_default="")  # as it was sent
    # What was asked for, as a digest: whether a repeated Idempotency-Key asks for the same.
    intent = models.CharField(max_length=64, blank=True, editable=False, db_default="")
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
    created_at = models.DateTimeField(default=timezone.now)  # when it was accepted

    # Its turn: runs/queue.py. Who claims it sends it; attempts that are over have their own rows.
    attempt = models.PositiveSmallIntegerField(default=0)  # how many times it was claimed
    tries_again = models.BooleanField(default=False)  # where an attempt started nothing
    due_at = models.DateTimeField(null=True)  # while it waits: not before; null: at once
    # When its program last asked for it again, and had it attempted anew: runs/reopening.py.
    asked_again_at = models.DateTimeField(null=True, editable=False)
    deadline = models.DateTimeField(
        null=True
    )  # until when it may wait; null: of old, when none did
    claimed_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)  # when the first byte left, where that is known

    state = models.CharField(max_length=10, choices=State.choices, default=State.ACCEPTED)
    reason = models.CharField(max_length=30, choices=Reason.choices, default=Reason.ACCEPTED)
    settled_at = models.DateTimeField(null=True)
    # Who said what became of an unknown run, or cancelled one that waited; else empty.
    settled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        db_index=False,
    )
    duration_ms = models.PositiveIntegerField(null=True)  # from the claim to the answer

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
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        db_index=False,
    )

    # Null: not made yet, as of runs from before there were such columns (history/search).
    text_words = models.TextField(null=True, editable=False)  # noqa: DJ001
    why_words = models.TextField(null=True, editable=False)  # noqa: DJ001
    outcome_note_words = models.TextField(null=True, editable=False)  # noqa: DJ001
    error_message_words = models.TextField(null=True, editable=False)  # noqa: DJ001

    objects = RunManager()

    class Meta:
        default_permissions = ()
        permissions = [("view_all_runs", "May see the runs of everybody")]
        # Each run is written to each of these, so each says which page needs it. Those of the
        # history are in the order of its pages.
        indexes = [
            # The history without a filter, and its pages however deep; insight of a span; what is
            # new on the board; limits of the last hour.
            models.Index(fields=["-created_at", "-id"], name="run_history"),
            # The history's filter by routine and by tag, what teammates see of others; each
            # card's last run.
            models.Index(fields=["routine", "-created_at", "-id"], name="run_of_routine"),
            # A teammate's own history, the filter by person, the outcomes that are asked for.
            models.Index(fields=["person", "-created_at", "-id"], name="run_of_person"),
            # The filter by API key, its caps, its page.
            models.Index(
                fields=["api_key", "-created_at", "-id"],
                name="run_of_api_key",
                condition=models.Q(api_key__isnull=False),
            ),
            # The caps of a key, beside the one before: of all but nothing.
            models.Index(
                fields=["api_key", "asked_again_at"],
                name="run_asked_again",
                condition=models.Q(asked_again_at__isnull=False),
            ),
            # The history's filter by account.
            models.Index(fields=["account", "-created_at", "-id"], name="run_of_account"),
            # The filter by beta version: by one that is not sent any more, above all.
            models.Index(fields=["beta_version", "-created_at", "-id"], name="run_of_beta_version"),
            # What a person typed last for a routine: memory.py, on every run form. Their programs
            # may have sent any number of texts since.
            models.Index(
                fields=["person", "routine", "-created_at", "-id"],
                name="run_pressed_by_routine",
                condition=models.Q(api_key__isnull=True),
            ),
            # The history's filters by state, by reason, by outcome, by link, and by trial. Of what
            # these leave out there is so much that any page of the history is soon full.
            models.Index(
                fields=["state", "-created_at", "-id"], name="run_of_state", condition=IS_UNUSUAL
            ),
            models.Index(
                fields=["reason", "-created_at", "-id"],
                name="run_of_reason",
                condition=HAS_UNUSUAL_REASON,
            ),
            models.Index(
                fields=["outcome", "-created_at", "-id"],
                name="run_of_outcome",
                condition=HAS_OUTCOME,
            ),
            models.Index(fields=["-created_at", "-id"], name="run_with_link", condition=HAS_LINK),
            models.Index(
                fields=["-created_at", "-id"],
                name="run_trial",
                condition=models.Q(is_trial=True),
            ),
            # A search for a request by its ID.
            models.Index(
                fields=["request_id"],
                name="run_request",
                condition=~models.Q(request_id=""),
            ),
            # What is asked about before each press of its routine; what the board's cards warn of.
            models.Index(
                fields=["routine", "-created_at"],
                name="run_unknown",
                condition=models.Q(state=State.UNKNOWN),
            ),
            # Looked at by every page to settle overdue runs, so they must hold next to nothing, and
            # of what waits in order, be it a hundred thousand.
            models.Index(
                fields=["claimed_at"],
                name="run_claimed",
                condition=models.Q(state=State.SENDING),
            ),
            models.Index(
                fields=["deadline"],
                name="run_deadline",
                condition=models.Q(state=State.ACCEPTED),
            ),
            # What is new on the board, of runs that waited: those may be settled at any time after
            # they were pressed. Nothing of a run that was sent at once.
            models.Index(fields=["settled_at"], name="run_waited", condition=HAS_WAITED),
            # The queue: what waits, by routine, the oldest first.
            models.Index(
                fields=["routine", "id"],
                name="run_accepted",
                condition=models.Q(state=State.ACCEPTED),
            ),
            # The budgets of the last hour.
            models.Index(
                fields=["account", "sent_at"],
                name="run_sent",
                condition=models.Q(sent_at__isnull=False),
            ),
        ]
        constraints = [
            # Also a search for a session by its ID.
            models.UniqueConstraint(
                references.SESSION_NAME,
                name="run_session_once",
                condition=references.NAMES_A_SESSION,
            ),
            models.CheckConstraint(
                name="run_names_its_caller",
                condition=models.Q(person__isnull=False) | models.Q(api_key__isnull=False),
            ),
            models.CheckConstraint(
                name="run_state_is_known", condition=models.Q(state__in=State.values)
            ),
            models.CheckConstraint(
                name="run_settled_unless_open",
                condition=models.Q(state__in=OPEN, settled_at=None)
                | ~models.Q(state__in=OPEN) & models.Q(settled_at__isnull=False),
            ),
            models.CheckConstraint(
                name="run_sending_was_claimed",
                condition=~models.Q(state=State.SENDING)
                | models.Q(claimed_at__isnull=False, attempt__gt=0),
            ),
            models.CheckConstraint(
                name="run_accepted_has_deadline",
                condition=~models.Q(state=State.ACCEPTED) | models.Q(deadline__isnull=False),
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

    def save(self, *args: Any, update_fields: Iterable[str] | None = None, **kwargs: Any) -> None:
        self.set_default_account()
        self.fill_words(update_fields)
        if update_fields is not None:
            update_fields = with_words(update_fields)
        super().save(*args, update_fields=update_fields, **kwargs)

    def fill_words(self, fields: Iterable[str] | None = None) -> None:
        """Make the words of these fields, or of all that were read."""
        unread = self.get_deferred_fields()
        for field, column in WORDS_OF.items():
            if field not in unread and (fields is None or field in fields):
                setattr(self, column, words.kept(getattr(self, field)))

    def set_default_account(self) -> None:
        if self.account_id is None:
            self.account_id = self.routine.account_id

    @property
    def caller(self) -> str:
        """Who asked for it, for people."""
        person = "" if self.person is None else str(self.person)
        return caller_name(person, "" if self.api_key is None else self.api_key.name)

    @property
    def is_by_program(self) -> bool:
        return self.api_key_id is not None

    @property
    def meaning(self) -> Meaning:
        return MEANINGS[Reason(self.reason)]

    @property
    def who_acts(self) -> str:
        """For people: a program that ran it looks at nothing."""
        actor = self.meaning.who_acts
        if actor == Actor.TEAMMATE and self.person_id is None:
            return "whoever keeps the program that uses this API key"
        return str(actor.label)

    @property
    def is_sending(self) -> bool:
        return self.state == State.SENDING

    @property
    def is_waiting(self) -> bool:
        return self.state == State.ACCEPTED

    @property
    def is_open(self) -> bool:
        """Nothing is known of it yet."""
        return self.state in OPEN

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
        return session_links.link(self.session_url)
