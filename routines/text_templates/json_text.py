"""Whether a text is JSON, and where it is not. It is sent as a string either way."""

import json
import re
import unicodedata
from dataclasses import dataclass
from typing import NoReturn

from routines.values.pasted_text import INVISIBLE

_CURLY = re.compile("[\u2018-\u201f\u00ab\u00bb\u2039\u203a\u300c-\u300f\uff02]")
_NO_SPACE = re.compile(r"[^ \t\n\r]")
_CONTROL = {"\t": "a tab", "\n": "a line break", "\r": "a line break"}
# Python reads these as numbers; JSON knows none of them.
_STRING_OR_CONSTANT = re.compile(r'"(?:\\.|[^"\\])*"|-?Infinity|NaN')


@dataclass(frozen=True)
class JsonProblem:
    what: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.what} in line {self.line}, column {self.column}"


class _Constant(ValueError):
    pass


def json_problem(text: str) -> JsonProblem | None:
    """None if all of `text` is one JSON value, as the standard has it."""
    try:
        # Numbers stay text: their size is nobody's business here.
        json.loads(text, parse_int=str, parse_float=str, parse_constant=_refuse)
    except json.JSONDecodeError as error:
        return _odd_sign(text, error) or JsonProblem(
            error.msg.removesuffix(" at"), error.lineno, error.colno
        )
    except _Constant as constant:
        return _at(text, _position(text), f"{constant} is no JSON")
    except RecursionError:
        return JsonProblem("It is nested too deeply", 1, 1)
    return None


def _odd_sign(text: str, error: json.JSONDecodeError) -> JsonProblem | None:
    """The sign that keeps the text from being JSON and that nobody sees, or takes for another."""
    if error.msg.startswith("Unterminated string"):  # its end may be a curly one
        found = _CURLY.search(text, error.pos)
        return _at(text, found.start(), _said(found[0])) if found else None
    if error.msg.startswith("Invalid control character"):
        return _at(text, error.pos, _said(text[error.pos]))
    found = _NO_SPACE.search(text, error.pos)
    what = _said(found[0]) if found else ""
    return _at(text, found.start(), what) if found and what else None


def _said(sign: str) -> str:
    """What to say of a sign that JSON does not take outside of its strings; empty: nothing."""
    code = f"U+{ord(sign):04X}"
    name = unicodedata.name(sign, "").lower()
    if sign == "\ufeff":
        return f"an invisible byte-order mark ({code}), which some editors put into files, stands"
    if sign in _CONTROL:
        return f"{_CONTROL[sign]} stands inside a string; write {json.dumps(sign)[1:-1]} for it,"
    if INVISIBLE.match(sign) or unicodedata.category(sign) in ("Cc", "Cf"):
        return f"an invisible sign, {name or 'a control character'} ({code}), stands"
    if sign.isspace():
        return f"a space that JSON does not take, {name} ({code}), stands"
    if _CURLY.match(sign):
        return f'a curly quotation mark, {sign} ({code}), stands instead of a straight one, ",'
    if sign in "'`´":
        return f'the quotation mark {sign} stands instead of a straight double one, ",'
    if not sign.isascii():
        return f"the sign {sign} ({name or 'without a name'}, {code}) stands outside of a string"
    return ""


def _refuse(constant: str) -> NoReturn:
    raise _Constant(constant)


def _position(text: str) -> int:
    found = (match for match in _STRING_OR_CONSTANT.finditer(text) if match[0][0] != '"')
    return next(found).start()


def _at(text: str, position: int, what: str) -> JsonProblem:
    line_start = text.rfind("\n", 0, position) + 1
    return JsonProblem(what, text.count("\n", 0, position) + 1, position - line_start + 1)
