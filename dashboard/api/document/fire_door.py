"""The fire-compatible door in the document. Its own shapes are the endpoint's: docs/fire-api.md."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from dashboard.api.schemas import Fire, FireAccepted, Fired, FireError
from dashboard.doors.replies import JSON

PATH = "/v1/claude_code/routines/{reference}/fire"
SHAPES: list[type[msgspec.Struct]] = [Fire, Fired, FireAccepted, FireError]
ABOUT = (
    "The endpoint of claude.ai, at this address and with a key of ours: a script that fires there "
    "works here with another host and another token."
)
# Of the API's own request: one of each kind.
BODIES = {
    "text": {
        "summary": "A text as it stands",
        "value": {"text": "Alert SEN-4521 fired in production."},
    },
    "template": {
        "summary": "A template and its values",
        "value": {"template": "An alert", "values": {"alert": "SEN-4521"}},
    },
}
_REFUSED = {
    400: "The request is invalid, or the routine is paused; or the key promises an "
    "Idempotency-Key, and there is none.",
    401: "The request has no API key, or one that does not work.",
    403: "The key may not do this, or an admin has to do something first.",
    404: "There is no such routine for this API key.",
    408: "The body did not come in time. Call again.",
    409: "A person has cancelled the run, or has found that it started nothing.",
    413: "The body is larger than 1 MiB.",
    415: "The body is compressed, or written in another encoding than UTF-8.",
    422: "The Idempotency-Key was used for another request.",
    429: "A cap, a hold or the endpoint's limit; `Retry-After` says how long.",
    500: "The dashboard failed. Whether a session was started is not known.",
    503: "The endpoint, or the dashboard's database, cannot take it. Nothing was started.",
    504: "Nobody knows whether a session was started: a person has to look first.",
}


def paths(
    ref: Callable[[type[msgspec.Struct]], Mapping[str, str]],
    parameters: list[dict[str, Any]],
) -> dict[str, Any]:
    fired = {"description": "A session was started.", "content": {JSON: {"schema": ref(Fired)}}}
    accepted = {
        "description": "It is not over: look at `Location` for what comes of it.",
        "content": {JSON: {"schema": ref(FireAccepted)}},
    }
    error = {JSON: {"schema": ref(FireError)}}
    refused = {
        str(status): {"description": sentence, "content": error}
        for status, sentence in _REFUSED.items()
    }
    return {
        PATH: {
            "post": {
                "operationId": "fire",
                "tags": ["Fire"],
                "summary": "Fire a routine as at claude.ai",
                "description": (
                    "Requests, answers and errors are the endpoint's. The headers anthropic-beta "
                    "and anthropic-version are accepted and ignored: the versions that the "
                    "routine is pinned to are sent."
                ),
                "parameters": parameters,
                "requestBody": {"required": False, "content": {JSON: {"schema": ref(Fire)}}},
                "responses": {"200": fired, "202": accepted} | refused,
            }
        }
    }
