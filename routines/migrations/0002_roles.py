"""The three roles as Django groups. Written out here: a migration must not change with the code."""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

ROLES = {
    "Teammates": ["fire_routine"],
    "Managers": ["view_all_runs"],
    # Who keeps the tokens could make themselves anything; so they may as well do everything.
    "Admins": ["fire_routine", "view_all_runs", "manage_registry"],
}
PERMISSIONS = {
    "fire_routine": ("routine", "May run routines"),
    "manage_registry": (
        "routine",
        "May register routines, replace tokens and edit templates",
    ),
    "view_all_runs": ("run", "May see the runs of everybody"),
}


def make_roles(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    Group = apps.get_model("auth", "Group")
    Permission = apps.get_model("auth", "Permission")
    ContentType = apps.get_model("contenttypes", "ContentType")
    made = {}
    for codename, (model, name) in PERMISSIONS.items():
        # Django makes permissions after all migrations have run, which is too late for groups.
        content_type, _ = ContentType.objects.get_or_create(app_label="routines", model=model)
        made[codename], _ = Permission.objects.get_or_create(
            codename=codename, content_type=content_type, defaults={"name": name}
        )
    for role, codenames in ROLES.items():
        group, _ = Group.objects.get_or_create(name=role)
        group.permissions.add(*(made[codename] for codename in codenames))


class Migration(migrations.Migration):
    dependencies = [
        ("routines", "0001_first"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]
    operations = [migrations.RunPython(make_roles, migrations.RunPython.noop)]
