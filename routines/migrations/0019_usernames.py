"""No two people have the same username, or ones that look the same, says the database.

Usernames that differ in case alone cannot have been made by the pages, but by two requests at the
same moment: the younger one gets a number, which the audit trail tells. Those that look alike stay
as they are, marked as doubles; no new ones are let in.
"""

from importlib import import_module
from typing import Any

import django.db.models.functions.text
from django.db import migrations, models

DOUBLE = "~"


def compare(apps: Any, schema_editor: Any) -> None:
    # Not as it was when this was written: old names are compared with new ones.
    names = import_module("routines.values.names")
    Person = apps.get_model("routines", "Person")
    taken: dict[str, str] = {}  # by what the database compares
    looks: set[str] = set()
    changed = []
    for person in Person.objects.order_by("pk"):
        if person.username.lower() in taken:
            rename(apps, person, taken)
        taken[person.username.lower()] = person.username
        look = names.look(person.username)
        person.username_look = look if look not in looks else f"{look}{DOUBLE}{person.pk}"
        looks.add(look)
        shown = f"{person.first_name} {person.last_name}".strip() or person.username
        person.shown_look = names.look(shown)
        changed.append(person)
    fields = ["username", "username_look", "shown_look"]
    Person.objects.bulk_update(changed, fields, batch_size=500)


def rename(apps: Any, person: Any, taken: dict[str, str]) -> None:
    before, number = person.username, 2
    known = {name.lower() for name in person.__class__.objects.values_list("username", flat=True)}
    while f"{before}-{number}".lower() in known | taken.keys():
        number += 1
    person.username = f"{before[:140]}-{number}"
    print(f"\n  The person {before!r} is called {person.username!r} now: another has that name.")
    apps.get_model("routines", "AuditEvent").objects.create(
        action="person_edited",
        person_name="upgrade",
        subject=person.username,
        changes={"username": [before, person.username]},
    )


class Migration(migrations.Migration):
    dependencies = [("routines", "0018_proxy_reasons")]

    operations = [
        migrations.AlterModelManagers("person", []),
        *(
            migrations.AddField(
                "person",
                name,
                models.CharField(default="", editable=False, max_length=100),
                preserve_default=False,
            )
            for name in ("username_look", "shown_look")
        ),
        migrations.RunPython(compare, migrations.RunPython.noop),
        migrations.AlterField(
            "person",
            "username_look",
            models.CharField(editable=False, max_length=100, unique=True),
        ),
        migrations.AlterField(
            "person",
            "shown_look",
            models.CharField(db_index=True, editable=False, max_length=100),
        ),
        migrations.AddConstraint(
            "person",
            models.UniqueConstraint(
                django.db.models.functions.text.Lower("username"), name="username_whatever_case"
            ),
        ),
    ]
