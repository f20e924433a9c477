"""A run says how long its text was before retention shortened it; the trail says that it did."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("routines", "0010_run_indexes"),
    ]

    operations = [
        migrations.AddField(
            model_name="run",
            name="text_was",
            field=models.PositiveIntegerField(editable=False, null=True),
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
                    ("token_withdrawn", "withdrew the token of"),
                    ("tokens_resealed", "sealed the tokens anew with"),
                    ("version_added", "added the header version"),
                    ("version_removed", "removed the header version"),
                    ("version_moved", "moved the header version of"),
                    ("version_moved_back", "moved back the header version of"),
                    ("hold_lifted", "lifted the hold on"),
                    ("account_edited", "edited the account"),
                    ("run_settled", "said what became of a run of"),
                    ("run_marked", "said what came of a run of"),
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
    ]
