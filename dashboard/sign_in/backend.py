"""Who is signed in and what they may do, asked together: every page wants to know both."""

from allauth.account.auth_backends import AuthenticationBackend
from django.contrib.auth.models import AnonymousUser
from django.db.models import Model

from routines.models import Person


class GroupRightsBackend(AuthenticationBackend):  # type: ignore[misc]  # allauth has no types
    """What people may do comes from their groups alone, so the people page shows all of it."""

    def get_user(self, user_id: int) -> Person | None:
        person = Person.with_rights(user_id)
        return person if person is not None and self.user_can_authenticate(person) else None

    def get_user_permissions(
        self, user_obj: Person | AnonymousUser, obj: Model | None = None
    ) -> set[str]:
        return set()

    def get_group_permissions(
        self, user_obj: Person | AnonymousUser, obj: Model | None = None
    ) -> set[str]:
        if not isinstance(user_obj, Person) or not user_obj.is_active or obj is not None:
            return set()
        return set(user_obj.rights)
