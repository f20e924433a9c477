from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone


class AppendOnly(Exception):
    """The audit trail grows; nothing in it is changed or deleted."""

    def __init__(self) -> None:
        super().__init__("Audit events are only ever added.")


class AuditEventQuerySet(models.QuerySet["AuditEvent"]):
    # A person or a routine that is deleted is taken out of the rows by the base manager, which
    # does not come by here.
    def update(self, **values: Any) -> int:
        raise AppendOnly

    def delete(self) -> tuple[int, dict[str, int]]:
        raise AppendOnly


class Chain(models.TextChoices):
    """Each is one chain of hashes (routines/audit/chain.py) with a retention of its own."""

    CHANGES = "changes", "Changes"  # kept for ever
    SIGN_INS = "sign_ins", "Sign-ins"


class AuditEvent(models.Model):
    """One change by a person, or one sign-in. Holds text beside its keys, so it outlives what it
    speaks of."""

    class Action(models.TextChoices):
        ROUTINE_REGISTERED = "routine_registered", "registered the routine"
        ROUTINE_EDITED = "routine_edited", "edited the routine"
        ROUTINE_ENABLED = "routine_enabled", "enabled the routine"
        ROUTINE_DISABLED = "routine_disabled", "disabled the routine"
        ROUTINE_ARCHIVED = "routine_archived", "archived the routine"
        ROUTINE_RESTORED = "routine_restored", "restored the routine"
        TOKEN_SET = "token_set", "set the token of"
        TOKEN_REMOVED = "token_removed", "removed the token of"
        TOKENS_REENCRYPTED = "tokens_reencrypted", "re-encrypted the tokens with"
        VERSION_ADDED = "version_added", "added the header version"
        VERSION_REMOVED = "version_removed", "removed the header version"
        VERSION_MOVED = "version_moved", "moved the header version of"
        VERSION_MOVED_BACK = "version_moved_back", "moved back the header version of"
        HOLD_LIFTED = "hold_lifted", "lifted the hold on"
        ACCOUNT_EDITED = "account_edited", "edited the account"
        RUN_SETTLED = "run_settled", "settled a run of"
        RUN_MARKED = "run_marked", "set the outcome of a run of"
        TEMPLATE_ADDED = "template_added", "added a text template to"
        TEMPLATE_EDITED = "template_edited", "edited a text template of"
        TEMPLATE_DELETED = "template_deleted", "deleted a text template of"
        PERSON_ADDED = "person_added", "added the person"
        PERSON_EDITED = "person_edited", "edited the person"
        PERSON_DEACTIVATED = "person_deactivated", "deactivated the person"
        PERSON_REACTIVATED = "person_reactivated", "reactivated the person"
        PASSWORD_SET = "password_set", "set the password of"
        GROUP_ADDED = "group_added", "added the group"
        GROUP_EDITED = "group_edited", "edited the group"
        GROUP_DELETED = "group_deleted", "deleted the group"
        EXPORTED = "exported", "exported"
        RETENTION_APPLIED = "retention_applied", "applied the retention to"
        SECOND_FACTOR_ADDED = "second_factor_added", "added a second factor of"
        SECOND_FACTOR_REMOVED = "second_factor_removed", "removed a second factor of"
        API_KEY_ADDED = "api_key_added", "made the API key"
        API_KEY_EDITED = "api_key_edited", "edited the API key"
        API_KEY_REVOKED = "api_key_revoked", "revoked the API key"
        API_KEY_SECRET_ADDED = "api_key_secret_added", "made a new secret for the API key"
        API_KEY_SECRET_ENDED = "api_key_secret_ended", "ended a secret of the API key"
        # Of the chain of sign-ins: chain_of.
        SIGNED_IN = "signed_in", "signed in"
        SIGN_IN_FAILED = "sign_in_failed", "failed to sign in"
        SIGN_IN_THROTTLED = "sign_in_throttled", "was throttled"
        SECOND_FACTOR_FAILED = "second_factor_failed", "failed the second factor"
        CONFIRMED = "sign_in_confirmed", "confirmed the sign-in"
        CONFIRMING_FAILED = "sign_in_confirming_failed", "failed to confirm the sign-in"
        SIGNED_OUT = "signed_out", "signed out"
        SIGN_INS_LEFT_OUT = "sign_ins_left_out", "more of these were left out"

    at = models.DateTimeField(default=timezone.now)
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    person_name = models.CharField(max_length=310)
    address = models.GenericIPAddressField(null=True)  # null: the command line
    action = models.CharField(max_length=40, choices=Action.choices)
    routine = models.ForeignKey(
        "routines.Routine",
        on_delete=models.SET_NULL,
        null=True,
        related_name="audit_events",
    )
    subject = models.CharField(max_length=200)
    # {"field": [before, after]}; tokens appear as their last four characters only.
    changes = models.JSONField(default=dict)
    chain = models.CharField(
        max_length=10, choices=Chain.choices, default=Chain.CHANGES, db_default=Chain.CHANGES.value
    )
    # The place in its chain, and the hash over the entry and all before it. Empty for the moment
    # between the commit of the change and the transaction that chains it.
    number = models.BigIntegerField(null=True, editable=False)
    hash = models.CharField(max_length=64, default="", db_default="", editable=False)

    objects = AuditEventQuerySet.as_manager()

    class Meta:
        ordering = ["-at", "-pk"]
        default_permissions = ()
        permissions = [("view_audit", "May read the audit trail")]
        indexes = [
            models.Index(fields=["chain", "-at", "-id"], name="audit_newest_of_chain"),  # the pages
            models.Index(
                fields=["id"], condition=models.Q(number=None), name="audit_not_chained_yet"
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["chain", "number"], name="audit_place_in_chain")
        ]

    def __str__(self) -> str:
        return f"{self.person_name} {self.get_action_display()} {self.subject}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise AppendOnly
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        raise AppendOnly


SIGN_IN_ACTIONS = frozenset(
    {
        AuditEvent.Action.SIGNED_IN,
        AuditEvent.Action.SIGN_IN_FAILED,
        AuditEvent.Action.SIGN_IN_THROTTLED,
        AuditEvent.Action.SECOND_FACTOR_FAILED,
        AuditEvent.Action.CONFIRMED,
        AuditEvent.Action.CONFIRMING_FAILED,
        AuditEvent.Action.SIGNED_OUT,
        AuditEvent.Action.SIGN_INS_LEFT_OUT,
    }
)


def chain_of(action: AuditEvent.Action) -> Chain:
    return Chain.SIGN_INS if action in SIGN_IN_ACTIONS else Chain.CHANGES


class AuditHead(models.Model):
    """The end of a chain: its row is locked to chain the next entries, so there is one order."""

    chain = models.CharField(max_length=10, choices=Chain.choices, primary_key=True)
    number = models.BigIntegerField(default=0)
    hash = models.CharField(max_length=64, default="", blank=True)
    # Entries up to this one were deleted by retention; the next one is chained to its hash.
    deleted_to = models.BigIntegerField(default=0)
    anchor = models.CharField(max_length=64, default="", blank=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.number}:{self.hash}"
