"""A run keeps the words that a search looks for, made by our code, and is in fewer indexes.

The old index of words, which the database made from the texts, goes. After this migration the
words of all runs are made in batches, the newest first (routines/history/search).
"""

from typing import Any

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


def drop_the_old_index_of_words(_apps: Any, schema_editor: Any) -> None:
    on_runs = "" if schema_editor.connection.vendor == "sqlite" else " ON routines_run"
    for event in ("insert", "delete", "update", "truncate"):
        schema_editor.execute(f"DROP TRIGGER IF EXISTS routines_run_words_{event}{on_runs}")
    schema_editor.execute("DROP TABLE IF EXISTS routines_run_words")
    if on_runs:
        schema_editor.execute("DROP FUNCTION IF EXISTS routines_note_words()")
        schema_editor.execute("DROP FUNCTION IF EXISTS routines_words_of(routines_run)")


def without_index(name: str, index: str) -> migrations.SeparateDatabaseAndState:
    """AlterField alone would make the whole table anew on SQLite."""
    field = models.ForeignKey(
        db_index=False,
        null=True,
        on_delete=django.db.models.deletion.SET_NULL,
        related_name="+",
        to=settings.AUTH_USER_MODEL,
    )
    return migrations.SeparateDatabaseAndState(
        database_operations=[
            migrations.RunSQL(
                f"DROP INDEX IF EXISTS {index}", f"CREATE INDEX {index} ON routines_run ({name}_id)"
            )
        ],
        state_operations=[migrations.AlterField(model_name="run", name=name, field=field)],
    )


class Migration(migrations.Migration):
    dependencies = [
        ("routines", "0011_retention"),
    ]

    operations = [
        without_index("settled_by", "routines_run_settled_by_id_bc3b80e7"),
        without_index("outcome_by", "routines_run_outcome_by_id_ecd6ee1c"),
        migrations.RunPython(drop_the_old_index_of_words, migrations.RunPython.noop),
        migrations.RemoveIndex(
            model_name="run",
            name="run_history",
        ),
        migrations.RemoveIndex(
            model_name="run",
            name="run_of_routine",
        ),
        migrations.RemoveIndex(
            model_name="run",
            name="run_of_person",
        ),
        migrations.RemoveIndex(
            model_name="run",
            name="run_of_account",
        ),
        migrations.RemoveIndex(
            model_name="run",
            name="run_of_state",
        ),
        migrations.RemoveIndex(
            model_name="run",
            name="run_of_reason",
        ),
        migrations.RemoveIndex(
            model_name="run",
            name="run_of_outcome",
        ),
        migrations.RemoveIndex(
            model_name="run",
            name="run_of_api_version",
        ),
        migrations.AddField(
            model_name="run",
            name="error_message_words",
            field=models.TextField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="run",
            name="outcome_note_words",
            field=models.TextField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="run",
            name="text_words",
            field=models.TextField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="run",
            name="why_words",
            field=models.TextField(editable=False, null=True),
        ),
        migrations.AddIndex(
            model_name="run",
            index=models.Index(fields=["-created_at", "-id"], name="run_history"),
        ),
        migrations.AddIndex(
            model_name="run",
            index=models.Index(fields=["routine", "-created_at", "-id"], name="run_of_routine"),
        ),
        migrations.AddIndex(
            model_name="run",
            index=models.Index(fields=["person", "-created_at", "-id"], name="run_of_person"),
        ),
        migrations.AddIndex(
            model_name="run",
            index=models.Index(fields=["account", "-created_at", "-id"], name="run_of_account"),
        ),
        migrations.AddIndex(
            model_name="run",
            index=models.Index(
                condition=models.Q(
                    models.Q(("state", "sending"), _negated=True),
                    models.Q(("state", "started"), _negated=True),
                ),
                fields=["state", "-created_at", "-id"],
                name="run_of_state",
            ),
        ),
        migrations.AddIndex(
            model_name="run",
            index=models.Index(
                condition=models.Q(
                    models.Q(("reason", "sending"), _negated=True),
                    models.Q(("reason", "session_created"), _negated=True),
                ),
                fields=["reason", "-created_at", "-id"],
                name="run_of_reason",
            ),
        ),
        migrations.AddIndex(
            model_name="run",
            index=models.Index(
                condition=models.Q(("outcome", ""), _negated=True),
                fields=["outcome", "-created_at", "-id"],
                name="run_of_outcome",
            ),
        ),
    ]
