"""Does an answer name a session? Looked for everywhere, since none may be lost.

The documented place is two fields at the top of the document. But an answer may be shaped
otherwise, be an error that names a session all the same, or be broken off: whatever is found makes
the difference between "nothing was started" and a second session. See docs/decisions/0020.
"""

import html
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from routines.values import session_links

ID, URL = "claude_code_session_id", "claude_code_session_url"
# In running text a name must look like one: `session_limit` and `session_5h_limit` are words.
_NAME_IN_TEXT = re.compile(
    r"(?<![A-Za-z0-9_])((?:session|cse)_(?:(?=[A-Za-z]{0,80}[0-9])[A-Za-z0-9]{1,80}"
    # Dashes join words, too, but none as long.
    r"|(?=[A-Za-z-]{0,80}[0-9])(?=[A-Za-z0-9-]{0,80}[A-Z0-9]{10})[A-Za-z0-9-]{1,80}))"
    r"(?![A-Za-z0-9_]|-[A-Za-z0-9_])",
    re.ASCII,
)
_ADDRESS = re.compile(rf"{session_links.ADDRESS}(?![A-Za-z0-9_-])", re.ASCII)
_SESSION_FIELD = re.compile(r"\w*session_?(id|url|uri|link)", re.ASCII | re.IGNORECASE)
_ESCAPED = re.compile(r"\\u00([0-9a-f]{2})", re.IGNORECASE)
_LAYERS = 3  # of what a page, an address or a document within a document hides letters in
_DEEPEST = 50


@dataclass(frozen=True)
class Named:
    """What an answer calls its session; nothing of it is trusted, redacted or cut."""

    session_id: str = ""
    session_url: str = ""
    # The two fields stand where they are documented.
    is_documented: bool = False
    # It stands in a document that was read as a whole, not in some text.
    is_read: bool = False

    def __bool__(self) -> bool:
        return bool(self.session_id or self.session_url)


def find(document: Any, text: str, headers: Mapping[str, str], *, sent: str) -> Named:
    """`document`: the body's JSON, None if it is none; `text`: the body itself.

    `sent`: our own text, which an error may repeat: a session that stands in it is not news.
    """
    if isinstance(document, dict):
        top = Named(_text(document.get(ID)), _text(document.get(URL)), True, True)
        if top:
            return top
    if document is None:
        return _first([*_readings(text), *_of_headers(headers)], sent)
    strings = list(_strings(document))
    of_field = {name: value for name, value in reversed(strings) if name in (ID, URL) and value}
    if of_field:
        session_id, url = of_field.get(ID, ""), of_field.get(URL, "")
        is_read = session_links.is_name(session_id) or session_links.is_safe(url)
        return Named(session_id, url, is_read=is_read)
    for name, value in strings:  # such as "session": "session_..."
        if "session" in name.lower() and session_links.is_name(value) and value not in sent:
            return Named(session_id=value, session_url=_address_of(value, strings), is_read=True)
    found = _first([value for _, value in strings], sent, is_read=True)
    if not found:  # what reading the document leaves out: names of fields, fields that come twice
        found = _first([*_of_headers(headers), *_readings(text)], sent)
    return found or _oddly_named(strings, sent)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _strings(value: Any, name: str = "", depth: int = 0) -> Iterator[tuple[str, str]]:
    """Every string of a document, with the name of the field whose value it is."""
    if isinstance(value, str):
        yield name, value
    elif depth < _DEEPEST:
        if isinstance(value, dict):
            for key, inner in value.items():
                yield from _strings(inner, str(key), depth + 1)
        elif isinstance(value, list):
            for inner in value:
                yield from _strings(inner, "", depth + 1)


def _first(texts: list[str], sent: str, *, is_read: bool = False) -> Named:
    for text in texts:
        for found in _ADDRESS.finditer(text):
            if found.group(1) not in sent:
                return Named(found.group(1), found.group(0), is_read=is_read)
    for text in texts:
        for found in _NAME_IN_TEXT.finditer(text):
            if found.group(1) not in sent:
                return Named(found.group(1), is_read=is_read)
    return Named()


def _readings(text: str) -> Iterator[str]:
    """`text` as it came, and with its escapes undone, layer by layer."""
    text = text.replace("\0", "")  # of letters of two or four bytes
    for _ in range(_LAYERS):
        text = text.replace("\\/", "/")
        yield text
        plain = _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)
        plain = html.unescape(unquote(plain))
        if plain == text:
            return
        text = plain


def _address_of(name: str, strings: list[tuple[str, str]]) -> str:
    for _, value in strings:
        if session_links.normal(session_links.name_in(value)) == session_links.normal(name):
            return value
    return ""


def _of_headers(headers: Mapping[str, str]) -> list[str]:
    """`Location` above all. Cookies have sessions of their own."""
    return [value for name, value in headers.items() if name != "set-cookie"]


def _oddly_named(strings: list[tuple[str, str]], sent: str) -> Named:
    """A field that is called after a session, with something that looks like none."""
    for name, value in strings:
        found = _SESSION_FIELD.fullmatch(name)
        if found and value and value not in sent:
            is_id = found.group(1).lower() == "id"
            return Named(session_id=value) if is_id else Named(session_url=value)
    return Named()
