"""One word for each thing: a token is encrypted, and removed from here (claude.ai revokes it)."""

from typing import Any

from django.db import migrations, models
from django.db.models import Value
from django.db.models.functions import Replace

RENAMED_ACTIONS = {
    "token_withdrawn": "token_removed",
    "tokens_resealed": "tokens_reencrypted",
}
OLD_REASON, NEW_REASON = "token_withdrawn", "token_removed"


def forwards(apps: Any, schema_editor: Any) -> None:
    rename_values(apps, RENAMED_ACTIONS, OLD_REASON, NEW_REASON)


def backwards(apps: Any, schema_editor: Any) -> None:
    actions = {new: old for old, new in RENAMED_ACTIONS.items()}
    rename_values(apps, actions, NEW_REASON, OLD_REASON)


def rename_values(apps: Any, actions: dict[str, str], old: str, new: str) -> None:
    def model(name: str) -> Any:
        return apps.get_model("routines", name)

    for old_action, new_action in actions.items():
        model("AuditEvent").objects.filter(action=old_action).update(action=new_action)
    model("Run").objects.filter(reason=old).update(reason=new)
    # Not left to the triggers, which the migration before takes away: until the runs are compared,
    # the insight page would meet a reason that it does not know. Where there are triggers, what
    # they have noted of the line above comes to nothing here.
    model("RunChange").objects.filter(reason=old).update(reason=new)
    model("RunCount").objects.filter(dimension="reason", key=old).update(key=new)
    model("SavedView").objects.filter(query__contains=f"reason={old}").update(
        query=Replace("query", Value(f"reason={old}"), Value(f"reason={new}"))
    )


class Migration(migrations.Migration):
    dependencies = [("routines", "0013_run_counts")]

    operations = [
        migrations.RemoveConstraint(model_name="routine", name="routine_token_is_whole"),
        migrations.RenameField("routine", "token_sealed", "token_encrypted"),
        migrations.RenameField("routine", "token_withdrawn_at", "token_removed_at"),
        migrations.AddConstraint(
            model_name="routine",
            constraint=models.CheckConstraint(
                name="routine_token_is_whole",
                condition=models.Q(token_encrypted="", token_last_four="", token_set_at=None)
                | models.Q(models.Q(token_encrypted="", _negated=True), token_set_at__isnull=False),
            ),
        ),
        migrations.AlterField(
            model_name="auditevent",
            name="action",
            field=models.CharField(
                choices=[
                    ("routine_registered", "registered the routine"),
                    ("routine_edited", "edited the routine"),
                    ("routine_enabled", "enabled the routine"),
                    ("routine_disabled", "disabled the routine"),
                    ("routine_archived", "archived the routine"),
                    ("routine_restored", "restored the routine"),
                    ("token_set", "set the token of"),
                    ("token_removed", "removed the token of"),
                    ("tokens_reencrypted", "re-encrypted the tokens with"),
                    ("version_added", "added the header version"),
                    ("version_removed", "removed the header version"),
                    ("version_moved", "moved the header version of"),
                    ("version_moved_back", "moved back the header version of"),
                    ("hold_lifted", "lifted the hold on"),
                    ("account_edited", "edited the account"),
                    ("run_settled", "settled a run of"),
                    ("run_marked", "set the outcome of a run of"),
                    ("template_added", "added a text template to"),
                    ("template_edited", "edited a text template of"),
                    ("template_deleted", "deleted a text template of"),
                    ("person_added", "added the person"),
                    ("person_edited", "edited the person"),
                    ("person_deactivated", "deactivated the person"),
                    ("person_reactivated", "reactivated the person"),
                    ("password_set", "set the password of"),
                    ("group_added", "added the group"),
                    ("group_edited", "edited the group"),
                    ("group_deleted", "deleted the group"),
                    ("exported", "exported"),
                    ("retention_applied", "applied the retention to"),
                ],
                max_length=40,
            ),
        ),
        migrations.AlterField(
            model_name="run",
            name="reason",
            field=models.CharField(
                choices=[
                    ("sending", "being sent"),
                    ("session_created", "session created"),
                    ("odd_session_url", "session created, unusual link"),
                    ("said_started", "found by a person"),
                    ("paused", "routine paused"),
                    ("text_too_long", "text too long"),
                    ("header_version", "header version refused"),
                    ("bad_request", "request refused"),
                    ("token_rejected", "token rejected"),
                    ("no_access", "no access"),
                    ("blocked", "blocked by a proxy"),
                    ("no_such_routine", "no such routine"),
                    ("limit_reached", "limit reached"),
                    ("overloaded", "endpoint overloaded"),
                    ("other_refusal", "refused"),
                    ("said_not_started", "did not start, a person says"),
                    ("no_connection", "no connection"),
                    ("tls_failed", "no secure connection"),
                    ("unsendable", "request could not be built"),
                    ("busy", "dashboard busy"),
                    ("disabled", "routine disabled"),
                    ("archived", "routine archived"),
                    ("on_hold", "on hold"),
                    ("cool_down", "cooling down"),
                    ("no_token", "no token stored"),
                    ("token_removed", "token removed"),
                    ("token_unreadable", "token cannot be read"),
                    ("server_error", "server error"),
                    ("unreadable_answer", "unreadable answer"),
                    ("unexpected_answer", "unexpected answer"),
                    ("no_answer", "no answer in time"),
                    ("connection_lost", "connection lost"),
                    ("interrupted", "dashboard stopped meanwhile"),
                ],
                default="sending",
                max_length=30,
            ),
        ),
        migrations.RunPython(forwards, backwards),
    ]
