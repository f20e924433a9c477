"""The doors for machines: where they are. A program proves itself with an API key alone.

So a browser's cookies are taken away there before anybody reads them (bounds.py): no web session
opens a door, and no page of another site can use one.
"""

from django.http import HttpRequest

FIRE, API, MCP = "/v1/", "/api/", "/mcp"
LARGEST_BODY = 1_048_576  # bytes


def is_door(request: HttpRequest) -> bool:
    is_mcp = request.path_info in (MCP, f"{MCP}/")
    return request.path_info.startswith(FIRE) or is_api(request) or is_mcp


def is_api(request: HttpRequest) -> bool:
    return f"{request.path_info}/".startswith(API)
