"""What shells, chats and word processors put around and into what people paste.

A token or an ID is found by its own pattern, so nothing here knows any program's grammar: only
which characters cannot belong to a value, and what behind it might be its rest.
"""

import re
import unicodedata

# What chat programs and word processors put between letters, and nobody sees.
INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufe00-\ufe0f\ufeff]"
)
# Hyphens and dashes that a word processor makes of a plain hyphen.
DASHES = re.compile("[\u2010-\u2015\u2212\ufe58\ufe63\uff0d]")
# No ID, URL or version has one of these: quotes and brackets of all kinds, and what joins parts.
# Written to stand inside a set of a pattern.
DELIMITERS = (
    "\"'`<>(){},;|\\\\^\u00ab\u00bb\u2018-\u201f\u2039\u203a\u3001-\u3011\uff08\uff09\uff0c\uff1b"
)
_ENDS = frozenset("\"'`<>(){}[],;:!?|\\^&*")

_HTML_ENTITY = re.compile(r"&(?:quot|apos|lt|gt|amp|nbsp|#0?3[49]|#x2[27]);", re.IGNORECASE)
_MARKDOWN_ESCAPE = re.compile(r"\\(?=[-_.~+/])")
_WRITTEN_LINE_BREAK = re.compile(r"(?:\\r)?\\[nt]")

# White space, signs that continue a line, marks of a quoted mail; or a string joined to the next.
_GAP = re.compile(
    r"[\"'\u201d\u2019][ \t]{0,9}[+&.\\`^]?[ \t]{0,9}\r?\n\s{0,40}[+&.]?\s{0,40}[\"'\u201c\u2018]"
    r"|[\"'\u201d\u2019]\s{0,40}[+&]\s{0,40}[\"'\u201c\u2018]"
    r"|(?:\s|[\\`^](?=\s)|(?<=\s)>)+"
)
_PIECE = re.compile(r"[A-Za-z0-9\-._~+/]+=*", re.ASCII)
_NAME = re.compile(r"[\"'\u201d\u2019\])]*[ \t]*[:=]")  # behind a piece that names something
_NO_REST = re.compile(
    r"trig_.*|routine_.*|sk-ant-.*|.*/routines/.*|HTTP/[0-9.]+"
    r"|-[A-Za-z]|--[a-z][a-z0-9-]+|-(?:[A-Z][a-z]+)+|-X[A-Z]+"  # options
    r"|anthropic[-_](?:beta|version)|[A-Z][a-z]+(?:-[A-Z][a-z]+)+"  # headers
    r"|[A-Z]{2,8}|[^A-Za-z0-9]*|[0-9]{1,2}\.?|(?:[a-z]+-)*[0-9]{4}-[0-9]{2}-[0-9]{2}",
    re.ASCII,
)
_WORD = re.compile(r"[A-Z]?[a-z]{2,20}", re.ASCII)


def plain(text: str) -> str:
    """`text` without escapes: HTML's, Markdown's, and line breaks written as a backslash and n."""
    text = _HTML_ENTITY.sub('"', text)
    text = _MARKDOWN_ESCAPE.sub("", text)
    return _WRITTEN_LINE_BREAK.sub(" ", text)


def ends_value(character: str) -> bool:
    """True if `character` (empty: the end of the text) closes an ID or a token in front of it."""
    if not character or character.isspace() or character in _ENDS or INVISIBLE.match(character):
        return True
    return not character.isascii() and unicodedata.category(character)[0] == "P"


def may_go_on(text: str, end: int, *, alone: bool) -> bool:
    """True if what stands behind the value that ends at `end` may be the rest of it.

    `alone`: the value was asked for on its own, so a plain word behind it may be, too.
    """
    gap = _GAP.match(text, end)
    piece = _PIECE.match(text, gap.end()) if gap else None
    if piece is None or not ends_value(text[piece.end() : piece.end() + 1]):
        return False
    if _NAME.match(text, piece.end()) or _NO_REST.fullmatch(piece[0]):
        return False
    return alone or _WORD.fullmatch(piece[0].rstrip(".")) is None
