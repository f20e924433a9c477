from typing import Self

from django.contrib.auth.models import AbstractUser, Permission
from django.db import models
from django.db.models import F
from django.utils.functional import cached_property


def shown_name(username: str, first: str, last: str) -> str:
    """What `str(person)` says, for those who have read no more of them."""
    return f"{first} {last}".strip() or username


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
        return shown_name(self.username, self.first_name, self.last_name)

    @classmethod
    def with_rights(cls, pk: int) -> Self | None:
        """The person with this primary key, `rights` loaded, in one query; None: nobody has it."""
        permission = "groups__permissions"
        rows = list(  # the person once for each right, or once without any
            cls._default_manager.filter(pk=pk).annotate(
                app=F(f"{permission}__content_type__app_label"),
                codename=F(f"{permission}__codename"),
            )
        )
        if not rows:
            return None
        person = rows[0]
        person.rights = frozenset(f"{row.app}.{row.codename}" for row in rows if row.codename)
        return person  # type: ignore[return-value]  # annotated

    @cached_property
    def rights(self) -> frozenset[str]:
        """What their groups permit, as `has_perm` is asked for it: `routines.fire_routine`."""
        permitted = Permission.objects.filter(group__user=self).order_by()
        names = permitted.values_list("content_type__app_label", "codename")
        return frozenset(f"{app}.{codename}" for app, codename in names)
