"""Whether a text is JSON, and where it is not. It is sent as a string either way."""

import json
import re
from dataclasses import dataclass
from typing import NoReturn

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
        return JsonProblem(error.msg.removesuffix(" at"), error.lineno, error.colno)
    except _Constant as constant:
        return _at(text, _position(text), f"{constant} is no JSON")
    except RecursionError:
        return JsonProblem("It is nested too deeply", 1, 1)
    return None


def _refuse(constant: str) -> NoReturn:
    raise _Constant(constant)


def _position(text: str) -> int:
    found = (match for match in _STRING_OR_CONSTANT.finditer(text) if match[0][0] != '"')
    return next(found).start()


def _at(text: str, position: int, what: str) -> JsonProblem:
    line_start = text.rfind("\n", 0, position) + 1
    return JsonProblem(what, text.count("\n", 0, position) + 1, position - line_start + 1)
