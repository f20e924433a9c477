"""No run without its account. Apart from 0005: PostgreSQL alters no table with changes pending."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("routines", "0005_run_account"),
    ]

    operations = [
        migrations.AlterField(
            model_name="run",
            name="account",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="runs",
                to="routines.account",
            ),
        ),
    ]
