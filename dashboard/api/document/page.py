"""The document as its page shows it: all of it read from the document itself."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

Schema = Mapping[str, Any]

_SHAPES = "#/components/schemas/"
_MOMENT = "2026-11-29T09:30:00Z"
_BY_KIND: dict[str, Any] = {"string": "", "integer": 1, "boolean": True, "object": {}, "array": []}


@dataclass(frozen=True)
class Kind:
    """What a member may be. `shape`: its name, if it has a place of its own on the page."""

    words: str
    shape: str = ""
    choices: Sequence[str] = ()


@dataclass(frozen=True)
class Member:
    name: str
    kind: Kind
    where: str
    is_required: bool
    description: str


@dataclass(frozen=True)
class Answer:
    status: int
    phrase: str
    description: str
    shape: str  # empty: a page, and no JSON
    example: str  # JSON; of refusals, which are all alike, none

    @property
    def says_more(self) -> bool:
        return self.description != self.phrase


@dataclass(frozen=True)
class Shown:
    name: str
    method: str
    path: str
    summary: str
    description: str
    parameters: list[Member]
    body: str  # the name of its shape
    curl: str
    answers: list[Answer]

    @property
    def given(self) -> list[Answer]:
        return [one for one in self.answers if one.status < 400]

    @property
    def refusals(self) -> list[Answer]:
        return [one for one in self.answers if one.status >= 400]

    @property
    def curl_id(self) -> str:
        return f"{self.name}-curl"


@dataclass(frozen=True)
class Section:
    name: str
    description: str
    operations: list[Shown]


@dataclass(frozen=True)
class Shape:
    name: str
    description: str
    members: list[Member]
    example: str


def sections(document: Schema) -> list[Section]:
    shown = {tag["name"]: Section(tag["name"], tag["description"], []) for tag in document["tags"]}
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method != "parameters":
                section = shown[operation["tags"][0]]
                section.operations.append(_shown(document, path, item, method, operation))
    return list(shown.values())


def shapes(document: Schema) -> list[Shape]:
    return [
        Shape(
            name,
            schema.get("description", ""),
            [
                Member(
                    one,
                    _kind(member),
                    "",
                    one in schema.get("required", []),
                    member.get("description", ""),
                )
                for one, member in schema.get("properties", {}).items()
            ],
            _written(example(document, schema)),
        )
        for name, schema in document["components"]["schemas"].items()
    ]


def example(document: Schema, schema: Schema) -> Any:
    """Something that `schema` describes, of the examples that stand in it."""
    if "examples" in schema:
        return schema["examples"][0]
    if "$ref" in schema:
        return example(document, _resolved(document, schema["$ref"]))
    if "anyOf" in schema:
        return example(document, schema["anyOf"][0])
    if "enum" in schema:
        return schema["enum"][0]
    if schema.get("format") == "date-time":
        return _MOMENT
    if schema.get("type") == "array":
        return [example(document, schema["items"])]
    if "properties" in schema:
        return {
            name: example(document, member)
            for name, member in schema["properties"].items()
            if name in schema.get("required", [])
        }
    return schema.get("default", _BY_KIND.get(schema.get("type", "")))


def _shown(document: Schema, path: str, item: Schema, method: str, operation: Schema) -> Shown:
    parameters = [*item.get("parameters", []), *operation.get("parameters", [])]
    body = operation.get("requestBody", {}).get("content", {}).get("application/json")
    return Shown(
        name=operation["operationId"],
        method=method.upper(),
        path=path,
        summary=operation["summary"],
        description=operation.get("description", ""),
        parameters=[
            Member(
                one["name"], _kind(one["schema"]), one["in"], one["required"], one["description"]
            )
            for one in parameters
        ],
        body=_shape_of(body["schema"]) if body else "",
        curl=_curl(document, path, method, parameters, body),
        answers=list(_answers(document, operation["responses"])),
    )


def _answers(document: Schema, responses: Schema) -> Iterator[Answer]:
    has_example = False  # one is enough: the next would be the same
    for status, response in responses.items():
        content = next(iter(response.get("content", {}).values()), None)
        shape = _shape_of(content["schema"]) if content else ""
        found = ""
        if content and int(status) < 300 and not has_example:
            found, has_example = _written(example(document, content["schema"])), True
        phrase = HTTPStatus(int(status)).phrase
        yield Answer(int(status), phrase, response["description"], shape, found)


def _curl(
    document: Schema, path: str, method: str, parameters: Sequence[Schema], body: Schema | None
) -> str:
    for one in parameters:
        if one["in"] == "path":
            path = path.replace(f"{{{one['name']}}}", str(one["example"]))
    lines = [f"curl {document['servers'][0]['url']}{path}"]
    if method != "get":
        lines[0] = lines[0].replace("curl ", f"curl -X {method.upper()} ", 1)
    lines.append('-H "Authorization: Bearer $KEY"')
    lines += [
        f'-H "{one["name"]}: {one["example"]}"'
        for one in parameters
        if one["name"] == "Idempotency-Key"
    ]
    if body is not None:
        sent = example(document, body["schema"])
        if "examples" in body:
            sent = next(iter(body["examples"].values()))["value"]
        elif not sent:
            sent = example_of_all(document, body["schema"])
        lines.append('-H "Content-Type: application/json"')
        lines.append(f"-d '{json.dumps(sent, ensure_ascii=False)}'")
    return " \\\n  ".join(lines)


def example_of_all(document: Schema, schema: Schema) -> Any:
    """With the members that may be left out, too."""
    found = _resolved(document, schema["$ref"])
    return {name: example(document, member) for name, member in found["properties"].items()}


def _kind(schema: Schema) -> Kind:
    if "$ref" in schema:
        return Kind("", _shape_of(schema))
    if "anyOf" in schema:
        found = [_kind(one) for one in schema["anyOf"]]
        shape = next((one.shape for one in found if one.shape), "")
        return Kind(" or ".join(one.words for one in found if one.words), shape)
    if "enum" in schema:
        return Kind("one of", choices=[str(one) for one in schema["enum"]])
    if schema.get("type") == "array":
        inner = _kind(schema["items"])
        return Kind(f"list of {inner.words}".rstrip(), inner.shape)
    if schema.get("format") == "date-time":
        return Kind("moment")
    words = str(schema.get("type", "anything"))
    return (
        Kind(f"{words}, {schema['maxLength']:,} characters at most")
        if ("maxLength" in schema and words == "string")
        else Kind(words)
    )


def _shape_of(schema: Schema) -> str:
    return str(schema["$ref"]).removeprefix(_SHAPES)


def _resolved(document: Schema, reference: str) -> Schema:
    found: Schema = document["components"]["schemas"][reference.removeprefix(_SHAPES)]
    return found


def _written(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)
