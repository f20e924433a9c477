from django.contrib.auth.models import AbstractUser
from django.db import models


class Person(AbstractUser):
    """Somebody who signs in. What they may do comes from their groups: routines/people/roles.py."""

    # Made by the dashboard and seen by an admin: nothing else opens until it is changed.
    password_is_initial = models.BooleanField(default=False, editable=False)

    class Meta(AbstractUser.Meta):
        verbose_name = "person"
        verbose_name_plural = "people"
        default_permissions = ()
        permissions = [("manage_people", "May add people and put them into roles and groups")]

    def __str__(self) -> str:
        return self.get_full_name() or self.username
