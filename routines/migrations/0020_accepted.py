"""The queue: runs that wait as `accepted`, and a row for each attempt that is over.

`busy` is no reason any more: what it stopped waits now. Its old runs had waited for no time at all.
"""

from datetime import timedelta
from typing import Any

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import F
from django.utils import timezone

_OPEN = ("accepted", "sending")
_NEW_REASONS = {
    "not_sent": ("cancelled", "waited_too_long", "not_allowed"),
    "unknown": ("restored",),
}


def fill(apps: Any, schema_editor: Any) -> None:
    runs = apps.get_model("routines", "Run").objects
    runs.filter(state="sending").update(claimed_at=F("created_at"), attempt=1)
    # So far the budgets of the last hour look back.
    late = runs.filter(created_at__gt=timezone.now() - timedelta(hours=1))
    late.filter(state__in=("started", "unknown")).update(sent_at=F("created_at"))
    runs.filter(reason="busy").update(reason="waited_too_long")
    _rename_in_views(apps, "busy", "waited_too_long")


def empty(apps: Any, schema_editor: Any) -> None:
    """Nothing that waits is sent by the version before."""
    runs = apps.get_model("routines", "Run").objects
    now = timezone.now()
    runs.filter(state="accepted").update(state="not_sent", reason="busy", settled_at=now)
    runs.filter(reason__in=_NEW_REASONS["not_sent"]).update(reason="busy")
    runs.filter(reason__in=_NEW_REASONS["unknown"]).update(reason="interrupted")
    _rename_in_views(apps, "waited_too_long", "busy")


def _rename_in_views(apps: Any, before: str, after: str) -> None:
    views = apps.get_model("routines", "SavedView").objects
    for view in views.filter(query__contains=f"reason={before}"):
        view.query = view.query.replace(f"reason={before}", f"reason={after}")
        view.save(update_fields=["query"])


def drop_trigger(apps: Any, schema_editor: Any) -> None:
    """It counts what is settled, which `accepted` is not; it is made anew after `migrate`.

    On SQLite it went with the old table.
    """
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP TRIGGER IF EXISTS run_noted ON routines_run")


class Migration(migrations.Migration):
    dependencies = [
        ("routines", "0019_usernames"),
    ]

    operations = [
        migrations.RemoveConstraint(model_name="run", name="run_state_is_known"),
        migrations.RemoveConstraint(model_name="run", name="run_settled_unless_sending"),
        migrations.RemoveIndex(model_name="run", name="run_sending"),
        migrations.AddField("run", "attempt", models.PositiveSmallIntegerField(default=0)),
        migrations.AddField("run", "tries_again", models.BooleanField(default=False)),
        migrations.AddField("run", "due_at", models.DateTimeField(null=True)),
        migrations.AddField("run", "deadline", models.DateTimeField(null=True)),
        migrations.AddField("run", "claimed_at", models.DateTimeField(null=True)),
        migrations.AddField("run", "sent_at", models.DateTimeField(null=True)),
        migrations.AlterField(
            model_name="run",
            name="state",
            field=models.CharField(
                choices=[
                    ("accepted", "Waiting"),
                    ("sending", "Sending"),
                    ("started", "Session created"),
                    ("refused", "Refused"),
                    ("not_sent", "Not sent"),
                    ("unknown", "Unknown"),
                ],
                default="accepted",
                max_length=10,
            ),
        ),
        migrations.AlterField(
            model_name="run",
            name="reason",
            field=models.CharField(
                choices=[
                    ("accepted", "waiting for its turn"),
                    ("cooling", "waiting for the cool-down to end"),
                    ("next_attempt", "waiting for its next attempt"),
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
                    ("proxy_unreachable", "proxy not reached"),
                    ("proxy_sign_in", "not signed in at the proxy"),
                    ("proxy_refused", "refused by the proxy"),
                    ("proxy_failed", "no connection from the proxy"),
                    ("unsendable", "request could not be built"),
                    ("cancelled", "cancelled"),
                    ("waited_too_long", "waited too long"),
                    ("not_allowed", "not allowed any more"),
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
                    ("session_named", "an error that names a session"),
                    ("session_taken", "named the session of another run"),
                    ("no_answer", "no answer in time"),
                    ("connection_lost", "connection lost"),
                    ("interrupted", "dashboard stopped meanwhile"),
                    ("restored", "database restored meanwhile"),
                ],
                default="accepted",
                max_length=30,
            ),
        ),
        migrations.RunPython(fill, empty),
        migrations.RunPython(drop_trigger, drop_trigger),
        migrations.AddIndex(
            model_name="run",
            index=models.Index(
                condition=models.Q(("state", "sending")), fields=["claimed_at"], name="run_claimed"
            ),
        ),
        migrations.AddIndex(
            model_name="run",
            index=models.Index(
                condition=models.Q(("state", "accepted")),
                fields=["routine", "id"],
                name="run_accepted",
            ),
        ),
        migrations.AddIndex(
            model_name="run",
            index=models.Index(
                condition=models.Q(("sent_at__isnull", False)),
                fields=["account", "sent_at"],
                name="run_sent",
            ),
        ),
        migrations.AddConstraint(
            model_name="run",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "state__in",
                        ["accepted", "sending", "started", "refused", "not_sent", "unknown"],
                    )
                ),
                name="run_state_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="run",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("settled_at", None), ("state__in", ("accepted", "sending"))),
                    models.Q(
                        models.Q(("state__in", ("accepted", "sending")), _negated=True),
                        ("settled_at__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="run_settled_unless_open",
            ),
        ),
        migrations.AddConstraint(
            model_name="run",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "sending"), _negated=True),
                    models.Q(("attempt__gt", 0), ("claimed_at__isnull", False)),
                    _connector="OR",
                ),
                name="run_sending_was_claimed",
            ),
        ),
        migrations.AddConstraint(
            model_name="run",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "accepted"), _negated=True),
                    ("deadline__isnull", False),
                    _connector="OR",
                ),
                name="run_accepted_has_deadline",
            ),
        ),
        migrations.CreateModel(
            name="Attempt",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="attempts",
                        to="routines.run",
                    ),
                ),
                ("number", models.PositiveSmallIntegerField()),
                ("claimed_at", models.DateTimeField(null=True)),
                ("sent_at", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField()),
                ("reason", models.CharField(max_length=30)),
                ("http_status", models.PositiveSmallIntegerField(null=True)),
                ("error_type", models.CharField(blank=True, max_length=100)),
                ("request_id", models.CharField(blank=True, max_length=200)),
            ],
            options={
                "ordering": ["number"],
                "default_permissions": (),
            },
        ),
        migrations.AddConstraint(
            model_name="attempt",
            constraint=models.UniqueConstraint(fields=("run", "number"), name="attempt_once"),
        ),
    ]
