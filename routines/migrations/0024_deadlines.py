"""An index for what waits past its deadline: every page looks for it, however much waits."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("routines", "0023_news_of_waiting"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="run",
            index=models.Index(
                condition=models.Q(("state", "accepted")),
                fields=["deadline"],
                name="run_deadline",
            ),
        ),
    ]
