"""Somebody's groups, as the identity provider or the proxy in front names them, and their roles.

They come in many shapes; what is read here, and what is deliberately not, is in docs/sign-in.md. A
role is taken away only if groups came and lack it: a provider that sends none, because there are
too many or because a setting is missing, has said nothing about roles.
"""

import json
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from routines.people.roles import Role

_MOST = 5_000  # groups of one person; Entra stops at 200, or 2,000 in its own way
_LONGEST = 300
_NAMED_BY = ("name", "displayName", "display")  # of a group that comes as an object
_HELD_BY = ("roles", "groups")  # where an object has the list inside
_SEPARATORS = re.compile(r"[,;|]")
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_SHOWN = 50


@dataclass(frozen=True)
class Groups:
    """`names` is None if no groups came, or nothing that can be read as groups."""

    names: frozenset[str] | None

    @classmethod
    def of_claim(cls, value: Any) -> "Groups":
        """Of a claim's value: a list of names or of objects with names, or one string."""
        return cls(_normal(_listed(value)))

    @classmethod
    def of_text(cls, text: str) -> "Groups":
        """Of a header's value, which may be empty: then there are none, and that has been said."""
        return cls(_normal(_split(text)))

    @property
    def came(self) -> bool:
        return self.names is not None

    @property
    def roles(self) -> list[Role] | None:
        """None: nothing is known, so nothing is to be changed."""
        if self.names is None:
            return None
        opening = {
            Role.TEAMMATE: settings.OIDC_TEAMMATES,
            Role.MANAGER: settings.OIDC_MANAGERS,
            Role.ADMIN: settings.OIDC_ADMINS,
        }
        return [role for role in Role if self.names & (_normal(opening[role]) or frozenset())]

    @property
    def shown(self) -> list[str]:
        return sorted(self.names or ())[:_SHOWN]

    @property
    def more(self) -> int:
        """How many are left out of `shown`."""
        return max(0, len(self.names or ()) - _SHOWN)

    @property
    def are_ids(self) -> bool:
        """Whether they are what Entra sends unless it is told to send names."""
        return bool(self.names) and all(_ID.fullmatch(name) for name in self.names or ())

    def in_the_log(self) -> dict[str, Any]:
        if self.names is None:
            return {"groups": "none came"}
        return {"groups": ", ".join(self.shown), "count": len(self.names)}


def _listed(value: Any) -> list[str] | None:
    if isinstance(value, str):
        return _split(value)
    if isinstance(value, list):
        names = [name for one in value[:_MOST] if (name := _name(one)) is not None]
        return names if names or not value else None  # not empty, and nothing of it can be read
    if isinstance(value, dict):
        return _held(value)
    return None


def _held(value: dict[str, Any]) -> list[str] | None:
    for inside in _HELD_BY:  # realm_access: {"roles": [...]}
        if isinstance(value.get(inside), list):
            return _listed(value[inside])
    own_client = value.get(settings.OIDC_CLIENT_ID)  # resource_access: {"our-client": {"roles": ...
    if isinstance(own_client, dict):
        return _held(own_client)
    if value and all(isinstance(one, dict) and _HELD_BY[0] not in one for one in value.values()):
        return list(value)  # {"role": {"organization": "domain"}}, as ZITADEL has them
    return None


def _name(one: Any) -> str | None:
    if isinstance(one, dict):
        one = next((one[key] for key in _NAMED_BY if isinstance(one.get(key), str)), None)
    return one if isinstance(one, str) else None


def _split(text: str) -> list[str] | None:
    """Names in one string: separated, or a list in JSON, or nearly (`[a, b]`)."""
    text = text.strip()
    if text.startswith("[") and text.endswith("]"):
        try:
            listed = json.loads(text)
        except (ValueError, RecursionError):
            text = text[1:-1]
        else:
            return _listed(listed)
    return _SEPARATORS.split(text)


def drawable(text: str) -> str:
    """Without halves of surrogate pairs, which JSON can spell and no page can be made of."""
    return text.encode("utf-8", "replace").decode()


def _normal(names: Iterable[str] | None) -> frozenset[str] | None:
    """One spelling for each: `/name`, a path of Keycloak at its top, is `name`. A path with more in
    it stays as it is: whoever may make groups inside of another one is not to choose a role."""
    if names is None:
        return None
    spelled = (unicodedata.normalize("NFC", drawable(name[:_LONGEST])).strip() for name in names)
    return frozenset(name.removeprefix("/") for name in spelled if name.removeprefix("/"))
