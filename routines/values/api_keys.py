"""API keys as values: how one looks, how it is recognised, and what is stored of it.

`rdk_` + 40 random characters + 6 that check them. The prefix tells a secret scanner, and our own
redaction, what it has found; the check tells a misread or cut key from a wrong one without a query.
A key is random, so a plain digest is enough: there is nothing to guess.
"""

import hashlib
import re
import secrets
import zlib

PREFIX = "rdk_"
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_RANDOM = 40  # characters: 238 bits
_CHECK = 6  # characters: CRC-32 in base 62
LENGTH = len(PREFIX) + _RANDOM + _CHECK
PATTERN = rf"{PREFIX}[0-9A-Za-z]{{{_RANDOM + _CHECK}}}"
_SHAPE = re.compile(PATTERN, re.ASCII)


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


def _check_of(random: str) -> str:
    number, written = zlib.crc32(random.encode()), ""
    for _ in range(_CHECK):
        number, digit = divmod(number, len(_ALPHABET))
        written = _ALPHABET[digit] + written
    return written
