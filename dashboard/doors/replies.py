"""A reply without a session: a sentence, in the shape of the door that it is said at.

The fire-compatible door speaks the endpoint's envelope (docs/fire-api.md), the API
`application/problem+json` (RFC 9457), the MCP endpoint errors of JSON-RPC. Each
says in a sentence what to do.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import msgspec
from django.http import HttpRequest, HttpResponse

from dashboard.serving import door_addresses, logs

JSON, PROBLEM = "application/json", "application/problem+json"
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


# JSON-RPC's own number, and the first of those that a server may give a meaning.
_RPC_UNREADABLE, _RPC_REFUSED = -32700, -32000


@dataclass(frozen=True)
class Reply:
    """`more` are members beside the usual ones, the same at each door."""

    status: int
    sentence: str
    headers: Mapping[str, str] = field(default_factory=dict)
    more: Mapping[str, Any] = field(default_factory=dict)
    title: str = ""


class Refused(Exception):
    """What a view of the API raises instead of answering."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.sentence)
        self.reply = reply


class BadRequest(Refused):
    """It could not be read. Counted with its key: an admin sees why a caller gets nowhere."""


def answer(request: HttpRequest, reply: Reply) -> HttpResponse:
    is_api = door_addresses.is_api(request)
    response = HttpResponse(msgspec.json.encode(_shape_at(request)(reply)), status=reply.status)
    response.headers["Content-Type"] = PROBLEM if is_api else JSON
    for name, value in reply.headers.items():
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


def _shape_at(request: HttpRequest) -> Callable[[Reply], dict[str, Any]]:
    if door_addresses.is_api(request):
        return _problem
    return _rpc_error if request.path_info == door_addresses.MCP else _envelope


def _envelope(reply: Reply) -> dict[str, Any]:
    if reply.status < 400:  # accepted: not what was asked for yet, and no error
        said = {"type": "routine_fire_accepted", "message": reply.sentence}
        return {**said, "request_id": request_id(), **reply.more}
    return {
        "type": "error",
        "error": {"type": type_of(reply.status), "message": reply.sentence},
        "request_id": request_id(),
        **reply.more,
    }


def _rpc_error(reply: Reply) -> dict[str, Any]:
    """Of no call in particular: none was read."""
    code = _RPC_UNREADABLE if reply.status == 400 else _RPC_REFUSED
    error = {"code": code, "message": reply.sentence, "data": {"request_id": request_id()}}
    return {"jsonrpc": "2.0", "id": None, "error": error}


def _problem(reply: Reply) -> dict[str, Any]:
    return {
        "type": "about:blank",
        "title": reply.title or HTTPStatus(reply.status).phrase,
        "status": reply.status,
        "detail": reply.sentence,
        "request_id": request_id(),
        **reply.more,
    }
