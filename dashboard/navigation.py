from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import SimpleLazyObject

from routines.people.roles import Permission


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
    pages = [
        ("Board", "board", "/", Permission.FIRE),
        ("History", "history", "/history/", None),
        ("Insight", "insight", "/insight/", Permission.VIEW_ALL_RUNS),
        ("Registry", "registry", "/routines/", Permission.MANAGE_REGISTRY),
        ("People", "people", "/people/", Permission.MANAGE_PEOPLE),
        ("Audit", "audit", "/audit/", Permission.VIEW_AUDIT),
    ]
    return [
        Item(label, reverse(name), _is_within(request.path, prefix))
        for label, name, prefix, permission in pages
        if permission is None or user.has_perm(permission)
    ]


def _is_within(path: str, prefix: str) -> bool:
    if path.endswith(("/run/", "/fire/")):  # of the board, though under /routines/
        return prefix == "/"
    if path.startswith(("/versions/", "/accounts/")):  # parts of the registry
        return prefix == "/routines/"
    return path == prefix if prefix == "/" else path.startswith(prefix)
