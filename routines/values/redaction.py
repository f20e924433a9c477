"""The one place that takes secrets out of what gets out: log lines, stored answers, the audit.

`redact` knows what secrets look like, whoever they belong to; a Scrubber knows one token and finds
it in every encoding. Both before anything is cut: a cut through the middle of a token would leave
a piece that no longer looks like one.
"""

import base64
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from django.conf import settings

from routines.values.tokens import INVISIBLE, PREFIX, Token, stand_in

MASK = "[token removed]"
REMOVED = "[removed]"
# A shorter one is no real token, and taking it out of everything would garble the session's URL.
_SHORTEST_BODY = 8
# NUL cannot be kept by PostgreSQL, half of a surrogate pair by no encoding.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def redact(text: str) -> str:
    """`text` without anything that looks like a secret, or that is one of this process's own."""
    text = without_tokens(text)
    for pattern, replacement in _SECRETS:
        text = pattern.sub(replacement, text)
    for secret in _own_secrets():
        text = text.replace(secret, REMOVED)
    return text


def without_tokens(text: str) -> str:
    """For pages, where more must not be taken for a secret: their forms carry CSRF tokens."""
    if stand_in(text):  # also one with invisible characters between
        text = INVISIBLE.sub("", text)
    return _without_tokens(text)


class Scrubber:
    """Knows one token in every encoding that it could come back in."""

    def __init__(self, token: Token) -> None:
        self._forms = _forms_of(token)

    def clean(self, value: str, *, longest: int) -> str:
        """`value` without the token, storable, at most `longest` characters."""
        scrubbed = self._forms.sub(MASK, _UNSTORABLE.sub("\ufffd", value))
        scrubbed = _without_tokens(scrubbed)
        return scrubbed if len(scrubbed) <= longest else scrubbed[: longest - 1] + "…"


# --- One token ---


def _forms_of(token: Token) -> re.Pattern[str]:
    plain = token.reveal()
    raw = plain.encode()
    forms = {
        plain,
        plain[::-1],
        quote(plain, safe=""),
        quote(quote(plain, safe=""), safe=""),
        *("".join(map(written.__getitem__, raw)) for written in _WRITTEN),
        *_base64_forms(raw),
        plain.replace("/", "\\/"),  # as some write JSON
        # UTF-16 and UTF-32 that were read as UTF-8: `clean` has replaced the NULs between.
        "\ufffd".join(plain),
        "\ufffd\ufffd\ufffd".join(plain),
    }
    body = plain.removeprefix(PREFIX)
    if len(body) >= _SHORTEST_BODY:
        forms.add(body)  # alone it gives the token away as well: its prefix is public
    return _any_of(forms)


def _any_of(texts: Iterable[str]) -> re.Pattern[str]:
    longest_first = sorted(texts, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, longest_first)), re.IGNORECASE)


# How a byte is written where bytes are written one by one, and what any such byte looks like.
_UNITS = {
    "%{:02x}": r"%[0-9a-f]{2}",
    "&#{};": r"&#\d{1,3};",
    "&#x{:x};": r"&#x[0-9a-f]{1,2};",
    "\\u{:04x}": r"\\u[0-9a-f]{4}",
    "\\x{:02x}": r"\\x[0-9a-f]{2}",
    "{:02x}": r"[0-9a-f]{2}",
}
# For each of them all 256: an answer waits for this.
_WRITTEN = [[unit.format(byte) for byte in range(256)] for unit in _UNITS]


def _base64_forms(raw: bytes) -> set[str]:
    """How `raw` looks within base64 of anything that holds it, at each of the three offsets.

    The first and the last characters also carry bits of the neighbours and are left off.
    """
    forms = set()
    for offset in range(3):
        encoded = base64.b64encode(b"\0" * offset + raw).decode().rstrip("=")
        core = encoded[(offset * 8 + 5) // 6 : -1]
        forms |= {core, core.replace("+", "-").replace("/", "_")}
    return forms


# --- Any token: its public prefix, in the same encodings, gives away where one stands ---
#
# Here and below: whatever repeats either starts where nothing like it stands before, or is
# bounded, so that no text makes a search take more than linear time.


def _token_shapes() -> Iterator[str]:
    prefix = PREFIX.encode()
    dash = "(?:-|%2d|%252d)"
    yield rf"sk{dash}ant{dash}[a-z0-9]{{2,12}}{dash}(?:[a-z0-9\-._~+/]|%[0-9a-f]{{2}}|\\/)*=*"
    yield r"(?<![a-z0-9\-._~+/=])[a-z0-9\-._~+/=]{8,}" + re.escape(PREFIX[::-1])
    for unit, any_unit in _UNITS.items():
        yield re.escape("".join(unit.format(byte) for byte in prefix)) + f"(?:{any_unit})*"
    for form in _base64_forms(prefix):
        yield r"[a-z0-9+/_-]{0,4}" + re.escape(form) + r"[a-z0-9+/_-]*=*"
    for gap in ("\x00", "\ufffd", "\x00\x00\x00", "\ufffd\ufffd\ufffd"):
        yield re.escape(gap.join(PREFIX)) + f"(?:{gap}[a-z0-9._~+/-])*"


_TOKEN = re.compile("|".join(_token_shapes()), re.IGNORECASE)


def _without_tokens(text: str) -> str:
    return _TOKEN.sub(MASK, text)


# --- Other people's secrets, by their shape or by the name before them ---

_NAME = (
    r"(?<![\w.-])[\w.-]{0,40}(?:passw(?:or)?d|passphrase|secret|token|api[_-]?key|access[_-]?key"
    r"|encryption[_-]?keys?|private[_-]?key|credential|code_verifier|csrf|sessionid|otp)[\w-]{0,40}"
)
_HEADER = r"(?:(?:proxy-)?authorization|(?:set-)?cookie|x-csrftoken|x-api-key)"
_QUOTED = r"""(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')"""

_SECRETS = [
    (re.compile(pattern, re.IGNORECASE | re.DOTALL), replacement)
    for pattern, replacement in (
        (r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----.*?(?:-----END[^\n]*|\Z)", REMOVED),
        # As in the reprs of dicts and of lists of headers, and in JSON.
        (rf"""((?:{_NAME}|\b{_HEADER})["']?\s*[:=,]\s*b?){_QUOTED}""", rf"\1{REMOVED}"),
        (rf"(\b{_HEADER}\s*[:=])(?!\s*\[removed\])[^\r\n]+", rf"\1{REMOVED}"),
        (rf"({_NAME}=)(?!\[removed\])[^\s&;,\"')\]}}]+", rf"\1{REMOVED}"),
        # What an identity provider hands over in an address.
        (r"([?&](?:code|state|nonce|id_token|assertion)=)[^\s&\"']+", rf"\1{REMOVED}"),
        (r"\b(Bearer|Basic)\s+[\w\-.~+/=:]{8,}", rf"\1 {REMOVED}"),
        (r"(?<=://)[^\s/@:]{0,200}:[^\s/@]{1,200}(?=@)", REMOVED),  # the user of a database URL
        (r"(?<![\w-])eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*", REMOVED),  # an ID token
        (r"(?<![\w-])gAAAAA[\w-]{40,}={0,2}", REMOVED),  # a sealed token
    )
]

_SECRET_SETTING = re.compile(
    "(?:SECRET(?:_KEY(?:_FALLBACKS)?)?|PASSWORD|ENCRYPTION_KEYS)$", re.IGNORECASE
)


@lru_cache(maxsize=1)
def _own_secrets() -> list[str]:
    """The values of the settings that are secret, wherever they stand. They change with a start."""
    values = {name: getattr(settings, name) for name in dir(settings) if name.isupper()}
    return sorted(set(_secrets_in(values, secret=False)), key=len, reverse=True)


def _secrets_in(value: Any, *, secret: bool) -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _secrets_in(inner, secret=bool(_SECRET_SETTING.search(str(name))))
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _secrets_in(inner, secret=secret)
    elif secret and isinstance(value, str) and len(value) >= _SHORTEST_BODY:
        yield value
