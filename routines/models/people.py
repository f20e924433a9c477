from typing import Any, ClassVar, Self

from django.contrib.auth.models import AbstractUser, Permission, UserManager
from django.db import models
from django.db.models import F
from django.db.models.functions import Lower
from django.utils.functional import cached_property

from routines.values import names


def shown_name(username: str, first: str, last: str) -> str:
    """What `str(person)` says, for those who have read no more of them."""
    return f"{first} {last}".strip() or username


DOUBLE = "~"  # behind the look of a name that was another's double before looks were compared


class Look(models.CharField):
    """What a name looks like, worked out whenever the row is written: values/names.py."""

    def deconstruct(self) -> Any:
        """A plain column to the migrations."""
        name, _path, args, kwargs = super().deconstruct()
        return name, "django.db.models.CharField", args, kwargs

    def pre_save(self, model_instance: Any, add: bool) -> str:
        person = model_instance
        name = person.username
        if self.attname == "shown_look":
            name = shown_name(name, person.first_name, person.last_name)
        look = names.look(name)
        # One from before looks were compared is marked as another's double, and stays so.
        if not getattr(model_instance, self.attname).startswith(f"{look}{DOUBLE}"):
            setattr(model_instance, self.attname, look)
        return str(getattr(model_instance, self.attname))


class PersonManager(UserManager["Person"]):
    use_in_migrations = False

    def named(self, username: str) -> "Person | None":
        """Whose username this is, in whatever spelling; but not one that only looks like it."""
        known = names.key(username)
        if not known or "\x00" in username:
            return None
        like = self.filter(username_look__startswith=names.look(username)).order_by("pk")
        return next((one for one in like if names.key(one.username) == known), None)

    def looking_like(self, username: str) -> "Person | None":
        return self.filter(username_look=names.look(username)).first()

    def shown_like(self, shown: str) -> models.QuerySet["Person"]:
        return self.filter(shown_look=names.look(shown))


class Person(AbstractUser):
    """Somebody who signs in. What they may do comes from their groups: routines/people/roles.py."""

    # Made by the dashboard and seen by an admin: nothing else opens until it is changed.
    password_is_initial = models.BooleanField(default=False, editable=False)

    # No two people have the same, or names that look the same: the database keeps that.
    username_look = Look(max_length=100, unique=True, editable=False)
    # Of what the pages call them. Old ones may be the same; of new ones people.py sees to it.
    shown_look = Look(max_length=100, db_index=True, editable=False)

    objects: ClassVar[PersonManager] = PersonManager()

    class Meta(AbstractUser.Meta):
        verbose_name = "person"
        verbose_name_plural = "people"
        default_permissions = ()
        permissions = [("manage_people", "May add people and put them into roles and groups")]
        constraints = [models.UniqueConstraint(Lower("username"), name="username_whatever_case")]

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
