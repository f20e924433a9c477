"""Reading one value of the file: a node of YAML in, a plain value out, or a sentence.

Values are read from the nodes themselves and not as YAML 1.1 would take them: where a text is
expected, `no`, `12` and `2023-06-01` are the texts that they look like.
"""

import re
from collections.abc import Callable, Collection
from typing import Any

import yaml
from django.core.exceptions import ValidationError
from django.db import models

from routines.models import Routine, columns
from routines.registry import slugs
from routines.registry.snapshots import EVERYBODY
from routines.values import texts, tokens

_PLAIN_TAGS = {
    f"tag:yaml.org,2002:{name}"
    for name in ("str", "int", "float", "bool", "null", "timestamp", "value", "merge")
}
_WHOLE_NUMBER = re.compile(r"0|[1-9][0-9]{0,9}", re.ASCII)
_LARGEST = 2_147_483_647  # what the databases hold
_TOKEN = re.compile(re.escape(tokens.PREFIX) + r"(?![xX]{8})[A-Za-z0-9_~+/.-]{8}", re.ASCII)

DO_NOT_SEND = "do not send"  # no version could be spelt so
DEFAULT = "default"
NOBODY = "nobody"  # as EVERYBODY, instead of a list of groups

Reader = Callable[[yaml.Node], Any]


class Unreadable(ValueError):
    """`str()` is a sentence that says what to write instead."""


def holds_a_token(text: str) -> bool:
    """True if `text` holds more of a token than its documented beginning or placeholder."""
    return _TOKEN.search(text) is not None


def raw(node: yaml.Node) -> str:
    """The text of a scalar, as it would be typed."""
    if not isinstance(node, yaml.ScalarNode):
        raise Unreadable("One value belongs here, not a list and not fields.")
    if node.tag not in _PLAIN_TAGS:
        raise Unreadable("Tags of YAML (!...) have no meaning here. Write the plain value.")
    value: str = node.value
    if holds_a_token(value):
        raise Unreadable(
            "A token stands here. Tokens never stand in this file: take it out, and regenerate "
            "it at claude.ai, since others may have seen the file."
        )
    return value


def text(longest: int, *, may_be_empty: bool = False) -> Reader:
    def read(node: yaml.Node) -> str:
        value = raw(node)
        if _is_null(node) or (not may_be_empty and not value.strip()):
            raise Unreadable("A text belongs here. An empty one is written ''.")
        if any(character in "\x00\r\n" or _is_surrogate(character) for character in value):
            raise Unreadable("This text has to be one line, of characters that can be stored.")
        if len(value) > longest:
            raise Unreadable(f"This is too long: {len(value):,} of at most {longest:,} characters.")
        return value

    return read


def column(model: type[models.Model], name: str) -> Reader:
    """Reads what this column of the database holds, by its kind, length, choices and validators."""
    field = columns.column(model, name)
    if isinstance(field, models.BooleanField):
        return switch
    if isinstance(field, models.PositiveIntegerField):
        return limit if field.null else number
    if field.choices:
        return one_of([value for value, _label in field.flatchoices])
    of_one_line = text(columns.max_length(model, name), may_be_empty=field.blank)

    def read(node: yaml.Node) -> str:
        value: str = of_one_line(node)
        try:
            field.run_validators(value)
        except ValidationError as error:
            raise Unreadable(" ".join(error.messages)) from None
        return value

    return read


def slug(node: yaml.Node) -> str:
    value: str = text(columns.max_length(Routine, "slug"))(node)
    try:
        slugs.check(value)
    except slugs.SlugRefused as refused:
        raise Unreadable(str(refused)) from None
    return value


def body(node: yaml.Node) -> str:
    """Of a text template: any text that can be sent."""
    value = raw(node)
    if _is_null(node):
        raise Unreadable("A text belongs here. An empty one is written ''.")
    try:
        texts.check(value)
    except texts.TextRefused as refused:
        raise Unreadable(str(refused)) from None
    return value


def number(node: yaml.Node) -> int:
    value = raw(node)
    if not _WHOLE_NUMBER.fullmatch(value) or int(value) > _LARGEST:
        raise Unreadable(f"A whole number from 0 to {_LARGEST:,} belongs here.")
    return int(value)


def limit(node: yaml.Node) -> int | None:
    if raw(node) == DEFAULT:
        return None
    try:
        return number(node)
    except Unreadable:
        raise Unreadable(
            f"A whole number belongs here, or {DEFAULT} for the dashboard's own; 0 shows none."
        ) from None


def switch(node: yaml.Node) -> bool:
    value = raw(node)
    if value not in ("true", "false"):
        raise Unreadable("Write true or false.")
    return value == "true"


def one_of(known: Collection[str]) -> Reader:
    def read(node: yaml.Node) -> str:
        value = raw(node)
        if value not in known:
            raise Unreadable(f"Write one of these: {', '.join(known)}.")
        return value

    return read


def open_to_word(node: yaml.Node) -> str:
    """What stands there instead of a list of groups."""
    value = raw(node)
    if value not in (EVERYBODY, NOBODY):
        raise Unreadable(f"A list belongs here, like [Crew] or [], or {EVERYBODY} or {NOBODY}.")
    return value


def version(model: type[models.Model], name: str) -> Reader:
    """A header version; empty for `do not send`. Whether it is known, the database says."""
    of_one_line = text(columns.max_length(model, name))
    may_be_left_out = columns.column(model, name).blank

    def read(node: yaml.Node) -> str:
        value: str = of_one_line(node)
        if value != DO_NOT_SEND:
            return value
        if not may_be_left_out:
            raise Unreadable("This header has to be sent. Write a version.")
        return ""

    return read


def _is_null(node: yaml.Node) -> bool:
    return bool(node.tag == "tag:yaml.org,2002:null")


def _is_surrogate(character: str) -> bool:
    return "\ud800" <= character <= "\udfff"
