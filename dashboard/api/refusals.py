"""A refusal, in the shape of the door that it is said at.

The fire-compatible door speaks the endpoint's envelope (docs/fire-api.md), the API
`application/problem+json` (RFC 9457). Each says in a sentence what to do.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse

from dashboard.serving import doors, logs

# The endpoint's own words for what goes wrong. Of what it has no word for, the nearest.
TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "api_error",
    503: "overloaded_error",
    504: "api_error",
}


@dataclass(frozen=True)
class Refusal:
    """`more` are members beside the usual ones, the same at each door."""

    status: int
    sentence: str
    headers: Mapping[str, str] = field(default_factory=dict)
    more: Mapping[str, Any] = field(default_factory=dict)
    title: str = ""


def answer(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    is_api = request.path_info.startswith(doors.API)
    content = _problem(refusal) if is_api else _envelope(refusal)
    response = JsonResponse(content, status=refusal.status)
    if is_api:
        response.headers["Content-Type"] = "application/problem+json"
    for name, value in refusal.headers.items():
        response.headers[name] = value
    return identified(response)


def identified(response: HttpResponse) -> HttpResponse:
    """With the header by which every answer of the endpoint is known; it is in our log."""
    response.headers["request-id"] = request_id()
    return response


def request_id() -> str:
    return f"req_{logs.request_id.get()}"


def type_of(status: int) -> str:
    default = "invalid_request_error" if status < 500 else "api_error"
    return TYPES.get(status, default)


def _envelope(refusal: Refusal) -> dict[str, Any]:
    if refusal.status < 400:  # accepted: not what was asked for yet, and no error
        said = {"type": "routine_fire_accepted", "message": refusal.sentence}
        return {**said, "request_id": request_id(), **refusal.more}
    return {
        "type": "error",
        "error": {"type": type_of(refusal.status), "message": refusal.sentence},
        "request_id": request_id(),
        **refusal.more,
    }


def _problem(refusal: Refusal) -> dict[str, Any]:
    return {
        "type": "about:blank",
        "title": refusal.title or type_of(refusal.status).removesuffix("_error").replace("_", " "),
        "status": refusal.status,
        "detail": refusal.sentence,
        "request_id": request_id(),
        **refusal.more,
    }
