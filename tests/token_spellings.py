"""One secret, spelled in many ways: as an endpoint, a proxy or a program may repeat it."""

import base64
import binascii
import codecs
import json
from collections.abc import Callable
from urllib.parse import quote


def _chunks(text: str, size: int) -> list[str]:
    return [text[at : at + size] for at in range(0, len(text), size)]


def _b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _each(template: str) -> Callable[[str], str]:
    return lambda text: "".join(template.format(ord(character)) for character in text)


def _apart(between: str, size: int = 1) -> Callable[[str], str]:
    return lambda text: between.join(_chunks(text, size))


def _wide(text: str) -> str:
    return "".join(chr(ord(character) + 0xFEE0) for character in text)


def _hex_dump(text: str) -> str:
    return "\n".join(f"{part.encode().hex(' ')}  |{part}|" for part in _chunks(text, 16))


SPELLINGS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "other case": str.swapcase,
    "backwards": lambda text: text[::-1],
    "rot13": lambda text: codecs.encode(text, "rot13"),
    "full-width": _wide,
    "an accent on each letter": _apart("\u0301"),
    # Apart
    **{
        f"apart: {between!r}": _apart(between)
        for between in (
            *(" ", "\n", "\r\n", "\t", ".", "-", "_", "/", "+", ", ", "\x00", "\ufffd"),
            *("\u200b", "\u00ad", "\u2060", "\u2028", "\U000e0020", "</b><b>"),
        )
    },
    **{
        f"in pieces: {between!r}": _apart(between, 7)
        for between in ("\n", "\n> ", '" +\n  "', "...", "…", "**", " | ", "\\n", "<wbr>", "&shy;")
    },
    "ANSI colours": _apart("\x1b[31m", 3),
    "a list of letters": lambda text: json.dumps(list(text)),
    "numbered letters": lambda text: json.dumps(dict(enumerate(text))),
    "numbered lines": lambda text: "\n".join(
        f"{number}. {part}" for number, part in enumerate(_chunks(text, 8))
    ),
    # Escapes
    "every byte percent-encoded": _each("%{:02X}"),
    "percent-encoded twice": _each("%25{:02x}"),
    "percent-encoded three times": _each("%2525{:02x}"),
    "what addresses escape": lambda text: quote(text, safe="").replace("-", "%2D"),
    "JSON": _each("\\u{:04x}"),
    "JSON in JSON": _each("\\\\u{:04x}"),
    "JavaScript": _each("\\u{{{:x}}}"),
    "old JavaScript": _each("%u{:04x}"),
    "Python": _each("\\x{:02x}"),
    "C": _each("\\{:03o}"),
    "quoted-printable": _each("={:02X}"),
    "quoted-printable lines": _apart("=\n", 9),
    "HTML": _each("&#{};"),
    "HTML, hexadecimal": _each("&#x{:X};"),
    "HTML in HTML": _each("&amp;#{};"),
    # Numbers
    "hexadecimal": lambda text: text.encode().hex(),
    "hexadecimal, spaced": lambda text: text.encode().hex(" ").upper(),
    "hexadecimal, 0x": lambda text: ", ".join(hex(byte) for byte in text.encode()),
    "hexadecimal of UTF-16": lambda text: text.encode("utf-16-le").hex(),
    "a hex dump": _hex_dump,
    "decimal": lambda text: str(list(text.encode())),
    "octal": lambda text: " ".join(f"{byte:o}" for byte in text.encode()),
    "binary": lambda text: "".join(f"{byte:08b}" for byte in text.encode()),
    # Encodings
    "base64": lambda text: _b64(text.encode()),
    "base64, one later": lambda text: _b64(f"x{text}".encode()),
    "base64, two later": lambda text: _b64(f"xy{text}".encode()),
    "base64 for addresses": lambda text: base64.urlsafe_b64encode(text.encode()).decode(),
    "base64 in lines": lambda text: "\n".join(_chunks(_b64(text.encode()), 10)),
    "base64, invisible signs": lambda text: "\u200b".join(_b64(text.encode())),
    "base64, percent-encoded": lambda text: quote(_b64(text.encode()), safe=""),
    "base64, backwards": lambda text: _b64(text.encode())[::-1],
    "base64 of base64": lambda text: _b64(_b64(text.encode()).encode()),
    "base64 of hexadecimal": lambda text: _b64(text.encode().hex().encode()),
    "base64 of UTF-16": lambda text: _b64(text.encode("utf-16-le")),
    "hexadecimal of base64": lambda text: _b64(text.encode()).encode().hex(),
    "base32": lambda text: base64.b32encode(text.encode()).decode(),
    "base32, in groups": lambda text: "-".join(
        _chunks(base64.b32encode(f"xyz{text}".encode()).decode().lower(), 4)
    ),
    "base32hex": lambda text: base64.b32hexencode(text.encode()).decode(),
    "ASCII85": lambda text: base64.a85encode(text.encode()).decode(),
    "base85": lambda text: base64.b85encode(text.encode()).decode(),
    "uuencoded": lambda text: "".join(
        binascii.b2a_uu(part.encode()).decode() for part in _chunks(text, 45)
    ),
    "hexadecimal of hexadecimal": lambda text: text.encode().hex().encode().hex(),
    "base64 of percent": lambda text: _b64("".join(f"%{ord(one):02X}" for one in text).encode()),
    "invisible tags": lambda text: "".join(chr(0xE0000 + ord(one)) for one in text),
    "letters of flags": lambda text: "".join(
        chr(0x1F1E6 + ord(one) - ord("A")) if one.isalpha() else one for one in text.upper()
    ),
    "letters by number": lambda text: str(dict(enumerate(text))),
    "letters by number, as fields": lambda text: " ".join(
        f"{at}={one}" for at, one in enumerate(text)
    ),
}
