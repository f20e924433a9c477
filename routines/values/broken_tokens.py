"""Tokens with a line break, a blank or a joined string inside, as wrapping and copying make them.

The prefix gives away where one begins. A text may also just mention the prefix, so what follows it
behind a gap counts only if it looks like a piece of a token, not like the next word.
"""

import re
from collections.abc import Iterator
from itertools import takewhile
from typing import NamedTuple

from routines.values.pasted_text import DASHES, INVISIBLE

# Blanks and line breaks, quotes and signs that join strings, marks of a quoted mail, and line
# breaks that are written out.
_GAP_CHARACTERS = " \t\r\n\x0b\x0c\"'`+\\>|,*\x00"
_GAP = rf"(?:\\[nrt]|[{re.escape(_GAP_CHARACTERS)}])"
_DELETED = _GAP_CHARACTERS.encode()
_NEXT = re.compile(rf"({_GAP}{{0,80}})([a-z0-9\-._~/]+=*)", re.IGNORECASE | re.ASCII)
_LONGEST_PLAIN_WORD = 20
_ENOUGH = 8  # characters behind the prefix: no mention of it has as many
_OTHER_ID = re.compile(r"(?:trig|routine|session|cse|req)_|https?:|.*/", re.ASCII)
_JOINT = re.compile(r"[-_.~/=]+")
_LETTER = 2  # characters of a piece at the most where the letters stand apart
_PLACEHOLDER = re.compile(r"[xX._~/-]*|token|(?:your|my)[-_].*", re.IGNORECASE)


class _Piece(NamedTuple):
    gap: str
    text: str
    end: int


def visible(text: str) -> str:
    """`text` without invisible characters, its dashes as plain hyphens."""
    return text if text.isascii() else DASHES.sub("-", INVISIBLE.sub("", text))


def may_stand_in(text: str, prefix: str) -> bool:
    """A quick look at `text`, of which nearly none holds a token."""
    if not text.isascii():
        text = DASHES.sub("-", text)
    raw = text.encode("ascii", "ignore").lower()
    for escaped in (b"\\n", b"\\r", b"\\t"):
        raw = raw.replace(escaped, b"")
    return prefix.encode() in raw.translate(None, _DELETED)


def spans(text: str, prefix: str) -> Iterator[tuple[int, int]]:
    """Where tokens with a gap inside stand in `text`, which is `visible`."""
    pattern, at = _with_gaps(prefix), 0
    while start := pattern.search(text, at):
        end = _end(text, start.end(), is_broken=start[0].lower() != prefix)
        if end is not None:
            yield start.start(), end
        at = end or start.end()


def _with_gaps(prefix: str) -> re.Pattern[str]:
    between = f"{_GAP}{{0,40}}"
    return re.compile(between.join(map(re.escape, prefix)), re.IGNORECASE | re.ASCII)


def _end(text: str, at: int, *, is_broken: bool) -> int | None:
    """Where the token whose prefix ends at `at` ends; None if that is a mere mention."""
    apart = list(takewhile(lambda piece: len(piece.text) <= _LETTER, _pieces(text, at)))
    if len(apart) >= _ENOUGH:
        return apart[-1].end
    length, end, before = 0, at, 0
    for piece in _pieces(text, at):
        size = len(piece.text)
        if not (
            (not piece.gap and not _PLACEHOLDER.fullmatch(piece.text))
            or (length < _ENOUGH and (is_broken or (length and "\n" in piece.gap)))
            or _looks_random(piece.text)
            or (size == before and size > _LETTER)  # wrapped at a fixed width
        ):
            break
        length, end, before = length + size, piece.end, size
    return end if length >= _ENOUGH else None


def _pieces(text: str, at: int) -> Iterator[_Piece]:
    while match := _NEXT.match(text, at):
        at = match.end()
        yield _Piece(match[1], match[2], at)


def _looks_random(piece: str) -> bool:
    """Neither a word, nor words and numbers that are joined, as in a version, nor another ID."""
    if len(piece) < 4 or _OTHER_ID.match(piece):
        return False
    return any(map(_is_random, _JOINT.split(piece)))


def _is_random(part: str) -> bool:
    inner = part[1:]
    has_both = any(map(str.isdigit, part)) and any(map(str.isalpha, part))
    is_mixed = inner != inner.lower() and inner != inner.upper()
    return len(part) > _LONGEST_PLAIN_WORD or (len(part) > 2 and (has_both or is_mixed))
