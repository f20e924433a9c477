from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("routines", "0017_audit_chains"),
    ]

    operations = [
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
                    ("proxy_unreachable", "proxy not reached"),
                    ("proxy_sign_in", "not signed in at the proxy"),
                    ("proxy_refused", "refused by the proxy"),
                    ("proxy_failed", "no connection from the proxy"),
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
    ]
