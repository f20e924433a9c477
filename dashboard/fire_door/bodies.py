"""The body of a call at the fire-compatible door: an object of JSON with a text, or nothing.

Read as strictly as the endpoint reads it, with its sentences (docs/fire-api.md). On top, whatever
could be read in two ways is refused: what we would record and what was meant must be one thing.
"""

import json
from typing import Any

from django.http import HttpRequest

from routines.values import texts

_UNREADABLE = "could not parse request body as JSON"


class BadBody(Exception):
    """`str()` is a sentence for whoever wrote the caller."""

    def __init__(self, sentence: str, *, status: int = 400) -> None:
        super().__init__(sentence)
        self.status = status


class _Object(tuple[tuple[str, Any], ...]):
    """The pairs of an object as they stand, a name that comes twice among them."""

    __slots__ = ()


def text_of(request: HttpRequest) -> str:
    """The text, as it was sent. Documented: the body is optional, and so is its one field.

    Raise BadBody.
    """
    if request.headers.get("Content-Encoding", "identity").strip().lower() not in ("identity", ""):
        raise BadBody(
            "Content-Encoding is not supported: send the body as it is, uncompressed.", status=415
        )
    if not request.body:
        return ""
    if request.content_type != "application/json":
        raise BadBody("Content-Type must be application/json")
    given = [value for name, value in _object_in(request.body) if name == "text"]
    if len(given) > 1:
        raise BadBody("text: stands in the body twice")
    text = given[0] if given else ""
    if not isinstance(text, str):
        raise BadBody("text: Input should be a valid string")
    if len(text) > texts.MAX_CHARACTERS:
        raise BadBody(f"text: String should have at most {texts.MAX_CHARACTERS} characters")
    return text


def _object_in(body: bytes) -> _Object:
    try:
        content = json.loads(
            body.decode("utf-8-sig"),
            object_pairs_hook=_Object,
            # No number is ours to read, however long it is; and NaN is none of JSON's.
            parse_int=_number,
            parse_float=_number,
            parse_constant=_no_constant,
        )
    except (ValueError, RecursionError):
        raise BadBody(_UNREADABLE) from None
    if not isinstance(content, _Object):
        raise BadBody(_UNREADABLE)
    return content


def _number(_written: str) -> None:
    return None


def _no_constant(written: str) -> None:
    raise ValueError(written)
