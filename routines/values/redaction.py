"""The one place that takes secrets out of what gets out: log lines, stored answers, the audit.

`redact` knows what secrets look like, whoever they belong to; a Redactor knows one token, and
drops a message that repeats any of it. Both before anything is cut: a cut through the middle of a
token would leave a piece that no longer looks like one.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from django.conf import settings

from routines.values import api_keys, broken_tokens
from routines.values.spellings import Spellings, in_base64
from routines.values.tokens import PREFIX, Token, contains_token

MASK = "[token removed]"
KEY_MASK = "[API key removed]"
REMOVED = "[removed]"
MESSAGE_REMOVED = f"{MASK} The token was repeated here, so nothing of this was kept."
_LOOKED_BEYOND = 1_000  # characters
# A shorter one is no real token, and looking for it would drop every message.
_SHORTEST_BODY = 8
# NUL cannot be kept by PostgreSQL, half of a surrogate pair by no encoding.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def redact(text: str) -> str:
    """`text` without anything that looks like a secret, or that is one of this process's own."""
    text = redact_typed(text)
    for pattern, replacement in _SECRETS:
        text = pattern.sub(replacement, text)
    for secret in own_secrets():
        text = text.replace(secret, REMOVED)
    return text


def redact_tokens(text: str) -> str:
    """For pages, where more must not be taken for a secret: their forms carry CSRF tokens.

    Tokens of routines, and API keys of our own.
    """
    if contains_token(text):  # also one with invisible characters or gaps between
        text = _without_broken_tokens(broken_tokens.visible(text))
    text = api_keys.without_keys(text, mask=KEY_MASK)
    if not _MAY_HOLD_ONE.search(text.lower()):
        return text
    return _TOKEN.sub(MASK, text)


def redact_typed(text: str) -> str:
    """For what somebody typed: API keys of our own also where a part of one is left."""
    return api_keys.without_keys(redact_tokens(text), mask=KEY_MASK, parts=True)


def _without_broken_tokens(text: str) -> str:
    parts, at = [], 0
    for start, end in broken_tokens.spans(text, PREFIX):
        parts += [text[at:start], MASK]
        at = end
    return "".join([*parts, text[at:]])


# --- One token: any piece of it, however it is spelled ---


class Redactor:
    """Knows one token, and drops what repeats 12 characters of it in a row (spellings.py)."""

    def __init__(self, token: Token) -> None:
        body = token.reveal().removeprefix(PREFIX)
        self._spellings = Spellings(body) if len(body) >= _SHORTEST_BODY else None

    def redact(self, value: str, *, longest: int) -> str:
        """`value`, storable, at most `longest` characters; or that it repeated the token."""
        # What lies far beyond the cut is neither kept nor looked at.
        value = value[: 2 * longest + _LOOKED_BEYOND]
        value = MESSAGE_REMOVED if self.finds(value) else redact_tokens(value)
        value = _UNSTORABLE.sub("\ufffd", value)
        return value if len(value) <= longest else value[: longest - 1] + "…"

    def finds(self, text: str) -> bool:
        """True if `text` holds as much of the token as gives it away."""
        return self._spellings is not None and self._spellings.stand_in(text)


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
    for spelling in in_base64(prefix):  # without + and /, so it is the same for addresses
        yield r"[a-z0-9+/_-]{0,4}" + re.escape(spelling) + r"[a-z0-9+/_-]*=*"
    for gap in ("\x00", "\ufffd", "\x00\x00\x00", "\ufffd\ufffd\ufffd"):  # as misread UTF-16
        yield re.escape(gap.join(PREFIX)) + f"(?:{gap}[a-z0-9._~+/-])*"


_TOKEN = re.compile("|".join(_token_patterns()), re.IGNORECASE)
# What each of them begins with, looked for in lower case: nearly no text has any of it, and this
# tells so in a twentieth of the time.
_MAY_HOLD_ONE = re.compile(
    r"sk(?:-|%2d|%252d)ant|73[%\\&#;:xu0]{0,7}6b|&#115;&#107;|s[\x00\ufffd]{1,3}k|"
    + "|".join(re.escape(spelling[4:].lower()) for spelling in sorted(in_base64(PREFIX.encode())))
)


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
