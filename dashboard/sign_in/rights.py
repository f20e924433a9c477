"""What people may do, asked together with who they are: every page wants to know both."""

from typing import Any

from allauth.account.auth_backends import AuthenticationBackend
from django.db import DEFAULT_DB_ALIAS
from django.db.models import BigIntegerField, Model, QuerySet

from routines.models import Person
from routines.prepared import Given, prepared

_FIELDS = [field.attname for field in Person._meta.concrete_fields]
_RIGHT = ["groups__permissions__content_type__app_label", "groups__permissions__codename"]


class GroupRightsBackend(AuthenticationBackend):  # type: ignore[misc]  # allauth has no types
    """What people may do comes from their groups alone, so the people page shows all of it."""

    def get_user(self, user_id: int) -> Person | None:
        """Who is signed in, their rights already known."""
        rows = _with_rights(pk=user_id)
        if not rows:
            return None
        person = Person.from_db(DEFAULT_DB_ALIAS, _FIELDS, rows[0][: len(_FIELDS)])
        if not self.user_can_authenticate(person):
            return None
        person._perm_cache = _named(rows)  # type: ignore[attr-defined]  # where Django keeps them
        return person

    def get_user_permissions(self, user_obj: Person, obj: Model | None = None) -> set[str]:
        return set()

    def get_group_permissions(self, user_obj: Person, obj: Model | None = None) -> set[str]:
        if not user_obj.is_active or user_obj.is_anonymous or obj is not None:
            return set()
        return _named(_with_rights(pk=user_obj.pk))


@prepared(pk=BigIntegerField())
def _with_rights(pk: Given) -> QuerySet[Person, tuple[Any, ...]]:
    """The person in a row for each right, or in one without."""
    return Person.objects.filter(pk=pk).values_list(*_FIELDS, *_RIGHT)


def _named(rows: list[tuple[Any, ...]]) -> set[str]:
    """The rights as `has_perm` is asked for them."""
    return {f"{app}.{name}" for *_, app, name in rows if name}
