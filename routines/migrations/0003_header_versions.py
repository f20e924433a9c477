"""The header versions that are documented at first, with the dates that they name."""

from datetime import date

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

KNOWN = [
    ("anthropic-beta", "experimental-cc-routine-2026-04-01", date(2026, 4, 1)),
    ("anthropic-version", "2023-06-01", date(2023, 6, 1)),
]


def add_known(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    HeaderVersion = apps.get_model("routines", "HeaderVersion")
    for header, value, dated in KNOWN:
        HeaderVersion.objects.get_or_create(header=header, value=value, defaults={"dated": dated})


class Migration(migrations.Migration):
    dependencies = [("routines", "0002_roles")]
    operations = [migrations.RunPython(add_known, migrations.RunPython.noop)]
