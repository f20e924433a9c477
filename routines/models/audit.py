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


class AuditEvent(models.Model):
    """One change by a person. Holds text beside its keys, so it outlives what it speaks of."""

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

    objects = AuditEventQuerySet.as_manager()

    class Meta:
        ordering = ["-at", "-pk"]
        default_permissions = ()
        permissions = [("view_audit", "May read the audit trail")]
        indexes = [models.Index(fields=["-at", "-id"], name="audit_newest_first")]

    def __str__(self) -> str:
        return f"{self.person_name} {self.get_action_display()} {self.subject}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise AppendOnly
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        raise AppendOnly
