"""API keys, and runs that one of them has asked for."""

from typing import Any

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models
from django.db.migrations.exceptions import IrreversibleError


def drop_triggers(apps: Any, schema_editor: Any) -> None:
    """They note one thing less of a run. After each `migrate` they are made where they are missing."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP TRIGGER IF EXISTS run_noted ON routines_run")
    else:
        for name in ("run_added", "run_changed", "run_removed"):
            schema_editor.execute(f"DROP TRIGGER IF EXISTS {name}")


def refuse_to_lose_callers(apps: Any, schema_editor: Any) -> None:
    """On the way back: a run of before names a person."""
    runs = apps.get_model("routines", "Run").objects.filter(person=None).count()
    if runs:
        raise IrreversibleError(
            f"There is no way back behind routines.0025_api_keys: {runs:,} runs were asked for by "
            "API keys, and by no person whom the version before could name. Run `migrate` once "
            "more to go on with this version, or restore the backup that was made before the "
            "upgrade."
        )
    if apps.get_model("routines", "RunChange").objects.filter(person_pk=None).exists():
        raise IrreversibleError(
            "Deleted runs of API keys are not counted yet. Run `migrate` and `count_runs`, and "
            "then go back behind routines.0025_api_keys."
        )


class Migration(migrations.Migration):
    dependencies = [
        ("routines", "0024_deadlines"),
    ]

    operations = [
        migrations.RunPython(drop_triggers, migrations.RunPython.noop),
        migrations.CreateModel(
            name="ApiKey",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=80)),
                ("all_routines", models.BooleanField(default=False)),
                ("hourly_cap", models.PositiveIntegerField(default=30)),
                ("daily_cap", models.PositiveIntegerField(default=200)),
                ("expires_at", models.DateTimeField(blank=True, null=True)),
                ("networks", models.JSONField(blank=True, default=list)),
                ("sends_idempotency_key", models.BooleanField(default=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("revoked_at", models.DateTimeField(editable=False, null=True)),
                (
                    "created_by",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="api_keys",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "revoked_by",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "routines",
                    models.ManyToManyField(blank=True, related_name="+", to="routines.routine"),
                ),
                ("tags", models.ManyToManyField(blank=True, related_name="+", to="routines.tag")),
            ],
            options={
                "ordering": ["name", "pk"],
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("person", None), ("revoked_at", None)),
                        fields=("name",),
                        name="api_key_name_once",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("person__isnull", False), ("revoked_at", None)),
                        fields=("person", "name"),
                        name="api_key_name_once_per_person",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("all_routines", False), ("person__isnull", False), _connector="OR"
                        ),
                        name="api_key_for_all_is_personal",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("daily_cap__gt", 0), ("hourly_cap__gt", 0)),
                        name="api_key_has_caps",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ApiKeySecret",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("digest", models.CharField(editable=False, max_length=64, unique=True)),
                ("last_four", models.CharField(editable=False, max_length=4)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("ended_at", models.DateTimeField(editable=False, null=True)),
                ("last_used_at", models.DateTimeField(editable=False, null=True)),
                ("last_used_from", models.GenericIPAddressField(editable=False, null=True)),
                (
                    "api_key",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="secrets",
                        to="routines.apikey",
                    ),
                ),
                (
                    "created_by",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["pk"],
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="TurnedAway",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("day", models.DateField()),
                (
                    "why",
                    models.CharField(
                        choices=[
                            ("hourly_cap", "hourly cap reached"),
                            ("daily_cap", "daily cap reached"),
                            ("on_hold", "routine on hold"),
                            ("cool_down", "routine cooling down"),
                            ("closed", "routine disabled, archived or without a token"),
                            ("not_open", "no such routine for this key"),
                            ("asks_a_person", "routine asks a person first"),
                            ("no_idempotency_key", "no Idempotency-Key"),
                            ("other_intent", "Idempotency-Key of another request"),
                            ("bad_request", "request could not be read"),
                            ("network", "from an address that is not allowed"),
                            ("revoked", "key revoked"),
                            ("expired", "key expired"),
                        ],
                        max_length=20,
                    ),
                ),
                ("calls", models.PositiveIntegerField(default=0)),
                ("last_at", models.DateTimeField()),
                (
                    "api_key",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="turned_away",
                        to="routines.apikey",
                    ),
                ),
            ],
            options={
                "ordering": ["-day", "why"],
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("api_key", "day", "why"), name="turned_away_once"
                    ),
                ],
            },
        ),
        migrations.AddField(
            model_name="runchange",
            name="api_key_pk",
            field=models.BigIntegerField(null=True),
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
                    ("api_key_added", "made the API key"),
                    ("api_key_edited", "edited the API key"),
                    ("api_key_revoked", "revoked the API key"),
                    ("api_key_secret_added", "made a new secret for the API key"),
                    ("api_key_secret_ended", "ended a secret of the API key"),
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
        migrations.AlterField(
            model_name="runchange",
            name="person_pk",
            field=models.BigIntegerField(null=True),
        ),
        migrations.AlterField(
            model_name="runcount",
            name="dimension",
            field=models.CharField(
                choices=[
                    ("time", "Time"),
                    ("routine", "Routine"),
                    ("account", "Account"),
                    ("person", "Person"),
                    ("api_key", "Api Key"),
                    ("reason", "Reason"),
                    ("duration", "Duration"),
                ],
                max_length=10,
            ),
        ),
        migrations.AddField(
            model_name="run",
            name="idempotency_key",
            field=models.CharField(blank=True, db_default="", max_length=255),
        ),
        migrations.AddField(
            model_name="run",
            name="intent",
            field=models.CharField(blank=True, db_default="", editable=False, max_length=64),
        ),
        migrations.AddField(
            model_name="run",
            name="api_key",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="runs",
                to="routines.apikey",
            ),
        ),
        migrations.AlterField(
            model_name="run",
            name="person",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="runs",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddIndex(
            model_name="run",
            index=models.Index(
                condition=models.Q(("api_key__isnull", False)),
                fields=["api_key", "-created_at", "-id"],
                name="run_of_api_key",
            ),
        ),
        migrations.AddConstraint(
            model_name="run",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("person__isnull", False), ("api_key__isnull", False), _connector="OR"
                ),
                name="run_names_its_caller",
            ),
        ),
        # The way back begins here: nothing is changed yet.
        migrations.RunPython(migrations.RunPython.noop, drop_triggers),
        migrations.RunPython(migrations.RunPython.noop, refuse_to_lose_callers),
    ]
