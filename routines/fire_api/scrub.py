"""Make what the endpoint sent fit to be kept: our token out of it, and no unstorable characters.

Order matters: scrub first, cut afterwards. A cut through the middle of a token would leave a
piece that no longer looks like one.
"""

import base64
import re
from urllib.parse import quote

from routines.tokens import PREFIX, Token

MASK = "[token removed]"
# A shorter one is no real token, and taking it out of everything would garble the session's URL.
_SHORTEST_BODY = 8
_TOKEN_LIKE = re.compile(re.escape(PREFIX) + r"[A-Za-z0-9\-._~+/]*=*", re.IGNORECASE)
# NUL cannot be kept by PostgreSQL, half of a surrogate pair by no encoding.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class Scrubber:
    """Knows one token in every encoding that it could come back in."""

    def __init__(self, token: Token) -> None:
        self._forms = _forms_of(token)

    def clean(self, value: str, *, longest: int) -> str:
        """`value` without the token, storable, at most `longest` characters."""
        scrubbed = self._forms.sub(MASK, _UNSTORABLE.sub("\ufffd", value))
        scrubbed = _TOKEN_LIKE.sub(MASK, scrubbed)
        return scrubbed if len(scrubbed) <= longest else scrubbed[: longest - 1] + "…"


def _forms_of(token: Token) -> re.Pattern[str]:
    plain = token.reveal()
    raw = plain.encode()
    forms = {
        plain,
        plain[::-1],
        quote(plain, safe=""),
        quote(quote(plain, safe=""), safe=""),
        "".join(f"%{byte:02x}" for byte in raw),
        "".join(f"&#{byte};" for byte in raw),
        "".join(f"&#x{byte:x};" for byte in raw),
        "".join(f"\\u{byte:04x}" for byte in raw),
        "".join(f"\\x{byte:02x}" for byte in raw),
        raw.hex(),
        *_base64_forms(raw),
        plain.replace("/", "\\/"),  # as some write JSON
        # UTF-16 and UTF-32 that were read as UTF-8: `clean` has replaced the NULs between.
        "\ufffd".join(plain),
        "\ufffd\ufffd\ufffd".join(plain),
    }
    body = plain.removeprefix(PREFIX)
    if len(body) >= _SHORTEST_BODY:
        forms.add(body)  # alone it gives the token away as well: its prefix is public
    longest_first = sorted(forms, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, longest_first)), re.IGNORECASE)


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
