"""What the provider says of somebody, in our words."""

import re
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from dashboard.sign_in.external_users import Newcomer
from routines.people.roles import Role

_LONGEST_CLAIM = 1_000  # characters; more than any column takes
_UNSTORABLE = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
NOT_IN_USERNAMES = re.compile(r"[^\w.@+-]+")


def roles_in(claims: dict[str, Any]) -> list[Role]:
    """Those whose groups stand in the roles claim: a list, or one name."""
    return roles_of_groups(_groups(claims))


def roles_of_groups(groups: set[str]) -> list[Role]:
    names = {
        Role.TEAMMATE: settings.OIDC_TEAMMATES,
        Role.MANAGER: settings.OIDC_MANAGERS,
        Role.ADMIN: settings.OIDC_ADMINS,
    }
    return [role for role in Role if groups & set(names[role])]


def has_roles_claim(claims: dict[str, Any]) -> bool:
    return _claim(claims) is not None


def newcomer(claims: dict[str, Any]) -> Newcomer:
    """For a person who is new here. Nobody is found by these: people are known by the subject."""
    name = _text(claims, "preferred_username") or _text(claims, "email") or _text(claims, "sub")
    whole_first, _, whole_last = _text(claims, "name").partition(" ")
    return Newcomer(
        username=NOT_IN_USERNAMES.sub("-", name)[:140] or "somebody",
        first_name=(_text(claims, "given_name") or whole_first)[:150],
        last_name=(_text(claims, "family_name") or whole_last)[:150],
        email=_email(claims),
    )


def _groups(claims: dict[str, Any]) -> set[str]:
    value = _claim(claims)
    values = value if isinstance(value, list) else [value]
    return {one for one in values if isinstance(one, str)}


def _claim(claims: dict[str, Any]) -> Any:
    """By its name, or by a path with dots: Keycloak has `realm_access.roles`."""
    if settings.OIDC_ROLES_CLAIM in claims:
        return claims[settings.OIDC_ROLES_CLAIM]
    value: Any = claims
    for part in settings.OIDC_ROLES_CLAIM.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _text(claims: dict[str, Any], name: str) -> str:
    value = claims.get(name)
    if not isinstance(value, str):
        return ""
    return _UNSTORABLE.sub("", value[:_LONGEST_CLAIM]).strip()


def _email(claims: dict[str, Any]) -> str:
    email = _text(claims, "email")
    try:
        validate_email(email)
    except ValidationError:
        return ""
    return email if len(email) <= 254 else ""
