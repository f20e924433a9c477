from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def say_it(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Until now a routine without groups was open to everybody."""
    apps.get_model("routines", "Routine").objects.filter(open_to=None).update(
        open_to_everybody=True
    )


def close_it(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Before, a routine that is open to nobody would be open to everybody: it is disabled."""
    to_nobody = apps.get_model("routines", "Routine").objects.filter(open_to=None)
    to_nobody.filter(open_to_everybody=False).update(enabled=False)


class Migration(migrations.Migration):
    dependencies = [("routines", "0015_runs")]

    operations = [
        migrations.AddField("routine", "open_to_everybody", models.BooleanField(default=False)),
        migrations.RunPython(say_it, close_it),
    ]
