"""Calls of the API, each of whose answers has to be as the document says."""

import json
import re
from functools import cache
from typing import Any

from django.test import Client
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from dashboard.api.document.openapi import document
from routines.callers import authenticating
from routines.models import ApiKey


class Program:
    """A program with a key, or with anything else that it presents."""

    def __init__(self, secret: str, **settings: Any) -> None:
        self.client, self._secret = Client(**settings), secret
        self.headers = {"Authorization": f"Bearer {secret}"}

    def api_key(self) -> ApiKey:
        return authenticating.authenticate(self._secret, address=None)

    def get(self, path: str, query: dict[str, Any] | None = None, **headers: str) -> Any:
        answer = self.client.get(path, query, headers=self.headers | headers)
        return as_documented("get", path, answer)

    def post(self, path: str, content: Any = None, **headers: str) -> Any:
        if content is None:
            answer = self.client.generic("POST", path, headers=self.headers | headers)
        else:
            body = content if isinstance(content, bytes) else json.dumps(content).encode()
            headers = {"Content-Type": "application/json"} | headers
            kind = headers.pop("Content-Type")
            answer = self.client.generic(
                "POST", path, body, content_type=kind, headers=self.headers | headers
            )
        return as_documented("post", path, answer)

    def run(self, slug: str, content: Any, **headers: str) -> Any:
        return self.post(f"/api/routines/{slug}/runs", content, **headers)


def header(name: str, value: str) -> dict[str, str]:
    """Of names that are no words of Python."""
    return {name: value}


def as_documented(method: str, path: str, answer: Any) -> Any:
    operation = _item(path)[method]
    described = operation["responses"][str(answer.status_code)]
    content = described["content"][answer.headers["Content-Type"]]
    is_as(content["schema"], json.loads(answer.content))
    if answer.status_code >= 400:
        assert answer.json()["detail"].endswith("."), answer.json()
        assert answer.json()["status"] == answer.status_code
    return answer


def is_as(schema: Any, value: Any) -> None:
    """Fail unless `value` is what this schema of the document describes."""
    _validator(json.dumps(schema)).validate(value)


def _item(path: str) -> Any:
    for template, item in document()["paths"].items():
        parts = re.split(r"\{\w+\}", template)
        if re.fullmatch("[^/]+".join(map(re.escape, parts)), path.partition("?")[0]):
            return item
    raise LookupError(path)


@cache
def _validator(schema: str) -> Draft202012Validator:
    whole = json.loads(schema) | {"components": document()["components"]}
    return Draft202012Validator(whole)
