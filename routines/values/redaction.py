"""The one place that takes secrets out of what gets out: log lines, stored answers, the audit.

`redact` knows what secrets look like, whoever they belong to; a Redactor knows one token, and
drops a message that repeats any of it. Both before anything is cut: a cut through the middle of a
token would leave a piece that no longer looks like one.
"""

import base64
import html
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from django.conf import settings

from routines.values.pasted_text import INVISIBLE
from routines.values.tokens import PREFIX, Token, contains_token

MASK = "[token removed]"
REMOVED = "[removed]"
MESSAGE_REMOVED = f"{MASK} The token was repeated here, so nothing of this was kept."
# Characters of a token in a row that give too much of it away.
_TOO_MANY = 12
# A shorter one is no real token, and looking for it would drop every message.
_SHORTEST_BODY = 8
# NUL cannot be kept by PostgreSQL, half of a surrogate pair by no encoding.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def redact(text: str) -> str:
    """`text` without anything that looks like a secret, or that is one of this process's own."""
    text = redact_tokens(text)
    for pattern, replacement in _SECRETS:
        text = pattern.sub(replacement, text)
    for secret in own_secrets():
        text = text.replace(secret, REMOVED)
    return text


def redact_tokens(text: str) -> str:
    """For pages, where more must not be taken for a secret: their forms carry CSRF tokens."""
    if contains_token(text):  # also one with invisible characters between
        text = INVISIBLE.sub("", text)
    return _TOKEN.sub(MASK, text)


# --- One token: any piece of it, in plain, base64 or hexadecimal ---

_IN_NO_TOKEN = re.compile(r"[^a-z0-9\-._~+/]+", re.ASCII)
# The zeros are those of \\u0073.
_NOT_HEXADECIMAL = re.compile(r"[^0-9a-f]+|(?<=u)00", re.ASCII)


class Redactor:
    """Knows one token, and drops what repeats 12 characters of it in a row.

    Both sides are compared without case and without characters that no token has, so that blanks,
    invisible characters, quotes and escapes between them make no difference.
    """

    def __init__(self, token: Token) -> None:
        body = token.reveal().removeprefix(PREFIX)
        self._length = min(len(body), _TOO_MANY)
        self._pieces: set[str] = set()
        self._hexadecimal: set[str] = set()
        if len(body) >= _SHORTEST_BODY:
            for spelling in (body, *_in_base64(body.encode())):
                self._pieces |= _pieces(_squeezed(spelling), self._length)
            self._hexadecimal = _pieces(body.encode().hex(), 2 * self._length)

    def redact(self, value: str, *, longest: int) -> str:
        """`value`, storable, at most `longest` characters; or that it repeated the token."""
        value = MESSAGE_REMOVED if self.finds(value) else redact_tokens(value)
        value = _UNSTORABLE.sub("\ufffd", value)
        return value if len(value) <= longest else value[: longest - 1] + "…"

    def finds(self, text: str) -> bool:
        """True if `text` holds as much of the token as gives it away."""
        text = html.unescape(text)
        digits = _NOT_HEXADECIMAL.sub("", text.lower())
        return not (
            self._pieces.isdisjoint(_pieces(_squeezed(text), self._length))
            and self._hexadecimal.isdisjoint(_pieces(digits, 2 * self._length))
        )


def _squeezed(text: str) -> str:
    return _IN_NO_TOKEN.sub("", text.lower())


def _pieces(text: str, length: int) -> set[str]:
    return {text[at : at + length] for at in range(len(text) - length + 1)}


def _in_base64(raw: bytes) -> set[str]:
    """How `raw` looks within base64 of anything that holds it, at each of the three offsets.

    The first and the last characters also carry bits of the neighbours and are left off.
    """
    spellings = set()
    for offset in range(3):
        encoded = base64.b64encode(b"\0" * offset + raw).decode().rstrip("=")
        core = encoded[(offset * 8 + 5) // 6 : -1]
        spellings |= {core, core.replace("+", "-").replace("/", "_")}
    return spellings


# --- Any token: its public prefix, in the same spellings, gives away where one stands ---
#
# Here and below: whatever repeats either starts where nothing like it stands before, or is
# bounded, so that no text makes a search take more than linear time.

_BETWEEN_BYTES = r"[%\\&#;:x]{0,4}(?:u00)?"


def _token_patterns() -> Iterator[str]:
    prefix = PREFIX.encode()
    dash = "(?:-|%2d|%252d)"
    yield rf"sk{dash}ant{dash}[a-z0-9]{{2,12}}{dash}(?:[a-z0-9\-._~+/]|%[0-9a-f]{{2}}|\\/)*=*"
    in_hexadecimal = _BETWEEN_BYTES.join(f"{byte:02x}" for byte in prefix)
    yield rf"(?:%|\\x|\\u00|&#x)?{in_hexadecimal}(?:{_BETWEEN_BYTES}[0-9a-f]{{2}})*;?"
    yield "".join(f"&#{byte};" for byte in prefix) + r"(?:&#\d{1,3};)*"
    for spelling in _in_base64(prefix):
        yield r"[a-z0-9+/_-]{0,4}" + re.escape(spelling) + r"[a-z0-9+/_-]*=*"
    for gap in ("\x00", "\ufffd", "\x00\x00\x00", "\ufffd\ufffd\ufffd"):  # as misread UTF-16
        yield re.escape(gap.join(PREFIX)) + f"(?:{gap}[a-z0-9._~+/-])*"


_TOKEN = re.compile("|".join(_token_patterns()), re.IGNORECASE)


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
        (r"(?<![\w-])gAAAAA[\w-]{40,}={0,2}", REMOVED),  # an encrypted token
    )
]

_SECRET_SETTING = re.compile(
    "(?:SECRET(?:_KEY(?:_FALLBACKS)?)?|PASSWORD|ENCRYPTION_KEYS)$", re.IGNORECASE
)


@lru_cache(maxsize=1)
def own_secrets() -> list[str]:
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
