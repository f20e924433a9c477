from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("routines", "0021_workers"),
    ]

    operations = [
        migrations.CreateModel(
            name="DatabaseIdentity",
            fields=[
                (
                    "id",
                    models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False),
                ),
                ("name", models.CharField(max_length=200)),
                ("restored_at", models.DateTimeField(null=True)),
            ],
            options={"default_permissions": ()},
        ),
    ]
