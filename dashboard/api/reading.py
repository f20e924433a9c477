"""What a request says, read strictly: what is unknown or odd is named, never dropped."""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

import msgspec
from django.http import HttpRequest, UnreadablePostError

from dashboard.api.schemas import Mistake
from dashboard.doors.replies import JSON, BadRequest, Reply
from routines.values.redaction import redact_tokens

_Shape = TypeVar("_Shape", bound=msgspec.Struct)

_NOTHING = "Nothing was done."
_MOST_NAMED = 20  # mistakes of one request
_LONGEST_NAME = 60
_WHERE = re.compile(r"^(?P<what>.*?)(?: - at `\$(?P<path>.*)`)?$", re.DOTALL)
_NOT_THE_KIND = re.compile(r"Expected `(\w+)(?: \| \w+)*`, got `(\w+)`")
_TOO_LONG = re.compile(r"Expected `str` of length <= (\d+)")
_BOUND = re.compile(r"Expected `int` (<=|>=) (\d+)")
_KINDS = {
    "str": "a string",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "null": "null",
    "object": "an object",
    "array": "an array",
}


def body(request: HttpRequest, shape: type[_Shape]) -> _Shape:
    """Raise BadRequest."""
    content = _json(request)
    if not isinstance(content, dict):
        raise _wrong([Mistake("The body has to be a JSON object.", pointer="#")])
    unknown = _unknown(content, shape)
    odd = [
        (name, key)
        for name, value in content.items()
        if isinstance(value, dict)
        for key, one in value.items()
        if not isinstance(one, str)
    ]
    if unknown or odd:
        # A megabyte holds a hundred thousand of them: no more is made of them than is told.
        mistakes = [
            Mistake(f"“{_short(name)}” is not known here. Take it out.", pointer=_pointer(name))
            for name in unknown[:_MOST_NAMED]
        ]
        mistakes += [
            Mistake("This has to be a string.", pointer=_pointer(*path))
            for path in odd[:_MOST_NAMED]
        ]
        raise _wrong(mistakes, in_all=len(unknown) + len(odd))
    try:
        return msgspec.convert(content, shape)
    except msgspec.ValidationError as error:
        path, sentence = _said(error)
        raise _wrong([Mistake(sentence, pointer=_pointer(*path))]) from None


def no_body(request: HttpRequest) -> None:
    """Raise BadRequest if there is one."""
    if _bytes(request) and _json(request) != {}:
        raise _wrong([Mistake("This address takes no body. Leave it out.", pointer="#")])


def query(request: HttpRequest, shape: type[_Shape] | None) -> _Shape | None:
    """What stands behind the address. Raise BadRequest."""
    given = {name: request.GET.getlist(name) for name in request.GET}
    known = {one.encode_name for one in msgspec.structs.fields(shape)} if shape else set()
    mistakes = [
        Mistake(f"“{_short(name)}” is not known here. Take it out.", parameter=_short(name))
        for name in given
        if name not in known
    ]
    mistakes += [
        Mistake("This stands here more than once.", parameter=name)
        for name, values in given.items()
        if name in known and len(values) > 1
    ]
    mistakes += [
        Mistake("This holds a NUL character. Take it out.", parameter=name)
        for name, values in given.items()
        if name in known and "\0" in values[0]
    ]
    if mistakes:
        raise _wrong(mistakes)
    if shape is None:
        return None
    try:
        return msgspec.convert(
            {name: values[0] for name, values in given.items()}, shape, strict=False
        )
    except msgspec.ValidationError as error:
        path, sentence = _said(error)
        raise _wrong([Mistake(sentence, parameter=path[0])]) from None


def refused(sentences: Mapping[str, str], *, within: str = "") -> BadRequest:
    """For what only the domain can tell: a sentence for each member of the body, by its name.

    `within`: the member that they stand in.
    """
    return _wrong(
        Mistake(sentence, pointer=_pointer(*filter(None, (within, name))))
        for name, sentence in sentences.items()
    )


def bad_parameter(name: str, sentence: str) -> BadRequest:
    return _wrong([Mistake(sentence, parameter=name)])


def _wrong(mistakes: Iterable[Mistake], *, in_all: int = 0) -> BadRequest:
    found = list(mistakes)
    count = in_all or len(found)
    more = f" There are {count:,} mistakes in all." if count > 1 else ""
    sentence = f"{found[0].detail}{more} Nothing was done."
    return BadRequest(Reply(422, sentence, {}, {"errors": found[:_MOST_NAMED]}))


def _json(request: HttpRequest) -> Any:
    content = _bytes(request)
    if not content:
        raise BadRequest(Reply(400, "The body is missing. Send a JSON object. Nothing was done."))
    if request.headers.get("Content-Encoding", "identity").strip().lower() not in ("identity", ""):
        raise BadRequest(Reply(415, f"Send the body uncompressed. {_NOTHING}"))
    if request.content_type != JSON:
        raise BadRequest(
            Reply(415, f"Send the body as JSON, with Content-Type: {JSON}. {_NOTHING}")
        )
    try:
        return json.loads(
            content.decode(),
            object_pairs_hook=_object,
            # No number is ours to read, however long it is; and NaN is none of JSON's.
            parse_int=lambda _: 0,
            parse_float=lambda _: 0.5,
            parse_constant=_no_constant,
        )
    except _Twice as twice:
        sentence = f"“{_short(str(twice))}” stands here twice. Keep one."
        raise _wrong([Mistake(sentence, pointer="#")]) from None
    except (ValueError, RecursionError):
        raise BadRequest(
            Reply(400, f"The body could not be read as JSON in UTF-8. {_NOTHING}")
        ) from None


class _Twice(Exception):
    """A name that stands in one object twice: which one is meant?"""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise _Twice(name)
        for one in (name, value):
            if isinstance(one, str):
                one.encode()  # half of a character (a lone surrogate) cannot be kept
        found[name] = value
    return found


def _no_constant(written: str) -> None:
    raise ValueError(written)


def _bytes(request: HttpRequest) -> bytes:
    try:
        return request.body
    except UnreadablePostError:
        raise BadRequest(Reply(400, "The body was cut short. Nothing was done.")) from None


def _unknown(content: Mapping[str, Any], shape: type[msgspec.Struct]) -> list[str]:
    known = {one.encode_name for one in msgspec.structs.fields(shape)}
    return [name for name in content if name not in known]


def _said(error: msgspec.ValidationError) -> tuple[list[str], str]:
    """Where it is, and a sentence: msgspec's own are for who wrote the shape."""
    found = _WHERE.match(str(error))
    what, path = (found["what"], found["path"] or "") if found else (str(error), "")
    names = [name for name in path.split(".") if name]
    if match := _NOT_THE_KIND.match(what):
        expected, got = (_KINDS.get(kind, kind) for kind in match.groups())
        return names, f"This has to be {expected}, and it is {got}."
    if match := _TOO_LONG.match(what):
        return names, f"This may have {int(match[1]):,} characters at most. Shorten it."
    if match := _BOUND.match(what):
        return names, f"This may be {match[2]} at {'most' if match[1] == '<=' else 'least'}."
    if what.startswith("Invalid enum value"):
        return names, "This is none of the values that the document lists."
    return names, "This is not what the document says."


def _pointer(*path: str) -> str:
    steps = [step.replace("~", "~0").replace("/", "~1") for step in map(_short, path)]
    return "/".join(["#", *steps])


def _short(name: str) -> str:
    return redact_tokens(name)[:_LONGEST_NAME]  # cut, one would not be recognised
