"""Where the doors for machines are (what is behind them: dashboard/doors/).

A program proves itself there with an API key alone. So a browser's cookies are removed before
anybody reads them (bounds.py): no web session opens a door, and no page of another site can use
one.
"""

from django.http import HttpRequest

FIRE, API, MCP = "/v1/", "/api/", "/mcp"
LARGEST_BODY = 1_048_576  # bytes
CUT_SHORT = "dashboard.cut_short"  # in the WSGI environment of a body that did not come whole


def is_door(request: HttpRequest) -> bool:
    return leads_to_door(request.path_info)


def is_api(request: HttpRequest) -> bool:
    path = _with_one_leading_slash(request.path_info)
    return path.startswith(API) or f"{path}/" == API


def leads_to_door(path: str) -> bool:
    """Also with extra slashes, or none at the end: a program is told so in its door's own words."""
    path = _with_one_leading_slash(path)
    return path.startswith((FIRE, API)) or f"{path}/" in (FIRE, API) or path.rstrip("/") == MCP


def _with_one_leading_slash(path: str) -> str:
    return f"/{path.lstrip('/')}"
