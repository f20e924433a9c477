"""Reading `.env`: a name and a value a line, as a shell would take them, with nothing to run.

    # a comment
    NAME=value            # blanks around = and behind the value do not count
    export NAME=value
    NAME='as it stands'
    NAME="with \\" and \\\\ escaped"

A `$` is a `$`. What is anything else stops the start: a problem names its line and never repeats
what stands there, since that may be a secret.
"""

import re
from pathlib import Path

_LINE = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)", re.DOTALL)
_QUOTED = re.compile(r"'([^']*)'|\"((?:[^\"\\]|\\.)*)\"", re.DOTALL)
_COMMENT = re.compile(r"(?:^|\s+)#.*", re.DOTALL)
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060\ufeff]")
_ESCAPED = re.compile(r"\\([\"\\$`])")


class Unreadable(ValueError):
    """`str()` says why: a sentence without the file's name in front."""


def read(path: Path) -> dict[str, str]:
    """Raise Unreadable."""
    try:
        # Editors on Windows begin a file with a byte-order mark.
        content = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Unreadable("is not written in UTF-8. Save it anew as UTF-8.") from None
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise Unreadable(
            f"cannot be read ({reason}): check its path, and that the user who runs the dashboard "
            "may read it."
        ) from None
    found: dict[str, str] = {}
    content = content.replace("\r\n", "\n").replace("\r", "\n")
    for number, line in enumerate(content.split("\n"), start=1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        name, value = _parsed(line, number)
        if name in found:
            raise Unreadable(f"sets {name} once more in line {number}. Leave one of them.")
        found[name] = value
    return found


def _parsed(line: str, number: int) -> tuple[str, str]:
    match = _LINE.fullmatch(line)
    if match is None:
        raise Unreadable(f"has no NAME=value in line {number}. What stands there is not repeated.")
    name, value = match.groups()
    if _UNSEEN.search(value):
        raise Unreadable(
            f"holds a sign that is not visible in line {number}, the value of {name}. Type it anew."
        )
    if value[:1] not in ("'", '"'):
        return name, _COMMENT.sub("", value).rstrip()
    quoted = _QUOTED.match(value)
    if quoted is None:
        raise Unreadable(f"has a quote that is not closed in line {number}, the value of {name}.")
    rest = value[quoted.end() :]
    if _COMMENT.sub("", rest).strip():
        raise Unreadable(
            f"has something behind the closing quote in line {number}, the value of {name}."
        )
    plain, escaped = quoted.groups()
    return name, plain if plain is not None else _ESCAPED.sub(r"\1", escaped)
