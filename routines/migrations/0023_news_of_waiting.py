"""An index for the board's news of runs that waited: they may be settled long after the press."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("routines", "0022_database_identity"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="run",
            index=models.Index(
                condition=models.Q(
                    ("deadline__isnull", False),
                    ("settled_at__isnull", False),
                    models.Q(
                        ("claimed_at__isnull", True),
                        ("claimed_at__gt", models.F("created_at")),
                        ("claimed_at__lt", models.F("created_at")),
                        _connector="OR",
                    ),
                ),
                fields=["settled_at"],
                name="run_waited",
            ),
        ),
    ]
