"""One table of counts instead of six summaries, and what is still to be counted says since when."""

from collections.abc import Iterable
from typing import Any

from django.db import migrations, models
from django.db.migrations.exceptions import IrreversibleError
from django.db.models.functions import Now

STATES = ("started", "refused", "not_sent", "unknown")
OUTCOMES = ("useful", "not_useful", "failed")
OF_STATE = {  # reasons, as they were when this was written
    "started": ("session_created", "odd_session_url", "said_started"),
    "not_sent": (
        *("no_connection", "tls_failed", "unsendable", "busy", "disabled", "archived"),
        *("on_hold", "cool_down", "no_token", "token_withdrawn", "token_unreadable"),
    ),
    "unknown": (
        *("server_error", "unreadable_answer", "unexpected_answer", "no_answer"),
        *("connection_lost", "interrupted"),
    ),
}


def drop_triggers(apps: Any, schema_editor: Any) -> None:
    """They name a column that is renamed. After each `migrate` they are made anew."""
    on = " ON routines_run" if schema_editor.connection.vendor == "postgresql" else ""
    for name in ("run_added", "run_changed", "run_removed"):
        schema_editor.execute(f"DROP TRIGGER IF EXISTS {name}{on}")


def copy_summaries(apps: Any, schema_editor: Any) -> None:
    """The counts of deleted runs stand nowhere else."""
    not_refused = [reason for reasons in OF_STATE.values() for reason in reasons]
    sums = {state: _runs_if("reason IN", reasons) for state, reasons in OF_STATE.items()}
    sums["refused"] = _runs_if("reason NOT IN", not_refused)
    nothing = ("0",) * len(OUTCOMES)
    for dimension, key, counts in (
        ("time", "''", (*STATES, *nothing)),
        ("routine", "CAST(routine_pk AS varchar(30))", (*STATES, *OUTCOMES)),
        ("account", "CAST(account_pk AS varchar(30))", (*STATES, *nothing)),
        ("person", "CAST(person_pk AS varchar(30))", (*STATES, *nothing)),
        ("reason", "reason", (*(sums[state] for state in STATES), *nothing)),
        ("duration", "CAST(least_ms AS varchar(30))", ("runs", "0", "0", "0", *nothing)),
    ):
        schema_editor.execute(
            "INSERT INTO routines_runcount "  # noqa: S608
            f"(dimension, grain, slot, key, deleted, {', '.join((*STATES, *OUTCOMES))}) "
            f"SELECT '{dimension}', period, start, {key}, gone, {', '.join(counts)} "
            f"FROM routines_{dimension}summary"
        )


def refuse(apps: Any, schema_editor: Any) -> None:
    raise IrreversibleError(
        "There is no way back behind routines.0013_run_counts: counts of deleted runs stand "
        "nowhere else, and would be lost. Run `migrate` once more to go on with this version, or "
        "restore the backup that was made before the upgrade."
    )


def _runs_if(condition: str, reasons: Iterable[str]) -> str:
    listed = ", ".join(f"'{reason}'" for reason in reasons)
    return f"CASE WHEN {condition} ({listed}) THEN runs ELSE 0 END"


class Migration(migrations.Migration):
    dependencies = [
        ("routines", "0012_words_and_fewer_indexes"),
    ]

    operations = [
        migrations.RunPython(drop_triggers, migrations.RunPython.noop),
        migrations.RenameField("runchange", "gone", "deleted"),
        migrations.AddField("runchange", "noted_at", models.DateTimeField(db_default=Now())),
        migrations.CreateModel(
            name="RecountDay",
            fields=[("slot", models.IntegerField(primary_key=True, serialize=False))],
            options={"default_permissions": ()},
        ),
        migrations.CreateModel(
            name="RunCount",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "dimension",
                    models.CharField(
                        choices=[
                            ("time", "Time"),
                            ("routine", "Routine"),
                            ("account", "Account"),
                            ("person", "Person"),
                            ("reason", "Reason"),
                            ("duration", "Duration"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "grain",
                    models.SmallIntegerField(
                        choices=[(1, "Half Hour"), (48, "Day"), (1536, "Block")]
                    ),
                ),
                ("slot", models.IntegerField()),
                ("key", models.CharField(blank=True, max_length=30)),
                ("deleted", models.BooleanField(default=False)),
                *((name, models.IntegerField(default=0)) for name in (*STATES, *OUTCOMES)),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("dimension", "grain", "slot", "key", "deleted"),
                        name="run_count_once",
                    )
                ],
            },
        ),
        migrations.RunPython(copy_summaries, refuse),
        *(
            migrations.DeleteModel(f"{dimension}Summary")
            for dimension in ("Time", "Routine", "Account", "Person", "Reason", "Duration")
        ),
    ]
