"""The audit trail becomes two chains of hashes: changes, and sign-ins.

What is there already is chained after `migrate`, in batches (routines/audit/chain.py), and the
triggers that guard it are made then, too (routines/audit/guards.py).
"""

from typing import Any

from django.db import migrations, models


def drop_guards(apps: Any, schema_editor: Any) -> None:
    """They name columns that are about to go."""
    on = " ON routines_auditevent" if schema_editor.connection.vendor == "postgresql" else ""
    for name in ("audit_unchanged", "audit_undeleted", "audit_kept", "audit_not_emptied"):
        schema_editor.execute(f"DROP TRIGGER IF EXISTS {name}{on}")


class Migration(migrations.Migration):
    dependencies = [
        ("routines", "0016_open_to_everybody"),
    ]

    operations = [
        migrations.CreateModel(
            name="AuditHead",
            fields=[
                (
                    "chain",
                    models.CharField(
                        choices=[("changes", "Changes"), ("sign_ins", "Sign-ins")],
                        max_length=10,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("number", models.BigIntegerField(default=0)),
                ("hash", models.CharField(blank=True, default="", max_length=64)),
                ("deleted_to", models.BigIntegerField(default=0)),
                ("anchor", models.CharField(blank=True, default="", max_length=64)),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.RemoveIndex(
            model_name="auditevent",
            name="audit_newest_first",
        ),
        migrations.AddField(
            model_name="auditevent",
            name="chain",
            field=models.CharField(
                choices=[("changes", "Changes"), ("sign_ins", "Sign-ins")],
                db_default="changes",
                default="changes",
                max_length=10,
            ),
        ),
        migrations.AddField(
            model_name="auditevent",
            name="hash",
            field=models.CharField(db_default="", default="", editable=False, max_length=64),
        ),
        migrations.AddField(
            model_name="auditevent",
            name="number",
            field=models.BigIntegerField(editable=False, null=True),
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
                    ("second_factor_added", "added a second factor of"),
                    ("second_factor_removed", "removed a second factor of"),
                    ("signed_in", "signed in"),
                    ("sign_in_failed", "failed to sign in"),
                    ("sign_in_throttled", "was throttled"),
                    ("second_factor_failed", "failed the second factor"),
                    ("sign_in_confirmed", "confirmed the sign-in"),
                    ("sign_in_confirming_failed", "failed to confirm the sign-in"),
                    ("signed_out", "signed out"),
                    ("sign_ins_left_out", "more of these were left out"),
                ],
                max_length=40,
            ),
        ),
        migrations.AddIndex(
            model_name="auditevent",
            index=models.Index(fields=["chain", "-at", "-id"], name="audit_newest_of_chain"),
        ),
        migrations.AddIndex(
            model_name="auditevent",
            index=models.Index(
                condition=models.Q(("number", None)), fields=["id"], name="audit_not_chained_yet"
            ),
        ),
        migrations.AddConstraint(
            model_name="auditevent",
            constraint=models.UniqueConstraint(
                fields=("chain", "number"), name="audit_place_in_chain"
            ),
        ),
        migrations.RunPython(migrations.RunPython.noop, drop_guards),
    ]
