"""When a program asked for a run again: what its caps count by."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("routines", "0027_run_pressed"),
    ]

    operations = [
        migrations.AddField(
            model_name="run",
            name="asked_again_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddIndex(
            model_name="run",
            index=models.Index(
                condition=models.Q(("asked_again_at__isnull", False)),
                fields=["api_key", "asked_again_at"],
                name="run_asked_again",
            ),
        ),
    ]
