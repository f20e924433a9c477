from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.auth_backends import AuthenticationBackend
from django.contrib.auth.models import Permission
from django.db.models import QuerySet
from django.http import HttpRequest

from routines import people
from routines.models import Person


class InternalAccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    """People are added by an admin; nobody signs up."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def set_password(self, user: Person, password: str) -> None:
        people.choose_password(user, password)


class GroupRightsBackend(AuthenticationBackend):  # type: ignore[misc]
    """What people may do comes from their groups alone, so the people page shows all of it."""

    def _get_user_permissions(self, user_obj: Person) -> QuerySet[Permission]:
        return Permission.objects.none()
