from allauth.account.auth_backends import AuthenticationBackend
from django.contrib.auth.models import Permission
from django.db.models import BigIntegerField, Model, QuerySet

from routines.models import Person
from routines.prepared import Given, prepared


class GroupRightsBackend(AuthenticationBackend):  # type: ignore[misc]  # allauth has no types
    """What people may do comes from their groups alone, so the people page shows all of it."""

    def get_user(self, user_id: int) -> Person | None:
        found = _person(pk=user_id)
        return found[0] if found and self.user_can_authenticate(found[0]) else None

    def get_user_permissions(self, user_obj: Person, obj: Model | None = None) -> set[str]:
        return set()

    def get_group_permissions(self, user_obj: Person, obj: Model | None = None) -> set[str]:
        if not user_obj.is_active or user_obj.is_anonymous or obj is not None:
            return set()
        return {f"{app}.{name}" for app, name in _rights(person=user_obj.pk)}


# Every page of somebody signed in asks both.


@prepared(pk=BigIntegerField())
def _person(pk: Given) -> QuerySet[Person]:
    return Person.objects.filter(pk=pk)


@prepared(person=BigIntegerField())
def _rights(person: Given) -> QuerySet[Permission, tuple[str, str]]:
    of_groups = Permission.objects.filter(group__user=person).order_by()
    return of_groups.values_list("content_type__app_label", "codename")
