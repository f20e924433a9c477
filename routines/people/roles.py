"""The three roles, as Django groups. A person may be in several, and then may do all of it.

Pages and domain ask for permissions, never for groups, so a team may change what a group holds.
"""

from django.contrib.auth.models import Group
from django.db import models

from routines.models import Person


class Permission(models.TextChoices):
    FIRE = "routines.fire_routine", "run routines"
    VIEW_ALL_RUNS = "routines.view_all_runs", "see everybody's runs"
    MANAGE_REGISTRY = "routines.manage_registry", "keep the registry of routines"
    MANAGE_PEOPLE = "routines.manage_people", "keep people and groups"
    VIEW_AUDIT = "routines.view_audit", "read the audit trail"


class Role(models.TextChoices):
    TEAMMATE = "Teammates", "Teammate"
    MANAGER = "Managers", "Manager"
    ADMIN = "Admins", "Admin"


def give(person: Person, role: Role) -> None:
    person.groups.add(Group.objects.get(name=role))
