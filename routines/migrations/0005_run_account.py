"""Each run keeps the account that it was run on; who may run a routine may see its runs, if so set."""

import django.db.models.deletion
from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models import OuterRef, Subquery


def note_accounts(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """What is known of old runs: their routine's account of today."""
    Run = apps.get_model("routines", "Run")
    Routine = apps.get_model("routines", "Routine")
    of_routine = Routine.objects.filter(pk=OuterRef("routine_id")).values("account")[:1]
    Run.objects.filter(account=None).update(account=Subquery(of_routine))


class Migration(migrations.Migration):
    dependencies = [
        ("routines", "0004_versions"),
    ]

    operations = [
        migrations.AddField(
            model_name="routine",
            name="runs_seen_by_group",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="run",
            name="account",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="runs",
                to="routines.account",
            ),
        ),
        migrations.RunPython(note_accounts, migrations.RunPython.noop),
    ]
