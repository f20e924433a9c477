"""Whether a text repeats a secret, whatever it was turned into on the way.

Both sides are compared without case and without anything but letters and digits, so that blanks,
line breaks, invisible characters, quotes and marks of any kind between them make no difference.
Escapes are undone first; encodings are compared as they look wherever in a longer text they begin.
"""

import base64
import codecs
import html
import re
import string
import unicodedata
from collections.abc import Iterator
from functools import cached_property

PIECE = 12  # characters of a secret in a row that give too much of it away
_SHORTEST_PIECE = 8  # letters and digits of such a piece
_LONG = 16  # where a byte is two characters or more
_LAYERS = 3  # of escapes within escapes

_NEITHER_LETTER_NOR_DIGIT = re.compile(r"[^a-z0-9]+")
_NOT_HEXADECIMAL = re.compile(r"[^0-9a-f]+")
_BLANK = re.compile(r"\s+")
_ESCAPE = re.compile(
    r"%u00([0-9a-f]{2})|\\u\{0{0,4}([0-9a-f]{2})\}|\\u00([0-9a-f]{2})|\\x([0-9a-f]{2})"
    r"|%([0-9a-f]{2})|=([0-9a-f]{2})|\\([01][0-7]{2})",
    re.IGNORECASE,
)
_OCTAL = 7  # the group of it
# What a page, a terminal or a program writes between the letters, and which is letters itself.
_MARKUP = re.compile(
    r"<[^<>]{0,200}>|\x1b\[[0-9;]{0,20}[a-z]|\\[nrtbf0v]|=\r?\n"
    r"|\"?\b\d{1,4}\b\"?\s?[:=]|(?<=\n)\s{0,9}\d{1,4}[.):|]\s",  # numbers of letters, or of lines
    re.IGNORECASE,
)
# Tags, which nobody sees, and the letters of flags.
_ODD_LETTERS = {0xE0000 + code: chr(code) for code in range(0x20, 0x7F)}
_ODD_LETTERS |= {0x1F1E6 + at: letter for at, letter in enumerate(string.ascii_lowercase)}
_NUMBER = re.compile(r"\d+")
_TOO_MANY_MARKS = re.compile(
    "([\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff]{30})"
    "[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff]+"
)


class Spellings:
    """Pieces of one secret, in all spellings that are looked for."""

    def __init__(self, secret: str) -> None:
        self._secret = secret
        self._raw = secret.encode()

    def stand_in(self, text: str) -> bool:
        """True if `text` holds as much of the secret as gives it away."""
        return any(self._stand_in(view) for view in _views(text))

    def _stand_in(self, text: str) -> bool:
        lower = text.lower()
        squeezed = _NEITHER_LETTER_NOR_DIGIT.sub("", lower)
        if len(squeezed) < _SHORTEST_PIECE:
            return False
        for way in (squeezed, squeezed[::-1]):
            for length, pieces in self._pieces.items():
                if not pieces.isdisjoint(windows(way, length)):
                    return True
        return self._in_hexadecimal(lower) or self._in_numbers(lower) or self._in_punctuation(text)

    def _in_hexadecimal(self, lower: str) -> bool:
        digits = _NOT_HEXADECIMAL.sub("", lower)
        if len(digits) < 2 * PIECE:
            return False
        spellings = {digits, digits.replace("00", "")}
        if "0x" in lower:
            spellings.add(_NOT_HEXADECIMAL.sub("", lower.replace("0x", "")))
        return any(not self._hexadecimal.isdisjoint(windows(way, _LONG)) for way in spellings)

    def _in_numbers(self, lower: str) -> bool:
        """Its bytes as a list of numbers: decimal, octal, or binary."""
        numbers = _NUMBER.findall(lower)
        if len(numbers) < PIECE and "0" * 3 not in lower and "01" not in lower:
            return False
        listed = f" {' '.join(number.lstrip('0') or '0' for number in numbers)} "
        if any(piece in listed for piece in self._numbers):
            return True
        bits = re.sub("[^01]+", "", lower)
        return len(bits) >= 8 * PIECE and any(piece in bits for piece in self._bits)

    def _in_punctuation(self, text: str) -> bool:
        whole = _BLANK.sub("", text)
        return not self._punctuated.isdisjoint(windows(whole, PIECE))

    @cached_property
    def _pieces(self) -> dict[int, set[str]]:
        """By their length."""
        found: dict[int, set[str]] = {}

        def add(spelling: str, length: int, *, every: int) -> None:
            """Each stretch of `length + every - 1` holds one of these."""
            pieces = windows(squeeze(spelling), length, every=every)
            found.setdefault(length, set()).update(pieces)

        for plain in (self._secret, codecs.encode(self._secret, "rot13")):
            for piece in map(squeeze, windows(plain, PIECE)):
                if len(piece) >= _SHORTEST_PIECE:
                    found.setdefault(len(piece), set()).add(piece)
        for spelling in in_base64(self._raw) | in_base64(self._raw[::-1]):
            add(spelling, PIECE, every=1)
            for twice in in_base64(spelling.encode()):
                add(twice, PIECE, every=4)
        for encoded in (
            self._raw.hex().encode(),
            "".join(f"%{byte:02x}" for byte in self._raw).encode(),
            "".join(f"%{byte:02X}" for byte in self._raw).encode(),
            self._secret.encode("utf-16-le"),
            self._secret.encode("utf-16-be"),
        ):
            for spelling in in_base64(encoded):
                add(spelling, _LONG, every=8)
        for spelling in _in_base32(self._raw):
            add(spelling, PIECE, every=4)
        return found

    @cached_property
    def _hexadecimal(self) -> set[str]:
        spellings = [self._raw.hex(), self._raw.hex()[::-1], self._raw.hex().encode().hex()]
        spellings += [spelling.encode().hex() for spelling in in_base64(self._raw)]
        return {piece for one in spellings for piece in windows(one, _LONG, every=8)}

    @cached_property
    def _numbers(self) -> list[str]:
        return [
            f" {' '.join(numbers[at : at + PIECE])} "
            for numbers in ([str(byte) for byte in self._raw], [f"{byte:o}" for byte in self._raw])
            for at in range(len(numbers) - PIECE + 1)
        ]

    @cached_property
    def _bits(self) -> set[str]:
        bytes_in_bits = (
            [f"{byte:08b}" for byte in self._raw],
            [f"{byte:07b}" for byte in self._raw],
        )
        return {
            "".join(bits[at : at + PIECE])
            for bits in bytes_in_bits
            for at in range(len(bits) - PIECE + 1)
        }

    @cached_property
    def _punctuated(self) -> set[str]:
        found: set[str] = set()
        for offset in range(4):
            part = self._raw[offset : offset + (len(self._raw) - offset) // 4 * 4]
            for encode in (base64.a85encode, base64.b85encode):
                found |= windows(encode(part).decode(), PIECE, every=4)
        # Uuencoding: base64 with other letters.
        for spelling in in_base64(self._raw):
            found |= windows(spelling.translate(_UUENCODED), PIECE, every=4)
        return found


def squeeze(text: str) -> str:
    return _NEITHER_LETTER_NOR_DIGIT.sub("", text.lower())


def windows(text: str, length: int, *, every: int = 1) -> set[str]:
    return {text[at : at + length] for at in range(0, len(text) - length + 1, every)}


def in_base64(raw: bytes) -> set[str]:
    """How `raw` looks within base64 of anything that holds it, at each of the three offsets.

    The first and the last characters also carry bits of the neighbours and are left off.
    """
    return {
        base64.b64encode(b"\0" * offset + raw).decode().rstrip("=")[(offset * 8 + 5) // 6 : -1]
        for offset in range(3)
    }


_UUENCODED = str.maketrans(
    string.ascii_uppercase + string.ascii_lowercase + string.digits + "+/",
    "`" + "".join(map(chr, range(0x21, 0x60))),
)
_CROCKFORD = str.maketrans("0123456789ABCDEFGHIJKLMNOPQRSTUV", "0123456789ABCDEFGHJKMNPQRSTVWXYZ")


def _in_base32(raw: bytes) -> Iterator[str]:
    """In the same way, in three alphabets."""
    for offset in range(5):
        first = (offset * 8 + 4) // 5
        yield base64.b32encode(b"\0" * offset + raw).decode().rstrip("=")[first:-1]
        encoded = base64.b32hexencode(b"\0" * offset + raw).decode().rstrip("=")[first:-1]
        yield encoded
        yield encoded.translate(_CROCKFORD)


def _views(text: str) -> Iterator[str]:
    """`text` as it came, and with its escapes undone, layer by layer."""
    seen = set()
    for _ in range(_LAYERS + 1):
        for view in (text, _MARKUP.sub("", text)):
            plain = _normalised(view)
            if plain not in seen:
                seen.add(plain)
                yield plain
        unescaped = _ESCAPE.sub(_unescape, html.unescape(text))
        if unescaped == text:
            return
        text = unescaped


def _unescape(found: re.Match[str]) -> str:
    digits = found[found.lastindex or 0]
    return chr(int(digits, 8 if found.lastindex == _OCTAL else 16))


def _normalised(text: str) -> str:
    """Wide, round and otherwise dressed-up letters as plain ones."""
    if text.isascii():
        return text
    # Python sorts a pile of marks in quadratic time.
    plain = _TOO_MANY_MARKS.sub(r"\1", text.translate(_ODD_LETTERS))
    return unicodedata.normalize("NFKD", plain)
