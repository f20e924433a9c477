"""The doors for machines: where they are. A program proves itself with an API key alone.

So a browser's cookies are taken away there before anybody reads them (bounds.py): no web session
opens a door, and no page of another site can use one.
"""

from django.http import HttpRequest

FIRE, API, MCP = "/v1/", "/api/", "/mcp"
LARGEST_BODY = 1_048_576  # bytes
CUT_SHORT = "dashboard.cut_short"  # in the WSGI environment of a body that did not come whole


def is_door(request: HttpRequest) -> bool:
    return leads_to_door(request.path_info)


def is_api(request: HttpRequest) -> bool:
    path = _without_slashes_too_many(request.path_info)
    return path.startswith(API) or f"{path}/" == API


def leads_to_door(path: str) -> bool:
    """Also with slashes too many or none at the end: a program hears of that in its own words."""
    path = _without_slashes_too_many(path)
    return path.startswith((FIRE, API)) or f"{path}/" in (FIRE, API) or path.rstrip("/") == MCP


def _without_slashes_too_many(path: str) -> str:
    return f"/{path.lstrip('/')}"
