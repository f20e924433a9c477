"""A body and values in, text out: one pass, so what a value holds is never looked at again."""

import json
import re
from collections.abc import Mapping

LONGEST_NAME = 40
_MOST_PUT_IN = 262_144  # characters, of all values together; a text has 65,536
NAME = re.compile(rf"[A-Za-z][A-Za-z0-9_]{{0,{LONGEST_NAME - 1}}}", re.ASCII)
_PLACEHOLDER = re.compile(rf"\{{\{{[ \t]*({NAME.pattern})[ \t]*\}}\}}", re.ASCII)
# {{ "{{ user }}" }}, as Helm and Jinja write it: sent as {{ user }}, and no field.
_LITERAL = re.compile(r"""\{\{[ \t]*(["'])(\{\{[^{}\n]{0,200}\}\})\1[ \t]*\}\}""")
_LITERAL_OR_PLACEHOLDER = re.compile(rf"{_LITERAL.pattern}|{_PLACEHOLDER.pattern}", re.ASCII)
# What somebody may have meant for one: {{ ticket-id }}, {{}}, {{ a.b }}.
_LIKE_ONE = re.compile(r"\{\{[^{}\n]{0,60}\}\}")

# Names that are a run's own, so that no field may have them: what it starts from, which run it
# repeats, its text, its one-time key and its reason.
RESERVED = frozenset({"template", "again", "text", "fresh", "key", "why"})


def names_in(body: str) -> list[str]:
    """The names that stand in `body`, each once, in the order of the text."""
    found = (match[1] for match in _PLACEHOLDER.finditer(_without_literals(body)))
    return [name for name in dict.fromkeys(found) if name not in RESERVED]


def render(body: str, values: Mapping[str, str], *, as_json: bool = False) -> str:
    """Put `values` in the places of their names; a name without a value stays as it stands.

    `as_json`: each value is escaped as the contents of a JSON string. Of a text that has grown far
    too long to be sent the rest is left as it stands: a name may be there thousands of times.
    """
    room = _MOST_PUT_IN

    def put_in(match: re.Match[str]) -> str:
        nonlocal room
        literal, name = match[2], match[3]
        if literal is not None:
            return literal
        value = values.get(name)
        if value is None or name in RESERVED or room < 0:
            return match[0]
        room -= len(value)
        return _as_string_contents(value) if as_json else value

    return _LITERAL_OR_PLACEHOLDER.sub(put_in, body)


def keep_literal(text: str, made_from: str) -> str:
    """`text` as a body, with what the body `made_from` says literally said literally again."""
    names = {
        name for match in _LITERAL.finditer(made_from) for name in _PLACEHOLDER.findall(match[2])
    }
    names -= set(names_in(made_from))

    def write(match: re.Match[str]) -> str:
        return f'{{{{ "{match[0]}" }}}}' if match[1] in names else match[0]

    return _PLACEHOLDER.sub(write, text)


def odd_placeholders(body: str) -> list[str]:
    """What looks like a field and is none: it is sent as it stands."""
    known = {f"{{{{{name}}}}}" for name in names_in(body)}
    found = dict.fromkeys(match[0] for match in _LIKE_ONE.finditer(_without_literals(body)))
    return [odd for odd in found if re.sub(r"[ \t]", "", odd) not in known]


def _without_literals(body: str) -> str:
    return _LITERAL.sub("\0", body)  # so that what stands around one does not come together


def _as_string_contents(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)[1:-1]
