"""The API's document: OpenAPI 3.1, made of the operations and their shapes, so it cannot drift."""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from http import HTTPStatus
from typing import Any

import msgspec
from django.conf import settings

from dashboard.api import runs, schemas
from dashboard.api.document import fire_door
from dashboard.api.operations import Header, Operation, Resource
from dashboard.api.resources import RESOURCES
from dashboard.doors.replies import JSON, PROBLEM

TITLE = "Routine dashboard"
_CONVERTED = re.compile(r"<(\w+):(\w+)>")
# How a part of an address is said to the document's readers, and what may stand there.
_PARTS: dict[str, dict[str, Any]] = {
    "reference": {
        "description": "The routine's slug, or its routine ID.",
        "schema": {"type": "string", "minLength": 1, "pattern": "^[^/?#]+$"},
        "example": "triage-an-alert",
    },
    "pk": {
        "description": "The run's ID.",
        "schema": {"type": "integer", "minimum": 0, "maximum": 2**63 - 1},
        "example": 4711,
    },
}
# What any operation may say, whatever it does.
_ALWAYS = {
    401: "The request has no API key, or one that does not work.",
    403: "The key may not do this, or not from this network address; or an admin has to do "
    "something first.",
    429: "Too many calls with a wrong key came from this address.",
    500: "The dashboard failed. Whether something was done is not known.",
    503: "The database does not answer. Try again after `Retry-After`.",
}
_OF_QUERIES = {422: "A parameter is unknown or has a bad value: `errors` names it."}
# Said by the web server, before the API has seen anything: a page, and no problem+json.
_TOO_LONG = {"414": {"description": "The address is longer than 8,190 bytes."}}
_OF_POSTS = {
    400: "The body could not be read, or a header has a bad value.",
    413: "The body is larger than 1 MiB.",
    415: "The body is not sent as application/json.",
    422: "This address takes no body.",
}
_ABOUT = """\
Fire routines of claude.ai with an API key of this dashboard, and follow their runs.

Each call names its key: `Authorization: Bearer rdk_...`. A key fires the routines that it was given
and sees the runs that it has asked for. Web sessions open nothing here, and keys open no pages.

Answers are JSON; refusals are `application/problem+json` (RFC 9457), whose `detail` says what to
do. Texts are UTF-8, moments are RFC 3339 in UTC. Take addresses from answers instead of building
them, and cursors as they are. New members may be added to answers.
"""


@cache
def document() -> dict[str, Any]:
    return {
        "openapi": "3.1.0",
        "info": {"title": TITLE, "version": "1", "description": _ABOUT},
        "servers": [{"url": settings.DASHBOARD_URL}],
        "security": [{"api_key": []}],
        "tags": [
            {
                "name": "API",
                "description": "For programs that follow their runs.",
            },
            {"name": "Fire", "description": fire_door.ABOUT},
        ],
        "paths": {_path(one.route): _item(one) for one in RESOURCES} | _door(),
        "components": {
            "schemas": _components(),
            "securitySchemes": {
                "api_key": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "An API key of the dashboard: rdk_...",
                }
            },
        },
    }


def _door() -> dict[str, Any]:
    headers = [header_parameter(one) for one in (runs.IDEMPOTENCY_KEY, runs.PREFER)]
    return fire_door.paths(_ref, [_part("reference"), *headers])


def _path(route: str) -> str:
    return "/" + _CONVERTED.sub(lambda match: f"{{{_shown(match[2])}}}", route)


def _shown(part: str) -> str:
    return "id" if part == "pk" else part


def _item(resource: Resource) -> dict[str, Any]:
    parts = [match[2] for match in _CONVERTED.finditer(resource.route)]
    item: dict[str, Any] = {one.method.lower(): _operation(one) for one in resource.operations}
    if parts:
        item["parameters"] = [_part(part) for part in parts]
    return item


def _part(part: str) -> dict[str, Any]:
    return {"name": _shown(part), "in": "path", "required": True, **_PARTS[part]}


def _operation(operation: Operation) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.name,
        "tags": ["API"],
        "summary": operation.summary,
        "parameters": [
            *(_query_parameters(operation.query) if operation.query else []),
            *(header_parameter(header) for header in operation.headers),
        ],
        "responses": _responses(operation),
    }
    if operation.description:
        described["description"] = operation.description
    if operation.body is not None:
        content = {"schema": _ref(operation.body), "examples": fire_door.BODIES}
        described["requestBody"] = {"required": True, "content": {JSON: content}}
    return described


def _responses(operation: Operation) -> dict[str, Any]:
    answers = {
        str(status): {
            "description": operation.says.get(status, HTTPStatus(status).phrase),
            "content": {JSON: {"schema": _ref(shape)}},
        }
        for status, shape in operation.answers.items()
    }
    refused = dict(_ALWAYS) | (_OF_POSTS if operation.method == "POST" else {})
    refused |= _OF_QUERIES if operation.method == "GET" else {}
    refused |= operation.says
    problem = {PROBLEM: {"schema": _ref(schemas.Problem)}}
    too_long = _TOO_LONG if operation.query else {}
    return (
        answers
        | too_long
        | {
            str(status): {"description": sentence, "content": problem}
            for status, sentence in sorted(refused.items())
            if status not in operation.answers
        }
    )


def _query_parameters(shape: type[msgspec.Struct]) -> Iterable[dict[str, Any]]:
    [_], schemas_of_it = msgspec.json.schema_components([shape])
    for name, schema in schemas_of_it[shape.__name__]["properties"].items():
        told = {key: value for key, value in schema.items() if key != "description"}
        yield {
            "name": name,
            "in": "query",
            "required": False,
            "description": schema["description"],
            "schema": told,
        }


def header_parameter(header: Header) -> dict[str, Any]:
    bounds = {"minLength": 1, "maxLength": header.longest} if header.longest else {}
    return {
        "name": header.name,
        "in": "header",
        "required": False,
        "description": header.description,
        "schema": {"type": "string"} | bounds,
        "example": header.example,
    }


def _shapes() -> Sequence[type[msgspec.Struct]]:
    named: list[type[msgspec.Struct]] = [schemas.Problem, *fire_door.SHAPES]
    for resource in RESOURCES:
        for operation in resource.operations:
            named += [*operation.answers.values(), *([operation.body] if operation.body else [])]
    return list(dict.fromkeys(named))


def _ref(shape: type[msgspec.Struct]) -> Mapping[str, str]:
    return {"$ref": f"#/components/schemas/{shape.__name__}"}


def _components() -> dict[str, Any]:
    _, components = msgspec.json.schema_components(
        _shapes(), ref_template="#/components/schemas/{name}"
    )
    return {name: schema | schemas.EXTRA.get(name, {}) for name, schema in components.items()}
