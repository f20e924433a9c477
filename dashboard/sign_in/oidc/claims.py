"""What the provider says of somebody, in our words."""

import re
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from dashboard.sign_in.external_users import Newcomer
from dashboard.sign_in.groups import Groups, drawable

_LONGEST_CLAIM = 1_000  # characters; more than any column takes
_UNSTORABLE = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
NOT_IN_USERNAMES = re.compile(r"[^\w.@+-]+")
_MOST_CLAIM_NAMES, _LONGEST_CLAIM_NAME = 50, 80


@dataclass(frozen=True)
class Said:
    """What a sign-in has said of somebody's groups, and what may be told of it: names of claims,
    and never the value of any but theirs."""

    groups: Groups
    claim: str
    claims: list[str]
    left_out: bool  # the provider says that there are groups, and that it did not send them


def said_in(claims: dict[str, Any]) -> Said:
    wanted = settings.OIDC_ROLES_CLAIM
    elsewhere = claims.get("_claim_names")
    left_out = isinstance(elsewhere, dict) and wanted.split(".")[0] in elsewhere
    return Said(
        groups=Groups.of_claim(_claim(claims, wanted)),
        claim=wanted,
        claims=sorted(drawable(name)[:_LONGEST_CLAIM_NAME] for name in claims)[:_MOST_CLAIM_NAMES],
        left_out=left_out or claims.get("hasgroups") in (True, "true"),
    )


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


def _claim(value: Any, path: str) -> Any:
    """By its name, or by a path with dots: Keycloak has `realm_access.roles`, and the client's own
    name, which may have dots itself, in `resource_access.NAME.roles`."""
    if not isinstance(value, dict):
        return None
    if path in value:
        return value[path]
    for name in value:
        if path.startswith(f"{name}."):
            found = _claim(value[name], path[len(name) + 1 :])
            if found is not None:
                return found
    return None


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
