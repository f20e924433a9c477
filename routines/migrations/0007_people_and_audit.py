"""Admins keep people and read the audit trail; an initial password has to be changed."""

from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

PERMISSIONS = {
    "manage_people": ("person", "May add people and put them into roles and groups"),
    "view_audit": ("auditevent", "May read the audit trail"),
}


def give_rights(apps: Apps, schema_editor: BaseDatabaseSchemaEditor | None) -> None:
    Group = apps.get_model("auth", "Group")
    Permission = apps.get_model("auth", "Permission")
    ContentType = apps.get_model("contenttypes", "ContentType")
    for codename, (model, name) in PERMISSIONS.items():
        content_type, _ = ContentType.objects.get_or_create(app_label="routines", model=model)
        permission, _ = Permission.objects.get_or_create(
            codename=codename, content_type=content_type, defaults={"name": name}
        )
        Group.objects.get(name="Admins").permissions.add(permission)


class Migration(migrations.Migration):
    dependencies = [
        ("routines", "0006_run_account_always"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="auditevent",
            options={
                "default_permissions": (),
                "ordering": ["-at", "-pk"],
                "permissions": [("view_audit", "May read the audit trail")],
            },
        ),
        migrations.AlterModelOptions(
            name="person",
            options={
                "default_permissions": (),
                "permissions": [
                    ("manage_people", "May add people and put them into roles and groups")
                ],
                "verbose_name": "person",
                "verbose_name_plural": "people",
            },
        ),
        migrations.AddField(
            model_name="person",
            name="password_is_initial",
            field=models.BooleanField(default=False, editable=False),
        ),
        migrations.RunPython(give_rights, migrations.RunPython.noop),
    ]
