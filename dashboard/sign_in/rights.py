from allauth.account.auth_backends import AuthenticationBackend
from django.contrib.auth.models import Permission
from django.db.models import QuerySet

from routines.models import Person


class GroupRightsBackend(AuthenticationBackend):  # type: ignore[misc]  # allauth has no types
    """What people may do comes from their groups alone, so the people page shows all of it."""

    def _get_user_permissions(self, user_obj: Person) -> QuerySet[Permission]:
        return Permission.objects.none()

    def _get_group_permissions(self, user_obj: Person) -> QuerySet[Permission]:
        """As Django's own, without a subquery: every page asks this."""
        return Permission.objects.filter(group__user=user_obj)
