from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from routines.people.roles import Permission

# By address, and not by the name of a URL: all that lies below an address belongs to its page.
_PAGES = (
    ("Board", "/", Permission.FIRE),
    ("History", "/history/", None),
    ("Insight", "/insight/", Permission.VIEW_ALL_RUNS),
    ("Registry", "/routines/", Permission.MANAGE_REGISTRY),
    ("Callers", "/callers/", Permission.MANAGE_REGISTRY),
    ("People", "/people/", Permission.MANAGE_PEOPLE),
    ("Audit", "/audit/", Permission.VIEW_AUDIT),
)


@dataclass(frozen=True)
class Item:
    label: str
    url: str
    is_current: bool


def navigation(request: HttpRequest) -> dict[str, Any]:
    """Context processor: the pages that this person may open, looked up if the menu is drawn."""
    return {"navigation": SimpleLazyObject(lambda: _pages(request))}


def _pages(request: HttpRequest) -> list[Item]:
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return []
    return [
        Item(label, address, _is_within(request.path, address))
        for label, address, permission in _PAGES
        if (user.has_perm(permission) if permission else user.rights)
    ]


def _is_within(path: str, prefix: str) -> bool:
    if path.endswith(("/run/", "/fire/")):  # of the board, though under /routines/
        return prefix == "/"
    if path.startswith(("/versions/", "/accounts/")):  # parts of the registry
        return prefix == "/routines/"
    return path == prefix if prefix == "/" else path.startswith(prefix)
