"""API keys as values: how one looks, how it is recognised, and what is stored of it.

`rdk_` + 40 random characters + 6 that check them. The prefix tells a secret scanner, and our own
redaction, what it has found; the check tells a misread or cut key from a wrong one without a query.
A key is random, so a plain digest is enough: there is nothing to guess.
"""

import hashlib
import re
import secrets
import zlib
from collections.abc import Iterator

from routines.values.pasted_text import INVISIBLE

PREFIX = "rdk_"
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_RANDOM = 40  # characters: 238 bits
_CHECK = 6  # characters: CRC-32 in base 62
LENGTH = len(PREFIX) + _RANDOM + _CHECK
PATTERN = rf"{PREFIX}[0-9A-Za-z]{{{_RANDOM + _CHECK}}}"
_SHAPE = re.compile(PATTERN, re.ASCII)

# As much of one as gives it away: a key that is cut, or has a letter wrong, is as good as whole to
# whoever finds it. At the start of a word, since a long signed value may hold this by chance.
_PART = re.compile(rf"(?<![0-9A-Za-z_-]){PREFIX}[0-9A-Za-z]{{16,}}", re.ASCII)
# Wrapped, quoted, spaced: what stands between its characters then. Only a check that is right
# tells such a key from words.
_GAP = r"""[\s"'`+\\>|,*]{0,8}"""
_APART = re.compile(
    _GAP.join(re.escape(letter) for letter in PREFIX)
    + rf"(?:{_GAP}[0-9A-Za-z]){{{_RANDOM + _CHECK}}}",
    re.ASCII,
)
_GAPS = re.compile(r"[^0-9A-Za-z_]", re.ASCII)
_WRITTEN_GAP = re.compile(r"\\[nrt]")


class Secret:
    """What a caller proves itself with. Its text is never shown by accident."""

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """For the one page that shows it, once."""
        return self._text

    @property
    def digest(self) -> str:
        """What is stored: hexadecimal SHA-256."""
        return hashlib.sha256(self._text.encode()).hexdigest()

    @property
    def last_four(self) -> str:
        return self._text[-4:]

    def __repr__(self) -> str:
        return "Secret(…)"

    __str__ = __repr__


def make() -> Secret:
    random = "".join(secrets.choice(_ALPHABET) for _ in range(_RANDOM))
    return Secret(PREFIX + random + _check_of(random))


def read(text: str) -> Secret | None:
    """None: this is no key of ours, or one that was cut or misread."""
    if len(text) != LENGTH or not _SHAPE.fullmatch(text):
        return None
    random, check = text[len(PREFIX) : -_CHECK], text[-_CHECK:]
    return Secret(text) if check == _check_of(random) else None


def contains_key(text: str) -> bool:
    """True if a key of ours stands in what somebody typed: whole, cut, or with gaps inside."""
    if "_" not in text:
        return False
    visible = INVISIBLE.sub("", text)
    return _PART.search(visible) is not None or any(True for _ in _whole(visible))


def without_keys(text: str, *, mask: str, parts: bool = False) -> str:
    """`text` with `mask` in the place of each key, and of each part of one if asked to."""
    if "_" not in text:
        return text
    visible = INVISIBLE.sub("", text)
    found, at = list(_whole(visible)), 0
    if found:
        pieces = []
        for start, end in found:
            pieces += [visible[at:start], mask]
            at = end
        text = visible = "".join([*pieces, visible[at:]])
    return _PART.sub(mask, visible) if parts and _PART.search(visible) else text


def _whole(text: str) -> Iterator[tuple[int, int]]:
    """Where keys stand whose check is right, broken over lines or spaced as they may be."""
    for found in _APART.finditer(_WRITTEN_GAP.sub("  ", text)):  # as long as before
        if read(_GAPS.sub("", found[0])) is not None:
            yield found.span()


def _check_of(random: str) -> str:
    number, written = zlib.crc32(random.encode()), ""
    for _ in range(_CHECK):
        number, digit = divmod(number, len(_ALPHABET))
        written = _ALPHABET[digit] + written
    return written
