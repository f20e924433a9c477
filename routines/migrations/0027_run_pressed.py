"""A run form looks for what its person typed, past all that their programs have sent."""

from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("routines", "0025_api_keys"),
    ]

    operations = [
        migrations.RemoveIndex(model_name="run", name="run_of_person_by_routine"),
        migrations.AddIndex(
            model_name="run",
            index=models.Index(
                condition=models.Q(("api_key__isnull", True)),
                fields=["person", "routine", "-created_at", "-id"],
                name="run_pressed_by_routine",
            ),
        ),
    ]
