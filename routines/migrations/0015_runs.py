"""One session is one run's; header versions say what the endpoint made of them; unknown runs last."""

import logging
import re
from typing import Any

from django.db import migrations, models
from django.db.models import Case, Count, Value, When

logger = logging.getLogger(__name__)

SESSION_NAME = models.Func(
    models.F("session_id"),
    template="REPLACE(%(expressions)s, 'cse_', 'session_')",
    output_field=models.CharField(max_length=200),
)
NAMES_A_SESSION = ~models.Q(session_id="")
NEW_REASONS = ("session_named", "session_taken")


def share_no_session(apps: Any, schema_editor: Any) -> None:
    """Of several runs with one session the ID stays with one: an endpoint's answer, the oldest.

    The others keep its address, which is all that their pages show.
    """
    Run = apps.get_model("routines", "Run")
    named = Run.objects.filter(NAMES_A_SESSION).order_by().annotate(name=SESSION_NAME)
    shared = named.values("name").annotate(runs=Count("pk")).filter(runs__gt=1)
    by_people_last = Case(When(reason="said_started", then=Value(1)), default=Value(0))
    for name in list(shared.values_list("name", flat=True)):
        first, *others = named.filter(name=name).order_by(by_people_last, "created_at", "pk")
        for other in others:
            # What is no name of a session makes no address: then the ID stands in its place, as text.
            is_name = re.fullmatch(r"session_[A-Za-z0-9_-]+", name, re.ASCII)
            address = f"https://claude.ai/code/{other.session_id}" if is_name else other.session_id
            url = other.session_url or address
            Run.objects.filter(pk=other.pk).update(session_id="", session_url=url)
            logger.warning("run %s: its session is that of run %s", other.pk, first.pk)


def note_what_was_accepted(apps: Any, schema_editor: Any) -> None:
    Run = apps.get_model("routines", "Run")
    fields = {"anthropic-beta": "beta_version", "anthropic-version": "api_version"}
    started = Run.objects.filter(reason__in=("session_created", "odd_session_url"))
    for version in apps.get_model("routines", "HeaderVersion").objects.all():
        with_it = started.filter(**{fields[version.header]: version.value})
        version.accepted_at = (
            with_it.order_by("-created_at", "-pk").values_list("created_at", flat=True).first()
        )
        version.save(update_fields=["accepted_at"])


def forget_new_reasons(apps: Any, schema_editor: Any) -> None:
    runs = apps.get_model("routines", "Run").objects.filter(reason__in=NEW_REASONS)
    runs.update(reason="unexpected_answer")


class Migration(migrations.Migration):
    dependencies = [
        ("routines", "0014_token_names"),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="run",
            name="run_session",
        ),
        migrations.AddField(
            model_name="headerversion",
            name="accepted_at",
            field=models.DateTimeField(editable=False, null=True),
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
                    ("session_named", "an error that names a session"),
                    ("session_taken", "named the session of another run"),
                    ("no_answer", "no answer in time"),
                    ("connection_lost", "connection lost"),
                    ("interrupted", "dashboard stopped meanwhile"),
                ],
                default="sending",
                max_length=30,
            ),
        ),
        migrations.RunPython(share_no_session, forget_new_reasons),
        migrations.RunPython(note_what_was_accepted, migrations.RunPython.noop),
        migrations.AddIndex(
            model_name="run",
            index=models.Index(
                condition=models.Q(("state", "unknown")),
                fields=["routine", "-created_at"],
                name="run_unknown",
            ),
        ),
        migrations.AddConstraint(
            model_name="run",
            constraint=models.UniqueConstraint(
                SESSION_NAME, condition=NAMES_A_SESSION, name="run_session_once"
            ),
        ),
    ]
